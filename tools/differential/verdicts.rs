//! Prints a verdict for every voucher on standard input: the other side of `differential.py`.
//!
//! Each voucher comes after its length in four bytes, big-endian. Arguments are the names of
//! allowances, and `strict`. One line for each voucher: `verified` and its deviations as
//! `kind@entry`, or `rejected`, the kind of the error and the entry; `-` stands for no entry.

use std::io::{BufWriter, Read as _, Write as _};

use ownership_voucher::{Allowance, Policy, Voucher, audit};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut policy = Policy::any_origin();
    for argument in std::env::args().skip(1) {
        policy = match Allowance::from_name(&argument) {
            Some(allowance) => policy.allow(allowance),
            None if argument == "strict" => policy.strict(),
            None => return Err(format!("what is {argument}?").into()),
        };
    }
    let place = |entry: Option<usize>| entry.map_or("-".to_owned(), |entry| entry.to_string());
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut rest = &*input;
    while let Some((len, tail)) = rest.split_first_chunk() {
        let len = u32::from_be_bytes(*len) as usize;
        let (voucher, tail) = tail.split_at_checked(len).ok_or("the input ends early")?;
        rest = tail;
        let result = Voucher::parse(voucher).and_then(|voucher| voucher.verify(&policy));
        let audit = audit(voucher, &policy);
        if audit.errors.first() != result.as_ref().err() {
            return Err("an audit begins with another error".into());
        }
        match result {
            Ok(_) => {
                write!(out, "verified")?;
                for finding in audit.findings {
                    let bytes = finding.kind.is_deviation() && finding.kind.code() < 750;
                    if bytes && finding.kind.name() != "hash-table" {
                        write!(out, " {}@{}", finding.kind.name(), place(finding.entry))?;
                    }
                }
                writeln!(out)?;
            }
            Err(error) => {
                let (kind, entry) = (error.kind().name(), place(error.entry()));
                writeln!(out, "rejected {kind} {entry}")?;
            }
        }
    }
    Ok(())
}
