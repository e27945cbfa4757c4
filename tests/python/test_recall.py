"""Recalls on a real router: what on-call staff order, and what customers in self-service meet."""

import asyncio
import json
import time

from surgeline.v1 import gateway_pb2, recall_pb2, types_pb2

from playbook import KEPT, playbook
from router import run
from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, EMAIL, VOICE, OnCall, Person, never_says

ALL = ("voice", "chat", "email", "message")
AFFECTED, NOT_AFFECTED, HALF_A_LOT = "1274425", "1275001", "12"


class RecallTest(RouterTest):
    """A router with a playbook, one agent kept for safety who is ready, and others who are not."""

    CONFIG = centre(
        [queue("support", *ALL), queue("safety", *ALL, safety=True)],
        [agent("anne"), agent("bob"), agent("sana", pool=KEPT)],
        entry_points=[dict(name="line", queue="support"), dict(name="chat", queue="support"),
                      dict(name="mail", queue="support"), dict(name="elsewhere", queue="support")],
        pools=["own", KEPT],
    )

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.on_call = OnCall(self.channel())
        self.put(playbook())
        [self.sana] = await self.ready("sana")

    def put(self, text: str, name: str = "kettle"):
        folder = self.folder / "playbooks"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(text)

    async def tier(self, which: int):
        [recall] = await self.on_call.status()
        return next(t for t in recall.tiers if t.tier == which)

    def assert_never_diverted(self, *conversations):
        for conversation in conversations:
            self.assertNotIn("self_service", conversation.kinds())


