//! What the subcommands print, and the one place where it leaves.
//!
//! Customers' words, names and keys come from outside: a terminal obeys control characters,
//! so none of theirs reaches it. [`put`] takes only a [`Text`], and a [`Text`] cleans each
//! line as it is made. It knows nothing of what the lines are about.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, Width, presets,
};
use serde_json::Value;

/// Whether lines have colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Palette {
    Ansi,
    Plain,
}

/// How a line stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    Bold,
    Dim,
    Yellow,
    Red,
}

impl Palette {
    /// What stdout takes.
    pub(super) fn of_stdout() -> Self {
        // https://no-color.org: any value that is not empty.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        if stdout().is_terminal() && !plain { Self::Ansi } else { Self::Plain }
    }

    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        if self == Self::Plain {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Yellow => "33",
            Ink::Red => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Characters that move the cursor, colour, ring, or turn the direction of what follows.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text on one line, with nothing in it that a terminal would obey.
pub(super) fn escaped(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// The same over several lines, those after the first set in by `indent`: nothing that
/// somebody wrote can look like a line of ours.
fn set_in(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let mut lines = text.lines().map(escaped);
    let mut whole = lines.next().unwrap_or_default();
    for line in lines {
        whole.push('\n');
        whole.push_str(format!("{indent}{line}").trim_end());
    }
    whole
}

/// What is to be printed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Text of our own making, colours and all: nothing from outside may be in it uncleaned.
    pub(super) fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A line that begins with `head` and goes on with what somebody may have written.
    pub(super) fn line(&mut self, head: &str, text: &str) {
        let head = escaped(head);
        let body = set_in(text, head.chars().count().max(2));
        self.0.push_str(format!("{head}{body}").trim_end());
        self.0.push('\n');
    }

    /// Lines that are clean, such as a table's.
    pub(super) fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.0.push_str(line);
            self.0.push('\n');
        }
    }

    /// What another text says, after this one.
    pub(super) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// A value over several lines.
    pub(super) fn json(value: &Value) -> Self {
        Self(json_clean(&format!("{value:#}\n")))
    }

    /// A value on one line.
    pub(super) fn json_line(value: &Value) -> Self {
        Self(json_clean(&format!("{value}\n")))
    }

    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// JSON escapes only what is below space. Whatever else is unsafe can only be within its
/// strings, where every character may be escaped.
fn json_clean(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unsafe(c) {
            clean.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            clean.push(c);
        }
    }
    clean
}

/// A table without lines, its cells clean.
#[derive(Debug)]
pub(super) struct Table(Grid);

impl Table {
    /// Columns a `gap` apart, numbers to the right.
    pub(super) fn new(header: &[&str], right: &[usize], gap: u16) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        grid.set_header(header.iter().copied());
        for (place, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            if right.contains(&place) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(grid)
    }

    /// Columns that do not move when numbers grow: at least so wide, the gap included.
    pub(super) fn steady(mut self, widths: &[u16]) -> Self {
        for (column, width) in self.0.column_iter_mut().zip(widths) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width)));
        }
        self
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(|cell| escaped(&cell)));
    }

    /// The header, then a line for each row.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// Whether anyone still reads what is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    There,
    /// `| head` has what it wanted: no fault, and no reason to go on.
    Gone,
}

/// Prints to stdout.
///
/// # Errors
/// What the system says when it cannot be written, such as a full disk.
pub(super) fn put(text: &Text) -> std::io::Result<Reader> {
    write(&mut stdout().lock(), text)
}

fn write(out: &mut impl Write, text: &Text) -> std::io::Result<Reader> {
    match out.write_all(text.0.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error),
    }
}

/// Tells something on stderr; nobody listening is no reason to stop.
pub(super) fn tell(text: &Text) {
    let _ = stderr().lock().write_all(text.0.as_bytes());
}

/// Tells one line on stderr.
pub(super) fn tell_line(line: &str) {
    let mut text = Text::default();
    text.line("", line);
    tell(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_somebody_wrote_is_obeyed_by_a_terminal() {
        let words = "hi\x1b[2J\u{9b}31m\x07\tred\u{202e}\r\ncontact 7: closed\n\n.";
        let mut text = Text::default();
        text.line("  words      ", words);
        assert_eq!(
            text.as_str(),
            "  words      hi\\u{1b}[2J\\u{9b}31m\\u{7}\\tred\\u{202e}\n             \
             contact 7: closed\n\n             .\n"
        );
        let mut table = Table::new(&["KEY", "N"], &[1], 2);
        table.row(["a\nb\x1b[31m".to_owned(), "1".to_owned()]);
        assert_eq!(table.lines(), ["KEY             N", "a\\nb\\u{1b}[31m  1"]);
    }

    #[test]
    fn json_stays_json_and_is_not_obeyed_either() {
        let value = serde_json::json!({ "words": "a\u{9b}31m\x1b\u{7f}é\n" });
        for text in [Text::json(&value), Text::json_line(&value)] {
            assert!(!text.as_str().chars().any(|c| c != '\n' && is_unsafe(c)), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(text.as_str()).unwrap(), value);
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_no_error_and_a_full_disk_is() {
        struct Broken(ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let text = Text::own("x");
        assert_eq!(write(&mut Broken(ErrorKind::BrokenPipe), &text).unwrap(), Reader::Gone);
        assert!(write(&mut Broken(ErrorKind::StorageFull), &text).is_err());
        assert_eq!(write(&mut Vec::new(), &text).unwrap(), Reader::There);
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(Palette::Plain.paint(Ink::Red, "late"), "late");
        assert_eq!(Palette::Ansi.paint(Ink::Red, "late"), "\x1b[31mlate\x1b[0m");
    }
}
