"""Who is served first."""

import asyncio

from surgeline.v1 import contact_pb2, types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, EMAIL, VOICE


class OrderTest(RouterTest):
    """A router whose agents are seen to be given one contact after the other."""

    async def served(self, anne, count: int) -> list[int]:
        """The contacts that anne gets, one after the other."""
        order = []
        for _ in range(count):
            offer = await anne.expect_offer()
            order.append(offer.contact_id)
            await anne.accept(offer)
            await anne.expect("assigned", offer.contact_id)
            await anne.complete(offer.contact_id)
        return order


class Order(OrderTest):
    CONFIG = centre(
        [queue("support"), queue("urgent", head_start="10m"), queue("post", "email", "chat")],
        [agent("anne", capacity={"voice": 1, "email": 1, "chat": 1})],
        # Over all queues the oldest place; the default is below.
        settings={"async_share": 0, "contact_choice": "oldest_first"},
    )

    async def test_safety_before_live_before_async(self):
        gateway = await self.gateway()
        letter = await gateway.arrive("letter", EMAIL, queue="post")
        call = await gateway.arrive("call", VOICE, queue="support")
        chat = await gateway.arrive("chat", CHAT, queue="post")
        # Neither a head start nor a long wait goes before somebody who is hurt.
        early = await gateway.arrive("early", VOICE, queue="urgent", head_start_ms=3_600_000)
        burnt = await gateway.arrive("burnt", EMAIL, queue="post", safety=True)
        cut = await gateway.arrive("cut", VOICE, queue="support", safety=True)
        [anne] = await self.ready("anne")
        offer = anne.mailbox.heard[-1].body if anne.has_offer() else None
        order = await self.served(anne, 6)
        self.assertEqual(order, [c.id for c in (burnt, cut, early, call, chat, letter)])
        self.assertTrue(offer is None or offer.service == types_pb2.SERVICE_CLASS_SAFETY)

    async def test_priority_is_a_head_start_in_time(self):
        gateway = await self.gateway()
        plain = await gateway.arrive("plain", VOICE, queue="support")
        waited = await gateway.arrive("waited", VOICE, queue="support", waited_ms=30_000)
        ahead = await gateway.arrive("ahead", VOICE, queue="support", head_start_ms=60_000)
        urgent = await gateway.arrive("urgent", VOICE, queue="urgent")
        both = await gateway.arrive("both", VOICE, queue="urgent", head_start_ms=1_000)
        last = await gateway.arrive("last", VOICE, queue="support")
        self.assertEqual(await self.order_of("support"), [c.id for c in (ahead, waited, plain, last)])
        [anne] = await self.ready("anne")
        order = await self.served(anne, 6)
        self.assertEqual(order, [c.id for c in (both, urgent, ahead, waited, plain, last)])

    async def test_a_hundred_are_served_in_exact_order_of_place(self):
        gateway = await self.gateway()
        calls = [await gateway.arrive(f"call-{i}", VOICE, queue="support", head_start_ms=(i * 37) % 100 * 60_000)
                 for i in range(40)]
        expected = sorted(calls, key=lambda c: -((int(c.key.split("-")[1]) * 37) % 100))
        self.assertEqual(await self.order_of("support"), [c.id for c in expected])
        [anne] = await self.ready("anne")
        self.assertEqual(await self.served(anne, 40), [c.id for c in expected])


class Shares(OrderTest):
    CONFIG = centre([queue("support", share=10), queue("returns", share=10)], [agent("anne")])

    async def test_the_queue_furthest_above_its_share_goes_first_then_who_waits_longest(self):
        gateway = await self.gateway()
        first = await gateway.arrive("first", VOICE, queue="returns")
        many = [await gateway.arrive(f"many-{n}", VOICE, queue="support") for n in range(3)]
        [anne] = await self.ready("anne")
        # Three to one, two to one; at one to one the longest wait decides.
        self.assertEqual(await self.served(anne, 4), [c.id for c in (many[0], many[1], first, many[2])])


