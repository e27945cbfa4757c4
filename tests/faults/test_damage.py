"""Files that are not as they were left: flipped bits, cut ends, pieces gone.

Every byte of a small journal is flipped and cut in Rust, beside the journal. Here whole data
directories of a real life are damaged at random, and what starts is held against the ledger:
a router either refuses and names the place, or has everything that was acknowledged.
"""

import collections
import os
import random
import shutil
from pathlib import Path

import load
from router import Router, RouterDied
from stage import LONG, FaultTest

DAMAGES = 2_000 if LONG else 80


class Damage(FaultTest):
    CONFIG = load.config(more=load.journal(snapshot_every_entries=1_000, ballast_mib=1))

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.kept = self.folder / "kept"

    async def lived(self, *, stopped: bool) -> None:
        """A life under load, and what it left: killed, so that the log is long, or stopped in
        order, so that all is in the files."""
        await self.start()
        self.load.run(200)
        await self.acknowledged(2_000)
        await self.load.quiet()
        if stopped:
            self.assertEqual(await self.router.stop(), 0)
        else:
            await self.router.kill()
        await self.load.gone()
        shutil.copytree(self.router.data, self.kept)

    def files(self) -> list[Path]:
        """What the journal and snapshots are in; keys and what can be made again are not."""
        folders = [self.kept / name for name in ("journal", "snapshots")]
        return sorted(p.relative_to(self.kept) for folder in folders if folder.is_dir()
                      for p in folder.rglob("*")
                      if p.is_file() and p.stat().st_size and not p.name.endswith("-shm"))

    @staticmethod
    def hurt(path: Path, how: str) -> str:
        size = path.stat().st_size
        at = random.randrange(size)
        if how == "cut":
            os.truncate(path, at)
        elif how == "gone":
            path.unlink()
        else:
            with path.open("r+b") as file:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                # Of a page that was never written, a bit is as good as any.
                file.write(bytes([byte ^ 1 << random.randrange(8)]) if how == "bit" else bytes(512))
        return f"{how} at {at} of {size} in {path.name}"

    async def one_damage(self, file: Path, how: str) -> str:
        folder = self.folder / "hurt"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        again = Router(folder, self.CONFIG)
        shutil.copytree(self.kept, again.data)
        told = self.hurt(again.data / file, how)
        channel = None
        kept = self.load.router, self.load.supervisor
        try:
            await again.start()
            channel = again.channel()
            self.load.router, self.load.supervisor = again, load.Supervisor(channel)
            found = await self.load.check(in_flight=False)
            self.assertFalse(found, f"{told}: serves, and {found}")
            return "serves with everything"
        except RouterDied as died:
            said = str(died)
            self.assertNotIn("panicked", said, told)
            self.assertIn(str(again.data), said, f"{told}: refuses without naming a place")
            return "refuses and names the place"
        finally:
            self.load.router, self.load.supervisor = kept
            if channel is not None:
                await channel.close(None)
            if again.running:
                await again.kill()

    async def test_damage_after_a_kill_is_never_silent(self):
        await self.all_damages(stopped=False)

    async def test_damage_after_an_orderly_end_is_never_silent(self):
        await self.all_damages(stopped=True)

    async def all_damages(self, *, stopped: bool) -> None:
        random.seed(21)
        await self.lived(stopped=stopped)
        files = self.files()
        came: collections.Counter = collections.Counter()
        for i in range(DAMAGES // 2):
            file = files[i % len(files)]
            how = random.choice(("bit", "bit", "bit", "zeros", "cut", "gone"))
            outcome = await self.one_damage(file, how)
            came[f"{how}: {outcome}"] += 1
        print(f"\n{DAMAGES // 2} damages to {[str(f) for f in files]}: {dict(sorted(came.items()))}")
