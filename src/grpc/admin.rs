//! The service for administrators: forgetting a customer, and another configuration.
//!
//! Only the running router can forget: it holds the key store. What it deletes is a key; what
//! that had sealed stays wherever it is, unreadable. Configurations are `configs`' business.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use super::convert::check;
use super::past::unavailable;
use super::status::Fault;
use super::{Edge, configs, unix_ms};
use crate::archive::hold::{Holds, Order};
use crate::archive::{ArchiveError, Known};
use crate::ids::CustomerId;
use crate::journal::keys::KeyError;
use crate::pb::v1;
use crate::pb::v1::admin_service_server::AdminService;
use crate::time::WallTime;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Admins(pub(super) Edge);

/// Why a customer was not forgotten.
#[derive(Debug, thiserror::Error)]
enum NotForgotten {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Admins {
    async fn open_contacts(&self, customer: CustomerId) -> Result<u64, Fault> {
        let count = self.0.handle.read(move |view| {
            view.engine.contacts().filter(|contact| contact.customer == Some(customer)).count()
        });
        Ok(count.await? as u64)
    }

    async fn forget(
        &self,
        customer: CustomerId,
        known: &Known,
        asked: v1::ForgetCustomerRequest,
    ) -> Result<(), Status> {
        let (edge, detail) = (self.0.clone(), detail(known));
        let forget = spawn_blocking(move || forget(&edge, customer, &detail, &asked));
        match forget.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(NotForgotten::Archive(error))) => Err(unavailable(error)),
            Ok(Err(NotForgotten::Keys(error))) => {
                tracing::error!(%error, "a customer's keys could not be deleted");
                Err(Status::unavailable(
                    "the keys could not be deleted: the router's log says why; try again",
                ))
            }
            Err(_) => Err(Status::internal("it panicked: the router's log says where")),
        }
    }
}

/// What the audit keeps of it: a number, not a name.
fn detail(known: &Known) -> Arc<str> {
    let number = known.number.map_or_else(|| "null".to_owned(), |number| number.to_string());
    format!("{{\"customer\":{number},\"contacts\":{}}}", known.contacts).into()
}

fn forget(
    edge: &Edge,
    customer: CustomerId,
    detail: &str,
    asked: &v1::ForgetCustomerRequest,
) -> Result<(), NotForgotten> {
    let order = Order { actor: &asked.actor, why: &asked.why, wall: WallTime(unix_ms()) };
    let mut holds = Holds::open(&edge.past.data)?;
    // Before and after: whatever happens between, the audit knows that it was asked for.
    holds.note("customer_to_be_forgotten", detail, order)?;
    edge.handle.keys().forget(customer)?;
    edge.past.forget(customer)?;
    holds.note("customer_forgotten", detail, order)?;
    Ok(())
}

#[tonic::async_trait]
impl AdminService for Admins {
    async fn preview_config(
        &self,
        request: Request<v1::PreviewConfigRequest>,
    ) -> Result<Response<v1::PreviewConfigResponse>, Status> {
        let preview = configs::preview(&self.0, request.into_inner()).await?;
        Ok(Response::new(v1::PreviewConfigResponse { preview: Some(preview) }))
    }

    async fn apply_config(
        &self,
        request: Request<v1::ApplyConfigRequest>,
    ) -> Result<Response<v1::ApplyConfigResponse>, Status> {
        self.0.shown(&request).await?;
        let preview = configs::apply(&self.0, request.into_inner()).await?;
        Ok(self.0.proven(v1::ApplyConfigResponse { preview: Some(preview) }))
    }

    async fn forget_customer(
        &self,
        request: Request<v1::ForgetCustomerRequest>,
    ) -> Result<Response<v1::ForgetCustomerResponse>, Status> {
        let asked = request.into_inner();
        check::bytes("actor", &asked.actor, 1, 64, "1 to 64 bytes")?;
        check::bytes("why", &asked.why, 1, 512, "1 to 512 bytes")?;
        let identity = asked.customer.as_ref().map_or("", |customer| &customer.identity);
        check::bytes("customer.identity", identity, 1, 256, "1 to 256 bytes")?;
        let keys = self.0.handle.keys();
        let customer = keys.customer(identity);
        let open_contacts = self.open_contacts(customer).await?;
        let known = self.0.past.customer(customer).await?;
        let mut told = v1::ForgetCustomerResponse {
            forgotten: false,
            had_keys: keys.has_key(customer),
            contacts: known.contacts,
            sealed: known.sealed,
            open_contacts,
            holds: known.holds.clone(),
        };
        if asked.dry_run {
            return Ok(Response::new(told));
        }
        if let Some(hold) = known.holds.first() {
            let why = format!(
                "hold {hold} keeps this customer: `surgeline archive hold list` says why it was placed"
            );
            return Err(Status::failed_precondition(why));
        }
        if open_contacts > 0 {
            let why = format!(
                "{open_contacts} contacts of this customer are open: forget them when these are over"
            );
            return Err(Status::failed_precondition(why));
        }
        if told.had_keys || known.contacts > 0 {
            self.forget(customer, &known, asked).await?;
            told.forgotten = true;
        }
        Ok(Response::new(told))
    }
}
