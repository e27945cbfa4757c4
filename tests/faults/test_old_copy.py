"""A data directory put back from an older copy: nothing in it is damaged, and what was
acknowledged since is gone. Only those who were told can prove it, by their receipts.
"""

import shutil

from stage import FaultTest
from surgeline.v1 import gateway_pb2, gateway_pb2_grpc
from surgeline_client import VOICE


class OldCopy(FaultTest):
    async def told(self, stub, *, receipt: bytes = b"", keys: tuple[str, ...] = ()) -> bytes:
        """Says hello with a receipt, reports arrivals, and returns the newest receipt."""
        stream = stub.Connect(wait_for_ready=True)
        hello = gateway_pb2.Hello(gateway="pbx", newest_receipt=receipt)
        requests = [gateway_pb2.GatewayServiceConnectRequest(request_id="hello", hello=hello)]
        for key in keys:
            arrived = gateway_pb2.Arrival(key=key, channel=VOICE, queue="phone")
            requests.append(gateway_pb2.GatewayServiceConnectRequest(
                request_id=key, report=dict(arrived=arrived)))
        newest = b""
        try:
            for request in requests:
                await stream.write(request)
                while (said := await stream.read()).WhichOneof("message") != "answer":
                    self.assertNotEqual(said.WhichOneof("message"), "refused", said)
                newest = said.answer.receipt or newest
        finally:
            stream.cancel()
        return newest

    async def test_a_receipt_from_after_the_copy_stops_the_router(self):
        await self.router.start()
        channel = self.router.channel()
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        await self.told(stub, keys=("before",))
        self.assertEqual(await self.router.stop(), 0)
        copied = self.folder / "copy"
        shutil.copytree(self.router.data, copied)
        await self.router.start()
        receipt = await self.told(stub, keys=("after-1", "after-2"))
        self.assertTrue(receipt)
        await self.router.kill()

        shutil.rmtree(self.router.data)
        shutil.copytree(copied, self.router.data)
        # Nothing is wrong with the copy itself, and a forged receipt changes nothing.
        await self.router.start()
        await self.told(stub, receipt=receipt[:-1] + bytes([receipt[-1] ^ 1]))
        self.assertTrue(self.router.running)
        try:
            await self.told(stub, receipt=receipt)
        except Exception as ended:  # the stream may end before or after its answer
            self.assertNotIsInstance(ended, AssertionError)
        await self.until(lambda: not self.router.running, "the router to stop")
        code = await self.router._gone("a receipt from beyond its journal")
        await channel.close(None)
        self.assertGreater(code, 0)
        self.assertRegex(self.router.logs(), "(?i)receipt|older copy")
        print(f"\nexit code {code}: {self.router.logs().strip().splitlines()[-1][:300]}")

    async def test_a_copy_that_went_on_past_the_receipt_is_found_out_after_restarts_too(self):
        await self.router.start()
        channel = self.router.channel()
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        await self.told(stub, keys=("before",))
        self.assertEqual(await self.router.stop(), 0)
        copied = self.folder / "copy"
        shutil.copytree(self.router.data, copied)
        await self.router.start()
        receipt = await self.told(stub, keys=("after-1",))
        await self.router.kill()

        # The copy gets the same epoch, and more entries than the client was told of.
        shutil.rmtree(self.router.data)
        shutil.copytree(copied, self.router.data)
        for morning in range(2):
            await self.router.start()
            await self.told(stub, keys=tuple(f"other-{morning}-{n}" for n in range(6)))
            self.assertEqual(await self.router.stop(), 0)
        await self.router.start()
        try:
            await self.told(stub, receipt=receipt)
        except Exception as ended:  # the stream may end before or after its answer
            self.assertNotIsInstance(ended, AssertionError)
        await self.until(lambda: not self.router.running, "the router to stop")
        code = await self.router._gone("a receipt of another history")
        await channel.close(None)
        self.assertGreater(code, 0)
        self.assertRegex(self.router.logs(), "not the one that clients were told of")
        print(f"\nexit code {code}: {self.router.logs().strip().splitlines()[-1][:300]}")
