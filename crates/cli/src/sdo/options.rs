//! What only vouchers of SDO are compared with: device credentials, allow and deny lists.

use std::path::{Path, PathBuf};

use ownership_voucher::{HmacSecret, Policy};
use ownership_voucher_sdo::{Checker, DeviceCredential, KeyList};

use crate::Failure;
use crate::cli::PolicyArgs;
use crate::output::print_message;
use crate::read::{in_file, read};

/// The options about SDO, with the files that they name.
#[derive(Default)]
pub(crate) struct SdoOptions {
    credential: Option<DeviceCredential>,
    allowed: Option<KeyList>,
    denied: Option<KeyList>,
    reformatted: bool,
}

impl SdoOptions {
    /// Reads the files.
    pub(crate) fn load(args: &PolicyArgs) -> Result<Self, Failure> {
        let list = |path: &PathBuf| list(path);
        Ok(Self {
            credential: credential(args.hmac_secret.as_deref())?,
            allowed: args.sdo_allow_list.as_ref().map(list).transpose()?,
            denied: args.sdo_deny_list.as_ref().map(list).transpose()?,
            reformatted: args.allow.iter().any(|allowed| allowed.is_reformatted()),
        })
    }

    /// The HMAC secret in the credential, if there is one.
    pub(crate) fn secret(&self) -> Option<HmacSecret> {
        self.credential.as_ref().map(|it| it.secret().clone())
    }

    pub(crate) fn checker<'p>(&'p self, policy: &'p Policy<'p>) -> Checker<'p> {
        let mut checker = Checker::new(policy);
        if let Some(credential) = &self.credential {
            checker = checker.with_credential(credential);
        }
        if let Some(list) = &self.allowed {
            checker = checker.with_allow_list(list);
        }
        if let Some(list) = &self.denied {
            checker = checker.with_deny_list(list);
        }
        match self.reformatted {
            true => checker.allow_reformatted(),
            false => checker,
        }
    }
}

/// The credential of an SDO device in the file that `--hmac-secret @FILE` names, if it is one.
fn credential(option: Option<&str>) -> Result<Option<DeviceCredential>, Failure> {
    let Some(path) = option.and_then(|text| text.strip_prefix('@')) else {
        return Ok(None);
    };
    // What comes once is read where secrets are.
    if !Path::new(path).is_file() {
        return Ok(None);
    }
    let bytes = read(Path::new(path))?;
    if !DeviceCredential::is_start(&bytes) {
        return Ok(None);
    }
    let credential = DeviceCredential::parse(&bytes);
    let credential = credential.map_err(|error| in_file(Path::new(path), &error))?;
    print_message(&format!(
        "--hmac-secret: the credential of an SDO device; the HMAC secret of the device {} in it is \
         used, and its voucher is compared with the rest",
        credential.guid()
    ));
    Ok(Some(credential))
}

fn list(path: &Path) -> Result<KeyList, Failure> {
    let bytes = read(path)?;
    let text = core::str::from_utf8(&bytes)
        .map_err(|_| Failure::Message(format!("{}: not text in UTF-8", path.display())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.parse().map_err(|error| in_file(path, &error))
}
