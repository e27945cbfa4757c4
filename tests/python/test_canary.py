"""Personal data is found where it should be, and nowhere else."""

import contextlib

from surgeline.v1 import types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Customer, Person, Refused

NAME, PLACE, ABOUT, WORDS, LATER, WHO = (
    f"canary-{what}-x7q" for what in ("name", "address", "subject", "words", "later", "identity"))
CANARIES = (NAME, PLACE, ABOUT, WORDS, LATER, WHO)
ADA = Person(name=NAME, address=PLACE, subject=ABOUT, words=WORDS)


class Canary(RouterTest):
    CONFIG = centre([queue("support", "voice", "chat")], [agent("anne"), agent("bob")])

    async def test_it_is_nowhere_in_plain(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        who = Customer(identity=WHO)
        chat = await gateway.arrive("chat-1", CHAT, queue="support", customer=who, person=ADA)
        offer = await anne.expect_offer(chat.id)
        self.assertEqual(offer.person, ADA)
        await anne.accept(offer)
        await anne.expect("assigned", chat.id)
        await chat.customer_says(LATER)
        await anne.expect("customer_input", chat.id)
        await anne.pend(chat.id)
        waiting = await gateway.arrive("call-1", VOICE, queue="support", customer=who, person=ADA)
        await anne.take(waiting.id)

        # What is refused says nothing of it either.
        said = []
        for fields in (
            dict(key="chat-1", channel=CHAT, queue="support", person=Person(words=LATER), head_start_ms=1),
            dict(key="new", channel=CHAT, queue="nowhere", customer=who, person=ADA),
            dict(key="new", channel=CHAT, queue="support", person=Person(words=WORDS * 2_000)),
            dict(key="new", channel=CHAT, queue="support", person=Person(name=NAME * 20)),
            dict(key="new", channel=CHAT, queue="support", customer=Customer(identity=WHO * 20)),
        ):
            with self.assertRaises(Refused) as caught:
                await gateway.arrive(**fields)
            said.append(str(caught.exception))
        explained = await self.supervisor.explain(chat.id)
        listed = await self.supervisor.contacts()
        metrics = await self.router.get("/metrics")

        # It is there for those who should see it, before and after a crash.
        for _ in range(2):
            told = await self.see(chat.id, "PENDING")
            self.assertEqual(told.person, ADA)
            self.assertIn(LATER, [item.person.words for item in told.timeline])
            self.assertFalse([item.text for item in told.timeline if "canary" in item.text])
            await self.router.kill()
            await self.router.start()
        await anne.desktop.connect()
        again = (await anne.expect("assigned", waiting.id)).body
        self.assertEqual(again.person, ADA)
        self.assertEqual(types_pb2.CHANNEL_VOICE, again.channel)

        for canary in CANARIES:
            for where, text in (("a refusal", str(said)), ("an explanation", str(explained)),
                                ("a listing", str(listed)), ("metrics", metrics),
                                ("the logs", self.router.logs())):
                self.assertNotIn(canary, text, where)
            read = 0
            for file in [f for f in self.router.data.rglob("*") if f.is_file()]:
                # The router runs: a rollback journal may be gone by now.
                with contextlib.suppress(FileNotFoundError):
                    self.assertNotIn(canary.encode(), file.read_bytes(), file)
                    read += 1
            self.assertGreater(read, 3)
