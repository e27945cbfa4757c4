"""What a disk holds after a power cut, worked out from a trace of what a process asked of it.

`calls` reads a trace that strace wrote; `Disk` carries the calls out in memory and keeps
apart what was asked for and what was made durable: the content of a file by a sync of that
file, a name in a folder by a sync of that folder, nothing else. `Disk.left` is what a cut
leaves. It runs no router and knows nothing of journals.
"""

from __future__ import annotations

import copy
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

# What strace is to write down. Memory that is mapped is not: only SQLite's -shm files are
# written so, and those mean nothing after a restart.
CALLS = ("openat,creat,write,writev,pwrite64,pwritev,pwritev2,lseek,ftruncate,fallocate,fsync,fdatasync,"
         "sync_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
         "close,dup,dup2,dup3,fcntl,copy_file_range,sendfile")
# Those that nothing here can carry out: a trace with one is refused, rather than misread.
UNKNOWN = {"writev", "pwritev", "pwritev2", "sync_file_range", "link", "linkat", "copy_file_range", "sendfile"}


def under(trace: Path) -> list[str]:
    """The command line that writes a trace of what comes after it."""
    # -D: the router is the child, and signals go to it; status: whole calls in whole lines.
    return ["strace", "-D", "-f", "-ttt", "-T", "-xx", "-s", "9999999",
            "-e", f"trace={CALLS}", "-e", "status=successful", "-o", str(trace)]


@dataclass
class Call:
    """One call that succeeded."""

    name: str
    arguments: list[str]
    result: int
    began: float
    ended: float


def calls(trace: Path) -> list[Call]:
    """The calls of a trace in the order in which they took effect."""
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        _, when, rest = line.split(maxsplit=2)
        if rest.startswith(("+++", "---")):
            continue
        name, _, rest = rest.partition("(")
        # Who is killed inside a call never came back from it: "<unfinished ...>", no result.
        inside, returned, result = rest.rpartition(" = ")
        inside = inside.rstrip().removesuffix(")")
        if not returned or not result or result[0] == "?":
            continue
        words = result.split()
        began, lasted = float(when), float(words[-1].strip("<>"))
        found.append(Call(name, inside.split(", "), int(words[0], 0), began, began + lasted))
    # A descriptor is free as soon as its closing begins.
    return sorted(found, key=lambda c: c.began if c.name == "close" else c.ended)


def text(argument: str) -> bytes:
    """A string as strace writes it with -xx."""
    return bytes.fromhex(argument.strip('".').replace("\\x", ""))


@dataclass
class File:
    """A file apart from its names: what was asked for, and what is durable."""

    content: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    # Since the last sync: (offset, bytes), or (length, None) for a change of length.
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, at: int, data: bytes | None) -> None:
        carry_out(self.content, at, data)
        self.unsynced.append((at, data))

    def sync(self) -> None:
        for at, data in self.unsynced:
            carry_out(self.durable, at, data)
        self.unsynced.clear()


