"""Two agents and one contact: consults, transfers, requeues."""

from surgeline.v1 import types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Person

ADA = Person(name="Ada Byron", words="It smokes")


class Consults(RouterTest):
    CONFIG = centre(
        [queue("support", "voice", "chat", wrap_up="60s"), queue("lab", "voice", "chat", needs={"lab": 1})],
        [agent("anne"), agent("bob"), agent("lara", skills={"lab": 5})],
    )

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        [self.anne] = await self.ready("anne")
        self.call = await self.pbx.arrive("call-1", VOICE, queue="support", person=ADA)
        await self.anne.take(self.call.id)

    async def consulting(self, name: str, **to):
        """Anne and a second agent talk about the call."""
        [second] = await self.ready(name, desktop=self.anne.desktop)
        child_id = await self.anne.consult(self.call.id, **(to or dict(agent=name)))
        self.assertNotEqual(child_id, self.call.id)
        offer = await second.expect_offer(child_id)
        self.assertEqual(offer.consult_of_contact_id, self.call.id)
        self.assertEqual(offer.person, ADA)
        await second.accept(offer)
        child = self.pbx.conversation(child_id)
        legs = (await child.expect("connect_legs")).body
        self.assertEqual((legs.agent, legs.consult_of_contact_id), (name, self.call.id))
        await second.expect("assigned", child_id)
        parent = await self.see(self.call.id, "ASSIGNED", "anne")
        self.assertEqual(parent.contact.consult_contact_id, child_id)
        seen = await self.see(child_id, "ASSIGNED", name)
        self.assertEqual(seen.contact.consult_of_contact_id, self.call.id)
        return second, child

    async def test_a_consult_that_ends_with_the_second_agent_taking_over(self):
        bob, child = await self.consulting("bob")
        await self.anne.act(complete_consult=dict(contact_id=self.call.id))
        hand_over = (await self.call.expect("hand_over")).body
        self.assertEqual(hand_over.agent, "bob")
        released = (await self.anne.expect("released", self.call.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_HANDED_OVER)
        await self.anne.expect("wrap_up", self.call.id)
        await bob.expect("assigned", self.call.id)
        await self.assert_ended(child, "CONSULT_COMPLETED")
        await self.see(self.call.id, "ASSIGNED", "bob")
        await self.see_agent("anne", "WRAP_UP")
        over = self.anne.complete(self.call.id)
        await self.assert_refused(over, "NOT_YOURS", "contact_id")
        await bob.complete(self.call.id)
        await self.assert_ended(self.call, "COMPLETED")

    async def test_a_consult_that_is_given_up(self):
        bob, child = await self.consulting("bob")
        await self.anne.act(cancel_consult=dict(contact_id=self.call.id))
        await self.assert_ended(child, "CONSULT_CANCELLED")
        await bob.expect("ended", child.id)
        await self.see(self.call.id, "ASSIGNED", "anne")
        # Bob talked to a colleague and has no work after it.
        await self.see_agent("bob", "READY")
        await self.anne.complete(self.call.id)
        await self.assert_ended(self.call, "COMPLETED")

    async def test_a_customer_who_hangs_up_in_the_middle(self):
        bob, child = await self.consulting("bob")
        await self.call.customer_left()
        await self.assert_ended(self.call, "CUSTOMER_LEFT")
        await self.assert_ended(child, "CONSULT_CANCELLED")
        await self.anne.expect("ended", self.call.id)
        await bob.expect("ended", child.id)
        await self.see_agent("anne", "WRAP_UP")
        await self.see_agent("bob", "READY")

    async def test_whoever_serves_a_queue_may_be_asked(self):
        lara, child = await self.consulting("lara", queue="lab")
        await self.anne.act(complete_consult=dict(contact_id=self.call.id))
        await lara.expect("assigned", self.call.id)
        await self.see(self.call.id, "ASSIGNED", "lara")

    async def test_a_colleague_who_says_no(self):
        [bob] = await self.ready("bob", desktop=self.anne.desktop)
        child_id = await self.anne.consult(self.call.id, agent="bob")
        not_yet = self.anne.act(complete_consult=dict(contact_id=self.call.id))
        await self.assert_refused(not_yet, "WRONG_STATE", "contact_id", "NO_CONSULT")
        twice = self.anne.consult(self.call.id, queue="lab")
        await self.assert_refused(twice, "WRONG_STATE", "contact_id", "CONSULT_OPEN")
        await bob.decline(await bob.expect_offer(child_id))
        await self.see_ended(child_id, "CONSULT_CANCELLED")
        await self.see(self.call.id, "ASSIGNED", "anne")
        again = await self.anne.consult(self.call.id, agent="bob")
        self.assertNotEqual(again, child_id)

    async def test_the_first_agent_may_complete_while_consulting(self):
        bob, child = await self.consulting("bob")
        await self.anne.complete(self.call.id)
        await self.assert_ended(self.call, "COMPLETED")
        await self.assert_ended(child, "CONSULT_CANCELLED")
        await bob.expect("ended", child.id)

    async def test_a_chat_is_handed_over_without_legs(self):
        gateway = await self.gateway("widget")
        [lara] = await self.ready("lara", desktop=self.anne.desktop)
        await self.anne.complete(self.call.id)
        await self.anne.end_wrap_up(self.call.id)
        await lara.not_ready()
        chat = await gateway.arrive("chat-1", CHAT, queue="support", person=ADA)
        await self.anne.take(chat.id)
        await lara.ready()
        child_id = await self.anne.consult(chat.id, agent="lara")
        await lara.take(child_id)
        await self.anne.act(complete_consult=dict(contact_id=chat.id))
        await lara.expect("assigned", chat.id)
        self.assertEqual((await chat.expect("assigned_to", where=lambda b: b.agent == "lara")).body.agent, "lara")
        self.assertNotIn("hand_over", chat.kinds())


class Transfers(RouterTest):
    CONFIG = centre(
        [queue("support"), queue("refunds", needs={"refunds": 1})],
        [agent("anne"), agent("bob"), agent("rita", skills={"refunds": 3})],
        settings={"named_wait": "2s"},
    )

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        [self.anne] = await self.ready("anne")

    async def test_to_a_queue_it_takes_its_arrival_along(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support", person=ADA)
        await self.anne.take(call.id)
        later = await self.pbx.arrive("call-2", VOICE, queue="refunds")
        await self.anne.transfer(call.id, queue="refunds")
        released = (await self.anne.expect("released", call.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_TRANSFERRED)
        self.assertEqual((await call.expect("waiting", where=lambda b: b.queue == "refunds")).body.queue, "refunds")
        self.assertEqual(await self.order_of("refunds"), [call.id, later.id])
        [rita] = await self.ready("rita")
        offer = await rita.expect_offer(call.id)
        self.assertEqual((offer.queue, offer.person), ("refunds", ADA))
        await rita.accept(offer)
        await rita.expect("assigned", call.id)

    async def test_to_an_agent_it_is_kept_for_them(self):
        desktop = self.anne.desktop
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.anne.take(call.id)
        bob = await desktop.sign_in("bob")
        [rita] = await self.ready("rita", desktop=desktop)
        await self.anne.not_ready()
        await self.anne.transfer(call.id, agent="bob")
        # Rita is free, and it is not hers.
        await self.see(call.id, "QUEUED")
        self.assert_offers_to_nobody(rita)
        await bob.ready()
        await bob.take(call.id)
        await self.see(call.id, "ASSIGNED", "bob")

    async def test_an_agent_who_does_not_come_loses_it_to_all(self):
        desktop = self.anne.desktop
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.anne.take(call.id)
        await desktop.sign_in("bob")
        [rita] = await self.ready("rita", desktop=desktop)
        await self.anne.not_ready()
        await self.anne.transfer(call.id, agent="bob")
        await rita.take(call.id)
        await self.see(call.id, "ASSIGNED", "rita")

    async def test_a_requeue_goes_to_somebody_else_at_its_place(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.anne.take(call.id)
        later = await self.pbx.arrive("call-2", VOICE, queue="support")
        await self.anne.requeue(call.id)
        released = (await self.anne.expect("released", call.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_REQUEUED)
        # She gets the later one, not the same again.
        await self.anne.take(later.id)
        last = await self.pbx.arrive("call-3", VOICE, queue="support")
        self.assertEqual(await self.order_of("support"), [call.id, last.id])
        [bob] = await self.ready("bob")
        await bob.take(call.id)
