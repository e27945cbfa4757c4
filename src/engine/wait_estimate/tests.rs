//! The sums against adding them up, and the quantile against waits made by chance.

mod center;
mod delay;

use super::*;

#[test]
fn the_sum_is_right_for_every_ratio() {
    for c in [1e-4, 0.3, 1.0, 40.0, 1e5] {
        for ratio in [0.0, 1e-12, 1e-9, 1e-6, 1e-3, 0.1, 1.0, 30.0, 1e4] {
            for ahead in [0usize, 1, 7, 8, 9, 20, 400, 30_000] {
                let theta = c * ratio;
                let (mut mean, mut variance) = (0.0, 0.0);
                // From the smallest, so that adding up loses nothing.
                for i in (0..=ahead).rev() {
                    let each = 1.0 / (c + i as f64 * theta);
                    mean += each;
                    variance += each * each;
                }
                let (m, v) = departures(c, theta, ahead);
                assert!((m / mean - 1.0).abs() < 1e-6, "{m} {mean}: {c} {ratio} {ahead}");
                assert!((v / variance - 1.0).abs() < 1e-6, "{v} {variance}: {c} {ratio} {ahead}");
            }
        }
    }
    let (mean, variance) = departures(f64::INFINITY, 0.1, 1_000);
    assert_eq!((mean, variance, quantile(mean, variance)), (0.0, 0.0, 0.0));
}

#[test]
fn the_quantile_is_that_of_one_time_and_of_many() {
    let one = quantile(2.0, 4.0);
    assert!((one / (2.0 * 5f64.ln()) - 1.0).abs() < 0.01, "{one}");
    let (mean, variance) = departures(1.0, 0.0, 9_999);
    assert!((quantile(mean, variance) - (1e4 + 84.16)).abs() < 0.2);
}
