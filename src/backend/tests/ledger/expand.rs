//! Numbers by older numbers, until only those are left that stand for themselves.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

use num_bigint::{BigInt, Sign};

use super::numbers::{Dyadic, Range, power};
use super::{Id, Infeasible, Kind, Ledger, ONE, ZERO};

/// A sum of products of two numbers with factors. The larger name comes first.
pub(crate) type Form = BTreeMap<(Id, Id), Dyadic>;

/// A bound of a sum that is known because of a decision.
pub(super) struct Fact {
    form: Form,
    low: Dyadic,
    high: Dyadic,
}

impl Ledger {
    /// What a number is by older ones; nothing if it stands for itself.
    fn definition(&self, id: Id, through_totals: bool) -> Option<Vec<(Id, Dyadic)>> {
        let whole = |parts: &[(Id, BigInt)]| {
            let parts = parts.iter();
            Some(
                parts
                    .map(|(id, times)| (*id, Dyadic::new(times.clone())))
                    .collect(),
            )
        };
        match &self.nodes[id as usize].kind {
            Kind::Any | Kind::Product(..) => None,
            Kind::Total(of) if through_totals => whole(&[(*of, 1.into())]),
            Kind::Total(_) => None,
            Kind::Sum(parts) => whole(parts),
            Kind::Quotient { of, rest, shift } => {
                let one = Dyadic::new(1.into()).shifted_down(*shift);
                Some([(*of, one.clone()), (*rest, one.times(&BigInt::from(-1)))].into())
            }
            // Once the quotient is known, the rest is no longer free.
            Kind::Rest {
                of,
                shift,
                quotient,
            } => {
                let quotient = self.known((*quotient)?);
                let times = -&quotient.low * power(*shift);
                quotient
                    .is_single()
                    .then(|| whole(&[(*of, 1.into()), (ONE, times)]))?
            }
        }
    }

    fn add_term(&self, form: &mut Form, term: (Id, Id), factor: &Dyadic, sums: &mut [Dyadic; 2]) {
        if term.0 == ZERO || term.1 == ZERO || factor.is_zero() {
            return;
        }
        self.count(term, factor, sums, false);
        match form.entry(term) {
            Entry::Vacant(entry) => {
                entry.insert(factor.clone());
            }
            Entry::Occupied(mut entry) => {
                // The ranges of the same product with two factors are one.
                let mut both = entry.get().clone();
                self.count(term, &both, sums, true);
                self.count(term, factor, sums, true);
                both.add(factor);
                self.count(term, &both, sums, false);
                if both.is_zero() {
                    entry.remove();
                } else {
                    entry.insert(both);
                }
            }
        }
    }

    /// Adds the range of a term to the sums of both ends, or takes it off.
    fn count(&self, term: (Id, Id), factor: &Dyadic, sums: &mut [Dyadic; 2], back: bool) {
        let range = self.known(term.0).product(self.known(term.1));
        let ends = match factor.mantissa.sign() {
            Sign::Minus => [range.high, range.low],
            _ => [range.low, range.high],
        };
        for (sum, end) in sums.iter_mut().zip(ends) {
            sum.add(&factor.times(&if back { -end } else { end }));
        }
    }

    /// A sum of multiples as a polynomial in what stands for itself, and the narrowest range that
    /// was seen on the way.
    fn expand(&self, start: &[(Id, Dyadic)], through_totals: bool) -> (Form, [Dyadic; 2], Range) {
        let mut sums = [Dyadic::new(0.into()), Dyadic::new(0.into())];
        // By the number that is looked at next. The other one has been looked at if it is larger.
        let mut open = Form::new();
        let mut done = Form::new();
        for (id, factor) in start {
            self.add_term(&mut open, (*id, ONE), factor, &mut sums);
        }
        let mut best = Range::new(sums[0].ceiling(), sums[1].floor());
        while let Some(((id, _), _)) = open.last_key_value() {
            let id = *id;
            let definition = self.definition(id, through_totals);
            for ((_, other), factor) in open.split_off(&(id, 0)) {
                self.count((id, other), &factor, &mut sums, true);
                let seen = other >= id;
                let is_product = matches!(self.nodes[id as usize].kind, Kind::Product(..));
                match &definition {
                    _ if is_product && other == ONE => {
                        if let Kind::Product(a, b) = self.nodes[id as usize].kind {
                            self.add_term(&mut open, (a, b), &factor, &mut sums);
                        }
                    }
                    None if seen || other == ONE => {
                        let term = (id.max(other), id.min(other));
                        self.add_term(&mut done, term, &factor, &mut sums);
                    }
                    None => self.add_term(&mut open, (other, id), &factor, &mut sums),
                    Some(parts) => {
                        for (part, times) in parts {
                            let mut factor = factor.times(&times.mantissa);
                            factor.exponent += times.exponent;
                            let term = match other > id {
                                true => (*part, other),
                                false => (other.max(*part), other.min(*part)),
                            };
                            self.add_term(&mut open, term, &factor, &mut sums);
                        }
                    }
                }
            }
            best.narrow(sums[0].ceiling(), sums[1].floor());
        }
        (done, sums, best)
    }

