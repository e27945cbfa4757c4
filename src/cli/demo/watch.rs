//! What a supervisor sees of the router, again and again.

use std::collections::BTreeMap;

use tokio::sync::watch::Sender;
use tonic::transport::Channel;

use super::{Bench, Phase, PlayerError};
use crate::cli::client::{ClientError, pages};
use crate::pb::v1::recall_service_client::RecallServiceClient;
use crate::pb::v1::supervisor_service_client::SupervisorServiceClient;
use crate::pb::v1::{
    AgentRow, AgentState, AvailabilityKind, ContactCounts, GetRecallStatusRequest,
    ListAgentsRequest, QueueRow, RecallStatus, WatchQueuesRequest, WatchQueuesResponse,
};

/// Between two looks, milliseconds.
const INTERVAL_MS: u32 = 500;

/// The router at one moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) queues: Vec<QueueRow>,
    pub(super) contacts: ContactCounts,
    pub(super) agents: Agents,
    /// Recalls in force.
    pub(super) recalls: Vec<RecallStatus>,
}

/// Agents, counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Agents {
    pub(super) ready: u64,
    pub(super) reserved: u64,
    pub(super) busy: u64,
    pub(super) wrap_up: u64,
    pub(super) not_ready: u64,
    pub(super) lost: u64,
    pub(super) signed_out: u64,
    /// By reason, of those who say that they are not ready.
    pub(super) away: BTreeMap<String, u64>,
    pub(super) phone_unreachable: u64,
    /// Capacity in use of those at work, in thousandths, summed.
    pub(super) load_permille: u64,
}

impl Agents {
    fn of(rows: &[AgentRow]) -> Self {
        let mut counts = Self::default();
        for row in rows {
            match row.state() {
                AgentState::Ready => counts.ready += 1,
                AgentState::Reserved => counts.reserved += 1,
                AgentState::Busy => counts.busy += 1,
                AgentState::WrapUp => counts.wrap_up += 1,
                AgentState::NotReady => counts.not_ready += 1,
                AgentState::Lost => counts.lost += 1,
                AgentState::SignedOut | AgentState::Unspecified => counts.signed_out += 1,
            }
            if !matches!(
                row.state(),
                AgentState::NotReady | AgentState::Lost | AgentState::SignedOut
            ) {
                counts.load_permille += u64::from(row.load_permille);
            }
            counts.phone_unreachable += u64::from(row.phone_unreachable);
            if let Some(now) = &row.availability
                && now.kind() == AvailabilityKind::NotReady
                && row.state() == AgentState::NotReady
            {
                *counts.away.entry(now.reason.clone()).or_default() += 1;
            }
        }
        counts
    }

    fn at_work(&self) -> u64 {
        self.ready + self.reserved + self.busy + self.wrap_up
    }
}

impl Snapshot {
    fn new(queues: WatchQueuesResponse, agents: &[AgentRow], recalls: Vec<RecallStatus>) -> Self {
        let contacts = queues.contacts.unwrap_or_default();
        Self { queues: queues.queues, contacts, agents: Agents::of(agents), recalls }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.contacts.accepted
    }

    /// Contacts in every state but closed.
    pub(super) fn open(&self) -> u64 {
        let c = &self.contacts;
        c.queued
            + c.reserved
            + c.connecting
            + c.assigned
            + c.pending
            + c.self_service
            + c.callback_due
    }

    /// Accepted less the sum over states, as counted here.
    pub(super) fn difference(&self) -> i64 {
        let sum = self.open() + self.contacts.closed;
        self.contacts.accepted.wrapping_sub(sum).cast_signed()
    }

    /// Share of the agents at work who have something in hand, 0 to 1; none if nobody is.
    #[expect(clippy::cast_precision_loss, reason = "agents in the tens")]
    pub(super) fn occupancy(&self) -> Option<f64> {
        let at_work = self.agents.at_work();
        (at_work > 0).then(|| (at_work - self.agents.ready) as f64 / at_work as f64)
    }

    /// Share of the capacity of the agents at work that is in use, 0 to 1; none if nobody is.
    #[expect(clippy::cast_precision_loss, reason = "agents in the tens")]
    pub(super) fn load(&self) -> Option<f64> {
        let at_work = self.agents.at_work();
        (at_work > 0).then(|| self.agents.load_permille as f64 / (1000 * at_work) as f64)
    }
}

