//! Who is connected and where their directives go: a registry, never the truth.
//!
//! The writer thread fills and uses it as it releases durable entries, so that an outbox
//! begins to get directives at exactly the entry that began its session. Which session
//! is in force is fenced in the engine; this only follows its events, and tells the owner
//! of a session whose stream turned out to be over. What a client does then is the edge's
//! business.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam::channel::Sender;
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use super::ask::{Answer, AnswerTo, Ask, Outbox, Outgoing, SessionOver};
use super::observe::{Observer, SessionRole};
use super::outbox::Put;
use crate::engine::command::Command;
use crate::engine::directive::{Directive, Recipient};
use crate::engine::entry::{Actor, Role, Sealed};
use crate::ids::SessionId;
use crate::journal::receipt::Receipt;

/// Everyone who is connected.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_recipient: DashMap<Recipient, Session, FxBuildHasher>,
    open: [AtomicUsize; SessionRole::ALL.len()],
    /// The owner's lane, to give sessions back.
    owner: Sender<Ask>,
    observer: Arc<dyn Observer>,
}

#[derive(Debug)]
struct Session {
    id: SessionId,
    outbox: Outbox,
}

impl Sessions {
    pub(crate) fn new(owner: Sender<Ask>, observer: Arc<dyn Observer>) -> Self {
        Self {
            by_recipient: DashMap::default(),
            open: [AtomicUsize::new(0), AtomicUsize::new(0)],
            owner,
            observer,
        }
    }

    /// From now on directives to `to` go into `outbox`; an older one is ended.
    pub(crate) fn attach(&self, to: Recipient, id: SessionId, outbox: Outbox) {
        // A hello that was answered from memory names a session that may be long over.
        if self.by_recipient.get(&to).is_some_and(|s| s.id > id) {
            outbox.put(Outgoing::Over { to: Some(to), why: SessionOver::Superseded });
            self.observer.cut_off(to.into(), SessionOver::Superseded);
            return;
        }
        if outbox.is_closed() {
            // The engine takes an older session for over all the same.
            if let Some((_, older)) = self.by_recipient.remove(&to) {
                self.count(to, -1);
                self.supersede(to, &older, &outbox);
            }
            return self.give_back(to, id);
        }
        match self.by_recipient.insert(to, Session { id, outbox: outbox.clone() }) {
            None => self.count(to, 1),
            Some(older) => self.supersede(to, &older, &outbox),
        }
    }

    /// Tells an older session that it is over, now that one on `newer` has begun.
    fn supersede(&self, to: Recipient, older: &Session, newer: &Outbox) {
        // The same stream said hello again: telling it that it is over would end the
        // session that has just begun.
        if older.outbox.same_stream(newer) {
            return;
        }
        let over = Outgoing::Over { to: Some(to), why: SessionOver::Superseded };
        if older.outbox.put(over) != Put::Gone {
            self.observer.cut_off(to.into(), SessionOver::Superseded);
        }
    }

    /// The engine counts this session as gone.
    pub(crate) fn detach(&self, to: Recipient) {
        if self.by_recipient.remove(&to).is_some() {
            self.count(to, -1);
        }
    }

    /// Sends one directive, if its recipient is connected. Nobody is waited for.
    pub(crate) fn send(&self, directive: Directive, sealed: Option<Sealed>) {
        let to = directive.to;
        let Some((put, outbox)) = self
            .by_recipient
            .get(&to)
            .map(|s| (s.outbox.put(Outgoing::Directive(directive, sealed)), s.outbox.clone()))
        else {
            return;
        };
        if put != Put::In {
            self.lost(&outbox, put);
        }
    }

    /// Gives an answer to a stream. Nobody is waited for.
    pub(crate) fn answer(
        &self,
        outbox: &Outbox,
        request_id: Box<str>,
        answer: Answer,
        receipt: Receipt,
    ) {
        let put = outbox.put(Outgoing::Answer { request_id, answer, receipt });
        if put == Put::CutOff {
            self.lost(outbox, put);
        }
    }

    /// Nobody reads a stream any more: gives back every session on it. Also those whose
    /// own answers were cut off, so that the edge never learnt of them: no directive may
    /// ever come to show that they are dead.
    fn lost(&self, outbox: &Outbox, put: Put) {
        let on_it: Vec<(Recipient, SessionId)> = self
            .by_recipient
            .iter()
            .filter(|session| session.outbox.same_stream(outbox))
            .map(|session| (*session.key(), session.id))
            .collect();
        for (to, id) in on_it {
            self.detach(to);
            self.give_back(to, id);
            if put == Put::CutOff {
                self.observer.cut_off(to.into(), SessionOver::TooSlow);
            }
        }
    }

