"""A client of Surgeline in Python: a gateway, agents' desktops, and a supervisor.

The contract is `proto/surgeline/v1`. Stubs are made from it by grpcio-tools and imported as
`surgeline.v1`. Everything is asyncio; one event loop, no threads.

    channel = grpc.aio.insecure_channel("127.0.0.1:50051")

    gateway = Gateway(channel, "pbx-1")
    await gateway.connect()
    call = await gateway.arrive("call-1", VOICE, queue="support", person=Person(name="Ada"))

    desktop = Desktop(channel)
    anne = await desktop.sign_in("anne")
    await anne.ready()
    offer = await anne.expect_offer(call.id)
    await anne.accept(offer)            # the gateway is told to join the legs, and obeys
    await anne.expect("assigned", call.id)
    await anne.complete(call.id, "question-answered")
    await call.expect("ended")

What is refused raises `Refused`, from a stream as from a unary call; a stream that is gone
raises `StreamEnded` in everybody who waits for it.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Callable

import grpc
from google.rpc import error_details_pb2, status_pb2
from surgeline.v1 import agent_pb2, agent_pb2_grpc, gateway_pb2, gateway_pb2_grpc
from surgeline.v1 import supervisor_pb2, supervisor_pb2_grpc, types_pb2
from surgeline.v1.types_pb2 import (
    CHANNEL_CHAT as CHAT,
    CHANNEL_EMAIL as EMAIL,
    CHANNEL_MESSAGE as MESSAGE,
    CHANNEL_VOICE as VOICE,
    Attribute,
    Availability,
    Customer,
    Need,
    Person,
    Target,
)

__all__ = [
    "CHAT", "EMAIL", "MESSAGE", "VOICE", "Agent", "Attribute", "Availability", "Conversation",
    "Customer", "Desktop", "Gateway", "Mailbox", "Need", "Person", "Refused", "StreamEnded",
    "Supervisor", "Target", "Told", "availability", "joins", "leg_fails", "effect_fails",
    "says_nothing", "refused", "unary",
]

# Seconds that anything may take. Generous: it is met only when something is wrong.
PATIENCE = 20.0


# --------------------------------------------------------------------------- what can go wrong


class Refused(Exception):
    """The router said no, and nothing was changed."""

    def __init__(self, code: int, reason: str, field: str, message: str, retry_after_ms: int = 0):
        name = types_pb2.RefusalCode.Name(code).removeprefix("REFUSAL_CODE_")
        super().__init__(f"{name} {reason} {field!r}: {message}")
        self.code, self.code_name = code, name
        self.reason, self.field = reason, field
        self.message, self.retry_after_ms = message, retry_after_ms


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
                   retry.retry_delay.ToMilliseconds())


def _patient(method):
    """A method that waits for the router to be there, as while it starts again."""
    return lambda request: method(request, wait_for_ready=True)


async def unary(call) -> Any:
    """Awaits a unary call; what it refuses is raised as `Refused`."""
    try:
        return await asyncio.wait_for(call, PATIENCE)
    except grpc.RpcError as error:
        raise refused(error) from error


# --------------------------------------------------------------------------- hearing


@dataclass(frozen=True)
class Told:
    """A directive: its kind is the name of the oneof's member, its body the member."""

    kind: str
    body: Any
    contact_id: int


class Mailbox:
    """What somebody was told and has not read yet.

    `expect` takes the first message that is wanted; earlier ones about the same contact are
    passed over with it (states may be told more than once, the last is true), those about
    other contacts stay.
    """

    def __init__(self, whose: str):
        self.whose = whose
        self.unread: list[Told] = []
        self.heard: list[Told] = []
        self._news = asyncio.Event()
        self._over: Exception | None = None

    def put(self, told: Told) -> None:
        self.heard.append(told)
        self.unread.append(told)
        self._news.set()

    def end(self, why: Exception) -> None:
        """Nothing more will be told."""
        self._over = why
        self._news.set()

    def reopen(self) -> None:
        self._over = None

    def take(self, wanted: Callable[[Told], bool]) -> Told | None:
        for i, told in enumerate(self.unread):
            if wanted(told):
                later = self.unread[i + 1:]
                before = [t for t in self.unread[:i] if t.contact_id != told.contact_id]
                self.unread = before + later
                return told
        return None

    async def expect(self, kind: str, contact_id: int = 0, *, where: Callable[[Any], bool] = lambda _: True,
                     timeout: float = PATIENCE) -> Told:
        """The next directive of this kind (about this contact, if one is named)."""

        def wanted(told: Told) -> bool:
            return told.kind == kind and contact_id in (0, told.contact_id) and where(told.body)

        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._news.clear()
                    if (found := self.take(wanted)) is not None:
                        return found
                    if self._over is not None:
                        raise self._over
                    await self._news.wait()
        except TimeoutError:
            about = f" about contact {contact_id}" if contact_id else ""
            unread = [f"{t.kind}({t.contact_id})" for t in self.unread]
            raise AssertionError(
                f"{self.whose} waited {timeout} s for {kind!r}{about}; unread: {unread}"
            ) from None


