//! A program that signs: one run for each voucher, with the message or its digest on the standard input
//! and the signature on the standard output.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, OwnerSigner, PublicKey, VerifiedVoucher};

use crate::cli::SignerInput;
use crate::lines::plain;
use crate::report::hex;

/// More than any signature, and than a message about a failure should have.
const MOST: u64 = 4096;

/// The program, and what it reads.
pub(crate) struct SignerCommand {
    program: PathBuf,
    input: SignerInput,
}

/// The program for one voucher.
pub(crate) struct SignerFor<'c> {
    command: &'c SignerCommand,
    owner: PublicKey,
    guid: String,
}

impl SignerCommand {
    pub(crate) fn new(program: &Path, input: SignerInput) -> Self {
        Self {
            program: program.to_path_buf(),
            input,
        }
    }

    /// Its owner is who has to sign; whether the program has that key shows in the signature.
    pub(crate) fn of(&self, voucher: &VerifiedVoucher<'_>) -> SignerFor<'_> {
        SignerFor {
            command: self,
            owner: voucher.owner().clone(),
            guid: voucher.guid().to_string(),
        }
    }
}

impl OwnerSigner for SignerFor<'_> {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.owner.clone())
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest;
        let input = match self.command.input {
            SignerInput::Message => message,
            SignerInput::Digest => {
                let hash = algorithm.hash();
                let hash =
                    hash.ok_or_else(|| Error::signer("Ed25519 signs messages, not digests"))?;
                digest = hash.digest(&[message]);
                digest.as_bytes()
            }
        };
        let program = &self.command.program;
        let mut command = Command::new(program);
        command
            .env("OV_ALGORITHM", algorithm.name())
            .env("OV_OWNER", hex(&self.owner.fingerprint()))
            .env("OV_GUID", &self.guid)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        run(command, input).map_err(|why| {
            let program = plain(&program.to_string_lossy());
            Error::signer(format!("{program}: {why}"))
        })
    }
}

/// The output of a program that ends well.
fn run(mut command: Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut to), Some(from), Some(errors)) = pipes else {
        return Err("cannot be run: no pipe".into());
    };
    // All three at once: a program may answer before it has read everything, or complain first.
    let (output, complaint) = std::thread::scope(|scope| {
        let errors = scope.spawn(move || bounded(errors));
        scope.spawn(move || {
            // A program that does not want all of it has closed the pipe.
            let _ = to.write_all(input);
        });
        let output = bounded(from);
        (output, errors.join().unwrap_or_default())
    });
    ended(child, &complaint)?;
    match output.len() {
        0 => Err("wrote no signature".into()),
        len if len as u64 > MOST => Err(format!(
            "wrote more than {MOST} bytes; a signature expected"
        )),
        _ => Ok(output),
    }
}

/// What a pipe gives, and one byte more than it may.
fn bounded(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = (&mut pipe)
        .take(MOST.saturating_add(1))
        .read_to_end(&mut bytes);
    // The rest is read, so that the program can end.
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    bytes
}

/// Fails with what the program said if it did not end well.
fn ended(mut child: Child, complaint: &[u8]) -> Result<(), String> {
    let status = child
        .wait()
        .map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(complaint);
    let said = said.lines().rev().find(|line| !line.trim().is_empty());
    let said = said.map_or(String::new(), |line| format!(": {}", plain(line.trim())));
    Err(format!("{status}{said}"))
}
