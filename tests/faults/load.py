"""Load on a router, with a ledger: gateways and desktops that outlive it, and the checks.

`Load` starts no router and breaks nothing: tests do, and call `resync` and `check`.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from clients import LoadDesktop, LoadGateway, voice
from ledger import Ledger, Problems, Reading
from router import Router, centre
from support import agent, queue
from surgeline_client import Supervisor

SOURCES = Path(__file__).resolve().parents[2] / "src"
# Open contacts above which nobody new comes in: a queue that only grows tests nothing more.
MOST_OPEN = 300


def config(agents: int = 24, *, settings: dict | None = None, more: str = "", **queue_more) -> str:
    """A centre in which nothing runs out by itself while a router is down."""
    waits = {"reservation_timeout": "10m"} | queue_more
    return centre(
        [queue("phone", "voice", **waits), queue("desk", "chat", **waits)],
        [agent(f"agent-{i:02}") for i in range(agents)],
        settings={"agent_grace": "15m"} | (settings or {}),
    ) + more


def journal(**keys) -> str:
    """The section of the configuration, with those keys that these sources know."""
    read = "".join(f.read_text() for f in (SOURCES / "config").rglob("*.rs"))
    lines = [f"{key} = {value}\n" for key, value in keys.items() if f'"{key}"' in read]
    return "".join(["[journal]\n", *lines]) if lines else ""


class Load:
    """Two gateways and two desktops on one router."""

    def __init__(self, router: Router, *, agents: int = 24, pause: float = 0.03, decline: float = 0.05,
                 hang_up: float = 0.05, most_open: int = MOST_OPEN):
        self.router, self.ledger, self.most_open = router, Ledger(), most_open
        self.channels = [router.channel() for _ in range(5)]
        self.gateways = [
            LoadGateway(self.channels[i], name, self.ledger, queue, voice(name), hang_up)
            for i, (name, queue) in enumerate((("pbx", "phone"), ("widget", "desk")))]
        names = [f"agent-{i:02}" for i in range(agents)]
        self.desktops = [
            LoadDesktop(self.channels[2 + i], f"desk-{i}", self.ledger, names[i::2], pause, decline)
            for i in range(2)]
        self.supervisor = Supervisor(self.channels[4])
        self._pacing: asyncio.Task | None = None

    @property
    def lines(self) -> list:
        return [*self.gateways, *self.desktops]

    async def begin(self) -> None:
        for line in self.lines:
            await line.connect()
        for desktop in self.desktops:
            await desktop.all_ready()

    def run(self, per_second: float) -> None:
        """Arrivals at this rate from here on, and now and then an agent's break."""
        for line in self.lines:
            line.open.set()
        self._pacing = asyncio.create_task(self._pace(per_second))

    async def _pace(self, per_second: float) -> None:
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * per_second)
            while sent < due:
                sent += 1
                gateway = self.gateways[sent % 2]
                if sum(len(g.held) for g in self.gateways) + len(gateway.doubt) < self.most_open:
                    gateway.begin(gateway.arrive())
                if sent % 40 == 0:
                    desktop = random.choice(self.desktops)
                    desktop.begin(desktop.take_a_break(random.choice(desktop.agents)))
            await asyncio.sleep(0.005)

    async def pause(self) -> None:
        """Nobody begins anything new."""
        if self._pacing is not None:
            self._pacing.cancel()
            await asyncio.gather(self._pacing, return_exceptions=True)
            self._pacing = None
        for line in self.lines:
            line.open.clear()

    async def gone(self) -> None:
        """After the router died: until every stream knows it."""
        await self.pause()
        await asyncio.gather(*(line.gone() for line in self.lines))

    async def resync(self) -> None:
        """Everybody comes back and says again what was not answered."""
        for line in self.lines:
            await line.connect()

    async def quiet(self) -> None:
        """Until nothing is in flight."""
        await self.pause()
        for line in self.lines:
            await line.quiet()

    async def read(self) -> Reading:
        """What the router shows, once its readings show all that was acknowledged."""
        until = time.monotonic() + 30
        while True:
            metrics = await self.router.metrics()
            if metrics.get("surgeline_replica_lag_entries") == 0:
                break
            if time.monotonic() > until:
                raise AssertionError("waited 30 s for the readings to catch up")
            await asyncio.sleep(0.01)
        return Reading(
            counts=await self.supervisor.counts(),
            contacts=await self.supervisor.contacts(page_size=500),
            agents=await self.supervisor.agents(),
            metrics=metrics,
        )

    async def check(self, *, in_flight: bool) -> Problems:
        """What is wrong: with what was heard so far, and with what the router shows now."""
        found = self.ledger.compare(await self.read(), in_flight=in_flight)
        heard, self.ledger.heard = self.ledger.heard, Problems()
        found.lost += heard.lost
        found.doubled += heard.doubled
        found.other += heard.other
        return found

    async def close(self) -> None:
        await self.pause()
        for channel in self.channels:
            await channel.close(None)
        for line in self.lines:
            await line.gone()
