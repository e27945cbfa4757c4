"""What the tests share: a router each, clients on it, and what must hold at the end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
import unittest
from pathlib import Path

import grpc
from surgeline.v1 import supervisor_pb2, types_pb2

from router import Router, centre
from surgeline_client import Agent, Desktop, Gateway, Refused, Supervisor, joins

__all__ = ["RouterTest", "agent", "centre", "queue"]

# Seconds until a reading must show what was acknowledged before.
PATIENCE = 15.0


def queue(name: str, *channels: str, **more) -> dict:
    return {"name": name, "channels": list(channels or ("voice",)), **more}


def agent(name: str, **more) -> dict:
    """One who takes several chats and letters at once, unless told otherwise."""
    several = {"voice": 1, "chat": 3, "email": 5, "message": 5}
    return {"name": name, "capacity": several, **more}


class RouterTest(unittest.IsolatedAsyncioTestCase):
    """A test with a router of its own, which must be in order at its end."""

    CONFIG = centre([queue("support")], [agent("anne"), agent("bob"), agent("carl")])
    # Whether `asyncSetUp` starts it.
    STARTS = True

    async def asyncSetUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="surgeline-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.router = Router(self.folder, self.CONFIG)
        self._channels: list[grpc.aio.Channel] = []
        self.before_start()
        if self.STARTS:
            await self.router.start()
            self.supervisor = Supervisor(self.channel())

    def before_start(self):
        """What is set up of the router before it starts."""

    async def asyncTearDown(self):
        try:
            if self.router.running:
                await self.check_order()
                # With everybody still connected: they are told, and it ends all the same.
                self.assertEqual(await self.router.stop(), 0, self.router.logs()[-3_000:])
        except BaseException:
            if self.router.running:
                await self.router.kill()
            raise
        finally:
            for channel in self._channels:
                await channel.close(None)
        self.assertNotIn("panicked", self.router.logs())

    # -- clients

    def channel(self) -> grpc.aio.Channel:
        channel = self.router.channel()
        self._channels.append(channel)
        return channel

    async def gateway(self, name: str = "pbx", phone=joins, **more) -> Gateway:
        return await Gateway(self.channel(), name, phone, **more).connect()

    async def desktop(self) -> Desktop:
        return await Desktop(self.channel()).connect()

    async def ready(self, *names: str, desktop: Desktop | None = None) -> list[Agent]:
        """These agents, signed in and ready, in this order: the first is idle for longest."""
        desktop = desktop or await self.desktop()
        agents = []
        for name in names:
            agents.append(await desktop.sign_in(name))
            await agents[-1].ready()
        return agents

    # -- looking

    async def eventually(self, look, is_so, what: str, patience: float = PATIENCE):
        """Reads until it is so: readings follow what is acknowledged by a few milliseconds."""
        until = time.monotonic() + patience
        while True:
            seen = await look()
            if is_so(seen):
                return seen
            if time.monotonic() > until:
                self.fail(f"waited {patience} s for {what}; last seen:\n{seen}")
            await asyncio.sleep(0.02)

    async def caught_up(self):
        """Waits until readings show all that was acknowledged."""
        async def behind():
            return (await self.router.metrics())["surgeline_replica_lag_entries"]
        await self.eventually(behind, lambda n: n == 0, "the replica to catch up")

    async def see(self, contact_id: int, state: str, agent: str | None = None):
        """Waits until a contact is in this state (with this agent), and returns all about it."""
        wanted = types_pb2.ContactState.Value(f"CONTACT_STATE_{state}")

        async def look():
            try:
                return await self.supervisor.contact(contact_id)
            except Refused as no:  # not known to the replica yet
                return no

        def is_so(seen):
            if isinstance(seen, Refused):
                return False
            row = seen.contact
            return row.state == wanted and (agent is None or row.agent == agent)

        return await self.eventually(look, is_so, f"contact {contact_id} to be {state} {agent or ''}")

    async def see_ended(self, contact_id: int, reason: str):
        seen = await self.see(contact_id, "CLOSED")
        self.assertEqual(types_pb2.EndReason.Name(seen.contact.end_reason), f"END_REASON_{reason}")
        return seen

    async def see_agent(self, name: str, state: str, **fields):
        """Waits until an agent is counted so, and returns their row."""
        wanted = supervisor_pb2.AgentState.Value(f"AGENT_STATE_{state}")

        async def look():
            return (await self.supervisor.agents())[name]

        def is_so(row):
            return row.state == wanted and all(getattr(row, k) == v for k, v in fields.items())

        return await self.eventually(look, is_so, f"agent {name} to be {state} {fields or ''}")

    async def order_of(self, queue: str) -> list[int]:
        """The contacts that wait in a queue, first in line first."""
        await self.caught_up()
        rows = await self.supervisor.contacts(queue=queue, state=types_pb2.CONTACT_STATE_QUEUED)
        places = [((await self.supervisor.contact(r.contact_id)).position, r.contact_id) for r in rows]
        return [contact for _, contact in sorted(places)]

    async def snapshot(self) -> dict:
        """All that there is to see, without what only passes with time."""
        await self.caught_up()
        contacts = await self.supervisor.contacts()
        for row in contacts:
            row.ClearField("waited_ms")
            row.ClearField("in_queue_ms")
        agents = await self.supervisor.agents()
        for row in agents.values():
            row.ClearField("since_ms")
        queues = await self.supervisor.queues()
        for row in queues.values():
            row.ClearField("oldest_wait_ms")
            row.ClearField("expected_waits")
        counts = await self.supervisor.counts()
        parts = {f"contact {c.contact_id}": str(c) for c in contacts}
        parts |= {f"agent {n}": str(row) for n, row in agents.items()}
        parts |= {f"queue {n}": str(row) for n, row in queues.items()}
        return parts | {"counts": str(counts)}

    # -- asserting

    async def assert_refused(self, doing, code: str, field: str, reason: str | None = None) -> Refused:
        """Awaits it, and sees it refused with this code for this field."""
        with self.assertRaises(Refused) as caught:
            await doing
        no = caught.exception
        self.assertEqual((no.code_name, no.field), (code, field), str(no))
        self.assertTrue(no.message and no.reason, str(no))
        if reason is not None:
            self.assertEqual(no.reason, reason)
        return no

    async def assert_ended(self, conversation, reason: str):
        """The gateway is told that a contact is over, and why."""
        told = await conversation.expect("ended")
        self.assertEqual(types_pb2.EndReason.Name(told.body.reason), f"END_REASON_{reason}")

    def assert_offers_to_nobody(self, *agents: Agent):
        for agent in agents:
            self.assertFalse(agent.has_offer(), f"{agent.name} has an offer")

    async def check_order(self):
        """What must hold of every router at every moment."""
        await self.caught_up()
        counts = await self.supervisor.counts()
        states = (counts.queued, counts.reserved, counts.connecting, counts.assigned,
                  counts.pending, counts.self_service, counts.callback_due, counts.closed)
        self.assertEqual(counts.accepted, sum(states), f"accepted = the sum over states: {counts}")
        open_now = await self.supervisor.contacts()
        self.assertEqual(len({row.contact_id for row in open_now}), len(open_now))
        self.assertEqual(len(open_now), counts.accepted - counts.closed, counts)
        metrics = await self.router.metrics()
        for name in ("surgeline_conservation_difference", "surgeline_double_reservations_total",
                     "surgeline_replica_divergences_total"):
            self.assertEqual(metrics.get(name), 0, name)
        held = [w.contact_id for a in (await self.supervisor.agents()).values() for w in a.work
                if w.hold != supervisor_pb2.WORK_HOLD_WRAP_UP]
        self.assertEqual(len(held), len(set(held)), "a contact in two agents' hands")
