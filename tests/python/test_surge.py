"""Recalls on a day that grows: levels that move by themselves, calls offered, partners, pages."""

import http.server
import json
import threading

from surgeline.v1 import recall_pb2, types_pb2

from playbook import KEPT, playbook
from router import run
from support import RouterTest, agent, centre, queue
from surgeline_client import VOICE, OnCall, Person

ALL = ("voice", "chat", "email", "message")
# As quick as it may be; the load moves nothing, the wait everything.
CONTROL = """
[control]
wait = ["1s", "1s", "2s"]
held = ["1s", "1s", "1s"]
load = 60.0
release = 50.0
leave_after = "1s"
"""
CALLBACK = """
[tiers.callback]
from = "surge"
offer_after = "0s"
within = "1h"
capacity = 2
accept_within = "{accept}"
"""
PARTNER = """
[tiers.partner]
from = "critical"
pools = ["helpers"]
lead = "2s"
takes = ["voice"]
"""


def level(name: str) -> int:
    return recall_pb2.RecallLevel.Value(f"RECALL_LEVEL_{name}")


class Hook(http.server.ThreadingHTTPServer):
    """A pager's webhook that keeps what it is sent; the first `failures` it cannot take."""

    daemon_threads = True

    def __init__(self, failures: int = 0):
        super().__init__(("127.0.0.1", 0), Takes)
        self.failures, self.seen, self.taken = failures, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def close(self):
        self.shutdown()
        self.server_close()


