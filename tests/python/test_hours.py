"""Queues that open and close by the clock on the wall, who is called back by their hours, and what a
router owes that was gone meanwhile."""

import unittest
from datetime import UTC, datetime, timedelta

from surgeline.v1 import types_pb2

from surgeline_client import CHAT, VOICE
from test_callbacks import Owed
from wall import LIBRARIES, Wall

HOUR = 3_600_000

# A Wednesday, and the holiday after it.
EVE = datetime(2027, 5, 5, tzinfo=UTC)
HOLIDAY = EVE + timedelta(days=1)

CONFIG = '''
[[pools]]
name = "own"

[[calendars]]
name = "office"
zone = "UTC"
week = { mon = ["08:00-18:00"], tue = ["08:00-18:00"], wed = ["08:00-18:00"], thu = ["08:00-18:00"] }
[[calendars.holidays]]
date = 2027-05-06
name = "Ascension Day"
hours = ["10:00-12:00"]

[[announcements]]
name = "closed"
texts = { en = "We open {opens}." }

[[queues]]
name = "shop"
channels = ["chat"]
hours = "office"
closed = { tell = "closed", then = "close" }
wrap_up = "0s"

[[queues]]
name = "desk"
channels = ["voice"]
hours = "office"
closed = { tell = "closed", then = "callback" }
wrap_up = "0s"
[queues.callback]
per_hour = 3600
share = 100

[[agents]]
name = "anne"
pool = "own"
capacity = { voice = 1, chat = 1 }
'''


