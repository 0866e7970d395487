//! Every back end against `p256` and `p384`, known answers, and constructed exceptional cases.

use alloc::{vec, vec::Vec};
use core::marker::PhantomData;

use super::{Ecdsa, P256, P384, Plan, Scratch, curve::Curve, field::Engine, radix52::Engine52};
use crate::algorithm::Algorithm;
use crate::backend::{
    Backend,
    engine::{Job, KeyUse, SignatureEngine, Signed},
    lanes::{Emulated, Pair},
    tests::backends,
};

mod arithmetic;
mod bounds;
mod bounds64;
mod edge;
mod known;
mod limbs64;
mod points;
mod recoding;
mod residues;
mod sums;
mod word64;

/// A curve whose engine for every CPU is the one for vectors, on emulated lanes.
#[derive(Clone, Copy)]
pub(super) struct OnLanes<C>(PhantomData<C>);

impl<C: Curve> Curve for OnLanes<C>
where
    Engine52<Pair<Emulated>, C>: Engine<Entry = C::Entry>,
{
    const NAME: &'static str = C::NAME;
    const KIND: crate::key::KeyKind = C::KIND;
    const BYTES: usize = C::BYTES;
    const P: &'static [u64] = C::P;
    const N: &'static [u64] = C::N;
    const P_MINUS_N: &'static [u64] = C::P_MINUS_N;
    const B: &'static [u64] = C::B;
    const G: Self::Entry = C::G;
    type Entry = C::Entry;
    type Portable = Engine52<Pair<Emulated>, C>;
    #[cfg(target_arch = "x86_64")]
    type Ifma = C::Ifma;
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: crate::backend::Avx512Ifma) -> Self::Ifma {
        C::ifma(token)
    }
}

/// A curve that has an engine for vectors.
pub(super) trait Laned: Curve {
    type OnLanes: Curve;
}

impl Laned for P256 {
    type OnLanes = OnLanes<Self>;
}

impl Laned for P384 {
    type OnLanes = OnLanes<Self>;
}

/// A verification and its right verdict.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) key: Vec<u8>,
    pub(super) digest: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) valid: bool,
}

/// The verdicts of a fresh verifier on all cases in one batch.
pub(super) fn decide<C: Curve>(backend: Backend, cases: &[Case]) -> Vec<bool> {
    decide_with(&mut Ecdsa::<C>::new(backend, 64 << 20), cases)
}

/// The verdicts on all cases in one batch.
pub(super) fn decide_with<C: Curve>(ecdsa: &mut Ecdsa<C>, cases: &[Case]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|a, b| cases[*a].key.cmp(&cases[*b].key));
    let mut keys: Vec<KeyUse<'_>> = Vec::new();
    let mut jobs = Vec::new();
    for case in order.iter().map(|i| &cases[*i]) {
        match keys.last_mut() {
            Some(last) if last.components == case.key => last.uses += 1,
            _ => keys.push(KeyUse {
                components: &case.key,
                exponent: 0,
                uses: 1,
            }),
        }
        jobs.push(Job {
            key: keys.len() as u32 - 1,
            algorithm: Algorithm::Es256,
            signed: Signed::Digest(&case.digest),
            signature: &case.signature,
        });
    }
    let mut plan = Plan::default();
    let mut scratch = Scratch::default();
    let mut sorted = vec![false; jobs.len()];
    ecdsa.prepare(&keys, &mut plan);
    ecdsa.verify(&plan, &jobs, &mut scratch, &mut sorted);
    let mut verdicts = vec![false; cases.len()];
    for (verdict, i) in sorted.iter().zip(order) {
        verdicts[i] = *verdict;
    }
    verdicts
}

/// Asserts that every back end of this test gives the right verdicts.
pub(super) fn check<C: Laned>(cases: &[Case]) {
    for backend in backends() {
        check_on::<C>(backend, cases);
        if matches!(backend, Backend::Portable) {
            check_on::<C::OnLanes>(backend, cases);
        }
    }
}

/// Asserts the right verdicts, with the sums cut into parts and in one piece.
fn check_on<C: Curve>(backend: Backend, cases: &[Case]) {
    for parts in [16, 1] {
        let mut ecdsa = Ecdsa::<C>::new(backend, 64 << 20);
        ecdsa.most_parts = parts;
        let verdicts = decide_with(&mut ecdsa, cases);
        for (i, (case, verdict)) in cases.iter().zip(verdicts).enumerate() {
            assert_eq!(
                verdict,
                case.valid,
                "{} on {} with {backend:?}, {parts} parts, case {i} of {}: {case:x?}",
                C::NAME,
                core::any::type_name::<C::Portable>(),
                cases.len()
            );
        }
    }
}

