//! `[languages]`: which skill speaks which language.
//!
//! A tag is two letters (ISO 639-1): the engine knows a customer's language by its primary
//! subtag, so that `de-AT` is `de`. What a language means to a queue is the queue's
//! `language`. Owned by one reading of one file.

use super::names::Names;
use super::problem::{Expected, Found};
use super::reader::Value;
use crate::engine::words::Language;
use crate::ids::SkillId;

/// What the section is.
const OF: &str = "languages of two letters, such as de, each with the skill that speaks it";

/// Reads the section: sorted by language.
pub(super) fn read(value: &Value<'_>, skills: &Names) -> Vec<(Language, SkillId)> {
    let mut languages = Vec::new();
    for (tag, key_at, value) in value.entries(OF) {
        // As it is written: two spellings would be one language.
        match Language::of_tag(tag).filter(|l| l.as_str() == tag) {
            Some(language) => {
                languages.extend(skills.find_value(&value).map(|id| (language, SkillId(id))));
            }
            None => {
                let found = Found::Text(tag.chars().take(64).collect());
                let expected = Expected::Table(OF);
                value.notes.note(&value.path, key_at, super::Fault::Mismatch { found, expected });
            }
        }
    }
    languages.sort_unstable();
    languages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, parse};

    #[test]
    fn a_language_is_two_letters_and_has_a_skill() {
        let source =
            "skills = [\"german\", \"french\"]\n[languages]\nfr = \"french\"\nde = \"german\"";
        let routing = parse("t", source).unwrap().config.routing;
        let of = |tag| Language::of_tag(tag).and_then(|l| routing.speaks(l));
        assert_eq!((of("de-AT"), of("fr"), of("it")), (Some(SkillId(0)), Some(SkillId(1)), None));
        for (line, path, says) in [
            ("de-AT = \"german\"", "languages.de-AT", "found the string \"de-AT\""),
            ("DE = \"german\"", "languages.DE", "languages of two letters"),
            ("it = \"italian\"", "languages.it", "expected the name of a skill"),
        ] {
            let source = format!("skills = [\"german\"]\n[languages]\n{line}");
            let Err(ConfigError::Invalid(report)) = parse("t", &source) else { panic!("{line}") };
            let [problem] = report.problems() else { panic!("{line}: {report}") };
            assert_eq!(&*problem.path, path);
            assert!(problem.fault.to_string().contains(says), "{}", problem.fault);
        }
    }
}
