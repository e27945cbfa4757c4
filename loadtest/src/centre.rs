//! The router's configuration that a scenario needs, made from it so that the two cannot
//! differ.

use std::fmt::Write as _;

use crate::recall::{Recall, SAFETY};
use crate::scenario::{Kind, Scenario};

/// What the queue with the longest line has that is other than the scenario says.
pub(crate) struct Edit {
    /// Least proficiency.
    pub(crate) needs: u8,
    /// More fields of it.
    pub(crate) fields: String,
}

impl Scenario {
    /// The router's configuration that this scenario needs, as TOML for `surgeline serve`.
    #[must_use]
    pub fn centre(&self) -> String {
        self.centre_with(&Edit { needs: 1, fields: String::new() })
    }

    /// The same with an edit of one queue.
    pub(crate) fn centre_with(&self, edit: &Edit) -> String {
        let safety = self.recall.iter().map(|_| SAFETY);
        let skills: Vec<_> = self.mix.iter().map(|k| k.name.as_str()).chain(safety).collect();
        let mut toml = format!(
            "# For surgeline-loadtest, scenario {:?}.\nskills = {skills:?}\n\n[[pools]]\nname = \"own\"\n",
            self.name
        );
        let plain = Edit { needs: 1, fields: String::new() };
        for (at, kind) in self.mix.iter().enumerate() {
            let Edit { needs, fields } = if at == self.longest_line() { edit } else { &plain };
            // Writing to a String cannot fail.
            let _ = write!(
                toml,
                "\n[[queues]]\nname = {0:?}\nchannels = [\"{1}\"]\nneeds = {{ {0:?} = {needs} }}\nwrap_up = \"{2}ms\"\n{fields}",
                kind.name,
                kind.channel.name(),
                kind.wrap_up.as_millis(),
            );
        }
        for group in &self.agents {
            let table = |entries: Vec<String>| format!("{{ {} }}", entries.join(", "));
            let skills = table(group.takes.iter().map(|t| format!("{t:?} = 3")).collect());
            let capacity =
                table(group.capacity.iter().map(|(c, n)| format!("{c:?} = {n}")).collect());
            let _ = write!(
                toml,
                "\n[[agent_groups]]\nprefix = {:?}\ncount = {}\npool = \"own\"\nskills = {skills}\ncapacity = {capacity}\n",
                group.prefix, group.count,
            );
        }
        if let Some(recall) = &self.recall {
            toml.push_str(&self.recalled(recall));
        }
        toml
    }

    /// The ways in that a recall is about, and its safety lane.
    fn recalled(&self, recall: &Recall) -> String {
        let about: Vec<&Kind> = self.mix.iter().filter(|k| recall.is_about(&k.name)).collect();
        let mut channels: Vec<_> = about.iter().map(|k| k.channel.name()).collect();
        channels.sort_unstable();
        channels.dedup();
        let each: Vec<_> = channels.iter().map(|c| format!("{c} = 1")).collect();
        let mut toml = format!(
            "\n[[queues]]\nname = {SAFETY:?}\nchannels = {channels:?}\nneeds = {{ {SAFETY} = 1 }}\nsafety = true\nwrap_up = \"0ms\"\n\
             \n[[agent_groups]]\nprefix = {SAFETY:?}\ncount = {}\npool = \"own\"\nskills = {{ {SAFETY} = 3 }}\ncapacity = {{ {} }}\n",
            recall.safety_agents,
            each.join(", ")
        );
        for kind in about {
            let _ = write!(toml, "\n[[entry_points]]\nname = {0:?}\nqueue = {0:?}\n", kind.name);
        }
        toml
    }
}