def at(day: datetime, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return day.replace(hour=hour, minute=minute, second=second)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


@unittest.skipUnless(LIBRARIES, "libfaketime is not installed")
class ByTheWall(Owed):
    """A router with a wall clock of its own."""

    CONFIG = CONFIG
    # What it says when the router starts.
    BEGINS = at(EVE, 17, 55)

    def before_start(self):
        self.wall = Wall(self.folder)
        self.wall.set(self.BEGINS)
        self.router.env = self.wall.env

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        self._looks = 0

    async def is_open(self) -> bool:
        """Whether a chat that comes now is let wait; it leaves again."""
        self._looks += 1
        chat = await self.pbx.arrive(f"look-{self._looks}", CHAT, queue="shop")

        async def kinds():
            return chat.kinds()
        told = await self.eventually(kinds, bool, "a word about a chat")
        if told[0] == "waiting":
            await chat.customer_left()
        return told[0] == "waiting"

    async def until(self, is_open: bool):
        """Waits until the office is open or closed: a clock that is set is noticed in 5 s."""
        await self.eventually(self.is_open, lambda now: now == is_open, f"open: {is_open}")


class OpensAndCloses(ByTheWall):
    async def test_a_queue_goes_by_its_week_and_its_holidays(self):
        self.assertTrue(await self.is_open())
        self.wall.set(at(EVE, 18))
        await self.until(False)
        chat = await self.pbx.arrive("chat-1", CHAT, queue="shop")
        said = await chat.hears("notice.closed")
        self.assertEqual(said.text.words, "We open 2027-05-06 10:00.", "later than on other Thursdays")
        await self.assert_ended(chat, "QUEUE_CLOSED")
        self.wall.set(at(HOLIDAY, 9, 59, 58))
        await self.until(True)
        self.wall.set(at(HOLIDAY, 12))
        await self.until(False)

    async def test_who_waits_when_it_closes_is_served_all_the_same(self):
        chat = await self.pbx.arrive("chat-1", CHAT, queue="shop")
        call = await self.pbx.arrive("call-1", VOICE, queue="desk")
        self.wall.set(at(EVE, 18))
        await self.until(False)
        # They were not turned away: a number that is known now takes nobody off the line.
        await self.pbx.report(number_confirmed=dict(contact_id=call.id, confirmed=True))
        await self.caught_up()
        await self.see(call.id, "QUEUED")
        [anne] = await self.ready("anne")
        served = set()
        for _ in range(2):
            taken = await anne.take()
            served.add(taken.contact_id)
            await anne.complete(taken.contact_id)
        self.assertEqual(served, {chat.id, call.id})

    async def test_no_call_is_promised_for_a_time_at_which_nobody_is_there(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="desk")
        night = dict(from_unix_ms=ms(at(EVE, 19)), until_unix_ms=ms(at(EVE, 20)))
        no = await self.assert_refused(self.wants(self.pbx, call, window=night),
                                       "EXHAUSTED", "window", "NO_ROOM")
        opens = ms(at(HOLIDAY, 10))
        self.assertGreaterEqual(no.next_window_unix_ms, opens - 1_000)
        self.assertLess(no.next_window_unix_ms, opens + 3_600_000)
        day = dict(from_unix_ms=opens, until_unix_ms=ms(at(HOLIDAY, 12)))
        promised = await self.wants(self.pbx, call, window=day)
        self.assertGreater(promised.due_unix_ms, opens)


class CalledAfterTheOpening(ByTheWall):
    OPENS = at(EVE, 8)
    # So long before it that all of a test's first half is done by then.
    BEGINS = OPENS - timedelta(seconds=15)

    async def test_who_is_turned_away_and_has_a_number_is_called_when_it_opens(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="desk")
        said = await call.hears("notice.closed")
        self.assertEqual(said.text.words, "We open 2027-05-05 08:00.")
        await self.pbx.report(number_confirmed=dict(contact_id=call.id, confirmed=True))
        await call.expect("callback_due")
        await call.customer_left()
        row = await self.callback_of(call.id, "HELD")
        self.assertGreater(row.due_unix_ms, ms(self.OPENS))
        [anne] = await self.ready("anne")
        await self.see_agent("anne", "READY")
        await self.see(call.id, "CALLBACK_DUE")
        self.assertLess(self.wall.now_ms(), ms(self.OPENS), "the first half took too long")
        self.assert_offers_to_nobody(anne)

        offer = await anne.expect_offer(call.id)
        self.assertGreaterEqual(self.wall.now_ms(), ms(self.OPENS) - 50)
        self.assertTrue(offer.callback)
        await anne.accept(offer)
        dial = (await call.expect("dial")).body
        await self.result(self.pbx, dial, "ANSWERED")
        await self.pbx.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(call.id, "ASSIGNED", "anne")
        [counts] = [c for c in (await self.promises()).counts
                    if c.kind == types_pb2.PROMISE_KIND_CALLBACK]
        self.assertEqual((counts.made, counts.kept, counts.late), (1, 1, 0))

    async def test_a_call_asked_for_while_it_is_closed_is_due_after_the_opening(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="desk")
        promised = await self.wants(self.pbx, call)
        self.assertGreater(promised.due_unix_ms, ms(self.OPENS))
        [anne] = await self.ready("anne")
        await self.callback_of(call.id, "HELD")
        self.assertLess(self.wall.now_ms(), ms(self.OPENS), "the first half took too long")
        await anne.expect_offer(call.id)
        self.assertGreaterEqual(self.wall.now_ms(), ms(self.OPENS) - 50)


class AfterAnOutage(ByTheWall):
    """The router is gone for two hours."""

    BEGINS = at(EVE, 9)

    async def outage(self):
        await self.caught_up()
        await self.router.kill()
        self.wall.set(at(EVE, 11, 0, 2))
        await self.router.start()
        self.pbx = await self.gateway()

    async def test_hours_and_times_that_were_promised_are_those_on_the_wall(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="desk")
        begins = ms(at(EVE, 11))
        await self.wants(self.pbx, call, hours=dict(from_unix_ms=begins, lasting_ms=HOUR))
        row = await self.callback_of(call.id, "HELD")
        self.assertAlmostEqual(row.wakes_in_ms, 2 * HOUR, delta=60_000)
        later = await self.pbx.arrive("call-2", VOICE, queue="desk")
        window = dict(from_unix_ms=ms(at(EVE, 14)), until_unix_ms=ms(at(EVE, 15)))
        promised = await self.wants(self.pbx, later, window=window)
        await self.outage()
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(call.id)
        self.assertTrue(offer.callback)
        row = await self.callback_of(later.id, "HELD")
        self.assertAlmostEqual(row.due_unix_ms, promised.due_unix_ms, delta=5_000)
        self.assertAlmostEqual(row.wakes_in_ms, 3 * HOUR, delta=60_000)

    async def test_what_was_due_meanwhile_is_late(self):
        chat = await self.pbx.arrive("chat-1", CHAT, queue="shop")
        [anne] = await self.ready("anne")
        await anne.take(chat.id)
        due = ms(at(EVE, 10))
        await anne.act(promise=types_pb2.Pledge(
            contact_id=chat.id, kind=types_pb2.PROMISE_KIND_REPLY, due_unix_ms=due))
        await self.outage()

        async def promise():
            return (await self.promises()).promises[0]
        row = await self.eventually(promise, lambda row: row.late, "the promise to be late")
        self.assertAlmostEqual(row.due_unix_ms, due, delta=5_000)


if __name__ == "__main__":
    unittest.main()
