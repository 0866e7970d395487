//! A table of points for each lane, with the scalars that index it.

use super::{
    field::Engine,
    scalar::Digits,
    tables::{Shape, digits},
};
use crate::backend::lanes::MAX_LANES;

/// A table for each lane and the scalars that index it.
#[derive(Clone, Copy)]
pub(super) struct Term<'a, E: Engine> {
    /// Tables.
    pub(super) table: &'a [E::Entry],
    /// Where the table of each signature begins; `LANES` for each group.
    pub(super) base: &'a [u32],
    /// Scalars.
    pub(super) scalars: Digits<'a>,
}

impl<E: Engine> Term<'_, E> {
    /// Indices and signs of one digit of one group.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn digit(
        &self,
        shape: Shape,
        group: usize,
        block: u32,
        digit: u32,
        index: &mut [u32; MAX_LANES],
    ) -> u32 {
        let words = &self.scalars.words[group * self.scalars.stride..][..self.scalars.stride];
        let base = &self.base[group * E::LANES..][..E::LANES];
        let bit = block * shape.spacing() + digit * shape.width;
        let negative = digits(words, E::LANES, bit, shape.width, base, index);
        for index in &mut index[..E::LANES] {
            *index += block * shape.block_entries();
        }
        negative ^ self.scalars.negative[group]
    }
}
