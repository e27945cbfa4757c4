//! Contact lives over real gRPC, durable, beside a bare tonic echo and a bare disk sync.
//!
//! `cargo bench --bench wire`. One process: router, gateways and desktops share the cores,
//! and so do echo server and echo client, so that the ratio compares like with like. A life
//! is: arrive, offer, accept, assigned, complete, ended, on a queue without wrap-up.

mod disk;
mod echo;
mod lives;

use std::time::Duration;

/// Streams of each kind, on one connection each.
const STREAMS: usize = 4;
/// Contacts (or echo messages) in flight on each gateway's stream.
const IN_FLIGHT: usize = 128;

/// What came of one run.
struct Outcome {
    /// Lives, or round trips, a second.
    rate: f64,
    /// Messages a second, both ways.
    messages: f64,
    /// Latency in microseconds.
    latency: hdrhistogram::Histogram<u64>,
}

fn histogram() -> hdrhistogram::Histogram<u64> {
    // Up to a minute: a histogram that grows by itself does not do so for saturating records.
    hdrhistogram::Histogram::new_with_max(60_000_000, 3).expect("these bounds are allowed")
}

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` runs this too: then it only has to work.
    let quick = !std::env::args().any(|a| a == "--bench");
    let (warm_up, lasting) = if quick {
        (Duration::from_millis(200), Duration::from_millis(500))
    } else {
        (Duration::from_secs(2), Duration::from_secs(10))
    };
    let folder = tempfile::tempdir_in(scratch()?)?;
    let sync = disk::syncs(folder.path(), if quick { 50 } else { 2_000 })?;
    println!(
        "one bare fdatasync of 4 KiB in place: p50 {} us, p99 {} us",
        p(&sync, 0.5),
        p(&sync, 0.99)
    );

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let echo = echo::run(warm_up, lasting).await?;
        println!(
            "bare echo, {STREAMS} streams, {IN_FLIGHT} in flight on each: {:.0} round trips/s, {:.0} messages/s, p50 {} us, p99 {} us",
            echo.rate, echo.messages, p(&echo.latency, 0.5), p(&echo.latency, 0.99)
        );
        let full = lives::closed_loop(folder.path(), warm_up, lasting).await?;
        println!(
            "contact lives, {STREAMS} gateways and {STREAMS} desktops, {IN_FLIGHT} in flight on each: {:.0} lives/s, {:.0} messages/s, {:.2} of the echo's message rate",
            full.rate, full.messages, full.messages / echo.messages
        );
        let idle = echo::paced(full.rate / 2.0, warm_up, lasting).await?;
        let half = lives::paced(folder.path(), full.rate / 2.0, warm_up, lasting).await?;
        let floor = p(&idle.latency, 0.99) + 2 * p(&sync, 0.99);
        println!(
            "at half of that, {:.0} lives/s: arrival sent to offer received p50 {} us, p99 {} us; the echo at the same pace p50 {} us, p99 {} us",
            half.rate, p(&half.latency, 0.5), p(&half.latency, 0.99), p(&idle.latency, 0.5), p(&idle.latency, 0.99)
        );
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
        let ratio = p(&half.latency, 0.99) as f64 / floor as f64;
        println!("p99 is {ratio:.2} of (echo p99 + two disk syncs p99 = {floor} us)");
        Ok(())
    })
}

/// Where the journal goes: cargo's own folder for this, wherever the target is. A system's
/// temporary folder is often memory, where a sync costs nothing and the figures mean nothing.
fn scratch() -> std::io::Result<std::path::PathBuf> {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn p(h: &hdrhistogram::Histogram<u64>, quantile: f64) -> u64 {
    h.value_at_quantile(quantile)
}