class _Stream:
    """One bidirectional stream: sends without waiting, and matches answers by request id."""

    def __init__(self, connect, heard: Callable[[Any], None], answered: Callable[[Any], Any]):
        self._heard = heard
        self._answered = answered
        self._outbox: asyncio.Queue = asyncio.Queue()
        self._waiting: dict[Any, list[asyncio.Future]] = {}
        self.ended: asyncio.Future[StreamEnded] = asyncio.get_running_loop().create_future()
        self._call = connect(self._requests())
        self._reader = asyncio.create_task(self._read())

    async def _requests(self):
        while (request := await self._outbox.get()) is not None:
            yield request

    def send(self, key, request) -> asyncio.Future:
        """Sends a request; the future is its answer. `key` tells its answer from others."""
        answer = asyncio.get_running_loop().create_future()
        # Whoever awaits it hears of a failure; nobody has to.
        answer.add_done_callback(lambda f: f.cancelled() or f.exception())
        if self.ended.done():
            answer.set_exception(self.ended.result())
        else:
            self._waiting.setdefault(key, []).append(answer)
            self._outbox.put_nowait(request)
        return answer

    async def _read(self) -> None:
        try:
            async for message in self._call:
                key, result = self._answered(message)
                if key is None:
                    self._heard(message)
                elif waiting := self._waiting.get(key):
                    answer = waiting.pop(0)
                    if not waiting:
                        del self._waiting[key]
                    if not answer.done():
                        failed = isinstance(result, Exception)
                        answer.set_exception(result) if failed else answer.set_result(result)
            why = StreamEnded(await self._call.code(), await self._call.details())
        except (grpc.RpcError, asyncio.CancelledError):
            why = StreamEnded(await self._call.code(), await self._call.details() or "")
        for answer in itertools.chain.from_iterable(self._waiting.values()):
            if not answer.done():
                answer.set_exception(why)
        self._waiting.clear()
        self.ended.set_result(why)

    async def wait_ended(self, timeout: float = PATIENCE) -> StreamEnded:
        return await asyncio.wait_for(asyncio.shield(self.ended), timeout)

    async def close(self) -> None:
        """Says that nothing more comes, and waits for the router to end the stream."""
        self._outbox.put_nowait(None)
        await self.wait_ended()

    async def drop(self) -> None:
        """Breaks it off, as a crash would."""
        self._call.cancel()
        await self.wait_ended()


def _of(message) -> tuple[str, Any]:
    """The name and body of the one that is set."""
    (oneof,) = message.DESCRIPTOR.oneofs
    kind = message.WhichOneof(oneof.name)
    return kind, getattr(message, kind) if kind else None


def _result(kind: str, body) -> Any:
    """An answer or refusal of a stream, as what the asker gets."""
    if kind == "refused":
        return Refused(body.code, body.reason, body.field, body.message, body.retry_after_ms)
    return _of(body)[1]


def _new_request() -> str:
    return uuid.uuid4().hex


# --------------------------------------------------------------------------- gateway


@dataclass
class Conversation:
    """A contact, as the gateway that holds it sees it."""

    gateway: "Gateway"
    id: int
    key: str
    mailbox: Mailbox

    async def expect(self, kind: str, **more) -> Told:
        return await self.mailbox.expect(kind, **more)

    def kinds(self) -> list[str]:
        """All that was ever told about it."""
        return [told.kind for told in self.mailbox.heard]

    async def customer_says(self, words: str = "", *, sensitive: bool = False):
        person = Person(words=words) if words else None
        await self.gateway.report(input=dict(contact_id=self.id, person=person, sensitive=sensitive))

    async def customer_left(self):
        await self.gateway.report(customer_left=dict(contact_id=self.id))

    async def hold(self, on: bool):
        await self.gateway.report(hold=dict(contact_id=self.id, on=on))


# How a gateway obeys ConnectLegs. Each is given the gateway, the contact's id and the order.

