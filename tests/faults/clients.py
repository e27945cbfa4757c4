"""Clients that keep a ledger: a gateway and a desktop that say everything until it is
answered, over as many routers' lives as it takes.

What was sent and not answered stays in doubt, and is repeated under the same request id on
the next stream. They check nothing themselves; what they hear goes into the ledger.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Callable

import grpc
from surgeline.v1 import agent_pb2, agent_pb2_grpc, gateway_pb2, gateway_pb2_grpc, types_pb2

from ledger import Ledger
from surgeline_client import CHAT, VOICE, Refused, StreamEnded, availability
from surgeline_client.refusal import PATIENCE, patient
from surgeline_client.stream import Stream, member, new_request, result

EXHAUSTED, STOPPING = types_pb2.REFUSAL_CODE_EXHAUSTED, types_pb2.REFUSAL_CODE_STOPPING
# What a gateway lets wait for answers at once, repeats included: below the 1,024 at which a
# router reads no more.
UNANSWERED = 900


class Line:
    """A stream with what is in doubt on it."""

    def __init__(self, name: str, ledger: Ledger, connect):
        self.name, self.ledger = name, ledger
        self.stream: Stream | None = None
        self._connect = connect
        # By request id: how it is sent, what its answer means, what it is.
        self.doubt: dict[str, tuple[Callable, Callable, str]] = {}
        self._tasks: set[asyncio.Task] = set()
        # Closed while nothing new may be begun.
        self.open = asyncio.Event()
        self.open.set()
        # Seconds that each answer took, and the delays that refusals asked for.
        self.took: list[float] = []
        self.delays: list[int] = []
        # Whether what is refused for want of room is asked again.
        self.persists = True

    def begin(self, doing) -> asyncio.Task:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ledger.heard.other.append(f"{self.name}: {error!r}")

    async def ask(self, request_id: str, what: str, send, answered) -> bool:
        """Asks, and goes on asking while there is no room; whether it was carried out. It
        stays in doubt when the stream ends under it."""
        self.doubt[request_id] = (send, answered, what)
        return await self._settle(request_id)

    async def _settle(self, request_id: str) -> bool:
        if request_id not in self.doubt:
            # Asked again by what we were told, and answered, before its turn here came.
            return True
        send, answered, what = self.doubt[request_id]
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                answer = await send(request_id)
            except (StreamEnded, asyncio.CancelledError):
                return False
            except Refused as no:
                self.took.append(loop.time() - began)
                if no.code == STOPPING:
                    return False
                self.ledger.was_refused(what, no.reason)
                if no.code != EXHAUSTED or not self.persists:
                    if no.code == EXHAUSTED:
                        self.delays.append(no.retry_after_ms)
                    self.doubt.pop(request_id, None)
                    return False
                self.delays.append(no.retry_after_ms)
                # The router says how long; spread, as a client should.
                await asyncio.sleep(no.retry_after_ms / 1_000 * random.uniform(1, 1.5))
                continue
            self.took.append(loop.time() - began)
            if self.doubt.pop(request_id, None) is not None:
                answered(answer)
            return True

    async def repeat(self) -> None:
        """Says again all that is in doubt."""
        await asyncio.gather(*(self._settle(r) for r in list(self.doubt)))

    async def gone(self) -> None:
        """The stream is over, however; what was being done on it is dropped."""
        if self.stream is not None:
            try:
                await self.stream.wait_ended(1)
            except TimeoutError:
                # Opened when nobody listened any more, and waiting for the next router.
                await self.stream.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.ledger.stream_ended(self.name)

    async def drop(self) -> None:
        await self.stream.drop()
        await self.gone()

    async def quiet(self) -> None:
        """Until everything that was asked is answered."""
        async with asyncio.timeout(PATIENCE * 3):
            while self.doubt and not self.stream.ended.done():
                await asyncio.sleep(0.002)


class LoadGateway(Line):
    """A gateway that reports arrivals, joins legs, and now and then a hang-up."""

    def __init__(self, channel: grpc.aio.Channel, name: str, ledger: Ledger, queue: str,
                 channel_kind: int = CHAT, hang_up: float = 0.05):
        super().__init__(name, ledger, gateway_pb2_grpc.GatewayServiceStub(channel).Connect)
        self.queue, self.kind, self.hang_up = queue, channel_kind, hang_up
        # What is added to what customers say, to make a journal grow.
        self.padding = ""
        self.held: dict[str, int] = {}
        self._keys: dict[int, str] = {}
        # Ends that were told before the answer to the arrival was read.
        self._over: set[int] = set()
        # Keys in doubt that the router did not hold when we came back.
        self._unknown: set[str] = set()
        self._count = 0

    async def connect(self) -> "LoadGateway":
        """Says hello and names what is held, and repeats what was not answered."""
        self.stream = Stream(patient(self._connect), self._told, self._answer)
        await asyncio.wait_for(self._send(new_request(), hello=dict(gateway=self.name)), PATIENCE)
        in_doubt = [r.removeprefix("arrives-") for r in self.doubt if r.startswith("arrives-")]
        keys = [*self.held, *in_doubt]
        for i in range(0, max(len(keys), 1), 1_000):
            holding = dict(keys=keys[i:i + 1_000], last=i + 1_000 >= len(keys))
            answer = await asyncio.wait_for(
                self._send(new_request(), report=dict(holding=holding)), PATIENCE)
            for key in answer.keys:
                self._unknown.add(key)
                # Closed while we were away, which somebody must have asked for.
                if (contact_id := self.held.pop(key, None)) is not None:
                    self.ledger.ended(contact_id, told=True)
        await self.repeat()
        return self

    def _send(self, request_id: str, **message) -> asyncio.Future:
        request = gateway_pb2.GatewayServiceConnectRequest(request_id=request_id, **message)
        return self.stream.send(request_id, request)

    @staticmethod
    def _answer(message):
        kind, body = member(message)
        if kind in ("answer", "refused"):
            return body.request_id, result(kind, body)
        return None, None

    async def arrive(self) -> bool:
        """One more comes in."""
        self._count += 1
        key = f"{self.name}-{self._count}"
        return await self.arrive_as(key)

    async def arrive_as(self, key: str) -> bool:
        arrival = gateway_pb2.Arrival(
            key=key, channel=self.kind, queue=self.queue,
            person=types_pb2.Person(name="Ada", words=f"words of {key}{self.padding}"))

        def accepted(contact_id: int) -> None:
            self.ledger.accepted(key, contact_id)
            # The agent's end of it may have been quicker than the answer to us.
            over = key in self._unknown and contact_id in self.ledger.end_asked
            if over or contact_id in self._over:
                self.ledger.ended(contact_id, told=True)
            if self.ledger.contacts[contact_id].ended_at is None:
                self.held[key], self._keys[contact_id] = contact_id, key

        done = await self.ask(f"arrives-{key}", "arrival",
                              lambda r: self._send(r, report=dict(arrived=arrival)), accepted)
        if done and random.random() < self.hang_up:
            self.begin(self.leave(key))
        return done

    async def leave(self, key: str) -> bool:
        """The customer hangs up."""
        contact_id = self.held.get(key)
        if contact_id is None:
            return False
        await self.open.wait()
        self.ledger.end_asked.add(contact_id)
        return await self.ask(
            f"leaves-{key}", "hang-up",
            lambda r: self._send(r, report=dict(customer_left=dict(contact_id=contact_id))),
            lambda _: self._end(contact_id, told=False))

    def _end(self, contact_id: int, *, told: bool) -> None:
        self.ledger.ended(contact_id, told=told)
        if (key := self._keys.pop(contact_id, None)) is not None:
            self.held.pop(key, None)
        else:
            self._over.add(contact_id)

    def _told(self, message) -> None:
        kind, directive = member(message)
        if kind != "directive":
            return
        what, body = member(directive)
        if what == "ended":
            self._end(directive.contact_id, told=True)
        elif what == "connect_legs":
            self.begin(self._join(body.effect_id, body.reservation_id))

    async def _join(self, effect_id: int, reservation_id: int) -> None:
        if f"joins-{effect_id}" not in self.doubt:
            bridged = dict(bridged=dict(reservation_id=reservation_id))
            await self.ask(f"joins-{effect_id}", "legs", lambda r: self._send(r, report=bridged),
                           lambda _: self.ledger.acted())


class LoadDesktop(Line):
    """A desktop server whose agents take what they are offered and complete it."""

    def __init__(self, channel: grpc.aio.Channel, name: str, ledger: Ledger, agents: list[str],
                 pause: float = 0.03, decline: float = 0.05):
        super().__init__(name, ledger, agent_pb2_grpc.AgentServiceStub(channel).Connect)
        self.agents, self.pause, self.decline = agents, pause, decline
        self._changes = 0

    async def connect(self) -> "LoadDesktop":
        """Signs everybody in, and repeats what was not answered."""
        self.stream = Stream(patient(self._connect), self._told, self._answer)
        sign_ins = (self._send(new_request(), a, sign_in=dict()) for a in self.agents)
        await asyncio.wait_for(asyncio.gather(*sign_ins), PATIENCE)
        await self.repeat()
        return self

    async def all_ready(self) -> None:
        await asyncio.gather(*(self.become(a, "READY") for a in self.agents))

    def _send(self, request_id: str, agent: str, **command) -> asyncio.Future:
        request = agent_pb2.AgentServiceConnectRequest(request_id=request_id, agent=agent, **command)
        return self.stream.send((agent, request_id), request)

    @staticmethod
    def _answer(message):
        kind, body = member(message)
        if kind in ("answer", "refused"):
            return (message.agent, body.request_id), result(kind, body)
        return None, None

    async def act(self, request_id: str, what: str, agent: str,
                  answered: Callable[[Any], None], **act) -> bool:
        if request_id in self.doubt:
            return False
        return await self.ask(request_id, what, lambda r: self._send(r, agent, act=act), answered)

    async def become(self, agent: str, kind: str) -> bool:
        self._changes += 1
        wanted = availability(kind, "break" if kind == "NOT_READY" else "")
        request_id = f"becomes-{self.name}-{self._changes}"
        self.ledger.changing[agent] += 1
        done = await self.act(request_id, "availability", agent,
                              lambda _: self.ledger.became(agent, wanted.kind),
                              become=dict(availability=wanted))
        if not done and request_id not in self.doubt:
            # Refused: nothing is on its way any more.
            self.ledger.changing[agent] -= 1
        return done

    async def take_a_break(self, agent: str) -> None:
        """Not ready, and ready again."""
        if await self.become(agent, "NOT_READY"):
            await self.open.wait()
            await self.become(agent, "READY")

    def _told(self, message) -> None:
        kind, directive = member(message)
        if kind != "directive":
            return
        what, body = member(directive)
        agent, contact_id = message.agent, getattr(body, "contact_id", 0)
        if what in ("offer", "connecting", "assigned"):
            self.ledger.holds(self.name, contact_id, agent)
            if what == "offer":
                self.begin(self._answer_offer(agent, body.reservation_id))
            elif what == "assigned":
                self.begin(self._serve(agent, contact_id))
        elif what in ("offer_over", "connect_failed", "released", "ended"):
            self.ledger.lets_go(self.name, contact_id, agent)

    async def _answer_offer(self, agent: str, reservation_id: int) -> None:
        await self.open.wait()
        verb = "decline" if random.random() < self.decline else "accept"
        if f"declines-{reservation_id}" in self.doubt:
            return
        await self.act(f"{verb}s-{reservation_id}", verb, agent, lambda _: self.ledger.acted(),
                       **{verb: dict(reservation_id=reservation_id)})

    async def _serve(self, agent: str, contact_id: int) -> None:
        await asyncio.sleep(self.pause)
        await self.open.wait()
        self.ledger.end_asked.add(contact_id)
        await self.act(f"completes-{agent}-{contact_id}", "completion", agent,
                       lambda _: self.ledger.ended(contact_id, told=False),
                       complete=dict(contact_id=contact_id))


def voice(name: str) -> int:
    """The channel of a gateway, by its name: telephones are called pbx."""
    return VOICE if name.startswith("pbx") else CHAT
