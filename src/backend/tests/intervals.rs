//! A lane whose values are ranges: the arithmetic of the engines, run once for all inputs.
//!
//! [`Interval`] is one more meaning of the lane word, besides vectors and emulated lanes. It stands
//! for a number of [`Ledger`], of which the ledger knows a range, and every operation checks that no
//! input can take it out of its range: sums and differences stay below 2^64, or below 2^63 if they
//! can be negative; what is shifted right is not negative, or is shifted with its sign; what is
//! multiplied has 52 bits. Where the arithmetic means to drop what is above, it says so by
//! `wrapping`.
//!
//! What depends on data takes both ways: [`prove`] runs the work again for each path, with what the
//! path implies.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use num_bigint::{BigInt, Sign};

use super::ledger::{Id, Infeasible, Ledger, Range, ZERO, power};
use crate::backend::lanes::{MAX_LANES, Register, Word};

std::thread_local! {
    static LEDGER: RefCell<Ledger> = RefCell::new(Ledger::new(Vec::new()));
}

/// Looks at the ledger of this thread.
pub(crate) fn ledger<T>(work: impl FnOnce(&mut Ledger) -> T) -> T {
    LEDGER.with_borrow_mut(work)
}

/// Runs the work on every path. Returns the largest magnitude of a word on any of them, and the
/// number of paths.
pub(crate) fn prove(work: impl Fn()) -> (BigInt, usize) {
    prove_with(false, &work)
}

/// The same, with every carry of two values decided.
pub(crate) fn prove_by_carries(work: impl Fn()) -> (BigInt, usize) {
    prove_with(true, &work)
}

fn prove_with(splits: bool, work: &dyn Fn()) -> (BigInt, usize) {
    let (mut peak, mut paths) = (BigInt::from(0), 0);
    let mut decisions = Vec::new();
    loop {
        let mut fresh = Ledger::new(decisions);
        fresh.splits = splits;
        LEDGER.set(fresh);
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(()) => paths += 1,
            Err(reason) if reason.is::<Infeasible>() => {}
            Err(reason) => resume_unwind(reason),
        }
        let (now, mut taken) = ledger(|l| (l.peak.clone(), l.decisions[..l.decided].to_vec()));
        peak = peak.max(now);
        while taken.last() == Some(&true) {
            taken.pop();
        }
        match taken.last_mut() {
            Some(last) => *last = true,
            None => break,
        }
        decisions = taken;
    }
    assert!(paths > 0, "no input takes any path");
    (peak, paths)
}

/// A word of which only a range is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    id: Id,
    /// Only the low 64 bits count: the number itself may be larger.
    wraps: bool,
}

impl From<Id> for Interval {
    fn from(id: Id) -> Self {
        Self { id, wraps: false }
    }
}

impl Interval {
    /// Any integer of a range.
    pub(crate) fn any(range: Range) -> Self {
        ledger(|l| l.any(range)).into()
    }

    /// The number in the ledger.
    pub(crate) fn id(self) -> Id {
        assert!(!self.wraps, "a number of which only the low bits count");
        self.id
    }

    /// The range, as narrow as it can be told.
    pub(crate) fn range(self) -> Range {
        ledger(|l| l.range(self.id()))
    }

    /// A sum of multiples, which is a word.
    pub(crate) fn from_parts(parts: &[(Self, BigInt)]) -> Self {
        let wraps = parts.iter().any(|(word, _)| word.wraps);
        let parts: Vec<_> = parts
            .iter()
            .map(|(w, times)| (w.id, times.clone()))
            .collect();
        let id = ledger(|l| l.sum(&parts));
        if !wraps {
            Self::check_word(id);
        }
        Self { id, wraps }
    }

