//! Integers of which only a range is known, and how they were computed from each other.
//!
//! Each number is a node: the range it lies in, and its definition by older numbers. A range that is
//! computed step by step is often too wide, as it forgets that two numbers have something in common:
//! the last limb of `a - b + m` could be negative if all that counts were the ranges of limbs. So
//! [`Ledger::range`] replaces numbers by their definitions, the newest first, until only inputs are
//! left; what cancels is gone, and the narrowest range on the way is right.
//!
//! The same rewriting shows that a result is right: [`Ledger::expanded`] gives it as a polynomial in
//! the inputs. Divisions are exact in there, because a quotient is `(of - rest) / 2^shift`, where the
//! rest is a number of its own. Which rests are zero, or equal, is found by [`Ledger::residue`].

mod expand;
mod numbers;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use std::collections::HashMap;

use num_bigint::{BigInt, Sign};

use expand::Fact;
use numbers::low_word;
pub(crate) use numbers::{Range, power};

/// The name of a number; definitions have smaller names.
pub(crate) type Id = u32;
/// The integer one: a single number is its product with one.
pub(crate) const ONE: Id = 0;
/// The integer zero.
pub(crate) const ZERO: Id = 1;

/// How a number came about.
#[derive(Clone, Debug)]
enum Kind {
    /// Any integer of its range.
    Any,
    /// What a division left.
    Rest {
        of: Id,
        shift: u32,
        quotient: Option<Id>,
    },
    Sum(Vec<(Id, BigInt)>),
    Product(Id, Id),
    /// `(of - rest) / 2^shift`.
    Quotient {
        of: Id,
        rest: Id,
        shift: u32,
    },
    /// A number that fits its limbs: equal to the other, but its range counts from here on.
    Total(Id),
}

struct Node {
    range: Range,
    kind: Kind,
}

/// All numbers of a computation.
pub(crate) struct Ledger {
    nodes: Vec<Node>,
    products: HashMap<(Id, Id), Id>,
    divisions: HashMap<(Id, u32), (Id, Id)>,
    /// Rests by the residues that they are.
    rests: HashMap<(u32, Vec<(Id, u64)>), Id>,
    facts: Vec<Fact>,
    /// Pairs whose product is -1 modulo 2^52.
    opposites: HashMap<Id, Id>,
    /// Totals by their last limb.
    pub(crate) totals: HashMap<Id, Id>,
    /// The largest magnitude of a word.
    pub(crate) peak: BigInt,
    pub(crate) decisions: Vec<bool>,
    pub(crate) decided: usize,
    /// Whether quotients of two values are decided.
    pub(crate) splits: bool,
}

/// A path that no input takes. It unwinds to the proof, which goes on with the next one.
pub(crate) struct Infeasible;

impl Ledger {
    pub(crate) fn new(decisions: Vec<bool>) -> Self {
        let mut ledger = Self {
            nodes: Vec::new(),
            products: HashMap::new(),
            divisions: HashMap::new(),
            rests: HashMap::new(),
            facts: Vec::new(),
            opposites: HashMap::new(),
            totals: HashMap::new(),
            peak: BigInt::from(0),
            decisions,
            decided: 0,
            splits: false,
        };
        ledger.any(Range::new(1, 1));
        ledger.any(Range::new(0, 0));
        ledger
    }

    fn node(&mut self, range: Range, kind: Kind) -> Id {
        self.nodes.push(Node { range, kind });
        (self.nodes.len() - 1) as Id
    }

    /// Any integer of a range.
    pub(crate) fn any(&mut self, range: Range) -> Id {
        self.node(range, Kind::Any)
    }

    pub(crate) fn constant(&mut self, value: BigInt) -> Id {
        match u32::try_from(&value) {
            Ok(0) => ZERO,
            Ok(1) => ONE,
            _ => self.node(
                Range::new(value.clone(), value.clone()),
                Kind::Sum([(ONE, value)].into()),
            ),
        }
    }

    /// The range as far as it is known without looking at definitions.
    pub(crate) fn known(&self, id: Id) -> &Range {
        &self.nodes[id as usize].range
    }

