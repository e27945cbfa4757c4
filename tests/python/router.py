"""A real router as a process: started, killed, started again on the same data, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import urllib.request
from pathlib import Path

import grpc

# Seconds until it must be ready or gone, on a machine that is busy with other things.
PATIENCE = 60.0
READY = re.compile(r"surgeline is ready: grpc=(\S+) http=(\S+)")


def binary() -> str:
    """The router to test."""
    path = os.environ.get("SURGELINE_BIN")
    if not path:
        raise RuntimeError("set SURGELINE_BIN to the router to test, or use tests/run")
    return path


class RouterDied(Exception):
    """The process ended before it was ready."""


class Router:
    """One router with a folder of its own for configuration, data and logs."""

    def __init__(self, folder: Path, config: str):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "centre.toml"
        self.config.write_text(config)
        self.grpc = self.http = "127.0.0.1:0"
        self.exit_code: int | None = None
        # What it runs under (strace, faketime), and what its environment has besides.
        self.under: list[str] = []
        self.env: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._output = folder / "stdout.log"
        self._errors = folder / "stderr.log"
        self._copying: asyncio.Task | None = None

    async def start(self) -> "Router":
        """Starts it and waits until it says that it is ready. A second start takes the
        same addresses and data."""
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self.under, binary(), "serve", "--config", str(self.config), "--data", str(self.data),
                "--grpc", self.grpc, "--http", self.http,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
                env={**os.environ, "RUST_BACKTRACE": "1", **self.env},
            )
        ready = asyncio.get_running_loop().create_future()
        self._copying = asyncio.create_task(self._copy(ready))
        try:
            self.grpc, self.http = await asyncio.wait_for(ready, PATIENCE)
        except TimeoutError:
            await self.kill()
            raise AssertionError(
                f"waited {PATIENCE} s for 'surgeline is ready'; it said:\n{self.logs()}") from None
        return self

    async def _copy(self, ready: asyncio.Future) -> None:
        """Keeps what it prints, and looks for the line that says where it listens."""
        with self._output.open("ab", buffering=0) as kept:
            async for line in self._process.stdout:
                kept.write(line)
                if (said := READY.search(line.decode(errors="replace"))) and not ready.done():
                    ready.set_result(said.groups())
        code = await self._process.wait()
        if not ready.done():
            ready.set_exception(RouterDied(f"exit code {code}:\n{self.logs()}"))

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _gone(self, after: str) -> int:
        try:
            self.exit_code = await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(
                f"waited {PATIENCE} s for the router to end after {after}:\n{self.logs()}") from None
        await self._copying
        return self.exit_code

    async def kill(self) -> None:
        """kill -9: it gets no chance to put anything in order."""
        if self.running:
            self._process.kill()
        await self._gone("SIGKILL")

    async def stop(self) -> int:
        """SIGTERM, as a service manager does."""
        self._process.send_signal(signal.SIGTERM)
        return await self._gone("SIGTERM")

    def read_again(self) -> None:
        """SIGHUP: it reads its configuration file again."""
        self._process.send_signal(signal.SIGHUP)

    def logs(self) -> str:
        """All that it has printed, of every start."""
        files = (self._output, self._errors)
        return "".join(f.read_text(errors="replace") for f in files if f.exists())

    def channel(self) -> grpc.aio.Channel:
        """A connection of one's own, that soon comes back when the router does."""
        return grpc.aio.insecure_channel(self.grpc, options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 200),
            ("grpc.enable_http_proxy", 0),
        ])

    async def get(self, path: str) -> str:
        """A page of its HTTP port."""
        def fetch() -> str:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://{self.http}{path}", timeout=PATIENCE) as answer:
                return answer.read().decode()
        return await asyncio.to_thread(fetch)

    async def metrics(self) -> dict[str, float]:
        """All metrics: `{'surgeline_contacts{state="queued"}': 2.0, ...}`."""
        lines = (await self.get("/metrics")).splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}


async def run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Runs a command of the binary to its end: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        binary(), *arguments, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        raise AssertionError(f"waited {PATIENCE} s for {arguments} to end") from None
    return process.returncode, out.decode(), errors.decode()


def toml(value) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def centre(queues: list[dict], agents: list[dict], *, settings: dict | None = None,
           entry_points: list[dict] = (), pools: list[str] = ("own",),
           promises: dict | None = None) -> str:
    """A configuration. Skills are those that are named; queues have no wrap-up, and agents
    time enough to answer, unless they say otherwise."""
    skills = {s for row in [*queues, *agents] for s in (*row.get("needs", {}), *row.get("skills", {}))}
    lines = [
        f"skills = {toml(sorted(skills))}",
        'not_ready_reasons = ["break", "lunch"]',
        'dispositions = ["question-answered", "complaint"]',
        "[settings]",
    ]
    lines += [f"{k} = {toml(v)}" for k, v in (settings or {}).items()]
    lines += ["[promises]", *(f"{k} = {toml(v)}" for k, v in (promises or {}).items())]
    tables = [
        ("pools", [{"name": p} for p in pools]),
        ("queues", [{"wrap_up": "0s", "reservation_timeout": "60s"} | q for q in queues]),
        ("agents", [{"pool": pools[0]} | a for a in agents]),
        ("entry_points", entry_points),
    ]
    for table, rows in tables:
        for row in rows:
            lines += [f"[[{table}]]", *(f"{k} = {toml(v)}" for k, v in row.items())]
    return "\n".join(lines) + "\n"
