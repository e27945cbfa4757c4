"""Agents at their desktops: one stream for any number of them."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from surgeline.v1 import agent_pb2, agent_pb2_grpc, types_pb2
from surgeline.v1.types_pb2 import Availability, Target

from .mailbox import Mailbox, Told
from .refusal import PATIENCE, patient
from .stream import Stream, member, new_request, result


def availability(kind: str, reason: str = "") -> Availability:
    """`availability("READY")`, `availability("NOT_READY", "lunch")`."""
    return Availability(kind=f"AVAILABILITY_KIND_{kind}", reason=reason)


class Desktop:
    """A desktop server: one stream for any number of agents."""

    def __init__(self, channel: grpc.aio.Channel):
        self._stub = agent_pb2_grpc.AgentServiceStub(channel)
        self.agents: dict[str, Agent] = {}
        self.stream: Stream | None = None

    async def connect(self) -> "Desktop":
        """Opens the stream; agents of an earlier one sign in again."""
        self.stream = Stream(patient(self._stub.Connect), self._told, self._answer)
        for agent in self.agents.values():
            await agent.sign_in()
        return self

    async def sign_in(self, name: str) -> "Agent":
        if self.stream is None:
            await self.connect()
        agent = self.agents.setdefault(name, Agent(self, name))
        await agent.sign_in()
        return agent

    def send(self, agent: str, request_id: str = "", **command) -> asyncio.Future:
        """Sends a command: `send("anne", act=AgentAct(...))`."""
        request_id = request_id or new_request()
        request = agent_pb2.AgentServiceConnectRequest(request_id=request_id, agent=agent, **command)
        return self.stream.send((agent, request_id), request)

    @staticmethod
    def _answer(message):
        kind, body = member(message)
        if kind in ("answer", "refused"):
            return (message.agent, body.request_id), result(kind, body)
        return None, None

    def _told(self, message) -> None:
        kind, body = member(message)
        agent = self.agents.get(message.agent)
        if agent is None:
            return
        if kind == "session_over":
            agent.mailbox.put(Told(kind, body, 0))
        elif kind == "directive":
            what, body = member(body)
            agent.mailbox.put(Told(what, body, getattr(body, "contact_id", 0)))

    async def drop(self) -> None:
        """The line to the router breaks, for everyone on it."""
        if self.stream is not None:
            await self.stream.drop()
        for agent in self.agents.values():
            agent.mailbox.unread.clear()

    async def close(self) -> None:
        if self.stream is not None:
            await self.stream.close()


class Agent:
    """An agent at a desktop."""

    def __init__(self, desktop: Desktop, name: str):
        self.desktop, self.name = desktop, name
        self.mailbox = Mailbox(f"agent {name}")
        self.session_id = 0

    async def sign_in(self) -> "Agent":
        sign_in = self.desktop.send(self.name, sign_in=agent_pb2.SignIn())
        self.session_id = (await asyncio.wait_for(sign_in, PATIENCE)).session_id
        return self

    async def leave(self):
        leave = self.desktop.send(self.name, leave=agent_pb2.Leave())
        await asyncio.wait_for(leave, PATIENCE)

    def send(self, request_id: str = "", **act) -> asyncio.Future:
        return self.desktop.send(self.name, request_id, act=agent_pb2.AgentAct(**act))

    async def act(self, request_id: str = "", **act) -> Any:
        """Does something, and waits until it is on disk: `act(requeue=dict(contact_id=7))`."""
        return await asyncio.wait_for(self.send(request_id, **act), PATIENCE)

    # -- what they do most

    async def become(self, kind: str, reason: str = ""):
        await self.act(become=dict(availability=availability(kind, reason)))

    async def ready(self):
        await self.become("READY")

    async def not_ready(self, reason: str = "break"):
        await self.become("NOT_READY", reason)

    async def accept(self, offer):
        await self.act(accept=dict(reservation_id=offer.reservation_id))

    async def decline(self, offer):
        await self.act(decline=dict(reservation_id=offer.reservation_id))

    async def complete(self, contact_id: int, disposition: str = ""):
        await self.act(complete=dict(contact_id=contact_id, disposition=disposition))

    async def end_wrap_up(self, contact_id: int):
        await self.act(end_wrap_up=dict(contact_id=contact_id))

    async def requeue(self, contact_id: int):
        await self.act(requeue=dict(contact_id=contact_id))

    async def transfer(self, contact_id: int, **to):
        """`transfer(7, queue="refunds")` or `transfer(7, agent="bruno")`."""
        await self.act(transfer=dict(contact_id=contact_id, to=Target(**to)))

    async def consult(self, contact_id: int, **to) -> int:
        """Answers the contact of the consult."""
        return await self.act(consult=dict(contact_id=contact_id, to=Target(**to)))

    async def pend(self, contact_id: int, waits_for: int = types_pb2.WAITS_FOR_CUSTOMER,
                   lasting_ms: int = 3_600_000):
        await self.act(pend=dict(contact_id=contact_id, waits_for=waits_for, lasting_ms=lasting_ms))

    # -- what they hear

    async def expect(self, kind: str, contact_id: int = 0, **more) -> Told:
        return await self.mailbox.expect(kind, contact_id, **more)

    async def expect_offer(self, contact_id: int = 0, **more):
        return (await self.expect("offer", contact_id, **more)).body

    async def take(self, contact_id: int = 0):
        """Waits for an offer, accepts it, and waits until the contact is theirs."""
        offer = await self.expect_offer(contact_id)
        await self.accept(offer)
        return (await self.expect("assigned", offer.contact_id)).body

    def has_offer(self) -> bool:
        return any(told.kind == "offer" for told in self.mailbox.unread)