    /// A sum of multiples.
    pub(crate) fn sum(&mut self, parts: &[(Id, BigInt)]) -> Id {
        let mut range = Range::new(0, 0);
        let mut left: Vec<(Id, BigInt)> = Vec::new();
        for (id, factor) in parts {
            let part = self.known(*id);
            let part = part.product(&Range::new(factor.clone(), factor.clone()));
            // Not what is zero on this path alone: the polynomial has to know why.
            if *id == ZERO || factor.sign() == Sign::NoSign {
                continue;
            }
            range = Range::new(range.low + part.low, range.high + part.high);
            left.push((*id, factor.clone()));
        }
        match &left[..] {
            [] => ZERO,
            [(id, factor)] if *factor == BigInt::from(1) => *id,
            _ => self.node(range, Kind::Sum(left)),
        }
    }

    pub(crate) fn product(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = (a.max(b), a.min(b));
        for (one, other) in [(a, b), (b, a)] {
            let by_itself = match &self.nodes[one as usize].kind {
                Kind::Any => true,
                Kind::Sum(parts) => matches!(parts[..], [(ONE, _)]),
                _ => false,
            };
            if by_itself && self.known(one).is_single() {
                let factor = self.known(one).low.clone();
                return self.sum(&[(other, factor)]);
            }
        }
        if let Some(known) = self.products.get(&(a, b)) {
            return *known;
        }
        let range = self.known(a).product(self.known(b));
        let id = self.node(range, Kind::Product(a, b));
        self.products.insert((a, b), id);
        id
    }

    /// Whether this division has been done.
    pub(crate) fn has_divided(&self, of: Id, shift: u32) -> bool {
        self.divisions.contains_key(&(of, shift))
    }

    /// The quotient and the rest of a division by 2^`shift`, rounded towards minus infinity.
    pub(crate) fn divide(&mut self, of: Id, shift: u32) -> (Id, Id) {
        if shift == 0 {
            return (of, ZERO);
        }
        if self.known(of).is_within(&Range::bits(shift)) {
            return (ZERO, of);
        }
        if let Some(known) = self.divisions.get(&(of, shift)) {
            return *known;
        }
        // 2^k·x by 2^shift is x by 2^(shift - k), and leaves 2^k times as much.
        if let Kind::Sum(parts) = &self.nodes[of as usize].kind
            && let [(x, times)] = &parts[..]
            && *x != ONE
            && times.sign() == Sign::Plus
            && let zeros = times.trailing_zeros().unwrap_or(0)
            && *times == power(zeros as u32)
            && (1..u64::from(shift)).contains(&zeros)
        {
            let (x, times) = (*x, times.clone());
            let (quotient, rest) = self.divide(x, shift - zeros as u32);
            return (quotient, self.sum(&[(rest, times)]));
        }
        let rest = self.rest(of, shift);
        let range = self.known(of).shifted_down(shift);
        let quotient = self.node(range, Kind::Quotient { of, rest, shift });
        if let Kind::Rest {
            of: first,
            quotient: open @ None,
            ..
        } = &mut self.nodes[rest as usize].kind
            && *first == of
        {
            *open = Some(quotient);
        }
        self.divisions.insert((of, shift), (quotient, rest));
        if self.splits {
            self.split(quotient);
        }
        (quotient, rest)
    }

    /// What a division leaves: a number that is there already where it must be the same.
    fn rest(&mut self, of: Id, shift: u32) -> Id {
        let mask = u64::MAX >> (64 - shift);
        let residue = self.residue(of, shift);
        match &residue[..] {
            [] => return ZERO,
            [(ONE, value)] => return self.constant((*value).into()),
            [(same, 1)] if self.known(*same).is_within(&Range::bits(shift)) => return *same,
            _ => {}
        }
        if let Some(known) = self.rests.get(&(shift, residue.clone())) {
            return *known;
        }
        // Of x and 2^shift - 1 - x.
        let mut opposite: BTreeMap<Id, u64> = residue.iter().copied().collect();
        for value in opposite.values_mut() {
            *value = value.wrapping_neg() & mask;
        }
        let one = opposite.entry(ONE).or_default();
        *one = one.wrapping_sub(1) & mask;
        opposite.retain(|_, value| *value != 0);
        let opposite: Vec<_> = opposite.into_iter().collect();
        if let Some(known) = self.rests.get(&(shift, opposite)) {
            let known = *known;
            return self.sum(&[(ONE, mask.into()), (known, (-1).into())]);
        }
        let kind = Kind::Rest {
            of,
            shift,
            quotient: None,
        };
        let rest = self.node(Range::bits(shift), kind);
        self.rests.insert((shift, residue), rest);
        rest
    }

