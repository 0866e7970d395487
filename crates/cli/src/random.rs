//! Random bytes.

use crate::Failure;

/// Random bytes from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes)
        .map_err(|error| Failure::Message(format!("the system gives no random bytes: {error}")))
}
