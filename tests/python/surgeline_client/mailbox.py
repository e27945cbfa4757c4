"""What somebody is told, until it is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Callable

from .refusal import PATIENCE


@dataclass(frozen=True)
class Told:
    """A directive: its kind is the name of the oneof's member, its body the member."""

    kind: str
    body: Any
    contact_id: int


class Mailbox:
    """What somebody was told and has not read yet.

    `expect` takes the first message that is wanted; earlier ones about the same contact are
    passed over with it (states may be told more than once, the last is true), those about
    other contacts stay.
    """

    def __init__(self, whose: str):
        self.whose = whose
        self.unread: list[Told] = []
        self.heard: list[Told] = []
        self._news = asyncio.Event()

    def put(self, told: Told) -> None:
        self.heard.append(told)
        self.unread.append(told)
        self._news.set()

    def take(self, wanted: Callable[[Told], bool]) -> Told | None:
        for i, told in enumerate(self.unread):
            if wanted(told):
                later = self.unread[i + 1:]
                before = [t for t in self.unread[:i] if t.contact_id != told.contact_id]
                self.unread = before + later
                return told
        return None

    async def expect(self, kind: str, contact_id: int = 0, *, where: Callable[[Any], bool] = lambda _: True,
                     timeout: float = PATIENCE) -> Told:
        """The next directive of this kind (about this contact, if one is named)."""

        def wanted(told: Told) -> bool:
            return told.kind == kind and contact_id in (0, told.contact_id) and where(told.body)

        try:
            async with asyncio.timeout(timeout):
                while True:
                    self._news.clear()
                    if (found := self.take(wanted)) is not None:
                        return found
                    await self._news.wait()
        except TimeoutError:
            about = f" about contact {contact_id}" if contact_id else ""
            unread = [f"{t.kind}({t.contact_id})" for t in self.unread]
            raise AssertionError(
                f"{self.whose} waited {timeout} s for {kind!r}{about}; unread: {unread}"
            ) from None
