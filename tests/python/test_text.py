"""Chats, letters and messages: several at once, waiting for somebody, and secrets."""

from surgeline.v1 import types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, EMAIL, MESSAGE, VOICE, Person

CHATTY = {"voice": 1, "chat": 3, "email": 5, "message": 5}


class Chats(RouterTest):
    CONFIG = centre(
        [queue("chat", "chat"), queue("post", "email", "message")],
        [agent("anne", capacity=CHATTY), agent("bob", capacity=CHATTY)],
    )

    async def test_each_agent_has_three_and_the_least_loaded_gets_the_next(self):
        gateway = await self.gateway("widget")
        agents = await self.ready("anne", "bob")
        has = {a.name: [] for a in agents}
        for i in range(6):
            chat = await gateway.arrive(f"chat-{i}", CHAT, queue="chat")
            name = (await chat.expect("reserved_for")).body.agent
            has[name].append(chat)
            self.assertLessEqual(abs(len(has["anne"]) - len(has["bob"])), 1, has)
            taker = next(a for a in agents if a.name == name)
            await taker.take(chat.id)
        waiting = await gateway.arrive("chat-7", CHAT, queue="chat")
        await waiting.expect("waiting")
        await self.see(waiting.id, "QUEUED")
        for name in has:
            row = await self.see_agent(name, "BUSY")
            self.assertEqual(len(row.work), 3)
            self.assertGreaterEqual(row.load_permille, 999)
        bob = agents[1]
        await bob.complete(has["bob"][1].id)
        await bob.expect_offer(waiting.id)

    async def test_a_chat_that_waits_for_its_customer_comes_back_to_the_same_agent(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat", person=Person(name="Ada", words="Hello"))
        await anne.take(chat.id)
        [bob] = await self.ready("bob", desktop=anne.desktop)
        await anne.pend(chat.id)
        released = (await anne.expect("released", chat.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_PENDED)
        pending = (await chat.expect("pending")).body
        self.assertEqual(pending.waits_for, types_pb2.WAITS_FOR_CUSTOMER)
        await self.see(chat.id, "PENDING", "")
        await self.see_agent("anne", "READY", load_permille=0)
        # Anne is the busier one now, and it is hers all the same.
        other = await gateway.arrive("chat-2", CHAT, queue="chat")
        holder = (await other.expect("reserved_for")).body.agent
        await (anne if holder == "anne" else bob).take(other.id)
        if holder != "anne":
            third = await gateway.arrive("chat-3", CHAT, queue="chat")
            await anne.take(third.id)

        await chat.customer_says("It says lot 42 on the back")
        await anne.take(chat.id)
        await self.see(chat.id, "ASSIGNED", "anne")
        await chat.customer_says("Are you there?")
        said = (await anne.expect("customer_input", chat.id)).body
        self.assertEqual(said.person.words, "Are you there?")
        story = await self.supervisor.contact(chat.id)
        said = [item.person.words for item in story.timeline if item.HasField("person")]
        self.assertIn("It says lot 42 on the back", said)
        self.assertIn("Are you there?", said)
        self.assertEqual(story.person.words, "Hello")
        self.assertFalse(bob.mailbox.take(lambda t: t.contact_id == chat.id))

    async def hears(self, agent, contact_id: int, words: str):
        """Waits until an agent was told these words of a contact, in whatever directive."""
        async def look():
            told = [t for t in agent.mailbox.heard if t.contact_id == contact_id]
            live = [(t.kind, t.body.person.words) for t in told if t.kind == "customer_input"]
            # What was said while nobody had the contact comes with it.
            return live + [(t.kind, said.words) for t in told if t.kind in ("offer", "assigned")
                           for said in t.body.inputs]
        await self.eventually(look, lambda told: words in [w for _, w in told],
                              f"{agent.name} to be told {words!r}", patience=3)

    async def test_the_words_that_wake_a_chat_reach_its_agent(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat", person=Person(words="Hello"))
        await anne.take(chat.id)
        await anne.pend(chat.id)
        await self.see(chat.id, "PENDING")
        await chat.customer_says("It says lot 42 on the back")
        await anne.take(chat.id)
        await self.hears(anne, chat.id, "It says lot 42 on the back")

    async def test_words_said_while_nobody_has_a_chat_reach_the_agent_who_gets_it(self):
        gateway = await self.gateway("widget")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat", person=Person(words="Hello"))
        await chat.customer_says("Is anybody there?")
        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(chat.id)
        await chat.customer_says("It smokes")
        await anne.accept(offer)
        await anne.expect("assigned", chat.id)
        await self.hears(anne, chat.id, "Is anybody there?")
        await self.hears(anne, chat.id, "It smokes")

    async def test_secret_input_is_neither_passed_on_nor_kept(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat", sensitive=True,
                                    person=Person(words="secret-canary-arrival"))
        offer = await anne.expect_offer(chat.id)
        self.assertFalse(offer.HasField("person"), offer)
        await anne.accept(offer)
        await anne.expect("assigned", chat.id)
        await chat.customer_says("secret-canary-input 4929 1234 5678 9012", sensitive=True)
        said = (await anne.expect("customer_input", chat.id)).body
        self.assertFalse(said.HasField("person"), said)
        await self.caught_up()
        self.assertNotIn("secret-canary", str(await self.supervisor.contact(chat.id)))
        self.assertNotIn("secret-canary", self.router.logs())
        for file in filter(lambda f: f.is_file(), self.router.data.rglob("*")):
            self.assertNotIn(b"secret-canary", file.read_bytes(), file)

    async def test_card_numbers_are_masked(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        person = Person(words="My card is 4111 1111 1111 1111, order 12345")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat", person=person)
        words = (await anne.expect_offer(chat.id)).person.words
        self.assertNotIn("4111", words)
        self.assertRegex(words, "1111")
        self.assertIn("order 12345", words)

    async def test_letters_and_messages_have_whole_lives(self):
        gateway = await self.gateway("mailbox")
        [anne] = await self.ready("anne")
        for channel, key in ((EMAIL, "mail-1"), (MESSAGE, "sms-1")):
            with self.subTest(key):
                letter = await gateway.arrive(key, channel, queue="post",
                                              person=Person(subject="Refund", words="Where is it?"))
                offer = await anne.expect_offer(letter.id)
                self.assertEqual(offer.service, types_pb2.SERVICE_CLASS_ASYNC)
                self.assertEqual(offer.person.subject, "Refund")
                await anne.accept(offer)
                # Nothing is to be joined: it is with her at once.
                await anne.expect("assigned", letter.id)
                await letter.expect("assigned_to")
                await anne.complete(letter.id, "complaint")
                await self.assert_ended(letter, "COMPLETED")
                # No work after it: she is free.
                await self.see_agent("anne", "READY", load_permille=0)
                self.assertNotIn("connect_legs", letter.kinds())

    async def test_channels_mix_up_to_one_whole(self):
        gateway = await self.gateway("mailbox")
        [anne] = await self.ready("anne")
        # 1/3 + 3/5 is under one; nothing more fits.
        for key, channel, of in (("c", CHAT, "chat"), ("m1", EMAIL, "post"), ("m2", EMAIL, "post"),
                                 ("m3", EMAIL, "post")):
            await anne.take((await gateway.arrive(key, channel, queue=of)).id)
        for key, channel, of in (("c2", CHAT, "chat"), ("m4", EMAIL, "post")):
            more = await gateway.arrive(key, channel, queue=of)
            await self.see(more.id, "QUEUED")

    async def test_a_letter_that_waits_for_a_third_party_comes_back_when_its_time_is_up(self):
        gateway = await self.gateway("mailbox")
        [anne] = await self.ready("anne")
        letter = await gateway.arrive("mail-1", EMAIL, queue="post")
        await anne.take(letter.id)
        await anne.pend(letter.id, types_pb2.WAITS_FOR_THIRD_PARTY, 1_000)
        self.assertEqual((await letter.expect("pending")).body.waits_for, types_pb2.WAITS_FOR_THIRD_PARTY)
        await anne.take(letter.id)

    async def test_what_the_customer_writes_meanwhile_brings_it_back_too(self):
        gateway = await self.gateway("mailbox")
        [anne] = await self.ready("anne")
        letter = await gateway.arrive("mail-1", EMAIL, queue="post")
        await anne.take(letter.id)
        await anne.pend(letter.id, types_pb2.WAITS_FOR_THIRD_PARTY)
        await self.see(letter.id, "PENDING")
        await letter.customer_says("Any news?")
        await anne.take(letter.id)

    async def test_a_customer_may_leave_while_a_chat_waits_for_them(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="chat")
        await anne.take(chat.id)
        await anne.pend(chat.id)
        await chat.customer_left()
        await self.assert_ended(chat, "CUSTOMER_LEFT")

    async def test_a_chat_that_goes_on_from_an_earlier_one_says_so(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        first = await gateway.arrive("chat-1", CHAT, queue="chat")
        await anne.take(first.id)
        await anne.complete(first.id)
        again = await gateway.arrive("chat-2", CHAT, queue="chat", continues_contact_id=first.id)
        offer = await anne.expect_offer(again.id)
        self.assertEqual(offer.continues_contact_id, first.id)
        voice = gateway.arrive("call", VOICE, queue="chat")
        await self.assert_refused(voice, "INVALID", "channel", "CHANNEL_NOT_TAKEN")