    /// A word is below 2^64, or its magnitude below 2^63.
    fn check_word(id: Id) {
        ledger(|l| {
            let fits = |range: &Range| {
                let top = if range.low.sign() == Sign::Minus {
                    63
                } else {
                    64
                };
                range.low >= -power(63) && range.high < power(top)
            };
            if !fits(l.known(id)) {
                let range = l.range(id);
                assert!(fits(&range), "a sum leaves its word: {range:x?}");
            }
            let Range { low, high } = l.known(id);
            let peak = (-low).max(high.clone());
            if peak > l.peak {
                l.peak = peak;
            }
        });
    }

    /// Requires that the word is in a range.
    #[track_caller]
    pub(crate) fn require(self, range: &Range, what: &str) -> Id {
        let id = self.id();
        ledger(|l| {
            if !l.known(id).is_within(range) {
                let found = l.range(id);
                assert!(found.is_within(range), "{what}: {found:x?}");
            }
        });
        id
    }

    fn shifted_left(self, count: u32) -> Self {
        Self::from_parts(&[(self, power(count))])
    }

    fn shifted_right(self, count: u32) -> Self {
        let id = self.id();
        let negative = ledger(|l| l.known(id).low.sign() == Sign::Minus);
        if negative && count == 63 {
            // The sign of a number that may be negative. Any shift by all its bits gives it; where
            // there is one, it is the same number.
            self.require(&Range::new(-power(63), power(63) - 1), "a sign");
            let (quotient, _) = ledger(|l| {
                let Range { low, high } = l.known(id);
                let below: BigInt = low + 1;
                let bits = high.bits().max(below.bits());
                let done = (bits as u32..63).find(|shift| l.has_divided(id, *shift));
                l.divide(id, done.unwrap_or(63))
            });
            return Self::from_parts(&[(quotient.into(), BigInt::from(-1))]);
        }
        self.require(&Range::bits(64), "a shift of a negative number");
        ledger(|l| l.divide(id, count).0).into()
    }

    fn masked(self, mask: Self) -> Self {
        let mask = ledger(|l| l.known(mask.id()).clone());
        assert!(mask.is_single(), "a mask is constant");
        let bits = mask.low.bits() as u32;
        assert_eq!(mask.low, power(bits) - 1, "a mask is of low bits");
        ledger(|l| l.divide(self.id, bits).1).into()
    }

    fn or_else(self, other: Self) -> Self {
        let disjoint = |low: Self, high: Self| {
            ledger(|l| {
                let range = l.known(low.id).clone();
                let bits = range.high.bits() as u32;
                range.low.sign() != Sign::Minus && l.divide(high.id, bits).1 == ZERO
            })
        };
        if disjoint(self, other) || disjoint(other, self) {
            return Self::from_parts(&[(self, 1.into()), (other, 1.into())]);
        }
        let high = [self, other].map(|word| word.require(&Range::bits(64), "or"));
        let bits = high.map(|id| ledger(|l| l.known(id).high.bits()));
        Self::any(Range::bits(bits[0].max(bits[1]) as u32))
    }

    /// What a multiply-add reads of a word.
    fn factor(self) -> Id {
        if self.wraps {
            return ledger(|l| l.divide(self.id, 52).1);
        }
        self.require(&Range::bits(52), "a factor of more than 52 bits")
    }

    /// The high and the low half of a product.
    fn halves(a: Self, b: Self) -> (Self, Self) {
        let (a, b) = (a.factor(), b.factor());
        let (high, low) = ledger(|l| {
            let product = l.product(a, b);
            l.divide(product, 52)
        });
        (high.into(), low.into())
    }

    fn plus(self, other: Self) -> Self {
        Self::from_parts(&[(self, 1.into()), (other, 1.into())])
    }

    fn minus(self, other: Self) -> Self {
        Self::from_parts(&[(self, 1.into()), (other, (-1).into())])
    }

