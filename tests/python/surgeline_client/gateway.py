"""A gateway: holds customers, reports what they do, and does what it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc
from surgeline.v1 import gateway_pb2, gateway_pb2_grpc, types_pb2
from surgeline.v1.types_pb2 import Person

from .mailbox import Mailbox, Told
from .refusal import PATIENCE, Refused, patient
from .stream import Stream, member, new_request, result


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

    async def customer_presses(self, keys: str):
        await self.gateway.report(input=dict(contact_id=self.id, keys=keys))

    async def customer_wants(self, wish: int):
        await self.gateway.report(input=dict(contact_id=self.id, wish=wish))

    async def customer_left(self):
        await self.gateway.report(customer_left=dict(contact_id=self.id))

    async def hears(self, text_id: str, **more):
        """Waits until a text of the playbook is said, and returns its order."""
        told = await self.expect("say", where=lambda say: say.text.message_id == text_id, **more)
        return told.body

    async def hears_out(self, text_id: str, **more):
        """The same, and waits until the router knows that it was said to the end."""
        said = await self.hears(text_id, **more)
        await self.gateway.carried_out(said.effect_id)
        return said

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


# How a gateway obeys Say. Each is given the gateway, the contact's id and the order.

async def says(gateway: "Gateway", contact_id: int, say) -> None:
    """It is played to the end, or delivered."""
    await gateway.effect_done(say.effect_id)


async def never_says(gateway: "Gateway", contact_id: int, say) -> None:
    """The gateway cannot say it."""
    await gateway.report(effect_failed=dict(effect_id=say.effect_id, code=503))


class Gateway:
    """Holds customers, reports what they do, and does what it is told.

    Its books (`books`: its own key of every open contact) outlive a stream: `connect`
    says hello, names what is in them, and repeats what was never answered.
    """

    def __init__(self, channel: grpc.aio.Channel, name: str, phone=joins, *, can_say: bool = True,
                 can_offer_callback: bool = False):
        self.name = name
        # Whether it tells the router that it carries out Say.
        self.can_say = can_say
        # The same of OfferCallback; whoever sets it answers the offers.
        self.can_offer_callback = can_offer_callback
        # How ConnectLegs is obeyed: for each agent by name, or else this.
        self.phone = phone
        self.phone_of: dict[str, Any] = {}
        # How Say is obeyed.
        self.voice = says
        self.books: dict[str, Conversation] = {}
        # What the newest Holding report was answered.
        self.unknown_keys: list[str] = []
        self.session_id = 0
        self.stream: Stream | None = None
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
        self.stream = Stream(patient(self._stub.Connect), self._told, self._answer)
        hello = gateway_pb2.Hello(gateway=self.name, can_say=self.can_say,
                                  can_offer_callback=self.can_offer_callback)
        session = await self._send(new_request(), hello=hello)
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
        return self._send(request_id or new_request(), report=report)

    async def report(self, request_id: str = "", **report) -> Any:
        """Reports, and waits until it is on disk."""
        return await asyncio.wait_for(self.send(request_id, **report), PATIENCE)

    async def arrive(self, key: str, channel: int, *, request_id: str = "", **fields) -> Conversation:
        """Someone came in."""
        arrival = gateway_pb2.Arrival(key=key, channel=channel, **fields)
        return await self.arrival(arrival, request_id=request_id)

    async def arrival(self, arrival: gateway_pb2.Arrival, *, request_id: str = "") -> Conversation:
        """The same; an answer that never comes is asked for again by the next `connect`."""
        request_id = request_id or new_request()
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

    async def carried_out(self, effect_id: int) -> None:
        """Waits until what was done about an effect is reported."""
        await asyncio.wait([self._effects[effect_id]])

    # -- hearing

    def conversation(self, contact_id: int) -> Conversation:
        if contact_id not in self._conversations:
            mailbox = Mailbox(f"gateway {self.name}, contact {contact_id},")
            self._conversations[contact_id] = Conversation(self, contact_id, "", mailbox)
        return self._conversations[contact_id]

    @staticmethod
    def _answer(message):
        kind, body = member(message)
        if kind in ("answer", "refused"):
            return body.request_id, result(kind, body)
        return None, None

    def _told(self, message) -> None:
        kind, directive = member(message)
        if kind != "directive":
            return
        what, body = member(directive)
        conversation = self.conversation(directive.contact_id)
        if what in ("connect_legs", "hand_over", "join", "say"):
            self._effect(directive.contact_id, what, body)
        elif what == "goes_on_as":
            # The key is the other contact's from now on.
            goes_on = self.conversation(body.follow_up_contact_id)
            goes_on.key = conversation.key
            self.books[goes_on.key] = goes_on
        elif what == "opened":
            conversation.key = body.key
            self.books[body.key] = conversation
        elif what == "ended" and self.books.get(conversation.key) is conversation:
            del self.books[conversation.key]
        conversation.mailbox.put(Told(what, body, directive.contact_id))

    def _effect(self, contact_id: int, what: str, body) -> None:
        """Does an effect, once; `connect` forgets those whose report was not answered."""
        if body.effect_id in self._effects:
            return
        if what in ("hand_over", "join"):
            doing = self.effect_done(body.effect_id)
        elif what == "say":
            doing = self.voice(self, contact_id, body)
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
