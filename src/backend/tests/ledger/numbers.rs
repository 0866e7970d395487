//! Exact numbers, and ranges of integers.

use num_bigint::{BigInt, Sign};

/// 2^`bits`.
pub(crate) fn power(bits: u32) -> BigInt {
    BigInt::from(1) << bits
}

/// The low 64 bits, negative numbers in two's complement.
pub(super) fn low_word(number: &BigInt) -> u64 {
    let word = number.iter_u64_digits().next().unwrap_or(0);
    match number.sign() {
        Sign::Minus => word.wrapping_neg(),
        _ => word,
    }
}

/// `mantissa · 2^exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dyadic {
    pub(crate) mantissa: BigInt,
    pub(super) exponent: i64,
}

impl Dyadic {
    pub(crate) fn new(mantissa: BigInt) -> Self {
        Self {
            mantissa,
            exponent: 0,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.mantissa.sign() == Sign::NoSign
    }

    pub(super) fn times(&self, other: &BigInt) -> Self {
        Self {
            mantissa: &self.mantissa * other,
            exponent: self.exponent,
        }
    }

    /// The same number with an odd mantissa.
    pub(super) fn normal(&self) -> Self {
        let zeros = self.mantissa.trailing_zeros().unwrap_or(0);
        Self {
            mantissa: &self.mantissa >> zeros,
            exponent: self.exponent + zeros as i64,
        }
    }

    pub(super) fn shifted_down(mut self, bits: u32) -> Self {
        self.exponent -= i64::from(bits);
        self
    }

    pub(super) fn add(&mut self, other: &Self) {
        if self.is_zero() {
            *self = other.clone();
        } else if self.exponent <= other.exponent {
            self.mantissa += &other.mantissa << (other.exponent - self.exponent);
        } else {
            self.mantissa <<= self.exponent - other.exponent;
            self.exponent = other.exponent;
            self.mantissa += &other.mantissa;
        }
    }

    /// Rounded towards minus infinity.
    pub(crate) fn floor(&self) -> BigInt {
        if self.exponent >= 0 {
            &self.mantissa << self.exponent
        } else {
            &self.mantissa >> -self.exponent
        }
    }

    pub(super) fn ceiling(&self) -> BigInt {
        -self.times(&BigInt::from(-1)).floor()
    }
}

/// The integers from `low` to `high`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: BigInt,
    pub(crate) high: BigInt,
}

impl Range {
    pub(crate) fn new(low: impl Into<BigInt>, high: impl Into<BigInt>) -> Self {
        Self {
            low: low.into(),
            high: high.into(),
        }
    }

    /// From zero to 2^`bits` - 1.
    pub(crate) fn bits(bits: u32) -> Self {
        Self::new(0, power(bits) - 1)
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.low >= other.low && self.high <= other.high
    }

    pub(crate) fn is_single(&self) -> bool {
        self.low == self.high
    }

    pub(super) fn narrow(&mut self, low: BigInt, high: BigInt) {
        self.low = core::cmp::max(&self.low, &low).clone();
        self.high = core::cmp::min(&self.high, &high).clone();
    }

    pub(super) fn product(&self, other: &Self) -> Self {
        let ends = [
            &self.low * &other.low,
            &self.low * &other.high,
            &self.high * &other.low,
            &self.high * &other.high,
        ];
        let low = ends.iter().min().cloned().unwrap_or_default();
        let high = ends.iter().max().cloned().unwrap_or_default();
        Self { low, high }
    }

    pub(super) fn shifted_down(&self, bits: u32) -> Self {
        Self::new(&self.low >> bits, &self.high >> bits)
    }
}