class PartsOfTargets(OrderTest):
    CONFIG = centre([queue("support", target="1h"), queue("urgent", target="2m")], [agent("anne")])

    async def test_without_shares_the_greater_part_of_the_target_goes_first(self):
        gateway = await self.gateway()
        came = [await gateway.arrive(key, VOICE, queue=name, waited_ms=1_000 * waited)
                for key, name, waited in (("early", "support", 600), ("half", "urgent", 60),
                                          ("late", "support", 3_300), ("new", "urgent", 0))]
        [anne] = await self.ready("anne")
        early, half, late, new = (c.id for c in came)
        # 0.92 of an hour, a half of two minutes, a sixth of an hour, nothing.
        self.assertEqual(await self.served(anne, 4), [late, half, early, new])

    async def test_one_with_a_head_start_does_not_hold_their_queue_back(self):
        gateway = await self.gateway()
        half = await gateway.arrive("half", VOICE, queue="urgent", waited_ms=60_000)
        waits = await gateway.arrive("waits", VOICE, queue="support", waited_ms=600_000)
        # Has just come, and is the next of their queue.
        ahead = await gateway.arrive("ahead", VOICE, queue="support", head_start_ms=7_200_000)
        [anne] = await self.ready("anne")
        self.assertEqual(await self.served(anne, 3), [ahead.id, half.id, waits.id])


class AtOnce(RouterTest):
    NAMES = [f"agent-{i:02}" for i in range(30)]
    CONFIG = centre([queue("support")], [agent(name) for name in NAMES])

    async def test_thirty_who_become_ready_at_once_get_the_first_thirty_in_line(self):
        gateway = await self.gateway()
        calls = [await gateway.arrive(f"call-{i}", VOICE, queue="support", head_start_ms=i % 7 * 60_000)
                 for i in range(60)]
        desktop = await self.desktop()
        agents = [await desktop.sign_in(name) for name in self.NAMES]
        await asyncio.gather(*(who.ready() for who in agents))
        offers = [(await who.expect_offer()) for who in agents]
        by_place = sorted(calls, key=lambda c: (-(int(c.key.split("-")[1]) % 7), c.id))
        in_order = [offer.contact_id for offer in sorted(offers, key=lambda o: o.reservation_id)]
        self.assertEqual(in_order, [call.id for call in by_place[:30]])


class Share(OrderTest):
    CONFIG = centre(
        [queue("support"), queue("post", "email")],
        [agent("anne", capacity={"voice": 1, "email": 1})],
        settings={"async_share": 25},
    )

    async def test_letters_get_their_share_though_calls_wait(self):
        gateway = await self.gateway()
        for i in range(16):
            await gateway.arrive(f"call-{i}", VOICE, queue="support")
        letters = {(await gateway.arrive(f"letter-{i}", EMAIL, queue="post")).id for i in range(16)}
        [anne] = await self.ready("anne")
        order = await self.served(anne, 16)
        share = sum(contact in letters for contact in order)
        self.assertTrue(3 <= share <= 5, f"{share} of 16 were letters")
        self.assertNotIn(order[0], letters)
        owed = next(contact for contact in order if contact in letters)
        why = (await self.supervisor.explain(owed)).decisions[0]
        self.assertEqual(why.trigger, contact_pb2.TRIGGER_ASYNC_SHARE)


class Skills(RouterTest):
    CONFIG = centre(
        [queue("support"), queue("expert", needs={"toasters": 4}), queue("partners", pools=["partner"])],
        [
            agent("anne", skills={"toasters": 5, "kettles": 3, "english": 3}, primary="kettles"),
            agent("bob", skills={"toasters": 3}),
            agent("carl", skills={"toasters": 4}, primary="toasters"),
            agent("pia", pool="partner"),
        ],
        pools=["own", "partner"],
    )

    async def test_only_who_can_and_may_gets_it_and_who_is_made_for_it_first(self):
        gateway = await self.gateway()
        bob, anne, carl, pia = await self.ready("bob", "anne", "carl", "pia")
        # Carl is the specialist, though anne is idle for longer; bob is not good enough.
        first = await gateway.arrive("first", VOICE, queue="expert")
        await carl.expect_offer(first.id)
        second = await gateway.arrive("second", VOICE, queue="expert")
        await anne.expect_offer(second.id)
        third = await gateway.arrive("third", VOICE, queue="expert")
        await self.see(third.id, "QUEUED")
        for_partners = await gateway.arrive("partner", VOICE, queue="partners")
        await pia.expect_offer(for_partners.id)
        self.assert_offers_to_nobody(bob)
        own = await gateway.arrive("needs", VOICE, queue="support", needs=[dict(skill="toasters", at_least=3)])
        await bob.expect_offer(own.id)
        row = (await self.supervisor.contact(own.id)).contact
        self.assertEqual([(n.skill, n.at_least) for n in row.needs], [("toasters", 3)])
