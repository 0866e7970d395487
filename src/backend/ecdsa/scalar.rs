//! From signatures to the two scalars of a verification.
//!
//! `u1 = e/s` and `u2 = r/s` modulo the group order, for all signatures of a chunk with one
//! inversion. Signatures that are out of range are replaced by ones before, since a single zero
//! would spoil the shared inversion, and are remembered as refused.

use alloc::vec::Vec;

use super::{
    curve::Curve,
    field::{Engine, Kernel, Ring},
    invert::invert,
    tables::{Shape, scalar_words},
};

/// Residues of the scalar ring of an engine.
type Scalar<E> = <<E as Engine>::Fn as Ring>::Fe<2>;

/// Big-endian bytes to words, least significant first.
pub(super) fn read_words(bytes: &[u8], words: &mut [u64]) {
    for (word, bytes) in words.iter_mut().zip(bytes.rchunks_exact(8)) {
        let bytes = bytes.try_into().expect("chunks of eight bytes");
        *word = u64::from_be_bytes(bytes);
    }
}

/// Whether `a < b`, both least significant word first and of the same length.
pub(super) fn less(a: &[u64], b: &[u64]) -> bool {
    let mut borrow = false;
    for (a, b) in a.iter().zip(b) {
        let (step, under) = a.overflowing_sub(*b);
        let (_, under_too) = step.overflowing_sub(u64::from(borrow));
        borrow = under | under_too;
    }
    borrow
}

/// The scalars of a chunk of signatures, in groups of lanes. Reused from chunk to chunk.
pub(super) struct Scalars<E: Engine> {
    /// r, s and the digest: `WORDS · LANES` words for each group.
    r: Vec<u64>,
    s: Vec<u64>,
    e: Vec<u64>,
    /// The odd one of `u` and `n - u`, ready for [`super::tables::digits`].
    u1: Vec<u64>,
    u2: Vec<u64>,
    /// For each group: lanes where that was `n - u`.
    negative1: Vec<u32>,
    negative2: Vec<u32>,
    /// For each group: lanes with an acceptable r and s.
    in_range: Vec<u32>,
    /// For each group: lanes where `r + n < p`, a second candidate for the coordinate.
    second: Vec<u32>,
    entered: Vec<Scalar<E>>,
    prefix: Vec<Scalar<E>>,
}

impl<E: Engine> Default for Scalars<E> {
    fn default() -> Self {
        Self {
            r: Vec::new(),
            s: Vec::new(),
            e: Vec::new(),
            u1: Vec::new(),
            u2: Vec::new(),
            negative1: Vec::new(),
            negative2: Vec::new(),
            in_range: Vec::new(),
            second: Vec::new(),
            entered: Vec::new(),
            prefix: Vec::new(),
        }
    }
}

/// One group of scalars in digit form.
#[derive(Clone, Copy)]
pub(super) struct Digits<'a> {
    /// The words, laid out as in [`Ring::read`].
    pub(super) words: &'a [u64],
    /// Words and lanes of a group.
    pub(super) stride: usize,
    /// For each group, the lanes that stand for the negative.
    pub(super) negative: &'a [u32],
}

impl<E: Engine> Scalars<E> {
    /// Makes room for `count` signatures, all refused until [`Scalars::set`].
    pub(super) fn reset<C: Curve>(&mut self, count: usize) {
        let groups = count.div_ceil(E::LANES);
        let words = groups * E::LANES * C::WORDS;
        for buffer in [&mut self.r, &mut self.s, &mut self.e] {
            buffer.clear();
            buffer.resize(words, 0);
        }
        // Lane padding: r = s = 1, digest 0.
        for group in 0..groups {
            let at = group * E::LANES * C::WORDS;
            self.r[at..at + E::LANES].fill(1);
            self.s[at..at + E::LANES].fill(1);
        }
        for mask in [&mut self.in_range, &mut self.second] {
            mask.clear();
            mask.resize(groups, 0);
        }
    }

