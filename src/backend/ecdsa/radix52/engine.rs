//! The engines of both curves with limbs of 52 bits.

use core::marker::PhantomData;

use super::Field52;
use super::primes::{P256Order, P256Prime, P384Order, P384Prime};
use crate::backend::ecdsa::{
    domain::{Entry256, Entry384, P256, P384},
    field::{Bound, Engine, Kernel},
};
use crate::backend::lanes::{Instructions, Word};

/// An engine whose lanes are the words `W`.
pub(crate) struct Engine52<W: Word, C> {
    token: W::Token,
    curve: PhantomData<C>,
}

impl<W: Word, C> Clone for Engine52<W, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Word, C> Copy for Engine52<W, C> {}

/// Emulated lanes need no token.
#[cfg(test)]
impl<W: Word<Token = ()>, C> Default for Engine52<W, C> {
    fn default() -> Self {
        Self::new(())
    }
}

impl<W: Word, C> Engine52<W, C> {
    /// The engine that a token unlocks.
    pub(crate) fn new(token: W::Token) -> Self {
        Self {
            token,
            curve: PhantomData,
        }
    }
}

macro_rules! engine {
    ($curve:ident, $limbs:literal, $prime:ident, $order:ident, $entry:ident) => {
        impl<W: Word> Engine for Engine52<W, $curve> {
            type Fp = Field52<W, $prime, $limbs>;
            type Fn = Field52<W, $order, $limbs>;
            type Entry = $entry;
            const LANES: usize = W::LANES;
            const STRIP: usize = 3;

            #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
            fn fp(self) -> Self::Fp {
                Field52 {
                    token: self.token,
                    modulus: PhantomData,
                }
            }

            #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
            fn scalars(self) -> Self::Fn {
                Field52 {
                    token: self.token,
                    modulus: PhantomData,
                }
            }

            #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
            fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                self.token.run(Bound(self, kernel))
            }
        }
    };
}

engine!(P256, 5, P256Prime, P256Order, Entry256);
engine!(P384, 8, P384Prime, P384Order, Entry384);
