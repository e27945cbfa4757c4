"""HTTP/2 as an attacker speaks it: the router's memory stays, and honest clients' answers come.

Malformed, oversized, out-of-order and replayed messages within HTTP/2 are refused in
`tests/python/test_refusals.py` and `test_edges.py`.
"""

import asyncio
import json
import sys
from pathlib import Path

from stage import LONG, FaultTest, percentile

SECONDS = 60 if LONG else 8
# What an attack may cost in memory, for all that lasts.
MOST_KIB = 64 * 1_024
# No honest answer takes so long. How long they take is printed: attacker, clients and router
# share two cores, and a bound on that would be one on the machine.
PATIENCE = 5.0


class Attacks(FaultTest):
    async def attacked(self, kind: str) -> dict:
        await self.start()
        self.load.run(60)
        await self.acknowledged(600)
        self.latencies()
        await self.acknowledged(1_500)
        before, memory = self.latencies(), self.memory_kib()
        attacker = await asyncio.create_subprocess_exec(
            sys.executable, Path(__file__).with_name("attacker.py"), kind, self.router.grpc, str(SECONDS),
            stdout=asyncio.subprocess.PIPE)
        waiting = asyncio.create_task(attacker.communicate())
        most = memory
        while not waiting.done():
            most = max(most, self.memory_kib())
            await asyncio.wait([waiting], timeout=0.1)
        during = self.latencies()
        told = json.loads(waiting.result()[0])
        p99 = [percentile(took, 0.99) for took in (before, during)]
        print(f"\n{kind}, {SECONDS} s: {told}; honest p99 {1_000 * p99[0]:.0f} ms before ({len(before)}), "
              f"{1_000 * p99[1]:.0f} ms meanwhile ({len(during)}); memory {memory} KiB, at most {most} KiB")
        self.assertGreater(len(during), 100)
        self.assertLess(most - memory, MOST_KIB)
        self.assertLess(max(during), PATIENCE)
        await self.all_is_well()
        return told

    def latencies(self) -> list[float]:
        took = [t for line in self.load.lines for t in line.took]
        for line in self.load.lines:
            line.took.clear()
        return took

    async def test_rapid_reset(self):
        self.assertGreater((await self.attacked("rapid-reset")).get("thrown out", 0), 0)

    async def test_a_header_that_never_ends(self):
        self.assertGreater((await self.attacked("continuation")).get("thrown out", 0), 0)

    async def test_data_without_data(self):
        await self.attacked("empty-data")

    async def test_handshakes_that_never_end(self):
        told = await self.attacked("slow-handshake")
        self.assertGreater(told.get("thrown out", 0), 0, "connections without a handshake are kept")
