//! What a verifier plans, and the buffers it works in.

use alloc::vec::Vec;

use super::{
    affine::Sums,
    curve::Curve,
    field::Engine,
    scalar::Scalars,
    tables::{Builder, Shape},
    walk::End,
};

/// How one key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not a point of the curve: nothing verifies.
    Refused,
    /// A table of the given shape is built with each chunk.
    Local(Shape),
    /// A comb in the cache: width, first entry.
    Cached(u32, u32),
}

/// What [`Ecdsa::prepare`] decided for the keys of a batch. Reused.
#[derive(Debug)]
pub(crate) struct Plan<C: Curve> {
    /// Plain coordinates and place of each key.
    pub(super) keys: Vec<(C::Entry, Place)>,
    /// Which state of the cache the places refer to.
    pub(super) generation: u64,
}

impl<C: Curve> Default for Plan<C> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            generation: 0,
        }
    }
}

/// Buffers of one engine.
pub(super) struct Work<E: Engine> {
    pub(super) scalars: Scalars<E>,
    pub(super) sums: Sums<E>,
    pub(super) ends: Vec<End<E::Fp>>,
    pub(super) builder: Builder<E>,
    pub(super) points: Vec<E::Entry>,
    pub(super) table: Vec<E::Entry>,
    pub(super) table_base: Vec<u32>,
    pub(super) base: Vec<u32>,
    pub(super) generator_base: Vec<u32>,
    pub(super) on_curve: Vec<bool>,
    pub(super) right: Vec<u32>,
}

impl<E: Engine> Default for Work<E> {
    fn default() -> Self {
        Self {
            scalars: Scalars::default(),
            sums: Sums::default(),
            ends: Vec::new(),
            builder: Builder::default(),
            points: Vec::new(),
            table: Vec::new(),
            table_base: Vec::new(),
            base: Vec::new(),
            generator_base: Vec::new(),
            on_curve: Vec::new(),
            right: Vec::new(),
        }
    }
}

/// Buffers of one thread. Reused from call to call; nothing is allocated once they have grown.
pub(crate) struct Scratch<C: Curve> {
    pub(super) portable: Work<C::Portable>,
    #[cfg(target_arch = "x86_64")]
    pub(super) ifma: Work<C::Ifma>,
    pub(super) order: Vec<u32>,
    pub(super) classes: Vec<u8>,
}

impl<C: Curve> Default for Scratch<C> {
    fn default() -> Self {
        Self {
            portable: Work::default(),
            #[cfg(target_arch = "x86_64")]
            ifma: Work::default(),
            order: Vec::new(),
            classes: Vec::new(),
        }
    }
}

/// The comb of the generator.
pub(super) struct Generator<C: Curve> {
    pub(super) shape: Shape,
    pub(super) table: Vec<C::Entry>,
}
