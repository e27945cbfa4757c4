"""kill -9 in the middle of everything, with a ledger of what was acknowledged."""

import asyncio
import os
import random

from surgeline.v1 import types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Gateway, Need, Person, says_nothing

ROUNDS = 25 if os.environ.get("SURGELINE_LONG") else 5
# Whoever serves has a skill of their own, so that it is plain who gets what.
NAMES = ("anne", "bob", "carl", "dora", "eve", "zoe")
IN_FLIGHT = 20


class Kill(RouterTest):
    CONFIG = centre(
        [queue("support", "voice", "chat"), queue("careful", "voice", wrap_up="1h")],
        [agent(name, skills={name: 3}) for name in NAMES],
    )

    async def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(self):
        self.gw = Gateway(self.channel(), "pbx")
        self.seats = await self.desktop()
        self.agents = {name: await self.seats.sign_in(name) for name in NAMES}
        # What was acknowledged: the request and what it was answered.
        self.ledger: dict[str, tuple[str, dict, int]] = {}
        # Who waits for zoe, in the order of their arrivals.
        self.line: list[int] = []
        self.closed: set[int] = set()
        await self.gw.connect()
        for round in range(ROUNDS):
            with self.subTest(round=round):
                random.seed(round)
                await self.one_round(round)

    async def arrive(self, key: str, who: str, channel=VOICE, queue="support"):
        request_id = f"arrives-{key}"
        fields = dict(queue=queue, needs=[Need(skill=who)], person=Person(words=f"words of {key}"))
        contact = await self.gw.arrive(key, channel, request_id=request_id, **fields)
        self.ledger[key] = (request_id, dict(channel=channel, **fields), contact.id)
        return contact

    async def one_round(self, n: int):
        gw, agents = self.gw, self.agents
        for name in ("anne", "bob", "carl", "dora", "eve"):
            await agents[name].ready()
        await agents["zoe"].not_ready()
        gw.phone_of = {"bob": says_nothing}

        assigned = await self.arrive(f"assigned-{n}", "anne")
        await agents["anne"].take(assigned.id)
        connecting = await self.arrive(f"connecting-{n}", "bob")
        await agents["bob"].accept(await agents["bob"].expect_offer(connecting.id))
        await connecting.expect("connect_legs")
        reserved = await self.arrive(f"reserved-{n}", "carl")
        await agents["carl"].expect_offer(reserved.id)
        pending = await self.arrive(f"pending-{n}", "dora", CHAT)
        await agents["dora"].take(pending.id)
        await agents["dora"].pend(pending.id)
        after = await self.arrive(f"wrap-up-{n}", "eve", queue="careful")
        await agents["eve"].take(after.id)
        await agents["eve"].complete(after.id)
        self.closed.add(after.id)
        for i in range(3):
            self.line.append((await self.arrive(f"waiting-{n}-{i}", "zoe")).id)

        # Several at once, and the power goes while some of them are not answered yet.
        arrivals = {
            f"flying-{n}-{i}": asyncio.create_task(self.arrive(f"flying-{n}-{i}", "zoe"))
            for i in range(IN_FLIGHT)
        }
        enough = random.randrange(IN_FLIGHT)
        for _ in range(200):
            if sum(task.done() for task in arrivals.values()) >= enough:
                break
            await asyncio.sleep(0)
        await self.router.kill()
        await asyncio.gather(*arrivals.values(), return_exceptions=True)
        await gw.stream.wait_ended()
        await self.seats.stream.wait_ended()
        for who in agents.values():
            who.mailbox.unread.clear()
        acknowledged = set(self.ledger)
        in_doubt = [key for key in arrivals if key not in acknowledged]

        await self.router.start()
        await self.every_acknowledged_contact_is_there()

        # The gateway comes back, with what it holds and what it does not know about.
        gw.phone_of = {}
        await gw.connect()
        for key in in_doubt:
            request_id, channel, fields = f"arrives-{key}", VOICE, dict(
                queue="support", needs=[Need(skill="zoe")], person=Person(words=f"words of {key}"))
            again = await gw.arrive(key, channel, request_id=request_id, **fields)
            self.ledger[key] = (request_id, dict(channel=channel, **fields), again.id)
        self.assertLessEqual({f"flying-{n}-{i}" for i in range(IN_FLIGHT)}, set(self.ledger))
        flying = sorted(self.ledger[key][2] for key in arrivals)
        self.line += flying

        # A repeat of what was acknowledged is answered as it was.
        for key in random.sample(sorted(acknowledged), min(10, len(acknowledged))):
            request_id, fields, contact_id = self.ledger[key]
            fields = dict(fields)
            again = await gw.arrive(key, fields.pop("channel"), request_id=request_id, **fields)
            self.assertEqual(again.id, contact_id, key)
            if contact_id in self.closed:
                gw.books.pop(key, None)

        ids = [contact_id for _, _, contact_id in self.ledger.values()]
        self.assertEqual(len(ids), len(set(ids)), "one key, one contact")
        await self.caught_up()
        counts = await self.supervisor.counts()
        self.assertEqual(counts.accepted, len(ids), "no second contact of any request")
        self.assertEqual(await self.order_of("support"), self.waiting_besides(reserved.id))

        # The agents come back, and everything goes on.
        await self.seats.connect()
        told = (await agents["anne"].expect("assigned", assigned.id)).body
        self.assertEqual(told.person.words, f"words of assigned-{n}")
        await agents["bob"].expect("assigned", connecting.id)
        await agents["eve"].expect("wrap_up", after.id)
        await agents["eve"].end_wrap_up(after.id)
        offer = await agents["carl"].expect_offer(reserved.id)
        self.assertEqual(offer.person.words, f"words of reserved-{n}")
        await agents["carl"].accept(offer)
        await agents["carl"].expect("assigned", reserved.id)
        await self.see(pending.id, "PENDING")
        await pending.customer_says("I am back")
        await agents["dora"].take(pending.id)

        await agents["zoe"].ready()
        first = self.line.pop(0)
        key = next(k for k, entry in self.ledger.items() if entry[2] == first)
        self.assertEqual((await agents["zoe"].take(first)).person.words, f"words of {key}")
        done = [("anne", assigned.id), ("bob", connecting.id), ("carl", reserved.id),
                ("dora", pending.id), ("zoe", first)]
        await agents["zoe"].act(next=dict(availability=dict(
            kind=types_pb2.AVAILABILITY_KIND_NOT_READY, reason="break")))
        for who, contact_id in done:
            await agents[who].complete(contact_id)
            self.closed.add(contact_id)
            await self.assert_ended(gw.conversation(contact_id), "COMPLETED")
        await self.check_order()

    def waiting_besides(self, reserved: int) -> list[int]:
        """Zoe's line; who was held for carl may stand in it, or be held for him still."""
        return WithOrWithout(self.line, reserved)

    async def every_acknowledged_contact_is_there(self):
        await self.caught_up()
        self.assertEqual((await self.supervisor.counts()).closed, len(self.closed))
        open_now = {row.contact_id: row for row in await self.supervisor.contacts(page_size=500)}
        expected = {
            "assigned": ["ASSIGNED"], "connecting": ["CONNECTING"], "pending": ["PENDING"],
            "reserved": ["RESERVED", "QUEUED"], "waiting": ["QUEUED"], "flying": ["QUEUED"],
        }
        for key, (_, _, contact_id) in self.ledger.items():
            if contact_id in self.closed:
                self.assertNotIn(contact_id, open_now, key)
                continue
            self.assertIn(contact_id, open_now, f"{key} was acknowledged")
            row = open_now[contact_id]
            state = types_pb2.ContactState.Name(row.state).removeprefix("CONTACT_STATE_")
            self.assertIn(state, expected[key.split("-")[0]], key)
            self.assertEqual(row.key, key)


class WithOrWithout(list):
    """A list in which one more item may stand anywhere."""

    def __init__(self, items, maybe):
        super().__init__(items)
        self.maybe = maybe

    def __eq__(self, other):
        return list(self) == [item for item in other if item != self.maybe]
