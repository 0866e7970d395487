//! Key derivation from one secret: HKDF, and unbiased numbers.

use ::hkdf::Hkdf;
use p256::elliptic_curve::Curve as _;
use p256::elliptic_curve::bigint::{NonZero, U256, U384, U512};
use zeroize::{Zeroize as _, Zeroizing};

use ownership_voucher::{Error, ErrorKind};

/// The salt of every extraction: it separates our keys from all other uses of a secret.
const SALT: &[u8] = b"ownership-voucher one-time keys 1";

/// More stack than key derivation uses.
pub(super) const STACK: usize = 16 << 10;

/// The maximum length of the name of an order, in bytes.
const ORDER: usize = 64;

/// Refuses a name that is too long.
pub(super) fn check_order(order: &str) -> Result<(), Error> {
    if order.len() > ORDER {
        let (found, wanted) = (order.len() as u64, ORDER as u64);
        return Err(Error::count(ErrorKind::BadCall, found, wanted, "bytes"));
    }
    Ok(())
}

/// A secret number of P-256 in [1, n - 1], wiped when dropped.
pub(super) type Scalar = Zeroizing<p256::NonZeroScalar>;

/// HKDF with SHA-512 (RFC 5869): 64 bytes for this purpose.
pub(super) fn hkdf(secret: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; 64]>, Error> {
    let mut bits = Zeroizing::new([0; 64]);
    Hkdf::<sha2::Sha512>::new(Some(SALT), secret)
        .expand_multi_info(info, &mut *bits)
        // There are 255 blocks of output; one is taken.
        .map_err(|_| Error::new(ErrorKind::BadCall))?;
    Ok(bits)
}

const P256_LESS_ONE: NonZero<U256> =
    NonZero::<U256>::new_unwrap(p256::NistP256::ORDER.get_copy().wrapping_sub(&U256::ONE));
const P384_LESS_ONE: NonZero<U384> =
    NonZero::<U384>::new_unwrap(p384::NistP384::ORDER.get_copy().wrapping_sub(&U384::ONE));

/// FIPS 186-5 A.2.1: (c mod (n - 1)) + 1, of 512 bits where the clause requires 320.
pub(super) fn p256_number(bits: &[u8; 64]) -> Zeroizing<[u8; 32]> {
    let c = Zeroizing::new(U512::from_be_slice(bits));
    // `div_rem` takes constant time, unlike `rem_vartime`.
    let (_, rest) = c.div_rem(&P256_LESS_ONE);
    let mut rest = rest.wrapping_add(&U256::ONE);
    let bytes = Zeroizing::new(rest.to_be_bytes().into());
    rest.zeroize();
    bytes
}

/// The same for P-384: of 512 bits where the clause requires 448.
pub(super) fn p384_number(bits: &[u8; 64]) -> Zeroizing<[u8; 48]> {
    let c = Zeroizing::new(U512::from_be_slice(bits));
    let (_, rest) = c.div_rem(&P384_LESS_ONE);
    let mut rest = rest.wrapping_add(&U384::ONE);
    let bytes = Zeroizing::new(rest.to_be_bytes().into());
    rest.zeroize();
    bytes
}

/// The same number as a scalar for arithmetic.
pub(super) fn p256_scalar(bits: &[u8; 64]) -> Result<Scalar, Error> {
    scalar_of(&*p256_number(bits))
}

/// A number in [1, n - 1] from 32 bytes.
pub(super) fn scalar_of(bytes: &[u8]) -> Result<Scalar, Error> {
    let scalar = p256::NonZeroScalar::try_from(bytes);
    scalar
        .map(Zeroizing::new)
        .map_err(|_| Error::because(ErrorKind::BadArgument, "a private key in range expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of at most `N` bytes in hexadecimal digits, without leading zeros.
    fn number<const N: usize>(digits: &str) -> [u8; N] {
        let mut bytes = [0; N];
        let digits = alloc::format!("{digits:0>width$}", width = 2 * N);
        hex::decode_to_slice(digits, &mut bytes).unwrap();
        bytes
    }

    /// The ends of the range, computed with Python's integers.
    #[test]
    fn extra_random_bits_are_reduced_as_the_clause_says() {
        for (c, d) in [
            ("0", "1"),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
            ),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
                "1",
            ),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                "2",
            ),
            (
                "3038ffffcfc700003038fffffffffffff35c5e6e5ffea1fb394d1a62b4bcc9124ed0",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "66e12d96f3d9561f2845b2382b6bec58cccb844181c03d42909a7f58b0f66550",
            ),
        ] {
            assert_eq!(*p256_number(&number(c)), number(d), "{c}");
        }
        for (c, d) in [
            ("0", "1"),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52971",
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
                "2",
            ),
            (
                "3038fffffffffffffffffffffffffffffffffffffffffffff55603a49fb9b8e3173f805e7a534ebc56cb0555af2c8fab9a62",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "389cb27e0bc8d220a7e5f24db74f58851313e695333ad68e00000000000000000000000000000000",
            ),
        ] {
            assert_eq!(*p384_number(&number(c)), number(d), "{c}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_keys() {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        for bytes in [number::<32>("0"), number(order), [0xff; 32]] {
            let error = scalar_of(&bytes).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadArgument);
        }
        assert!(scalar_of(&number::<32>("1")).is_ok());
        assert!(scalar_of(&number::<31>("1")).is_err());
    }
}
