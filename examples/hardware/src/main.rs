//! `hw`: owner keys, device secrets and whole shipments in a TPM 2.0 or behind PKCS#11.
#![deny(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hardware::shipment::Shipment;
use hardware::token::Token;
use hardware::tpm::Tpm;
use hardware::{Failure, Keeper, KeyKind, Result, Signer, files};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::{Challenge, ProveDvNonce, SetupDvNonce, device_key, prove_device};
use ownership_voucher::{
    ExtendOptions, Guid, HandOver, KeyOrChain, KeyType, NewVoucher, OwnerSigner as _, Policy,
    PublicKey, file,
};
use zeroize::Zeroizing;

/// Owner keys in hardware: make keys and vouchers, hand them over, prove ownership
#[derive(Parser)]
#[command(name = "hw")]
struct Cli {
    #[command(subcommand)]
    keeper: Which,
}

#[derive(Subcommand)]
enum Which {
    /// A TPM 2.0; names of keys are persistent handles, 0x81000000 to 0x817fffff
    Tpm {
        /// The address of the TPM, as tpm2-tss spells it
        #[arg(long, env = "TPM2TOOLS_TCTI", default_value = "device:/dev/tpmrm0")]
        tcti: String,
        #[command(flatten)]
        pin: Pin,
        #[command(subcommand)]
        command: Command,
    },
    /// A token behind PKCS#11; names of keys are labels
    Pkcs11 {
        /// The module of the token
        #[arg(
            long,
            env = "PKCS11_MODULE",
            default_value = "/usr/lib/softhsm/libsofthsm2.so"
        )]
        module: PathBuf,
        /// The label of the token
        #[arg(long, env = "PKCS11_TOKEN")]
        token: String,
        #[command(flatten)]
        pin: Pin,
        #[command(subcommand)]
        command: Command,
    },
}

/// There is no argument for the PIN itself: other users of the machine see arguments.
#[derive(Args)]
struct Pin {
    /// A file with the PIN in its first line
    #[arg(long, env = "OV_PIN_FILE", value_name = "FILE")]
    pin_file: PathBuf,
}

