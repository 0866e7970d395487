//! Hashes, HMAC and signatures of a changed voucher, made anew as far as keys are known.

use std::sync::LazyLock;

use ownership_voucher::HmacSecret;
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::hmac::DeviceHmac as _;

use crate::dice::Dice;
use crate::keys::Signer;
use crate::tree::{Item, Node, Width};

/// The device secret that most vectors have.
pub static SECRET: LazyLock<HmacSecret> = LazyLock::new(|| HmacSecret::new((0..32).collect()));

const DRAFT_AAD: &[u8] = b"\x81\x6eFDO-OVEntry-v1";

fn integer(node: &Node) -> Option<i128> {
    match node.item {
        Item::Unsigned(number) => Some(number.into()),
        Item::Negative(number) => Some(!i128::from(number)),
        _ => None,
    }
}

/// Puts the digest of `message` into a hash item, or its HMAC.
fn hash_again(item: &mut Node, message: &[u8]) -> Option<()> {
    let digest = match integer(item.get(0)?)? {
        -16 => HashAlgorithm::Sha256.digest(&[message]),
        -43 => HashAlgorithm::Sha384.digest(&[message]),
        5 => SECRET.header_hmac(HashAlgorithm::Sha256, message).ok()?,
        6 => SECRET.header_hmac(HashAlgorithm::Sha384, message).ok()?,
        _ => return None,
    };
    if let Item::Bytes(bytes) = &mut item.get_mut(1)?.item {
        *bytes = digest.as_bytes().to_vec();
    }
    Some(())
}

/// Makes the voucher whole again. Entries whose signer is none of `signers` stay as they are.
pub fn seal(voucher: &mut Node, signers: &[Signer], dice: &mut Dice) -> Option<()> {
    let chain = voucher.get(3)?;
    let mut certificates = chain.content().unwrap_or_default();
    for certificate in chain.children() {
        certificates.extend(certificate.content().unwrap_or_default());
    }
    let header = voucher.get_mut(1)?.get_mut(0)?;
    if let Some(hash) = header.get_mut(5) {
        hash_again(hash, &certificates);
    }
    let mut signer = header.get(4)?.clone();
    let mut info = header.get(1)?.content().unwrap_or_default();
    info.extend(header.get(3)?.content().unwrap_or_default());
    let header = voucher.get(1)?.content()?;
    let mac = voucher.get_mut(2)?;
    if !dice.once_in(4) {
        hash_again(mac, &header);
    }
    let mut before = [header, mac.to_vec()].concat();
    for entry in voucher.get_mut(4)?.children_mut()? {
        let next = seal_entry(entry, &signer, signers, &before, &info, dice);
        before = entry.to_vec();
        signer = next?;
    }
    Some(())
}

/// Returns the key that the entry names.
fn seal_entry(
    entry: &mut Node,
    key: &Node,
    signers: &[Signer],
    before: &[u8],
    info: &[u8],
    dice: &mut Dice,
) -> Option<Node> {
    let mut body = entry;
    while let Item::Tag(..) = body.item {
        body = body.get_mut(0)?;
    }
    let payload = body.get_mut(2)?.get_mut(0)?;
    let next = payload.get(3)?.clone();
    let Some(signer) = Signer::of(signers, &key.to_vec()) else {
        return Some(next);
    };
    for (place, message) in [before, info].into_iter().enumerate() {
        if !dice.once_in(32) {
            hash_again(payload.get_mut(place)?, message);
        }
    }
    let payload = body.get(2)?.content()?;
    let algorithm = signer.algorithm(key.get(0).and_then(integer).unwrap_or(0));
    if !dice.once_in(4) {
        let map = vec![Node::int(1), Node::int(algorithm.code().into())];
        body.get_mut(0)?.item = Item::Wrapped(vec![Node::new(Item::Map(map))]);
    }
    let protected = body.get(0)?.content()?;
    let aad = if dice.once_in(32) { DRAFT_AAD } else { &[] };
    let message = Node::array(vec![
        Node::new(Item::Text(b"Signature1".to_vec())),
        Node::bytes(&protected),
        Node::bytes(aad),
        Node::bytes(&payload),
    ]);
    let signature = signer.sign(algorithm, &message.to_vec())?;
    let slot = body.get_mut(3)?;
    slot.item = Item::Bytes(signature);
    if dice.once_in(8) {
        slot.width = Width::Shortest;
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::HONEST, vectors};
    use ownership_voucher::{Policy, Voucher};

    /// A voucher with another GUID verifies once it is sealed, and not before.
    #[test]
    fn a_changed_voucher_verifies_after_sealing() {
        let verify = |bytes: &[u8]| {
            Voucher::parse(bytes)?
                .verify(&Policy::any_origin())
                .map(drop)
        };
        let (mut tried, mut sealed) = (0, 0);
        for bytes in vectors::valid().into_iter().step_by(4) {
            let Some(mut node) = Node::read(&bytes) else {
                continue;
            };
            if verify(&bytes).is_err() || node.get(4).is_none_or(|list| list.children().is_empty())
            {
                continue;
            }
            let guid = node.get_mut(1).and_then(|node| node.get_mut(0)?.get_mut(1));
            guid.expect("a GUID").item = Item::Bytes(vec![7; 16]);
            assert!(verify(&node.to_vec()).is_err());
            // Some throws of the dice leave a part as it is.
            tried += 1;
            sealed += usize::from((0..20).any(|seed| {
                let mut node = node.clone();
                seal(&mut node, &HONEST, &mut Dice::new(seed));
                verify(&node.to_vec()).is_ok()
            }));
        }
        assert!(tried > 20 && sealed * 10 > tried * 9, "{sealed} of {tried}");
    }
}