class Orders(RecallTest):
    async def refuses(self, doing, code: str, field: str, reason: str):
        """Refused with its field, and nothing changed."""
        before = await self.snapshot(), [r.SerializeToString() for r in await self.levels()]
        no = await self.assert_refused(doing, code, field, reason)
        self.assertEqual((await self.snapshot(), [r.SerializeToString() for r in await self.levels()]), before)
        return no

    async def levels(self):
        """Recalls in force, without what only passes with time."""
        recalls = await self.on_call.status()
        for recall in recalls:
            for passing in ("since_unix_ms", "started_unix_ms", "expires_unix_ms"):
                recall.ClearField(passing)
        return recalls

    async def test_a_start_that_cannot_be_is_refused_and_changes_nothing(self):
        start = self.on_call.start
        no = await self.refuses(start("none"), "NOT_FOUND", "playbook", "NO_SUCH_PLAYBOOK")
        self.assertIn("has generic, kettle", no.message)
        await self.refuses(start("kettle", playbook_hash="0123456789ab"),
                           "WRONG_STATE", "playbook_hash", "OTHER_VERSION")
        no = await self.refuses(start("generic"), "INVALID", "slots", "OPEN_SLOTS")
        self.assertTrue(no.message.startswith("open slots: product, company, hazard"), no.message)
        self.assertIn('--slot product="..." --slot company="..."', no.message)
        await self.refuses(start("kettle", slots={"product": "x"}), "WRONG_STATE", "slots", "NOT_GENERIC")
        await self.refuses(start("kettle", why=""), "INVALID", "why", "MISSING")
        self.put(playbook(entry_points=["chat", "no-such"]), "elsewhere")
        no = await self.refuses(start("elsewhere"), "WRONG_STATE", "scope.entry_points", "NOT_IN_CONFIGURATION")
        self.assertIn('no entry point "no-such"; it has line, chat, mail, elsewhere', no.message)
        self.put("title = 1", "broken")
        await self.refuses(start("broken"), "WRONG_STATE", "playbook", "BAD_PLAYBOOK")
        for dry_run in (True, False):
            self.put(playbook(), "kettle")
            await self.sana.become("SIGNED_OUT")
            await self.sana.leave()
            no = await self.refuses(start("kettle", dry_run=dry_run),
                                    "WRONG_STATE", "accept_empty_safety_lane", "EMPTY_SAFETY_LANE")
            self.assertIn("kept for it: sana", no.message)
            await self.sana.sign_in()
        begun = await start("kettle")
        self.assertEqual(begun.recall.safety_agents, 1)

    async def test_a_recall_in_force_is_steered_and_nonsense_is_refused(self):
        on_call = self.on_call
        await self.refuses(on_call.end(), "NOT_FOUND", "recall_id", "NO_RECALL")
        begun = await on_call.start("kettle", "ELEVATED", request_id="start")
        again = await on_call.start("kettle", "ELEVATED", request_id="start")
        self.assertEqual((begun.recall.recall_id, again.recall.recall_id), (1, 1))
        self.assertEqual((begun.recall.by, begun.recall.why), ("nadia", "a test"))
        await self.refuses(on_call.start("kettle"), "WRONG_STATE", "scope.entry_points", "SCOPE_TAKEN")
        await self.refuses(on_call.set_level("ELEVATED"), "WRONG_STATE", "level", "SAME_LEVEL")
        await self.refuses(on_call.set_level("SURGE", recall_id=9), "NOT_FOUND", "recall_id", "NO_SUCH_RECALL")
        await self.refuses(on_call.set_level("SURGE", why=""), "INVALID", "why", "MISSING")
        await self.refuses(on_call.set_level("ENDED"), "INVALID", "to.pinned", "OUT_OF_RANGE")
        freed = (await on_call.free()).recall
        bounds = (freed.bounds.lowest, freed.bounds.highest)
        self.assertEqual((freed.pinned, bounds), (False, (recall_pb2.RECALL_LEVEL_NORMAL, recall_pb2.RECALL_LEVEL_CRITICAL)))
        self.assertEqual(freed.level, recall_pb2.RECALL_LEVEL_ELEVATED, "nothing presses yet")
        self.assertTrue(freed.control.measures, "what it moves by can be seen")

        would = await on_call.set_level("SURGE", dry_run=True, request_id="level")
        self.assertTrue(all(t.open for t in would.recall.tiers))
        self.assertFalse((await self.tier(types_pb2.TIER_IVR)).open)
        set_to = await on_call.set_level("SURGE", request_id="level", why="it grows")
        self.assertEqual((set_to.recall.level, set_to.recall.why), (recall_pb2.RECALL_LEVEL_SURGE, "it grows"))
        ended = await on_call.end(request_id="end")
        self.assertEqual(ended.recall.level, recall_pb2.RECALL_LEVEL_ENDED)
        await on_call.end(request_id="end")
        self.assertEqual(await on_call.status(), [])
        [over] = await on_call.status(1)
        self.assertEqual(over.level, recall_pb2.RECALL_LEVEL_ENDED)

    async def test_those_who_wait_go_and_come_back_in_their_order(self):
        gateway = await self.gateway("widget")
        # Until a recall keeps her for safety she takes what comes.
        await self.sana.not_ready()
        chats = [await gateway.arrive(f"chat-{i}", CHAT, entry_point="chat") for i in range(20)]
        outside = await gateway.arrive("outside", CHAT, entry_point="elsewhere")
        before = await self.snapshot()
        would = await self.on_call.start("kettle", dry_run=True)
        self.assertEqual((would.to_move, would.recall.recall_id), (20, 0))
        self.assertEqual(await self.snapshot(), before)
        self.assertEqual(await self.on_call.status(), [])

        begun = await self.on_call.start("kettle")
        self.assertEqual(begun.recall.playbook_hash, would.recall.playbook_hash)
        for chat in chats:
            await chat.hears("acknowledgement")
        await self.see(outside.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [outside.id])
        self.assertEqual((await self.tier(types_pb2.TIER_FAQ)).in_use, 20)
        back = await self.on_call.set_level("NORMAL")
        self.assertEqual(back.to_move, 20)
        for chat in chats:
            await self.see(chat.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [c.id for c in chats] + [outside.id])
        tier = await self.tier(types_pb2.TIER_FAQ)
        self.assertEqual((tier.in_use, tier.entered, tier.returned, tier.open), (0, 20, 20, False))

    async def test_the_command_line_starts_steers_and_ends(self):
        where = ("--router", self.router.grpc)
        who = ("--actor", "nadia", "--why", "smoke")

        async def recall(*typed: str, code: int = 0):
            is_code, out, errors = await run("recall", *typed, *where)
            self.assertEqual(is_code, code, out + errors)
            return out if code == 0 else errors

        self.assertIn("no recall is in force", await recall("status"))
        dry = json.loads(await recall("start", "kettle", *who, "--dry-run", "--json"))
        self.assertEqual((dry["dry_run"], dry["recall"]["level"]), (True, "elevated"))
        self.assertEqual(json.loads(await recall("status", "--json")), [])
        no = await recall("start", "none", *who, code=4)
        self.assertIn("no playbook is called", no)
        self.assertIn(str(self.folder / "playbooks"), no)
        self.assertIn("--why", await recall("end", "--actor", "nadia", code=2))
        told = await recall("start", "kettle", *who, "--level", "surge", "--expires", "12h")
        self.assertIn("recall 1: Kettle KX-2\n  level      surge, since ", told)
        self.assertIn("look at: No gateway that carries out Say is connected", told)
        self.assertIn('undo: surgeline recall end --recall 1 --why "..."', told)
        self.assertIn("is in the scope of recall 1", await recall("start", "kettle", *who, code=1))
        told = await recall("level", "tail", *who)
        self.assertIn('undo: surgeline recall level surge --recall 1 --why "..."', told)
        self.assertIn("at level tail already", await recall("level", "tail", *who, code=1))
        [row] = json.loads(await recall("status", "--json"))
        self.assertEqual((row["level"], row["by"], row["why"]), ("tail", "nadia", "smoke"))
        self.assertAlmostEqual(row["expires_unix_ms"] / 1000, time.time() + 12 * 3600, delta=120)
        self.assertIn("agents take everything", await recall("end", *who))
        self.assertEqual(json.loads(await recall("status", "--json")), [])
        self.assertEqual(json.loads(await recall("status", "--recall", "1", "--json"))[0]["level"], "ended")


