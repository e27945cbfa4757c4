//! `[scope]`: entry points, products and affected lots.
//!
//! Owned by one reading.

use super::LONGEST_TITLE;
use super::texts::{NOTHING, Speech};
use crate::config::names::Names;
use crate::config::problem::{Expected, Fault, Kind as Named};
use crate::config::reader::{Table, Value};
use crate::recall::lots::{Lot, LotRule, normal};
use crate::recall::playbook::{Kind, Product, Scope};

const MOST_ENTRY_POINTS: usize = 256;
const MOST_PRODUCTS: usize = 1_024;
/// Longest end of a lot, in characters.
const LONGEST_END: usize = 32;

/// Reads the section. A specific playbook has at least one product.
pub(super) fn read(file: &Table<'_>, speech: &Speech<'_>, kind: Kind) -> Scope {
    let mut scope = Scope { entry_points: Vec::new(), products: Vec::new(), lots: Vec::new() };
    let Some(at) = file.required("scope", Expected::Table("a scope's fields")) else {
        return scope;
    };
    at.table("scope", "a scope's fields", |table| {
        let mut names = Names::new(Named::EntryPoint, MOST_ENTRY_POINTS);
        for value in table.list("entry_points", "names of entry points") {
            if let Some(name) = value.name().filter(|name| names.add(&value, name)) {
                scope.entry_points.push((&*name).into());
            }
        }
        let mut names = Names::new(Named::Product, MOST_PRODUCTS);
        let products = match kind {
            Kind::Generic => table.field("products"),
            Kind::Specific => table.required("products", Expected::List("products")),
        };
        for value in products.map(|v| v.list("products")).unwrap_or_default() {
            let product = value
                .table("products", "a product's fields", |t| read_product(t, speech, &mut names));
            scope.products.extend(product.flatten());
        }
        let lots = table.list("lots", "lots, as [[scope.lots]]");
        if lots.is_empty() && kind == Kind::Specific {
            at.fault(Fault::WithoutLots);
        }
        for value in lots {
            value.table("lots", "a rule's fields", |t| {
                read_lots(t, &value, &names, &mut scope.lots)
            });
        }
    });
    scope
}

fn read_product(table: &Table<'_>, speech: &Speech<'_>, names: &mut Names) -> Option<Product> {
    let at = table.required("name", Expected::Name);
    let says = speech.required(table, "says", LONGEST_TITLE, NOTHING);
    let at = at?;
    let name = at.name()?;
    names.add(&at, &name).then(|| Product { name: (&*name).into(), says })
}

fn read_lots(table: &Table<'_>, at: &Value<'_>, products: &Names, rules: &mut Vec<LotRule>) {
    let product = table
        .required("product", Expected::Name)
        .and_then(|v| v.name().filter(|_| products.find_value::<usize>(&v).is_some()));
    let listed = table.field("listed");
    let first = table.field("first");
    let last = table.field("last");
    let ends = table.field("ends").and_then(|v| read_end(&v));
    let longer = table.field("longer").and_then(|v| v.boolean()).unwrap_or(false);
    let rule = |first: Lot, last: Lot| {
        let product = (&**product.as_ref()?).into();
        Some(LotRule { product, first, last, ends: ends.clone(), longer })
    };
    match (listed, first, last) {
        (Some(listed), None, None) => {
            for value in listed.list("lots") {
                rules.extend(read_lot(&value).and_then(|lot| rule(lot.clone(), lot)));
            }
        }
        (None, Some(first), Some(last)) => {
            let Some((from, to)) = read_lot(&first).zip(read_lot(&last)) else { return };
            let Some(range) = rule(from.clone(), to.clone()) else { return };
            if range.is_ordered() {
                rules.push(range);
            } else {
                let (first, last) = (from.as_str().into(), to.as_str().into());
                at.fault(Fault::Range { first, last });
            }
        }
        (listed, first, last) => {
            let found = match (listed.is_some(), first.is_some() || last.is_some()) {
                (true, _) => "both",
                (false, true) => "a range with one end",
                (false, false) => "neither",
            };
            at.fault(Fault::Either { found, one: "listed", other: "first with last" });
        }
    }
}

fn read_lot(at: &Value<'_>) -> Option<Lot> {
    Lot::new(at.text(Expected::Lot)?).or_else(|| at.mismatch(Expected::Lot))
}

fn read_end(at: &Value<'_>) -> Option<Box<str>> {
    let end = normal(at.text(Expected::Lot)?).filter(|e| (1..=LONGEST_END).contains(&e.len()));
    end.map(Into::into).or_else(|| at.mismatch(Expected::Text(LONGEST_END)))
}
