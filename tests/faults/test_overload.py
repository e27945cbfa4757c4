"""Ten times what the agents can serve, from clients that ask again: what was accepted is kept,
the rest is told when to come back, and memory stays where it is.
"""

import asyncio
import time

import load
from clients import UNANSWERED, LoadGateway
from stage import LONG, FaultTest, percentile

SECONDS = 60 if LONG else 12
MOST_OPEN = 1_500
# 24 agents with three chats each, half a second for each: about 100 contacts a second.
PAUSE, PER_SECOND = 0.5, 1_000
GATEWAYS = 6
MOST_KIB = 96 * 1_024


class Overload(FaultTest):
    CONFIG = load.config(settings={"most_contacts": MOST_OPEN})

    async def test_ten_times_the_load_with_retries(self):
        await self.start(pause=PAUSE, hang_up=0.02)
        crowd = [LoadGateway(self.router.channel(), f"crowd-{i}", self.load.ledger, "desk", hang_up=0.02)
                 for i in range(GATEWAYS)]
        self.load.gateways += crowd
        for gateway in crowd:
            await gateway.connect()
        memory = most = self.memory_kib()
        began, sent, held_back = time.monotonic(), 0, 0
        while (passed := time.monotonic() - began) < SECONDS:
            for _ in range(int(passed * PER_SECOND) - sent - held_back):
                gateway = crowd[sent % GATEWAYS]
                if len(gateway.doubt) < UNANSWERED:
                    gateway.begin(gateway.arrive())
                    sent += 1
                else:
                    held_back += 1
            most = max(most, self.memory_kib())
            await asyncio.sleep(0.01)
        ledger = self.load.ledger
        accepted, shed = len(ledger.contacts), sum(ledger.refused.values())
        delays = [d for g in crowd for d in g.delays]
        served = [t for desktop in self.load.desktops for t in desktop.took]
        print(f"\n{SECONDS} s of {PER_SECOND} arrivals a second: {sent} asked, {accepted} accepted, "
              f"{len(delays)} times told to come back after {min(delays, default=0)} to {max(delays, default=0)} ms, "
              f"{held_back} held back by gateways; {len(ledger.ends())} served; agents' answers p50 "
              f"{1_000 * percentile(served, 0.5):.0f} ms, p99 {1_000 * percentile(served, 0.99):.0f} ms; memory "
              f"{memory} KiB, at most {most} KiB; refused: {ledger.refused}")
        self.assertGreater(len(delays), 1_000, "this was no overload")
        self.assertGreater(min(delays), 0)
        self.assertGreater(shed, 0)
        self.assertLess(most - memory, MOST_KIB)
        self.assertGreater(len(served), 100)
        # Agents are served as the house is full: their answers are not behind the crowd's.
        self.assertLess(percentile(served, 0.99), 1)
        # Nobody new: what still asks gets in as others leave, or gives up.
        for gateway in crowd:
            gateway.persists = False
        await self.load.quiet()
        await self.all_is_well()
        self.assertEqual(await self.router.stop(), 0)
        await self.load.gone()
        await self.replay_is_right()