impl Pin {
    fn read(&self) -> Result<Zeroizing<String>> {
        let bytes = Zeroizing::new(files::read(&self.pin_file)?);
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|_| Failure::Other("the PIN is not UTF-8".into()))?;
        Ok(Zeroizing::new(
            text.lines().next().unwrap_or_default().to_owned(),
        ))
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Hash {
    Sha256,
    Sha384,
}

#[derive(Subcommand)]
enum Command {
    /// Print a public key in PEM; with --make, make the key where there is none
    Key {
        name: String,
        #[arg(long, value_name = "KIND")]
        make: Option<KeyKind>,
    },
    /// Find the HMAC secret of a device; with --make, make it where there is none
    Secret {
        name: String,
        #[arg(long, value_name = "HASH")]
        make: Option<Hash>,
    },
    /// Make the first voucher of a device
    New {
        #[command(flatten)]
        device: Device,
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Make the first vouchers of many devices that share a secret, to try shipments with
    Fleet {
        #[command(flatten)]
        device: Device,
        #[arg(long)]
        count: u32,
        folder: PathBuf,
    },
    /// Hand a voucher over to the next owner
    Sell {
        /// The owner's key
        #[arg(long, value_name = "NAME")]
        key: String,
        /// The next owner: a public key in PEM
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        voucher: PathBuf,
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Hand all vouchers of a folder over into another folder; started again, it goes on
    Ship {
        #[arg(long, value_name = "NAME")]
        key: String,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Sessions that sign at a time. A TPM does one thing at a time
        #[arg(long, default_value_t = 1)]
        sessions: usize,
        from: PathBuf,
        into: PathBuf,
    },
    /// Answer a challenge that `ov challenge` has made; for `ov check-proof`
    Prove {
        #[arg(long, value_name = "NAME")]
        key: String,
        /// Whom you are talking to
        #[arg(long)]
        verifier: String,
        challenge: PathBuf,
        voucher: PathBuf,
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Prove as a device to its owner that it is the one of this voucher: TO2.ProveDevice
    Attest {
        /// The key of the device's certificate
        #[arg(long, value_name = "NAME")]
        key: String,
        /// The owner's nonce, NonceTO2ProveDv: 32 hexadecimal digits
        #[arg(long, value_name = "HEX")]
        nonce: String,
        voucher: PathBuf,
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Verify a voucher and ask the hardware for its HMAC
    Verify {
        /// The device's secret
        #[arg(long, value_name = "NAME")]
        secret: Option<String>,
        /// The key of the manufacturer
        #[arg(long, value_name = "FILE")]
        manufacturer: Option<PathBuf>,
        /// The key of the owner
        #[arg(long, value_name = "FILE")]
        owner: Option<PathBuf>,
        voucher: PathBuf,
    },
}

#[derive(Args)]
struct Device {
    /// The manufacturer's key
    #[arg(long, value_name = "NAME")]
    key: String,
    /// The device's HMAC secret
    #[arg(long, value_name = "NAME")]
    secret: String,
    /// The device's certificates in PEM, its own first; without them a device that attests by EPID
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    #[arg(long, default_value = "Model 7")]
    info: String,
    /// Where device and owner meet
    #[arg(long, default_value = "rv.example.com")]
    rendezvous: String,
    /// Lets an RSA key sign with PSS
    #[arg(long)]
    pss: bool,
}

fn main() -> ExitCode {
    // tpm2-tss writes what it thinks of each answer to the standard error; ours is enough.
    if std::env::var_os("TSS2_LOG").is_none() {
        // SAFETY: no other thread is there yet.
        unsafe { std::env::set_var("TSS2_LOG", "all+NONE") };
    }
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hw: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    match &cli.keeper {
        Which::Tpm { tcti, pin, command } => act(&Tpm::open(tcti, &pin.read()?)?, command),
        Which::Pkcs11 {
            module,
            token,
            pin,
            command,
        } => {
            let module = module.to_string_lossy();
            act(&Token::open(&module, token, &pin.read()?)?, command)
        }
    }
}

fn act(keeper: &dyn Keeper, command: &Command) -> Result<()> {
    match command {
        Command::Key { name, make } => {
            let signer = match (keeper.key(name), make) {
                (Err(Failure::NoKey(_)), Some(kind)) => keeper.make_key(name, *kind)?,
                (found, _) => found?,
            };
            let key = public(&signer)?;
            match make.filter(|kind| !is_of_kind(&key, *kind)) {
                None => print(&files::to_pem(&key)?),
                Some(kind) => Err(Failure::WrongKind {
                    name: name.clone(),
                    found: format!(
                        "a key of {} bits, {}",
                        key.bits(),
                        key.default_key_type().name()
                    ),
                    wanted: format!("{kind:?}"),
                }),
            }
        }
        Command::Secret { name, make } => match (keeper.secret(name), make) {
            (Err(Failure::NoKey(_)), Some(hash)) => {
                let hash = match hash {
                    Hash::Sha256 => HashAlgorithm::Sha256,
                    Hash::Sha384 => HashAlgorithm::Sha384,
                };
                keeper.make_secret(name, hash).map(drop)
            }
            (found, _) => found.map(drop),
        },
        Command::New { device, output } => {
            let voucher = device.make(keeper)?()?;
            files::write_new(output, file::to_pem(&voucher).as_bytes())
        }
        Command::Fleet {
            device,
            count,
            folder,
        } => {
            let make = device.make(keeper)?;
            files::make_folder(folder)?;
            (0..*count).try_for_each(|number| {
                files::write_new(&folder.join(format!("{number:06}.cbor")), &make()?)
            })
        }
        Command::Sell {
            key,
            to,
            voucher,
            output,
        } => {
            let signer = keeper.key(key)?;
            let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
            let next = KeyOrChain::Key(files::public_key(to)?);
            let hand_over = HandOver::new(&policy, &*signer, &next, &options);
            let (sold, receipt) = hand_over.one(&files::voucher(voucher)?)?;
            files::write_new(output, file::to_pem(sold.as_bytes()).as_bytes())?;
            print(&format!(
                "{} is handed over by entry {}; whether its manufacturer is the right one was not \
                 checked (`ov verify --manufacturer` does)\n",
                receipt.guid, receipt.entry
            ))
        }
        Command::Ship {
            key,
            to,
            sessions,
            from,
            into,
        } => ship(keeper, key, to, *sessions, from, into),
        Command::Prove {
            key,
            verifier,
            challenge,
            voucher,
            output,
        } => {
            let bytes = files::voucher(voucher)?;
            let voucher = Policy::any_origin().verify(&bytes)?;
            let challenge = Challenge::from_cbor(&unwrap(challenge, "OWNERSHIP CHALLENGE")?)?;
            let answer = challenge.respond(&voucher, verifier)?;
            let proof = answer.sign(&keeper.key(key)?)?;
            let pem =
                pem_rfc7468::encode_string("OWNERSHIP PROOF", pem_rfc7468::LineEnding::LF, &proof);
            let pem = pem.map_err(|error| Failure::Other(error.to_string()))?;
            files::write_new(output, pem.as_bytes())
        }
        Command::Attest {
            key,
            nonce,
            voucher,
            output,
        } => {
            let wanted = || Failure::Other("--nonce: 32 hexadecimal digits expected".into());
            let number = u128::from_str_radix(nonce, 16).ok();
            let number = number.filter(|_| nonce.len() == 32).ok_or_else(wanted)?;
            let nonce = ProveDvNonce(number.to_be_bytes());
            let mut fresh = [0; 16];
            getrandom::fill(&mut fresh).map_err(|error| Failure::Other(error.to_string()))?;
            let bytes = files::voucher(voucher)?;
            let voucher = Policy::any_origin().verify(&bytes)?;
            let signer = keeper.key(key)?;
            let device = device_key(&voucher)?;
            // The key exchange that TO2 has here is a matter of the transport.
            let message = prove_device(voucher.guid(), nonce, SetupDvNonce(fresh), &[], &device);
            files::write_new(output, &message.sign(&signer)?)
        }
        Command::Verify {
            secret,
            manufacturer,
            owner,
            voucher,
        } => {
            let secret = secret
                .as_deref()
                .map(|name| keeper.secret(name))
                .transpose()?;
            let mut policy = Policy::any_origin();
            if let Some(secret) = &secret {
                policy = policy.with_hmac(&**secret);
            }
            if let Some(path) = manufacturer {
                policy = policy.with_manufacturer(files::public_key(path)?);
            }
            if let Some(path) = owner {
                policy = policy.with_owner(files::public_key(path)?);
            }
            let bytes = files::voucher(voucher)?;
            let verified = policy.verify(&bytes)?;
            let proved: Vec<_> = verified.proved().names().collect();
            // Without --secret or --manufacturer anybody may have made it.
            let verdict = match verified.proved().is_anchored() {
                true => "verified",
                false => "intact, origin not checked",
            };
            print(&format!(
                "{} {verdict}: {}\n",
                verified.guid(),
                proved.join(", ")
            ))
        }
    }
}

fn public(signer: &Signer) -> Result<PublicKey> {
    signer
        .public_key()
        .ok_or_else(|| Failure::Other("the key does not tell its public part".into()))
}

fn is_of_kind(key: &PublicKey, kind: KeyKind) -> bool {
    let curve = match kind {
        KeyKind::P256 => key.default_key_type() == KeyType::Secp256r1,
        KeyKind::P384 => key.default_key_type() == KeyType::Secp384r1,
        KeyKind::Rsa2048 | KeyKind::Rsa3072 => !matches!(
            key.default_key_type(),
            KeyType::Secp256r1 | KeyType::Secp384r1
        ),
    };
    let bits = match kind {
        KeyKind::P256 => 256,
        KeyKind::P384 => 384,
        KeyKind::Rsa2048 => 2048,
        KeyKind::Rsa3072 => 3072,
    };
    curve && key.bits() == bits
}

/// The content of a PEM block with this label.
fn unwrap(path: &Path, label: &str) -> Result<Vec<u8>> {
    let text = files::read(path)?;
    let block = file::PemBlocks::new(&text)
        .filter_map(std::result::Result::ok)
        .find(|block| block.label() == label);
    let missing = || Failure::Other(format!("{}: no {label} in it", path.display()));
    Ok(block.ok_or_else(missing)?.decode()?.to_vec())
}

impl Device {
    /// What makes one voucher after the other, each with a GUID of its own.
    fn make(&self, keeper: &dyn Keeper) -> Result<impl Fn() -> Result<Vec<u8>>> {
        let maker = public(&keeper.key(&self.key)?)?;
        let secret = keeper.secret(&self.secret)?;
        let chain = match &self.chain {
            Some(path) => file::certificates_from_pem(&files::read(path)?)?,
            None => Vec::new(),
        };
        let (info, host, pss) = (self.info.clone(), self.rendezvous.clone(), self.pss);
        Ok(move || {
            let mut guid = [0; 16];
            getrandom::fill(&mut guid).map_err(|error| Failure::Other(error.to_string()))?;
            let directive = RvDirective::new()
                .dns(host.clone())
                .device_port(443)
                .protocol(RvProtocol::Https);
            let mut new = NewVoucher::new(Guid(guid), info.clone(), KeyOrChain::Key(maker.clone()))
                .with_rendezvous(directive);
            new = match chain.is_empty() {
                true => new.with_epid(),
                false => new.with_device_chain(chain.clone()),
            };
            if pss {
                new = new.with_key_type(KeyType::RsaPss);
            }
            Ok(new.header()?.authenticate(&*secret)?.as_bytes().to_vec())
        })
    }
}

fn ship(
    keeper: &dyn Keeper,
    key: &str,
    to: &Path,
    sessions: usize,
    from: &Path,
    into: &Path,
) -> Result<()> {
    let signers: Vec<Signer> = (0..sessions.max(1))
        .map(|_| keeper.key(key))
        .collect::<Result<_>>()?;
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let next = KeyOrChain::Key(files::public_key(to)?);
    files::make_folder(into)?;
    let paths = files::folder(from)?;
    let shipment = Shipment {
        policy: &policy,
        next: &next,
        options: &options,
        into,
    };
    let bar = match std::io::stderr().is_terminal() {
        true => indicatif::ProgressBar::new(paths.len() as u64),
        false => indicatif::ProgressBar::hidden(),
    };
    let started = std::time::Instant::now();
    let sum = shipment.all(&paths, &signers, || bar.inc(1));
    bar.finish_and_clear();
    let left = paths.len() - sum.done - sum.found;
    print(&format!(
        "{} handed over, {} were before, {left} are as they were; {:.2} s, {} sessions; whether \
         their manufacturer is the right one was not checked (`ov verify --manufacturer` does)\n",
        sum.done,
        sum.found,
        started.elapsed().as_secs_f64(),
        signers.len()
    ))?;
    sum.check()
}

/// To the standard output; where nobody reads it any more that is an error and no panic.
fn print(text: &str) -> Result<()> {
    use std::io::Write as _;
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure::Other(error.to_string()))
}
