"""A disk that fills up, on a small tmpfs: by somebody else, as it mostly is."""

import os
import subprocess
import unittest
from pathlib import Path

import load
from router import Router
from stage import SOURCES, FaultTest
from surgeline_client import CHAT, Gateway, Refused

DISK_MIB, LOW, CRITICAL, BALLAST = 96, 24, 12, 8
MIB = 1 << 20
# The watch over free space is configured by these keys; without it there is none.
WATCHED = any("low_space_mib" in f.read_text() for f in (SOURCES / "config").rglob("*.rs"))


def mounts() -> bool:
    """Whether a tmpfs may be mounted here."""
    at = Path("/tmp/surgeline-may-mount")
    at.mkdir(exist_ok=True)
    may = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", at], capture_output=True)
    if may.returncode == 0:
        subprocess.run(["umount", at], check=True)
    at.rmdir()
    return may.returncode == 0


MOUNTS = mounts()
if not MOUNTS:
    print("SKIPPED: no tmpfs may be mounted here: nothing is known of full disks")


@unittest.skipUnless(MOUNTS, "no tmpfs may be mounted here")
class FullDisk(FaultTest):
    WATCH = ""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.router = Router(self.folder, load.config(more=self.WATCH))
        self.router.data = self.disk / "data"
        self.filler = self.disk / "somebody-elses"

    def free_mib(self) -> float:
        stat = os.statvfs(self.disk)
        return stat.f_bavail * stat.f_frsize / MIB

    def fill(self, leave_mib: float) -> None:
        """Somebody else fills the disk and leaves this much."""
        with self.filler.open("ab") as file:
            while (room := self.free_mib() - leave_mib) > 0:
                try:
                    file.write(bytes(int(min(room, 1) * MIB) or 4_096))
                    file.flush()
                except OSError:
                    return


class NoRoom(FullDisk):
    # Unwatched, as if it filled up between two looks.
    WATCH = load.journal(low_space_mib=0, critical_space_mib=0, ballast_mib=0)

    async def test_an_append_that_finds_no_room_is_the_end_and_nothing_is_lost(self):
        await self.start()
        self.load.run(200)
        await self.acknowledged(1_000)

        def ended() -> bool:
            self.fill(0)
            return not self.router.running
        await self.until(ended, "the router to stop on a full disk", 60)
        code = await self.router._gone("a full disk")
        await self.load.gone()
        self.assertGreater(code, 0)
        self.assertIn("nothing more is acknowledged", self.router.logs())
        self.assertRegex(self.router.logs(), "(?i)disk is full|no space left")
        self.filler.unlink()
        await self.restart()
        await self.all_is_well(in_flight=True)
        await self.load.resync()
        self.load.run(200)
        await self.acknowledged(500)
        await self.all_is_well()


@unittest.skipUnless(WATCHED, "these sources do not watch free space ([journal] low_space_mib)")
class Watched(FullDisk):
    WATCH = load.journal(low_space_mib=LOW, critical_space_mib=CRITICAL, ballast_mib=BALLAST)

    async def refused_for_space(self, gateway: Gateway, key: str) -> bool:
        try:
            contact = await gateway.arrive(key, CHAT, queue="desk")
        except Refused as no:
            self.assertEqual(no.code_name, "EXHAUSTED", str(no))
            self.assertIn("disk", no.message)
            self.assertGreater(no.retry_after_ms, 0)
            return True
        self.load.ledger.accepted(key, contact.id)
        self.load.ledger.end_asked.add(contact.id)
        await contact.customer_left()
        self.load.ledger.ended(contact.id, told=False)
        return False

    async def archive_is(self, *, paused: bool) -> bool:
        """Whether the archive has done so, and has everything if it goes on."""
        told = await self.router.metrics()
        behind = told["surgeline_archive_lag_entries"]
        return told["surgeline_archive_paused"] == paused and (paused or behind == 0)

    async def test_low_space_turns_arrivals_away_and_open_contacts_are_served(self):
        await self.start(pause=0.2)
        channel = self.router.channel()
        probe = await Gateway(channel, "probe").connect()
        for leave, name in (((LOW + CRITICAL) / 2, "low"), (CRITICAL / 2, "critical")):
            with self.subTest(name):
                self.load.run(100)
                await self.acknowledged(800)
                await self.load.pause()
                count = iter(range(10_000))

                async def refused():
                    return await self.refused_for_space(probe, f"{name}-full-{next(count)}")

                async def passes():
                    return not await self.refused_for_space(probe, f"{name}-again-{next(count)}")
                self.fill(leave)
                await self.until(refused, "arrivals to be turned away")
                full = name == "critical"
                await self.until(lambda: self.archive_is(paused=full), f"the archive to be right at {name}")
                # Hang-ups and completions go on while nobody new comes in.
                gateway = self.load.gateways[1]
                key = await self.until(lambda: next(iter(gateway.held), ""), "somebody to be held")
                before = len(self.load.ledger.ends())
                for line in self.load.lines:
                    line.open.set()
                await gateway.leave(key)
                await self.until(lambda: len(self.load.ledger.ends()) > before + 2, "open ones to close")
                self.assertTrue(await refused())
                # Room again: no restart is needed.
                self.filler.unlink()
                await self.until(passes, "arrivals to pass again")
                await self.until(lambda: self.archive_is(paused=False), "the archive to go on")
                self.assertTrue(self.router.running)
        await probe.close()
        await channel.close(None)
        await self.all_is_well()
        self.assertEqual(await self.router.stop(), 0)
        await self.load.gone()
        await self.replay_is_right()
