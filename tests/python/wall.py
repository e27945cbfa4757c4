"""The clock on the wall, as a router sees it: set at will, by libfaketime.

Only the wall clock: the one that waits and promises are kept by goes on as it does.
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

LIBRARIES = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))


class Wall:
    """A wall clock of one's own."""

    def __init__(self, folder: Path):
        self._file = folder / "clock"
        self._ahead = 0.0
        self.env = {
            "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, to: datetime) -> None:
        """It is so late now, and goes on from there."""
        self._ahead = to.timestamp() - time.time()
        # Whoever reads it while it is written must find one or the other.
        written = self._file.with_suffix(".new")
        written.write_text(f"{self._ahead:+.3f}\n")
        os.replace(written, self._file)

    def now_ms(self) -> int:
        """How late it is there, milliseconds since 1970."""
        return int((time.time() + self._ahead) * 1_000)
