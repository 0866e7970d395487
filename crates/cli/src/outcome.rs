//! Results of commands, and their exit codes.

/// All is well.
pub(crate) const GOOD: u8 = 0;
/// Something was rejected.
pub(crate) const REJECTED: u8 = 1;
/// An error of usage, reading or writing.
pub(crate) const TROUBLE: u8 = 2;
/// Nothing was rejected, but an origin was not checked.
pub(crate) const UNANCHORED: u8 = 3;
/// A signal stopped the work: this plus its number.
pub(crate) const SIGNALLED: u8 = 128;
/// The reader of a report closed it: what shells say of programs that the signal SIGPIPE ended. It
/// is not 0, which would be a verdict on vouchers that nobody has looked at.
pub(crate) const CLOSED: u8 = 141;

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

impl Outcome {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Good => GOOD,
            Self::Unanchored => UNANCHORED,
            Self::Rejected => REJECTED,
            Self::Trouble => TROUBLE,
            Self::Stopped(code) => code,
        }
    }
}

/// Why a command could not continue.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A message to the user: 2.
    Message(String),
    /// The same about a voucher, a challenge or a proof that was rejected: 1.
    Rejected(String),
    /// The reader of a report has closed it, as `head` does. That is no error, but no verdict
    /// either.
    Closed,
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
