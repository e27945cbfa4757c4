//! A router as a whole, from start to stop.

mod no_state;
mod reading;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Mutex;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;
use crate::shard::health::Space;

async fn get(address: SocketAddr, path: &'static str) -> String {
    let get = move || {
        let mut stream = TcpStream::connect(address)?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok::<_, io::Error>(text)
    };
    spawn_blocking(get).await.expect("no panic").expect("an answer")
}

fn config(data: &std::path::Path) -> AppConfig {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let routing = config::built_in().expect("the built-in one is sound").config.routing;
    let playbooks = data.join("playbooks");
    let space = config::journal::Space { low: 0, critical: 0, ballast: 0 };
    AppConfig {
        grpc: any,
        http: any,
        receipt_key: data.join("receipt-key"),
        accept_older_copy: false,
        data: data.into(),
        playbooks,
        journal: config::journal::Config { space, ..Default::default() },
        keep_days: 400,
        routing,
        source: crate::app::Source::default(),
        site: config::site::Config::default(),
        page: config::page::Config::default(),
    }
}

#[tokio::test]
async fn it_starts_serves_stops_and_starts_again_from_its_journal() {
    let data = tempfile::tempdir().expect("a folder");
    let first = App::start(config(data.path())).await.expect("it starts");
    assert_eq!(first.recovered().entries, 0);
    assert_ne!(first.grpc_address().port(), 0);
    let at = first.http_address();
    assert!(get(at, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(at, "/readyz").await.starts_with("HTTP/1.1 200"));
    let metrics = get(at, "/metrics").await;
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.contains("\nsurgeline_conservation_difference 0"), "{metrics}");
    assert!(get(at, "/else").await.starts_with("HTTP/1.1 404"));
    first.stop().await.expect("it stops");

    let second = App::start(config(data.path())).await.expect("it starts again");
    assert_eq!(second.recovered().entries, 0, "all is in the snapshot of the stop");
    let applied = second.handle().read(|view| view.sequence).await;
    assert_eq!(applied, Ok(2), "and the restart");
    let locked = App::start(config(data.path())).await.err().map(|why| why.to_string());
    assert!(locked.is_some_and(|why| why.contains("held by another process")));
    let taken = AppConfig { http: second.http_address(), ..config(data.path()) };
    assert!(matches!(App::start(taken).await, Err(AppError::Bind { what: "HTTP", .. })));
    second.handle().health().fail(Fatal::Panicked(crate::shard::health::ThreadKind::Owner));
    let metrics = get(second.http_address(), "/metrics").await;
    assert!(metrics.contains("\nsurgeline_replica_up 1"), "{metrics}");
    let unwell = get(second.http_address(), "/readyz").await;
    assert!(unwell.starts_with("HTTP/1.1 503"), "{unwell}");
    assert!(unwell.contains("the owner thread of the shard panicked"), "{unwell}");
    let stopped = second.stop().await;
    assert!(matches!(stopped, Err(AppError::Failed(Fatal::Panicked(_)))), "{stopped:?}");
}

#[tokio::test]
async fn while_it_starts_it_is_watched_by_http_and_grpc_is_closed() {
    let data = tempfile::tempdir().expect("a folder");
    let config = config(data.path());
    // Whoever reads it waits for a writer: a start that takes as long as this test likes.
    let (key, mode) = (config.receipt_key.clone(), Mode::RUSR | Mode::WUSR);
    mknodat(CWD, &key, FileType::Fifo, mode, 0).expect("the file system has pipes");
    let grpc = reserve("gRPC", config.grpc).expect("a port");
    let http = bind("HTTP", config.http).await.expect("a port");
    let (grpc_at, http_at) = (grpc.1, http.1);
    let taken = reserve("gRPC", http_at).err();
    assert!(matches!(taken, Some(AppError::Bind { what: "gRPC", .. })), "{taken:?}");
    let starting = tokio::spawn(App::start_at(config, grpc, http, 100));

    assert!(get(http_at, "/healthz").await.starts_with("HTTP/1.1 200"));
    let ready = get(http_at, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains("recovering from the journal: 0 entries read"), "{ready}");
    let metrics = get(http_at, "/metrics").await;
    assert!(metrics.contains("\nsurgeline_replica_up 0\n"), "{metrics}");
    let refused = TcpStream::connect(grpc_at).err().map(|error| error.kind());
    assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused), "nobody waits for a start");

    spawn_blocking(move || std::fs::write(key, [7; 32])).await.expect("no panic").expect("read");
    let app = starting.await.expect("no panic").expect("it starts");
    assert_eq!((app.grpc_address(), app.http_address()), (grpc_at, http_at));
    assert!(get(http_at, "/readyz").await.starts_with("HTTP/1.1 200"));
    TcpStream::connect(grpc_at).expect("it is open");
    app.stop().await.expect("it stops");
    assert!(TcpStream::connect(http_at).is_err(), "it is the last to go");
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_running() {
    let data = tempfile::tempdir().expect("a folder");
    let config = config(data.path());
    std::fs::write(&config.receipt_key, "no key").expect("it can be written");
    let grpc = reserve("gRPC", config.grpc).expect("a port");
    let http = bind("HTTP", config.http).await.expect("a port");
    let at = http.1;
    let failed = App::start_at(config, grpc, http, 100).await.err();
    assert!(matches!(failed, Some(AppError::Receipts(_))), "{failed:?}");
    assert!(TcpStream::connect(at).is_err());
}

