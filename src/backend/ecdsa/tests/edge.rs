//! Constructed exceptional cases.
