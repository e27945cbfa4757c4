"""Configurations that cannot be used, and restarts with others."""

import json
import unittest

from router import Router, RouterDied, run
from support import RouterTest, agent, centre, queue
from surgeline_client import VOICE

BROKEN = '''skills = ["billing"]

[[pools]]
name = "own"

[[queues]]
name = "support"
channels = ["voice"]
needs = { billing = 7 }
reservation_timout = "20s"

[[agents]]
name = "anne"
pool = "away"
'''
# Line and field of each fault in it.
FAULTS = {9: "queues[0].needs.billing", 10: "queues[0].reservation_timout", 14: "agents[0].pool"}


class Broken(RouterTest):
    CONFIG = BROKEN
    STARTS = False

    async def test_a_router_does_not_start_with_it_and_says_where(self):
        with self.assertRaisesRegex(RouterDied, "exit code [1-9]") as caught:
            await self.router.start()
        self.assertNotEqual(self.router.exit_code, 0)
        said = str(caught.exception)
        for line, field in FAULTS.items():
            self.assertIn(field, said)
            self.assertIn(f"centre.toml:{line}:", said)
        self.assertFalse(self.router.data.exists() and list(self.router.data.rglob("*.sqlite*")))

    async def test_config_check_says_the_same_without_starting_anything(self):
        code, out, errors = await run("config", "check", str(self.router.config))
        self.assertEqual(code, 2)
        for line, field in FAULTS.items():
            self.assertIn(field, out + errors)
            self.assertIn(f"centre.toml:{line}:", out + errors)
        code, out, _ = await run("config", "check", str(self.router.config), "--json")
        self.assertEqual(code, 2)
        rows = json.loads(out)["problems"]
        self.assertEqual({row["line"]: row["path"] for row in rows}, FAULTS)

    async def test_what_is_no_toml_or_not_there_is_told_likewise(self):
        self.router.config.write_text("[[queues]\nname = 1\n")
        code, out, errors = await run("config", "check", str(self.router.config))
        self.assertEqual(code, 2)
        self.assertIn("centre.toml:1:", out + errors)
        with self.assertRaises(RouterDied):
            await self.router.start()
        missing = str(self.folder / "missing.toml")
        code, out, errors = await run("config", "check", missing)
        self.assertEqual(code, 2)
        self.assertIn(missing, out + errors)

    async def test_a_sound_one_is_sound(self):
        self.router.config.write_text(RouterTest.CONFIG)
        code, out, errors = await run("config", "check", str(self.router.config))
        self.assertEqual(code, 0, out + errors)
        code, out, _ = await run("config", "check", str(self.router.config), "--json")
        self.assertTrue(json.loads(out)["ok"])


