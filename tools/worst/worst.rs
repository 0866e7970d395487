//! What the worst input found costs, against an honest one of the same size: `.ci/worst` runs it.
//!
//! `worst make DIR` writes the inputs, an honest one of the same size beside each; `worst pairs`
//! prints which operation is measured on which input; `worst run OPERATION FILE` does one operation
//! once, inside of a function for callgrind to find; `worst memory OPERATION FILE` prints the bytes
//! of heap that it had at most.

mod inputs;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use ownership_voucher::batch::Engine;
use ownership_voucher::diagnostic;
use ownership_voucher::privacy::Linker;
use ownership_voucher::text::Secrets;
use ownership_voucher::{BatchVerifier, Limits, Policy, Voucher, audit, file};

/// Counts the bytes that are allocated, and the most that there were.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What is done with vouchers, and with other files.
const VOUCHER: &[&str] = &["parse", "verify", "batch", "audit", "privacy", "diagnostic"];
const FILE: &[&str] = &["file"];

/// The function that callgrind counts: what it gives back keeps the work from being left out.
#[inline(never)]
fn measured(operation: &str, bytes: &[u8]) -> usize {
    let policy = Policy::any_origin();
    match operation {
        "parse" => Voucher::parse(bytes).map_or(0, |voucher| voucher.entries().len()),
        "verify" => policy.verify(bytes).map_or(0, |_| 1),
        "batch" => {
            let policy = policy.clone().with_engine(Engine::Portable);
            let mut verifier = BatchVerifier::new(&policy);
            let list = [bytes];
            let verdicts = verifier.verify(&list);
            verdicts.iter().filter(|verdict| verdict.is_ok()).count()
        }
        "audit" => {
            let found = audit(bytes, &policy);
            found.errors.len() + found.findings.len()
        }
        "privacy" => {
            let limits = Limits::new();
            let Ok(voucher) = Voucher::parse(bytes) else {
                return 0;
            };
            let mut linker = Linker::new([7; 32]);
            linker.add(&voucher).expect("few vouchers");
            voucher.disclosures(&limits, Secrets::Shown).len() + linker.finish().vouchers()
        }
        "diagnostic" => diagnostic::notation(bytes, Secrets::Withheld).text.len(),
        "file" => {
            // Past every block that cannot be read, to the end.
            let vouchers = file::Vouchers::new(bytes);
            vouchers
                .map(|voucher| voucher.map_or(0, |bytes| bytes.len()))
                .sum()
        }
        _ => unreachable!("an operation of the list"),
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes);
    for input in inputs::vouchers() {
        let honest = inputs::honest(input.bytes.len());
        let off = honest.len().abs_diff(input.bytes.len());
        assert!(
            off * 30 < input.bytes.len(),
            "{}: {off} bytes off",
            input.name
        );
        write(input.name, &input.bytes)?;
        write(&format!("{}.honest", input.name), &honest)?;
    }
    for input in inputs::files() {
        write(input.name, &input.bytes)?;
        let honest = inputs::honest_file(input.bytes.len());
        write(&format!("{}.honest", input.name), &honest)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["make", folder] => make(Path::new(folder)).expect("a folder to write to"),
        ["pairs"] => {
            let pairs = |operations: &[&str], inputs: Vec<inputs::Input>| {
                for input in inputs {
                    for operation in operations {
                        println!("{operation} {}", input.name);
                    }
                }
            };
            pairs(VOUCHER, inputs::vouchers());
            pairs(FILE, inputs::files());
        }
        ["run", operation, path] => {
            let bytes = std::fs::read(path).expect("an input");
            println!("{}", measured(operation, &bytes));
        }
        ["memory", operation, path] => {
            let bytes = std::fs::read(path).expect("an input");
            let before = NOW.load(Ordering::Relaxed);
            MOST.store(before, Ordering::Relaxed);
            measured(operation, &bytes);
            println!("{}", MOST.load(Ordering::Relaxed) - before);
        }
        _ => {
            eprintln!("usage: worst make DIR | pairs | run OPERATION FILE | memory OPERATION FILE");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
