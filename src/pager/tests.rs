//! Pages sent to a webhook on this machine.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;

use super::*;
use crate::time::Span;

/// Idempotency key, authorization and body of a request.
type Seen = (Option<String>, Option<String>, serde_json::Value);

/// A webhook that answers so, and what it was sent.
#[derive(Debug, Default)]
struct Hook {
    /// The status of the first answers; then 200.
    fails: AtomicUsize,
    with: AtomicU16,
    seen: Mutex<Vec<Seen>>,
}

async fn taken(State(hook): State<Arc<Hook>>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|v| v.to_str().expect("text").to_owned());
    let body = serde_json::from_str(&body).expect("JSON");
    let seen = (header("idempotency-key"), header("authorization"), body);
    hook.seen.lock().expect("alone").push(seen);
    let left = hook.fails.load(Ordering::SeqCst);
    if left == 0 {
        return StatusCode::OK;
    }
    hook.fails.store(left - 1, Ordering::SeqCst);
    StatusCode::from_u16(hook.with.load(Ordering::SeqCst)).expect("a status")
}

/// A webhook that fails so often with a status, and where it is.
async fn hook(fails: usize, with: u16) -> (Arc<Hook>, Config) {
    let hook = Arc::new(Hook { fails: fails.into(), with: with.into(), ..Hook::default() });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = Some(format!("http://{}/hook", listener.local_addr().expect("bound")));
    let app = Router::new().route("/hook", post(taken)).with_state(Arc::clone(&hook));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (hook, Config { url, timeout: Span::seconds(1), attempts: 3, token_file: None })
}

async fn wanted() -> bool {
    true
}

fn page() -> Page {
    Page {
        event: "safety_contacts_waiting",
        key: "0123456789ab-recall-1-page-2".to_owned(),
        site: "Hotline Berlin".into(),
        recall: 1,
        playbook: "Kettle".to_owned(),
        incident: 1,
        page: 2,
        waiting: 3,
        lasts_seconds: 60,
        text: "3 wait".to_owned(),
    }
}

#[tokio::test]
async fn a_page_is_tried_again_by_the_same_key_until_it_is_taken() {
    let (hook, config) = hook(2, 503).await;
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "secret\n").expect("written");
    let config = Config { token_file: Some(token), ..config };
    assert_eq!(send(&config, &page(), wanted).await, Paged::Sent);
    let seen = hook.seen.lock().expect("alone");
    assert_eq!(seen.len(), 3);
    for (key, token, body) in &*seen {
        assert_eq!(key.as_deref(), Some("0123456789ab-recall-1-page-2"));
        assert_eq!(token.as_deref(), Some("Bearer secret"));
        assert_eq!(
            (&body["key"], &body["waiting"]),
            (&"0123456789ab-recall-1-page-2".into(), &3.into())
        );
    }
}

#[tokio::test]
async fn what_will_not_change_is_not_tried_again_and_what_does_not_pass_is_given_up() {
    // (status, how often it is tried)
    for (status, tried) in [(500, 3), (429, 3), (404, 1), (401, 1), (301, 1)] {
        let (hook, config) = hook(9, status).await;
        assert_eq!(send(&config, &page(), wanted).await, Paged::Failed, "{status}");
        assert_eq!(hook.seen.lock().expect("alone").len(), tried, "{status}");
    }
}

#[tokio::test]
async fn one_that_hangs_is_given_up_and_nowhere_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = Some(format!("http://{}/hook", listener.local_addr().expect("bound")));
    let hangs = Config { url, attempts: 1, timeout: Span::seconds(1), token_file: None };
    let began = std::time::Instant::now();
    assert_eq!(send(&hangs, &page(), wanted).await, Paged::Failed);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(send(&Config { url: None, ..hangs }, &page(), wanted).await, Paged::Nowhere);
}

#[tokio::test]
async fn one_that_nobody_waits_for_any_more_is_not_tried_again() {
    let (hook, config) = hook(9, 503).await;
    let looks = AtomicUsize::new(0);
    let once = || async { looks.fetch_add(1, Ordering::SeqCst) == 0 };
    assert_eq!(send(&config, &page(), once).await, Paged::Superseded);
    assert_eq!(hook.seen.lock().expect("alone").len(), 1, "somebody has them meanwhile");
}
