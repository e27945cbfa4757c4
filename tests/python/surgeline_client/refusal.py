"""What can go wrong: refusals, and streams that are gone."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from surgeline.v1 import types_pb2

# Seconds that anything may take. Generous: it is met only when something is wrong.
PATIENCE = 20.0


class Refused(Exception):
    """The router said no, and nothing was changed."""

    def __init__(self, code: int, reason: str, field: str, message: str, retry_after_ms: int = 0,
                 next_window_unix_ms: int = 0):
        name = types_pb2.RefusalCode.Name(code).removeprefix("REFUSAL_CODE_")
        super().__init__(f"{name} {reason} {field!r}: {message}")
        self.code, self.code_name = code, name
        self.reason, self.field = reason, field
        self.message, self.retry_after_ms = message, retry_after_ms
        self.next_window_unix_ms = next_window_unix_ms


class StreamEnded(Exception):
    """The stream is gone: what was asked on it may or may not have been carried out."""

    def __init__(self, status: grpc.StatusCode, details: str):
        super().__init__(f"{status.name}: {details}")
        self.status, self.details = status, details


# What a status of a unary call means, as the refusals on a stream say it.
_CODES = {
    grpc.StatusCode.NOT_FOUND: types_pb2.REFUSAL_CODE_NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: types_pb2.REFUSAL_CODE_NOT_YOURS,
    grpc.StatusCode.FAILED_PRECONDITION: types_pb2.REFUSAL_CODE_WRONG_STATE,
    grpc.StatusCode.ALREADY_EXISTS: types_pb2.REFUSAL_CODE_CONFLICT,
    grpc.StatusCode.INVALID_ARGUMENT: types_pb2.REFUSAL_CODE_INVALID,
    grpc.StatusCode.RESOURCE_EXHAUSTED: types_pb2.REFUSAL_CODE_EXHAUSTED,
}


def refused(error: grpc.RpcError) -> Exception:
    """A unary call's status as a `Refused`, read from its details; or the error itself."""
    code = _CODES.get(error.code())
    packed = next((v for k, v in error.trailing_metadata() or () if k == "grpc-status-details-bin"), None)
    if code is None or packed is None:
        return error
    info, request, retry = (
        error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo(),
    )
    for detail in status_pb2.Status.FromString(packed).details:
        for known in (info, request, retry):
            detail.Unpack(known)
    fields = request.field_violations
    return Refused(code, info.reason, fields[0].field if fields else "", error.details(),
                   retry.retry_delay.ToMilliseconds(), int(info.metadata.get("next_window_unix_ms", 0)))


def patient(method):
    """A method that waits for the router to be there, as while it starts again."""
    return lambda request: method(request, wait_for_ready=True)


async def unary(call) -> Any:
    """Awaits a unary call; what it refuses is raised as `Refused`."""
    try:
        return await asyncio.wait_for(call, PATIENCE)
    except grpc.RpcError as error:
        raise refused(error) from error