def carry_out(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
    else:
        content.extend(bytes(max(0, at - len(content))))
        content[at:at + len(data)] = data


@dataclass
class Open:
    """An open file: several descriptors may share it."""

    path: str
    file: File | None
    at: int = 0


class Disk:
    """All below one folder, which is there and empty."""

    def __init__(self, root: Path):
        self.root = str(root)
        # Names: a file, or None for a folder.
        self.names: dict[str, File | None] = {}
        self.durable: dict[str, File | None] = {}
        # Changes of names since the last sync of their folder: (folder, path, to what or
        # "gone"); those of one rename stand together.
        self.unsynced: list[list[tuple[str, str, File | None | str]]] = []
        self._open: dict[int, Open] = {}
        # Files whose syncs the disk only pretends to carry out, by the end of their names.
        self.lies_about: tuple[str, ...] = ()

    def _ours(self, path: str) -> bool:
        return path.startswith(self.root + "/") and not path.endswith("-shm")

    def _name(self, *changes: tuple[str, File | None | str]) -> None:
        steps = [(os.path.dirname(path), path, to) for path, to in changes if self._ours(path)]
        for _, path, to in steps:
            if to == "gone":
                self.names.pop(path, None)
            else:
                self.names[path] = to
        if steps:
            self.unsynced.append(steps)

    def apply(self, call: Call) -> bool:
        """Carries a call out. Whether it made something durable."""
        arguments = call.arguments
        if call.name in ("openat", "creat"):
            self._opened(call)
        elif call.name == "close":
            self._open.pop(int(arguments[0]), None)
        elif call.name in ("mkdir", "mkdirat"):
            self._name((text(arguments[call.name == "mkdirat"]).decode(), None))
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            self._name((text(arguments[call.name == "unlinkat"]).decode(), "gone"))
        elif call.name in ("rename", "renameat", "renameat2"):
            old, new = (arguments[0], arguments[1]) if call.name == "rename" else (arguments[1], arguments[3])
            old, new = text(old).decode(), text(new).decode()
            self._name((new, self.names.get(old)), (old, "gone"))
        elif arguments[0].isdigit() and (opened := self._open.get(int(arguments[0]))) is not None:
            return self._on_descriptor(call, opened)
        return False

    def _opened(self, call: Call) -> None:
        if call.name == "creat":
            path, flags = text(call.arguments[0]).decode(), "O_CREAT|O_TRUNC"
        else:
            path, flags = text(call.arguments[1]).decode(), call.arguments[2]
        if path != self.root and not self._ours(path):
            return
        if path not in self.names and path != self.root:
            if "O_CREAT" not in flags:
                raise AssertionError(f"{path} was opened and is not there")
            self._name((path, File()))
        file = self.names.get(path)
        if file is not None and "O_TRUNC" in flags and file.content:
            file.change(0, None)
        if "O_APPEND" in flags:
            raise AssertionError(f"{path} is appended to: this cannot be replayed")
        self._open[call.result] = Open(path, file)

    def _on_descriptor(self, call: Call, opened: Open) -> bool:
        arguments, file = call.arguments, opened.file
        if call.name in UNKNOWN:
            raise AssertionError(f"{call.name} on {opened.path}: this cannot be replayed")
        if call.name == "write":
            file.change(opened.at, text(arguments[1])[:call.result])
            opened.at += call.result
        elif call.name == "pwrite64":
            file.change(int(arguments[3]), text(arguments[1])[:call.result])
        elif call.name == "lseek":
            opened.at = call.result
        elif call.name == "ftruncate":
            file.change(int(arguments[1]), None)
        elif call.name == "fallocate" and arguments[1] == "0":
            length = int(arguments[2]) + int(arguments[3])
            if length > len(file.content):
                file.change(length, None)
        elif call.name.startswith("dup") or (call.name == "fcntl" and "DUPFD" in arguments[1]):
            self._open[call.result] = opened
        elif call.name in ("fsync", "fdatasync"):
            if opened.path.endswith(self.lies_about or ("\0",)):
                return False
            self._synced(opened)
            return True
        return False

    def _synced(self, opened: Open) -> None:
        if opened.file is not None:
            opened.file.sync()
            return
        # A folder: the names in it. A rename within it counts whole.
        rest = []
        for steps in self.unsynced:
            if any(folder == opened.path for folder, _, _ in steps):
                self._make_durable(steps)
            else:
                rest.append(steps)
        self.unsynced = rest

    def _make_durable(self, steps, names=None) -> None:
        names = self.durable if names is None else names
        for _, path, to in steps:
            if to == "gone":
                names.pop(path, None)
            else:
                names[path] = to

    # -- the cut

    def left(self, variant: str, chance: random.Random) -> dict[str, bytes | None]:
        """What is there after a cut, by path: `synced` is that alone; `some` has some of
        the rest as well, in any order; `torn` has all of it but half of the last write."""
        names = dict(self.durable)
        for steps in self.unsynced:
            # Names of one folder become durable in their order: so does every journal.
            if variant == "torn" or (variant == "some" and chance.random() < 0.7):
                self._make_durable(steps, names)
            elif variant == "some":
                break
        last = next(reversed([f for f in names.values() if f is not None and f.unsynced]), None)
        found: dict[str, bytes | None] = {}
        for path, file in names.items():
            # A file whose folder's name is gone is gone with it.
            above = os.path.dirname(path)
            while above != self.root and above in names:
                above = os.path.dirname(above)
            if above != self.root:
                continue
            found[path] = None if file is None else self._content(file, variant, file is last, chance)
        return found

    @staticmethod
    def _content(file: File, variant: str, torn: bool, chance: random.Random) -> bytes:
        content = copy.copy(file.durable)
        for i, (at, data) in enumerate(file.unsynced):
            if variant == "synced" or (variant == "some" and chance.random() < 0.5):
                continue
            if variant == "torn" and torn and i == len(file.unsynced) - 1 and data:
                data = data[:len(data) // 2]
            carry_out(content, at, data)
        return bytes(content)


def lay_out(left: dict[str, bytes | None], root: Path, to: Path) -> None:
    """Writes what a cut left of `root` into an empty folder."""
    to.mkdir(parents=True)
    for path in sorted(left):
        at = to / Path(path).relative_to(root)
        if (content := left[path]) is None:
            at.mkdir(exist_ok=True)
        else:
            at.write_bytes(content)
            at.chmod(0o600)
