//! The reference tables: reading their rows, those built in or those of a folder.
//!
//! A table is a plain CSV file with a header; what a row means is `rows`' business.

use std::path::Path;

use crate::simulate::error::SimulateError;

/// The tables that are built in, with their names.
const BUILT_IN: [(&str, &str); 7] = [
    ("erlang", include_str!("../../../tests/fixtures/reference/erlang.csv")),
    ("skills", include_str!("../../../tests/fixtures/reference/skills.csv")),
    ("agents", include_str!("../../../tests/fixtures/reference/agents.csv")),
    ("delay", include_str!("../../../tests/fixtures/reference/delay.csv")),
    ("overload", include_str!("../../../tests/fixtures/reference/overload.csv")),
    ("surge", include_str!("../../../tests/fixtures/reference/surge.csv")),
    ("surge_bars", include_str!("../../../tests/fixtures/reference/surge_bars.csv")),
];

/// One line of a table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Which table.
    pub(super) table: &'static str,
    file: Box<Path>,
    number: usize,
    cells: Vec<(String, String)>,
}

/// All lines of the tables: of a folder those that it has.
pub(super) fn lines(folder: Option<&Path>) -> Result<Vec<Line>, SimulateError> {
    let mut all = Vec::new();
    for (table, built_in) in BUILT_IN {
        match folder {
            None => all.extend(parse(table, Path::new(table), built_in)?),
            Some(folder) => {
                let path = folder.join(format!("{table}.csv"));
                if path.exists() {
                    let text = std::fs::read_to_string(&path).map_err(|source| {
                        SimulateError::Read { path: path.as_path().into(), source }
                    })?;
                    all.extend(parse(table, &path, &text)?);
                }
            }
        }
    }
    Ok(all)
}

fn parse(table: &'static str, file: &Path, text: &str) -> Result<Vec<Line>, SimulateError> {
    let mut rows = text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty());
    let header: Vec<&str> = rows.next().map_or_else(Vec::new, |(_, h)| h.split(',').collect());
    let mut lines = Vec::new();
    for (index, row) in rows {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        if cells.len() != header.len() {
            return Err(SimulateError::Line {
                path: file.into(),
                line: index + 1,
                expected: "as many cells as the header has",
            });
        }
        let cells =
            header.iter().map(ToString::to_string).zip(cells.iter().map(ToString::to_string));
        lines.push(Line { table, file: file.into(), number: index + 1, cells: cells.collect() });
    }
    Ok(lines)
}

impl Line {
    /// A cell as written; empty if the table has no such column.
    pub(super) fn text(&self, column: &str) -> &str {
        let cell = self.cells.iter().find(|(c, _)| c == column);
        cell.map_or("", |(_, value)| value)
    }

    /// A number; none in an empty cell, or for `inf`.
    pub(super) fn number(&self, column: &'static str) -> Result<Option<f64>, SimulateError> {
        match self.text(column) {
            "" | "inf" => Ok(None),
            text => {
                let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
                number.map(Some).ok_or_else(|| self.bad(column))
            }
        }
    }

    /// A number above zero that must be there.
    pub(super) fn positive(&self, column: &'static str) -> Result<f64, SimulateError> {
        self.number(column)?.filter(|n| *n > 0.0).ok_or_else(|| self.bad(column))
    }

    /// A count that must be there.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    pub(super) fn count(&self, column: &'static str) -> Result<u32, SimulateError> {
        let n = self.positive(column)?;
        if n.fract() == 0.0 && n <= 100_000.0 { Ok(n as u32) } else { Err(self.bad(column)) }
    }

    /// A table's number with how far rounding may have moved it.
    pub(super) fn rounded(
        &self,
        column: &'static str,
    ) -> Result<Option<(f64, f64)>, SimulateError> {
        let places = self.text(column).split_once('.').map_or(0, |(_, p)| p.len());
        let places = i32::try_from(places).unwrap_or(i32::MAX);
        Ok(self.number(column)?.map(|n| (n, 0.5 * 10.0_f64.powi(-places))))
    }

    fn bad(&self, column: &'static str) -> SimulateError {
        SimulateError::Line {
            path: self.file.clone(),
            line: self.number,
            expected: column_of(column),
        }
    }
}

/// What is expected of a column, for those who write their own.
fn column_of(column: &'static str) -> &'static str {
    match column {
        "n" | "s" | "skills" => "a whole number from 1 to 100,000 in its column of counts",
        "lam_per_h" => "contacts an hour above 0 in column lam_per_h",
        "aht_s" => "seconds above 0 in column aht_s",
        "load_erlangs" => "erlangs above 0 in column load_erlangs",
        "peak_multiple" => "a multiple above 0 in column peak_multiple",
        "theta" | "rho" => "a number above 0 in columns theta and rho",
        _ => "numbers in every column of results",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_its_columns() {
        let text = "id,lam_per_h,patience_s,P_ab\n1,360,inf,.0500\n\n2,x,,\n";
        let lines = parse("erlang", Path::new("mine.csv"), text).unwrap();
        assert_eq!(lines[0].positive("lam_per_h").unwrap(), 360.0);
        assert_eq!(lines[0].number("patience_s").unwrap(), None);
        let (value, rounding) = lines[0].rounded("P_ab").unwrap().unwrap();
        assert_eq!(value, 0.05);
        assert!((rounding - 0.000_05).abs() < 1e-12);
        let told = lines[1].positive("lam_per_h").unwrap_err().to_string();
        assert_eq!(told, "mine.csv line 4: expected contacts an hour above 0 in column lam_per_h");
        assert!(parse("erlang", Path::new("x"), "a,b\n1\n").is_err());
    }

    #[test]
    fn the_tables_that_are_built_in_have_their_rows() {
        let lines = lines(None).unwrap();
        let of = |table| lines.iter().filter(|l| l.table == table).count();
        let tables = ["erlang", "skills", "agents", "delay", "overload", "surge", "surge_bars"];
        assert_eq!(tables.map(of), [10, 9, 4, 4, 4, 9, 3]);
    }
}
