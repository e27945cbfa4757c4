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
    /// The part that waited no longer than four of five were said to.
    within: f64,
    known: f64,
}

fn quality<'a>(waited: impl Iterator<Item = &'a Waited>) -> Quality {
    let (mut n, mut known, mut within, mut actual) = (0.0, 0.0, 0.0, 0.0);
    let (mut told, mut known_actual, mut squares) = (0.0, 0.0, 0.0);
    for w in waited {
        n += 1.0;
        actual += w.actual;
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
#[ignore = "takes half a minute with optimisation; the short form runs always"]
fn the_reference_table_holds() {
    println!("agents theta  load  mean wait (table)   bias     error (table)  ratio  within p80");
    for (agents, theta, load, mean_wait, error) in ROWS {
        let q = row(agents, theta, load, 1_500_000.0);
        println!(
            "{agents:6} {theta:5} {load:5}  {:9.4} ({mean_wait:6.4})  {:+6.2} %  {:5.3} ({error:5.3})  {:6.3}  {:5.3}",
            q.mean_wait,
            q.bias * 100.0,
            q.error,
            q.error / error,
            q.within
        );
        assert!(q.bias.abs() < 0.01, "{q:?}");
        assert!(q.error < error * 1.05, "{q:?}");
    }
}