    /// The number modulo 2^`bits`, as a sum of multiples of numbers that are not sums.
    fn residue(&self, id: Id, bits: u32) -> Vec<(Id, u64)> {
        let mask = u64::MAX >> (64 - bits);
        let mut open = BTreeMap::from([(id, 1u64)]);
        let mut done = Vec::new();
        let add = |open: &mut BTreeMap<Id, u64>, id: Id, value: u64| {
            let sum = open.entry(id).or_default();
            *sum = sum.wrapping_add(value);
        };
        while let Some((id, factor)) = open.pop_last() {
            if factor & mask == 0 {
                continue;
            }
            match &self.nodes[id as usize].kind {
                Kind::Sum(parts) => {
                    for (part, times) in parts {
                        add(&mut open, *part, factor.wrapping_mul(low_word(times)));
                    }
                }
                // What the division took off is a multiple of 2^bits as well.
                Kind::Rest { of, shift, .. } if *shift + factor.trailing_zeros() >= bits => {
                    add(&mut open, *of, factor);
                }
                Kind::Product(a, b) => match self.cancelled(*a, *b, bits) {
                    Some(other) => add(&mut open, other, factor.wrapping_neg()),
                    None => done.push((id, factor & mask)),
                },
                _ => done.push((id, factor & mask)),
            }
        }
        done.retain(|(id, _)| *id != ZERO);
        done.sort_unstable();
        done
    }

    /// `x` if the product is `(x·a mod 2^52)·b` with `a·b = -1`.
    fn cancelled(&self, a: Id, b: Id, bits: u32) -> Option<Id> {
        for (digit, n) in [(a, b), (b, a)] {
            let Some(inverse) = self.opposites.get(&n) else {
                continue;
            };
            let Kind::Rest { of, shift, .. } = self.nodes[digit as usize].kind else {
                continue;
            };
            if let Kind::Product(x, y) = self.nodes[of as usize].kind
                && shift >= bits
            {
                return match (x == *inverse, y == *inverse) {
                    (true, _) => Some(y),
                    (_, true) => Some(x),
                    _ => None,
                };
            }
        }
        None
    }

    /// Two numbers whose product is -1 modulo 2^52.
    pub(crate) fn set_opposites(&mut self, n: Id, inverse: Id) {
        self.opposites.insert(n, inverse);
    }

    /// Names a number, whose range counts from here on.
    pub(crate) fn total(&mut self, of: Id) -> Id {
        let range = self.range(of);
        self.node(range, Kind::Total(of))
    }

    /// The last limb of a number: what the limbs before leave of it, which is a multiple of
    /// 2^`shift`. They are not negative and less than that together.
    pub(crate) fn last_limb(&mut self, total: Id, before: &[(Id, BigInt)], shift: u32) -> Id {
        let range = self.known(total).shifted_down(shift);
        let last = self.limb_left(total, before, shift, Some(range));
        self.totals.insert(last, total);
        last
    }

    /// The same, whatever the limbs before are; without a range, of any that they allow.
    pub(crate) fn limb_left(
        &mut self,
        total: Id,
        before: &[(Id, BigInt)],
        shift: u32,
        range: Option<Range>,
    ) -> Id {
        let mut parts = Vec::from([(total, BigInt::from(1))]);
        parts.extend(before.iter().map(|(id, factor)| (*id, -factor)));
        let of = self.sum(&parts);
        let range = range.unwrap_or_else(|| self.known(of).shifted_down(shift));
        let kind = Kind::Quotient {
            of,
            rest: ZERO,
            shift,
        };
        self.node(range, kind)
    }

    /// Decides which of two values a number has, if there are two.
    pub(crate) fn split(&mut self, id: Id) -> bool {
        let Range { low, high } = self.range(id);
        if &high - &low == BigInt::from(1) {
            let end = if self.decide() { low } else { high };
            self.assume(id, Range::new(end.clone(), end));
        }
        self.known(id).is_single()
    }

    /// Takes the other way at a fork the next time.
    pub(crate) fn decide(&mut self) -> bool {
        if self.decided == self.decisions.len() {
            self.decisions.push(false);
        }
        self.decided += 1;
        self.decisions[self.decided - 1]
    }
}