    /// Whether `self - other` is in the range; decided where it may be or not be.
    pub(crate) fn difference_is(self, other: Self, inside: &Range) -> bool {
        ledger(|l| {
            let difference = l.sum(&[(self.id, 1.into()), (other.id, (-1).into())]);
            let range = l.range(difference);
            if range.is_within(inside) {
                return true;
            }
            if range.high < inside.low || range.low > inside.high {
                return false;
            }
            if l.decide() {
                let low = inside.low.clone().max(range.low);
                let high = inside.high.clone().min(range.high);
                l.assume(difference, Range::new(low, high));
                true
            } else {
                let zero = inside.is_single();
                if range.low >= inside.low {
                    l.assume(difference, Range::new(&inside.high + 1, range.high));
                } else if range.high <= inside.high {
                    l.assume(difference, Range::new(range.low, &inside.low - 1));
                } else {
                    assert!(zero, "a comparison that cuts a range into three");
                }
                false
            }
        })
    }

    fn is_equal(self, other: Self) -> bool {
        self.difference_is(other, &Range::new(0, 0))
    }

    fn is_below(self, other: Self) -> bool {
        for word in [self, other] {
            word.require(&Range::bits(64), "a comparison of negative numbers");
        }
        self.difference_is(other, &Range::new(-power(64), -1))
    }

    /// The largest value, for assertions that compare with a bound.
    fn largest(self) -> u64 {
        let range = self.range();
        assert!(range.low.sign() != Sign::Minus, "negative: {range:x?}");
        u64::try_from(&range.high).unwrap_or_else(|_| panic!("more than a word: {range:x?}"))
    }
}

/// A number in `L` limbs of `bits` bits, from zero to `largest`; the last limb may be larger.
pub(crate) fn number<const L: usize>(bits: u32, largest: &BigInt) -> ([Interval; L], Id) {
    ledger(|l| {
        let total = l.any(Range::new(0, largest.clone()));
        let mut limbs = [ZERO; L];
        let mut before = Vec::new();
        for (i, limb) in limbs[..L - 1].iter_mut().enumerate() {
            *limb = l.any(Range::bits(bits));
            before.push((*limb, power(bits * i as u32)));
        }
        limbs[L - 1] = l.last_limb(total, &before, bits * (L as u32 - 1));
        (limbs.map(Interval::from), total)
    })
}

/// A number of a range, in `L` signed limbs that weigh `bits` bits each and of which all but the last
/// have a magnitude of at most `limb`.
pub(crate) fn open_number<const L: usize>(
    bits: u32,
    limb: &BigInt,
    range: Range,
) -> ([Interval; L], Id) {
    ledger(|l| {
        let total = l.any(range);
        let mut limbs = [ZERO; L];
        let mut before = Vec::new();
        for (i, id) in limbs[..L - 1].iter_mut().enumerate() {
            *id = l.any(Range::new(-limb, limb.clone()));
            before.push((*id, power(bits * i as u32)));
        }
        limbs[L - 1] = l.limb_left(total, &before, bits * (L as u32 - 1), None);
        (limbs.map(Interval::from), total)
    })
}

/// The weights of limbs.
pub(crate) fn weighed<const L: usize>(bits: u32, limbs: &[Interval; L]) -> Vec<(Id, BigInt)> {
    let weight = |i: usize| power(bits * i as u32);
    limbs
        .iter()
        .enumerate()
        .map(|(i, limb)| (limb.id(), weight(i)))
        .collect()
}

/// Names the number in the limbs, which are shown to hold it: each but the last has `bits` bits, and
/// the number is not negative and no larger than limbs can be.
pub(crate) fn settle<const L: usize>(bits: u32, limbs: [Interval; L]) -> [Interval; L] {
    let last = limbs[L - 1].id();
    if ledger(|l| l.totals.contains_key(&last)) {
        return limbs;
    }
    for limb in &limbs[..L - 1] {
        limb.require(&Range::bits(bits), "a limb is too large");
    }
    let parts = weighed(bits, &limbs);
    ledger(|l| {
        let sum = l.sum(&parts);
        let total = l.total(sum);
        let range = l.known(total);
        let room = Range::bits(bits * L as u32);
        assert!(
            range.is_within(&room),
            "a number does not fit its limbs: {range:x?}"
        );
        let mut out = limbs;
        let before = &parts[..L - 1];
        out[L - 1] = l.last_limb(total, before, bits * (L as u32 - 1)).into();
        out
    })
}

