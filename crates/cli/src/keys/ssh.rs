//! Keys of SSH, which are not read: what they are, and the commands that convert them.
//!
//! OpenSSH writes PKCS#8 for ECDSA and RSA. For Ed25519 it reports success and changes nothing, and OpenSSL
//! does not read its files.

use super::named::{Named, holds, named};

/// What converts a key of Ed25519.
macro_rules! python {
    ($convert:expr) => {
        concat!(
            "`(umask 077; python3 -c \"import sys; from cryptography.hazmat.primitives.serialization import *; ",
            "sys.stdout.buffer.write(",
            $convert,
            ")\" < COPY > key.pem)`"
        )
    };
}
macro_rules! python_private {
    () => {
        concat!(
            "its copy must have no passphrase (`ssh-keygen -p -f COPY` removes it): ",
            python!(concat!(
                "load_ssh_private_key(sys.stdin.buffer.read(), None)",
                ".private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())"
            ))
        )
    };
}
macro_rules! python_public {
    () => {
        python!(concat!(
            "load_ssh_public_key(sys.stdin.buffer.read())",
            ".public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)"
        ))
    };
}

const PRIVATE: Named = named(
    "an OpenSSH private key",
    "convert a copy, which is replaced, with `ssh-keygen -p -m PKCS8 -f COPY`",
);
const PRIVATE_ED25519: Named = named(
    "an OpenSSH private key of Ed25519",
    concat!(
        "neither OpenSSH nor OpenSSL converts it; Python with its package cryptography does, and ",
        python_private!()
    ),
);
const TOKEN: Named = named(
    "an OpenSSH key in a security key",
    "it signs for SSH alone: make another one with `ov keygen`",
);
const PUBLIC: Named = named(
    "an OpenSSH public key",
    "convert it with `ssh-keygen -e -m PKCS8 -f FILE > key.pem`",
);
const PUBLIC_ED25519: Named = named(
    "an OpenSSH public key of Ed25519",
    concat!(
        "neither OpenSSH nor OpenSSL converts it; Python with its package cryptography does: ",
        python_public!()
    ),
);
const RFC4716: Named = named(
    "an SSH public key (RFC 4716)",
    "convert it with `ssh-keygen -i -f FILE > COPY`, then `ssh-keygen -e -m PKCS8 -f COPY > key.pem`",
);
const RFC4716_ED25519: Named = named(
    "an SSH public key of Ed25519 (RFC 4716)",
    concat!(
        "convert it with `ssh-keygen -i -f FILE > COPY`, then by Python with its package cryptography: ",
        python_public!()
    ),
);
const PUTTY: Named = named(
    "a PuTTY private key",
    "convert it with `puttygen FILE -O private-openssh -o COPY`, then `ssh-keygen -p -m PKCS8 -f COPY`",
);
const PUTTY_ED25519: Named = named(
    "a PuTTY private key of Ed25519",
    concat!(
        "convert it with `puttygen FILE -O private-openssh -o COPY`, then by Python with its package \
         cryptography; ",
        python_private!()
    ),
);

/// What is in a block OPENSSH PRIVATE KEY: the type of the key is not encrypted.
pub(super) fn private(content: &[u8]) -> Named {
    let begin = content.get(..512.min(content.len())).unwrap_or_default();
    if holds(begin, b"sk-ssh-") || holds(begin, b"sk-ecdsa-") {
        TOKEN
    } else if holds(begin, b"ssh-ed25519") {
        PRIVATE_ED25519
    } else {
        PRIVATE
    }
}

/// A text that is no PEM, by its beginning.
pub(super) fn file(text: &[u8]) -> Option<Named> {
    let starts = |mark: &[u8]| text.starts_with(mark);
    let begin = text.get(..2048.min(text.len())).unwrap_or_default();
    let line = begin.split(|byte| *byte == b'\n').next();
    Some(if starts(b"sk-ssh-") || starts(b"sk-ecdsa-") {
        TOKEN
    } else if starts(b"ssh-ed25519") {
        PUBLIC_ED25519
    } else if starts(b"ssh-") || starts(b"ecdsa-sha2-") {
        PUBLIC
    } else if starts(b"---- BEGIN SSH2 PUBLIC KEY") {
        // The base64 of the length 11 and "ssh-ed25519".
        match holds(begin, b"\nAAAAC3NzaC1lZDI1NTE5") {
            true => RFC4716_ED25519,
            false => RFC4716,
        }
    } else if starts(b"PuTTY-User-Key-File-") {
        match line.is_some_and(|line| holds(line, b": ssh-ed25519")) {
            true => PUTTY_ED25519,
            false => PUTTY,
        }
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_named_by_their_beginning() {
        for (bytes, wanted) in [
            (&b"ssh-ed25519 AAAA"[..], Some(PUBLIC_ED25519)),
            (b"ssh-rsa AAAA", Some(PUBLIC)),
            (b"ecdsa-sha2-nistp256 AAAA", Some(PUBLIC)),
            (b"sk-ssh-ed25519@openssh.com AAAA", Some(TOKEN)),
            (
                b"PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\r\n",
                Some(PUTTY),
            ),
            (
                b"PuTTY-User-Key-File-3: ssh-ed25519\r\n",
                Some(PUTTY_ED25519),
            ),
            (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAE2Vj", Some(RFC4716)),
            (
                b"---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"me\"\nAAAAC3NzaC1lZDI1NTE5AAAA",
                Some(RFC4716_ED25519),
            ),
            (b"a text", None),
            (b"", None),
        ] {
            assert_eq!(file(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn private_keys_are_named_by_their_type() {
        let of = |kind: &[u8]| private(&[b"openssh-key-v1\0\0\0\0\x0baes256-ctr", kind].concat());
        assert_eq!(of(b"\0\0\0\x0bssh-ed25519\0"), PRIVATE_ED25519);
        assert_eq!(of(b"\0\0\0\x13ecdsa-sha2-nistp256\0"), PRIVATE);
        assert_eq!(of(b"\0\0\0\x1ask-ssh-ed25519@openssh.com"), TOKEN);
    }
}
