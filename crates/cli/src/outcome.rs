//! How commands end.

/// How a command ended, other than by a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Everything is as wanted: 0.
    Good,
    /// Nothing was rejected, and of some voucher the origin was not checked: 3.
    Unanchored,
    /// Some voucher was rejected, or a fork was found: 1.
    Rejected,
    /// Some file could not be read or holds no voucher; the rest was worked on: 2.
    Trouble,
    /// A signal stopped the work at a place from which it can go on: 128 and the signal.
    Stopped(u8),
}

/// Why a command could not go on: usage or I/O.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Said to the user.
    Message(String),
    /// The reader of our output has gone; nobody is there to be told.
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
