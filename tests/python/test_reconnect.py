"""Lines that break in mid-contact, and who is who afterwards."""

import asyncio

import grpc
from surgeline.v1 import agent_pb2, agent_pb2_grpc, types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, VOICE, Gateway, Person, Refused, StreamEnded, says_nothing

ADA = Person(name="Ada Byron", words="It smokes")


class Gateways(RouterTest):
    async def detached(self, contact_id: int):
        async def look():
            return (await self.supervisor.contact(contact_id)).contact
        return await self.eventually(look, lambda row: row.detached, f"contact {contact_id} to be detached")

    async def test_contacts_wait_for_their_gateway_and_keep_their_places(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        talking = await gateway.arrive("talking", VOICE, queue="support")
        await anne.take(talking.id)
        second = await gateway.arrive("second", VOICE, queue="support", person=ADA)
        third = await gateway.arrive("third", VOICE, queue="support")
        lost = await gateway.arrive("lost", VOICE, queue="support")
        await gateway.drop()

        for call in (talking, second, third, lost):
            row = await self.detached(call.id)
        self.assertEqual(row.state, types_pb2.CONTACT_STATE_QUEUED)
        # People may be talking: that one stays with anne. Nobody else is offered anything.
        await self.see(talking.id, "ASSIGNED", "anne")
        [bob] = await self.ready("bob")
        await self.see_agent("bob", "READY")
        self.assertEqual(len(await self.order_of("support")), 3)
        self.assert_offers_to_nobody(bob)
        # Another gateway's contact is served meanwhile.
        other = await self.gateway("pbx-2")
        passing = await other.arrive("call-1", VOICE, queue="support")
        await bob.take(passing.id)

        # It comes back without one of them, and with one that nobody knows.
        del gateway.books["lost"]
        gateway.books["ghost"] = lost
        await gateway.connect(resync=False)
        early = await gateway.arrive("early", VOICE, queue="support")
        for mailbox in (talking.mailbox, second.mailbox, third.mailbox):
            mailbox.unread.clear()
        self.assertEqual(await gateway.resync(), ["ghost"])
        self.assertEqual((await talking.expect("assigned_to")).body.agent, "anne")
        await second.expect("waiting")
        await third.expect("waiting")
        await self.assert_ended(lost, "GATEWAY_LOST")
        await self.see_ended(lost.id, "GATEWAY_LOST")
        self.assertEqual(await self.order_of("support"), [second.id, third.id, early.id])
        await bob.complete(passing.id)
        offer = await bob.expect_offer(second.id)
        self.assertEqual(offer.person, ADA)
        await anne.complete(talking.id)
        await self.assert_ended(talking, "COMPLETED")
        await anne.expect_offer(third.id)

    async def test_what_was_reserved_is_not_answered_into_the_void(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        offer = await anne.expect_offer(call.id)
        await gateway.drop()
        await self.detached(call.id)
        await gateway.connect()
        # Whether it was withdrawn or kept for her meanwhile: she gets it, and is joined.
        seen = (await self.supervisor.contact(call.id)).contact
        self.assertIn(seen.state, (types_pb2.CONTACT_STATE_QUEUED, types_pb2.CONTACT_STATE_RESERVED))
        try:
            await anne.accept(offer)
        except Refused:
            await anne.accept(await anne.expect_offer(call.id))
        await anne.expect("assigned", call.id)

    async def test_effects_that_were_not_reported_are_asked_again(self):
        gateway = await self.gateway(phone=says_nothing)
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.accept(await anne.expect_offer(call.id))
        legs = (await call.expect("connect_legs")).body
        await gateway.drop()
        # The gateway's process began anew; its books were on disk.
        again = Gateway(self.channel(), "pbx")
        again.books = dict(gateway.books)
        await again.connect()
        told = (await again.conversation(call.id).expect("connect_legs")).body
        self.assertEqual((told.effect_id, told.reservation_id, told.agent),
                         (legs.effect_id, legs.reservation_id, "anne"))
        await anne.expect("assigned", call.id)

    async def test_the_newest_stream_of_a_name_is_in_force(self):
        old = await self.gateway()
        call = await old.arrive("call-1", VOICE, queue="support")
        new = Gateway(self.channel(), "pbx")
        new.books = dict(old.books)
        await new.connect()
        ended = await old.stream.wait_ended()
        self.assertEqual(ended.status, grpc.StatusCode.ABORTED, ended)
        self.assertGreater(new.session_id, old.session_id)
        with self.assertRaises(StreamEnded):
            await old.report(hold=dict(contact_id=call.id, on=True))
        await new.report(hold=dict(contact_id=call.id, on=True))
        # The old one's end, which comes later, changes nothing.
        [anne] = await self.ready("anne")
        await anne.expect_offer(call.id)

    async def test_three_thousand_at_once_and_all_of_them_held_after_a_reconnect(self):
        gateway = await self.gateway()
        # More than may be unanswered: the router reads on as it answers.
        calls = await asyncio.gather(*(
            gateway.arrive(f"call-{i}", VOICE, queue="support") for i in range(3_000)))
        self.assertEqual(len({call.id for call in calls}), 3_000)
        lost = [calls[i] for i in range(0, 3_000, 3)]
        await gateway.drop()
        for call in lost:
            del gateway.books[call.key]
        # Named in three reports of at most 1,000 keys; the rest is closed slice by slice.
        self.assertEqual((await gateway.connect()).unknown_keys, [])
        for call in lost:
            await self.assert_ended(call, "GATEWAY_LOST")
        await self.caught_up()
        counts = await self.supervisor.counts()
        self.assertEqual((counts.accepted, counts.queued, counts.closed), (3_000, 2_000, 1_000))
        rows = await self.supervisor.contacts(page_size=500)
        self.assertFalse([row.contact_id for row in rows if row.detached])
        [anne] = await self.ready("anne")
        await anne.expect_offer(calls[1].id)

    async def test_a_line_that_flaps_loses_nobody(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        talking = await gateway.arrive("talking", VOICE, queue="support")
        await anne.take(talking.id)
        waiting = [await gateway.arrive(f"call-{i}", VOICE, queue="support") for i in range(10)]
        for turn in range(20):
            await gateway.drop()
            # Every other time it is gone again before it has said what it holds.
            await gateway.connect(resync=turn % 2 == 0)
        await gateway.drop()
        self.assertEqual((await gateway.connect()).unknown_keys, [])
        self.assertEqual(await self.order_of("support"), [call.id for call in waiting])
        rows = await self.supervisor.contacts()
        self.assertFalse([row.key for row in rows if row.detached])
        await self.see(talking.id, "ASSIGNED", "anne")
        await anne.complete(talking.id)
        await anne.take(waiting[0].id)

    async def test_an_arrival_told_again_after_a_reconnect_is_the_same_contact(self):
        gateway = await self.gateway()
        call = await gateway.arrive("call-1", VOICE, queue="support", request_id="r-1")
        await gateway.drop()
        await gateway.connect()
        same_request = await gateway.arrive("call-1", VOICE, queue="support", request_id="r-1")
        same_content = await gateway.arrive("call-1", VOICE, queue="support", request_id="r-2")
        self.assertEqual({call.id, same_request.id, same_content.id}, {call.id})
        await self.caught_up()
        self.assertEqual((await self.supervisor.counts()).accepted, 1)


class Agents(RouterTest):
    CONFIG = centre([queue("support", "voice", "chat")], [agent("anne"), agent("bob")])

    async def test_an_agent_who_comes_back_is_told_all_again(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support", person=ADA)
        await anne.take(call.id)
        await anne.desktop.drop()
        await self.see(call.id, "ASSIGNED", "anne")
        await anne.desktop.connect()
        told = (await anne.expect("availability")).body
        self.assertEqual(told.now.kind, types_pb2.AVAILABILITY_KIND_READY)
        again = (await anne.expect("assigned", call.id)).body
        self.assertEqual(again.person, ADA)
        await anne.complete(call.id)
        await self.assert_ended(call, "COMPLETED")

    async def test_an_offer_to_an_agent_who_is_gone_goes_to_another(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        [bob] = await self.ready("bob")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        offer = await anne.expect_offer(call.id)
        await anne.desktop.drop()
        await bob.take(call.id)
        await self.see_agent("anne", "LOST")
        await anne.desktop.connect()
        late = anne.accept(offer)
        await self.assert_refused(late, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        await self.see(call.id, "ASSIGNED", "bob")

    async def test_the_newest_session_of_an_agent_is_in_force(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        elsewhere = await (await self.desktop()).sign_in("anne")
        over = (await anne.expect("session_over")).body
        self.assertEqual(over.session_id, anne.session_id)
        await elsewhere.expect("assigned", call.id)
        stale = anne.complete(call.id)
        await self.assert_refused(stale, "WRONG_STATE", "agent")
        # The old stream goes on for others on it, and its end does not matter to anne.
        await anne.desktop.sign_in("bob")
        await anne.desktop.drop()
        await elsewhere.complete(call.id)
        await self.assert_ended(call, "COMPLETED")
        await self.see_agent("anne", "READY")

    async def test_a_desktop_that_flaps_loses_nothing(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chats = [await gateway.arrive(f"chat-{i}", CHAT, queue="support") for i in range(3)]
        for chat in chats[:2]:
            await anne.take(chat.id)
        for _ in range(20):
            await anne.desktop.drop()
            await anne.desktop.connect()
        for chat in chats[:2]:
            await anne.expect("assigned", chat.id)
        await anne.take(chats[2].id)
        await self.see_agent("anne", "BUSY")

    async def test_who_reads_too_slowly_is_cut_off_and_told_to_resync(self):
        gateway = await self.gateway("widget")
        chat = await gateway.arrive("chat-1", CHAT, queue="support")
        slow = agent_pb2_grpc.AgentServiceStub(self.channel()).Connect()
        for request in (
            dict(request_id="s", sign_in=dict()),
            dict(request_id="r", act=dict(become=dict(availability=dict(kind=1)))),
        ):
            await slow.write(agent_pb2.AgentServiceConnectRequest(agent="anne", **request))
        while (said := await slow.read()).directive.WhichOneof("directive") != "offer":
            pass
        accept = dict(accept=dict(reservation_id=said.directive.offer.reservation_id))
        await slow.write(agent_pb2.AgentServiceConnectRequest(request_id="a", agent="anne", act=accept))
        await chat.expect("assigned_to")
        # From here on nobody reads, and the customer goes on and on.
        words = Person(words="and another thing " * 100)
        cut_off = 0
        for _ in range(40):
            said = [gateway.send(input=dict(contact_id=chat.id, person=words)) for _ in range(250)]
            async with asyncio.timeout(20):
                await asyncio.gather(*said)
            metrics = await self.router.metrics()
            cut_off = sum(v for k, v in metrics.items() if "cut_off_total" in k and "agent" in k)
            if cut_off:
                break
        self.assertEqual(cut_off, 1, "cut off after a bounded number of messages")
        with self.assertRaises(grpc.aio.AioRpcError) as caught:
            async with asyncio.timeout(20):
                while await slow.read() is not grpc.aio.EOF:
                    pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.ABORTED)
        self.assertIn("resync", caught.exception.details())
        # Nobody else was held up, and nothing is lost.
        anne = await (await self.desktop()).sign_in("anne")
        await anne.expect("assigned", chat.id)
        await anne.complete(chat.id)
        await self.assert_ended(chat, "COMPLETED")

    async def test_a_watch_ends_when_a_newer_session_begins(self):
        stub = agent_pb2_grpc.AgentServiceStub(self.channel())
        watch = stub.Watch(agent_pb2.WatchRequest(agent="anne"))
        self.assertEqual((await watch.read()).session.name, "anne")
        await (await self.desktop()).sign_in("anne")
        with self.assertRaises(grpc.aio.AioRpcError) as caught:
            async with asyncio.timeout(20):
                while await watch.read() is not grpc.aio.EOF:
                    pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.ABORTED)

    async def test_who_leaves_may_come_back_and_others_stay(self):
        gateway = await self.gateway()
        anne, bob = await self.ready("anne", "bob")
        await anne.leave()
        await self.see_agent("anne", "LOST")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await bob.expect_offer(call.id)
        await self.assert_refused(anne.ready(), "WRONG_STATE", "agent")
        await anne.sign_in()
        await self.see_agent("anne", "READY")


class Grace(RouterTest):
    CONFIG = centre([queue("support", "voice", "chat")], [agent("anne"), agent("bob")],
                    settings={"agent_grace": "1s"})

    async def test_what_an_agent_had_goes_to_another_when_they_do_not_come_back(self):
        gateway = await self.gateway("widget")
        [anne] = await self.ready("anne")
        chat = await gateway.arrive("chat-1", CHAT, queue="support", person=ADA)
        call_elsewhere = await gateway.arrive("chat-2", CHAT, queue="support")
        await anne.take(chat.id)
        await anne.take(call_elsewhere.id)
        await anne.complete(call_elsewhere.id)
        [bob] = await self.ready("bob")
        await anne.desktop.drop()
        offer = await bob.expect_offer(chat.id)
        self.assertEqual(offer.person, ADA)
        await bob.accept(offer)
        await bob.expect("assigned", chat.id)
        row = await self.see_agent("anne", "SIGNED_OUT")
        self.assertEqual(row.availability.kind, types_pb2.AVAILABILITY_KIND_SIGNED_OUT)
        await anne.desktop.connect()
        told = (await anne.expect("availability")).body
        self.assertEqual(told.now.kind, types_pb2.AVAILABILITY_KIND_NOT_READY)

    async def test_a_call_stays_with_its_agent_because_people_may_be_talking(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support")
        await anne.take(call.id)
        await anne.desktop.drop()
        await self.ready("bob")

        async def availability():
            return (await self.supervisor.agents())["anne"].availability.kind
        await self.eventually(availability, lambda k: k == types_pb2.AVAILABILITY_KIND_SIGNED_OUT,
                              "anne's grace to be over")
        await self.see(call.id, "ASSIGNED", "anne")
        await call.customer_left()
        await self.assert_ended(call, "CUSTOMER_LEFT")