/// The number in limbs that were settled, or made by [`number`].
pub(crate) fn total_of<const L: usize>(limbs: &[Interval; L]) -> Id {
    let last = limbs[L - 1].id();
    ledger(|l| *l.totals.get(&last).expect("settled limbs"))
}

/// Asserts that a sum of multiples is a multiple of `modulus`, whatever the inputs are: each factor
/// of its polynomial is one. The modulus is odd.
#[track_caller]
pub(crate) fn assert_multiple(parts: &[(Id, BigInt)], modulus: &BigInt) {
    let form = ledger(|l| l.expanded(parts));
    for (term, factor) in &form {
        let rest = &factor.mantissa % modulus;
        assert!(
            rest == BigInt::from(0),
            "{term:?} has the factor {factor:x?}"
        );
    }
}

impl Word for Interval {
    const LANES: usize = 1;
    type Token = ();

    fn splat((): (), value: u64) -> Self {
        ledger(|l| l.constant(value.into())).into()
    }
    /// Memory holds anything.
    fn load((): (), _: &[u64]) -> Self {
        Self::any(Range::bits(64))
    }
    fn store(self, lanes: &mut [u64]) {
        if self.wraps {
            let id = ledger(|l| l.divide(self.id, 64).1);
            lanes[0] = Self::from(id).largest();
        } else {
            lanes[0] = self.largest();
        }
    }
    fn from_rows<'a>((): (), mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        row(0).map(|_| Self::any(Range::bits(64)))
    }
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        let mut row = [0; 8];
        for (word, to) in words.into_iter().zip(row.chunks_mut(1)) {
            word.store(to);
        }
        sink(0, &row);
    }
    fn add(self, other: Self) -> Self {
        self.plus(other)
    }
    fn sub(self, other: Self) -> Self {
        self.minus(other)
    }
    fn and(self, other: Self) -> Self {
        self.masked(other)
    }
    fn or(self, other: Self) -> Self {
        self.or_else(other)
    }
    fn shl(self, count: u32) -> Self {
        self.shifted_left(count)
    }
    fn shr(self, count: u32) -> Self {
        self.shifted_right(count)
    }
    fn sra(self, count: u32) -> Self {
        let id = self.require(&Range::new(-power(63), power(63) - 1), "a sign");
        ledger(|l| l.divide(id, count).0).into()
    }
    fn madd_lo(self, a: Self, b: Self) -> Self {
        self.plus(Self::halves(a, b).1)
    }
    fn madd_hi(self, a: Self, b: Self) -> Self {
        self.plus(Self::halves(a, b).0)
    }
    fn select(mask: u32, on: Self, off: Self) -> Self {
        if mask & 1 == 1 { on } else { off }
    }
    fn eq(self, other: Self) -> u32 {
        self.is_equal(other).into()
    }
    fn lt(self, other: Self) -> u32 {
        self.is_below(other).into()
    }
    fn wrapping(self) -> Self {
        Self {
            wraps: true,
            ..self
        }
    }
    fn settled<const L: usize>(limbs: [Self; L]) -> [Self; L] {
        settle(52, limbs)
    }
    /// The limbs come back without what is above their low 52 bits, and still such that nothing but a
    /// product may read them.
    fn settled_below<const L: usize>(mut limbs: [Self; L]) -> [Self; L] {
        for limb in &mut limbs[..L - 1] {
            *limb = ledger(|l| l.divide(limb.id, 52).1).into();
        }
        let mut limbs = settle(52, limbs);
        for limb in &mut limbs[..L - 1] {
            *limb = Word::wrapping(*limb);
        }
        limbs
    }
}

