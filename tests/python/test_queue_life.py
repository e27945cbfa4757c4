"""Steps, numbers outside, full queues, updates and edits, as a gateway meets them."""

from surgeline.v1 import types_pb2

from router import run
from support import RouterTest
from surgeline_client import CHAT, VOICE, never_says, says_nothing

CONFIG = '''skills = ["technical"]

[settings]
contact_choice = "oldest_first"

[[pools]]
name = "own"
[[pools]]
name = "partner"

[[calendars]]
name = "never"
zone = "Europe/Berlin"
[[externals]]
name = "night-desk"
numbers = { voice = "+15550100" }
[[announcements]]
name = "closed"
texts = { en = "We are closed." }
[[announcements]]
name = "busy"
texts = { en = "You are number {position}." }

[[queues]]
name = "support"
channels = ["voice", "chat"]
needs = { technical = 3 }
pools = ["own"]
most_waiting = 1
full = { tell = "busy", then = "overflow", to = "general" }
updates = "5s"
[[queues.steps]]
after = "1s"
lower_proficiency = 2
add_pools = ["partner"]

[[queues]]
name = "general"
channels = ["voice", "chat"]
pools = ["partner"]

[[queues]]
name = "night"
channels = ["voice", "chat"]
[[queues.steps]]
after = "1s"
overflow = { external = "night-desk" }

[[queues]]
name = "shut"
channels = ["voice", "chat"]
hours = "never"
closed = { tell = "closed", then = "close" }

[[queues]]
name = "hard"
channels = ["chat"]
needs = { technical = 5 }

[[queues]]
name = "raised"
channels = ["chat"]
[[queues.steps]]
after = "1s"
raise_priority = "10m"

[[queues]]
name = "calm"
channels = ["chat"]

[[queues]]
name = "patient"
channels = ["chat"]
[[queues.steps]]
after = "1s"
overflow = { queue = "calm" }

[[agents]]
name = "pia"
pool = "partner"
skills = { technical = 1 }
capacity = { voice = 1, chat = 1 }
'''


