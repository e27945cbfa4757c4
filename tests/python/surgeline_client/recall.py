"""On-call staff: start a recall, steer it, end it, and see how it goes."""

from __future__ import annotations

from types import SimpleNamespace

import grpc
from surgeline.v1 import recall_pb2, recall_pb2_grpc

from .refusal import patient, unary
from .stream import new_request


def level(name: str) -> int:
    """`level("SURGE")`."""
    return recall_pb2.RecallLevel.Value(f"RECALL_LEVEL_{name}")


class OnCall:
    """Starts, steers and ends recalls."""

    def __init__(self, channel: grpc.aio.Channel, name: str = "nadia"):
        self.name = name
        stub = recall_pb2_grpc.RecallServiceStub(channel)
        self._stub = SimpleNamespace(**{name: patient(call) for name, call in vars(stub).items()})

    def _said(self, request_id: str, why: str) -> dict:
        return dict(request_id=request_id or new_request(), actor=self.name, why=why)

    async def start(self, playbook: str, to: str = "SURGE", *, why: str = "a test", request_id: str = "",
                    slots: dict[str, str] | None = None, **more):
        filled = [recall_pb2.Slot(name=name, text=text) for name, text in (slots or {}).items()]
        request = recall_pb2.StartRecallRequest(
            **self._said(request_id, why), playbook=playbook, level=level(to), slots=filled, **more)
        return await unary(self._stub.StartRecall(request))

    async def set_level(self, to: str, *, recall_id: int = 0, why: str = "a test", request_id: str = "",
                        dry_run: bool = False):
        request = recall_pb2.SetLevelRequest(
            **self._said(request_id, why), recall_id=recall_id, pinned=level(to), dry_run=dry_run)
        return await unary(self._stub.SetLevel(request))

    async def send_level(self, request: recall_pb2.SetLevelRequest):
        """A request as it is."""
        return await unary(self._stub.SetLevel(request))

    async def free(self, recall_id: int = 0, *, why: str = "a test"):
        """Asks for a level that moves by itself."""
        bounds = recall_pb2.LevelBounds(lowest=level("NORMAL"), highest=level("CRITICAL"))
        request = recall_pb2.SetLevelRequest(**self._said("", why), recall_id=recall_id, free=bounds)
        return await unary(self._stub.SetLevel(request))

    async def end(self, *, recall_id: int = 0, why: str = "a test", request_id: str = "",
                  dry_run: bool = False):
        request = recall_pb2.EndRecallRequest(
            **self._said(request_id, why), recall_id=recall_id, dry_run=dry_run)
        return await unary(self._stub.EndRecall(request))

    async def status(self, recall_id: int = 0) -> list:
        request = recall_pb2.GetRecallStatusRequest(recall_id=recall_id)
        return list((await unary(self._stub.GetRecallStatus(request))).recalls)
