"""A disk that fails and a disk that is slow, by strace: it changes what calls return."""

import asyncio
import random
import signal
import time

import load
from clients import LoadGateway
from router import RouterDied
from stage import LONG, FaultTest, needs, percentile

# What fails, on which file of the journal, and how.
FAILURES = (
    ("fdatasync", "log", "EIO"),
    ("fdatasync", "tip", "EIO"),
    ("pwrite64", "log", "EIO"),
    ("pwrite64", "log", "ENOSPC"),
    ("pwrite64", "tip", "ENOSPC"),
)
TIMES = 10 if LONG else 1
SLOW_SECONDS = 0.3
# More at once than the lane of arrivals (4,096) and two batches (1,024 each) hold.
CROWD, EACH = 12, 800


@needs("strace")
class Disk(FaultTest):
    def files(self, which: str) -> list[str]:
        journal = self.router.data / "journal"
        if which == "tip":
            return [str(journal / "tip")]
        if which == "folder":
            return [str(journal)]
        return [f"{segment}-wal" for segment in journal.glob("*.sqlite")]

    def inject(self, what: str, *files: str) -> None:
        """From the next start on, calls on these files go as strace's `inject` says."""
        calls = what.split(":")[0]
        paths = [word for which in files for file in self.files(which) for word in ("-P", file)]
        self.router.under = ["strace", "-D", "-f", "--seccomp-bpf", *paths, "-e", f"trace={calls}",
                             "-e", f"inject={what}", "-o", str(self.folder / "strace.log")]

    async def test_a_disk_error_stops_everything_and_is_not_tried_again(self):
        random.seed(11)
        await self.start()
        await self.router.kill()
        await self.load.gone()
        for call, file, error in FAILURES * TIMES:
            with self.subTest(call, file=file, error=error):
                await self.one_error(call, file, error)

    async def one_error(self, call: str, file: str, error: str) -> None:
        # Once, for whichever thread: a second try would succeed.
        self.inject(f"{call}:error={error}:when={random.randrange(30, 200)}", file)
        said = len(self.router.logs())
        await self.restart()
        await self.load.resync()
        self.load.run(300)
        await self.until(lambda: not self.router.running, "the router to stop", 60)
        code = await self.router._gone("a disk error")
        logs = self.router.logs()[said:]
        await self.load.gone()
        told = next((line for line in logs.splitlines() if "nothing more is acknowledged" in line), "nothing")
        print(f"\n{call} on the {file} says {error}: exit code {code}; {told[-230:]}")
        self.assertGreater(code, 0, logs)
        self.assertIn("nothing more is acknowledged", logs)
        self.assertIn(str(self.router.data / "journal"), logs)
        self.router.under = []
        await self.restart()
        await self.all_is_well(in_flight=True)
        await self.load.resync()
        await self.all_is_well()
        await self.router.kill()
        await self.load.gone()
        report = await self.verify()
        self.assertEqual(report["marks_differing"], [])

    async def test_a_folder_that_cannot_be_synced_is_not_written_into(self):
        await self.start()
        self.load.run(300)
        await self.acknowledged(300)
        await self.router.kill()
        await self.load.gone()
        # SQLite passes over a folder that it cannot sync: what a power cut leaves of a new
        # segment or log is not known then, and a start writes the first entry.
        self.inject("fsync,fdatasync:error=EIO", "folder")
        with self.assertRaises(RouterDied) as died:
            await self.router.start()
        told = next((line for line in str(died.exception).splitlines() if "sync the folder" in line), "nothing")
        print(f"\na sync of the journal's folder says EIO: exit code {self.router._process.returncode}; {told[-230:]}")
        self.assertGreater(self.router._process.returncode, 0)
        self.assertIn(f"cannot sync the folder {self.router.data / 'journal'}", str(died.exception))
        self.router.under = []
        await self.restart()
        await self.all_is_well(in_flight=True)
        await self.load.resync()
        await self.all_is_well()

    async def test_a_slow_disk_sheds_arrivals_and_nothing_else(self):
        await self.start(pause=0.5)
        await self.router.kill()
        await self.load.gone()
        self.inject(f"fsync,fdatasync:delay_exit={int(SLOW_SECONDS * 1e6)}", "log", "tip")
        await self.restart()
        await self.load.resync()
        self.load.run(20)
        crowd = [LoadGateway(self.router.channel(), f"crowd-{i}", self.load.ledger, "desk", hang_up=0)
                 for i in range(CROWD)]
        self.load.gateways += crowd
        for gateway in crowd:
            gateway.persists = False
            await gateway.connect()
        for line in self.load.lines:
            line.took.clear()
        began = time.monotonic()
        answers = await asyncio.gather(*(g.arrive() for g in crowd for _ in range(EACH)))
        took = time.monotonic() - began
        kept = sum(answers)
        delays = [d for g in crowd for d in g.delays]
        others = [t for line in self.load.desktops for t in line.took]
        print(f"\n{SLOW_SECONDS} s a sync, two syncs a batch: {len(answers)} arrivals at once in {took:.1f} s: "
              f"{kept} accepted, {len(delays)} told to come back after {min(delays, default=0)} to "
              f"{max(delays, default=0)} ms; answers to agents meanwhile: {len(others)}, p50 "
              f"{percentile(others, 0.5):.2f} s, max {max(others, default=0):.2f} s")
        self.assertEqual(kept + len(delays), len(answers))
        self.assertTrue(delays, "nothing was shed")
        self.assertGreater(min(delays), 0)
        self.assertTrue(others, "no agent was answered meanwhile")
        # Bounded by what is queued before it: a few batches of two syncs each.
        self.assertLess(max(others), 20 * 2 * SLOW_SECONDS)
        await self.all_is_well()
        await self.router.kill()
        await self.load.gone()
        self.router.under = []
        await self.restart()
        await self.all_is_well(in_flight=True)


@needs("strace")
class Draining(FaultTest):
    CONFIG = load.config(more='[server]\ndrain = "30s"\n')

    async def test_a_journal_that_fails_while_the_router_drains_is_no_good_end(self):
        await self.start()
        self.load.run(100)
        await self.acknowledged(300)
        self.router._process.send_signal(signal.SIGTERM)
        await self.until(lambda: "draining: nobody new" in self.router.logs(), "draining")
        logs = [word for segment in (self.router.data / "journal").glob("segment-*.sqlite")
                for word in ("-P", f"{segment}-wal")]
        strace = await asyncio.create_subprocess_exec(
            "strace", "-f", "-p", str(self.router._process.pid), *logs, "-e", "trace=fdatasync",
            "-e", "inject=fdatasync:error=EIO", "-o", str(self.folder / "strace.log"))
        code = await self.router._gone("a disk error while draining")
        await strace.wait()
        await self.load.gone()
        print(f"\nfdatasync on the log says EIO while the router drains: exit code {code}")
        self.assertIn("nothing more is acknowledged", self.router.logs())
        self.assertEqual(code, 1, self.router.logs()[-2_000:])
        await self.restart()
        await self.all_is_well(in_flight=True)