impl Register for Interval {
    type Token = ();

    fn splat((): (), value: u64) -> Self {
        <Self as Word>::splat((), value)
    }
    fn constant(self, value: u64) -> Self {
        <Self as Word>::splat((), value)
    }
    /// The largest value.
    fn lanes(self) -> [u64; MAX_LANES] {
        let known = ledger(|l| l.known(self.id()).clone());
        // Definitions are looked at where they are needed: there are many in points.
        [u64::try_from(&known.high)
            .ok()
            .filter(|_| known.low.sign() != Sign::Minus)
            .unwrap_or_else(|| self.largest()); MAX_LANES]
    }
    fn madd_lo(self, a: Self, b: Self) -> Self {
        self.plus(Self::halves(a, b).1)
    }
    fn madd_hi(self, a: Self, b: Self) -> Self {
        self.plus(Self::halves(a, b).0)
    }
    fn add(self, other: Self) -> Self {
        self.plus(other)
    }
    fn sub(self, other: Self) -> Self {
        self.minus(other)
    }
    fn times(self, other: Self) -> Self {
        let product = ledger(|l| l.product(self.id(), other.id()));
        Self::check_word(product);
        product.into()
    }
    fn and(self, other: Self) -> Self {
        self.masked(other)
    }
    fn shr<const N: u32>(self) -> Self {
        self.shifted_right(N)
    }
    fn blend(self, mask: u8, other: Self) -> Self {
        if mask & 1 == 1 { other } else { self }
    }
    fn equal(self, other: Self) -> u8 {
        if self.is_equal(other) { 0xff } else { 0 }
    }
    fn wrapping(self) -> Self {
        Self {
            wraps: true,
            ..self
        }
    }
}

/// Whether a proof fails.
pub(crate) fn fails<T>(work: impl Fn() -> T) -> bool {
    let prove = || {
        prove(|| {
            work();
        })
    };
    catch_unwind(AssertUnwindSafe(prove)).is_err()
}

#[test]
fn what_leaves_its_range_is_found() {
    let any = |low: i64, high: u64| Interval::any(Range::new(low, high));
    let sum_fails = |a: (i64, u64), b: (i64, u64)| fails(|| any(a.0, a.1).plus(any(b.0, b.1)));
    assert!(sum_fails((0, u64::MAX), (0, 1)));
    assert!(!sum_fails((0, u64::MAX - 1), (0, 1)));
    assert!(sum_fails((-1, 0), (0, 1 << 63)));
    assert!(!sum_fails((-1, 0), (0, u64::MAX >> 1)));
    assert!(fails(|| any(-1, 5).shifted_right(3)));
    assert!(fails(|| any(0, 1 << 20).shifted_left(44)));
    let multiply = |factor: Interval| {
        Word::madd_lo(any(0, 0), factor, any(0, 1));
    };
    assert!(fails(|| multiply(any(0, 1 << 52))));
    assert!(!fails(|| multiply(Word::wrapping(any(0, 1 << 52)))));
    // What is added and taken off again is gone.
    assert!(!fails(|| {
        let (a, b) = (any(0, 1 << 60), any(0, 1 << 60));
        assert_eq!(a.plus(b).minus(b).range(), Range::new(0, power(60)));
    }));
}

#[test]
fn decisions_take_both_ways() {
    let seen = RefCell::new(Vec::new());
    let (_, paths) = prove(|| {
        let word = Interval::any(Range::new(0, 9));
        let limit = <Interval as Word>::splat((), 4);
        let small = word.is_below(limit);
        seen.borrow_mut().push((small, word.range()));
        // What has been decided is known.
        assert_eq!(word.is_below(limit), small);
    });
    assert_eq!(paths, 2);
    let expected = [(false, Range::new(4, 9)), (true, Range::new(0, 3))];
    assert_eq!(seen.into_inner(), expected);
}