#[tokio::test]
async fn damaged_snapshots_cost_time_and_nothing_else() {
    let data = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let app = App::start(config(data.path())).await.expect("it starts");
        app.stop().await.expect("it stops");
    }
    let snapshots = || {
        let folder = std::fs::read_dir(data.path().join("snapshots")).expect("a folder");
        let paths = folder.map(|entry| entry.expect("it can be listed").path());
        let mut good: Vec<_> = paths.filter(|path| path.extension().is_none()).collect();
        good.sort();
        good
    };
    let damage = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).expect("it can be read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("it can be written");
    };
    assert_eq!(snapshots().len(), 2, "one for each stop");
    damage(&snapshots()[1]);
    let app = App::start(config(data.path())).await.expect("from the older one");
    assert_eq!(app.recovered().entries, 1, "the restart after it");
    app.stop().await.expect("it stops");
    snapshots().iter().for_each(|path| damage(path));
    let app = App::start(config(data.path())).await.expect("from the journal alone");
    assert_eq!(app.recovered().entries, 3, "the configuration and two restarts");
    let counted = app.handle().read(|view| view.statistics.divergences).await;
    assert_eq!(counted, Ok(0));
    app.stop().await.expect("it stops");
}

#[test]
fn with_little_space_the_journal_is_cut_short_and_everybody_is_told() {
    let data = tempfile::tempdir().expect("a folder");
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let Opened { handle, shard, archive, space, .. } =
        open(config(data.path()), metrics.clone(), &Shown::new(metrics.clone()))
            .expect("it starts");
    // Others look here.
    drop(space);
    for (low, critical, space, trimmed) in [
        (0, 0, Space::Enough, vec![]),
        (u64::MAX / 4, 0, Space::Low, vec![70]),
        (u64::MAX / 4, u64::MAX / 4, Space::Critical, vec![70]),
    ] {
        let trimming = Arc::new(Trimming::default());
        // What no start and no reader needs, however young it is.
        trimming.outgrown(100);
        trimming.position().passed(70);
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        trimming.connect(move |upto| tell.lock().expect("no test panics with it").push(upto));
        let watch = SpaceWatch::start(
            config::journal::Space { low, critical, ballast: 0 },
            data.path(),
            handle.clone(),
            trimming,
            metrics.clone(),
        );
        drop(watch.expect("a thread"));
        assert_eq!(handle.health().space(), space);
        let mut told = told.lock().expect("no test panics with it").clone();
        told.dedup();
        assert_eq!(told, trimmed, "{space:?}");
    }
    shard.stop();
    archive.stop();
}

fn own(file: &std::path::Path, text: &str, keep_journaled: bool) -> Source {
    let text = Some(text.into()).filter(|_| !keep_journaled);
    Source { file: Some(file.into()), text, keep_journaled, ..Source::default() }
}

#[tokio::test]
async fn a_file_is_read_again_and_a_broken_one_leaves_what_is_in_force() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("centre.toml");
    let text = include_str!("../config/default.toml");
    std::fs::write(&file, text).expect("it can be written");
    let source = own(&file, text, false);
    let app = App::start(AppConfig { source, ..config(data.path()) }).await.expect("it starts");
    let queues = |app: &App| app.handle().directory().queue("support-voice").is_some();
    let less = text.replacen("name = \"support-voice\"", "name = \"calls\"", 1);
    let less = less.replace("queue = \"support-voice\"", "queue = \"calls\"");
    std::fs::write(&file, &less).expect("it can be written");
    let planned = app.reload().await.expect("it is sound");
    assert!(!planned.preview.changes.is_empty() && !queues(&app));
    std::fs::write(&file, "skills = [1]").expect("it can be written");
    let broken = app.reload().await;
    assert!(matches!(broken, Err(NotReloaded::Unsound { .. })), "{broken:?}");
    let at = app.http_address();
    let ready = get(at, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains("ready, but the configuration file is not in force: "), "{ready}");
    assert!(get(at, "/metrics").await.contains("\nsurgeline_config_invalid 1\n"));
    std::fs::write(&file, text).expect("it can be written");
    app.reload().await.expect("it is mended");
    assert!(queues(&app) && get(at, "/readyz").await.ends_with("ready\n"));
    assert!(get(at, "/metrics").await.contains("\nsurgeline_config_invalid 0\n"));
    app.stop().await.expect("it stops");
    let kept = std::fs::read_to_string(data.path().join(LAST_GOOD)).expect("it is kept");
    assert_eq!(kept, text);
}

#[tokio::test]
async fn a_start_with_a_broken_file_serves_by_the_journal_and_a_changed_one_applies() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("centre.toml");
    App::start(config(data.path())).await.expect("it starts").stop().await.expect("it stops");
    let other = || config::parse("t", "skills = [\"other\"]").expect("it is sound").config.routing;
    let fault = Some("centre.toml has 2 errors".into());
    let source = Source { fault, ..own(&file, "", true) };
    let broken = AppConfig { source, routing: other(), ..config(data.path()) };
    let app = App::start(broken).await.expect("it serves");
    assert!(app.handle().directory().queue("support-voice").is_some());
    let ready = get(app.http_address(), "/readyz").await;
    assert!(ready.contains("not in force: centre.toml has 2 errors"), "{ready}");
    app.stop().await.expect("it stops");
    let changed = AppConfig { routing: other(), ..config(data.path()) };
    let app = App::start(changed).await.expect("it starts");
    assert!(app.handle().directory().queue("support-voice").is_none(), "what is wanted now");
    assert!(app.handle().directory().skill("other").is_some());
    app.stop().await.expect("it stops");
}
