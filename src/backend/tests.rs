//! Which back end a test is about, and that no test passes without having run.
//!
//! A test runs on what every CPU has: the portable back end, and emulated lanes where the code stands
//! on [`Word`](super::lanes::Word). The same test on AVX-512 IFMA is another one, which [`on_ifma`]
//! makes and the harness reports as ignored, with the reason. Where the CPU has the instructions,
//! the test in this file runs them all.

pub(crate) mod intervals;
pub(crate) mod ledger;

use alloc::{format, string::String, vec, vec::Vec};
use core::cell::Cell;
use std::io::Write as _;
use std::process::Command;

#[cfg(target_arch = "x86_64")]
use super::Avx512Ifma;
use super::Backend;

std::thread_local! {
    static ON_IFMA: Cell<bool> = const { Cell::new(false) };
}

/// The back ends that the running test is about: what every CPU has, or AVX-512 IFMA alone.
pub(crate) fn backends() -> Vec<Backend> {
    if !ON_IFMA.get() {
        return vec![Backend::Portable];
    }
    #[cfg(target_arch = "x86_64")]
    return vec![Backend::Ifma(ifma())];
    #[cfg(not(target_arch = "x86_64"))]
    panic!("no AVX-512 IFMA and VBMI2, which this test needs");
}

/// The token, for a test that [`on_ifma`] makes.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ifma() -> Avx512Ifma {
    Avx512Ifma::detect().expect("AVX-512 IFMA, which this test needs")
}

/// Runs a test on AVX-512 IFMA.
pub(crate) fn run_on_ifma(test: fn()) {
    /// A test that fails leaves nothing behind in its thread.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            ON_IFMA.set(false);
        }
    }
    let _end = End;
    ON_IFMA.set(true);
    test();
}

/// Makes tests on AVX-512 IFMA of functions, which may be tests as well, on what every CPU has.
macro_rules! on_ifma {
    (long: $($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        mod ifma_long {
            $(
                $(#[$attribute])*
                #[test]
                #[ignore = "long, and needs AVX-512 IFMA: run with --release -- --ignored"]
                fn $test() {
                    $crate::backend::tests::run_on_ifma(super::$test);
                }
            )+
        }
    };
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        mod ifma {
            $(
                $(#[$attribute])*
                #[test]
                #[ignore = "needs AVX-512 IFMA"]
                fn $test() {
                    $crate::backend::tests::run_on_ifma(super::$test);
                }
            )+
        }
    };
}
pub(crate) use on_ifma;

/// A number of cases: `quick` where code is not optimised, and `all` where the long unit tests run.
pub(crate) const fn cases(quick: usize, all: usize) -> usize {
    if cfg!(debug_assertions) { quick } else { all }
}

/// What the harness says of the tests that need AVX-512 IFMA.
fn harness(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command.arg("::ifma::").args(arguments).output();
    let output = output.expect("this program runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

/// Tests that need AVX-512 IFMA are reported as ignored, and run where the CPU has it. `.ci/skip` reads
/// the line that says that they did not run.
#[test]
fn lanes_are_ignored_or_run() {
    let (_, ignored) = harness(&["--list", "--ignored"]);
    let (_, all) = harness(&["--list"]);
    assert_eq!(ignored, all, "some pass everywhere");
    let count = ignored.matches(": test\n").count();
    assert!(count > 20, "{count} tests\n{ignored}");

    #[cfg(target_arch = "x86_64")]
    let missing = Avx512Ifma::detect().is_none();
    #[cfg(not(target_arch = "x86_64"))]
    let missing = true;
    if missing {
        // Past the harness, which keeps what is printed to itself.
        let line = format!(
            "\n!!! did not run: {count} unit tests, because this CPU lacks AVX-512 IFMA or VBMI2\n"
        );
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("written");
    } else {
        let (passed, text) = harness(&["--ignored"]);
        let wanted = format!("{count} passed; 0 failed; 0 ignored");
        assert!(passed && text.contains(&wanted), "{text}");
    }
}
