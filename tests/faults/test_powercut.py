"""The power goes: what was acknowledged is there, from what the disk had promised alone.

A router runs under strace for a while; then its calls are carried out again on a disk of
our own, up to many a moment, and what would have been left is given to a new router.
"""

import collections
import random
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import load
import powercut
from router import Router, RouterDied
from stage import LONG, FaultTest, needs

VARIANTS = ("synced", "some", "torn")
CUTS = None if LONG else 120
ACKNOWLEDGED = 4_000 if LONG else 1_500


class Trace(unittest.TestCase):
    """How a trace is read."""

    def test_a_call_that_the_kill_cut_short_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            trace.write_text(
                '7 1.000 write(5, "\\x61"..., 1) = 1 <0.5>\n'
                '8 2.000 fdatasync(5) = ? <unavailable>\n'
                '9 2.250 fdatasync(5 <unfinished ...>\n'
                '9 2.500 +++ killed by SIGKILL +++\n')
            self.assertEqual([(c.name, c.result, c.ended) for c in powercut.calls(trace)], [("write", 1, 1.5)])


@needs("strace")
class PowerCut(FaultTest):
    # Snapshots come within a short life, and no ballast fills the trace.
    CONFIG = load.config(more=load.journal(snapshot_every_entries=1_000, ballast_mib=1))

    async def recorded(self) -> tuple[list[powercut.Call], Path]:
        """A short life under load, killed, as a trace."""
        trace = self.folder / "trace"
        self.router.under = powercut.under(trace)
        self.router.data = self.folder / "disk" / "data"
        self.router.data.parent.mkdir()
        await self.start()
        self.load.run(150)
        await self.acknowledged(ACKNOWLEDGED, patience=300)
        await self.router.kill()
        await self.load.gone()
        await self.until(lambda: b"+++ killed by SIGKILL +++" in trace.read_bytes()[-4_000:], "strace to end")
        self.router.under = []
        return powercut.calls(trace), self.router.data

    async def test_what_was_acknowledged_before_the_cut_is_there(self):
        random.seed(7)
        calls, data = await self.recorded()
        disk = powercut.Disk(data.parent)
        # Every sync is a moment of its own, and so is the call before each.
        probe, syncs = powercut.Disk(data.parent), []
        for i, call in enumerate(calls):
            if probe.apply(call):
                syncs.append(i)
        self.assertGreater(len(syncs), 100)
        chosen = {(at, variant) for at in syncs for variant in VARIANTS}
        if CUTS is not None:
            # The first ones are where files are made.
            early = [(at, variant) for at in syncs[:CUTS // 6] for variant in ("synced", "torn")]
            late = [(random.choice(syncs), random.choice(VARIANTS)) for _ in range(CUTS - len(early))]
            chosen = {*early, *late}
        # Some strike right after the sync, others right before the next call is over.
        moments = collections.defaultdict(set)
        for at, variant in chosen:
            moments[at if variant == "synced" else max(at - 1, 0)].add(variant)
        done = collections.Counter()
        for i, call in enumerate(calls):
            disk.apply(call)
            for variant in sorted(moments.get(i, ())):
                following = calls[i + 1].began if i + 1 < len(calls) else time.time()
                await self.cut(disk, variant, max(call.ended, following), i, data)
                done[variant] += 1
        print(f"\n{len(calls)} calls, {len(syncs)} syncs, {self.load.ledger.acknowledged} acknowledged; "
              f"cuts that lost nothing: {dict(done)}")

    async def cut(self, disk: powercut.Disk, variant: str, when: float, i: int, data: Path) -> None:
        folder = self.folder / f"cut-{i}-{variant}"
        folder.mkdir()
        again = Router(folder, self.CONFIG)
        powercut.lay_out(disk.left(variant, random.Random(i)), data.parent, folder / "disk")
        again.data = folder / "disk" / data.name
        kept, kept_supervisor = self.load.router, self.load.supervisor
        channel = None
        try:
            await again.start()
            channel = again.channel()
            self.load.router, self.load.supervisor = again, load.Supervisor(channel)
            found = self.load.ledger.compare(await self.load.read(), in_flight=True, until=when)
            self.assertFalse(found, f"power cut after call {i} ({variant}): {found}")
            await self.words_are_kept()
        except RouterDied as died:
            self.fail(f"power cut after call {i} ({variant}): the router does not start: {died}")
        finally:
            self.load.router, self.load.supervisor = kept, kept_supervisor
            if channel is not None:
                await channel.close(None)
            if again.running:
                await again.kill()
        shutil.rmtree(folder)

    async def test_a_disk_that_lied_is_found_out(self):
        """The instrument, and the tip file: syncs of the journal's log that were only
        pretended must be noticed, never served over."""
        calls, data = await self.recorded()
        disk = powercut.Disk(data.parent)
        for i, call in enumerate(calls):
            if i > len(calls) // 2:
                disk.lies_about = ("sqlite-wal", "sqlite")
            disk.apply(call)
        folder = self.folder / "lied"
        folder.mkdir()
        again = Router(folder, self.CONFIG)
        powercut.lay_out(disk.left("synced", random.Random(1)), data.parent, folder / "disk")
        again.data = folder / "disk" / data.name
        with self.assertRaises(RouterDied) as caught:
            await again.start()
            await again.kill()
        self.assertIn("acknowledged entries are gone", str(caught.exception))