    /// A sum of multiples as a polynomial in the inputs.
    pub(crate) fn expanded(&self, start: &[(Id, BigInt)]) -> Form {
        let start: Vec<_> = start
            .iter()
            .map(|(id, factor)| (*id, Dyadic::new(factor.clone())))
            .collect();
        self.expand(&start, true).0
    }

    /// The range of a number, by its definition and by what has been decided. It is noted.
    pub(crate) fn range(&mut self, id: Id) -> Range {
        if self.known(id).is_single() {
            return self.known(id).clone();
        }
        let (form, sums, mut range) = self.expand(&[(id, Dyadic::new(1.into()))], false);
        for fact in &self.facts {
            for times in Self::shares(&form, fact) {
                let (low, high) = self.with_fact(&form, &sums, fact, &times);
                range.narrow(low.ceiling(), high.floor());
            }
        }
        let known = self.known(id).clone();
        range.narrow(known.low, known.high);
        self.narrow(id, range.clone());
        range
    }

    /// How many times a fact can be taken from a polynomial, so that a term vanishes.
    fn shares(form: &Form, fact: &Fact) -> Vec<Dyadic> {
        let mut shares: Vec<Dyadic> = Vec::new();
        for (term, of_fact) in fact.form.iter().rev() {
            let Some(own) = form.get(term) else { continue };
            let (own, of_fact) = (own.normal(), of_fact.normal());
            let mantissa = &own.mantissa / &of_fact.mantissa;
            let exponent = own.exponent - of_fact.exponent;
            let exact = &mantissa * &of_fact.mantissa == own.mantissa;
            let share = Dyadic { mantissa, exponent };
            if exact && !shares.contains(&share) {
                shares.push(share);
            }
        }
        shares
    }

    /// The ends of a polynomial after so much of a fact was taken from it, and its range added.
    fn with_fact(
        &self,
        form: &Form,
        sums: &[Dyadic; 2],
        fact: &Fact,
        times: &Dyadic,
    ) -> (Dyadic, Dyadic) {
        let scaled = |factor: &Dyadic| {
            let mut scaled = factor.times(&times.mantissa);
            scaled.exponent += times.exponent;
            scaled
        };
        let mut sums = sums.clone();
        let mut left = form.clone();
        for (term, factor) in &fact.form {
            let less = scaled(factor).times(&BigInt::from(-1));
            self.add_term(&mut left, *term, &less, &mut sums);
        }
        let [mut low, mut high] = sums;
        let ends = [scaled(&fact.low), scaled(&fact.high)];
        let [at_low, at_high] = match times.mantissa.sign() {
            Sign::Minus => [&ends[1], &ends[0]],
            _ => [&ends[0], &ends[1]],
        };
        low.add(at_low);
        high.add(at_high);
        (low, high)
    }

    /// Notes a range, also for the number of which this one is the negative.
    pub(crate) fn narrow(&mut self, id: Id, range: Range) {
        if let Kind::Sum(parts) = &self.nodes[id as usize].kind
            && let [(of, factor)] = &parts[..]
            && *factor == BigInt::from(-1)
        {
            let of = *of;
            self.narrow(of, Range::new(-&range.high, -&range.low));
        }
        let now = &mut self.nodes[id as usize].range;
        now.narrow(range.low, range.high);
        if now.low > now.high {
            std::panic::resume_unwind(Box::new(Infeasible));
        }
    }

    /// Notes that a number is in a range, because of a decision.
    pub(crate) fn assume(&mut self, id: Id, range: Range) {
        let (form, _, _) = self.expand(&[(id, Dyadic::new(1.into()))], false);
        let fact = Fact {
            low: Dyadic::new(range.low.clone()),
            high: Dyadic::new(range.high.clone()),
            form,
        };
        self.narrow(id, range);
        self.narrow_one(&fact);
        self.facts.push(fact);
    }

    /// A fact about a single number, besides what divisions left, is a range of it.
    fn narrow_one(&mut self, fact: &Fact) {
        let mut one = None;
        let (mut low, mut high) = (fact.low.clone(), fact.high.clone());
        for (term, factor) in &fact.form {
            let of_rests = matches!(self.nodes[term.0 as usize].kind, Kind::Rest { .. });
            if term.0 == ONE || of_rests && term.1 == ONE {
                let mut ends = [Dyadic::new(0.into()), Dyadic::new(0.into())];
                self.count(*term, factor, &mut ends, true);
                low.add(&ends[1]);
                high.add(&ends[0]);
            } else if one.replace((*term, factor.normal())).is_some() {
                return;
            }
        }
        let Some(((id, ONE), factor)) = one else {
            return;
        };
        let unit = &factor.mantissa;
        if *unit == BigInt::from(-1) {
            core::mem::swap(&mut low, &mut high);
        } else if *unit != BigInt::from(1) {
            return;
        }
        let [low, high] = [low, high].map(|end| Dyadic {
            mantissa: &end.mantissa * unit,
            exponent: end.exponent - factor.exponent,
        });
        let range = &mut self.nodes[id as usize].range;
        range.narrow(low.ceiling(), high.floor());
    }
}
