"""Calls: whole lives, legs that are not joined, offers that are not taken."""

from surgeline.v1 import types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import (
    VOICE, Attribute, Customer, Gateway, Person, effect_fails, leg_fails, says_nothing,
)

ADA = Person(name="Ada Byron", address="+49 30 1234567", subject="Toaster",
             words="It smokes when it is off", language="en")


class WholeLife(RouterTest):
    CONFIG = centre(
        [queue("support", wrap_up="60s")],
        [agent("anne")],
        entry_points=[{"name": "hotline", "queue": "support"}],
    )

    async def test_a_call_from_arrival_to_the_next_one(self):
        gateway = await self.gateway(phone=says_nothing)
        [anne] = await self.ready("anne")
        call = await gateway.arrive(
            "call-1", VOICE, entry_point="hotline", person=ADA, waited_ms=5_000,
            customer=Customer(identity="account-4711"),
            attributes=[Attribute(name="product", value="toaster")],
        )
        self.assertEqual((await call.expect("reserved_for")).body.agent, "anne")

        offer = await anne.expect_offer(call.id)
        self.assertEqual((offer.channel, offer.queue), (VOICE, "support"))
        self.assertEqual(offer.service, types_pb2.SERVICE_CLASS_LIVE)
        self.assertEqual(offer.person, ADA)
        self.assertEqual([(a.name, a.value) for a in offer.attributes], [("product", "toaster")])
        self.assertTrue(0 < offer.answer_within_ms <= 60_000, offer.answer_within_ms)
        self.assertGreaterEqual(offer.waited_ms, 5_000)
        await self.see(call.id, "RESERVED", "anne")
        await self.see_agent("anne", "RESERVED")

        await anne.accept(offer)
        connecting = (await anne.expect("connecting", call.id)).body
        self.assertEqual((connecting.answer_within_ms, connecting.person), (0, ADA))
        legs = (await call.expect("connect_legs")).body
        self.assertEqual((legs.agent, legs.reservation_id), ("anne", offer.reservation_id))
        self.assertEqual(legs.consult_of_contact_id, 0)
        await self.see(call.id, "CONNECTING", "anne")

        answered = types_pb2.LEG_OUTCOME_ANSWERED
        await gateway.leg(legs, types_pb2.PARTY_AGENT, answered, 200)
        await gateway.leg(legs, types_pb2.PARTY_CUSTOMER, answered, 200)
        await self.see(call.id, "CONNECTING", "anne")
        await gateway.report(bridged=dict(reservation_id=legs.reservation_id))
        assigned = (await anne.expect("assigned", call.id)).body
        self.assertEqual(assigned.person, ADA)
        self.assertEqual((await call.expect("assigned_to")).body.agent, "anne")
        await self.see(call.id, "ASSIGNED", "anne")
        await self.see_agent("anne", "BUSY", load_permille=1_000)

        await call.hold(True)
        await self.caught_up()
        self.assertTrue((await self.supervisor.contact(call.id)).contact.on_hold)
        await call.hold(False)
        await gateway.report(recording=dict(
            contact_id=call.id, reference="rec/2026/1", consent=types_pb2.CONSENT_GIVEN))
        await gateway.report(attributes=dict(
            contact_id=call.id, attributes=[Attribute(name="lot", value="42")]))
        told = await anne.expect("assigned", call.id)
        self.assertEqual([(a.name, a.value) for a in told.body.attributes], [("lot", "42")])
        await self.caught_up()
        self.assertFalse((await self.supervisor.contact(call.id)).contact.on_hold)

        following = await gateway.arrive("call-2", VOICE, queue="support")
        await anne.complete(call.id, "question-answered")
        await self.assert_ended(call, "COMPLETED")
        await anne.expect("ended", call.id)
        wrap_up = (await anne.expect("wrap_up", call.id)).body
        self.assertTrue(55_000 < wrap_up.lasting_ms <= 60_000, wrap_up.lasting_ms)
        await self.see_agent("anne", "WRAP_UP")
        await self.see(following.id, "QUEUED")
        await anne.act(code=dict(contact_id=call.id, disposition="complaint"))

        await anne.end_wrap_up(call.id)
        await anne.expect("wrap_up_ended", call.id)
        await anne.expect_offer(following.id)

        ended = await self.see_ended(call.id, "COMPLETED")
        self.assertEqual(ended.person, ADA)
        sequences = [item.sequence for item in ended.timeline]
        self.assertEqual(sequences, sorted(sequences))
        story = " ".join(item.text for item in ended.timeline)
        self.assertIn("rec/2026/1", story)
        self.assertIn("complaint", story)
        row = (await self.supervisor.queues())["support"]
        self.assertEqual((row.offered, row.answered, row.answered_in_target), (2, 1, 1))
        self.assertEqual(row.service_level_all_abandoned, 1.0)

    async def test_bridging_is_all_that_is_to_be_said_of_the_legs(self):
        gateway = await self.gateway(phone=says_nothing)
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.accept(await anne.expect_offer(call.id))
        legs = (await call.expect("connect_legs")).body
        await gateway.report(bridged=dict(reservation_id=legs.reservation_id))
        await anne.expect("assigned", call.id)
        # The effect is over with it: to say so once more changes nothing, and it is not
        # asked again.
        before = await self.snapshot()
        await gateway.report(effect_done=dict(effect_id=legs.effect_id))
        self.assertEqual(await self.snapshot(), before)
        call.mailbox.heard.clear()
        await gateway.drop()
        await gateway.connect()
        await call.expect("assigned_to")
        await call.hold(True)
        self.assertNotIn("connect_legs", call.kinds())

    async def test_a_customer_who_hangs_up_before_and_after_the_answer(self):
        gateway = await self.gateway()
        first = await gateway.arrive("call-1", VOICE, queue="support")
        await first.customer_left()
        await self.assert_ended(first, "ABANDONED")
        [anne] = await self.ready("anne")
        offered = await gateway.arrive("call-2", VOICE, queue="support")
        offer = await anne.expect_offer(offered.id)
        await offered.customer_left()
        over = (await anne.expect("offer_over", offered.id)).body
        self.assertEqual((over.reservation_id, over.how),
                         (offer.reservation_id, types_pb2.NOT_TAKEN_WITHDRAWN))
        answered = await gateway.arrive("call-3", VOICE, queue="support")
        await anne.take(answered.id)
        await answered.customer_left()
        await self.assert_ended(answered, "CUSTOMER_LEFT")
        await anne.expect("wrap_up", answered.id)
        await self.caught_up()
        row = (await self.supervisor.queues())["support"]
        self.assertEqual((row.offered, row.answered, row.abandoned), (3, 1, 2))

    async def test_what_an_agent_said_comes_next_comes_after_the_last_contact(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        lunch = dict(kind=types_pb2.AVAILABILITY_KIND_NOT_READY, reason="lunch")
        await anne.act(next=dict(availability=lunch))
        waiting = await gateway.arrive("call-2", VOICE, queue="support")
        await anne.complete(call.id)
        await anne.end_wrap_up(call.id)
        told = await anne.expect("availability", where=lambda b: b.now.reason == "lunch")
        self.assertEqual(told.body.because, types_pb2.AVAILABILITY_BECAUSE_NEXT)
        await self.see_agent("anne", "NOT_READY")
        await self.see(waiting.id, "QUEUED")


class FailedLegs(RouterTest):
    CONFIG = centre([queue("support", connect_timeout="60s"), queue("hasty", connect_timeout="1s")],
                    [agent("anne"), agent("bob")])

    async def requeued(self, behaviour, fault: str, queue: str = "support"):
        """Anne accepts and is not joined: bob gets the contact, before a later one."""
        gateway = await self.gateway()
        gateway.phone_of["anne"] = behaviour
        [anne] = await self.ready("anne")
        first = await gateway.arrive("first", VOICE, queue=queue)
        later = await gateway.arrive("later", VOICE, queue=queue)
        offer = await anne.expect_offer(first.id)
        await anne.accept(offer)
        failed = (await anne.expect("connect_failed", first.id)).body
        self.assertEqual(types_pb2.ConnectFault.Name(failed.fault), f"CONNECT_FAULT_{fault}")
        self.assertEqual(failed.reservation_id, offer.reservation_id)
        await self.see(first.id, "QUEUED")
        [bob] = await self.ready("bob", desktop=anne.desktop)
        offered = await bob.expect_offer(first.id)
        metrics = await self.router.metrics()
        self.assertEqual(sum(v for k, v in metrics.items() if "connect_failures_total" in k), 1)
        for not_this in ("declined", "timed_out"):
            name = f'surgeline_reservations_total{{outcome="{not_this}"}}'
            self.assertEqual(metrics.get(name, 0), 0, "not the agent's refusal")
        return gateway, anne, bob, first, later, offer, offered

    async def test_an_agents_phone_that_is_busy(self):
        await self.phone_not_reached("BUSY")

    async def test_an_agents_phone_that_rings_out(self):
        await self.phone_not_reached("NO_ANSWER")

    async def test_an_agents_phone_that_turns_the_call_away(self):
        await self.phone_not_reached("REJECTED")

    async def test_an_agents_phone_that_is_not_there(self):
        await self.phone_not_reached("UNREACHABLE")

    async def test_an_agents_phone_that_fails(self):
        await self.phone_not_reached("FAILED")

    async def phone_not_reached(self, outcome: str):
        outcome = types_pb2.LegOutcome.Value(f"LEG_OUTCOME_{outcome}")
        behaviour = leg_fails(types_pb2.PARTY_AGENT, outcome, 486)
        _, anne, bob, first, later, _, offered = await self.requeued(behaviour, "AGENT_LEG")
        told = await anne.expect("availability", where=lambda b: b.phone_unreachable)
        self.assertEqual(told.body.now.kind, types_pb2.AVAILABILITY_KIND_READY)
        # Anne gets no call, though she is ready and one waits.
        await self.see(later.id, "QUEUED")
        await self.see_agent("anne", "READY", phone_unreachable=True)
        await bob.accept(offered)
        await bob.expect("assigned", first.id)
        # Until she says that she can be reached.
        await anne.ready()
        await anne.expect_offer(later.id)
        await self.see_agent("anne", "RESERVED", phone_unreachable=False)

    async def test_a_gateway_that_cannot_join_them(self):
        _, anne, bob, first, later, _, offered = await self.requeued(effect_fails(503), "GATEWAY")
        # It was not anne's phone: she has the later one already.
        await anne.expect_offer(later.id)
        await bob.accept(offered)
        await bob.expect("assigned", first.id)

    async def test_nobody_reports(self):
        gateway, anne, bob, first, later, offer, _ = await self.requeued(
            says_nothing, "TIMED_OUT", "hasty")
        await first.expect("effect_withdrawn")
        await anne.expect_offer(later.id)
        # What comes late is not obeyed.
        late = gateway.report(bridged=dict(reservation_id=offer.reservation_id))
        await self.assert_refused(late, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        await self.see(first.id, "RESERVED", "bob")

    async def test_a_customer_who_is_not_reached(self):
        busy = leg_fails(types_pb2.PARTY_CUSTOMER, types_pb2.LEG_OUTCOME_NO_ANSWER, 480)
        gateway = await self.gateway(phone=busy)
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        following = await gateway.arrive("call-2", VOICE, queue="support")
        await anne.accept(await anne.expect_offer(call.id))
        await self.assert_ended(call, "CUSTOMER_UNREACHABLE")
        failed = (await anne.expect("connect_failed", call.id)).body
        self.assertEqual(failed.fault, types_pb2.CONNECT_FAULT_CUSTOMER_LEG)
        await anne.expect_offer(following.id)
        await self.see_ended(call.id, "CUSTOMER_UNREACHABLE")
        await self.see_agent("anne", "RESERVED", phone_unreachable=False)


class NotTaken(RouterTest):
    CONFIG = centre(
        [queue("support"), queue("hasty", reservation_timeout="2s")],
        [agent("anne"), agent("bob")],
    )

    async def test_what_one_agent_declines_another_gets(self):
        gateway = await self.gateway()
        anne, bob = await self.ready("anne", "bob")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        offer = await anne.expect_offer(call.id)
        await anne.decline(offer)
        over = (await anne.expect("offer_over", call.id)).body
        self.assertEqual(over.how, types_pb2.NOT_TAKEN_DECLINED)
        other = await bob.expect_offer(call.id)
        self.assertNotEqual(other.reservation_id, offer.reservation_id)
        await bob.accept(other)
        await bob.expect("assigned", call.id)
        await self.see(call.id, "ASSIGNED", "bob")
        await self.see_agent("anne", "READY")

    async def test_what_is_declined_keeps_its_place_and_is_not_offered_to_the_same_agent_again(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        first = await gateway.arrive("first", VOICE, queue="support")
        second = await gateway.arrive("second", VOICE, queue="support")
        third = await gateway.arrive("third", VOICE, queue="support")
        await anne.decline(await anne.expect_offer(first.id))
        offer = await anne.expect_offer(second.id)
        self.assertEqual(await self.order_of("support"), [first.id, third.id])
        await anne.decline(offer)
        await anne.expect_offer(third.id)
        self.assertEqual(await self.order_of("support"), [first.id, second.id])
        [bob] = await self.ready("bob")
        await bob.expect_offer(first.id)

    async def test_an_agent_who_does_not_answer_is_set_not_ready(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        first = await gateway.arrive("first", VOICE, queue="hasty")
        later = await gateway.arrive("later", VOICE, queue="hasty")
        offer = await anne.expect_offer(first.id)
        over = (await anne.expect("offer_over", first.id)).body
        self.assertEqual(over.how, types_pb2.NOT_TAKEN_TIMED_OUT)
        told = (await anne.expect("availability", where=lambda b: b.because != 0
                                  and b.now.reason == "ring-no-answer")).body
        self.assertEqual(told.because, types_pb2.AVAILABILITY_BECAUSE_RING_NO_ANSWER)
        await self.see_agent("anne", "NOT_READY")
        self.assertEqual(await self.order_of("hasty"), [first.id, later.id])
        late = anne.accept(offer)
        await self.assert_refused(late, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        [bob] = await self.ready("bob")
        await bob.accept(await bob.expect_offer(first.id))
        await bob.expect("assigned", first.id)
        await self.see(later.id, "QUEUED")


    async def test_who_signs_out_gives_an_offer_back(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.expect_offer(call.id)
        await anne.become("SIGNED_OUT")
        over = (await anne.expect("offer_over", call.id)).body
        self.assertEqual(over.how, types_pb2.NOT_TAKEN_AGENT_GONE)
        await self.see(call.id, "QUEUED")
        await self.see_agent("anne", "SIGNED_OUT")
        [bob] = await self.ready("bob")
        await bob.take(call.id)

    async def test_who_becomes_not_ready_with_an_offer_may_still_take_it(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        offer = await anne.expect_offer(call.id)
        await anne.not_ready()
        await anne.accept(offer)
        await anne.expect("assigned", call.id)
        await anne.complete(call.id)
        await self.see_agent("anne", "NOT_READY")


class Timers(RouterTest):
    CONFIG = centre([queue("support", wrap_up="1s")], [agent("anne")], settings={"pass_over": "1s"})

    async def test_wrap_up_ends_by_itself(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        first = await gateway.arrive("first", VOICE, queue="support")
        second = await gateway.arrive("second", VOICE, queue="support")
        await anne.take(first.id)
        await anne.complete(first.id)
        await anne.expect("wrap_up_ended", first.id)
        await anne.expect_offer(second.id)

    async def test_who_declined_is_asked_again_after_a_while_when_there_is_nobody_else(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        first = await anne.expect_offer(call.id)
        await anne.decline(first)
        again = await anne.expect_offer(call.id)
        self.assertNotEqual(again.reservation_id, first.reservation_id)
        late = anne.accept(first)
        await self.assert_refused(late, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        await anne.accept(again)
        await anne.expect("assigned", call.id)


class TwoCallers(RouterTest):
    async def test_the_agent_who_is_idle_for_longest_gets_the_next_call(self):
        gateway = await self.gateway()
        anne, bob, carl = await self.ready("anne", "bob", "carl")
        for turn, who in enumerate((anne, bob, carl, anne, bob)):
            call = await gateway.arrive(f"call-{turn}", VOICE, queue="support")
            await who.take(call.id)
            await who.complete(call.id)

    async def test_two_gateways_may_use_the_same_key(self):
        one, other = await self.gateway("pbx-1"), await self.gateway("pbx-2")
        first = await one.arrive("call-1", VOICE, queue="support")
        second = await other.arrive("call-1", VOICE, queue="support", head_start_ms=7)
        self.assertNotEqual(first.id, second.id)

    async def test_a_key_may_hold_a_space(self):
        """Printable ASCII, says the contract."""
        gateway = await self.gateway()
        call = await gateway.arrive("line 7 call 1", VOICE, queue="support")
        await self.see(call.id, "QUEUED")

    async def test_a_key_may_be_used_again_when_its_contact_is_over(self):
        gateway: Gateway = await self.gateway()
        first = await gateway.arrive("call-1", VOICE, queue="support")
        await first.customer_left()
        await self.assert_ended(first, "ABANDONED")
        second = await gateway.arrive("call-1", VOICE, queue="support")
        self.assertNotEqual(first.id, second.id)
