"""Callbacks over gRPC: promised, dialled by the gateway, tried again, and what supervisors see."""

import time

from surgeline.v1 import agent_pb2, owed_pb2, owed_pb2_grpc, types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Person, joins
from surgeline_client.refusal import unary
from surgeline_client.stream import new_request

RESULT = types_pb2.DialOutcome.Value


def callbacks(**more) -> dict:
    retry = [{"result": "busy", "after": "1s", "most": 2}]
    return {"per_hour": 40, "share": 50, "retry": retry, **more}


class Owed(RouterTest):
    """A router whose only queue calls back."""

    CONFIG = centre([queue("support", callback=callbacks())], [agent("anne"), agent("bob")])

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.owed = owed_pb2_grpc.OwedServiceStub(self.channel())

    async def callback_of(self, contact_id: int, phase: str):
        wanted = owed_pb2.CallbackPhase.Value(f"CALLBACK_PHASE_{phase}")

        async def look():
            rows = (await unary(self.owed.ListCallbacks(owed_pb2.ListCallbacksRequest()))).callbacks
            return next((r for r in rows if r.contact_id == contact_id), None)

        return await self.eventually(
            look, lambda row: row is not None and row.phase == wanted, f"{contact_id} to be {phase}")

    async def promises(self):
        return await unary(self.owed.ListPromises(owed_pb2.ListPromisesRequest()))

    async def wants(self, gateway, call, **more):
        return await gateway.report(callback_wanted=dict(
            contact_id=call.id, number_confirmed=True,
            person=Person(address="+49 30 7654321"), **more))

    async def result(self, gateway, dial, outcome: str):
        await gateway.report(dial_result=dict(
            effect_id=dial.effect_id, outcome=RESULT(f"DIAL_OUTCOME_{outcome}")))

    def order(self, **more):
        return dict(request_id=new_request(), actor="sam", why="a test", **more)