class Written(RecallTest):
    """The faq tier."""

    async def test_a_question_is_acknowledged_answered_in_its_time_and_solved(self):
        gateway = await self.gateway("widget")
        begun = await self.on_call.start("kettle")
        chat = await gateway.arrive("chat-1", CHAT, entry_point="chat")
        await chat.expect("self_service")
        first = await chat.hears("acknowledgement")
        self.assertEqual(first.text.playbook_hash, begun.recall.playbook_hash)
        self.assertIn("This is automatic", first.text.words)
        self.assertNotIn("{", first.text.words)
        self.assertIn("Unplug it.", (await chat.hears("recall-en")).text.words)
        asked = time.monotonic()
        await chat.customer_says("I want my money back, a refund please")
        answer = await chat.hears("faq.refund")
        self.assertGreater(time.monotonic() - asked, 0.9, "an instant answer is mildly insulting")
        self.assertEqual(answer.text.words, "Do not use it. Yes: the full price, in two weeks.")
        await chat.customer_wants(types_pb2.WISH_SOLVED)
        await self.assert_ended(chat, "SOLVED")
        tier = await self.tier(types_pb2.TIER_FAQ)
        self.assertEqual((tier.entered, tier.solved, tier.in_use), (1, 1, 0))

    async def test_who_asks_for_a_person_is_before_those_who_came_later(self):
        gateway = await self.gateway("widget")
        await self.on_call.start("kettle")
        first = await gateway.arrive("first", CHAT, entry_point="chat")
        await first.hears("recall-en")
        later = await gateway.arrive("later", CHAT, entry_point="elsewhere")
        await first.customer_says("Can I talk to a person?")
        await self.see(first.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [first.id, later.id])
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer()
        self.assertEqual(offer.contact_id, first.id)
        self.assertEqual([text.message_id for text in offer.heard], ["acknowledgement", "recall-en"])
        self.assertEqual(offer.script.words, "First: is everyone well?")
        # One bounce at most: the machine does not get it a second time.
        await anne.decline(offer)
        await self.see(first.id, "QUEUED")
        await anne.take(later.id)
        await anne.not_ready()
        await self.on_call.set_level("NORMAL")
        other = await gateway.arrive("other", CHAT, entry_point="chat")
        await self.see(other.id, "QUEUED")
        await self.on_call.set_level("CRITICAL")
        # Those who wait are gone through in their order, so the first was passed by.
        await other.expect("self_service")
        await self.see(first.id, "QUEUED")
        self.assertEqual(first.kinds().count("self_service"), 1)

    async def test_a_gateway_that_does_not_carry_out_say_keeps_its_contacts_in_line(self):
        mute, widget = await self.gateway("old-pbx", can_say=False), await self.gateway("widget")
        await self.sana.not_ready()
        waits = await mute.arrive("waits", CHAT, entry_point="chat")
        goes = await widget.arrive("goes", CHAT, entry_point="chat")
        would = await self.on_call.start("kettle", dry_run=True)
        self.assertEqual(would.to_move, 1)
        self.assertTrue([w for w in would.warnings if w.endswith("at every level: old-pbx.")], would.warnings)
        await self.on_call.start("kettle")
        await goes.expect("self_service")
        comes = await mute.arrive("comes", VOICE, entry_point="line")
        # By the time that this one hears the menu both others were looked at.
        later = await widget.arrive("later", VOICE, entry_point="line")
        await later.expect("self_service")
        for contact in (waits, comes):
            await self.see(contact.id, "QUEUED")
        self.assert_never_diverted(waits, comes)
        self.assertEqual(await self.order_of("support"), [waits.id, comes.id])

    async def test_what_cannot_be_answered_goes_to_a_person(self):
        gateway = await self.gateway("widget")
        await self.on_call.start("kettle")
        chat = await gateway.arrive("chat-1", CHAT, entry_point="chat",
                                    person=Person(words="Do you sponsor football clubs?"))
        await chat.expect("self_service")
        await self.see(chat.id, "QUEUED")
        self.assertFalse([k for k in chat.mailbox.heard if k.kind == "say"
                          and k.body.text.message_id.startswith("faq.")])

    async def test_injury_goes_to_the_safety_queue_and_to_no_machine(self):
        gateway = await self.gateway("widget")
        await self.on_call.start("kettle")
        chat = await gateway.arrive("hurt", CHAT, entry_point="chat",
                                    person=Person(words="nobody answers and my son is hurt"))
        offer = await self.sana.expect_offer(chat.id)
        self.assertEqual((offer.queue, offer.service), ("safety", types_pb2.SERVICE_CLASS_SAFETY))
        self.assert_never_diverted(chat)
        await self.sana.accept(offer)
        await self.sana.complete(chat.id)

        within = await gateway.arrive("within", CHAT, entry_point="chat")
        await within.hears("recall-en")
        await within.customer_says("It burned my hand")
        self.assertEqual((await self.sana.expect_offer(within.id)).queue, "safety")

    async def test_silence_is_not_success(self):
        gateway = await self.gateway("widget")
        await self.on_call.start("kettle")
        chat = await gateway.arrive("chat", CHAT, entry_point="chat")
        letter = await gateway.arrive("letter", EMAIL, entry_point="mail",
                                      person=Person(words="I want a refund"))
        await letter.hears("faq.refund")
        # A person looks after the chat; the letter that was answered goes on as another.
        told = await letter.expect("goes_on_as", timeout=60)
        await self.assert_ended(letter, "FOLLOWED_UP")
        follow_up = told.body.follow_up_contact_id
        await self.see(follow_up, "QUEUED")
        await self.see(chat.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [chat.id, follow_up])
        tier = await self.tier(types_pb2.TIER_FAQ)
        self.assertEqual((tier.returned, tier.followed_up, tier.in_use), (1, 1, 0))
        [anne] = await self.ready("anne")
        self.assertEqual((await anne.take(chat.id)).contact_id, chat.id)
        await anne.complete(chat.id)
        self.assertEqual((await anne.expect_offer(follow_up)).continues_contact_id, letter.id)

    async def test_what_a_gateway_cannot_say_brings_a_person(self):
        gateway = await self.gateway("widget")
        gateway.voice = never_says
        await self.on_call.start("kettle")
        chat = await gateway.arrive("chat", CHAT, entry_point="chat")
        await chat.expect("self_service")
        await self.see(chat.id, "QUEUED")
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(chat.id)
        self.assertEqual(list(offer.heard), [])


