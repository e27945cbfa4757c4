//! The estimate against the reference table and under a change of load.

use super::center::{Center, Waited};

/// Agents, rate of giving up, load, mean wait and relative error of the estimate, from
/// `delay.csv`.
const ROWS: [(u32, f64, f64, f64, f64); 4] = [
    (100, 1.0, 1.05, 0.1027, 0.303),
    (100, 1.0, 1.4, 0.3395, 0.158),
    (100, 1.0, 5.0, 1.610, 0.056),
    (20, 1.0, 1.4, 0.382, 0.328),
];
/// Time after which rates are known, in mean service times.
const WARM_UP: f64 = 100.0;

#[derive(Debug)]
struct Quality {
    mean_wait: f64,
    /// Mean of the estimates over the mean wait, less one.
    bias: f64,
    /// Root of the average squared error over the mean wait.
    error: f64,
    /// The same with the true rates in place of those that the engine measured.
    ideal: f64,
    /// The part that waited no longer than four of five were said to.
    within: f64,
    known: f64,
}

fn quality<'a>(waited: impl Iterator<Item = &'a Waited>) -> Quality {
    let (mut n, mut known, mut within, mut actual) = (0.0, 0.0, 0.0, 0.0);
    let (mut told, mut known_actual, mut squares, mut ideal) = (0.0, 0.0, 0.0, 0.0);
    for w in waited {
        n += 1.0;
        actual += w.actual;
        ideal += (w.ideal - w.actual).powi(2);
        if let Some((mean, p80)) = w.told {
            known += 1.0;
            told += mean;
            known_actual += w.actual;
            squares += (mean - w.actual).powi(2);
            within += f64::from(u8::from(w.actual <= p80));
        }
    }
    let mean_wait = actual / n;
    Quality {
        mean_wait,
        bias: told / known_actual - 1.0,
        error: (squares / known).sqrt() / mean_wait,
        ideal: (ideal / n).sqrt() / mean_wait,
        within: within / known,
        known: known / n,
    }
}

fn row(agents: u32, theta: f64, load: f64, arrivals: f64) -> Quality {
    let load = load * f64::from(agents);
    let mut center = Center::new(agents, theta, load, 7);
    center.runs(WARM_UP);
    center.runs(arrivals / load);
    quality(center.waited.iter().filter(|w| w.came > WARM_UP))
}

#[test]
fn a_short_form_of_the_reference_table_holds() {
    for (agents, theta, load, mean_wait, error) in ROWS {
        let q = row(agents, theta, load, 40_000.0);
        assert!((q.mean_wait / mean_wait - 1.0).abs() < 0.15, "{q:?}");
        assert!(q.bias.abs() < 0.05, "{q:?}");
        assert!(q.error < error * 1.2, "{q:?}");
        assert!((0.75..0.86).contains(&q.within), "{q:?}");
        assert!(q.known > 0.999, "{q:?}");
    }
}

/// `cargo test --release --lib -- --ignored --nocapture reference_table`
#[test]
#[ignore = "takes a minute with optimisation; the short form runs always"]
fn the_reference_table_holds() {
    // Beside the table others, for which the same formula with the true rates is the measure.
    let others = [
        (100, 1.0, 1.2),
        (20, 1.0, 1.05),
        (20, 0.25, 1.2),
        (100, 4.0, 1.4),
        (10, 2.0, 2.0),
        (400, 1.0, 1.4),
    ];
    let rows = ROWS.iter().map(|(s, theta, load, _, error)| (*s, *theta, *load, Some(*error)));
    let others = others.map(|(s, theta, load)| (s, theta, load, None));
    println!("agents theta  load  mean wait   bias     error (true rates)  ratio  within p80");
    for (agents, theta, load, error) in rows.chain(others) {
        let q = row(agents, theta, load, 1_500_000.0);
        println!(
            "{agents:6} {theta:5} {load:5}  {:9.4}  {:+6.2} %  {:5.3} ({:5.3})       {:6.3}  {:5.3}",
            q.mean_wait,
            q.bias * 100.0,
            q.error,
            q.ideal,
            q.error / q.ideal,
            q.within
        );
        assert!(q.bias.abs() < 0.01, "{q:?}");
        assert!(q.error < error.unwrap_or(q.ideal) * 1.05, "{q:?}");
        assert!((0.79..0.82).contains(&q.within), "{q:?}");
    }
}

#[test]
fn the_estimate_follows_a_change_of_load_and_of_staff() {
    let mut center = Center::new(100, 0.5, 110.0, 3);
    center.runs(WARM_UP);
    let before = center.told_next().expect("known").mean;
    center.load = 220.0;
    center.staff(50);
    let fewer = center.told_next().expect("known").mean;
    let ratio = fewer.as_secs_f64() / before.as_secs_f64();
    assert!((1.6..2.1).contains(&ratio), "half of the agents, at once: {before:?} {fewer:?}");
    center.runs(12.0);
    // In spans of five minutes, by when they came. Those who leave first end what they have.
    for part in 0..6 {
        let from = WARM_UP + f64::from(part);
        let came = |w: &&Waited| (from..from + 1.0).contains(&w.came);
        let q = quality(center.waited.iter().filter(came));
        println!("{part}: {q:?}");
        assert!(q.bias.abs() < 0.1, "{part}: {q:?}");
        assert!(q.error < 0.15, "{part}: {q:?}");
    }
    let long = center.told_next().expect("known").mean;
    center.staff(100);
    let short = center.told_next().expect("known").mean;
    let ratio = short.as_secs_f64() / long.as_secs_f64();
    assert!((0.5..0.8).contains(&ratio), "fifty sign in: {long:?} {short:?}");
}