    /// Tells the owner that nobody reads for this session. The edge does so too when it
    /// sees its stream end, but one that was cut off may never have learnt its session;
    /// saying it twice changes nothing.
    fn give_back(&self, to: Recipient, session: SessionId) {
        let command = match to {
            Recipient::Gateway(gateway) => Command::DisconnectGateway { gateway, session },
            Recipient::Agent(agent) => Command::DisconnectAgent { agent, session },
        };
        let ask = Ask {
            actor: Actor { role: Role::Router, name: "router".into() },
            request: None,
            command,
            sealed: None,
            attach: None,
            answer_to: AnswerTo::Nobody,
        };
        // It fails only when the owner is gone, and every session with it.
        drop(self.owner.send(ask));
    }

    /// Lets go of every outbox, so that streams see their end.
    pub(crate) fn clear(&self) {
        self.by_recipient.clear();
        for role in SessionRole::ALL {
            self.open[role.index()].store(0, Ordering::Relaxed);
            self.observer.sessions(role, 0);
        }
    }

    fn count(&self, to: Recipient, change: isize) {
        let role = SessionRole::from(to);
        let open = &self.open[role.index()];
        let before = open.load(Ordering::Relaxed);
        // One thread changes it, so that a load and a store are enough.
        let now = before.saturating_add_signed(change);
        open.store(now, Ordering::Relaxed);
        self.observer.sessions(role, now);
    }
}

#[cfg(test)]
mod tests {
    use crossbeam::channel::{Receiver, unbounded};

    use super::*;
    use crate::engine::command::Reply;
    use crate::engine::directive::Tell;
    use crate::ids::{AgentId, ContactId};
    use crate::shard::ask::Rejection;
    use crate::shard::outbox::sized;
    use crate::shard::testing::Recorded;

    fn sessions(observer: Arc<Recorded>) -> (Sessions, Receiver<Ask>) {
        let (owner, asked) = unbounded();
        (Sessions::new(owner, observer), asked)
    }

    const ANNE: Recipient = Recipient::Agent(AgentId(1));

    fn tell(n: u64) -> Directive {
        Directive { to: ANNE, tell: Tell::CustomerInput(ContactId(n)) }
    }

    fn given_back(asked: &Receiver<Ask>) -> Vec<(AgentId, SessionId)> {
        let agent = |ask: Ask| match ask.command {
            Command::DisconnectAgent { agent, session } => (agent, session),
            other => panic!("expected a session given back, got {other:?}"),
        };
        asked.try_iter().map(agent).collect()
    }

