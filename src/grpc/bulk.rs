//! Orders about many contacts: the preview, what it is applied by, and how far it has got.
//!
//! A preview is kept here for ten minutes with the list of what it matched, so that applying
//! it acts on that list and no other; one that is forgotten is made again. Nothing is decided
//! here: the engine looks at each contact once more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::convert::{check, words};
use super::rows;
use super::status::Fault;
use crate::engine::bulk::{Bulk, BulkAction, Filter, MOST_IN_BULK, SHOWN};
use crate::engine::command::Order;
use crate::engine::contact::StateKind;
use crate::engine::routing::Routing;
use crate::ids::{ContactId, RecallId};
use crate::pb::v1::{self, bulk_action::Action};
use crate::shard::handle::Directory;
use crate::shard::view::View;
use crate::time::Span;

/// How long a preview can be applied: long enough to read it and to ask somebody.
const LASTS: Duration = Duration::from_secs(600);
/// Previews kept; of more the oldest go. 800 KB each at the very most.
const MOST_PREVIEWS: usize = 32;

/// What was shown, and can be applied.
#[derive(Debug)]
struct Preview {
    token: String,
    made: Instant,
    filter: Filter,
    contacts: Arc<[ContactId]>,
}

/// Previews that can still be applied.
#[derive(Debug, Default)]
pub(super) struct Previews(Mutex<VecDeque<Preview>>);

impl Previews {
    /// Keeps what was shown under its token.
    pub(super) fn keep(&self, token: &str, filter: Filter, contacts: Vec<ContactId>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two that show the same the newer lasts longer.
        kept.retain(|p| p.token != token && p.made.elapsed() < LASTS);
        if kept.len() >= MOST_PREVIEWS {
            kept.pop_front();
        }
        let (token, made) = (token.to_owned(), Instant::now());
        kept.push_back(Preview { token, made, filter, contacts: contacts.into() });
    }

    fn find(&self, token: &str) -> Result<(Filter, Arc<[ContactId]>), Fault> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|p| p.token == token && p.made.elapsed() < LASTS);
        let expected = "the token of a preview of the last ten minutes, by this router: preview \
                        the order again";
        let found = found.map(|p| (p.filter.clone(), Arc::clone(&p.contacts)));
        found.ok_or(Fault::Misplaced { field: "token", expected })
    }

    /// The order that a preview is applied by.
    pub(super) fn order(
        &self,
        names: &Directory,
        asked: &v1::ApplyOrderRequest,
    ) -> Result<Order, Fault> {
        check::bytes("token", &asked.token, 1, 64, "the token of a preview")?;
        let (filter, contacts) = self.find(&asked.token)?;
        let action = match asked.action.as_ref().and_then(|a| a.action.as_ref()) {
            Some(Action::MoveTo(queue)) => {
                BulkAction::Move(check::queue(names, "action.move_to", queue)?)
            }
            Some(Action::Requeue(true)) => BulkAction::Requeue,
            Some(Action::HeadStartMs(ms)) => {
                BulkAction::Reprioritise(check::within_a_day("action.head_start_ms", *ms)?)
            }
            Some(Action::Close(true)) => BulkAction::Close,
            Some(Action::Requeue(false) | Action::Close(false)) | None => {
                return Err(Fault::Missing { field: "action" });
            }
        };
        if contacts.is_empty() {
            let expected = "a preview that matched something: nothing is to be done";
            return Err(Fault::Misplaced { field: "token", expected });
        }
        Ok(Order::Bulk { filter, action, contacts })
    }
}

/// An order that the engine refuses, unless its request was answered before.
pub(super) fn about_nobody() -> Order {
    let (filter, action) = (Filter::default(), BulkAction::Requeue);
    Order::Bulk { filter, action, contacts: [].into() }
}

/// Reads a filter.
pub(super) fn filter(names: &Directory, asked: &v1::ContactFilter) -> Result<Filter, Fault> {
    let state = v1::ContactState::try_from(asked.state);
    let state = state.ok().filter(|state| *state != v1::ContactState::Closed);
    let expected = "the state of an open contact";
    let state = state.ok_or(Fault::Invalid { field: "filter.state", expected })?;
    let open = |kind: &StateKind| words::state(*kind) == i32::from(state);
    Ok(Filter {
        queue: match &*asked.queue {
            "" => None,
            name => Some(check::queue(names, "filter.queue", name)?),
        },
        channel: match asked.channel {
            0 => None,
            channel => Some(words::read_channel(channel)?),
        },
        state: StateKind::ALL.into_iter().find(open),
        older_than: (asked.older_than_ms > 0).then(|| Span::millis(asked.older_than_ms)),
        head_start: match asked.head_start_ms {
            0 => None,
            ms => Some(check::within_a_day("filter.head_start_ms", ms)?),
        },
        skill: match &*asked.skill {
            "" => None,
            name => Some(check::known("filter.skill", "skill", name, |n| names.skill(n))?),
        },
        recall: match asked.recall_id {
            0 => None,
            id => Some(RecallId(u16::try_from(id).map_err(|_| Fault::Invalid {
                field: "filter.recall_id",
                expected: "1 to 65535",
            })?)),
        },
        attribute: asked.attribute.as_ref().map(|a| (Arc::from(&*a.name), Arc::from(&*a.value))),
    })
}