class Spoken(RecallTest):
    """The ivr tier."""

    async def call(self, gateway, key: str):
        """A call that was asked whether anyone is hurt."""
        call = await gateway.arrive(key, VOICE, entry_point="line")
        await call.expect("self_service")
        await call.hears("ivr.greeting")
        injury = await call.hears("ivr.injury")
        self.assertEqual(injury.collect, gateway_pb2.GatewayDirective.COLLECT_KEY)
        return call

    async def nobody_is_hurt(self, gateway, key: str):
        """The same, who is not hurt and hears what can be chosen."""
        call = await self.call(gateway, key)
        await call.customer_presses("2")
        await call.hears("recall-en")
        await call.hears("ivr.option.2")
        return call

    async def checks(self, gateway, key: str, lot: str, verdict: str):
        call = await self.nobody_is_hurt(gateway, key)
        await call.customer_presses("1")
        asked = await call.hears("ivr.lot")
        self.assertEqual(asked.collect, gateway_pb2.GatewayDirective.COLLECT_LOT)
        await call.customer_presses(f"{lot}#")
        # Who hangs up before the end of it was not informed.
        return call, await call.hears_out(f"ivr.lot.{verdict}")

    async def test_injury_comes_first_and_goes_to_the_safety_queue(self):
        gateway = await self.gateway()
        await self.on_call.start("kettle")
        call = await self.call(gateway, "hurt")
        said = [t.body.text.message_id for t in call.mailbox.heard if t.kind == "say"]
        self.assertEqual(said, ["ivr.greeting", "ivr.injury"])
        await call.customer_presses("1")
        self.assertEqual((await self.sana.take(call.id)).queue, "safety")

    async def test_the_lot_check_tells_and_a_hang_up_after_it_is_informed(self):
        gateway = await self.gateway()
        await self.on_call.start("kettle")
        affected, said = await self.checks(gateway, "affected", AFFECTED, "affected")
        self.assertEqual(said.text.words, f"Lot {' '.join(AFFECTED)} is affected.")
        await affected.customer_left()
        await self.assert_ended(affected, "INFORMED")
        fine, said = await self.checks(gateway, "fine", NOT_AFFECTED, "not-affected")
        self.assertIn(" ".join(NOT_AFFECTED), said.text.words)
        unsure, _ = await self.checks(gateway, "unsure", HALF_A_LOT, "cannot-tell")
        await self.see(unsure.id, "QUEUED")
        await fine.customer_presses("0")
        await fine.hears("ivr.person")
        await self.see(fine.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [fine.id, unsure.id])
        early = await self.call(gateway, "early")
        await early.customer_left()
        await self.assert_ended(early, "ABANDONED")
        tier = await self.tier(types_pb2.TIER_IVR)
        counts = tier.entered, tier.informed, tier.returned, tier.left, tier.in_use
        self.assertEqual(counts, (4, 1, 2, 1, 0))

    async def test_who_presses_nothing_comes_to_a_person(self):
        self.put(playbook(key_timeout=3))
        gateway = await self.gateway()
        await self.on_call.start("kettle")
        call = await self.call(gateway, "quiet")
        [anne] = await self.ready("anne")
        # Three seconds after the question was heard.
        await anne.take(call.id)

    async def test_agents_who_are_free_come_before_machines(self):
        gateway = await self.gateway()
        await self.on_call.start("kettle", "CRITICAL")
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call", VOICE, entry_point="line")
        await anne.take(call.id)
        self.assert_never_diverted(call)

    async def test_a_router_that_is_killed_in_the_middle_of_it_loses_nobody(self):
        widget, pbx = await self.gateway("widget"), await self.gateway("pbx")
        begun = await self.on_call.start("kettle")
        chat = await widget.arrive("chat", CHAT, entry_point="chat")
        await chat.hears("recall-en")
        call = await self.nobody_is_hurt(pbx, "call")
        later = await pbx.arrive("later", CHAT, entry_point="elsewhere")
        await self.router.kill()
        await asyncio.gather(widget.stream.wait_ended(), pbx.stream.wait_ended())
        await self.router.start()
        await widget.connect()
        await pbx.connect()
        self.assertEqual((widget.unknown_keys, pbx.unknown_keys), ([], []))

        [recall] = await self.on_call.status()
        self.assertEqual((recall.recall_id, recall.playbook_hash, recall.by),
                         (1, begun.recall.playbook_hash, "nadia"))
        await self.see(chat.id, "SELF_SERVICE")
        await self.see(call.id, "SELF_SERVICE")
        # Both still work, with the texts that they had, and nothing is said twice.
        await chat.customer_says("how do I throw it away")
        await chat.hears("faq.dispose")
        await chat.customer_says("a person please")
        await call.customer_presses("0")
        for contact in (chat, call):
            await self.see(contact.id, "QUEUED")
        self.assertEqual(await self.order_of("support"), [chat.id, call.id, later.id])
        said = [t.body.effect_id for t in chat.mailbox.heard if t.kind == "say"]
        self.assertEqual(len(set(said)), 3)
        anne, bob = await self.ready("anne", "bob")
        await anne.take(chat.id)
        await bob.take(call.id)
