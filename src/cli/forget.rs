//! `surgeline forget`: asks the router, which holds the keys, to forget a customer.

use std::process::ExitCode;

use serde_json::json;

use super::NOT_FOUND;
use super::args::Forget;
use super::client::{self, ClientError};
use super::out::{Text, put};
use crate::pb::v1::{Customer, ForgetCustomerRequest, ForgetCustomerResponse};

pub(super) async fn run(forget: &Forget) -> anyhow::Result<ExitCode> {
    let mut admin = client::admin(&forget.router).await?;
    let asked = ForgetCustomerRequest {
        actor: forget.actor.clone(),
        why: forget.why.clone(),
        customer: Some(Customer { identity: forget.customer.clone() }),
        dry_run: forget.dry_run,
    };
    let told = admin.forget_customer(asked).await.map_err(ClientError::from)?.into_inner();
    put(&if forget.json { as_value(&told) } else { as_text(&told, forget.dry_run) })?;
    let known = told.had_keys || told.contacts > 0 || told.open_contacts > 0;
    Ok(if known { ExitCode::SUCCESS } else { ExitCode::from(NOT_FOUND) })
}

fn as_value(told: &ForgetCustomerResponse) -> Text {
    Text::json(&json!({
        "forgotten": told.forgotten,
        "had_keys": told.had_keys,
        "contacts": told.contacts,
        "sealed": told.sealed,
        "open_contacts": told.open_contacts,
        "holds": told.holds,
    }))
}

fn as_text(told: &ForgetCustomerResponse, dry_run: bool) -> Text {
    let mut text = Text::default();
    let ForgetCustomerResponse { contacts, sealed, open_contacts, holds, .. } = told;
    if !told.had_keys && *contacts == 0 && *open_contacts == 0 {
        text.line("", "nothing is known of this customer: check the identity, as gateways give it");
        return text;
    }
    text.line(
        "",
        &format!("{contacts} contacts and {sealed} pieces of sealed personal data in the archive"),
    );
    if told.forgotten {
        text.line(
            "",
            "forgotten: the keys are deleted, nothing personal of theirs can be read any more",
        );
    }
    if dry_run && *open_contacts > 0 {
        text.line(
            "",
            &format!(
                "{open_contacts} contacts are open: they cannot be forgotten before these are over"
            ),
        );
    }
    if dry_run && !holds.is_empty() {
        let numbers: Vec<String> = holds.iter().map(ToString::to_string).collect();
        text.line(
            "",
            &format!(
                "held by {}: they cannot be forgotten before these are released",
                numbers.join(", ")
            ),
        );
    }
    if dry_run && *open_contacts == 0 && holds.is_empty() {
        text.line("", "nothing was changed; without --dry-run they are forgotten");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_customer_is_told_before_it_is_tried() {
        let told = |told: ForgetCustomerResponse| as_text(&told, true).as_str().to_owned();
        let nobody = told(ForgetCustomerResponse::default());
        assert!(nobody.contains("nothing is known"), "{nobody}");
        let known = ForgetCustomerResponse { had_keys: true, contacts: 2, ..Default::default() };
        assert!(told(known.clone()).contains("without --dry-run"));
        let held = ForgetCustomerResponse { holds: vec![3, 4], ..known.clone() };
        assert!(told(held).contains("held by 3, 4"));
        let open = ForgetCustomerResponse { open_contacts: 1, ..known };
        assert!(told(open).contains("1 contacts are open"));
    }
}
