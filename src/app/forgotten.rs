//! Forgetting a customer, seen from the files of a whole router.
