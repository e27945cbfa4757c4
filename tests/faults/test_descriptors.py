"""A process that may have few files open: connections leave the journal what it needs."""

import contextlib
import os
import resource
import socket

from router import RouterDied
from stage import FaultTest

LIMIT = 1_024
# From several addresses: of one only half of all connections come in.
ADDRESSES, EACH = 6, 220
# What a client says first, so that it is not closed for saying nothing.
SPEAKS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


class Descriptors(FaultTest):
    def limited(self, to: int) -> None:
        """From the next start on the router may have so many files open, and no more."""
        self.router.under = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(to)]

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.router._process.pid}/fd"))

    async def test_a_router_with_too_few_does_not_start(self):
        self.limited(LIMIT - 1)
        with self.assertRaises(RouterDied) as died:
            await self.router.start()
        self.assertGreater(self.router._process.returncode, 0)
        self.assertIn(f"only {LIMIT - 1} files and connections", str(died.exception))

    async def test_connections_without_end_leave_the_journal_its_files(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4_096), most))
        self.limited(LIMIT)
        await self.start()
        self.load.run(200)
        await self.acknowledged(300)
        # Its connection is made when it is first used, and later nobody is let in.
        await self.load.supervisor.counts()
        host, port = self.router.grpc.rsplit(":", 1)
        crowd = []
        self.addCleanup(lambda: [line.close() for line in crowd])
        for n in range(ADDRESSES * EACH):
            line = socket.create_connection((host, int(port)), timeout=10,
                                            source_address=(f"127.0.0.{2 + n % ADDRESSES}", 0))
            crowd.append(line)
            with contextlib.suppress(OSError):
                # Of those beyond the most.
                line.sendall(SPEAKS)
        await self.acknowledged(600)
        files = self.open_files()
        print(f"\n{len(crowd)} connections to a router with {LIMIT} descriptors: it has {files} open")
        self.assertGreater(files, LIMIT // 2, "nearly nobody was let in")
        self.assertLess(files, LIMIT - 256)
        await self.all_is_well()
        self.assertNotIn("could not be accepted", self.router.logs())
        # With all of them there a stop opens files: it takes a snapshot.
        self.assertEqual(await self.router.stop(), 0)
        self.assertIn("snapshot written", self.router.logs())
        await self.load.gone()
        self.router.under = []
        await self.restart()
        await self.all_is_well(in_flight=True)
