//! A folder with the files that the examples in help name, made from the test vectors.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ownership_voucher::KeyType;

use crate::common;

/// The variables that change how `ov` prints.
pub(crate) const VARIABLES: [&str; 6] = [
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CI",
    "COLUMNS",
    "TERM",
];

pub(crate) struct Desk(pub PathBuf);

impl Desk {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("desk-{name}"));
        let _ = fs::remove_dir_all(&folder);
        for made in ["shipment", "gateways"] {
            fs::create_dir_all(folder.join(made)).unwrap();
        }
        let vectors = common::repository().join("test-vectors");
        for entry in fs::read_dir(vectors.join("shipment")).unwrap() {
            let from = entry.unwrap().path();
            let name = from.file_name().unwrap();
            if name.to_str().unwrap().starts_with("alder-") {
                fs::copy(&from, folder.join("gateways").join(name)).unwrap();
            }
            fs::copy(&from, folder.join("shipment").join(name)).unwrap();
        }
        for (from, to) in [
            ("shipment/birch-cam7-0001.pem", "voucher.pem"),
            ("shipment-keys/manufacturers.pem", "manufacturers.pem"),
            ("shipment-keys/device-ca.pem", "device-ca.pem"),
            ("shipment-keys/owner-private.pem", "mine.pem"),
            ("shipment-keys/owner-public.pem", "mine.pub"),
            ("shipment-keys/next-owner-public.pem", "buyer.pub"),
        ] {
            fs::copy(vectors.join(from), folder.join(to)).unwrap();
        }
        let maker = common::key(KeyType::Secp256r1, 0).public_key();
        fs::write(folder.join("maker.pub"), maker.to_spki_der()).unwrap();
        let chain = ["leaf.der", "p256-root.der"].map(|name| {
            let folder = common::repository().join("tests/certificates");
            let der = fs::read(folder.join(name)).unwrap();
            let pem = ownership_voucher::file::to_pem(&der);
            pem.replace("OWNERSHIP VOUCHER", "CERTIFICATE")
        });
        fs::write(folder.join("device.pem"), chain.concat()).unwrap();
        fs::write(folder.join("secret.hex"), "5a".repeat(32)).unwrap();
        let intact = common::voucher(KeyType::Secp256r1, 7, 1);
        // The last byte belongs to a signature.
        let mut forged = intact.clone();
        *forged.last_mut().unwrap() ^= 1;
        fs::write(folder.join("forged.cbor"), forged).unwrap();
        // A protocol version that does not exist: 0x1865 is 101.
        let mut strange = intact;
        let at = strange.windows(2).position(|it| it == [0x18, 0x65]);
        strange[at.unwrap() + 1] = 0x7f;
        fs::write(folder.join("strange.cbor"), strange).unwrap();
        let desk = Self(folder);
        desk.put_delegate();
        desk
    }

    /// A voucher of FDO 2.0, its manufacturer's key, a delegate of its owner, and a to1d that the delegate
    /// signed.
    fn put_delegate(&self) {
        let given = |name: &str| {
            let path = common::repository().join(format!("test-vectors/fdo20/{name}.json"));
            let vector: serde_json::Value =
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            vector["given"].clone()
        };
        let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
        let (chain, to1d) = (given("delegate-two"), given("to1d20-delegate"));
        let voucher = bytes(&chain["voucher"]);
        assert_eq!(voucher, bytes(&to1d["voucher"]));
        let maker = ownership_voucher::Voucher::parse(&voucher).unwrap();
        let maker = maker.manufacturer_key().public_key().unwrap();
        let pem = |der: &serde_json::Value| {
            let pem = ownership_voucher::file::to_pem(&bytes(der));
            pem.replace("OWNERSHIP VOUCHER", "CERTIFICATE")
        };
        let chain: Vec<String> = chain["chain"].as_array().unwrap().iter().map(pem).collect();
        for (name, content) in [
            ("maker20.pub", maker.to_spki_der()),
            ("delegate.pem", chain.concat().into_bytes()),
            ("to1d.cbor", bytes(&to1d["message"])),
            ("voucher20.cbor", voucher),
        ] {
            fs::write(self.0.join(name), content).unwrap();
        }
    }

    /// `ov` in this folder, with no variable that changes how it prints.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ov"));
        command.current_dir(&self.0).stdin(Stdio::null());
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn ov(&self, args: &str) -> Output {
        self.command()
            .args(args.split_whitespace())
            .output()
            .unwrap()
    }

    /// Runs `ov` and returns what it prints.
    pub(crate) fn out(&self, args: &str) -> String {
        String::from_utf8(self.ov(args).stdout).unwrap()
    }

    /// Runs a line as a shell would, with `ov` in the path.
    pub(crate) fn shell(&self, line: &str) -> Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_ov")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        Command::new("sh")
            .args(["-c", line])
            .current_dir(&self.0)
            .env("PATH", format!("{}:{path}", folder.display()))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

/// The commands in a help text.
fn commands_in(help: &str) -> Vec<String> {
    let rest = help.split_once("\nCommands:\n").map_or("", |(_, it)| it);
    rest.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The names of all commands, as help lists them; the first is "", for `ov` itself.
pub(crate) fn all_commands(desk: &Desk) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        let help = desk.out(&format!("{path} --help"));
        let below = commands_in(&help).into_iter();
        all.extend(below.map(|name| format!("{path} {name}").trim().to_owned()));
        next += 1;
    }
    all
}
