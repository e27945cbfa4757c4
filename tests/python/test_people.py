"""An agent's day, and what supervisors do: reasons with limits, calls outside the router, ends
of shifts, listening, conferences, orders about many contacts, the feed of agents' states."""

import asyncio

from surgeline.v1 import supervisor_pb2, types_pb2

from router import run
from support import PATIENCE, RouterTest, agent, centre, queue
from surgeline_client import VOICE, CHAT, availability

LISTENS, WHISPERS, TALKS = types_pb2.PART_LISTENS, types_pb2.PART_WHISPERS, types_pb2.PART_TALKS


class Days(RouterTest):
    CONFIG = centre(
        [queue("support", "voice", "chat", wrap_up="20s", wrap_up_most="60s")],
        [agent("anne"), agent("bob")],
    ).replace('["break", "lunch"]',
              '["break", { name = "lunch", limit = "1s", most_at_once = 1, counts_as = "break" }]')

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()

    async def test_a_reason_has_a_limit_and_is_for_so_many(self):
        [anne, bob] = await self.ready("anne", "bob")
        await anne.not_ready("lunch")
        no = await self.assert_refused(bob.not_ready("lunch"), "EXHAUSTED", "reason", "REASON_FULL")
        self.assertIn("anne", no.message)
        told = await anne.expect("availability", where=lambda now: now.overstayed)
        self.assertEqual(told.body.now.reason, "lunch", "nothing else changed")
        row = await self.see_agent("anne", "NOT_READY", overstayed=True)
        self.assertFalse(row.HasField("reason_ends_in_ms"))
        metrics = await self.router.metrics()
        self.assertEqual(metrics['surgeline_agents_not_ready{reason="lunch"}'], 1)
        self.assertEqual(metrics['surgeline_agents_overstayed{reason="lunch"}'], 1)
        await anne.ready()
        await bob.not_ready("lunch")

    async def test_a_call_outside_keeps_the_phone_from_ringing(self):
        [anne] = await self.ready("anne")
        await self.pbx.report(outside_call=dict(agent="anne", key="line-1", on=True, outbound=True))
        row = await self.see_agent("anne", "BUSY")
        self.assertEqual([(c.gateway, c.key, c.outbound) for c in row.outside_calls],
                         [("pbx", "line-1", True)])
        self.assertEqual((await self.router.metrics())["surgeline_agents_outside"], 1)
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.see(call.id, "QUEUED")
        self.assert_offers_to_nobody(anne)
        await self.pbx.report(outside_call=dict(agent="anne", key="line-1", on=False))
        await anne.take(call.id)

    async def test_a_call_outside_ends_when_its_gateway_comes_back_without_it(self):
        [anne] = await self.ready("anne")
        await self.pbx.report(outside_call=dict(agent="anne", key="line-1", on=True))
        await self.see_agent("anne", "BUSY")
        await self.pbx.drop()
        await self.pbx.connect()
        await self.see_agent("anne", "READY")

    async def test_work_after_a_contact_lasts_longer_within_limits(self):
        [anne] = await self.ready("anne")
        chat = await self.pbx.arrive("chat-1", CHAT, queue="support")
        await anne.take(chat.id)
        await anne.complete(chat.id)
        first = (await anne.expect("wrap_up", chat.id)).body.lasting_ms
        await anne.act(extend_wrap_up=dict(contact_id=chat.id, by_ms=30_000))
        longer = (await anne.expect("wrap_up", chat.id)).body.lasting_ms
        self.assertGreater(longer, first + 20_000)
        too_long = anne.act(extend_wrap_up=dict(contact_id=chat.id, by_ms=30_000))
        await self.assert_refused(too_long, "INVALID", "by")
        await self.supervisor.do("ChangeWrapUp", agent="anne", contact_id=chat.id, by_ms=0)
        await anne.expect("wrap_up_ended", chat.id)

    async def test_signed_out_at_once_and_at_the_end_of_the_shift(self):
        [anne, bob] = await self.ready("anne", "bob")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        await self.supervisor.do("SignOutAgent", agent="anne", hands=supervisor_pb2.HANDS_REQUEUE)
        told = await anne.expect("availability",
                                 where=lambda a: a.now.kind == types_pb2.AVAILABILITY_KIND_SIGNED_OUT)
        self.assertEqual(told.body.because, types_pb2.AVAILABILITY_BECAUSE_SUPERVISOR)
        await bob.take(call.id)
        await self.supervisor.do("SignOutAgent", agent="bob", after_ms=100,
                                 hands=supervisor_pb2.HANDS_FINISH)
        await bob.expect("availability", where=lambda a: a.HasField("leaves_in_ms") and a.leaves_in_ms == 0)
        await self.assert_refused(bob.not_ready(), "WRONG_STATE", "agent", "SIGNING_OUT")
        await bob.complete(call.id)
        await bob.end_wrap_up(call.id)
        row = await self.see_agent("bob", "SIGNED_OUT")
        self.assertFalse(row.HasField("leaves_in_ms"))

    async def test_every_change_of_an_agent_is_fed_and_can_be_gone_on_from(self):
        watch = self.supervisor.watch_agent_states()
        seen = await watch.read()
        self.assertEqual([a.agent for a in seen.snapshot.agents], ["anne", "bob"])
        cursor = seen.cursor
        [anne] = await self.ready("anne")
        await anne.not_ready("lunch")
        moments = []
        async with asyncio.timeout(PATIENCE):
            while not any(m.overstayed for m in moments):
                moments += (await watch.read()).changes.agents
        watch.cancel()
        of_anne = [m for m in moments if m.agent == "anne"]
        states = [supervisor_pb2.AgentState.Name(m.state) for m in of_anne]
        self.assertEqual(states[-3:], ["AGENT_STATE_READY", "AGENT_STATE_NOT_READY", "AGENT_STATE_NOT_READY"])
        self.assertEqual((of_anne[-1].availability.reason, of_anne[-1].counts_as), ("lunch", "break"))
        self.assertEqual(sorted(m.sequence for m in moments), [m.sequence for m in moments])
        again = self.supervisor.watch_agent_states(cursor=cursor)
        repeated = (await again.read()).changes.agents
        again.cancel()
        self.assertEqual([m.sequence for m in repeated][:len(moments)], [m.sequence for m in moments])


