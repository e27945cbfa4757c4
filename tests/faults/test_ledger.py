"""The ledger itself: it sees what it is there to see."""

import unittest
from types import SimpleNamespace

from surgeline.v1 import supervisor_pb2, types_pb2

from ledger import Ledger, Reading

READY, NOT_READY = types_pb2.AVAILABILITY_KIND_READY, types_pb2.AVAILABILITY_KIND_NOT_READY


def reading(open_now=(), closed=0, *, accepted=None, held=(), availability=READY) -> Reading:
    """What a router would show that has these open, all of them waiting."""
    accepted = len(open_now) + closed if accepted is None else accepted
    work = [supervisor_pb2.WorkRow(contact_id=i, hold=supervisor_pb2.WORK_HOLD_ASSIGNED) for i in held]
    anne = supervisor_pb2.AgentRow(agent="anne", availability=dict(kind=availability), work=work)
    return Reading(
        counts=supervisor_pb2.ContactCounts(accepted=accepted, queued=len(open_now), closed=closed),
        contacts=[SimpleNamespace(contact_id=i) for i in open_now],
        agents={"anne": anne},
        metrics={"surgeline_contacts_accepted_total": accepted, "surgeline_conservation_difference": 0,
                 "surgeline_double_reservations_total": 0, "surgeline_replica_divergences_total": 0},
    )


class Oracle(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger()
        for i in (1, 2, 3):
            self.ledger.accepted(f"call-{i}", i)
        self.ledger.end_asked.add(3)
        self.ledger.ended(3, told=False)
        self.ledger.changing["anne"] += 1
        self.ledger.became("anne", READY)

    def found(self, seen: Reading, in_flight=False):
        return self.ledger.compare(seen, in_flight=in_flight)

    def test_what_is_as_it_was_acknowledged_is_right(self):
        self.assertFalse(self.found(reading((1, 2), closed=1)))
        self.assertFalse(self.found(reading((1, 2), closed=1), in_flight=True))

    def test_a_contact_that_is_gone_is_lost(self):
        for in_flight in (False, True):
            self.assertTrue(self.found(reading((1,), closed=1), in_flight).lost)
            self.assertTrue(self.found(reading((1,), closed=2), in_flight).lost)

    def test_an_end_that_is_undone_is_seen(self):
        for in_flight in (False, True):
            self.assertTrue(self.found(reading((1, 2, 3)), in_flight).doubled)

    def test_an_end_that_was_asked_for_may_come_while_it_is_in_flight(self):
        self.ledger.end_asked.add(2)
        self.assertFalse(self.found(reading((1,), closed=2), in_flight=True))
        self.assertTrue(self.found(reading((1,), closed=2)).lost)

    def test_one_more_than_acknowledged_is_doubled_unless_it_is_in_flight(self):
        self.assertTrue(self.found(reading((1, 2, 4), closed=1)).doubled)
        self.assertFalse(self.found(reading((1, 2, 4), closed=1), in_flight=True))

    def test_two_ids_for_one_key_and_two_keys_for_one_id(self):
        self.ledger.accepted("call-1", 9)
        self.ledger.accepted("call-8", 2)
        self.assertEqual(len(self.ledger.heard.doubled), 2)

    def test_an_end_that_nobody_asked_for_is_a_loss(self):
        self.ledger.ended(1, told=True)
        self.assertTrue(self.ledger.heard.lost)

    def test_two_holders_on_one_stream_are_seen(self):
        self.ledger.holds("desk", 1, "anne")
        self.ledger.lets_go("desk", 1, "anne")
        self.ledger.holds("desk", 1, "bob")
        self.assertFalse(self.ledger.heard)
        self.ledger.holds("desk", 1, "carl")
        self.assertTrue(self.ledger.heard.doubled)

    def test_a_contact_in_two_hands_is_seen(self):
        self.assertTrue(self.found(reading((1, 2), closed=1, held=(1, 1))).doubled)

    def test_availability_is_kept(self):
        seen = reading((1, 2), closed=1, availability=NOT_READY)
        self.assertTrue(self.found(seen, in_flight=True).lost)
        self.ledger.changing["anne"] += 1
        self.assertFalse(self.found(seen, in_flight=True))

    def test_of_two_changes_on_their_way_the_answer_to_the_first_leaves_one(self):
        self.ledger.changing["anne"] += 2
        self.ledger.became("anne", READY)
        seen = reading((1, 2), closed=1, availability=NOT_READY)
        self.assertFalse(self.found(seen, in_flight=True))
        self.ledger.became("anne", READY)
        self.assertTrue(self.found(seen, in_flight=True).lost)

    def test_the_router_s_own_sum_is_checked(self):
        self.assertTrue(self.found(reading((1, 2), closed=1, accepted=4)).other)

    def test_an_earlier_moment_leaves_out_what_came_after(self):
        before = self.ledger.contacts[1].accepted_at
        self.ledger.contacts[2].accepted_at = before + 10
        self.ledger.contacts[3].accepted_at = self.ledger.contacts[3].ended_at = before + 20
        self.ledger.available.clear()
        self.assertFalse(self.ledger.compare(reading((1,)), in_flight=True, until=before + 5))
        self.assertTrue(self.ledger.compare(reading((1,)), in_flight=True, until=before + 15).lost)
