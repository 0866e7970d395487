//! SIGINT, SIGTERM and SIGHUP in a command that writes many files: it stops between two vouchers
//! and leaves all files complete.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, OwnerSigner, PublicKey};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::Failure;
use crate::outcome::SIGNALLED;
use crate::progress::FileProgress;
use crate::warnings::Warnings;

/// Whether the user or the system has asked the program to stop, and by which signal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on the first signal is only recorded. A second one ends the program at once, by the
    /// default action.
    pub(crate) fn install() -> Result<Self, Failure> {
        let signal = Arc::new(AtomicUsize::new(0));
        let noted = Arc::new(AtomicBool::new(false));
        for number in [
            SIGINT,
            SIGTERM,
            #[cfg(unix)]
            signal_hook::consts::SIGHUP,
        ] {
            let code = usize::try_from(number).unwrap_or(0);
            // The order matters: at the first signal nothing is recorded yet.
            let done = flag::register_conditional_shutdown(
                number,
                number.saturating_add(SIGNALLED.into()),
                Arc::clone(&noted),
            )
            .and_then(|_| flag::register(number, Arc::clone(&noted)))
            .and_then(|_| flag::register_usize(number, Arc::clone(&signal), code));
            done.map_err(|error| Failure::Message(format!("cannot watch signals: {error}")))?;
        }
        Ok(Self(signal))
    }

    /// The exit code of a program that a signal has stopped; `None` if there was no signal.
    pub(crate) fn code(&self) -> Option<u8> {
        let signal = u8::try_from(self.0.load(Ordering::Relaxed)).ok()?;
        (signal != 0).then(|| signal.saturating_add(SIGNALLED))
    }

    /// An error if new work must not be started.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.code() {
            Some(_) => Err(Error::signer("stopped by a signal")),
            None => Ok(()),
        }
    }
}

/// A signer that stops signing after a signal, so that a long group ends soon. It prints pending
/// warnings before it signs, and counts afterwards.
pub(crate) struct Stoppable<'s> {
    pub(crate) signer: Box<dyn OwnerSigner + Send + Sync + 's>,
    pub(crate) interrupt: &'s Interrupt,
    pub(crate) warnings: &'s Warnings,
    pub(crate) progress: &'s FileProgress,
}

impl OwnerSigner for Stoppable<'_> {
    fn public_key(&self) -> Option<PublicKey> {
        self.signer.public_key()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.interrupt.check()?;
        self.progress.aside(|| self.warnings.say());
        let signature = self.signer.sign(algorithm, message);
        self.progress.step();
        signature
    }
}