async def joins(gateway: "Gateway", contact_id: int, legs) -> None:
    """Both legs are picked up and joined."""
    for party in (types_pb2.PARTY_AGENT, types_pb2.PARTY_CUSTOMER):
        await gateway.leg(legs, party, types_pb2.LEG_OUTCOME_ANSWERED)
    await gateway.report(bridged=dict(reservation_id=legs.reservation_id))


def leg_fails(party: int, outcome: int, code: int = 0):
    """One leg is not picked up."""

    async def behaviour(gateway: "Gateway", contact_id: int, legs) -> None:
        await gateway.leg(legs, party, outcome, code)

    return behaviour


def effect_fails(code: int = 503):
    """The gateway cannot do it."""

    async def behaviour(gateway: "Gateway", contact_id: int, legs) -> None:
        await gateway.report(effect_failed=dict(effect_id=legs.effect_id, code=code))

    return behaviour


async def says_nothing(gateway: "Gateway", contact_id: int, legs) -> None:
    """Nothing is ever heard of it."""
    await asyncio.Event().wait()


class Gateway:
    """Holds customers, reports what they do, and does what it is told.

    Its books (`books`: its own key of every open contact) outlive a stream: `connect`
    says hello, names what is in them, and repeats what was never answered.
    """

    def __init__(self, channel: grpc.aio.Channel, name: str, phone=joins):
        self.name = name
        # How ConnectLegs is obeyed: for each agent by name, or else this.
        self.phone = phone
        self.phone_of: dict[str, Any] = {}
        self.books: dict[str, Conversation] = {}
        # What the newest Holding report was answered.
        self.unknown_keys: list[str] = []
        self.session_id = 0
        self.stream: _Stream | None = None
        self._stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        self._unanswered: dict[str, tuple[str, gateway_pb2.Arrival]] = {}
        self._conversations: dict[int, Conversation] = {}
        self._effects: dict[int, asyncio.Task] = {}

    async def connect(self, *, resync: bool = True) -> "Gateway":
        """Opens a stream and says hello; then says what is held, unless that waits."""
        # What was begun and not finished is asked again, unless it was withdrawn.
        for effect_id, task in list(self._effects.items()):
            if not task.done() or task.cancelled() or task.exception():
                task.cancel()
                del self._effects[effect_id]
        self.stream = _Stream(_patient(self._stub.Connect), self._told, self._answer)
        hello = gateway_pb2.Hello(gateway=self.name)
        session = await self._send(_new_request(), hello=hello)
        self.session_id = session.session_id
        if resync:
            await self.resync()
        return self

    async def resync(self) -> list[str]:
        """Names what it holds, closes what the router does not know, and repeats arrivals
        that were never answered, under their own request ids."""
        in_doubt = dict(self._unanswered)
        keys = [*self.books, *in_doubt]
        self.unknown_keys = []
        for i in range(0, max(len(keys), 1), 1_000):
            part, last = keys[i:i + 1_000], i + 1_000 >= len(keys)
            answer = await self.report(holding=dict(keys=part, last=last))
            self.unknown_keys += answer.keys
        for key in self.unknown_keys:
            self.books.pop(key, None)
        for request_id, arrival in in_doubt.values():
            await self.arrival(arrival, request_id=request_id)
        return self.unknown_keys

    # -- saying

    def _send(self, request_id: str, **message) -> asyncio.Future:
        request = gateway_pb2.GatewayServiceConnectRequest(request_id=request_id, **message)
        return self.stream.send(request_id, request)

    def send(self, request_id: str = "", **report) -> asyncio.Future:
        """Sends a report: `send(hold=dict(contact_id=7, on=True))`."""
        report = gateway_pb2.GatewayReport(**report)
        return self._send(request_id or _new_request(), report=report)

    async def report(self, request_id: str = "", **report) -> Any:
        """Reports, and waits until it is on disk."""
        return await asyncio.wait_for(self.send(request_id, **report), PATIENCE)

    async def arrive(self, key: str, channel: int, *, request_id: str = "", **fields) -> Conversation:
        """Someone came in."""
        arrival = gateway_pb2.Arrival(key=key, channel=channel, **fields)
        return await self.arrival(arrival, request_id=request_id)

    async def arrival(self, arrival: gateway_pb2.Arrival, *, request_id: str = "") -> Conversation:
        """The same; an answer that never comes is asked for again by the next `connect`."""
        request_id = request_id or _new_request()
        self._unanswered[arrival.key] = (request_id, arrival)
        try:
            contact_id = await self.report(request_id, arrived=arrival)
        except Refused:
            del self._unanswered[arrival.key]
            raise
        self._unanswered.pop(arrival.key, None)
        conversation = self.conversation(contact_id)
        conversation.key = arrival.key
        if not any(told.kind == "ended" for told in conversation.mailbox.heard):
            self.books[arrival.key] = conversation
        return conversation

    async def leg(self, legs, party: int, outcome: int, code: int = 0):
        """What became of a leg that the router asked for."""
        reservation = legs.reservation_id
        await self.report(leg=dict(reservation_id=reservation, party=party, outcome=outcome, code=code))

    async def effect_done(self, effect_id: int):
        """Reports an effect; one that was withdrawn meanwhile is not known any more, and
        that is fine."""
        try:
            await self.report(effect_done=dict(effect_id=effect_id))
        except Refused as no:
            if no.code != types_pb2.REFUSAL_CODE_NOT_FOUND:
                raise

    # -- hearing

    def conversation(self, contact_id: int) -> Conversation:
        if contact_id not in self._conversations:
            mailbox = Mailbox(f"gateway {self.name}, contact {contact_id},")
            self._conversations[contact_id] = Conversation(self, contact_id, "", mailbox)
        return self._conversations[contact_id]

    @staticmethod
    def _answer(message):
        kind, body = _of(message)
        if kind in ("answer", "refused"):
            return body.request_id, _result(kind, body)
        return None, None

    def _told(self, message) -> None:
        kind, directive = _of(message)
        if kind != "directive":
            return
        what, body = _of(directive)
        conversation = self.conversation(directive.contact_id)
        if what in ("connect_legs", "hand_over"):
            self._effect(directive.contact_id, what, body)
        elif what == "ended":
            self.books.pop(conversation.key, None)
        conversation.mailbox.put(Told(what, body, directive.contact_id))

    def _effect(self, contact_id: int, what: str, body) -> None:
        """Does an effect, once; `connect` forgets those whose report was not answered."""
        if body.effect_id in self._effects:
            return
        if what == "hand_over":
            doing = self.effect_done(body.effect_id)
        else:
            doing = self.phone_of.get(body.agent, self.phone)(self, contact_id, body)
        task = asyncio.create_task(doing)
        # A stream that ended under it, or an effect withdrawn meanwhile, is no mistake.
        task.add_done_callback(lambda t: t.cancelled() or t.exception())
        self._effects[body.effect_id] = task

    async def drop(self) -> None:
        """The line to the router breaks."""
        if self.stream is not None:
            await self.stream.drop()

    async def close(self) -> None:
        if self.stream is not None:
            await self.stream.close()


