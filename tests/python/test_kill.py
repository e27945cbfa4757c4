"""kill -9 in the middle of everything, with a ledger of what was acknowledged."""

import asyncio
import json
import os
import random

from surgeline.v1 import types_pb2

from router import run
from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Conversation, Gateway, Need, Person, says_nothing

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
        await self.verify()

    async def verify(self):
        """A replay of the journal gives the state that was, and every hash is right."""
        await self.check_order()
        counts = await self.supervisor.counts()
        self.assertEqual(await self.router.stop(), 0)
        code, out, errors = await run("journal", "verify", "--json", "--data", str(self.router.data))
        self.assertEqual(code, 0, out + errors)
        report = json.loads(out)
        self.assertEqual((report["sound"], report["accepted"], report["closed"]),
                         (True, counts.accepted, counts.closed))

    async def test_acts_in_flight_are_done_once_or_not_at_all(self):
        """Agents take and complete chats as fast as they can while the router is killed."""
        gateway = await self.gateway("widget")
        desktop = await self.desktop()
        agents = {name: await desktop.sign_in(name) for name in NAMES}
        acknowledged: set[int] = set()
        accepted: dict[int, str] = {}
        in_doubt: dict[int, str] = {}

        async def work(who):
            while True:
                offer = await who.expect_offer()
                await who.accept(offer)
                await who.expect("assigned", offer.contact_id)
                in_doubt[offer.contact_id] = f"completes-{offer.contact_id}"
                await who.act(in_doubt[offer.contact_id], complete=dict(contact_id=offer.contact_id))
                acknowledged.add(offer.contact_id)
                del in_doubt[offer.contact_id]

        for round in range(ROUNDS):
            working = [asyncio.create_task(work(who)) for who in agents.values()]
            for who in agents.values():
                await who.ready()
            random.seed(round)
            arrivals = [asyncio.create_task(gateway.arrive(f"chat-{round}-{i}", CHAT, queue="support"))
                        for i in range(40)]
            until = len(acknowledged) + random.randrange(30)
            async with asyncio.timeout(60):
                while len(acknowledged) < until:
                    await asyncio.sleep(0.001)
            await self.router.kill()
            for ended in (gateway.stream, desktop.stream):
                await ended.wait_ended()
            for task in working:
                task.cancel()
            done = await asyncio.gather(*arrivals, return_exceptions=True)
            accepted |= {c.id: c.key for c in done if isinstance(c, Conversation)}
            for who in agents.values():
                who.mailbox.unread.clear()

            await self.router.start()
            await self.caught_up()
            counts = await self.supervisor.counts()
            open_now = {row.contact_id: row for row in await self.supervisor.contacts(page_size=500)}
            # What was acknowledged as done is done; what was accepted and not done is there.
            self.assertFalse(acknowledged & set(open_now))
            self.assertLessEqual(set(accepted) - acknowledged - set(in_doubt), set(open_now))
            self.assertTrue(len(acknowledged) <= counts.closed <= len(acknowledged) + len(in_doubt))
            await gateway.connect()
            await desktop.connect()
            accepted |= {c.id: c.key for c in gateway._conversations.values()}
            # What was never answered is said again, and is done once.
            for contact_id, request_id in dict(in_doubt).items():
                owner = next((a for a in agents.values()
                              if any(t.contact_id == contact_id for t in a.mailbox.heard)))
                await owner.act(request_id, complete=dict(contact_id=contact_id))
                acknowledged.add(contact_id)
            in_doubt.clear()
            # So it is with what was accepted and not completed.
            for who in agents.values():
                for told in [t for t in who.mailbox.unread if t.kind == "assigned"]:
                    if told.contact_id not in acknowledged:
                        await who.complete(told.contact_id)
                        acknowledged.add(told.contact_id)
                who.mailbox.unread = [t for t in who.mailbox.unread if t.kind == "offer"
                                      and t.contact_id not in acknowledged]
            await self.caught_up()
            counts = await self.supervisor.counts()
            self.assertEqual((counts.accepted, counts.closed), (len(accepted), len(acknowledged)))
            await self.check_order()
        await self.verify()

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


class KillTogether(RouterTest):
    async def test_a_consult_goes_on_after_a_kill(self):
        gateway = await self.gateway()
        anne, bob = await self.ready("anne", "bob")
        call = await gateway.arrive("call-1", VOICE, queue="support", person=Person(name="Ada"))
        await anne.take(call.id)
        child_id = await anne.consult(call.id, agent="bob")
        await bob.take(child_id)
        # The answer to handing over is lost with the router, or it was never carried out.
        hands_over = anne.send("hands-over", complete_consult=dict(contact_id=call.id))
        await self.router.kill()
        for ended in (gateway.stream, anne.desktop.stream):
            await ended.wait_ended()
        self.assertTrue(hands_over.done())
        await self.router.start()
        await gateway.connect()
        await anne.desktop.connect()
        await anne.act("hands-over", complete_consult=dict(contact_id=call.id))
        await self.assert_ended(gateway.conversation(child_id), "CONSULT_COMPLETED")
        await self.see(call.id, "ASSIGNED", "bob")
        await bob.complete(call.id)
        await self.assert_ended(call, "COMPLETED")

    async def test_what_comes_back_late_after_a_kill_is_taken_from_the_agent(self):
        """A gateway that comes back without a contact: whoever has it is told."""
        gateway = await self.gateway()
        anne, bob = await self.ready("anne", "bob")
        talking = await gateway.arrive("talking", VOICE, queue="support")
        await anne.take(talking.id)
        await self.router.kill()
        await self.router.start()
        await anne.desktop.connect()
        await anne.expect("assigned", talking.id)
        gateway.books.clear()
        await gateway.connect()
        await anne.expect("ended", talking.id)
        await self.see_ended(talking.id, "GATEWAY_LOST")


class WithOrWithout(list):
    """A list in which one more item may stand anywhere."""

    def __init__(self, items, maybe):
        super().__init__(items)
        self.maybe = maybe

    def __eq__(self, other):
        return list(self) == [item for item in other if item != self.maybe]