/// What a filter matches now, to be shown and kept.
pub(super) fn preview(
    view: &View<'_>,
    filter: &Filter,
) -> Result<(v1::PreviewOrderResponse, Vec<ContactId>), Fault> {
    let matched = view.engine.matched(view.now, filter);
    if matched.contacts.len() > MOST_IN_BULK {
        let expected = "narrower: it matches more than 100000 contacts, the most of one order";
        return Err(Fault::Invalid { field: "filter", expected });
    }
    let shown = matched.contacts.iter().take(SHOWN);
    let first = shown.filter_map(|id| Some(rows::contact(view, view.engine.contact(*id)?)));
    let by_state = StateKind::ALL.into_iter().zip(matched.by_state).filter(|(_, n)| *n > 0);
    let preview = v1::PreviewOrderResponse {
        count: u32::try_from(matched.contacts.len()).unwrap_or(u32::MAX),
        by_state: by_state
            .map(|(state, count)| v1::StateCount { state: words::state(state), count })
            .collect(),
        first: first.collect(),
        token: token(filter, &matched.contacts),
    };
    Ok((preview, matched.contacts))
}

/// A hash of a filter and of what it matched.
fn token(filter: &Filter, contacts: &[ContactId]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(format!("{filter:?}").as_bytes());
    for contact in contacts {
        hash.update(&contact.0.to_le_bytes());
    }
    let hash = hash.finalize();
    hash.as_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Orders that are being carried out, and those that were.
pub(super) fn orders(view: &View<'_>) -> v1::ListOrdersResponse {
    let routing = view.engine.routing();
    let row = |b: &Bulk| v1::OrderRow {
        order_id: b.id.0,
        action: Some(action(routing, b.action)),
        count: b.count,
        looked_at: b.next,
        done: b.done,
        since_ms: view.now.since(b.since).as_millis(),
        over: b.over.is_some(),
        cancelled: b.cancelled,
    };
    v1::ListOrdersResponse { orders: view.engine.bulks().map(row).collect() }
}

fn action(routing: &Routing, action: BulkAction) -> v1::BulkAction {
    let action = match action {
        BulkAction::Move(queue) => Action::MoveTo(routing.queue_name(queue).to_owned()),
        BulkAction::Requeue => Action::Requeue(true),
        BulkAction::Reprioritise(head_start) => {
            Action::HeadStartMs(u32::try_from(head_start.as_millis()).unwrap_or(u32::MAX))
        }
        BulkAction::Close => Action::Close(true),
    };
    v1::BulkAction { action: Some(action) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_applied_to_what_was_shown_and_the_oldest_is_forgotten() {
        let (previews, names) = (Previews::default(), Directory::default());
        let ask = |token: &str| v1::ApplyOrderRequest {
            token: token.to_owned(),
            action: Some(v1::BulkAction { action: Some(Action::Close(true)) }),
            ..v1::ApplyOrderRequest::default()
        };
        previews.keep("a", Filter::default(), vec![ContactId(7), ContactId(3)]);
        let order = previews.order(&names, &ask("a")).expect("known");
        let Order::Bulk { contacts, action, .. } = order else { panic!("{order:?}") };
        assert_eq!((&*contacts, action), (&[ContactId(7), ContactId(3)][..], BulkAction::Close));
        previews.keep("empty", Filter::default(), vec![]);
        assert!(matches!(
            previews.order(&names, &ask("empty")),
            Err(Fault::Misplaced { field: "token", .. })
        ));
        assert!(
            previews.order(&names, &v1::ApplyOrderRequest { action: None, ..ask("a") }).is_err()
        );
        for n in 0..MOST_PREVIEWS {
            previews.keep(&n.to_string(), Filter::default(), vec![ContactId(1)]);
        }
        assert!(previews.order(&names, &ask("a")).is_err(), "forgotten");
        assert!(previews.order(&names, &ask("31")).is_ok());
    }

    #[test]
    fn a_token_tells_filters_and_lists_apart() {
        let all = Filter::default();
        let chats = Filter { channel: Some(crate::engine::words::Channel::Chat), ..all.clone() };
        let one = [ContactId(1)];
        assert_eq!(token(&all, &one), token(&all, &one));
        assert_ne!(token(&all, &one), token(&chats, &one));
        assert_ne!(token(&all, &one), token(&all, &[ContactId(1), ContactId(2)]));
    }
}
