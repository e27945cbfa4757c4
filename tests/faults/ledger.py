"""The ledger: what the router acknowledged, written down outside it as the answer is read.

It asks nothing and decides nothing about a router: clients write into it, and it says what
is wrong with what a reading of the router shows. Time is the wall clock at which an answer
was in our hands, so that it can be laid beside a trace of the router's own writes.
"""

from __future__ import annotations

import collections
import time
from dataclasses import dataclass, field

from surgeline.v1 import supervisor_pb2, types_pb2

READY = types_pb2.AVAILABILITY_KIND_READY
# The states of which an open contact has exactly one.
OPEN = ("queued", "reserved", "connecting", "assigned", "pending", "self_service")


@dataclass
class Entry:
    """One contact that was acknowledged."""

    key: str
    accepted_at: float
    # When its end was acknowledged or told, if it was.
    ended_at: float | None = None


@dataclass
class Reading:
    """What a router shows of itself at one moment at which nothing is in flight."""

    counts: supervisor_pb2.ContactCounts
    contacts: list
    agents: dict
    metrics: dict[str, float]


@dataclass
class Problems:
    """What is wrong, by kind: each a line for people."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.other)

    def __str__(self) -> str:
        parts = (("lost", self.lost), ("doubled", self.doubled), ("other", self.other))
        return "; ".join(f"{len(lines)} {kind}: {lines[:5]}" for kind, lines in parts if lines)


class Ledger:
    """What was acknowledged to all clients of one router."""

    def __init__(self):
        self.contacts: dict[int, Entry] = {}
        self.by_key: dict[str, int] = {}
        # Contacts that somebody asked to end, answered or not.
        self.end_asked: set[int] = set()
        # What each agent was last acknowledged to be, with the moment of it.
        self.available: dict[str, tuple[int, float]] = {}
        # How many changes of availability are on their way for each agent: one who goes on a
        # second break before the first one's end is answered has two.
        self.changing: collections.Counter[str] = collections.Counter()
        self.acknowledged = 0
        self.refused: dict[str, int] = {}
        # Whatever was wrong as it was heard.
        self.heard = Problems()
        # Who holds a contact, as one stream tells it: contact to agent, for each stream.
        self._holders: dict[str, dict[int, str]] = {}

    # -- written by clients

    def accepted(self, key: str, contact_id: int) -> None:
        self.acknowledged += 1
        if self.by_key.setdefault(key, contact_id) != contact_id:
            self.heard.doubled.append(f"{key} is {self.by_key[key]} and {contact_id}")
            return
        entry = self.contacts.setdefault(contact_id, Entry(key, time.time()))
        if entry.key != key:
            self.heard.doubled.append(f"contact {contact_id} is {entry.key} and {key}")

    def acted(self) -> None:
        """Something else was acknowledged: an acceptance, legs, a withdrawal."""
        self.acknowledged += 1

    def ended(self, contact_id: int, *, told: bool) -> None:
        """Its end was acknowledged to who asked for it, or told to its gateway."""
        self.acknowledged += not told
        entry = self.contacts.get(contact_id)
        if entry is None:
            # The answer to its arrival was never read; it will be answered again.
            return
        if entry.ended_at is None:
            entry.ended_at = time.time()
        if contact_id not in self.end_asked:
            self.heard.lost.append(f"contact {contact_id} ended and nobody had asked for it")

    def became(self, agent: str, kind: int) -> None:
        self.acknowledged += 1
        self.available[agent] = (kind, time.time())
        self.changing[agent] -= 1

    def was_refused(self, what: str, reason: str) -> None:
        line = f"{what} {reason}"
        self.refused[line] = self.refused.get(line, 0) + 1

    def holds(self, stream: str, contact_id: int, agent: str) -> None:
        """A stream tells that an agent has a contact. What one stream tells is in the order
        of decision, so that two at once are two owners."""
        before = self._holders.setdefault(stream, {}).get(contact_id, agent)
        if before != agent:
            self.heard.doubled.append(f"contact {contact_id} is with {before} and {agent}")
        self._holders[stream][contact_id] = agent

    def lets_go(self, stream: str, contact_id: int, agent: str) -> None:
        holders = self._holders.get(stream, {})
        if holders.get(contact_id) == agent:
            del holders[contact_id]

    def stream_ended(self, stream: str) -> None:
        """All is told again on the next one."""
        self._holders.pop(stream, None)

    # -- compared

    def ends(self) -> set[int]:
        return {i for i, entry in self.contacts.items() if entry.ended_at is not None}

    def compare(self, seen: Reading, *, in_flight: bool, until: float | None = None) -> Problems:
        """What is wrong with a reading. With requests in flight it may show more than was
        acknowledged, never less; without, exactly that. `until` takes the ledger as it was
        at an earlier moment, with everything later in flight."""
        until = time.time() if until is None else until
        found = Problems()
        open_now = [row.contact_id for row in seen.contacts]
        open_ids = set(open_now)
        if len(open_ids) != len(open_now):
            found.doubled.append("a contact is listed twice")
        accepted = {i for i, e in self.contacts.items() if e.accepted_at <= until}
        ended = {i for i in accepted if (self.contacts[i].ended_at or until + 1) <= until}
        # With requests in flight, an end that was asked for may have come.
        doubtful = self.end_asked if in_flight else set()
        found.lost += [f"contact {i} ({self.contacts[i].key}) was accepted and is not there"
                       for i in sorted(accepted - ended - doubtful - open_ids)]
        found.doubled += [f"contact {i} ({self.contacts[i].key}) was ended and is open again"
                          for i in sorted(ended & open_ids)]
        if not in_flight:
            found.doubled += [f"contact {i} is open and nobody was told of it"
                              for i in sorted(open_ids - accepted)]
        self._compare_counts(seen, accepted, ended, in_flight, found)
        self._compare_agents(seen, in_flight, until, found)
        return found

    @staticmethod
    def _compare_counts(seen: Reading, accepted, ended, in_flight: bool, found: Problems) -> None:
        counts = seen.counts
        states = sum(getattr(counts, state) for state in OPEN)
        if counts.accepted != states + counts.closed:
            found.other.append(f"accepted is not the sum over states: {counts}")
        if states != len(seen.contacts):
            found.other.append(f"{states} are counted open, {len(seen.contacts)} are listed")
        exact = (("accepted", counts.accepted, len(accepted)), ("closed", counts.closed, len(ended)))
        for what, shown, wanted in exact:
            if shown < wanted:
                found.lost.append(f"{what}: {shown} shown, {wanted} acknowledged")
            elif shown > wanted and not in_flight:
                found.doubled.append(f"{what}: {shown} shown, {wanted} acknowledged")
        shown = seen.metrics.get("surgeline_contacts_accepted_total")
        if shown != counts.accepted:
            found.other.append(f"the metrics have {shown} accepted, the listing {counts.accepted}")
        for name in ("surgeline_conservation_difference", "surgeline_double_reservations_total",
                     "surgeline_replica_divergences_total"):
            if seen.metrics.get(name) != 0:
                found.other.append(f"{name} is {seen.metrics.get(name)}")

    def _compare_agents(self, seen: Reading, in_flight: bool, until: float, found: Problems) -> None:
        held = [w.contact_id for row in seen.agents.values() for w in row.work
                if w.hold != supervisor_pb2.WORK_HOLD_WRAP_UP]
        if len(held) != len(set(held)):
            found.doubled.append("a contact is in two agents' hands")
        for agent, (kind, at) in self.available.items():
            if at > until or (in_flight and self.changing[agent] > 0):
                continue
            shown = seen.agents[agent].availability.kind
            if shown != kind:
                found.lost.append(f"{agent} was acknowledged {kind}, is shown {shown}")
