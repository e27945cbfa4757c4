"""What must not be: each is refused, names the field, and changes nothing."""

import grpc
from surgeline.v1 import agent_pb2, agent_pb2_grpc, contact_pb2, gateway_pb2, gateway_pb2_grpc
from surgeline.v1 import supervisor_pb2, supervisor_pb2_grpc, types_pb2

from support import RouterTest, agent, centre, queue
from surgeline_client import (
    CHAT, VOICE, Gateway, Need, Refused, StreamEnded, refused, says_nothing, unary,
)

CONFIG = centre(
    [queue("support", "voice", "chat"), queue("post", "email"), queue("hasty", reservation_timeout="1s")],
    [agent("anne", skills={"english": 3}, capacity={"voice": 1, "chat": 1}), agent("bob"), agent("carl")],
    entry_points=[{"name": "hotline", "queue": "support"}],
)


class Refusals(RouterTest):
    CONFIG = CONFIG

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.pbx = await self.gateway()

    async def all_refused(self, table):
        """Every row is (what, doing, code, field); `doing` is called, and must be refused
        without leaving a trace."""
        before = await self.snapshot()
        for what, doing, code, field in table:
            with self.subTest(what):
                await self.assert_refused(doing(), code, field)
        self.maxDiff = None
        self.assertEqual(await self.snapshot(), before)

    async def test_arrivals(self):
        arrive = self.pbx.arrive
        await arrive("taken", VOICE, queue="support", request_id="r-1")

        def bad(**fields):
            return lambda: arrive(fields.pop("key", "new"), fields.pop("channel", VOICE),
                                  **({"queue": "support"} | fields))

        skills = [Need(skill="english")]
        many = [dict(name=f"n{i}", value="v") for i in range(17)]
        await self.all_refused([
            ("a queue that is not there", bad(queue="nowhere"), "NOT_FOUND", "queue"),
            ("an entry point that is not there", bad(queue="", entry_point="no"), "NOT_FOUND", "entry_point"),
            ("neither", bad(queue=""), "INVALID", "queue"),
            ("a skill that is not there", bad(needs=[Need(skill="greek")]), "NOT_FOUND", "needs.skill"),
            ("a proficiency of 6", bad(needs=[Need(skill="english", at_least=6)]), "INVALID", "needs.at_least"),
            ("a skill twice", bad(needs=skills * 2), "INVALID", "needs.skill"),
            ("nine needs", bad(needs=skills * 9), "INVALID", "needs"),
            ("no key", bad(key=""), "INVALID", "key"),
            ("a long key", bad(key="k" * 65), "INVALID", "key"),
            ("a key beyond ASCII", bad(key="schlüssel"), "INVALID", "key"),
            ("no channel", bad(channel=0), "INVALID", "channel"),
            ("a channel that is not there", bad(channel=77), "INVALID", "channel"),
            ("a channel that the queue does not take", bad(queue="post"), "INVALID", "channel"),
            ("a head start of more than a day", bad(head_start_ms=86_400_001), "INVALID", "head_start_ms"),
            ("a wait of more than a day", bad(waited_ms=86_400_001), "INVALID", "waited_ms"),
            ("17 attributes", bad(attributes=many), "INVALID", "attributes"),
            ("an attribute twice", bad(attributes=many[:1] * 2), "INVALID", "attributes.name"),
            ("an attribute without a name", bad(attributes=[dict(value="v")]), "INVALID", "attributes.name"),
            ("a long attribute", bad(attributes=[dict(name="n", value="v" * 257)]), "INVALID", "attributes.value"),
            ("an empty identity", bad(customer=dict(identity="")), "INVALID", "customer.identity"),
            ("a long identity", bad(customer=dict(identity="i" * 257)), "INVALID", "customer.identity"),
            ("a long name", bad(person=dict(name="n" * 257)), "INVALID", "person.name"),
            ("too many words", bad(person=dict(words="w" * 16_385)), "INVALID", "person.words"),
            ("a key with other content", bad(key="taken", head_start_ms=1), "CONFLICT", "key"),
            ("a request id with other content", bad(key="taken2", request_id="r-1"), "CONFLICT", "request_id"),
            ("a long request id", bad(request_id="r" * 65), "INVALID", "request_id"),
        ])
        # The stream goes on.
        await arrive("fine", VOICE, entry_point="hotline", needs=skills)

    async def test_gateways(self):
        other = await self.gateway("pbx-2")
        self.pbx.phone = says_nothing
        [anne] = await self.ready("anne")
        connecting = await self.pbx.arrive("call-1", VOICE, queue="support")
        await anne.accept(await anne.expect_offer(connecting.id))
        legs = (await connecting.expect("connect_legs")).body
        waiting = await self.pbx.arrive("call-2", VOICE, queue="support")
        report = self.pbx.report
        leg = dict(reservation_id=legs.reservation_id, party=2, outcome=1)
        await self.all_refused([
            ("no contact", lambda: report(hold=dict(on=True)), "INVALID", "contact_id"),
            ("a contact that is not there", lambda: report(hold=dict(contact_id=999)), "NOT_FOUND", "contact_id"),
            ("another's contact", lambda: other.report(customer_left=dict(contact_id=waiting.id)),
             "NOT_YOURS", "contact_id"),
            ("another's words", lambda: other.report(input=dict(contact_id=waiting.id)),
             "NOT_YOURS", "contact_id"),
            ("another's effect", lambda: other.report(effect_failed=dict(effect_id=legs.effect_id)),
             "NOT_YOURS", "effect_id"),
            ("an effect that is not there", lambda: report(effect_done=dict(effect_id=999)),
             "NOT_FOUND", "effect_id"),
            ("no effect", lambda: report(effect_done=dict()), "INVALID", "effect_id"),
            ("a reservation that is not there", lambda: report(bridged=dict(reservation_id=999)),
             "WRONG_STATE", "reservation_id"),
            ("a leg of nobody", lambda: report(leg=leg | dict(party=0)), "INVALID", "party"),
            ("a leg without an outcome", lambda: report(leg=leg | dict(outcome=0)), "INVALID", "outcome"),
            ("a code beyond 65535", lambda: report(leg=leg | dict(code=65_536)), "INVALID", "code"),
            ("a recording without a reference",
             lambda: report(recording=dict(contact_id=waiting.id, consent=1)), "INVALID", "reference"),
            ("a recording without consent said",
             lambda: report(recording=dict(contact_id=waiting.id, reference="r")), "INVALID", "consent"),
            ("1,001 keys", lambda: report(holding=dict(keys=[f"k{i}" for i in range(1_001)])),
             "INVALID", "keys"),
            ("a report of nothing", lambda: report(), "INVALID", "report"),
            ("a message of nothing", lambda: self.pbx._send("r-nothing"), "INVALID", "report"),
            ("a second hello", lambda: self.pbx._send("r-hello", hello=gateway_pb2.Hello(gateway="pbx")),
             "WRONG_STATE", "hello"),
        ])
        for what, doing in (
            ("another's bridge", other.report(bridged=dict(reservation_id=legs.reservation_id))),
            ("another's leg", other.report(leg=leg)),
        ):
            with self.subTest(what), self.assertRaises(Refused) as caught:
                await doing
            self.assertEqual(caught.exception.code_name, "NOT_YOURS")
        await report(bridged=dict(reservation_id=legs.reservation_id))
        await anne.expect("assigned", connecting.id)
        twice = report(bridged=dict(reservation_id=legs.reservation_id))
        await self.assert_refused(twice, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")

    async def test_agents(self):
        anne, bob = await self.ready("anne", "bob")
        mine = await self.pbx.arrive("mine", VOICE, queue="support", needs=[Need(skill="english")])
        await anne.take(mine.id)
        offered = await self.pbx.arrive("offered", VOICE, queue="support")
        offer = await bob.expect_offer(offered.id)
        reservation = dict(reservation_id=offer.reservation_id)
        waiting = await self.pbx.arrive("waiting", VOICE, queue="support")
        desktop, of = anne.desktop, dict(contact_id=mine.id)
        await self.all_refused([
            ("an agent who is not there", lambda: desktop.send("nobody", sign_in=agent_pb2.SignIn()),
             "NOT_FOUND", "agent"),
            ("no agent", lambda: desktop.send("", sign_in=agent_pb2.SignIn()), "INVALID", "agent"),
            ("one who is not signed in here", lambda: desktop.send("carl", act=dict(next=dict())),
             "WRONG_STATE", "agent"),
            ("a command of nothing", lambda: desktop.send("anne"), "INVALID", "act"),
            ("an act of nothing", lambda: anne.act(), "INVALID", "act"),
            ("the offer of another", lambda: anne.act(accept=reservation), "NOT_YOURS", "reservation_id"),
            ("to decline for another", lambda: anne.act(decline=reservation), "NOT_YOURS", "reservation_id"),
            ("a reservation that is not there", lambda: bob.act(accept=dict(reservation_id=999)),
             "WRONG_STATE", "reservation_id"),
            ("no reservation", lambda: bob.act(accept=dict()), "INVALID", "reservation_id"),
            ("the contact of another", lambda: bob.complete(mine.id), "NOT_YOURS", "contact_id"),
            ("a contact that waits", lambda: bob.complete(waiting.id), "NOT_YOURS", "contact_id"),
            ("a contact that is only offered", lambda: bob.complete(offered.id), "WRONG_STATE", "contact_id"),
            ("a contact that is not there", lambda: bob.complete(999), "NOT_FOUND", "contact_id"),
            ("a disposition that is not there", lambda: anne.complete(mine.id, "none"), "NOT_FOUND", "disposition"),
            ("no disposition", lambda: anne.act(code=of), "INVALID", "disposition"),
            ("a wrap-up that is not there", lambda: anne.end_wrap_up(mine.id), "WRONG_STATE", "contact_id"),
            ("to become nothing", lambda: anne.act(become=dict()), "INVALID", "availability"),
            ("to become unspecified", lambda: anne.act(become=dict(availability=dict())),
             "INVALID", "availability.kind"),
            ("a reason that is not there", lambda: anne.not_ready("bored"), "NOT_FOUND", "availability.reason"),
            ("no reason", lambda: anne.not_ready(""), "INVALID", "availability.reason"),
            ("a reason to be ready", lambda: anne.become("READY", "lunch"), "INVALID", "availability.reason"),
            ("to sign out with a caller on the line", lambda: anne.become("SIGNED_OUT"), "WRONG_STATE", "agent"),
            ("a transfer to nobody", lambda: anne.act(transfer=of), "INVALID", "to"),
            ("a transfer to a queue that is not there", lambda: anne.transfer(mine.id, queue="no"),
             "NOT_FOUND", "to.queue"),
            ("a transfer to an agent who is not there", lambda: anne.transfer(mine.id, agent="no"),
             "NOT_FOUND", "to.agent"),
            ("a transfer to a queue without calls", lambda: anne.transfer(mine.id, queue="post"),
             "INVALID", "channel"),
            ("a transfer to oneself", lambda: anne.transfer(mine.id, agent="anne"), "INVALID", "agent"),
            ("a transfer to who is not at work", lambda: anne.transfer(mine.id, agent="carl"),
             "WRONG_STATE", "agent"),
            ("a consult that is not there", lambda: anne.act(complete_consult=of), "WRONG_STATE", "contact_id"),
            ("to let a call wait", lambda: anne.pend(mine.id), "WRONG_STATE", "contact_id"),
            ("to wait for nobody", lambda: anne.pend(mine.id, 0), "INVALID", "waits_for"),
            ("to wait for a moment", lambda: anne.pend(mine.id, 1, 999), "INVALID", "lasting_ms"),
            ("to wait for a year", lambda: anne.pend(mine.id, 1, 31_536_000_000), "INVALID", "lasting_ms"),
        ])
        await bob.accept(offer)
        await self.assert_refused(bob.accept(offer), "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        await bob.expect("assigned", offered.id)

    async def test_an_act_told_twice_is_done_once(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        offer = await anne.expect_offer(call.id)
        accept = dict(reservation_id=offer.reservation_id)
        await anne.act("accept-1", accept=accept)
        await anne.act("accept-1", accept=accept)
        other = anne.act("accept-1", decline=accept)
        await self.assert_refused(other, "CONFLICT", "request_id", "REQUEST_CONFLICT")
        await anne.expect("assigned", call.id)

    async def test_a_reservation_answered_late(self):
        [anne] = await self.ready("anne")
        call = await self.pbx.arrive("call-1", VOICE, queue="hasty")
        offer = await anne.expect_offer(call.id)
        await anne.expect("offer_over", call.id)
        before = await self.snapshot()
        for late in (anne.accept(offer), anne.decline(offer)):
            await self.assert_refused(late, "WRONG_STATE", "reservation_id", "RESERVATION_OVER")
        self.assertEqual(await self.snapshot(), before)

    async def test_supervisors(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        [anne] = await self.ready("anne")
        chat = await self.pbx.arrive("chat-1", CHAT, queue="support")
        see, stub = self.supervisor, supervisor_pb2_grpc.SupervisorServiceStub(self.channel())

        def close(**fields):
            fields = dict(request_id="r", actor="sam", why="w", contact_id=call.id) | fields
            return lambda: unary(stub.CloseContact(supervisor_pb2.CloseContactRequest(**fields)))

        def read(method, **fields):
            where = contact_pb2 if method.endswith("Contact") else supervisor_pb2
            kind = getattr(where, f"{method}Request")
            return lambda: unary(getattr(stub, method)(kind(**fields)))

        async def watch(**fields):
            try:
                await stub.WatchQueues(supervisor_pb2.WatchQueuesRequest(**fields)).read()
            except grpc.RpcError as error:
                raise refused(error) from error

        await self.all_refused([
            ("nobody orders", close(actor=""), "INVALID", "actor"),
            ("without why", close(why=""), "INVALID", "why"),
            ("a long why", close(why="w" * 513), "INVALID", "why"),
            ("without a request id", close(request_id=""), "INVALID", "request_id"),
            ("no contact", close(contact_id=0), "INVALID", "contact_id"),
            ("a contact that is not there", close(contact_id=999), "NOT_FOUND", "contact_id"),
            ("a queue that is not there", lambda: see.move(chat.id, "no"), "NOT_FOUND", "queue"),
            ("a queue without calls", lambda: see.move(call.id, "post"), "INVALID", "channel"),
            ("more than a day", lambda: see.reprioritise(call.id, 86_400_001), "INVALID", "head_start_ms"),
            ("an agent who is not there", lambda: see.set_agent("no", types_pb2.Availability(kind=1)),
             "NOT_FOUND", "agent"),
            ("no availability", read("SetAgent", request_id="r", actor="a", why="w", agent="anne"),
             "INVALID", "availability"),
            ("to see one that is not there", read("GetContact", contact_id=999), "NOT_FOUND", "contact_id"),
            ("to see none", read("GetContact"), "INVALID", "contact_id"),
            ("to explain one that is not there", read("ExplainContact", contact_id=999), "NOT_FOUND", "contact_id"),
            ("a large page", read("ListContacts", page_size=501), "INVALID", "page_size"),
            ("closed ones", read("ListContacts", state=types_pb2.CONTACT_STATE_CLOSED), "INVALID", "state"),
            ("contacts of a queue that is not there", read("ListContacts", queue="no"), "NOT_FOUND", "queue"),
            ("a page that is not there", read("ListAgents", page_token="!"), "INVALID", "page_token"),
            ("a pool that is not there", read("ListAgents", pool="no"), "NOT_FOUND", "pool"),
            ("a hasty watch", lambda: watch(interval_ms=100), "INVALID", "interval_ms"),
            ("a watch of a queue that is not there", lambda: watch(queues=["no"]), "NOT_FOUND", "queues"),
        ])
        # The chat fits beside nobody's call: it waits, and anne has the call's offer.
        await anne.expect_offer(call.id)

    async def test_a_message_that_is_too_large(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        before = await self.snapshot()
        stub = gateway_pb2_grpc.GatewayServiceStub(self.channel())
        large = gateway_pb2.Arrival(key="large", channel=VOICE, queue="support")
        large.person.words = "w" * 300 * 1024
        with self.assertRaises(grpc.aio.AioRpcError) as caught:
            await stub.Arrive(gateway_pb2.ArriveRequest(request_id="r", gateway="pbx", arrival=large))
        too_large = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE)
        self.assertIn(caught.exception.code(), too_large)
        self.assertEqual(await self.snapshot(), before)
        # On a stream nothing after it could be read: the stream ends, and says why.
        with self.assertRaises(StreamEnded) as caught:
            await self.pbx.report(arrived=large)
        self.assertIn(caught.exception.status, too_large, caught.exception)
        await self.pbx.connect()
        await call.hold(True)
        self.assertEqual((await self.supervisor.counts()).accepted, 1)

    async def test_a_stream_that_does_not_begin_with_hello(self):
        stub = gateway_pb2_grpc.GatewayServiceStub(self.channel())
        report = gateway_pb2.GatewayReport(hold=dict(contact_id=1))

        async def ended_by(*requests):
            stream = stub.Connect(iter(requests))
            with self.assertRaises(grpc.aio.AioRpcError) as caught:
                async for _ in stream:
                    pass
            return caught.exception.code()

        def request(**message):
            return gateway_pb2.GatewayServiceConnectRequest(request_id="r", **message)

        bad_names = ("", "UPPER", "n" * 65, "-x", "a b")
        first = [request(report=report), request(), *(request(hello=dict(gateway=n)) for n in bad_names)]
        before = await self.snapshot()
        for message in first:
            with self.subTest(message=str(message)):
                self.assertEqual(await ended_by(message), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(await self.snapshot(), before)

    async def test_unary_calls(self):
        call = await self.pbx.arrive("call-1", VOICE, queue="support")
        gateways = gateway_pb2_grpc.GatewayServiceStub(self.channel())
        agents = agent_pb2_grpc.AgentServiceStub(self.channel())

        def report(**fields):
            fields = dict(request_id="r", gateway="pbx") | fields
            return lambda: unary(gateways.Report(gateway_pb2.ReportRequest(**fields)))

        def arrive(**fields):
            fields = dict(request_id="r", gateway="script") | fields
            return lambda: unary(gateways.Arrive(gateway_pb2.ArriveRequest(**fields)))

        def act(**fields):
            fields = dict(request_id="r", agent="anne") | fields
            return lambda: unary(agents.Act(agent_pb2.ActRequest(**fields)))

        hold = dict(hold=dict(contact_id=call.id, on=True))
        letter = dict(key="k", channel=3, queue="post")
        await self.all_refused([
            ("no report", report(), "INVALID", "report"),
            ("what holds is said on a stream", report(report=dict(holding=dict(last=True))),
             "WRONG_STATE", "holding"),
            ("no request id", report(request_id="", report=hold), "INVALID", "request_id"),
            ("no gateway", report(gateway="", report=hold), "INVALID", "gateway"),
            ("no arrival", arrive(), "INVALID", "arrival"),
            ("a bad name", arrive(gateway="NO", arrival=letter), "INVALID", "gateway"),
            ("a call without a stream", arrive(arrival=letter | dict(channel=1, queue="support")),
             "WRONG_STATE", "channel"),
            ("an agent who is not there", act(agent="no", act=dict(next=dict())), "NOT_FOUND", "agent"),
            ("no act", act(), "INVALID", "act"),
            ("an agent who is not connected", act(act=dict(next=dict())), "WRONG_STATE", "agent"),
        ])
        with self.assertRaises(Refused) as caught:
            await report(gateway="script", report=hold)()
        self.assertEqual(caught.exception.code_name, "NOT_YOURS")
        await report(report=hold)()


class Exhausted(RouterTest):
    CONFIG = centre([queue("support")], [agent("anne")], settings={"most_contacts": 3})

    async def test_a_full_house_says_when_to_try_again(self):
        pbx: Gateway = await self.gateway()
        calls = [await pbx.arrive(f"call-{i}", VOICE, queue="support") for i in range(3)]
        before = await self.snapshot()
        with self.assertRaises(Refused) as caught:
            await pbx.arrive("call-3", VOICE, queue="support")
        self.assertEqual(caught.exception.code_name, "EXHAUSTED")
        self.assertGreater(caught.exception.retry_after_ms, 0)
        self.assertEqual(await self.snapshot(), before)
        # Those who are in can leave, and then there is room.
        await calls[0].customer_left()
        await pbx.arrive("call-3", VOICE, queue="support")
