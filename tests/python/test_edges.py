"""Without a stream, from a browser, and what a service should say of itself."""

import asyncio
import http.client
import json
import struct

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from surgeline.v1 import agent_pb2, agent_pb2_grpc, gateway_pb2, gateway_pb2_grpc
from surgeline.v1 import supervisor_pb2, types_pb2

from router import run
from support import RouterTest, agent, centre, queue
from surgeline_client import CHAT, EMAIL, VOICE, Person, unary

SERVICES = [f"surgeline.v1.{name}Service" for name in ("Gateway", "Agent", "Supervisor", "Recall")]


class Edges(RouterTest):
    CONFIG = centre([queue("post", "email"), queue("support", "voice", "chat")], [agent("anne")])

    async def test_a_letter_filed_by_a_script_without_a_stream(self):
        gateways = gateway_pb2_grpc.GatewayServiceStub(self.channel())
        agents = agent_pb2_grpc.AgentServiceStub(self.channel())
        letter = gateway_pb2.Arrival(key="mail-1", channel=EMAIL, queue="post",
                                     person=Person(subject="Refund"))

        async def arrive(request_id):
            request = gateway_pb2.ArriveRequest(request_id=request_id, gateway="mailbox", arrival=letter)
            return (await unary(gateways.Arrive(request))).contact_id

        async def act(request_id, **act):
            request = agent_pb2.ActRequest(request_id=request_id, agent="anne", act=act)
            return (await unary(agents.Act(request))).answer

        contact = await arrive("r-1")
        self.assertEqual([await arrive("r-1"), await arrive("r-2")], [contact, contact])
        watch = agents.Watch(agent_pb2.WatchRequest(agent="anne"))
        session = (await watch.read()).session
        self.assertEqual(session.name, "anne")
        answer = await act("a-1", become=dict(availability=dict(kind="AVAILABILITY_KIND_READY")))
        self.assertEqual((answer.request_id, answer.WhichOneof("result")), ("a-1", "done"))

        async def told(kind):
            async with asyncio.timeout(20):
                while True:
                    directive = (await watch.read()).directive
                    if directive.WhichOneof("directive") == kind:
                        return getattr(directive, kind)

        offer = await told("offer")
        self.assertEqual((offer.contact_id, offer.person.subject), (contact, "Refund"))
        await act("a-2", accept=dict(reservation_id=offer.reservation_id))
        self.assertEqual((await told("assigned")).contact_id, contact)
        words = gateway_pb2.GatewayReport(input=dict(contact_id=contact, person=Person(words="And?")))
        request = gateway_pb2.ReportRequest(request_id="r-3", gateway="mailbox", report=words)
        await unary(gateways.Report(request))
        self.assertEqual((await told("customer_input")).person.words, "And?")
        await act("a-3", complete=dict(contact_id=contact, disposition="complaint"))
        self.assertEqual((await told("ended")).reason, types_pb2.END_REASON_COMPLETED)
        await self.see_ended(contact, "COMPLETED")
        watch.cancel()
        await self.see_agent("anne", "LOST")

    async def test_the_same_arrival_many_times_at_once_is_one_contact(self):
        stubs = [gateway_pb2_grpc.GatewayServiceStub(self.channel()) for _ in range(4)]
        letter = gateway_pb2.Arrival(key="mail-1", channel=EMAIL, queue="post")
        request = gateway_pb2.ArriveRequest(request_id="r-1", gateway="mailbox", arrival=letter)
        answers = await asyncio.gather(*(unary(stubs[i % 4].Arrive(request)) for i in range(40)))
        self.assertEqual(len({answer.contact_id for answer in answers}), 1)
        await self.caught_up()
        self.assertEqual((await self.supervisor.counts()).accepted, 1)

    async def test_bytes_that_are_no_message(self):
        await (await self.gateway()).arrive("call-1", VOICE, queue="support")
        before = await self.snapshot()
        channel = self.channel()
        for method in ("GatewayService/Arrive", "AgentService/Act", "SupervisorService/CloseContact"):
            for junk in (b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xc3\x28", bytes(range(256))):
                with self.subTest(method, junk=junk[:4]):
                    with self.assertRaises(grpc.aio.AioRpcError) as caught:
                        await channel.unary_unary(f"/surgeline.v1.{method}")(junk)
                    self.assertIn(caught.exception.code(), (
                        grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT))
        self.assertEqual(await self.snapshot(), before)

    async def test_the_command_line_shows_the_same(self):
        gateway = await self.gateway()
        [anne] = await self.ready("anne")
        call = await gateway.arrive("call-1", VOICE, queue="support", person=Person(name="Ada Byron"))
        await anne.take(call.id)
        await self.see(call.id, "ASSIGNED", "anne")

        async def show(*arguments):
            code, out, errors = await run(*arguments, "--json", "--router", self.router.grpc)
            self.assertEqual(code, 0, errors)
            return json.loads(out), out

        rows, _ = await show("queue", "list")
        self.assertEqual([row["queue"] for row in rows], ["post", "support"])
        rows, _ = await show("agent", "list")
        self.assertEqual([row["agent"] for row in rows], ["anne"])
        _, text = await show("contact", "show", str(call.id))
        self.assertIn("Ada Byron", text)
        _, text = await show("contact", "explain", str(call.id))
        self.assertIn("anne", text)
        for nothing in ("999", "0"):
            code, out, errors = await run("contact", "show", nothing, "--router", self.router.grpc)
            self.assertNotEqual(code, 0, out)
            self.assertIn("contact", errors)
        code, _, errors = await run("queue", "list", "--router", "127.0.0.1:1")
        self.assertNotEqual(code, 0)
        self.assertIn("127.0.0.1:1", errors)

    async def test_health(self):
        stub = health_pb2_grpc.HealthStub(self.channel())
        # The service for recalls is defined, and served by a later version.
        for service in ("", *SERVICES[:3]):
            with self.subTest(service):
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
                self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)
        self.assertIn("ok", await self.router.get("/healthz"))
        self.assertIn("ready", await self.router.get("/readyz"))

    async def test_reflection_lists_every_service(self):
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        # Of v1 and v1alpha the messages are the same.
        call = self.channel().stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )(iter([request]))
        listed = {s.name for s in (await call.read()).list_services_response.service}
        self.assertLessEqual(set(SERVICES), listed)

    async def test_metrics_are_there_and_documented(self):
        gateway = await self.gateway()
        await gateway.arrive("call-1", VOICE, queue="support")
        await self.caught_up()
        text = await self.router.get("/metrics")
        metrics = await self.router.metrics()
        self.assertEqual(metrics['surgeline_queue_waiting{queue="support"}'], 1)
        self.assertEqual(metrics['surgeline_contacts{state="queued"}'], 1)
        self.assertEqual(metrics["surgeline_contacts_accepted_total"], 1)
        self.assertEqual(metrics["surgeline_conservation_difference"], 0)
        for name in {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[:1] not in ("#", "")}:
            family = name
            for suffix in ("_bucket", "_sum", "_count"):
                family = family.removesuffix(suffix) if f"# HELP {name} " not in text else family
            self.assertIn(f"# HELP {family} ", text)
            self.assertIn(f"# TYPE {family} ", text)

    # -- gRPC-web, framed by hand: a browser sends and reads just this over HTTP/1.1

    def ask(self, method: str, request) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.router.grpc, timeout=20)
        self.addCleanup(connection.close)
        body = request.SerializeToString()
        connection.request("POST", f"/surgeline.v1.{method}", struct.pack(">BI", 0, len(body)) + body, {
            "content-type": "application/grpc-web+proto", "x-grpc-web": "1",
        })
        return connection.getresponse()

    @staticmethod
    def frame(response) -> tuple[int, bytes]:
        """The next frame: 0 and a message, or 0x80 and the trailers."""
        def exactly(count):
            data = b""
            while len(data) < count:
                more = response.read(count - len(data))
                if not more:
                    raise AssertionError(f"ended after {data!r}, {count} bytes wanted")
                data += more
            return data
        kind, length = struct.unpack(">BI", exactly(5))
        return kind, exactly(length)

    async def test_a_unary_call_over_grpc_web(self):
        def call():
            response = self.ask("SupervisorService/ListQueues", supervisor_pb2.ListQueuesRequest())
            self.assertEqual(response.status, 200)
            self.assertTrue(response.getheader("content-type").startswith("application/grpc-web"))
            return self.frame(response), self.frame(response)

        (kind, message), (last, trailers) = await asyncio.to_thread(call)
        rows = supervisor_pb2.ListQueuesResponse.FromString(message).queues
        self.assertEqual((kind, [row.queue for row in rows]), (0, ["post", "support"]))
        self.assertEqual(last, 0x80)
        self.assertIn(b"grpc-status:0", trailers.replace(b": ", b":"))

    async def test_an_agent_in_a_browser(self):
        gateway = await self.gateway("widget")
        chat = await gateway.arrive("chat-1", CHAT, queue="support", person=Person(words="Hello"))
        watching = await asyncio.to_thread(
            self.ask, "AgentService/Watch", agent_pb2.WatchRequest(agent="anne"))

        async def told(kind):
            while True:
                flag, message = await asyncio.to_thread(self.frame, watching)
                self.assertEqual(flag, 0, message)
                said = agent_pb2.WatchResponse.FromString(message)
                if said.WhichOneof("message") == kind:
                    return said.session
                if said.directive.WhichOneof("directive") == kind:
                    return getattr(said.directive, kind)

        async def act(request_id, **act):
            request = agent_pb2.ActRequest(request_id=request_id, agent="anne", act=act)
            flag, message = self.frame(await asyncio.to_thread(self.ask, "AgentService/Act", request))
            self.assertEqual(flag, 0, message)

        self.assertEqual((await told("session")).name, "anne")
        await act("a-1", become=dict(availability=dict(kind="AVAILABILITY_KIND_READY")))
        offer = await told("offer")
        self.assertEqual(offer.person.words, "Hello")
        await act("a-2", accept=dict(reservation_id=offer.reservation_id))
        await told("assigned")
        await self.see(chat.id, "ASSIGNED", "anne")
        await act("a-3", complete=dict(contact_id=chat.id))
        await self.assert_ended(chat, "COMPLETED")

    async def test_a_method_that_is_not_there(self):
        call = self.channel().unary_unary("/surgeline.v1.GatewayService/Nothing")
        with self.assertRaises(grpc.aio.AioRpcError) as caught:
            await call(b"")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