class OnAContact(RouterTest):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()
        [self.anne] = await self.ready("anne")
        self.call = await self.pbx.arrive("call-1", VOICE, queue="support")
        await self.anne.take(self.call.id)

    async def listen(self, part: int):
        await self.supervisor.do("Listen", contact_id=self.call.id, listener="sue", part=part)

    async def test_a_supervisor_listens_whispers_comes_in_and_goes(self):
        for part in (LISTENS, WHISPERS, TALKS):
            await self.listen(part)
            told = (await self.call.expect("join")).body.participant
            self.assertEqual((told.participant, told.supervisor, told.part), (1, "sue", part))
            seen = await self.anne.expect("participants", self.call.id, where=lambda p: p.all and
                                          p.all[0].on and p.all[0].part == part)
            self.assertEqual(len(seen.body.all), 1)
        self.assertEqual((await self.see(self.call.id, "ASSIGNED", "anne")).contact.agent, "anne")
        await self.supervisor.do("StopListening", contact_id=self.call.id, listener="sue")
        self.assertEqual(len((await self.call.expect("participants")).body.all), 0)
        again = self.supervisor.do("StopListening", contact_id=self.call.id, listener="sue")
        await self.assert_refused(again, "NOT_FOUND", "listener", "NOT_LISTENING")
        timeline = str((await self.see(self.call.id, "ASSIGNED")).timeline)
        self.assertIn("supervisor sue", timeline)
        self.assertIn("sam", timeline, "who ordered it")

    async def test_a_conference_is_handed_over_and_never_ends_under_others(self):
        [bob] = await self.ready("bob")
        child = await self.anne.consult(self.call.id, agent="bob")
        await bob.take(child)
        await self.anne.expect("consult_joined", self.call.id)
        await self.anne.act(conference=dict(contact_id=self.call.id))
        told = (await self.call.expect("join")).body.participant
        self.assertEqual((told.colleague, told.part), ("bob", TALKS))
        await self.anne.expect("participants", self.call.id, where=lambda p: p.all and p.all[0].on)
        ends = self.anne.complete(self.call.id)
        await self.assert_refused(ends, "WRONG_STATE", "contact_id", "OTHERS_THERE")
        await self.anne.act(complete_consult=dict(contact_id=self.call.id))
        await self.call.expect("hand_over")
        await self.see(self.call.id, "ASSIGNED", "bob")
        await bob.complete(self.call.id)
        await self.assert_ended(self.call, "COMPLETED")

    async def test_somebody_outside_is_brought_on_by_a_number_that_only_the_gateway_hears(self):
        number = "+49 30 12 34 567"
        await self.anne.act(add_participant=dict(
            contact_id=self.call.id, name="interpreter", address=number))
        join = (await self.call.expect("join")).body
        self.assertEqual((join.participant.outside, join.address), ("interpreter", number))
        on = await self.anne.expect("participants", self.call.id, where=lambda p: p.all and p.all[0].on)
        self.assertEqual(on.body.all[0].outside, "interpreter")
        seen = await self.see(self.call.id, "ASSIGNED")
        self.assertIn("interpreter", str(seen.timeline))
        await self.assert_refused(self.anne.complete(self.call.id), "WRONG_STATE", "contact_id",
                                  "OTHERS_THERE")
        await self.pbx.report(participant_left=dict(contact_id=self.call.id, participant=1))
        await self.anne.expect("participants", self.call.id, where=lambda p: not p.all)
        await self.anne.complete(self.call.id)

    async def test_what_supervisors_type_does_the_same(self):
        who = ("--why", "first day", "--actor", "sam", "--router", self.router.grpc)

        async def typed(*arguments):
            code, out, errors = await run(*arguments, *who)
            self.assertEqual(code, 0, errors)
            return out

        call = str(self.call.id)
        await typed("contact", "listen", call, "--as", "sue", "--heard-by", "agent")
        told = (await self.call.expect("join")).body.participant
        self.assertEqual((told.supervisor, told.part), ("sue", WHISPERS))
        await typed("contact", "stop-listening", call, "--as", "sue")
        self.assertIn("sam", str((await self.see(self.call.id, "ASSIGNED")).timeline))
        waits = await self.pbx.arrive("call-2", VOICE, queue="support")
        self.assertIn("goes to anne", await typed("contact", "pull", str(waits.id), "--to", "anne"))
        self.assertIn("sam", str((await self.see(waits.id, "QUEUED")).timeline))
        await typed("agent", "sign-out", "anne", "--after", "1h", "--hands", "finish")
        await self.caught_up()
        self.assertTrue((await self.see_agent("anne", "BUSY")).HasField("leaves_in_ms"))
        self.assertIn("stays", await typed("agent", "sign-out", "anne", "--take-back"))
        await self.caught_up()
        self.assertFalse((await self.see_agent("anne", "BUSY")).HasField("leaves_in_ms"))
        code, _, errors = await run("agent", "sign-out", "anne", *who)
        self.assertEqual(code, 2, "it is not guessed what becomes of the call")
        self.assertIn("--hands", errors)


