"""Killed under load, again and again, at every kill point and at any moment."""

import collections
import itertools
import os
import random
import time

import load
from router import RouterDied
from stage import LONG, POINTS, FaultTest, kill_points, percentile

KILLS = int(os.environ.get("SURGELINE_KILLS", 1_000 if LONG else 40))
PER_SECOND = 300
ANYWHERE = "SIGKILL at any moment"
# Passed once a batch; others are passed seldom, and strike the first time.
EVERY_BATCH = {p for p in POINTS if p.startswith(("writer-", "journal-before", "journal-after"))}
# Passed some times a second, while the archive has something to write.
EVERY_COMMIT = {p for p in POINTS if p.endswith("-commit")}
# Sealing comes once in 64 MiB: customers say a lot until then, and few of the kills are there.
SEAL, SEALS, PADDING = "journal-seal", 20 if LONG else 2, " and so on" * 1_500
# Seconds in which a point must be reached, before it is killed all the same.
REACHED_IN = 60


class Row:
    """What came of the kills at one point."""

    def __init__(self):
        self.kills = self.missed = self.acknowledged = self.lost = self.doubled = 0
        self.restarts: list[float] = []


class Kills(FaultTest):
    # Snapshots often, where there are any: each kill is to find one half way.
    CONFIG = load.config(more=load.journal(snapshot_every_entries=3_000))

    async def test_killed_at_every_point(self):
        random.seed(4)
        known = kill_points()
        skipped = [p for p in POINTS if p not in known]
        if skipped:
            print(f"\nSKIPPED, not in these sources: {len(skipped)}: {', '.join(skipped)}")
        plan = self.plan(known)
        table: dict[str, Row] = collections.defaultdict(Row)
        self.arm(plan[0])
        await self.start()
        try:
            for point, following in itertools.pairwise([*plan, ANYWHERE]):
                await self.one_kill(point, following, table)
        finally:
            self.print_table(table)
        await self.all_is_well()
        self.assertEqual(await self.router.stop(), 0)
        await self.load.gone()
        await self.replay_is_right()

    @staticmethod
    def plan(known: list[str]) -> list[str]:
        """All points in turn, and few seals among them."""
        seals = SEALS if SEAL in known else 0
        turn = itertools.cycle([*(p for p in known if p != SEAL), ANYWHERE])
        plan = list(itertools.islice(turn, KILLS - seals))
        for i in range(seals):
            plan.insert((i + 1) * KILLS // (seals + 1), SEAL)
        return plan

    def arm(self, point: str) -> None:
        """The next start dies at this point."""
        self.struck = False
        if point == ANYWHERE:
            self.router.env.pop("FAILPOINTS", None)
            return
        after = 0
        if point in EVERY_BATCH:
            after = random.randrange(30, 500)
        elif point in EVERY_COMMIT:
            after = random.randrange(15)
        self.router.env["FAILPOINTS"] = f"{point}={after}*off->return"

    async def one_kill(self, point: str, following: str, table: dict[str, Row]) -> None:
        row = table[point]
        before = self.load.ledger.acknowledged
        for gateway in self.load.gateways:
            gateway.padding = PADDING if point == SEAL else ""
        self.load.run(PER_SECOND)
        if point == ANYWHERE or self.struck:
            await self.acknowledged(random.randrange(50, 800))
            await self.router.kill()
        else:
            await self.dies(row)
        row.kills += 1
        await self.load.gone()
        row.acknowledged += self.load.ledger.acknowledged - before

        self.arm(following)
        row.restarts.append(await self.start_again())
        # First what was acknowledged, before anybody says anything again.
        problems = []
        try:
            problems.append(await self.load.check(in_flight=True))
            await self.load.resync()
            await self.load.quiet()
            problems.append(await self.load.check(in_flight=False))
        except Exception:
            # The next kill point may strike as soon as the router serves: what it would have
            # been asked is asked after the next start.
            if not await self.dying():
                raise
        for found in problems:
            row.lost += len(found.lost)
            row.doubled += len(found.doubled)
            self.assertFalse(found, f"kill {point}: {found}")

    async def dies(self, row: Row) -> None:
        """Until the point has struck; it is killed if that does not happen in time."""
        until = time.monotonic() + REACHED_IN
        try:
            await self.until(lambda: not self.router.running or time.monotonic() > until,
                             "the kill point", REACHED_IN + 5)
        finally:
            if self.router.running:
                row.missed += 1
        await self.router.kill()

    async def dying(self) -> bool:
        """Whether the router is gone; its lines end a moment before the process does."""
        until = time.monotonic() + 5
        await self.until(lambda: not self.router.running or time.monotonic() > until, "its end", 10)
        return not self.router.running

    async def start_again(self) -> float:
        """The seconds of the start that came through; the point may strike in a start."""
        while True:
            try:
                return await self.restart()
            except RouterDied as died:
                if "exit code -6" not in str(died):
                    raise
                # It has struck, before anybody was served; after that it is killed anywhere.
                self.struck = True
                self.router.env.pop("FAILPOINTS", None)

    def print_table(self, table: dict[str, Row]) -> None:
        print(f"\n{'point':24}{'kills':>6}{'missed':>7}{'acknowledged':>13}{'lost':>5}{'doubled':>8}"
              f"{'restart ms p50':>15}{'max':>6}")
        for point, row in table.items():
            ms = [1_000 * s for s in row.restarts]
            print(f"{point:24}{row.kills:6}{row.missed:7}{row.acknowledged:13}{row.lost:5}{row.doubled:8}"
                  f"{percentile(ms, 0.5):15.0f}{max(ms, default=0):6.0f}")
        print(f"refusals on the way: {self.load.ledger.refused}")
