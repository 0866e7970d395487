//! A software TPM and a software token of its own for each test, and the program.
#![allow(dead_code)] // each test file uses a part of it

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hardware::tpm::Tpm;
use ownership_voucher::{Error, ErrorKind, Policy, PublicKey, file};

pub(crate) const PIN: &str = "4711-left";

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hw-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a new folder");
        fs::write(path.join("pin"), format!("{PIN}\n")).expect("a PIN");
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// swtpm, at an address of its own. It serves one client at a time.
pub(crate) struct SoftTpm {
    pub(crate) folder: Folder,
    port: u16,
    child: Child,
}

impl SoftTpm {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.join("tpm")).expect("a new folder");
        let port = free_ports();
        let child = run_tpm(&folder, port);
        Self {
            folder,
            port,
            child,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("swtpm:host=127.0.0.1,port={}", self.port)
    }

    pub(crate) fn open(&self) -> Tpm {
        Tpm::open(&self.address(), PIN).expect("the software TPM")
    }

    /// `hw tpm` with these arguments, in the folder of the TPM.
    pub(crate) fn hw(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hw"));
        command
            .env("TPM2TOOLS_TCTI", self.address())
            .env("OV_PIN_FILE", self.folder.join("pin"))
            .current_dir(self.folder.join(""))
            .arg("tpm")
            .args(arguments);
        command
    }

    /// Pulls the plug.
    pub(crate) fn stop(&mut self) {
        self.child.kill().expect("swtpm runs");
        self.child.wait().expect("swtpm ran");
    }

    /// The same TPM once more: what is persistent is there again.
    pub(crate) fn start_again(&mut self) {
        self.child = run_tpm(&self.folder, self.port);
    }
}

impl Drop for SoftTpm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two free ports, one after the other, as tpm2-tss wants them.
fn free_ports() -> u16 {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = first.local_addr().expect("its number").port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two free ports in a row");
}

fn run_tpm(folder: &Folder, port: u16) -> Child {
    let place = |port| format!("type=tcp,port={port},bindaddr=127.0.0.1");
    let child = Command::new("swtpm")
        .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
        .args([
            "--tpmstate",
            &format!("dir={}", folder.join("tpm").display()),
        ])
        .args(["--server", &place(port), "--ctrl", &place(port + 1)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("swtpm is installed");
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port + 1)).is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "swtpm does not start"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

/// SoftHSM, with a token `fdo` in a folder of its own.
pub(crate) struct SoftToken(pub(crate) Folder);

impl SoftToken {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.join("tokens")).expect("a new folder");
        let tokens = folder.join("tokens");
        let config = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(folder.join("softhsm2.conf"), config).expect("a configuration");
        let token = Self(folder);
        let made = token
            .command("softhsm2-util")
            .args(["--init-token", "--free", "--label", "fdo"])
            .args(["--so-pin", "12345678", "--pin", PIN])
            .output()
            .expect("softhsm2-util is installed");
        assert!(made.status.success(), "{made:?}");
        token
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("SOFTHSM2_CONF", self.0.join("softhsm2.conf"))
            .env("PKCS11_TOKEN", "fdo")
            .env("OV_PIN_FILE", self.0.join("pin"))
            .current_dir(self.0.join(""));
        command
    }

    /// `hw pkcs11` with these arguments, in the folder of the token.
    pub(crate) fn hw(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_hw"));
        command.arg("pkcs11").args(arguments);
        command
    }

    /// What it prints; it has to succeed.
    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.hw(arguments).output().expect("hw runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What it complains of; it has to fail, and not by a panic.
    #[track_caller]
    pub(crate) fn bad(&self, arguments: &[&str]) -> String {
        complaint(&self.hw(arguments).output().expect("hw runs"))
    }
}

#[track_caller]
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.starts_with("hw: ") && !text.contains("panicked"),
        "{text}"
    );
    text
}

/// The one voucher of a file.
pub(crate) fn voucher(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file");
    file::single(&bytes).expect("a voucher").into_owned()
}

/// Vouchers of a folder that verify and are owned by this key. All files have to be such.
#[track_caller]
pub(crate) fn count_owned(folder: &Path, owner: &PublicKey) -> usize {
    let policy = Policy::any_origin().with_owner(owner.clone());
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let bytes = voucher(&path);
        let verified = policy.verify(&bytes);
        assert!(verified.is_ok(), "{}: {verified:?}", path.display());
        count += 1;
    }
    count
}

/// Each bit of the last signature counts: a few of them are turned, and nothing verifies any more.
#[track_caller]
pub(crate) fn tampering_shows(bytes: &[u8]) {
    assert!(Policy::any_origin().verify(bytes).is_ok());
    for (back, bit) in [(1, 0), (9, 7), (30, 3)] {
        let mut bad = bytes.to_vec();
        let at = bad.len() - back;
        bad[at] ^= 1 << bit;
        let error: Error = Policy::any_origin()
            .verify(&bad)
            .expect_err("a broken signature");
        assert_eq!(error.kind(), ErrorKind::SignatureInvalid, "{error}");
    }
}
