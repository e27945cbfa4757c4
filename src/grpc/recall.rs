//! The service for on-call staff. The contract stands; the recall itself is not built yet,
//! and every call says so instead of pretending.

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::pb::v1;
use crate::pb::v1::recall_service_server::RecallService;

/// The service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalls;

fn not_yet() -> Status {
    let details = ErrorDetails::with_error_info(
        "RECALL_NOT_BUILT",
        "surgeline",
        std::collections::HashMap::new(),
    );
    Status::with_error_details(
        Code::Unimplemented,
        "this version of the router has no recall mode yet: nothing was changed",
        details,
    )
}

#[tonic::async_trait]
impl RecallService for Recalls {
    async fn start_recall(
        &self,
        _: Request<v1::StartRecallRequest>,
    ) -> Result<Response<v1::StartRecallResponse>, Status> {
        Err(not_yet())
    }

    async fn set_level(
        &self,
        _: Request<v1::SetLevelRequest>,
    ) -> Result<Response<v1::SetLevelResponse>, Status> {
        Err(not_yet())
    }

    async fn amend_recall(
        &self,
        _: Request<v1::AmendRecallRequest>,
    ) -> Result<Response<v1::AmendRecallResponse>, Status> {
        Err(not_yet())
    }

    async fn end_recall(
        &self,
        _: Request<v1::EndRecallRequest>,
    ) -> Result<Response<v1::EndRecallResponse>, Status> {
        Err(not_yet())
    }

    async fn get_recall_status(
        &self,
        _: Request<v1::GetRecallStatusRequest>,
    ) -> Result<Response<v1::GetRecallStatusResponse>, Status> {
        Err(not_yet())
    }
}
