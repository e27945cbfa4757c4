"""Supervisors: see queues, agents and contacts, and move work."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import grpc
from surgeline.v1 import contact_pb2, supervisor_pb2, supervisor_pb2_grpc
from surgeline.v1.types_pb2 import Availability

from .refusal import PATIENCE, patient, unary
from .stream import new_request


class Supervisor:
    """Sees queues, agents and contacts, and moves work."""

    def __init__(self, channel: grpc.aio.Channel, name: str = "sam"):
        self.name = name
        stub = supervisor_pb2_grpc.SupervisorServiceStub(channel)
        self._stub = SimpleNamespace(**{name: patient(call) for name, call in vars(stub).items()})

    async def contact(self, contact_id: int):
        """Everything about a contact."""
        return await unary(self._stub.GetContact(contact_pb2.GetContactRequest(contact_id=contact_id)))

    async def explain(self, contact_id: int):
        request = contact_pb2.ExplainContactRequest(contact_id=contact_id)
        return await unary(self._stub.ExplainContact(request))

    async def contacts(self, **which) -> list:
        """All open contacts, page by page."""
        request = supervisor_pb2.ListContactsRequest(**which)
        return await self._pages(self._stub.ListContacts, request, lambda page: page.contacts)

    async def agents(self, **which) -> dict:
        request = supervisor_pb2.ListAgentsRequest(**which)
        rows = await self._pages(self._stub.ListAgents, request, lambda page: page.agents)
        return {row.agent: row for row in rows}

    async def queues(self, *names: str) -> dict:
        request = supervisor_pb2.ListQueuesRequest(queues=names)
        rows = await self._pages(self._stub.ListQueues, request, lambda page: page.queues)
        return {row.queue: row for row in rows}

    @staticmethod
    async def _pages(call, request, rows) -> list:
        found = []
        while True:
            page = await unary(call(request))
            found += rows(page)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def watch_queues(self, *names: str, interval_ms: int = 250):
        return self._stub.WatchQueues(
            supervisor_pb2.WatchQueuesRequest(queues=names, interval_ms=interval_ms)
        )

    async def counts(self):
        """Contacts accepted and by state, as they are counted now."""
        watch = self.watch_queues()
        try:
            async with asyncio.timeout(PATIENCE):
                return (await watch.read()).contacts
        finally:
            watch.cancel()

    async def _order(self, call, request, request_id: str, why: str):
        request.request_id, request.actor, request.why = request_id or new_request(), self.name, why
        return await unary(call(request))

    async def move(self, contact_id: int, queue: str, why: str = "a test", request_id: str = ""):
        request = supervisor_pb2.MoveContactRequest(contact_id=contact_id, queue=queue)
        await self._order(self._stub.MoveContact, request, request_id, why)

    async def requeue(self, contact_id: int, why: str = "a test", request_id: str = ""):
        request = supervisor_pb2.RequeueContactRequest(contact_id=contact_id)
        await self._order(self._stub.RequeueContact, request, request_id, why)

    async def reprioritise(self, contact_id: int, head_start_ms: int, why: str = "a test",
                           request_id: str = ""):
        request = supervisor_pb2.ReprioritiseContactRequest(
            contact_id=contact_id, head_start_ms=head_start_ms)
        await self._order(self._stub.ReprioritiseContact, request, request_id, why)

    async def close(self, contact_id: int, why: str = "a test", request_id: str = ""):
        request = supervisor_pb2.CloseContactRequest(contact_id=contact_id)
        await self._order(self._stub.CloseContact, request, request_id, why)

    async def set_agent(self, agent: str, to: Availability, why: str = "a test", request_id: str = ""):
        request = supervisor_pb2.SetAgentRequest(agent=agent, availability=to)
        await self._order(self._stub.SetAgent, request, request_id, why)

    async def do(self, rpc: str, why: str = "a test", request_id: str = "", **fields):
        """Any order: `do("PullContact", contact_id=7, agent="anne")`."""
        request = getattr(supervisor_pb2, f"{rpc}Request")(**fields)
        return await self._order(getattr(self._stub, rpc), request, request_id, why)

    async def preview(self, **which):
        """What an order about many contacts would be about."""
        which = supervisor_pb2.ContactFilter(**which)
        return await unary(self._stub.PreviewOrder(supervisor_pb2.PreviewOrderRequest(filter=which)))

    async def apply(self, token: str, why: str = "a test", request_id: str = "", **action) -> int:
        """Orders what was shown; answers the order."""
        request = supervisor_pb2.ApplyOrderRequest(
            token=token, action=supervisor_pb2.BulkAction(**action))
        return (await self._order(self._stub.ApplyOrder, request, request_id, why)).order_id

    async def orders(self) -> list:
        """Orders about many contacts."""
        answer = await unary(self._stub.ListOrders(supervisor_pb2.ListOrdersRequest()))
        return list(answer.orders)

    def watch_agent_states(self, **which):
        return self._stub.WatchAgentStates(supervisor_pb2.WatchAgentStatesRequest(**which))