class Restart(RouterTest):
    CONFIG = centre([queue("support"), queue("old")], [agent("anne"), agent("bob")])

    async def test_a_stopped_router_goes_on_where_it_was_with_a_newer_file(self):
        gateway = await self.gateway()
        desktop = await self.desktop()
        anne = await desktop.sign_in("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        other = await gateway.arrive("call-2", VOICE, queue="old")
        self.assertEqual(await self.router.stop(), 0)
        self.assertEqual((await gateway.stream.wait_ended()).status.name, "UNAVAILABLE")
        self.assertEqual((await desktop.stream.wait_ended()).status.name, "UNAVAILABLE")
        self.router.config.write_text(
            centre([queue("support"), queue("new")], [agent("anne"), agent("carl")]))
        await self.router.start()
        await gateway.connect()
        await self.see(call.id, "QUEUED")
        await self.see(other.id, "QUEUED")
        queues = await self.supervisor.queues()
        self.assertTrue(queues["old"].retired)
        self.assertFalse(queues["support"].retired)
        retired = gateway.arrive("call-3", VOICE, queue="old")
        await self.assert_refused(retired, "NOT_FOUND", "queue")
        await gateway.arrive("call-3", VOICE, queue="new")
        await desktop.connect()
        bob = desktop.sign_in("bob")
        await self.assert_refused(bob, "NOT_FOUND", "agent")
        await anne.ready()
        await anne.take(call.id)

    async def test_the_journal_verifies_after_a_stop(self):
        gateway = await self.gateway()
        for i in range(10):
            await gateway.arrive(f"call-{i}", VOICE, queue="support")
        await self.check_order()
        self.assertEqual(await self.router.stop(), 0)
        code, out, errors = await run("journal", "verify", "--data", str(self.router.data))
        self.assertEqual(code, 0, out + errors)


class Reload(RouterTest):
    """Another configuration while everyone is here."""

    CONFIG = centre([queue("support"), queue("old")], [agent("anne"), agent("bob")])
    NEWER = centre([queue("support"), queue("new")], [agent("anne"), agent("carl")])

    async def apply(self, config: str) -> dict:
        path = self.folder / "newer.toml"
        path.write_text(config)
        code, out, errors = await run("config", "apply", str(path), "--why", "a test", "--actor", "amara",
                                      "--router", self.router.grpc, "--json")
        self.assertEqual(code, 0, out + errors)
        return json.loads(out)

    async def test_queues_and_agents_come_and_go_and_nobody_loses_place_or_agent(self):
        pbx = await self.gateway()
        served = await pbx.arrive("call-0", VOICE, queue="support")
        [bob] = await self.ready("bob")
        await bob.take(served.id)
        calls = [await pbx.arrive(f"call-{i}", VOICE, queue="support") for i in range(1, 4)]
        other = await pbx.arrive("call-4", VOICE, queue="old")
        told = await self.apply(self.NEWER)
        kinds = {(c["section"], c["name"]): c["change"] for c in told["changes"]}
        self.assertEqual(kinds[("queues", "old")], "retired")
        self.assertEqual(kinds[("agents", "carl")], "added")
        self.assertTrue(any("agent bob is retired with 1 contacts" in w for w in told["warnings"]), told)
        self.assertTrue(any("queue old is retired with 1 contacts" in w for w in told["warnings"]), told)
        await self.assert_refused(pbx.arrive("call-5", VOICE, queue="old"), "NOT_FOUND", "queue")
        self.assertEqual(await self.order_of("support"), [call.id for call in calls])
        await self.see(served.id, "ASSIGNED", agent="bob")
        await self.see(other.id, "QUEUED")
        [carl] = await self.ready("carl")
        await carl.take(calls[0].id)

    async def test_again_and_again_under_arrivals_the_order_stays(self):
        pbx = await self.gateway()
        ids = []
        for i in range(12):
            ids.append((await pbx.arrive(f"call-{i}", VOICE, queue="support")).id)
            await self.apply(self.NEWER if i % 2 else self.CONFIG)
        self.assertEqual(await self.order_of("support"), ids)
        await self.check_order()

    async def test_a_signal_reads_the_file_again_and_a_broken_one_changes_nothing(self):
        self.router.config.write_text(self.NEWER)
        self.router.read_again()
        queues = self.supervisor.queues
        await self.eventually(queues, lambda rows: "new" in rows, "the newer file")
        self.router.config.write_text(BROKEN)
        self.router.read_again()
        ready = lambda: self.router.get("/readyz")
        await self.eventually(ready, lambda said: "not in force" in said, "a word about the file")
        self.assertIn("new", await queues())
        # A start with it serves all the same.
        await self.router.stop()
        await self.router.start()
        self.assertIn("not in force", await self.router.get("/readyz"))


class Company(RouterTest):
    """Two routers where there is room for one."""

    async def test_a_second_router_on_the_same_data_does_not_start(self):
        second = Router(self.folder / "second", RouterTest.CONFIG)
        second.data = self.router.data
        gateway = await self.gateway()
        call = await gateway.arrive("call-1", VOICE, queue="support")
        with self.assertRaises(RouterDied) as caught:
            await second.start()
        self.assertIn(str(self.router.data), str(caught.exception))
        # The first one is none the worse for it.
        await call.hold(True)
        await self.see(call.id, "QUEUED")

    async def test_a_router_whose_port_is_taken_says_so(self):
        second = Router(self.folder / "second", RouterTest.CONFIG)
        second.grpc = self.router.grpc
        with self.assertRaises(RouterDied) as caught:
            await second.start()
        self.assertIn(second.grpc, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