class QueueLife(RouterTest):
    CONFIG = CONFIG

    async def test_a_step_lets_others_serve_and_the_explanation_says_so(self):
        gateway = await self.gateway()
        [pia] = await self.ready("pia")
        chat = await gateway.arrive("chat-1", CHAT, queue="support")
        outlook = (await chat.expect("outlook")).body
        self.assertEqual((outlook.ahead, outlook.HasField("wait_ms")), (0, False))
        offer = await pia.expect_offer(chat.id)
        self.assertGreaterEqual(offer.waited_ms, 1_000)
        story = await self.supervisor.contact(chat.id)
        self.assertIn("step_taken", [item.event for item in story.timeline])

    async def test_who_comes_beyond_the_most_goes_to_another_queue(self):
        gateway = await self.gateway()
        first = await gateway.arrive("chat-1", CHAT, queue="support")
        second = await gateway.arrive("chat-2", CHAT, queue="support")
        said = await second.hears("notice.busy")
        self.assertEqual(said.text.words, "You are number 2.")
        self.assertEqual(said.text.notice_version, 2)
        seen = await self.see(second.id, "QUEUED")
        self.assertEqual(seen.contact.queue, "general")
        self.assertEqual((await self.see(first.id, "QUEUED")).contact.queue, "support")

    async def test_a_number_outside_takes_a_call_or_does_not(self):
        gateway = await self.gateway()
        taken = await gateway.arrive("call-1", VOICE, queue="night")
        pending = (await taken.expect("pending")).body
        self.assertEqual(pending.waits_for, types_pb2.WAITS_FOR_EXTERNAL)
        forward = (await taken.expect("forward")).body
        self.assertEqual((forward.external, forward.number), ("night-desk", "+15550100"))
        await gateway.effect_done(forward.effect_id)
        ended = (await taken.expect("ended")).body
        self.assertEqual(ended.reason, types_pb2.END_REASON_OVERFLOWED)
        not_taken = await gateway.arrive("call-2", VOICE, queue="night")
        forward = (await not_taken.expect("forward")).body
        await gateway.report(effect_failed=dict(effect_id=forward.effect_id, code=486))
        await self.see(not_taken.id, "QUEUED")

    async def test_a_closed_queue_tells_before_it_ends(self):
        gateway = await self.gateway()
        call = await gateway.arrive("call-1", VOICE, queue="shut")
        said = await call.hears("notice.closed")
        self.assertEqual(said.text.words, "We are closed.")
        ended = (await call.expect("ended")).body
        self.assertEqual(ended.reason, types_pb2.END_REASON_QUEUE_CLOSED)

    async def test_who_cannot_be_told_that_it_is_closed_waits(self):
        gateway = await self.gateway()
        gateway.voice = never_says
        call = await gateway.arrive("call-1", VOICE, queue="shut")
        await call.hears_out("notice.closed")
        await call.expect("waiting")
        await self.see(call.id, "QUEUED")

    async def test_who_leaves_before_they_were_told_has_abandoned(self):
        gateway = await self.gateway()
        gateway.voice = says_nothing
        call = await gateway.arrive("call-1", VOICE, queue="shut")
        await call.hears("notice.closed")
        await call.customer_left()
        await self.assert_ended(call, "ABANDONED")

    async def test_a_step_raises_who_waits_before_others_who_were_ahead(self):
        gateway = await self.gateway()
        ahead = await gateway.arrive("chat-1", CHAT, queue="calm", head_start_ms=5 * 60_000)
        raised = await gateway.arrive("chat-2", CHAT, queue="raised")
        await self.happened(raised, "step_taken")
        [pia] = await self.ready("pia")
        await pia.take(raised.id)
        await pia.complete(raised.id)
        await pia.take(ahead.id)

    async def test_a_step_sends_on_to_another_queue_with_the_place_that_arrival_gave(self):
        gateway = await self.gateway()
        early = await gateway.arrive("chat-1", CHAT, queue="patient")
        late = await gateway.arrive("chat-2", CHAT, queue="calm")
        await early.expect("waiting", where=lambda now: now.queue == "calm")
        self.assertEqual(await self.order_of("calm"), [early.id, late.id])
        row = (await self.supervisor.contact(early.id)).contact
        self.assertEqual((row.queue, row.end_reason), ("calm", types_pb2.END_REASON_UNSPECIFIED))
        [pia] = await self.ready("pia")
        await pia.take(early.id)

    async def test_who_waits_is_told_again_where_they_are(self):
        gateway = await self.gateway()
        # Two stand in line only if the first has come before the queue is full.
        first = await gateway.arrive("call-1", VOICE, queue="general")
        await self.supervisor.move(first.id, "support")
        second = await gateway.arrive("call-2", VOICE, queue="general")
        await self.supervisor.move(second.id, "support")
        told = (await second.expect("outlook")).body
        self.assertEqual(told.ahead, 1)
        await first.customer_left()
        told = (await second.expect("outlook")).body
        self.assertEqual((told.ahead, told.HasField("wait_ms"), told.longer), (0, False, False))

    async def test_an_edit_reaches_who_waits_while_everybody_is_there(self):
        gateway = await self.gateway()
        [pia] = await self.ready("pia")
        chat = await gateway.arrive("chat-1", CHAT, queue="hard")
        await self.see(chat.id, "QUEUED")
        self.assert_offers_to_nobody(pia)
        edited = CONFIG.replace("needs = { technical = 5 }", "needs = { technical = 1 }")
        self.assertNotEqual(edited, CONFIG)
        self.router.config.write_text(edited)
        self.router.read_again()
        await self.happened(chat, "refiled")
        # The same session of both: nobody was sent away for it.
        await pia.take(chat.id)
        self.assertFalse(gateway.stream.ended.done())
        self.assertEqual(self.router.logs().count("surgeline is ready"), 1)

    async def test_a_queue_that_is_new_and_closed_takes_nobody_from_the_first_moment(self):
        gateway = await self.gateway()
        newer = self.folder / "newer.toml"
        newer.write_text(CONFIG + '''
[[calendars]]
name = "not-yet"
zone = "UTC"
[[queues]]
name = "coming-soon"
channels = ["chat"]
hours = "not-yet"
closed = { tell = "closed", then = "close" }
''')
        code, _, errors = await run("config", "apply", str(newer), "--why", "a test", "--actor", "amara",
                                    "--router", self.router.grpc)
        self.assertEqual(code, 0, errors)
        chat = await gateway.arrive("chat-1", CHAT, queue="coming-soon")
        await self.assert_ended(chat, "QUEUE_CLOSED")

    async def happened(self, conversation, event: str):
        """Waits until this is in a contact's story."""
        async def look():
            seen = await self.supervisor.contact(conversation.id)
            return [item.event for item in seen.timeline]
        await self.eventually(look, lambda events: event in events, f"{event} of {conversation.key}")
