"""What supervisors see and order."""

from surgeline.v1 import contact_pb2, supervisor_pb2, types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import VOICE, availability


class Supervisors(RouterTest):
    CONFIG = centre(
        [queue("support"), queue("refunds", needs={"refunds": 1}), queue("empty", "chat")],
        [agent("anne"), agent("bob"), agent("rita", skills={"refunds": 3}, pool="partner")],
        pools=["own", "partner"],
    )

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()

    async def test_queues_as_they_are(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        longest = await self.pbx.arrive("call-2", VOICE, queue="support", waited_ms=60_000)
        await self.ready("rita")
        await longest.expect("reserved_for")
        await self.caught_up()
        rows = await self.supervisor.queues()
        self.assertEqual(list(rows), ["support", "refunds", "empty"])
        support = rows["support"]
        self.assertEqual((support.waiting, support.offered, support.answered), (1, 2, 0))
        self.assertEqual((support.agents_able, support.agents_ready), (1, 0))
        self.assertFalse(support.HasField("service_level_all_abandoned"))
        self.assertEqual(list(await self.supervisor.queues("empty")), ["empty"])
        await self.assert_refused(self.supervisor.queues("nowhere"), "NOT_FOUND", "queues")

        watch = self.supervisor.watch_queues(interval_ms=250)
        seen = await watch.read()
        self.assertEqual([row.waiting for row in seen.queues], [1, 0, 0])
        self.assertEqual((seen.contacts.accepted, seen.contacts.queued, seen.contacts.reserved), (2, 1, 1))
        third = await self.pbx.arrive("call-3", VOICE, queue="support")
        while seen.contacts.accepted < 3:
            seen = await watch.read()
        self.assertEqual(seen.queues[0].waiting, 2)
        watch.cancel()
        self.assertEqual(await self.order_of("support"), [call.id, third.id])

    async def test_agents_as_they_are(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        row = await self.see_agent("anne", "BUSY")
        self.assertEqual([(w.contact_id, w.channel, w.hold) for w in row.work],
                         [(call.id, VOICE, supervisor_pb2.WORK_HOLD_ASSIGNED)])
        self.assertEqual(list(await self.supervisor.agents()), ["anne", "bob", "rita"])
        self.assertEqual(list(await self.supervisor.agents(pool="partner")), ["rita"])
        signed_out = await self.supervisor.agents(state=supervisor_pb2.AGENT_STATE_SIGNED_OUT)
        self.assertEqual(list(signed_out), ["bob", "rita"])
        by_one = await self.supervisor.agents(page_size=1)
        self.assertEqual(list(by_one), ["anne", "bob", "rita"])

    async def test_contacts_page_by_page(self):
        ids = [(await self.pbx.arrive(f"call-{i}", VOICE, queue="support")).id for i in range(5)]
        other = await self.pbx.arrive("other", VOICE, queue="refunds")
        await self.caught_up()
        rows = await self.supervisor.contacts(queue="support", page_size=2)
        self.assertEqual([row.contact_id for row in rows], ids)
        self.assertEqual({row.gateway for row in rows}, {"pbx"})
        everyone = await self.supervisor.contacts()
        self.assertEqual([row.contact_id for row in everyone], [*ids, other.id])

    async def test_a_move_keeps_the_arrival_and_its_reason(self):
        first = await self.pbx.arrive("first", VOICE, queue="support")
        later = await self.pbx.arrive("later", VOICE, queue="refunds")
        await self.supervisor.move(first.id, "refunds", why="it is about money")
        told = await first.expect("waiting", where=lambda b: b.queue == "refunds")
        self.assertEqual(told.body.queue, "refunds")
        self.assertEqual(await self.order_of("refunds"), [first.id, later.id])
        seen = await self.see(first.id, "QUEUED")
        said = [(item.actor, item.text) for item in seen.timeline if "it is about money" in item.text]
        self.assertEqual([actor for actor, _ in said], ["sam"], seen.timeline)

    async def test_a_requeue_takes_it_from_whoever_has_it(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        [bob] = await self.ready("bob")
        await anne.act(next=dict(availability=availability("NOT_READY", "break")))
        await self.supervisor.requeue(call.id, why="wrong person")
        released = (await anne.expect("released", call.id)).body
        self.assertEqual(released.because, types_pb2.RELEASED_BECAUSE_MOVED)
        await bob.take(call.id)
        self.assertIn("wrong person", str((await self.see(call.id, "ASSIGNED", "bob")).timeline))

    async def test_what_is_reserved_may_be_moved(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.expect_offer(call.id)
        await self.supervisor.move(call.id, "refunds")
        over = (await anne.expect("offer_over", call.id)).body
        self.assertEqual(over.how, types_pb2.NOT_TAKEN_WITHDRAWN)
        await self.see(call.id, "QUEUED")

    async def test_another_priority_is_another_place(self):
        first = await self.pbx.arrive("first", VOICE, queue="support", head_start_ms=60_000)
        second = await self.pbx.arrive("second", VOICE, queue="support")
        third = await self.pbx.arrive("third", VOICE, queue="support")
        await self.supervisor.reprioritise(third.id, 3_600_000, why="a doctor")
        self.assertEqual(await self.order_of("support"), [third.id, first.id, second.id])
        await self.supervisor.reprioritise(first.id, 0)
        self.assertEqual(await self.order_of("support"), [third.id, first.id, second.id])
        await self.supervisor.reprioritise(second.id, 1_800_000)
        self.assertEqual(await self.order_of("support"), [third.id, second.id, first.id])
        row = (await self.supervisor.contact(third.id)).contact
        self.assertEqual(row.head_start_ms, 3_600_000)
        [anne] = await self.ready("anne")
        await anne.expect_offer(third.id)

    async def test_a_contact_that_is_closed(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        waiting = await self.pbx.arrive("call-2", VOICE, queue="support")
        await self.supervisor.close(waiting.id, why="a prank")
        await self.assert_ended(waiting, "SUPERVISOR")
        await self.supervisor.close(call.id, why="a prank")
        await anne.expect("ended", call.id)
        self.assertIn("a prank", str((await self.see_ended(call.id, "SUPERVISOR")).timeline))
        again = self.supervisor.close(call.id)
        await self.assert_refused(again, "NOT_FOUND", "contact_id")

    async def test_an_order_told_twice_is_carried_out_once(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.supervisor.move(call.id, "refunds", request_id="order-1")
        await self.supervisor.move(call.id, "support", request_id="order-2")
        await self.supervisor.move(call.id, "refunds", request_id="order-1")
        await self.caught_up()
        self.assertEqual((await self.supervisor.contact(call.id)).contact.queue, "support")
        other = self.supervisor.close(call.id, request_id="order-1")
        await self.assert_refused(other, "CONFLICT", "request_id", "REQUEST_CONFLICT")

    async def test_an_agent_who_is_set_ready_or_not(self):
        desktop = await self.desktop()
        anne = await desktop.sign_in("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.supervisor.set_agent("anne", availability("READY"), why="back from lunch")
        told = await anne.expect("availability", where=lambda b: b.because
                                 == types_pb2.AVAILABILITY_BECAUSE_SUPERVISOR)
        self.assertEqual(told.body.now, availability("READY"))
        await anne.take(call.id)
        await self.supervisor.set_agent("anne", availability("NOT_READY", "lunch"))
        await self.see_agent("anne", "BUSY", availability=availability("NOT_READY", "lunch"))
        gone = self.supervisor.set_agent("bob", availability("READY"))
        await self.assert_refused(gone, "WRONG_STATE", "agent", "AGENT_NOT_CONNECTED")

    async def test_why_this_agent_and_why_then(self):
        anne, bob = await self.ready("anne", "bob")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.decline(await anne.expect_offer(call.id))
        await bob.take(call.id)
        await self.see(call.id, "ASSIGNED", "bob")
        told = await self.supervisor.explain(call.id)
        self.assertEqual(told.contact.agent, "bob")
        self.assertEqual([d.agent for d in told.decisions], ["anne", "bob"])
        self.assertEqual([d.outcome for d in told.decisions],
                         [contact_pb2.OFFER_OUTCOME_DECLINED, contact_pb2.OFFER_OUTCOME_ACCEPTED])
        self.assertEqual([d.offers_before for d in told.decisions], [0, 1])
        self.assertEqual(told.decisions[0].trigger, contact_pb2.TRIGGER_CONTACT)
        for decision in told.decisions:
            self.assertIn(decision.agent, decision.text)
            self.assertEqual(decision.queue, "support")
        self.assertIn("bob", told.summary)
