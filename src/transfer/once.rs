//! Within one call, each state of ownership is handed over once.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;
use crate::voucher::Guid;

/// What becomes of one voucher of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Turn {
    /// It is handed over.
    First,
    /// It is the same state as that earlier voucher and goes to the same owner: signed once.
    Duplicate(usize),
    /// Another voucher of the call contradicts it.
    Refused(Error),
}

/// A voucher that could be signed: device, state, next owner.
pub(super) type Party<'p> = (Guid, [u8; 32], &'p PublicKey);

/// Compares the vouchers of a call by their devices. `None` takes no part. Where two vouchers of one
/// device differ in their state or in their next owner, all of that device are refused: to sign any
/// of them would be a guess.
pub(super) fn once(parties: &[Option<Party<'_>>]) -> Vec<Turn> {
    let mut devices: BTreeMap<Guid, Vec<(usize, &Party<'_>)>> = BTreeMap::new();
    for (number, party) in parties.iter().enumerate() {
        if let Some(party) = party {
            devices.entry(party.0).or_default().push((number, party));
        }
    }
    let mut turns = vec![Turn::First; parties.len()];
    for group in devices.into_values().filter(|group| group.len() > 1) {
        let Some((first, party)) = group.first() else {
            continue;
        };
        let conflict = group.iter().find(|(_, other)| other != party);
        for (number, _) in &group {
            let turn = match conflict {
                // The first one names the voucher that differs, the others the first.
                Some((other, with)) => {
                    let with_number = if number == first { other } else { first };
                    Turn::Refused(refusal(party, with, *with_number))
                }
                None if number == first => continue,
                None => Turn::Duplicate(*first),
            };
            if let Some(slot) = turns.get_mut(*number) {
                *slot = turn;
            }
        }
    }
    turns
}

fn refusal(a: &Party<'_>, b: &Party<'_>, number: usize) -> Error {
    let what = match a.1 == b.1 {
        true => "the same voucher for another owner is number",
        false => "another state of this device is number",
    };
    Error::number(ErrorKind::DoubleSale, what, number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyType, LocalKey};

    #[test]
    fn devices_are_compared_among_themselves() {
        let [a, b] = [1, 2].map(|byte| {
            let key = LocalKey::from_secret(KeyType::Secp256r1, &[byte; 32]).unwrap();
            key.public_key()
        });
        let party = |device: u8, state: u8, to| Some((Guid([device; 16]), [state; 32], to));
        let turns = |parties: &[Option<Party<'_>>]| -> Vec<Option<usize>> {
            let turn = |turn| match turn {
                Turn::First => None,
                Turn::Duplicate(number) => Some(number),
                Turn::Refused(error) => {
                    assert_eq!(error.kind(), ErrorKind::DoubleSale);
                    Some(usize::MAX)
                }
            };
            once(parties).into_iter().map(turn).collect()
        };
        let refused = Some(usize::MAX);
        // One owner for two devices, and one device twice for one owner.
        assert_eq!(
            turns(&[party(1, 1, &a), party(2, 2, &a), party(1, 1, &a)]),
            [None, None, Some(0)]
        );
        // Two owners: every copy is refused, whatever stands between and whatever repeats.
        assert_eq!(
            turns(&[
                party(1, 1, &a),
                None,
                party(2, 1, &a),
                party(1, 1, &a),
                party(1, 1, &b)
            ]),
            [refused, None, None, refused, refused]
        );
        // Two states of one device, one owner.
        assert_eq!(turns(&[party(1, 1, &a), party(1, 2, &a)]), [refused; 2]);
        assert_eq!(turns(&[None, None]), [None, None]);
    }
}
