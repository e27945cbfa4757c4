"""What the tests of faults share: a router to hurt, and load on it with a ledger.

It stages no fault itself. Every test has a folder of its own, which is gone afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import load
from load import SOURCES
from router import Router, run

LONG = bool(os.environ.get("SURGELINE_LONG"))


class FaultTest(unittest.IsolatedAsyncioTestCase):
    """A test with a folder of its own and a router that is not started yet."""

    CONFIG = load.config()

    async def asyncSetUp(self):
        loop = asyncio.get_running_loop()
        # unittest turns it on, and it makes clients several times slower.
        loop.set_debug(False)
        loop.set_exception_handler(quietly)
        self.folder = Path(tempfile.mkdtemp(prefix="surgeline-fault-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.router = Router(self.folder, self.CONFIG)
        self.load: load.Load | None = None

    async def asyncTearDown(self):
        if self.load is not None:
            await self.router_gone()
            await self.load.close()
        await self.router_gone()
        self.assertNotIn("panicked", self.router.logs())

    async def router_gone(self) -> None:
        if self.router.running:
            await self.router.kill()

    async def start(self, **how) -> load.Load:
        """Starts the router and puts clients on it."""
        await self.router.start()
        self.load = load.Load(self.router, **how)
        await self.load.begin()
        return self.load

    async def restart(self) -> float:
        """Starts the router again; the seconds until it said that it is ready."""
        began = time.monotonic()
        await self.router.start()
        return time.monotonic() - began

    async def acknowledged(self, more: int, patience: float = 60) -> None:
        """Until so many more were acknowledged."""
        enough = self.load.ledger.acknowledged + more
        async with asyncio.timeout(patience):
            while self.load.ledger.acknowledged < enough:
                await asyncio.sleep(0.002)

    async def until(self, is_so, what: str, patience: float = 30):
        """Until `is_so()` (or what it returns, awaited) is true; returns that."""
        end = time.monotonic() + patience
        while True:
            seen = is_so()
            if asyncio.iscoroutine(seen):
                seen = await seen
            if seen:
                return seen
            if time.monotonic() > end:
                self.fail(f"waited {patience} s for {what}; the router said:\n{self.router.logs()[-3_000:]}")
            await asyncio.sleep(0.01)

    async def all_is_well(self, *, in_flight: bool = False) -> None:
        """The ledger and the router agree."""
        if not in_flight:
            await self.load.quiet()
        problems = await self.load.check(in_flight=in_flight)
        self.assertFalse(problems, str(problems))

    async def verify(self, data: Path | None = None) -> dict:
        """What `surgeline journal verify` says of a journal that nobody has open."""
        code, out, errors = await run("journal", "verify", "--json", "--data", str(data or self.router.data))
        self.assertEqual(code, 0, out + errors)
        return json.loads(out)

    async def replay_is_right(self) -> None:
        """The journal of a stopped router makes the state that the ledger has, and every
        mark in it agrees."""
        report = await self.verify()
        ledger = self.load.ledger
        self.assertEqual((report["sound"], report["marks_differing"]), (True, []))
        # One that was trimmed behind snapshots begins in the middle, and makes no state alone.
        if report.get("replayed", True):
            self.assertEqual((report["accepted"], report["closed"]),
                             (len(ledger.contacts), len(ledger.ends())))

    async def words_are_kept(self, most: int = 3) -> None:
        """What customers said can be read for contacts that are open."""
        for row in (await self.load.supervisor.contacts(page_size=500))[:most]:
            said = (await self.load.supervisor.contact(row.contact_id)).person.words
            self.assertTrue(said.startswith(f"words of {row.key}"), f"{row.key}: {said!r}")

    def memory_kib(self) -> int:
        """What the router's process has in memory."""
        status = Path(f"/proc/{self.router._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def quietly(loop, context) -> None:
    """Passes over what grpc says of a stream that is broken off while nothing is to be
    sent: it closes our generator, which waits for the next request."""
    if "generator is already running" not in str(context.get("exception")):
        loop.default_exception_handler(context)


def percentile(values: list[float], part: float) -> float:
    """The value that this part of them does not exceed."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def needs(tool: str):
    """Skips a test, and says so, where a tool is missing."""
    there = shutil.which(tool) is not None
    if not there:
        print(f"SKIPPED: {tool} is not installed")
    return unittest.skipUnless(there, f"{tool} is not installed")


def kill_points() -> list[str]:
    """The kill points that the sources have."""
    return [p for p in POINTS if any(f'"{p}"' in f.read_text() for f in SOURCES.rglob("*.rs"))]


# Where the process can be made to die: before and after each step on the way to an answer.
POINTS = (
    "writer-before-append", "journal-before-write", "journal-after-write", "journal-after-sync",
    "writer-before-release", "journal-seal", "snapshot-middle", "snapshot-before-rename",
    "snapshot-after-rename", "snapshot-before-remove", "archive-after-load",
    "archive-before-commit", "archive-after-commit",
)