class Many(RouterTest):
    CONFIG = centre([queue("support", "chat"), queue("refunds", "chat"), queue("spanish", "chat",
                     needs={"spanish": 1})], [agent("anne"), agent("bob")])

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.chat = await self.gateway("chat")

    async def test_a_waiting_contact_is_pulled_to_whom_it_is_given(self):
        waits = await self.chat.arrive("chat-1", CHAT, queue="spanish")
        [anne] = await self.ready("anne")
        self.assert_offers_to_nobody(anne)
        await self.supervisor.do("PullContact", contact_id=waits.id, agent="anne")
        await anne.take(waits.id)
        gone = self.supervisor.do("PullContact", contact_id=waits.id, agent="bob")
        await self.assert_refused(gone, "WRONG_STATE", "contact_id")

    async def test_many_are_moved_as_they_were_shown_and_no_others(self):
        chats = [await self.chat.arrive(f"chat-{n}", CHAT, queue="support") for n in range(200)]
        other = await self.chat.arrive("other", CHAT, queue="refunds")
        await self.caught_up()
        shown = await self.supervisor.preview(queue="support")
        self.assertEqual((shown.count, len(shown.first)), (200, 20))
        self.assertEqual([(s.state, s.count) for s in shown.by_state],
                         [(types_pb2.CONTACT_STATE_QUEUED, 200)])
        self.assertEqual(shown.first[0].contact_id, chats[0].id)
        late = await self.chat.arrive("late", CHAT, queue="support")
        await chats[7].customer_left()
        order = await self.supervisor.apply(shown.token, move_to="refunds")

        async def look():
            return {row.order_id: row for row in await self.supervisor.orders()}[order]

        row = await self.eventually(look, lambda row: row.over, "the order to be carried out")
        self.assertEqual((row.count, row.looked_at, row.done, row.cancelled), (200, 200, 199, False))
        moved = await self.order_of("refunds")
        self.assertEqual(moved, [c.id for c in chats if c is not chats[7]] + [other.id])
        self.assertEqual(await self.order_of("support"), [late.id], "it was not shown")
        timeline = str((await self.see(chats[0].id, "QUEUED")).timeline)
        self.assertIn(f"by order {order}", timeline)
        unknown = self.supervisor.apply("0" * 32, close=True)
        await self.assert_refused(unknown, "WRONG_STATE", "token")
        over = self.supervisor.do("CancelOrder", order_id=order)
        await self.assert_refused(over, "NOT_FOUND", "order_id", "NO_SUCH_ORDER")

    async def test_many_are_closed_by_an_attribute(self):
        lot = types_pb2.Attribute(name="lot", value="A7")
        hit = await self.chat.arrive("hit", CHAT, queue="support", attributes=[lot])
        miss = await self.chat.arrive("miss", CHAT, queue="support")
        await self.caught_up()
        shown = await self.supervisor.preview(attribute=lot)
        self.assertEqual([row.contact_id for row in shown.first], [hit.id])
        await self.supervisor.apply(shown.token, close=True)
        await self.assert_ended(hit, "SUPERVISOR")
        await self.see(miss.id, "QUEUED")
