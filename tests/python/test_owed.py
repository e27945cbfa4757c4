"""When customers are called back: in their window, at their hours, by an agent's promise, by a queue
that is full, after a line that broke; and what supervisors type about what is owed."""

import json
import time

from surgeline.v1 import owed_pb2, types_pb2

from router import run
from support import agent, centre, queue
from surgeline_client import CHAT, VOICE, Person
from surgeline_client.refusal import unary
from test_callbacks import Owed, callbacks

HOUR = 3_600_000
DAY = 24 * HOUR


def now_ms() -> int:
    return int(time.time() * 1_000)


class When(Owed):
    """Calls that take a tenth of a second, so that a window of seconds has room."""

    CONFIG = centre([queue("support", "voice", "chat", callback=callbacks(per_hour=36_000, share=100))],
                    [agent("anne"), agent("bob")])

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        self.call = await self.pbx.arrive("call-1", VOICE, queue="support")

    async def idle(self, name: str):
        """An agent who is ready and whom nothing is offered."""
        [anne] = await self.ready(name)
        await self.see_agent(name, "READY")
        await self.caught_up()
        self.assert_offers_to_nobody(anne)
        return anne

    async def reached(self, anne, offer):
        """She takes it, and the customer answers."""
        await anne.accept(offer)
        dial = (await self.call.expect("dial")).body
        await self.result(self.pbx, dial, "ANSWERED")
        await self.pbx.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(self.call.id, "ASSIGNED", anne.name)

    async def counts(self):
        [counts] = [c for c in (await self.promises()).counts
                    if c.kind == types_pb2.PROMISE_KIND_CALLBACK]
        return (counts.made, counts.kept, counts.open, counts.broken, counts.late)

    async def test_a_scheduled_call_is_made_in_its_window_and_not_before(self):
        begins = now_ms() + 3_000
        window = dict(from_unix_ms=begins, until_unix_ms=begins + HOUR)
        promised = await self.wants(self.pbx, self.call, window=window)
        # By the end of the first quarter of an hour that has room.
        self.assertGreater(promised.due_unix_ms, begins)
        self.assertLessEqual(promised.due_unix_ms, begins + HOUR // 2)
        row = await self.callback_of(self.call.id, "HELD")
        self.assertEqual(row.kind, owed_pb2.CALLBACK_KIND_SCHEDULED)
        anne = await self.idle("anne")
        offer = await anne.expect_offer(self.call.id)
        self.assertGreaterEqual(now_ms(), begins - 50, "clocks are compared to the millisecond")
        await self.reached(anne, offer)
        self.assertEqual(await self.counts(), (1, 1, 0, 0, 0))

    async def test_nobody_is_called_outside_their_hours(self):
        # From in an hour on, as it was said two days ago.
        hours = dict(from_unix_ms=now_ms() + HOUR - 2 * DAY, lasting_ms=HOUR)
        await self.wants(self.pbx, self.call, hours=hours)
        row = await self.callback_of(self.call.id, "HELD")
        self.assertAlmostEqual(row.wakes_in_ms, HOUR, delta=20_000)
        await self.idle("anne")
        now = owed_pb2.CallNowRequest(**self.order(contact_id=self.call.id))
        await self.assert_refused(unary(self.owed.CallNow(now)), "INVALID", "hours")
        await self.see(self.call.id, "CALLBACK_DUE")

    async def test_who_may_be_called_soon_is_called_then(self):
        opens = now_ms() + 3_000
        await self.wants(self.pbx, self.call, hours=dict(from_unix_ms=opens - DAY, lasting_ms=HOUR))
        await self.callback_of(self.call.id, "HELD")
        anne = await self.idle("anne")
        offer = await anne.expect_offer(self.call.id)
        self.assertGreaterEqual(now_ms(), opens - 50)
        await self.reached(anne, offer)

    async def test_an_agent_calls_back_whom_they_have_on_the_line(self):
        [anne] = await self.ready("anne")
        await anne.take(self.call.id)
        ask = lambda **more: anne.act(call_back=dict(contact_id=self.call.id, **more))
        await self.assert_refused(ask(), "WRONG_STATE", "number_confirmed", "NO_NUMBER")
        await self.pbx.report(number_confirmed=dict(
            contact_id=self.call.id, confirmed=True, person=Person(address="+49 30 7654321")))
        begins = now_ms() + 3_000
        promised = await ask(window=dict(from_unix_ms=begins, until_unix_ms=begins + HOUR))
        self.assertGreater(promised.due_unix_ms, begins)
        released = (await anne.expect("released", self.call.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_CALLED_BACK)
        await self.call.expect("callback_due")
        await self.call.customer_left()
        offer = await anne.expect_offer(self.call.id)
        self.assertGreaterEqual(now_ms(), begins - 50)
        self.assertTrue(offer.callback)
        await self.reached(anne, offer)
        self.assertEqual(await self.counts(), (1, 1, 0, 0, 0))
        chat = await self.pbx.arrive("chat-1", CHAT, queue="support")
        [bob] = await self.ready("bob")
        await bob.take(chat.id)
        await self.assert_refused(bob.act(call_back=dict(contact_id=chat.id)), "WRONG_STATE", "contact_id")



class TooLate(Owed):
    """Legs that are short, so that a call can be promised within seconds."""

    CONFIG = centre(
        [queue("support", "voice", reservation_timeout="1s", connect_timeout="1s",
               callback=callbacks(per_hour=36_000, share=100, ring="1s"))],
        [agent("anne")])

    async def test_a_window_that_is_over_leaves_it_to_a_supervisor(self):
        pbx = await self.gateway()
        call = await pbx.arrive("call-1", VOICE, queue="support")
        begins = now_ms()
        # One that is too short for its turn to come is refused.
        short = dict(from_unix_ms=begins, until_unix_ms=begins + 2_000)
        await self.assert_refused(self.wants(pbx, call, window=short), "EXHAUSTED", "window", "NO_ROOM")
        window = dict(from_unix_ms=begins, until_unix_ms=begins + 8_000)
        await self.wants(pbx, call, window=window)
        await self.callback_of(call.id, "WINDOW_OVER")
        self.assertGreaterEqual(now_ms(), begins + 7_950)
        [anne] = await self.ready("anne")
        await self.caught_up()
        self.assert_offers_to_nobody(anne)
        asked = owed_pb2.ListCallbacksRequest(exhausted=True)
        rows = (await unary(self.owed.ListCallbacks(asked))).callbacks
        self.assertEqual([r.contact_id for r in rows], [call.id])
        await unary(self.owed.CallNow(owed_pb2.CallNowRequest(**self.order(contact_id=call.id))))
        await anne.expect_offer(call.id)


class Full(Owed):
    """A queue that calls back whom it has no room for on the line."""

    CONFIG = centre([queue("support", callback=callbacks(), most_waiting=1, full={"then": "callback"})],
                    [agent("anne")])

    async def test_who_comes_beyond_the_most_is_called_back_when_a_number_is_known(self):
        gateway = await self.gateway()
        first, second = [await gateway.arrive(f"call-{n}", VOICE, queue="support") for n in range(2)]
        for call in (first, second):
            await gateway.report(number_confirmed=dict(contact_id=call.id, confirmed=True))
        await second.expect("callback_due")
        self.assertEqual(second.kinds()[0], "waiting", "until the number was known they had only the line")
        await self.see(first.id, "QUEUED")
        [anne] = await self.ready("anne")
        await anne.take(first.id)
        await anne.complete(first.id)
        self.assertTrue((await anne.expect_offer(second.id)).callback)

    async def test_calls_that_we_owe_take_nobodys_place_on_the_line(self):
        gateway = await self.gateway()
        owed = await gateway.arrive("call-1", VOICE, queue="support")
        await self.wants(gateway, owed)
        waits = await gateway.arrive("call-2", VOICE, queue="support")
        await gateway.report(number_confirmed=dict(contact_id=waits.id, confirmed=True))
        await self.see(owed.id, "CALLBACK_DUE")
        await self.see(waits.id, "QUEUED")


class Reconnect(Owed):
    """What a gateway that comes back is told of calls that it is to make."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        self.call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.wants(self.pbx, self.call)
        await self.call.expect("callback_due")

    async def back(self, *keys: str):
        """Its line breaks; it is back and names these."""
        self.call.mailbox.unread.clear()
        await self.pbx.drop()
        await self.pbx.connect(resync=False)
        await self.pbx.report(holding=dict(keys=keys, last=True))

    async def dialled(self):
        [anne] = await self.ready("anne")
        await anne.accept(await anne.expect_offer(self.call.id))
        return (await self.call.expect("dial")).body

    async def test_who_waits_for_a_call_is_told_again_and_need_not_be_named(self):
        await self.back()
        await self.call.expect("callback_due")
        dial = await self.dialled()
        await self.result(self.pbx, dial, "ANSWERED")
        await self.pbx.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(self.call.id, "ASSIGNED", "anne")

    async def test_a_call_that_still_rings_is_named_and_goes_on(self):
        dial = await self.dialled()
        await self.back("call-1")
        again = (await self.call.expect("dial")).body
        self.assertEqual(again, dial, "the same effect: it is not dialled twice")
        await self.result(self.pbx, dial, "ANSWERED")
        await self.pbx.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(self.call.id, "ASSIGNED", "anne")

    async def test_a_call_that_rings_no_more_is_made_again_by_the_table(self):
        await self.dialled()
        await self.back()
        await self.call.expect("callback_due")
        # The table of this queue repeats no call that could not be made.
        row = await self.callback_of(self.call.id, "EXHAUSTED")
        self.assertEqual(list(row.outcomes), ["congestion 1"])
        await self.see_agent("anne", "READY")


class FollowUp(Owed):
    CONFIG = centre([queue("support", callback=callbacks(mode="customer_first"))], [agent("anne")],
                    promises={"lead": "2s"})

    async def test_it_is_opened_by_the_router_and_dialled_at_the_number_of_the_first_call(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        await gateway.report(number_confirmed=dict(contact_id=call.id, confirmed=True))
        promised = await anne.act(promise=types_pb2.Pledge(
            contact_id=call.id, kind=types_pb2.PROMISE_KIND_FOLLOW_UP, due_unix_ms=now_ms() + 4_000))
        await anne.complete(call.id)

        async def opened():
            rows = (await self.promises()).promises
            return next((r.working_contact_id for r in rows if r.promise_id == promised.promise_id), 0)

        ours = gateway.conversation(await self.eventually(opened, bool, "the follow-up"))
        told = (await ours.expect("opened")).body
        self.assertEqual((told.key, told.channel, told.queue, told.continues_contact_id),
                         (f"~promise-{promised.promise_id}", VOICE, "support", call.id))
        dial = (await ours.expect("dial")).body
        self.assertEqual((dial.agent, dial.number_of_contact_id), ("anne", call.id))
        # Nobody asked her: she is told that she is being connected.
        connecting = (await anne.expect("connecting", ours.id)).body
        self.assertEqual((connecting.callback, connecting.continues_contact_id), (True, call.id))
        self.assert_offers_to_nobody(anne)
        await self.result(gateway, dial, "ANSWERED")
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await anne.expect("assigned", ours.id)
        counts = {c.kind: c for c in (await self.promises()).counts}[types_pb2.PROMISE_KIND_FOLLOW_UP]
        self.assertEqual((counts.made, counts.kept, counts.late), (1, 1, 0))
        taken = gateway.arrive("~mine", VOICE, queue="support")
        await self.assert_refused(taken, "INVALID", "key")


class Typed(Owed):
    """What supervisors type."""

    CONFIG = centre([queue("support", "voice", "chat", callback=callbacks(mode="customer_first"))],
                    [agent("anne", authority=2_000), agent("bob", authority=50_000)])

    async def typed(self, *arguments: str) -> str:
        code, out, errors = await run(*arguments, "--router", self.router.grpc)
        self.assertEqual(code, 0, errors)
        return out

    async def listed(self, *arguments: str) -> list[dict]:
        await self.caught_up()
        return json.loads(await self.typed(*arguments, "--json"))

    async def ordered(self, *arguments: str) -> str:
        return await self.typed(*arguments, "--why", "a test", "--actor", "sam")

    async def refused(self, *arguments: str) -> str:
        code, _, errors = await run(*arguments, "--why", "a test", "--actor", "sam",
                                    "--router", self.router.grpc)
        self.assertNotEqual(code, 0)
        return errors

    async def test_callbacks_are_listed_and_made_once_more(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        await anne.not_ready()
        calls = [await gateway.arrive(f"call-{n}", VOICE, queue="support") for n in range(2)]
        for call in calls:
            await self.wants(gateway, call)
        rows = await self.listed("callback", "list", "--queue", "support")
        self.assertEqual([(r["contact_id"], r["kind"], r["phase"], r["tries"]) for r in rows],
                         [(c.id, "place", phase, 0)
                          for c, phase in zip(calls, ("pressing", "patient"))])
        self.assertEqual(await self.listed("callback", "list", "--exhausted"), [])
        await anne.ready()
        dial = (await calls[0].expect("dial")).body
        await self.result(gateway, dial, "INVALID")
        dial = (await calls[1].expect("dial")).body
        await self.result(gateway, dial, "NO_ANSWER")
        # A table without a row for it repeats nothing.
        await self.callback_of(calls[1].id, "EXHAUSTED")
        rows = await self.listed("callback", "list", "--exhausted")
        self.assertEqual([(r["phase"], r["outcomes"]) for r in rows],
                         [("invalid_number", ["invalid 1"]), ("exhausted", ["no_answer 1"])])
        self.assertIn("no_answer 1", await self.typed("callback", "list"))
        self.assertIn(f"contact {calls[0].id}", await self.refused("callback", "now", str(calls[0].id)))
        await self.ordered("callback", "now", str(calls[1].id), "--agent", "anne")
        dial = (await calls[1].expect("dial")).body
        self.assertEqual(dial.agent, "anne")
        await self.result(gateway, dial, "ANSWERED")
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(calls[1].id, "ASSIGNED", "anne")
        self.assertIn("sam", str((await self.see(calls[1].id, "ASSIGNED")).timeline))

    async def test_promises_are_listed_and_ended(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="support")
        await anne.take(chat.id)
        due = now_ms() + DAY
        made = [await anne.act(promise=types_pb2.Pledge(
            contact_id=chat.id, kind=kind, due_unix_ms=due))
            for kind in (types_pb2.PROMISE_KIND_FOLLOW_UP, types_pb2.PROMISE_KIND_REPLY)]
        rows = await self.listed("promise", "list")
        self.assertEqual([(r["promise_id"], r["kind"], r["owner"], r["contact_id"]) for r in rows],
                         [(made[0].promise_id, "follow_up", "anne", chat.id),
                          (made[1].promise_id, "reply", "anne", chat.id)])
        for row in rows:
            self.assertAlmostEqual(row["due_unix_ms"], due, delta=100)
        self.assertEqual(await self.listed("promise", "list", "--late"), [])
        await self.ordered("promise", "end", str(made[0].promise_id), "--kept")
        await self.ordered("promise", "end", str(made[1].promise_id))
        self.assertEqual(await self.listed("promise", "list"), [])
        table = await self.typed("promise", "list")
        self.assertIn("follow_up: 1 made, 1 kept, 0 open, 0 broken; 0 late", table)
        self.assertIn("reply: 1 made, 0 kept, 0 open, 1 broken; 0 late", table)
        self.assertIn("promise", await self.refused("promise", "end", "99"))

    async def test_work_to_make_good_is_led_approved_and_done(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="support")
        await anne.take(chat.id)
        first, second = [str(await anne.act(open_recovery=types_pb2.Remedy(
            contact_id=chat.id, cents=cents, due_unix_ms=now_ms() + 1_000))) for cents in (5_000, 60_000)]

        async def overdue():
            return await self.listed("recovery", "list", "--overdue")

        rows = await self.eventually(overdue, lambda rows: len(rows) == 2, "both to be overdue")
        self.assertEqual([(str(r["recovery_id"]), r["owner"], r["remedy_cents"], r["approved"]) for r in rows],
                         [(first, "anne", 5_000, False), (second, "anne", 60_000, False)])
        self.assertIn("approve", await self.refused("recovery", "done", first))
        # It is within his authority; the other is within nobody's.
        await self.ordered("recovery", "lead", first, "--to", "bob")
        await self.ordered("recovery", "lead", second, "--to", "bob")
        rows = await self.listed("recovery", "list")
        self.assertEqual([(r["owner"], r["approved"]) for r in rows], [("bob", True), ("bob", False)])
        self.assertIn("600.00", await self.typed("recovery", "list"))
        await self.ordered("recovery", "done", first)
        await self.ordered("recovery", "approve", second)
        [row] = await self.listed("recovery", "list")
        self.assertEqual((str(row["recovery_id"]), row["approved"]), (second, True))
        await self.ordered("recovery", "done", second)
        self.assertEqual(await self.listed("recovery", "list"), [])
        seen = await unary(self.owed.ListRecoveries(owed_pb2.ListRecoveriesRequest()))
        self.assertEqual((seen.opened, seen.done, seen.became_overdue), (2, 2, 2))