    /// Sets signature number `at` of the chunk. What is out of range stays refused.
    pub(super) fn set<C: Curve>(&mut self, at: usize, signature: &[u8], digest: &[u8]) {
        if signature.len() != 2 * C::BYTES || digest.len() != C::BYTES {
            return;
        }
        let (group, lane) = (at / E::LANES, at % E::LANES);
        let mut words = [[0; 6]; 3];
        let [r, s, e] = &mut words;
        let (r, s, e) = (&mut r[..C::WORDS], &mut s[..C::WORDS], &mut e[..C::WORDS]);
        let (r_bytes, s_bytes) = signature.split_at(C::BYTES);
        read_words(r_bytes, r);
        read_words(s_bytes, s);
        read_words(digest, e);
        let zero = |words: &[u64]| words.iter().all(|word| *word == 0);
        if zero(r) || zero(s) || !less(r, C::N) || !less(s, C::N) {
            return;
        }
        let first = group * E::LANES * C::WORDS + lane;
        for word in 0..C::WORDS {
            self.r[first + word * E::LANES] = r[word];
            self.s[first + word * E::LANES] = s[word];
            self.e[first + word * E::LANES] = e[word];
        }
        self.in_range[group] |= 1 << lane;
        if less(r, C::P_MINUS_N) {
            self.second[group] |= 1 << lane;
        }
    }

    /// Computes u1 and u2 for digits of the given shapes.
    pub(super) fn solve<C: Curve>(&mut self, engine: E, shape1: Shape, shape2: Shape) {
        let groups = self.in_range.len();
        for buffer in [&mut self.u1, &mut self.u2] {
            buffer.clear();
            buffer.resize(groups * E::LANES * scalar_words::<C>(), 0);
        }
        for masks in [&mut self.negative1, &mut self.negative2] {
            masks.clear();
            masks.resize(groups, 0);
        }
        engine.run(Solve::<E, C> {
            scalars: self,
            curve: core::marker::PhantomData,
        });
        let stride = E::LANES * scalar_words::<C>();
        for (buffer, shape) in [(&mut self.u1, shape1), (&mut self.u2, shape2)] {
            let (word, bit) = (shape.bits() as usize / 64, shape.bits() % 64);
            for group in buffer.chunks_exact_mut(stride) {
                for value in &mut group[word * E::LANES..][..E::LANES] {
                    *value |= 1 << bit;
                }
            }
        }
    }

    /// u1, in digit form.
    pub(super) fn u1<C: Curve>(&self) -> Digits<'_> {
        Digits {
            words: &self.u1,
            stride: E::LANES * scalar_words::<C>(),
            negative: &self.negative1,
        }
    }

    /// u2, in digit form.
    pub(super) fn u2<C: Curve>(&self) -> Digits<'_> {
        Digits {
            words: &self.u2,
            stride: E::LANES * scalar_words::<C>(),
            negative: &self.negative2,
        }
    }

    /// r of one group.
    pub(super) fn r<C: Curve>(&self, group: usize) -> &[u64] {
        &self.r[group * E::LANES * C::WORDS..][..E::LANES * C::WORDS]
    }

    /// Lanes of one group with an acceptable r and s.
    pub(super) fn in_range(&self, group: usize) -> u32 {
        self.in_range[group]
    }

    /// Lanes of one group where `r + n` is below the field prime.
    pub(super) fn second_candidate(&self, group: usize) -> u32 {
        self.second[group]
    }
}

struct Solve<'a, E: Engine, C> {
    scalars: &'a mut Scalars<E>,
    curve: core::marker::PhantomData<C>,
}

impl<E: Engine, C: Curve> Kernel<E> for Solve<'_, E, C> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.scalars();
        let scalars = self.scalars;
        let groups = scalars.in_range.len();
        let plain = E::LANES * C::WORDS;
        let wide = E::LANES * scalar_words::<C>();
        scalars.entered.clear();
        scalars.prefix.clear();
        let mut product: Option<Scalar<E>> = None;
        for group in 0..groups {
            let s = f.enter(&f.read(&scalars.s[group * plain..][..plain]));
            scalars.entered.push(s);
            // The first prefix is never used.
            scalars.prefix.push(product.unwrap_or(s));
            product = Some(match product {
                None => s,
                Some(product) => f.mul(&product, &s),
            });
        }
        let Some(product) = product else { return };
        let mut inverse = invert(f, &product);
        for group in (0..groups).rev() {
            let reciprocal: Scalar<E> = if group == 0 {
                inverse
            } else {
                f.mul(&inverse, &scalars.prefix[group])
            };
            inverse = f.mul(&inverse, &scalars.entered[group]);
            // A factor in Montgomery form and a plain one give a plain product.
            let e = f.read(&scalars.e[group * plain..][..plain]);
            let r = f.read(&scalars.r[group * plain..][..plain]);
            let u1: Scalar<E> = f.mul(&reciprocal, &e);
            let u2: Scalar<E> = f.mul(&reciprocal, &r);
            scalars.negative1[group] = f.write_odd(&u1, &mut scalars.u1[group * wide..][..plain]);
            scalars.negative2[group] = f.write_odd(&u2, &mut scalars.u2[group * wide..][..plain]);
        }
    }
}
