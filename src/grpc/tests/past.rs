//! What is long over, and what is to be forgotten.

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::archive::hold::{Held, Holds, Order};
use crate::ids::ContactId;
use crate::pb::v1::admin_service_client::AdminServiceClient;
use crate::time::WallTime;

const NAME: &str = "Canary-Name-k3v";
const WORDS: &str = "canary-words-k3v";
const WHO: &str = "canary-account-k3v";

impl Router {
    async fn archived(&self) {
        let asks = self.archive.asks();
        let caught_up = tokio::task::spawn_blocking(move || asks.catch_up(PATIENCE)).await;
        caught_up.expect("no panic").expect("the archive has everything");
    }

    async fn show(&self, contact_id: u64) -> v1::GetContactResponse {
        let shown = self.supervisor().get_contact(v1::GetContactRequest { contact_id }).await;
        shown.expect("it is known").into_inner()
    }
}

fn person() -> Option<v1::Person> {
    Some(v1::Person { name: NAME.into(), words: WORDS.into(), ..Default::default() })
}

fn says(contact_id: u64) -> Report {
    Report::Input(gateway_report::Input { contact_id, person: person(), ..Default::default() })
}

fn leaves(contact_id: u64) -> Report {
    Report::CustomerLeft(gateway_report::CustomerLeft { contact_id })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_replica_forgot_is_read_from_the_archive() {
    let router = Router::start().await;
    let mut gateway = router.gateway("web").await;
    let arrival =
        v1::Arrival { person: person(), ..arrival("chat-1", v1::Channel::Chat, "support-chat") };
    let contact = gateway.arrives(arrival).await;
    for _ in 0..600 {
        gateway.report(says(contact)).await;
        gateway.answer().await;
    }
    gateway.report(leaves(contact)).await;
    gateway.answer().await;
    let of = ContactId(contact);
    let forgotten =
        router.handle.read(move |view| view.timelines.of(of).map(|t| t.forgotten)).await;
    assert!(forgotten.expect("it answers").is_some_and(|n| n > 0), "the replica forgets");
    router.archived().await;

    let shown = router.show(contact).await;
    let row = shown.contact.expect("a row");
    assert_eq!((&*row.gateway, &*row.key), ("web", "chat-1"), "from how it began");
    assert_eq!(shown.person.expect("sealed as it was").name, NAME);
    assert!(shown.timeline_omitted > 0);
    assert_eq!(shown.timeline.last().map(|item| &*item.event), Some("closed"));
    let sequences: Vec<u64> = shown.timeline.iter().map(|item| item.sequence).collect();
    assert!(sequences.is_sorted(), "the archive's and the replica's do not overlap");

    let nobody = router.supervisor().get_contact(v1::GetContactRequest { contact_id: 9_999 }).await;
    assert_eq!(nobody.expect_err("it never was").code(), tonic::Code::NotFound);
    router.stop().await;
}

/// What was logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// Every file of a folder that holds these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else {
            let content = std::fs::read(&path).expect("a file");
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

async fn forget(router: &Router, dry_run: bool) -> Result<v1::ForgetCustomerResponse, Status> {
    let asked = v1::ForgetCustomerRequest {
        actor: "nadia".into(),
        why: "request 118".into(),
        customer: Some(v1::Customer { identity: WHO.into() }),
        dry_run,
    };
    let mut admin = AdminServiceClient::new(router.channel.clone());
    Ok(admin.forget_customer(asked).await?.into_inner())
}

/// Everything sealed that journal and archive hold.
fn sealed_in(data: &Path) -> Vec<crate::engine::entry::Sealed> {
    let mut found = Vec::new();
    crate::journal::verify::read(data, &mut |batch, _| {
        found.extend(batch.entries.iter().filter_map(|entry| entry.sealed.clone()));
    })
    .expect("a sound journal");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_forgotten_customer_can_be_read_any_more() {
    let logged = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(Log);
    logged.try_init().expect("no other test listens");
    let router = Router::start().await;
    let data = router.data.path().to_owned();
    let mut gateway = router.gateway("web").await;
    let customer = Some(v1::Customer { identity: WHO.into() });
    let base = arrival("chat-1", v1::Channel::Chat, "support-chat");
    let contact = gateway.arrives(v1::Arrival { customer, person: person(), ..base }).await;
    gateway.report(says(contact)).await;
    gateway.answer().await;

    let open = forget(&router, false).await.expect_err("a contact is open");
    assert_eq!(open.code(), tonic::Code::FailedPrecondition);
    gateway.report(leaves(contact)).await;
    gateway.answer().await;
    assert_eq!(router.show(contact).await.person.expect("known").name, NAME);

    let order = Order { actor: "nadia", why: "claim 17", wall: WallTime(1) };
    let mut holds = Holds::open(&data).expect("holds");
    let hold = holds.add(Held::Contact(ContactId(contact)), order).expect("a hold");
    let told = forget(&router, true).await.expect("a dry run");
    assert_eq!((told.forgotten, told.had_keys, told.contacts, told.sealed), (false, true, 1, 2));
    assert_eq!(told.holds, [hold]);
    let held = forget(&router, false).await.expect_err("it is held");
    assert!(held.message().contains("hold 1 keeps"), "{held}");
    holds.release(hold, order).expect("released");

    let sealed = sealed_in(&data);
    assert_eq!(sealed.len(), 2);
    let keys = router.handle.keys().clone();
    assert!(sealed.iter().all(|s| keys.unseal(s).is_some()), "readable until now");
    let file = rusqlite::Connection::open(data.join("keys.sqlite")).expect("the store");
    let key = "SELECT bytes FROM key WHERE id = ?1";
    let key: Vec<u8> = file.query_row(key, [sealed[0].key], |row| row.get(0)).expect("a key");
    drop(file);
    assert!(!holding(&data, &key).is_empty(), "the key is on the disk until now");

    let told = forget(&router, false).await.expect("forgotten");
    assert!(told.forgotten && told.had_keys);
    is_gone(&router, contact, &key).await;
    drop(keys);
    let folder = router.stop_and_keep().await;
    let keys = KeyStore::open(folder.path()).expect("the keys of the others");
    assert!(sealed_in(folder.path()).iter().all(|s| keys.unseal(s).is_none()), "after a restart");
    assert_eq!(holds.verify().expect("a chain").rows, 4, "two for the hold, two for forgetting");
}

async fn is_gone(router: &Router, contact: u64, key: &[u8]) {
    let data = router.data.path();
    let keys = router.handle.keys();
    assert!(sealed_in(data).iter().all(|s| keys.unseal(s).is_none()));
    let shown = router.show(contact).await;
    assert_eq!(shown.person, None);
    assert!(shown.timeline.iter().all(|item| item.person.is_none()));
    let count = "SELECT (SELECT count(*) FROM sealed), (SELECT count(hash) FROM customer)";
    assert_eq!(crate::archive::query(data, count).expect("an archive").rows, [[0, 0]]);
    assert_eq!(holding(data, key), [""; 0], "the key's own bytes");
    for canary in [NAME, WORDS, WHO] {
        assert_eq!(holding(data, canary.as_bytes()), [""; 0]);
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!log.is_empty(), "something was logged");
        assert!(!String::from_utf8_lossy(&log).contains(canary), "{canary} is in the log");
    }
    let again = forget(router, false).await.expect("nothing is left to do");
    assert!(!again.had_keys);
}
