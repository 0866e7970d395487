//! Results of commands.

/// The result of a command that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Success: 0.
    Good,
    /// Nothing was rejected, but the origin of some voucher was not checked: 3.
    Unanchored,
    /// Some voucher was rejected, or a fork was found: 1.
    Rejected,
    /// Some file could not be read or holds no voucher; the rest was processed: 2.
    Trouble,
    /// A signal stopped the work at a point from which it can be resumed: 128 plus the signal.
    Stopped(u8),
}

/// Why a command could not continue: usage or I/O.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A message to the user.
    Message(String),
    /// The reader has closed our output; no message can be delivered.
    Pipe,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::Message(message.into())
    }
}
