//! A file's problems, told to people as snippets and to programs as rows.
//!
//! Owned by whoever read the file. It judges nothing: what is wrong was decided where it
//! was read.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};

use super::problem::{Fault, Problem};

/// Snippets shown of one file; a file of thousands of faults has one cause that the first ones show.
const MOST_SNIPPETS: usize = 100;

/// Everything that is wrong, or doubtful, with one file. Displays as plain text without
/// colours, one snippet a problem, the first 100 of them.
#[derive(Clone, Debug)]
pub struct Report {
    file: Box<str>,
    source: Box<str>,
    starts: Vec<usize>,
    problems: Vec<Problem>,
}

impl Report {
    /// A report on `source`, which people know as `file`.
    pub(crate) fn new(file: &str, source: &str, problems: Vec<Problem>) -> Self {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(i, _)| i + 1));
        Self { file: file.into(), source: source.into(), starts: starts.collect(), problems }
    }

    /// The problems in the order of the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|p| !p.fault.is_warning()).count()
    }

    /// How many of them are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.problems.len() - self.errors()
    }

    /// Line and column at which a problem begins, both from 1; columns in characters.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> (usize, usize) {
        let at = problem.span.start.min(self.source.len());
        let line = self.line_of(at);
        let before = self.source.get(self.starts[line - 1]..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The report as text, with the colours of a terminal if wanted.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.problems.iter().take(MOST_SNIPPETS) {
            out.push_str(&self.render_one(&renderer, problem));
            out.push_str("\n\n");
        }
        if let Some(rest) = self.problems.len().checked_sub(MOST_SNIPPETS).filter(|n| *n > 0) {
            out.push_str(&format!("and {rest} more, which --json lists\n\n"));
        }
        out
    }

    fn render_one(&self, renderer: &Renderer, problem: &Problem) -> String {
        let level = if problem.fault.is_warning() { Level::WARNING } else { Level::ERROR };
        let title = match &*problem.path {
            "" => problem.fault.to_string(),
            path => format!("{path}: {}", problem.fault),
        };
        let advice = problem.fault.advice();
        let mut elements: Vec<Element<'_>> =
            vec![self.snippet(&problem.span, AnnotationKind::Primary, None).into()];
        if let Fault::Duplicate { first, .. } = &problem.fault {
            let label = Some("first here");
            elements.push(self.snippet(first, AnnotationKind::Context, label).into());
        }
        if let Some(advice) = &advice {
            elements.push(Level::HELP.message(&**advice).into());
        }
        renderer.render(&[level.primary_title(title).elements(elements)])
    }

    /// The lines of a span alone: the renderer would count the whole file's for each.
    fn snippet<'s>(
        &'s self,
        span: &Range<usize>,
        kind: AnnotationKind,
        label: Option<&'s str>,
    ) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
        let start = span.start.min(self.source.len());
        let line = self.line_of(start);
        let from = self.starts[line - 1];
        // A fault of a table that runs over many lines is shown by its first.
        let to = self.starts.get(line).map_or(self.source.len(), |next| next - 1);
        let to = to.max(start);
        let end = span.end.clamp(start, to);
        let text = self.source.get(from..to).unwrap_or_default();
        Snippet::source(text)
            .path(&*self.file)
            .line_start(line)
            .annotation(kind.span(start - from..end - from).label(label))
    }

    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|s| *s <= at)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
