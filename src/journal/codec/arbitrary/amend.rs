//! Any amended recall, and anybody who was told something before.

use super::{Any, Source};
use crate::engine::event::{Amended, Amends as Done, Rechecked};
use crate::engine::recall::{Amends, Reach, Told};

pick! {
    Done { Corrected, FollowUp, Unreachable }
}
structs! {
    Amended { recall, plan, expires }
    Rechecked { recall, upto, affected }
    Told { contact, lots, reach }
    Reach { customer, of }
}

impl Any for Amends {
    fn any(from: &mut Source) -> Self {
        let told: Vec<Told> = Any::any(from);
        let mut amends = Self {
            times: Any::any(from),
            recheck: Any::any(from),
            follow_ups: Any::any(from),
            corrected: Any::any(from),
            unreachable: Any::any(from),
            forgotten: Any::any(from),
            ..Self::default()
        };
        for (n, told) in (0..).zip(told) {
            amends.remember(Told { contact: crate::ids::ContactId(n), ..told });
        }
        amends
    }
}
