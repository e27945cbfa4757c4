//! Receipts of calls that have no stream: in their metadata, shown with the request and given
//! with the answer.
//!
//! What one proves and what follows from it is the shard's to say. A refusal carries none:
//! nothing came of it that could be missing later.

use tonic::metadata::{BinaryMetadataKey, MetadataValue};
use tonic::{Request, Response};

use super::Edge;
use super::status::Fault;
use crate::shard::ask::Rejection;

/// The metadata's name. Binary by its end: clients give and get bytes.
pub(super) const RECEIPT: &str = "surgeline-receipt-bin";

impl Edge {
    /// Looks at the newest receipt that a caller has, if one is shown, before anything is
    /// decided. What is no receipt counts as a forged one.
    ///
    /// # Errors
    /// It is from beyond the journal's end: this router goes on from an older copy, and stops.
    pub(super) fn shown<'a, T>(
        &'a self,
        request: &Request<T>,
    ) -> impl Future<Output = Result<(), Fault>> + Send + use<'a, T> {
        let value = request.metadata().get_bin(RECEIPT);
        let shown = value.map(|v| match v.to_bytes() {
            Ok(bytes) => bytes.to_vec(),
            Err(_) => v.as_encoded_bytes().to_vec(),
        });
        async move {
            let Some(shown) = shown else { return Ok(()) };
            let proved = self.handle.shown(&shown).await;
            proved.map_err(|_| Fault::Rejected(Rejection::Stopping))
        }
    }

    /// The answer to a command that was carried out, with proof that it is on disk.
    pub(super) fn proven<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        let receipt = MetadataValue::from_bytes(&self.handle.receipt());
        response.metadata_mut().insert_bin(BinaryMetadataKey::from_static(RECEIPT), receipt);
        response
    }
}