class AgentFirst(Owed):
    async def test_a_place_is_kept_and_the_gateway_dials(self):
        gateway = await self.gateway()
        first = await gateway.arrive("call-1", VOICE, queue="support")
        second = await gateway.arrive("call-2", VOICE, queue="support")
        await self.assert_refused(
            gateway.report(callback_wanted=dict(contact_id=first.id)),
            "WRONG_STATE", "number_confirmed", "NO_NUMBER")
        promised = await self.wants(gateway, first)
        self.assertEqual(promised.promise_id, 1)
        self.assertGreater(promised.due_unix_ms, time.time() * 1_000)
        await first.expect("callback_due")
        await first.customer_left()
        await self.see(first.id, "CALLBACK_DUE")

        [anne] = await self.ready("anne")
        offer = await anne.expect_offer(first.id)
        self.assertTrue(offer.callback)
        self.assertEqual([p.address for p in offer.inputs], ["+49 30 7654321"])
        await anne.accept(offer)
        dial = (await first.expect("dial")).body
        self.assertEqual((dial.agent, dial.customer_first), ("anne", False))
        await self.result(gateway, dial, "ANSWERED")
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await anne.expect("assigned", first.id)
        await self.see(first.id, "ASSIGNED", "anne")
        [counts] = [c for c in (await self.promises()).counts
                    if c.kind == types_pb2.PROMISE_KIND_CALLBACK]
        self.assertEqual((counts.made, counts.kept, counts.open, counts.late), (1, 1, 0, 0))
        row = (await self.supervisor.queues())["support"]
        self.assertEqual((row.offered, row.answered, row.abandoned), (2, 0, 0))
        await anne.complete(first.id)
        await anne.expect_offer(second.id)

    async def test_a_window_without_room_names_the_next(self):
        gateway = await self.gateway()
        hour = 3_600_000
        now = int(time.time() * 1_000)
        window = dict(from_unix_ms=now + 2 * hour, until_unix_ms=now + 2 * hour + hour // 4)
        granted = 0
        for n in range(12):
            call = await gateway.arrive(f"call-{n}", VOICE, queue="support")
            try:
                await self.wants(gateway, call, window=window)
                granted += 1
            except Exception as no:
                self.assertEqual((no.code_name, no.reason, no.field),
                                 ("EXHAUSTED", "NO_ROOM", "window"), str(no))
                # The quarter after the window begins at most that much after it.
                self.assertGreater(no.next_window_unix_ms, window["until_unix_ms"] - 1_000)
                self.assertLess(no.next_window_unix_ms, window["until_unix_ms"] + hour // 4)
                await self.see(call.id, "QUEUED")
                break
        # 40 an hour, half of them: 5 in each of the two quarters that the window touches.
        self.assertEqual(granted, 10)


class CustomerFirst(Owed):
    CONFIG = centre([queue("support", callback=callbacks(mode="customer_first"))],
                    [agent("anne"), agent("bob")])

    async def test_results_follow_the_table_and_the_last_are_a_supervisors(self):
        gateway = await self.gateway()
        calls = [await gateway.arrive(f"call-{n}", VOICE, queue="support") for n in range(3)]
        for call in calls:
            await self.wants(gateway, call)
        await self.ready("anne")
        dial = (await calls[0].expect("dial")).body
        self.assertTrue(dial.customer_first)
        await self.result(gateway, dial, "BUSY")
        # She is free for the next one while the first waits for its second try.
        following = (await calls[1].expect("dial")).body
        await self.result(gateway, following, "INVALID")
        await self.callback_of(calls[1].id, "INVALID_NUMBER")
        third = (await calls[2].expect("dial")).body
        await self.result(gateway, third, "BUSY")
        for call in (calls[0], calls[2]):
            again = (await call.expect("dial")).body
            await self.result(gateway, again, "BUSY")
            await self.callback_of(call.id, "EXHAUSTED")
        row = (await self.supervisor.queues())["support"].callbacks
        self.assertEqual((row.exhausted, row.dialling, row.pressing), (3, 0, 0))
        await unary(self.owed.CallNow(owed_pb2.CallNowRequest(
            **self.order(contact_id=calls[0].id, agent="anne"))))
        dial = (await calls[0].expect("dial")).body
        await self.result(gateway, dial, "ANSWERED")
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(calls[0].id, "ASSIGNED", "anne")
        await self.supervisor.close(calls[1].id)
        [counts] = [c for c in (await self.promises()).counts
                    if c.kind == types_pb2.PROMISE_KIND_CALLBACK]
        self.assertEqual((counts.made, counts.kept, counts.broken, counts.open), (3, 1, 1, 1))

    async def test_it_is_still_owed_after_a_kill(self):
        gateway = await self.gateway()
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await self.wants(gateway, call)
        await self.caught_up()
        await self.router.kill()
        await self.router.start()
        gateway = await self.gateway()
        await self.ready("anne")
        dial = (await gateway.conversation(call.id).expect("dial")).body
        await self.result(gateway, dial, "ANSWERED")
        await gateway.report(bridged=dict(reservation_id=dial.reservation_id))
        await self.see(call.id, "ASSIGNED", "anne")

    async def test_a_lost_call_is_called_back_if_its_number_is_known(self):
        gateway = await self.gateway(phone=joins)
        known, unknown = [await gateway.arrive(f"call-{n}", VOICE, queue="support") for n in range(2)]
        await gateway.report(number_confirmed=dict(contact_id=known.id, confirmed=True))
        for call in (known, unknown):
            await gateway.report(call_lost=dict(contact_id=call.id))
        await self.see(known.id, "CALLBACK_DUE")
        await self.see(unknown.id, "CLOSED")


class PromisesAndRecoveries(Owed):
    CONFIG = centre([queue("support", "voice", "chat", callback=callbacks())],
                    [agent("anne", authority=2_000)], promises={"lead": "1s"})

    async def test_a_follow_up_becomes_a_contact_and_a_remedy_is_approved(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="support")
        await anne.take(chat.id)
        now = int(time.time() * 1_000)
        promised = await anne.act(promise=types_pb2.Pledge(
            contact_id=chat.id, kind=types_pb2.PROMISE_KIND_FOLLOW_UP, due_unix_ms=now + 3_000))
        recovery = await anne.act(open_recovery=types_pb2.Remedy(
            contact_id=chat.id, cents=5_000, due_unix_ms=now + 60_000,
            words=Person(words="two weeks without a toaster")))
        done = dict(recovery_done=agent_pb2.AgentAct.RecoveryDone(recovery_id=recovery))
        await self.assert_refused(anne.act(**done), "WRONG_STATE", "remedy", "NEEDS_APPROVAL")
        await unary(self.owed.ChangeRecovery(owed_pb2.ChangeRecoveryRequest(
            **self.order(recovery_id=recovery, approved=True))))
        await anne.act(**done)
        await anne.complete(chat.id)

        async def opened():
            rows = (await self.promises()).promises
            return next((r.working_contact_id for r in rows
                         if r.promise_id == promised.promise_id), 0)

        follow_up = await self.eventually(opened, lambda contact: contact > 0, "the follow-up")
        self.assertTrue((await self.supervisor.contact(follow_up)).contact.key.startswith("~"))
        await anne.take(follow_up)
        await anne.complete(follow_up)
        [counts] = [c for c in (await self.promises()).counts
                    if c.kind == types_pb2.PROMISE_KIND_FOLLOW_UP]
        self.assertEqual((counts.made, counts.kept, counts.late), (1, 1, 0))
        seen = await unary(self.owed.ListRecoveries(owed_pb2.ListRecoveriesRequest()))
        self.assertEqual((seen.opened, seen.done, len(seen.recoveries)), (1, 1, 0))
