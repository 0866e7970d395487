//! A program that signs: one run for each voucher, with the message or its digest on the standard input
//! and the signature on the standard output.

use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, Guid, OwnerSigner, PublicKey};

use crate::cli::{SignerArgs, SignerInput};
use crate::lines::plain;
use crate::report::{count, hex};

/// More than any signature, and than a message about a failure should have.
const MOST: usize = 4096;
/// How long the pipes are read after the program has ended. What it wrote is in them by then; a program
/// that it left behind may hold them open for ever.
const GRACE: Duration = Duration::from_secs(1);
/// The longest pause before the program is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// The program, and what it reads.
pub(crate) struct SignerCommand {
    program: PathBuf,
    input: SignerInput,
    limit: Duration,
}

/// The program for one voucher.
pub(crate) struct SignerFor<'c> {
    command: &'c SignerCommand,
    owner: PublicKey,
    guid: String,
}

impl SignerCommand {
    /// The program that the options name. A run that takes longer than they say is ended.
    pub(crate) fn new(args: &SignerArgs) -> Option<Self> {
        Some(Self {
            program: args.signer_command.clone()?,
            input: args.signer_input,
            limit: Duration::from_secs(args.signer_timeout),
        })
    }

    /// Its owner is who has to sign; whether the program has that key shows in the signature.
    pub(crate) fn of(&self, owner: &PublicKey, guid: Guid) -> SignerFor<'_> {
        SignerFor {
            command: self,
            owner: owner.clone(),
            guid: guid.to_string(),
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
        run(command, input, self.command.limit).map_err(|why| {
            let program = plain(&program.to_string_lossy());
            Error::signer(format!("{program}: {why}"))
        })
    }
}

/// The output of a program that ends well, and in time.
fn run(mut command: Command, input: &[u8], limit: Duration) -> Result<Vec<u8>, String> {
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let done = answer(&mut child, input.to_vec(), begun, limit);
    if done.is_err() {
        // One that has ended is not there any more, which is as well.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (status, said) = done?;
    if !status.success() {
        return Err(format!("{status}{}", last_line(&said.errors)));
    }
    match said.output.is_empty() {
        true => Err("wrote no signature".into()),
        false => Ok(said.output),
    }
}

/// What a program wrote.
#[derive(Default)]
struct Said {
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// A piece of it.
enum Piece {
    Output(Vec<u8>),
    Errors(Vec<u8>),
}

/// Reads what the program writes until it has ended. After an error it may still run.
fn answer(
    child: &mut Child,
    input: Vec<u8>,
    begun: Instant,
    limit: Duration,
) -> Result<(ExitStatus, Said), String> {
    let pieces = talk(child, input)?;
    let mut said = Said::default();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    let mut open = true;
    let mut pause = Duration::from_millis(1);
    loop {
        match pieces.recv_timeout(pause) {
            Ok(piece) => said.add(piece)?,
            Err(RecvTimeoutError::Timeout) => pause = pause.saturating_mul(2).min(PAUSE),
            // Both pipes are closed: it is about to end, or goes on in silence.
            Err(RecvTimeoutError::Disconnected) => {
                if open {
                    (open, pause) = (false, Duration::from_millis(1));
                } else if ended.is_none() {
                    thread::sleep(pause);
                    pause = pause.saturating_mul(2).min(PAUSE);
                }
            }
        }
        if ended.is_none() {
            let status = child.try_wait();
            let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
            ended = status.map(|status| (status, Instant::now()));
        }
        match ended {
            Some((status, at)) if !open || at.elapsed() >= GRACE => return Ok((status, said)),
            None if begun.elapsed() >= limit => {
                return Err(format!(
                    "did not end within {} (--signer-timeout){}",
                    count(
                        usize::try_from(limit.as_secs()).unwrap_or(usize::MAX),
                        "second",
                        "seconds"
                    ),
                    last_line(&said.errors)
                ));
            }
            _ => {}
        }
    }
}

impl Said {
    /// More than a signature is an error, and a long complaint is cut.
    fn add(&mut self, piece: Piece) -> Result<(), String> {
        match piece {
            Piece::Output(bytes) => {
                self.output.extend(bytes);
                if self.output.len() > MOST {
                    return Err(format!(
                        "wrote more than {MOST} bytes; a signature expected"
                    ));
                }
            }
            Piece::Errors(bytes) => {
                let room = MOST.saturating_sub(self.errors.len());
                self.errors.extend(bytes.into_iter().take(room));
            }
        }
        Ok(())
    }
}

/// Threads for all three pipes: a program may answer before it has read everything, or complain first.
/// Nobody waits for them, because a program that is left behind may hold the pipes. They end once the pipe
/// is closed, or at the next piece after the receiver is gone.
fn talk(child: &mut Child, input: Vec<u8>) -> Result<Receiver<Piece>, String> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut to), Some(output), Some(errors)) = pipes else {
        return Err("cannot be run: no pipe".into());
    };
    let (sender, receiver) = sync_channel(1);
    let second = sender.clone();
    start(move || pass(output, &sender, Piece::Output))?;
    start(move || pass(errors, &second, Piece::Errors))?;
    start(move || {
        // A program that does not want all of it has closed the pipe.
        let _ = to.write_all(&input);
    })?;
    Ok(receiver)
}

fn start(work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = thread::Builder::new().spawn(work);
    thread
        .map(|_| ())
        .map_err(|error| format!("cannot be run: no thread: {error}"))
}

/// Passes on what a pipe gives, until it is closed or nobody receives it.
fn pass(mut pipe: impl Read, to: &SyncSender<Piece>, piece: fn(Vec<u8>) -> Piece) {
    let mut buffer = [0; MOST];
    loop {
        let len = match pipe.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return,
            Ok(len) => len,
        };
        let bytes = buffer.get(..len).unwrap_or_default().to_vec();
        if to.send(piece(bytes)).is_err() {
            return;
        }
    }
}

/// The last line of a complaint, behind a colon.
fn last_line(complaint: &[u8]) -> String {
    let said = String::from_utf8_lossy(complaint);
    let said = said.lines().rev().find(|line| !line.trim().is_empty());
    said.map_or(String::new(), |line| format!(": {}", plain(line.trim())))
}
