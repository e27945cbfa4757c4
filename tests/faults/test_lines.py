"""Lines and clients that go: half-open, cut for a while, flapping, and read by nobody.

What a line that breaks cleanly does (grace, requeue, the newest session) is tested in
`tests/python/test_reconnect.py`.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import load
from router import centre
from stage import LONG, FaultTest, percentile
from support import agent, queue
from surgeline.v1 import agent_pb2, agent_pb2_grpc
from surgeline_client import CHAT, VOICE, Desktop, Gateway, Person, Supervisor

FLAPS = 1_000 if LONG else 200
# A silent connection is asked after 20 s and believed gone 10 s later.
KEEPALIVE = 30


class HalfOpen(FaultTest):
    CONFIG = centre(
        [queue("support", needs={"x": 1}, reservation_timeout="10m"), queue("elsewhere", needs={"y": 1})],
        [agent("sleeper", skills={"x": 3}), agent("other", skills={"x": 3}), agent("none", skills={"y": 1})],
        settings={"agent_grace": "15m"})

    async def test_a_process_that_stands_still(self):
        """SIGSTOP: the connection stays, nobody answers on it."""
        await self.router.start()
        channel = self.router.channel()
        supervisor = Supervisor(channel)
        far = await asyncio.create_subprocess_exec(
            sys.executable, Path(__file__).with_name("far_client.py"), self.router.grpc,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)

        async def hear() -> list[str]:
            return (await asyncio.wait_for(far.stdout.readline(), 90)).decode().split()

        try:
            gateway = await Gateway(channel, "near").connect()
            call = await gateway.arrive("near-1", VOICE, queue="support")
            self.assertEqual(await hear(), ["offer", str(call.id)])
            other = await (await Desktop(channel).connect()).sign_in("other")
            await other.ready()
            os.kill(far.pid, signal.SIGSTOP)
            began = time.monotonic()
            offer = await other.expect_offer(call.id, timeout=KEEPALIVE * 3)
            offered = time.monotonic() - began
            await other.accept(offer)
            await other.expect("assigned", call.id)

            async def far_call():
                return next(row for row in await supervisor.contacts() if row.key == "far-1")

            async def is_detached():
                return (await far_call()).detached
            await self.until(is_detached, "the far gateway's contact to be detached", KEEPALIVE * 2)
            print(f"\nstood still: its offer went to another after {offered:.1f} s")
            self.assertLess(offered, KEEPALIVE + 5)

            os.kill(far.pid, signal.SIGCONT)
            far.stdin.write(b"\n")
            said = [await hear() for _ in range(3)]
            self.assertEqual([line[0] for line in said], ["gateway", "desktop", "refused"])
            self.assertEqual(said[2][1], "RESERVATION_OVER")

            async def is_back():
                return not (await far_call()).detached
            await self.until(is_back, "the far gateway's contact to be attached again")
            row = (await supervisor.contact(call.id)).contact
            self.assertEqual(row.agent, "other")
            self.assertEqual((await self.router.metrics())["surgeline_double_reservations_total"], 0)
        finally:
            far.kill()
            await far.wait()
            await channel.close(None)


class Flapping(FaultTest):
    async def test_lines_that_come_and_go_all_the_time(self):
        random.seed(3)
        await self.start()
        self.load.run(200)
        began = time.monotonic()
        for flap in range(FLAPS):
            line = random.choice(self.load.lines)
            await self.acknowledged(random.randrange(10))
            await line.drop()
            await line.connect()
        await self.all_is_well()
        ledger = self.load.ledger
        print(f"\n{FLAPS} times a line broke and came back in {time.monotonic() - began:.0f} s: "
              f"{ledger.acknowledged} acknowledged, refused: {ledger.refused}")
        self.assertEqual(await self.router.stop(), 0)
        await self.load.gone()
        await self.replay_is_right()


def iptables(*rule: str) -> bool:
    return subprocess.run(["iptables", "-w", *rule], capture_output=True).returncode == 0


@unittest.skipUnless(shutil.which("iptables") and iptables("-L", "INPUT", "-n"),
                     "iptables is missing or not allowed: no partition can be staged")
class Partition(FaultTest):
    async def asyncTearDown(self):
        for rule in self.rules:
            iptables("-D", *rule)
        await super().asyncTearDown()

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.rules: list[list[str]] = []

    async def cut_for(self, seconds: float) -> None:
        """No packet passes between the router and anybody."""
        port = self.router.grpc.rpartition(":")[2]
        for side in ("--dport", "--sport"):
            rule = ["INPUT", "-i", "lo", "-p", "tcp", side, port, "-j", "DROP"]
            self.assertTrue(iptables("-I", *rule))
            self.rules.append(rule)
        await asyncio.sleep(seconds)
        for rule in self.rules:
            self.assertTrue(iptables("-D", *rule))
        self.rules = []

    async def test_cut_for_a_moment(self):
        """TCP carries on where it was; nobody needs to know."""
        await self.start()
        self.load.run(100)
        await self.acknowledged(500)
        await self.cut_for(3)
        await self.acknowledged(500)
        await self.all_is_well()

    @unittest.skipUnless(LONG, "takes a minute: in the long form")
    async def test_cut_for_so_long_that_both_sides_give_up(self):
        await self.start()
        self.load.run(100)
        await self.acknowledged(500)
        await self.load.pause()
        await self.cut_for(KEEPALIVE + 10)
        # Clients without keepalive of their own do not notice: they are told, or come anew.
        for line in self.load.lines:
            await line.drop()
        await self.load.resync()
        self.load.run(100)
        await self.acknowledged(500)
        await self.all_is_well()


class SlowReader(FaultTest):
    CONFIG = load.config(25)

    async def test_nobody_waits_for_one_who_does_not_read(self):
        await self.start(agents=24)
        channel = self.router.channel()
        stub = agent_pb2_grpc.AgentServiceStub(channel)
        # One who has a chat, and then does not read any more what its customer writes.
        slow = stub.Connect()
        for request in (dict(request_id="s", sign_in=dict()),
                        dict(request_id="r", act=dict(become=dict(availability=dict(kind=1))))):
            await slow.write(agent_pb2.AgentServiceConnectRequest(agent="agent-24", **request))
        widget = await Gateway(channel, "chatty").connect()
        chat = await widget.arrive("chatty-1", CHAT, queue="desk")
        offer = await self.his_offer(slow, widget, chat)
        accept = dict(accept=dict(reservation_id=offer.reservation_id))
        await slow.write(agent_pb2.AgentServiceConnectRequest(request_id="a", agent="agent-24", act=accept))
        await chat.expect("assigned_to")
        rest = dict(become=dict(availability=dict(kind=2, reason="break")))
        await slow.write(agent_pb2.AgentServiceConnectRequest(request_id="b", agent="agent-24", act=rest))
        for desktop in self.load.desktops:
            await desktop.all_ready()

        self.load.run(150)
        await self.acknowledged(1_500)
        before = self.latencies()
        words, sent, memory = Person(words="and another thing " * 50), 0, self.memory_kib()
        while not (cut := await self.cut_off()) and sent < 40_000:
            told = [widget.send(input=dict(contact_id=chat.id, person=words)) for _ in range(100)]
            await asyncio.wait_for(asyncio.gather(*told), 60)
            sent += len(told)
        during, grown = self.latencies(), self.memory_kib() - memory
        self.assertEqual(cut, 1, f"not cut off after {sent} directives that nobody read")
        print(f"\ncut off after {sent} directives of 900 bytes, router {grown} KiB larger; answers to others: "
              f"p99 {1_000 * percentile(before, 0.99):.0f} ms before ({len(before)}), "
              f"{1_000 * percentile(during, 0.99):.0f} ms meanwhile ({len(during)})")
        self.assertLess(percentile(during, 0.99), 1)
        with self.assertRaisesRegex(Exception, "resync"):
            async with asyncio.timeout(20):
                while await slow.read() is not None:
                    pass
        # He comes back and has his chat still.
        again = await (await Desktop(channel).connect()).sign_in("agent-24")
        await again.expect("assigned", chat.id)
        await again.complete(chat.id)
        await chat.expect("ended")
        await widget.close()
        await channel.close(None)
        await self.load.quiet()
        self.load.ledger.accepted("chatty-1", chat.id)
        self.load.ledger.end_asked.add(chat.id)
        self.load.ledger.ended(chat.id, told=False)
        await self.all_is_well()

    async def his_offer(self, slow, widget, chat):
        """The slow one's offer: everyone else is not ready while the chat comes in."""
        while (said := await slow.read()).directive.WhichOneof("directive") != "offer":
            pass
        self.assertEqual(said.directive.offer.contact_id, chat.id)
        return said.directive.offer

    async def start(self, **how):
        await super().start(**how)
        for desktop in self.load.desktops:
            await asyncio.gather(*(desktop.become(a, "NOT_READY") for a in desktop.agents))
        return self.load

    def latencies(self) -> list[float]:
        took = [t for line in self.load.lines for t in line.took]
        for line in self.load.lines:
            line.took.clear()
        return took

    async def cut_off(self) -> float:
        metrics = await self.router.metrics()
        return sum(v for k, v in metrics.items() if "cut_off_total" in k and "slow" in k)
