//! The engines of both curves with 64-bit limbs.

use core::marker::PhantomData;

use super::Field64;
use super::primes::{P256Order, P256Prime, P384Order, P384Prime};
use crate::backend::ecdsa::{
    domain::{Entry256, Entry384, P256, P384},
    field::{Bound, Engine, Kernel},
};
#[cfg(target_arch = "x86_64")]
use crate::backend::isa::bmi2::Bmi2;

/// The engine with 64-bit limbs.
#[derive(Clone, Copy)]
pub(crate) struct Portable64<C>(PhantomData<C>);

impl<C> Default for Portable64<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Runs a kernel with the instructions that every CPU has.
#[inline(never)]
fn plain<E: Engine, K: Kernel<E>>(engine: E, kernel: K) -> K::Output {
    kernel.call(engine)
}

macro_rules! engine {
    ($curve:ident, $n:literal, $prime:ident, $order:ident, $entry:ident) => {
        impl Engine for Portable64<$curve> {
            type Fp = Field64<$prime, $n>;
            type Fn = Field64<$order, $n>;
            type Entry = $entry;
            const LANES: usize = 1;
            const STRIP: usize = 1;

            fn fp(self) -> Self::Fp {
                Field64(PhantomData)
            }

            fn scalars(self) -> Self::Fn {
                Field64(PhantomData)
            }

            fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                #[cfg(target_arch = "x86_64")]
                if let Some(token) = Bmi2::detect() {
                    return token.run(Bound(self, kernel));
                }
                plain(self, kernel)
            }

            fn part<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                self.run(kernel)
            }
        }
    };
}

engine!(P256, 4, P256Prime, P256Order, Entry256);
engine!(P384, 6, P384Prime, P384Order, Entry384);
