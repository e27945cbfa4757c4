//! An agent's day, who is on a contact beside its owner, and orders about many contacts.

use std::sync::Arc;

use super::field::{Field, Record, oneof, record, words};
use super::{CodecError, pb};
use crate::engine::bulk::{Bulk, BulkAction, BulkStep, Filter, Skipped};
use crate::engine::contact::StateKind;
use crate::engine::day::{
    CountsAs, Direction, Hands, Leaving, Most, OutsideCall, OutsideEnd, OutsideStep, Reason,
    SignOutStep,
};
use crate::engine::event::{
    BulkNews, OutsideNews, ParticipantNews, ReasonOverstayed, SharedNews, SignOut, WrapUpExtended,
};
use crate::engine::participant::{
    OffBecause, Part, Participant, ParticipantStep, Participants, Who,
};
use crate::engine::sharing::Shared;
use crate::ids::ContactId;

record!(Reason => Reason { name, retired, most, counts_as; limit = limit_us });
words!(CountsAs => CountsAs { Break, Training, Meeting, Work });
words!(Hands => Hands { Requeue, Finish });
words!(Direction => Direction { Inbound, Outbound });
words!(OutsideEnd => OutsideEnd { Reported, Lost, TooLong });
words!(Part => Part { Listens, Whispers, Talks });
words!(Skipped => Skipped { Gone, NoMatch, Refused });
words!(StateKind => StateKind {
    Queued, Reserved, Connecting, Assigned, Pending, SelfService, Closed, CallbackDue
});
record!(ReasonOverstayed => ReasonOverstayed { agent, reason });
record!(SignOut => SignOut { agent, step });
record!(WrapUpExtended => WrapUpExtended { agent, contact; until = until_us });
record!(OutsideNews => OutsideCall { agent, gateway, key, step });
record!(ParticipantNews => Participant { contact, participant, step });
record!(BulkNews => Bulk { order, step });
record!(SharedNews => Shared { sharing, on, helped, own });
record!(Shared => SharedState { sharing; since = since_us });
record!(Leaving => LeavingState { hands, because, begun; at = at_us });
record!(OutsideCall => OutsideCallState {
    gateway, session, key, direction; since = since_us, until = until_us
});
record!(Participant => ParticipantState { id, who, part, told; on = on_us });
record!(Participants => ParticipantsState { all, last });
record!(Bulk => BulkState {
    id, filter, action, contacts, count, next, done, cancelled, digest;
    since = since_us, over = over_us
});
record!(Filter => Filter {
    queue, channel, state, skill, recall, attribute;
    older_than = older_than_us, head_start = head_start_us
});
oneof!(Most => MostAway in most_away {
    Agents => CountOf { 0: count = count }
    Share => CountOf { 0: count = count }
});
oneof!(SignOutStep => SignOutStep in sign_out_step {
    Ordered => SignOutOrdered { at: at = at_us, hands: hands = hands, because: because = because }
    TakenBack => Plain {}
    Begun => Plain {}
});
oneof!(OutsideStep => OutsideStep in outside_step {
    Began => OutsideBegan {
        direction: direction = direction, session: session = session, until: until = until_us
    }
    Kept => OutsideKept { 0: session = session }
    Ended => OutsideEnded { 0: how = how }
});
oneof!(ParticipantStep => ParticipantStep in participant_step {
    Asked => ParticipantAsked { who: who = who, part: part = part, told: told = told }
    On => ParticipantOn { 0: part = part }
    Off => ParticipantOff { 0: because = because }
});
oneof!(OffBecause => OffBecause in off_because {
    Asked => Plain {}
    Failed => FailedWith { 0: code = code }
    Left => Plain {}
    ContactOver => Plain {}
    Owner => Plain {}
});
oneof!(Who => Who in who {
    Supervisor => CalledBy { 0: name = name }
    Outside => CalledBy { 0: name = name }
    Colleague => Colleague { consult: consult = consult, agent: agent = agent }
});
oneof!(BulkStep => BulkStep in bulk_step {
    Began => BulkBegan { filter: filter = filter, action: action = action, contacts: contacts = contacts }
    Acts => BulkActs { 0: contact = contact }
    Skips => BulkSkips { 0: contact = contact, 1: why = why }
    Over => BulkOver { cancelled: cancelled = cancelled }
});
oneof!(BulkAction => BulkAction in bulk_action {
    Move => MoveTo { 0: queue = queue }
    Requeue => Plain {}
    Reprioritise => HeadStart { 0: head_start = head_start_us }
    Close => Plain {}
});

impl Record for Box<Filter> {
    type Pb = pb::Filter;
    fn put(&self) -> pb::Filter {
        Record::put(self.as_ref())
    }
    fn take(pb: pb::Filter) -> Result<Self, CodecError> {
        <Filter as Record>::take(pb).map(Box::new)
    }
}

impl Record for (Arc<str>, Arc<str>) {
    type Pb = pb::Attribute;
    fn put(&self) -> pb::Attribute {
        pb::Attribute { name: Field::put(&self.0), value: Field::put(&self.1) }
    }
    fn take(pb: pb::Attribute) -> Result<Self, CodecError> {
        Ok((pb.name.into(), pb.value.into()))
    }
}

impl Field for Arc<[ContactId]> {
    type Pb = Vec<u64>;
    fn put(&self) -> Vec<u64> {
        self.iter().map(|c| c.0).collect()
    }
    fn take(pb: Vec<u64>, _: &'static str) -> Result<Self, CodecError> {
        Ok(pb.into_iter().map(ContactId).collect())
    }
}