class Takes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.headers["idempotency-key"], body))
        fails = len(self.server.seen) <= self.server.failures
        if not fails:
            self.server.taken.append((self.headers["idempotency-key"], body))
        self.send_response(503 if fails else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class SurgeTest(RouterTest):
    """A router with a recall's playbook, nobody ready but the one who is kept for safety."""

    PLAYBOOK = ""
    CONFIG = centre(
        [queue("support", *ALL, callback={"per_hour": 1000, "share": 100}),
         queue("safety", *ALL, safety=True)],
        [agent("anne"), agent("paul", pool="helpers"), agent("sana", pool=KEPT)],
        entry_points=[dict(name="line", queue="support"), dict(name="chat", queue="support"),
                      dict(name="mail", queue="support"), dict(name="elsewhere", queue="support")],
        pools=["own", KEPT, "helpers"],
    ).replace('name = "helpers"', 'name = "helpers"\npartner = true')

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.on_call = OnCall(self.channel())
        folder = self.folder / "playbooks"
        folder.mkdir(exist_ok=True)
        self.put(self.PLAYBOOK)
        [self.sana] = await self.ready("sana")

    def put(self, more: str):
        # No menu: who calls waits on the line.
        text = playbook().replace('[tiers.ivr]\nfrom = "surge"', '[tiers.ivr]\nfrom = "critical"')
        (self.folder / "playbooks" / "kettle.toml").write_text(text + more)

    async def recall(self):
        [recall] = await self.on_call.status()
        return recall

    async def tier(self, which: int):
        return next(t for t in (await self.recall()).tiers if t.tier == which)

    async def cli(self, *typed: str) -> str:
        code, out, errors = await run("recall", *typed, "--router", self.router.grpc)
        self.assertEqual(code, 0, out + errors)
        return out


class Free(SurgeTest):
    PLAYBOOK = CONTROL

    async def becomes(self, name: str):
        # Two calls are a load of 60 at most after ten seconds; half a minute is enough to forget them.
        return await self.eventually(
            self.recall, lambda r: r.level == level(name), f"level {name}", patience=60.0)

    async def test_a_free_level_rises_and_falls_and_says_why(self):
        gateway = await self.gateway(can_say=False)
        await self.on_call.start("kettle", "ELEVATED", free=recall_pb2.LevelBounds(
            lowest=level("ELEVATED"), highest=level("SURGE")))
        # One at work who rings and rings: where nobody is, whoever comes is a wave.
        await self.ready("anne")
        calls = [await gateway.arrive(f"call-{n}", VOICE, entry_point="line") for n in range(2)]
        up = await self.becomes("SURGE")
        self.assertEqual(up.by, "router")
        self.assertIn("wait ", up.why)
        [wait] = [m for m in up.control.measures if m.name == "wait"]
        self.assertGreater(wait.value, wait.threshold - 1)
        metrics = await self.router.metrics()
        self.assertEqual(metrics['surgeline_recall_level_free{recall="1"}'], 1)
        self.assertEqual(metrics['surgeline_recall_level{recall="1",level="surge"}'], 1)
        told = await self.cli("status")
        self.assertIn("the router moves it, elevated to surge", told)
        self.assertIn("set by     router: wait ", told)
        for call in calls:
            await call.customer_left()
        await self.becomes("ELEVATED")
        moves = {k: v for k, v in (await self.router.metrics()).items()
                 if k.startswith("surgeline_recall_level_moves_total")}
        self.assertEqual(sorted(moves.values()), [1, 1], moves)
        # Pinned it stays, whatever presses.
        pinned = await self.on_call.set_level("NORMAL")
        self.assertTrue(pinned.recall.pinned)
        self.assertFalse(pinned.recall.HasField("control"))

    async def test_bounds_that_are_none_are_refused_by_the_names_of_the_order(self):
        await self.on_call.start("kettle", "ELEVATED")
        wrong = recall_pb2.SetLevelRequest(
            request_id="w", actor="nadia", why="a test",
            free=recall_pb2.LevelBounds(lowest=level("CRITICAL"), highest=level("SURGE")))
        await self.assert_refused(self.on_call.send_level(wrong), "INVALID", "to.free.lowest", "OUT_OF_RANGE")


class Offers(SurgeTest):
    PLAYBOOK = CALLBACK.format(accept="5s")

    async def begun(self, *keys: str):
        """Calls that are offered a call, and the offers. One waits before them, or they would
        have nothing to wait for; its own gateway asks nobody."""
        gateway, old = await self.gateway(can_offer_callback=True), await self.gateway("old-pbx")
        await self.on_call.start("kettle", "SURGE")
        self.first = await old.arrive("first", VOICE, entry_point="line")
        calls = [await gateway.arrive(key, VOICE, entry_point="line") for key in keys]
        return gateway, [(call, (await call.expect("offer_callback")).body) for call in calls]

    async def answers(self, gateway, call, offer, accepted: bool, confirmed: bool = True):
        return await gateway.report(offer_result=dict(
            effect_id=offer.effect_id, contact_id=call.id, accepted=accepted,
            number_confirmed=accepted and confirmed,
            person=Person(address="+49 30 7654321") if accepted else None))

    async def test_who_accepts_is_called_and_who_declines_waits_at_their_place(self):
        gateway, [(yes, offer), (no, other)] = await self.begun("yes", "no")
        self.assertEqual((await self.tier(types_pb2.TIER_CALLBACK)).offers, 2)
        self.assertIn("2 customers asked now", await self.cli("status"))
        await self.assert_refused(self.answers(gateway, yes, offer, True, confirmed=False),
                                  "WRONG_STATE", "number_confirmed", "NO_NUMBER")
        await self.answers(gateway, yes, offer, True)
        await yes.expect("callback_due")
        await yes.customer_left()
        await self.answers(gateway, no, other, False)
        await self.see(yes.id, "CALLBACK_DUE")
        await self.see(no.id, "QUEUED")
        self.assertNotIn("offer_callback", self.first.kinds())
        await self.first.customer_left()
        tier = await self.tier(types_pb2.TIER_CALLBACK)
        self.assertEqual((tier.entered, tier.in_use, tier.offers), (1, 1, 0))
        [anne] = await self.ready("anne")
        # Who is on the line goes first, then the call, long before it is due.
        await anne.take(no.id)
        await anne.complete(no.id)
        offered = await anne.expect_offer(yes.id)
        self.assertTrue(offered.callback)
        await anne.accept(offered)
        dial = (await yes.expect("dial")).body
        await gateway.report(dial_result=dict(
            effect_id=dial.effect_id, outcome=types_pb2.DialOutcome.Value("DIAL_OUTCOME_ANSWERED")))
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await anne.expect("assigned", yes.id)
        await anne.complete(yes.id)
        self.assertEqual(no.kinds().count("offer_callback"), 1)

    async def test_an_answer_that_comes_too_late_costs_nothing(self):
        gateway, [(late, offer)] = await self.begun("late")
        await late.expect("effect_withdrawn", timeout=30)
        with self.assertRaises(Exception) as caught:
            await self.answers(gateway, late, offer, True)
        self.assertEqual(caught.exception.field, "effect_id")
        await self.see(late.id, "QUEUED")
        self.assertEqual((await self.tier(types_pb2.TIER_CALLBACK)).entered, 0)


class Partners(SurgeTest):
    PLAYBOOK = PARTNER

    async def test_partners_join_after_their_lead_take_the_recalls_calls_alone_and_leave(self):
        gateway = await self.gateway(can_say=False)
        [paul] = await self.ready("paul")
        await self.on_call.start("kettle", "SURGE")
        ours = await gateway.arrive("ours", VOICE, entry_point="line")
        other = await gateway.arrive("other", VOICE, entry_point="elsewhere")
        self.assertEqual((await self.tier(types_pb2.TIER_PARTNER)).partners, "away")
        self.assert_offers_to_nobody(paul)
        await self.on_call.set_level("CRITICAL")
        self.assertEqual((await self.tier(types_pb2.TIER_PARTNER)).partners, "called")
        self.assert_offers_to_nobody(paul)
        offer = await paul.expect_offer(ours.id)
        self.assertEqual((await self.tier(types_pb2.TIER_PARTNER)).partners, "joined")
        await paul.accept(offer)
        await paul.expect("assigned", ours.id)
        await self.on_call.set_level("SURGE")
        waits = await gateway.arrive("waits", VOICE, entry_point="line")
        # What he has in hand he finishes, and gets no more.
        await paul.complete(ours.id)
        await self.see_agent("paul", "READY")
        for contact in (other, waits):
            await self.see(contact.id, "QUEUED")
        self.assert_offers_to_nobody(paul)
        self.assertEqual((await self.tier(types_pb2.TIER_PARTNER)).partners, "away")


class Pages(SurgeTest):
    PLAYBOOK = 'target = "1s"\nexternal_after = "1h"\npage_after = "2s"\npage_repeat = "1h"\n'

    async def asyncSetUp(self):
        self.hook = Hook(failures=1)
        self.addCleanup(self.hook.close)
        self.CONFIG = type(self).CONFIG + f'[page]\nurl = "{self.hook.url}"\n'
        await super().asyncSetUp()

    async def hurt(self):
        gateway = await self.gateway(can_say=False)
        await self.on_call.start("kettle", "SURGE")
        await self.sana.not_ready()
        return await gateway.arrive("hurt", VOICE, entry_point="line", person=Person(words="she is hurt"))

    async def taken(self, least: int = 1):
        async def look():
            return list(self.hook.taken)

        return await self.eventually(look, lambda seen: len(seen) >= least, "a page")

    async def test_a_page_is_tried_again_until_it_is_taken_and_told(self):
        await self.hurt()
        [(key, body)] = await self.taken()
        self.assertEqual([seen for seen, _ in self.hook.seen], [key, key])
        self.assertEqual(body["waiting"], 1)
        settled = await self.eventually(self.recall, lambda r: r.safety.last_page == "sent", "it is settled")
        self.assertEqual((settled.safety.pages, settled.safety.pages_failed, settled.safety.waiting_late), (1, 0, 1))
        self.assertIn("1 WAIT TOO LONG", await self.cli("status"))

    async def test_a_page_survives_a_router_that_is_killed(self):
        self.hook.failures = 1_000
        await self.hurt()

        async def tried():
            return list(self.hook.seen)

        [(key, _), *_] = await self.eventually(tried, bool, "an attempt")
        await self.router.kill()
        self.hook.failures = 0
        await self.router.start()
        self.on_call = OnCall(self.channel())
        [(again, _), *_] = await self.taken()
        self.assertEqual(again, key, "the same page, by its key")

    async def test_past_the_target_any_agent_has_the_one_who_is_hurt(self):
        [anne] = await self.ready("anne")
        call = await self.hurt()
        await anne.take(call.id)


class Outside(SurgeTest):
    PLAYBOOK = 'target = "1s"\nexternal = "+493055501"\nexternal_after = "2s"\npage_after = "1h"\n'

    async def nobody_is_there(self):
        await self.sana.become("SIGNED_OUT")
        await self.sana.leave()

    async def test_with_nobody_there_the_hurt_go_to_the_number_outside(self):
        await self.nobody_is_there()
        begun = await self.on_call.start("kettle", "SURGE")
        self.assertEqual((begun.recall.safety_agents, begun.recall.safety.external), (0, "+493055501"))
        gateway = await self.gateway(can_say=False)
        hurt = await gateway.arrive("hurt", VOICE, entry_point="line", person=Person(words="she is hurt"))
        forward = (await hurt.expect("forward")).body
        self.assertEqual(forward.number, "+493055501")
        await gateway.effect_done(forward.effect_id)
        await self.assert_ended(hurt, "OVERFLOWED")

    async def test_without_either_a_start_is_refused_until_somebody_takes_it_upon_them(self):
        self.put('target = "1s"\n')
        await self.nobody_is_there()
        await self.assert_refused(self.on_call.start("kettle"), "WRONG_STATE",
                                  "accept_empty_safety_lane", "EMPTY_SAFETY_LANE")
        self.assertEqual(await self.on_call.status(), [])
        begun = await self.on_call.start("kettle", accept_empty_safety_lane=True)
        self.assertEqual(begun.recall.safety_agents, 0)
        self.assertTrue([w for w in begun.warnings if "kept for the safety lane is signed in (sana)" in w],
                        begun.warnings)


class Amended(SurgeTest):
    def put(self, more: str):
        (self.folder / "playbooks" / "kettle.toml").write_text(playbook() + more)

    async def told_not_affected(self, gateway, key: str):
        call = await gateway.arrive(key, VOICE, entry_point="line")
        await call.hears("ivr.injury")
        await call.customer_presses("2")
        await call.hears("ivr.option.2")
        await call.customer_presses("1")
        await call.hears("ivr.lot")
        await call.customer_presses("1275001#")
        await call.hears_out("ivr.lot.not-affected")
        return call

    async def test_who_was_told_otherwise_is_told_or_called_or_counted(self):
        gateway = await self.gateway()
        await self.on_call.start("kettle", "SURGE")
        reached, unknown, hears = [await self.told_not_affected(gateway, key)
                                   for key in ("reached", "unknown", "hears")]
        await gateway.report(number_confirmed=dict(
            contact_id=reached.id, confirmed=True, person=Person(address="+49 30 7654321")))
        for call in (reached, unknown):
            await call.customer_left()
            await self.assert_ended(call, "INFORMED")
        typed = ("amend", "--add-lot", "1275001", "--actor", "nadia", "--why", "one more lot")
        expected = ('of those who were told "not affected": 1 hear otherwise in the menu, '
                    "1 get a follow-up, 1 cannot be reached")
        self.assertIn(expected, await self.cli(*typed, "--dry-run"))
        self.assertIn(expected, await self.cli(*typed))
        said = await hears.hears("ivr.lot.affected")
        self.assertEqual(said.text.words, "Lot 1 2 7 5 0 0 1 is affected.")

        async def opened():
            return [c for c in (await self.supervisor.contacts()) if c.contact_id > hears.id]

        [follow_up] = await self.eventually(opened, bool, "the follow-up of who is gone")
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(follow_up.contact_id)
        self.assertTrue(offer.callback)