    fn contact(message: Option<Outgoing>) -> u64 {
        match message {
            Some(Outgoing::Directive(Directive { tell: Tell::CustomerInput(c), .. }, _)) => c.0,
            other => panic!("expected a directive, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn the_newest_session_wins_and_the_older_one_is_told() {
        let seen = Arc::new(Recorded::default());
        let (sessions, asked) = sessions(seen.clone());
        let (old, mut old_end) = sized(8);
        let (new, mut new_end) = sized(8);
        sessions.attach(ANNE, SessionId(1), old.clone());
        sessions.send(tell(1), None);
        sessions.attach(ANNE, SessionId(2), new);
        sessions.send(tell(2), None);
        sessions.attach(ANNE, SessionId(1), old);
        sessions.send(tell(3), None);

        assert_eq!(contact(old_end.recv().await), 1);
        for _ in 0..2 {
            assert!(matches!(
                old_end.recv().await,
                Some(Outgoing::Over { to: Some(ANNE), why: SessionOver::Superseded })
            ));
        }
        assert_eq!(contact(new_end.recv().await), 2);
        assert_eq!(contact(new_end.recv().await), 3);
        assert_eq!(seen.sessions(SessionRole::Agent), 1);
        assert!(asked.is_empty(), "the engine knows");
    }

    #[tokio::test]
    async fn saying_hello_again_on_the_same_stream_ends_nothing() {
        let (sessions, asked) = sessions(Arc::new(Recorded::default()));
        let (outbox, mut end) = sized(8);
        sessions.attach(ANNE, SessionId(1), outbox.clone());
        sessions.attach(ANNE, SessionId(2), outbox);
        sessions.send(tell(7), None);
        assert_eq!(contact(end.recv().await), 7);
        assert!(asked.is_empty());
    }

    #[test]
    fn a_session_whose_stream_ended_before_it_began_is_given_back() {
        let seen = Arc::new(Recorded::default());
        let (sessions, asked) = sessions(seen.clone());
        let (outbox, end) = sized(8);
        drop(end);
        sessions.attach(ANNE, SessionId(4), outbox);
        assert_eq!(given_back(&asked), [(AgentId(1), SessionId(4))]);
        assert_eq!(seen.sessions(SessionRole::Agent), 0);
    }

    #[test]
    fn a_session_that_begins_on_a_stream_cut_off_before_is_given_back() {
        let seen = Arc::new(Recorded::default());
        let (sessions, asked) = sessions(seen.clone());
        let (outbox, _end) = sized(1);
        for n in 0..2 {
            sessions.answer(&outbox, "r".into(), Err(Rejection::Stopping), [0; 48]);
            assert_eq!(outbox.is_closed(), n == 1, "the second finds no room");
        }
        sessions.attach(ANNE, SessionId(4), outbox);
        assert_eq!(given_back(&asked), [(AgentId(1), SessionId(4))]);
        assert_eq!(seen.sessions(SessionRole::Agent), 0);
    }

    #[tokio::test]
    async fn an_older_session_is_over_even_if_the_newer_one_never_lived() {
        let seen = Arc::new(Recorded::default());
        let (sessions, asked) = sessions(seen.clone());
        let (old, mut old_end) = sized(8);
        let (new, new_end) = sized(8);
        sessions.attach(ANNE, SessionId(1), old);
        drop(new_end);
        sessions.attach(ANNE, SessionId(2), new);
        assert!(matches!(
            old_end.recv().await,
            Some(Outgoing::Over { to: Some(ANNE), why: SessionOver::Superseded })
        ));
        assert_eq!(given_back(&asked), [(AgentId(1), SessionId(2))]);
        assert_eq!(seen.sessions(SessionRole::Agent), 0);
    }

    #[test]
    fn a_stream_cut_off_gives_back_everyone_on_it_their_answers_unread() {
        for by_an_answer in [false, true] {
            let seen = Arc::new(Recorded::default());
            let (sessions, asked) = sessions(seen.clone());
            let (slow, _slow_end) = sized(2);
            let (other, _other_end) = sized(2);
            let ben = Recipient::Agent(AgentId(2));
            let cleo = Recipient::Agent(AgentId(3));
            for (to, id) in [(ANNE, SessionId(1)), (ben, SessionId(2))] {
                sessions.attach(to, id, slow.clone());
                sessions.answer(&slow, "sign-in".into(), Ok(Reply::Agent(id)), [0; 48]);
            }
            sessions.attach(cleo, SessionId(3), other);
            if by_an_answer {
                sessions.answer(&slow, "act".into(), Ok(Reply::Done), [0; 48]);
            } else {
                sessions.send(tell(1), None);
            }
            let mut back = given_back(&asked);
            back.sort_unstable();
            assert_eq!(back, [(AgentId(1), SessionId(1)), (AgentId(2), SessionId(2))]);
            assert_eq!(seen.sessions(SessionRole::Agent), 1, "the other stream goes on");
            assert_eq!(seen.cut_off(), [SessionOver::TooSlow; 2]);
        }
    }

    #[tokio::test]
    async fn one_who_does_not_read_is_forgotten_and_counted_and_others_go_on() {
        let seen = Arc::new(Recorded::default());
        let (sessions, asked) = sessions(seen.clone());
        let (slow, _slow_end) = sized(2);
        let (quick, mut quick_end) = sized(2);
        let ben = Recipient::Agent(AgentId(2));
        sessions.attach(ANNE, SessionId(1), slow);
        sessions.attach(ben, SessionId(2), quick);
        for n in 0..5 {
            sessions.send(tell(n), None);
        }
        sessions.send(Directive { to: ben, tell: Tell::CustomerInput(ContactId(9)) }, None);
        assert_eq!(contact(quick_end.recv().await), 9);
        assert_eq!(seen.sessions(SessionRole::Agent), 1);
        assert_eq!(seen.cut_off(), [SessionOver::TooSlow]);
        assert_eq!(given_back(&asked), [(AgentId(1), SessionId(1))]);
    }
}