/// Reproducible bytes: SHA-512 of a counter.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn bytes(&mut self) -> [u8; 64] {
        use sha2::Digest;
        self.0 += 1;
        sha2::Sha512::digest(self.0.to_le_bytes()).into()
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let bytes = self.bytes();
        let first = bytes.first_chunk().expect("64 bytes");
        u64::from_le_bytes(*first) % limit
    }
}

/// What the tests need of `p256` and `p384`, which have the same interface.
macro_rules! reference {
    ($name:ident, $krate:ident, $curve:ty, $bytes:literal) => {
        pub(super) mod $name {
            use $krate::{
                AffinePoint, FieldBytes, ProjectivePoint, Scalar,
                ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
                elliptic_curve::{
                    Group as _, PrimeField as _,
                    ops::Reduce,
                    point::AffineCoordinates,
                    sec1::{FromSec1Point, ToSec1Point},
                },
            };

            use super::{Case, Random, Vec};

            pub(crate) type C = $curve;
            pub(crate) const BYTES: usize = $bytes;
            pub(crate) type Number = Scalar;
            pub(crate) use $krate as krate;

            /// A random scalar.
            pub(crate) fn scalar(random: &mut Random) -> Scalar {
                reduce(&random.bytes()[..BYTES])
            }

            /// Bytes modulo the order.
            pub(crate) fn reduce(bytes: &[u8]) -> Scalar {
                let bytes = FieldBytes::try_from(bytes).expect("as long as a scalar");
                <Scalar as Reduce<FieldBytes>>::reduce(&bytes)
            }

            pub(crate) fn to_bytes(scalar: &Scalar) -> Vec<u8> {
                scalar.to_repr().to_vec()
            }

            /// Coordinates of `k·G`.
            pub(crate) fn key(k: &Scalar) -> Vec<u8> {
                point_bytes(&(ProjectivePoint::GENERATOR * k))
            }

            pub(crate) fn point_bytes(point: &ProjectivePoint) -> Vec<u8> {
                point.to_affine().to_sec1_point(false).as_bytes()[1..].to_vec()
            }

            /// The verdict of the reference.
            pub(crate) fn verdict(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
                let mut sec1 = alloc::vec![4];
                sec1.extend_from_slice(key);
                let Ok(key) = VerifyingKey::from_sec1_bytes(&sec1) else {
                    return false;
                };
                let Ok(signature) = Signature::from_slice(signature) else {
                    return false;
                };
                key.verify_prehash(digest, &signature).is_ok()
            }

            /// A case with the verdict of the reference.
            pub(crate) fn case(key: Vec<u8>, digest: Vec<u8>, signature: Vec<u8>) -> Case {
                let valid = verdict(&key, &digest, &signature);
                Case {
                    key,
                    digest,
                    signature,
                    valid,
                }
            }

            /// A case whose verification computes exactly `u1·G + u2·Q` for `Q = k·G`: right unless
            /// that is infinity.
            pub(crate) fn from_scalars(u1: &Scalar, u2: &Scalar, k: &Scalar) -> Case {
                let point = ProjectivePoint::GENERATOR * (*u1 + *u2 * *k);
                let infinite: bool = point.is_identity().into();
                let r = if infinite {
                    Scalar::ONE
                } else {
                    reduce(&point.to_affine().x())
                };
                let s = r * u2.invert().expect("u2 is not zero");
                let mut signature = to_bytes(&r);
                signature.extend(to_bytes(&s));
                Case {
                    key: key(k),
                    digest: to_bytes(&(*u1 * s)),
                    signature,
                    valid: !infinite,
                }
            }

            /// The point with this x coordinate, if there is one.
            pub(crate) fn lift(x: &[u8]) -> Option<ProjectivePoint> {
                let mut sec1 = alloc::vec![2];
                sec1.extend_from_slice(x);
                let point = $krate::Sec1Point::from_bytes(&sec1).expect("a compressed point");
                let point = AffinePoint::from_sec1_point(&point).into_option()?;
                Some(point.into())
            }
        }
    };
}

reference!(r256, p256, super::super::P256, 32);
reference!(r384, p384, super::super::P384, 48);