# --------------------------------------------------------------------------- agents


def availability(kind: str, reason: str = "") -> Availability:
    """`availability("READY")`, `availability("NOT_READY", "lunch")`."""
    return Availability(kind=f"AVAILABILITY_KIND_{kind}", reason=reason)


class Desktop:
    """A desktop server: one stream for any number of agents."""

    def __init__(self, channel: grpc.aio.Channel):
        self._stub = agent_pb2_grpc.AgentServiceStub(channel)
        self.agents: dict[str, Agent] = {}
        self.stream: _Stream | None = None

    async def connect(self) -> "Desktop":
        """Opens the stream; agents of an earlier one sign in again."""
        self.stream = _Stream(_patient(self._stub.Connect), self._told, self._answer)
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
        request_id = request_id or _new_request()
        request = agent_pb2.AgentServiceConnectRequest(request_id=request_id, agent=agent, **command)
        return self.stream.send((agent, request_id), request)

    @staticmethod
    def _answer(message):
        kind, body = _of(message)
        if kind in ("answer", "refused"):
            return (message.agent, body.request_id), _result(kind, body)
        return None, None

    def _told(self, message) -> None:
        kind, body = _of(message)
        agent = self.agents.get(message.agent)
        if agent is None:
            return
        if kind == "session_over":
            agent.mailbox.put(Told(kind, body, 0))
        elif kind == "directive":
            what, body = _of(body)
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


# --------------------------------------------------------------------------- supervisors


class Supervisor:
    """Sees queues, agents and contacts, and moves work."""

    def __init__(self, channel: grpc.aio.Channel, name: str = "sam"):
        self.name = name
        stub = supervisor_pb2_grpc.SupervisorServiceStub(channel)
        self._stub = SimpleNamespace(**{name: _patient(call) for name, call in vars(stub).items()})

    async def contact(self, contact_id: int):
        """Everything about a contact."""
        return await unary(self._stub.GetContact(supervisor_pb2.GetContactRequest(contact_id=contact_id)))

    async def explain(self, contact_id: int):
        request = supervisor_pb2.ExplainContactRequest(contact_id=contact_id)
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
        request.request_id, request.actor, request.why = request_id or _new_request(), self.name, why
        await unary(call(request))

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
