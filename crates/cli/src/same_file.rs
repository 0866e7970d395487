//! Whether two paths lead to one file, so that no output destroys another output or an input. Files
//! that do not exist yet count too: of two outputs with one name the second would replace the
//! first.

use alloc::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::cli::{PassphraseArgs, PolicyArgs};
use crate::keys::fingerprint;
use crate::place::{LINKS, is_standard_output};

/// The identity of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// An existing file: so hard links are detected too.
    #[cfg(unix)]
    Number(u64, u64),
    /// A file that does not exist yet: the folder with links resolved, and a name in it.
    Path(PathBuf),
}

/// The file that a path leads to, or will. `None` for pipes, devices and folders, which are not
/// replaced, and if the identity is unknown.
fn identity(path: &Path) -> Option<Identity> {
    if let Ok(meta) = fs::metadata(path) {
        return meta.is_file().then(|| of_file(path, &meta))?;
    }
    // A dangling link is followed: a file may be created at its target.
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // A folder that does not exist either is compared by its path as given.
    let folder = folder.unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    Some(Identity::Path(folder.join(path.file_name()?)))
}

/// The identity of an existing file; by its path where the system has no numbers for files.
#[cfg(unix)]
pub(crate) fn of_file(_: &Path, meta: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some(Identity::Number(meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
pub(crate) fn of_file(path: &Path, _: &fs::Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok().map(Identity::Path)
}

/// The files that a command reads or writes, and the role of each.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<Identity, (PathBuf, &'static str)>);

impl Files {
    /// A file that is read, and must not be written.
    pub(crate) fn input(&mut self, path: Option<&Path>, what: &'static str) {
        // The standard input is not a file with that name.
        let file = path.filter(|path| path.as_os_str() != "-");
        if let Some((path, identity)) = file.and_then(|path| Some((path, identity(path)?))) {
            self.0.entry(identity).or_insert((path.to_path_buf(), what));
        }
    }

    /// The files that a policy is read from.
    pub(crate) fn policy(&mut self, args: &PolicyArgs) {
        self.secret(args.hmac_secret.as_deref());
        self.input(args.hmac_secrets.as_deref(), "--hmac-secrets");
        for (paths, what) in [
            (&args.owner, "--owner"),
            (&args.manufacturer, "--manufacturer"),
            (&args.manufacturer_ca, "--manufacturer-ca"),
            (&args.device_ca, "--device-ca"),
            (&args.crl, "--crl"),
        ] {
            let files = paths.iter().filter(|path| fingerprint(path).is_none());
            files.for_each(|path| self.input(Some(path), what));
        }
    }

    /// The files of private keys and of their passphrase.
    pub(crate) fn keys(&mut self, keys: &[PathBuf], passphrase: &PassphraseArgs) {
        keys.iter().for_each(|path| self.input(Some(path), "--key"));
        let file = passphrase.passphrase_file.as_deref();
        self.input(file, "--passphrase-file");
    }

    /// The file of an HMAC secret, if the option names one.
    pub(crate) fn secret(&mut self, text: Option<&str>) {
        let path = text.and_then(|text| text.strip_prefix('@'));
        self.input(path.map(Path::new), "--hmac-secret");
    }

    /// A file that is written.
    ///
    /// # Errors
    /// If it is another file of this command.
    pub(crate) fn output(
        &mut self,
        path: Option<&Path>,
        what: &'static str,
    ) -> Result<(), Failure> {
        let file = path.filter(|path| !is_standard_output(path));
        let Some((path, identity)) = file.and_then(|path| Some((path, identity(path)?))) else {
            return Ok(());
        };
        self.taken_by(&identity, path, what)?;
        self.0.insert(identity, (path.to_path_buf(), what));
        Ok(())
    }

    /// Checks again the files that did not exist when they were named, and may have been created
    /// since.
    pub(crate) fn refresh(&mut self) {
        let new = |identity: &Identity| matches!(identity, Identity::Path(_));
        let made = self.0.iter().filter(|(identity, _)| new(identity));
        let made: Vec<_> = made.map(|(_, file)| file.clone()).collect();
        for file in made {
            if let Some(identity) = identity(&file.0) {
                self.0.entry(identity).or_insert(file);
            }
        }
    }

    /// Fails where an output of this name would destroy another file of this command.
    pub(crate) fn check(&self, path: &Path, what: &'static str) -> Result<(), Failure> {
        match identity(path) {
            Some(identity) => self.taken_by(&identity, path, what),
            None => Ok(()),
        }
    }

    fn taken_by(&self, identity: &Identity, path: &Path, what: &str) -> Result<(), Failure> {
        match self.0.get(identity) {
            Some((other, role)) => Err(Failure::Message(format!(
                "{} ({what}) and {} ({role}) are the same file; each needs a file of its own",
                path.display(),
                other.display()
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn names_of_one_file() {
        let folder = std::env::temp_dir().join(format!("ov-same-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("sub")).unwrap();
        symlink("sub", folder.join("dir")).unwrap();
        for (link, target) in [("there", "file"), ("lost", "new"), ("lost2", "lost")] {
            symlink(target, folder.join(link)).unwrap();
        }
        symlink("lost", folder.join("lost-")).unwrap();
        fs::write(folder.join("file"), "").unwrap();
        fs::hard_link(folder.join("file"), folder.join("hard")).unwrap();
        let id = |name: &str| identity(&folder.join(name)).unwrap();
        for same in [
            &[
                "file",
                "./file",
                "sub/../file",
                "dir/../file",
                "there",
                "hard",
            ][..],
            &["new", "./new", "sub/../new", "lost", "lost2", "lost-"],
            &["sub/x", "dir/x", "dir/./x"],
        ] {
            for name in same {
                assert_eq!(id(name), id(same[0]), "{name}");
            }
        }
        assert_ne!(id("new"), id("new2"));
        assert_ne!(id("sub/new"), id("new"));
        assert!(identity(Path::new("/dev/null")).is_none());
        assert!(identity(&folder).is_none());
        fs::remove_dir_all(folder).unwrap();
    }
}
