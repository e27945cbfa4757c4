"""The wall clock jumps, across a restart and under the router's feet, by libfaketime.

Order comes from the order of messages and time from the boot clock, which does not jump:
nothing may expire, nobody may lose their place. The boot clock itself is not faked.
"""

import unittest
from pathlib import Path

from stage import FaultTest
from surgeline.v1 import types_pb2

LIBRARIES = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
JUMPS = ("+1h", "-1h", "-2d", "+2d")
# A restart lets at most 15 minutes pass, and two of the jumps go ahead.
LONGEST_WAIT_MS = 31 * 60 * 1_000


@unittest.skipUnless(LIBRARIES, "libfaketime is not installed")
class Clocks(FaultTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.clock = self.folder / "clock"
        self.set_clock("+0")
        self.router.env = {
            "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
        }

    def set_clock(self, to: str) -> None:
        self.clock.write_text(to + "\n")

    async def line(self, queue: str) -> list[str]:
        """Who waits, first in line first."""
        await self.load.read()
        rows = await self.load.supervisor.contacts(queue=queue, state=types_pb2.CONTACT_STATE_QUEUED)
        places = [((await self.load.supervisor.contact(row.contact_id)).position, row.key) for row in rows]
        return [key for _, key in sorted(places)]

    async def everyone_waits(self) -> list[str]:
        """A line of forty, two agents who are talking, and one with an offer."""
        await self.start(hang_up=0)
        for desktop in self.load.desktops:
            for agent in desktop.agents:
                await desktop.become(agent, "NOT_READY")
        for _ in range(40):
            await self.load.gateways[0].arrive()
        return await self.line("phone")

    async def check(self, line: list[str]) -> None:
        await self.all_is_well()
        self.assertEqual(await self.line("phone"), line)
        queues = await self.load.supervisor.queues()
        waited = queues["phone"].oldest_wait_ms
        self.assertLess(waited, LONGEST_WAIT_MS, "the wait follows the wall clock")

    async def sees_the_clock(self) -> float:
        """What time the router believes it is: seconds since 1970."""
        watch = self.load.supervisor.watch_queues()
        try:
            return ((await watch.read()).read_unix_ms / 1_000)
        finally:
            watch.cancel()

    async def test_a_clock_that_is_another_after_a_restart(self):
        line = await self.everyone_waits()
        self.assertEqual(len(line), 40)
        for jump in JUMPS:
            with self.subTest(jump):
                now = await self.sees_the_clock()
                await self.router.kill()
                await self.load.gone()
                self.set_clock(jump)
                await self.restart()
                self.assertGreater(abs(await self.sees_the_clock() - now), 3_000, "the clock was not faked")
                await self.all_is_well(in_flight=True)
                await self.load.resync()
                await self.check(line)
        await self.goes_on(line)

    async def test_a_clock_that_jumps_while_it_runs(self):
        line = await self.everyone_waits()
        for jump in JUMPS:
            with self.subTest(jump):
                now = await self.sees_the_clock()
                self.set_clock(jump)
                self.assertGreater(abs(await self.sees_the_clock() - now), 3_000, "the clock was not faked")
                # Whatever was due by it would be done with the next command.
                await self.load.gateways[1].arrive()
                await self.check(line)
        await self.goes_on(line)

    async def goes_on(self, line: list[str]) -> None:
        """Agents become ready, and all of it is served."""
        self.load.run(100)
        for desktop in self.load.desktops:
            await desktop.all_ready()
        await self.acknowledged(1_000)
        await self.until(lambda: not set(line) & set(self.load.gateways[0].held), "the line to be served")
        await self.all_is_well()
        await self.router.kill()
        await self.load.gone()
        report = await self.verify()
        self.assertEqual(report["marks_differing"], [])
