"""The interval record, against what the test itself did and timed."""

import asyncio
import csv
import io
import json
import time

from surgeline.v1 import supervisor_pb2, supervisor_pb2_grpc, types_pb2

from router import run
from support import PATIENCE, RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE

HOUR = 3_600_000


class Record(RouterTest):
    CONFIG = centre(
        [queue("support", "voice", "chat", target="1h", wrap_up="60s", callback={"per_hour": 3_600}),
         queue("patient", "chat", steps=[{"after": "1s", "overflow": {"queue": "general"}}]),
         queue("general", "chat"),
         queue("shut", "chat", hours="never", closed={"tell": "closed", "then": "close"})],
        [agent("anne"), agent("bob")],
        settings={"short_abandon": "60s"},
    ) + ('[[calendars]]\nname = "never"\nzone = "UTC"\n'
         '[[announcements]]\nname = "closed"\ntexts = { en = "We are closed." }\n')

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.began_ms = int(time.time() * 1_000)
        self.pbx = await self.gateway()
        self._stub = supervisor_pb2_grpc.SupervisorServiceStub(self.channel())

    async def report(self, by: int, **more) -> dict[str, dict[str, int]]:
        """Each queue's or agent's sums over all intervals."""
        request = supervisor_pb2.ReportIntervalsRequest(
            by=by, from_unix_ms=self.began_ms - HOUR, **more)
        sums: dict[str, dict[str, int]] = {}
        async with asyncio.timeout(PATIENCE):
            async for part in self._stub.ReportIntervals(request):
                for row in part.rows:
                    # A quarter may end while the test runs.
                    mine = sums.setdefault(row.name, dict.fromkeys(part.columns, 0))
                    for column, value in zip(part.columns, row.values, strict=True):
                        mine[column] += value
        return sums

    async def reported(self, by: int, of: str, **wanted: int) -> dict[str, int]:
        """Waits until these are in it, as the archive follows; then nothing else may be."""
        async def look():
            return (await self.report(by)).get(of, {})

        def is_so(seen):
            return all(seen.get(column) == n for column, n in wanted.items())
        return await self.eventually(look, is_so, f"the record of {of} to be {wanted}")

    async def test_queues_and_agents_are_counted_as_it_happened(self):
        anne, bob = await self.ready("anne", "bob")
        signed_in = time.monotonic()
        # A chat is declined, taken by the other, held, sent on, and completed.
        chat = await self.pbx.arrive("chat-1", CHAT, queue="support")
        await anne.decline(await anne.expect_offer(chat.id))
        await anne.not_ready("lunch")
        await bob.take(chat.id)
        taken = time.monotonic()
        # Long enough to be told from nothing.
        await asyncio.sleep(1)
        await bob.transfer(chat.id, queue="support")
        let_go = time.monotonic()
        await bob.take(chat.id)
        await bob.complete(chat.id)
        await bob.not_ready("lunch")
        # One leaves, one is called back, one is closed, one overflows, one comes while it is shut.
        gone = await self.pbx.arrive("call-1", VOICE, queue="support")
        await gone.customer_left()
        owed = await self.pbx.arrive("call-2", VOICE, queue="support")
        await self.pbx.report(callback_wanted=dict(contact_id=owed.id, number_confirmed=True))
        closed = await self.pbx.arrive("chat-2", CHAT, queue="support")
        await self.supervisor.close(closed.id)
        waits = await self.pbx.arrive("chat-3", CHAT, queue="support")
        over = await self.pbx.arrive("chat-4", CHAT, queue="patient")
        await over.expect("waiting", where=lambda now: now.queue == "general")
        shut = await self.pbx.arrive("chat-5", CHAT, queue="shut")
        await self.assert_ended(shut, "QUEUE_CLOSED")
        await self.see(waits.id, "QUEUED")

        by_queue, by_agent = supervisor_pb2.INTERVALS_BY_QUEUE, supervisor_pb2.INTERVALS_BY_AGENT
        seen = await self.reported(
            by_queue, "support", offered=6, transferred_in=1, transferred_out=1, answered=2,
            answered_in_target=2, abandoned=1, abandoned_short=1, abandoned_after_target=0,
            to_callback=1, callbacks=1, callbacks_answered=0, callbacks_ended=0, ended=1,
            moved_in=0, moved_out=0, overflowed_in=0, overflowed_out=0, self_served=0, waiting=1)
        talked = (let_go - taken) * 1e6
        self.assertGreaterEqual(seen["talk_us"], 1e6)
        self.assertLess(seen["talk_us"], talked + 10e6)
        await self.reported(by_queue, "patient", offered=1, overflowed_out=1, waiting=0)
        await self.reported(by_queue, "general", offered=1, overflowed_in=1, waiting=1)
        await self.reported(by_queue, "shut", offered=1, ended=1, abandoned=0, waiting=0)
        seen = await self.reported(by_agent, "anne", offered=1, declined=1, answered=0, missed=0,
                                   transferred=0, requeued=0, connect_failed=0, talk_us=0)
        seen = await self.reported(by_agent, "bob", offered=2, declined=0, answered=2, missed=0,
                                   transferred=1, requeued=0)
        at_work = (time.monotonic() - signed_in) * 1e6
        self.assertEqual(seen["staffed_us"], seen["ready_us"] + seen["not_ready_us"])
        self.assertLess(seen["ready_us"], at_work)
        self.assertGreaterEqual(seen["ready_us"], 1e6)
        # What is typed says the same.
        rows = csv.DictReader(io.StringIO(await self.typed("--by", "queue", "--csv")))
        rows = [row for row in rows if row["queue"] == "support"]
        self.assertEqual([sum(int(row[c]) for row in rows) for c in ("offered", "answered", "to_callback")],
                         [6, 2, 1])
        told = json.loads(await self.typed("--by", "agent", "--every", "30m", "--json"))
        self.assertEqual((told["by"], told["every_minutes"]), ("agent", 30))
        self.assertEqual(sum(row["answered"] for row in told["rows"] if row["agent"] == "bob"), 2)
        self.assertIn("support", await self.typed("--by", "queue"))

    async def typed(self, *arguments: str) -> str:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began_ms / 1_000 - 3_600))
        code, out, errors = await run("report", "interval", "--from", since, *arguments,
                                      "--grpc", self.router.grpc)
        self.assertEqual(code, 0, errors)
        return out

    async def test_what_cannot_be_answered_is_said(self):
        for field, wrong in (("every_minutes", 20), ("time_zone", "Mars/Base"), ("to_unix_ms", 1)):
            with self.subTest(field):
                with self.assertRaises(Exception) as caught:
                    await self.report(supervisor_pb2.INTERVALS_BY_QUEUE, **{field: wrong})
                self.assertEqual(caught.exception.code().name, "INVALID_ARGUMENT")
                self.assertIn(field, caught.exception.details())