/// Reads snapshots.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    client: SupervisorServiceClient<Channel>,
    recalls: RecallServiceClient<Channel>,
}

impl Watcher {
    pub(super) fn new(wire: Channel) -> Self {
        Self {
            client: SupervisorServiceClient::new(wire.clone()),
            recalls: RecallServiceClient::new(wire),
        }
    }

    /// Shows a snapshot twice a second until the demo is over.
    pub(super) async fn follow(
        mut self,
        show: Sender<Snapshot>,
        mut bench: Bench,
    ) -> Result<(), PlayerError> {
        let looking = async {
            let request = WatchQueuesRequest { interval_ms: INTERVAL_MS, ..Default::default() };
            let answer = self.client.watch_queues(request).await.map_err(ClientError::from)?;
            let mut stream = answer.into_inner();
            while let Some(queues) = stream.message().await.map_err(ClientError::from)? {
                let (agents, recalls) = (self.agents().await?, self.recalls().await?);
                show.send_replace(Snapshot::new(queues, &agents, recalls));
            }
            Err(PlayerError::Ended { who: "the supervisor" })
        };
        tokio::select! {
            ended = looking => ended,
            () = bench.phase_is(Phase::Over) => Ok(()),
        }
    }

    /// One snapshot, now.
    pub(super) async fn look(&mut self) -> Result<Snapshot, ClientError> {
        let request = WatchQueuesRequest { interval_ms: INTERVAL_MS, ..Default::default() };
        let mut stream = self.client.watch_queues(request).await?.into_inner();
        let queues = stream.message().await?.unwrap_or_default();
        let (agents, recalls) = (self.agents().await?, self.recalls().await?);
        Ok(Snapshot::new(queues, &agents, recalls))
    }

    async fn recalls(&mut self) -> Result<Vec<RecallStatus>, ClientError> {
        let answer = self.recalls.get_recall_status(GetRecallStatusRequest::default()).await?;
        Ok(answer.into_inner().recalls)
    }

    async fn agents(&self) -> Result<Vec<AgentRow>, ClientError> {
        pages(|page_token| {
            let mut client = self.client.clone();
            async move {
                let request = ListAgentsRequest { page_token, ..Default::default() };
                let page = client.list_agents(request).await?.into_inner();
                Ok((page.agents, page.next_page_token))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_has_a_sign() {
        let contacts = ContactCounts { accepted: 10, closed: 7, queued: 3, ..Default::default() };
        let mut snapshot = Snapshot { contacts, ..Snapshot::default() };
        assert_eq!((snapshot.difference(), snapshot.open()), (0, 3));
        snapshot.contacts.closed = 8;
        assert_eq!(snapshot.difference(), -1);
    }

    #[test]
    fn agents_are_counted_by_state_and_reason() {
        let row = |state: AgentState, reason: &str| {
            let kind = if reason.is_empty() {
                AvailabilityKind::Ready
            } else {
                AvailabilityKind::NotReady
            };
            let availability =
                crate::pb::v1::Availability { kind: kind.into(), reason: reason.into() };
            AgentRow {
                load_permille: 600,
                state: state.into(),
                availability: Some(availability),
                ..Default::default()
            }
        };
        let rows = [
            row(AgentState::Ready, ""),
            row(AgentState::Busy, ""),
            row(AgentState::WrapUp, "lunch"),
            row(AgentState::NotReady, "lunch"),
            row(AgentState::Lost, ""),
            row(AgentState::SignedOut, ""),
        ];
        let counts = Agents::of(&rows);
        assert_eq!((counts.ready, counts.busy, counts.wrap_up), (1, 1, 1));
        assert_eq!((counts.lost, counts.signed_out), (1, 1));
        assert_eq!(counts.away, BTreeMap::from([("lunch".to_owned(), 1)]));
        let snapshot = Snapshot { agents: counts, ..Default::default() };
        assert!((snapshot.occupancy().unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert!((snapshot.load().unwrap() - 0.6).abs() < 1e-9);
    }
}
