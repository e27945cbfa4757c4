"""One bidirectional stream: requests, their answers, and what comes unasked."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import Any, Callable

import grpc

from .refusal import PATIENCE, Refused, StreamEnded


class Stream:
    """One bidirectional stream: sends without waiting, and matches answers by request id."""

    def __init__(self, connect, heard: Callable[[Any], None], answered: Callable[[Any], Any]):
        self._heard = heard
        self._answered = answered
        self._outbox: asyncio.Queue = asyncio.Queue()
        self._waiting: dict[Any, list[asyncio.Future]] = {}
        self.ended: asyncio.Future[StreamEnded] = asyncio.get_running_loop().create_future()
        self._call = connect(self._requests())
        self._reader = asyncio.create_task(self._read())

    async def _requests(self):
        while (request := await self._outbox.get()) is not None:
            yield request

    def send(self, key, request) -> asyncio.Future:
        """Sends a request; the future is its answer. `key` tells its answer from others."""
        answer = asyncio.get_running_loop().create_future()
        # Whoever awaits it hears of a failure; nobody has to.
        answer.add_done_callback(lambda f: f.cancelled() or f.exception())
        if self.ended.done():
            answer.set_exception(self.ended.result())
        else:
            self._waiting.setdefault(key, []).append(answer)
            self._outbox.put_nowait(request)
        return answer

    async def _read(self) -> None:
        try:
            async for message in self._call:
                key, answered = self._answered(message)
                if key is None:
                    self._heard(message)
                elif waiting := self._waiting.get(key):
                    answer = waiting.pop(0)
                    if not waiting:
                        del self._waiting[key]
                    if not answer.done():
                        failed = isinstance(answered, Exception)
                        answer.set_exception(answered) if failed else answer.set_result(answered)
            why = StreamEnded(await self._call.code(), await self._call.details())
        except (grpc.RpcError, asyncio.CancelledError):
            why = StreamEnded(await self._call.code(), await self._call.details() or "")
        for answer in itertools.chain.from_iterable(self._waiting.values()):
            if not answer.done():
                answer.set_exception(why)
        self._waiting.clear()
        # Nothing more is sent: whoever waits for the next request ends too.
        self._outbox.put_nowait(None)
        self.ended.set_result(why)

    async def wait_ended(self, timeout: float = PATIENCE) -> StreamEnded:
        return await asyncio.wait_for(asyncio.shield(self.ended), timeout)

    async def close(self) -> None:
        """Says that nothing more comes, and waits for the router to end the stream."""
        self._outbox.put_nowait(None)
        await self.wait_ended()

    async def drop(self) -> None:
        """Breaks it off, as a crash would."""
        self._call.cancel()
        await self.wait_ended()


def member(message) -> tuple[str, Any]:
    """The name and body of the one that is set."""
    (oneof,) = message.DESCRIPTOR.oneofs
    kind = message.WhichOneof(oneof.name)
    return kind, getattr(message, kind) if kind else None


def result(kind: str, body) -> Any:
    """An answer or refusal of a stream, as what the asker gets."""
    if kind == "refused":
        return Refused(body.code, body.reason, body.field, body.message, body.retry_after_ms,
                       body.next_window_unix_ms)
    return member(body)[1]


def new_request() -> str:
    return uuid.uuid4().hex
