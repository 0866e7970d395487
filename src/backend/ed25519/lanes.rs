//! Verification in lanes: digests, multiples, and the comparison with R.
//!
//! The strict verdict is: s < L, the key decodes and has no small order, R has no small order, and
//! s·B − k·A, encoded, is R byte for byte. R need not be decoded for that: a string that equals an
//! encoding of a point is one, so that only its bytes have to be kept off the small orders.

use alloc::boxed::Box;
use alloc::vec::Vec;

use sha2::{Digest, Sha512};

use super::decode::{has_small_order, lane_limbs, low_bits, negated_keys, words};
use super::digits::Digits;
use super::field::Fe;
use super::job::{Ed25519Plan, PlannedKey, Point};
use super::point::{Extended, ONE, Sum};
use super::scalar::{canonical, reduce};
use super::single::{self, Multiples};
use super::table::{self, Table, TableBuilder, add_multiples};
use crate::backend::Avx512Ifma;
use crate::backend::engine::Job;
use crate::backend::isa::wide::W;
use crate::backend::lanes::{Instructions as _, Vectorised};
use crate::backend::sha512;

/// Jobs that share one inversion. Their sums take 80 kB.
const CHUNK: usize = 512;
/// Messages longer than this are hashed one by one, so that the buffers stay small.
const LONGEST: usize = 4096;

/// A job on its way into a lane. Sorted by the fields in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Width of the key's table, 0 for none: lanes of a group do the same steps.
    width: u32,
    /// Jobs with one key stand together, so that its table stays in the cache.
    key: u32,
    /// Number of the job.
    job: u32,
}

/// The scratch memory of one thread; it is reused, so that it is allocated once.
#[derive(Default)]
pub(super) struct Scratch {
    order: Vec<Place>,
    /// Number of blocks and place, for hashing messages of equal length together.
    lengths: Vec<(usize, usize)>,
    /// Eight padded messages.
    text: Vec<u8>,
    /// k of each place.
    challenges: Vec<[u64; 4]>,
    /// s·B − k·A of each group.
    sums: Vec<Sum>,
    /// Products of 2 Z of all groups up to one.
    products: Vec<Fe>,
    multiples: Option<Box<Multiples>>,
}

/// Writes the verdicts of all jobs whose verdict is not `false` already by their form.
pub(super) fn verify(
    token: Avx512Ifma,
    plan: &Ed25519Plan,
    base: &Table,
    jobs: &[Job<'_>],
    scratch: &mut Scratch,
    verdicts: &mut [bool],
) {
    verdicts.fill(false);
    let mut order = core::mem::take(&mut scratch.order);
    order.clear();
    for (number, job) in (0u32..).zip(jobs) {
        if job.message().is_none() {
            continue;
        }
        let Ok(signature) = <&[u8; 64]>::try_from(job.signature) else {
            continue;
        };
        let (r, s) = split(signature);
        if has_small_order(&words(r)) || canonical(s).is_none() {
            continue;
        }
        let width = match plan.keys.get(job.key as usize) {
            Some(PlannedKey::Table(table)) => table.width(),
            Some(PlannedKey::Point(_)) => 0,
            _ => continue,
        };
        order.push(Place {
            width,
            key: job.key,
            job: number,
        });
    }
    order.sort_unstable();
    for places in order.chunks(CHUNK) {
        token.run(Chunk {
            token,
            plan,
            base,
            jobs,
            places,
            scratch,
            verdicts,
        });
    }
    scratch.order = order;
}

/// R and s of a signature.
#[cfg_attr(not(debug_assertions), inline(always))]
fn split(signature: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (r, s) = signature.split_at(32);
    // 64 bytes are two times 32.
    (
        r.try_into().expect("32 bytes"),
        s.try_into().expect("32 bytes"),
    )
}

/// The signature of a job whose form has been checked.
#[cfg_attr(not(debug_assertions), inline(always))]
fn signature<'a>(job: &Job<'a>) -> (&'a [u8; 32], &'a [u8; 32]) {
    // `verify` lets only signatures of 64 bytes into the order.
    split(job.signature.try_into().expect("64 bytes"))
}

/// The message of such a job.
fn message<'a>(job: &Job<'a>) -> &'a [&'a [u8]] {
    job.message().unwrap_or_default()
}

/// Up to [`CHUNK`] jobs to verify.
struct Chunk<'a> {
    token: Avx512Ifma,
    plan: &'a Ed25519Plan,
    base: &'a Table,
    jobs: &'a [Job<'a>],
    places: &'a [Place],
    scratch: &'a mut Scratch,
    verdicts: &'a mut [bool],
}

impl Vectorised for Chunk<'_> {
    type Output = ();

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self) {
        let Self {
            token,
            plan,
            base,
            jobs,
            places,
            scratch,
            verdicts,
        } = self;
        challenges(token, plan, jobs, places, scratch);

        scratch.sums.clear();
        let mut start = 0;
        while start < places.len() {
            let end = group_end(places, start);
            let sum = group(token, plan, base, jobs, &places[start..end], start, scratch);
            scratch.sums.push(sum);
            start = end;
        }

        // Half of every Z inverted with one inversion. No Z is zero.
        scratch.products.clear();
        let mut product = Fe::splat(token, ONE);
        for sum in &scratch.sums {
            product = product.times(&sum.z.plus(&sum.z).carry());
            scratch.products.push(product);
        }
        let mut inverse = product.invert();
        let mut end = places.len();
        for (index, sum) in scratch.sums.iter().enumerate().rev() {
            let own = if index == 0 {
                inverse
            } else {
                inverse.times(&scratch.products[index - 1])
            };
            inverse = inverse.times(&sum.z.plus(&sum.z).carry());
            let start = group_start(places, end);
            let right = compare(token, jobs, &places[start..end], sum, &own);
            for (lane, place) in places[start..end].iter().enumerate() {
                verdicts[place.job as usize] = right >> lane & 1 == 1;
            }
            end = start;
        }
    }
}

/// End of the group that starts at `start`: eight places of one width at most.
fn group_end(places: &[Place], start: usize) -> usize {
    let same = places[start..]
        .iter()
        .take(8)
        .take_while(|p| p.width == places[start].width);
    start + same.count()
}

/// Start of the group that ends at `end`, the groups being those of [`group_end`].
fn group_start(places: &[Place], end: usize) -> usize {
    let width = places[end - 1].width;
    let first = places.partition_point(|place| place.width < width);
    first + (end - 1 - first) / 8 * 8
}

/// Computes k = SHA-512(R ‖ A ‖ M) mod L of every place.
#[cfg_attr(not(debug_assertions), inline(always))]
fn challenges(
    token: Avx512Ifma,
    plan: &Ed25519Plan,
    jobs: &[Job<'_>],
    places: &[Place],
    scratch: &mut Scratch,
) {
    let Scratch {
        lengths,
        text,
        challenges,
        ..
    } = scratch;
    challenges.clear();
    challenges.resize(places.len(), [0; 4]);
    lengths.clear();
    for (index, place) in places.iter().enumerate() {
        let job = &jobs[place.job as usize];
        let length = 64 + message(job).iter().map(|part| part.len()).sum::<usize>();
        if sha512::blocks(length) * sha512::BLOCK <= LONGEST {
            lengths.push((sha512::blocks(length), index));
        } else {
            let mut hash = Sha512::new();
            hash.update(signature(job).0);
            hash.update(plan.bytes[place.key as usize]);
            for part in message(job) {
                hash.update(part);
            }
            challenges[index] = reduce(&hash.finalize().into());
        }
    }
    lengths.sort_unstable();
    text.resize(8 * LONGEST, 0);

    let mut digests = [[0; 64]; 8];
    for eight in lengths.chunks(8) {
        for ((_, index), buffer) in eight.iter().zip(text.chunks_exact_mut(LONGEST)) {
            let place = &places[*index];
            let job = &jobs[place.job as usize];
            buffer[..32].copy_from_slice(signature(job).0);
            buffer[32..64].copy_from_slice(&plan.bytes[place.key as usize]);
            let mut length = 64;
            for part in message(job) {
                buffer[length..length + part.len()].copy_from_slice(part);
                length += part.len();
            }
            sha512::pad(buffer, length);
        }
        let mut messages: [&[u8]; 8] = [&text[..eight[0].0 * sha512::BLOCK]; 8];
        for (lane, (blocks, _)) in eight.iter().enumerate() {
            messages[lane] = &text[lane * LONGEST..][..blocks * sha512::BLOCK];
        }
        sha512::digest(token, &sha512::SHA512, &messages, &mut digests);
        for ((_, index), digest) in eight.iter().zip(&digests) {
            challenges[*index] = reduce(digest);
        }
    }
}

/// Returns s·B − k·A of one to eight places of one width; the other lanes repeat the first.
#[cfg_attr(not(debug_assertions), inline(always))]
fn group(
    token: Avx512Ifma,
    plan: &Ed25519Plan,
    base: &Table,
    jobs: &[Job<'_>],
    places: &[Place],
    first: usize,
    scratch: &mut Scratch,
) -> Sum {
    let width = places[0].width;
    let own_width = if width == 0 { single::WIDTH } else { width };
    let (mut s, mut k) = ([[0; 4]; 8], [[0; 4]; 8]);
    for lane in 0..8 {
        let place = lane.min(places.len() - 1);
        s[lane] = words(signature(&jobs[places[place].job as usize]).1);
        k[lane] = scratch.challenges[first + place];
    }
    let s_digits = Digits::new(token, &s, base.width());
    let k_digits = Digits::new(token, &k, own_width);

    let sum = if width == 0 {
        let mut limbs = [[0; 8]; 15];
        for lane in 0..8 {
            let place = &places[lane.min(places.len() - 1)];
            if let PlannedKey::Point(point) = &plan.keys[place.key as usize] {
                for (row, limb) in limbs.iter_mut().zip(point.as_flattened()) {
                    row[lane] = *limb;
                }
            }
        }
        let point = from_rows(token, &limbs);
        let multiples = scratch
            .multiples
            .get_or_insert_with(|| Box::new(Multiples::EMPTY));
        single::multiply(token, multiples, &point, &k_digits).sum()
    } else {
        let mut tables = [base; 8];
        for lane in 0..8 {
            let place = &places[lane.min(places.len() - 1)];
            if let PlannedKey::Table(table) = &plan.keys[place.key as usize] {
                tables[lane] = table;
            }
        }
        add_multiples(token, Sum::identity(token), &tables, &k_digits)
    };
    add_multiples(token, sum, &[base; 8], &s_digits)
}

/// A point with Z = 1 from rows of limbs of x, y and x y.
#[cfg_attr(not(debug_assertions), inline(always))]
fn from_rows(token: Avx512Ifma, rows: &[[u64; 8]; 15]) -> Extended {
    let mut limbs = [W::splat(token, 0); 15];
    for (limb, row) in limbs.iter_mut().zip(rows) {
        *limb = W::load(token, row);
    }
    let fe = |i: usize| {
        Fe::from_limbs([
            limbs[i],
            limbs[i + 1],
            limbs[i + 2],
            limbs[i + 3],
            limbs[i + 4],
        ])
    };
    Extended {
        x: fe(0),
        y: fe(5),
        z: Fe::splat(token, ONE),
        t: fe(10),
    }
}

/// Returns one bit per place, set where the sum encodes to R. `half` is 1/(2 Z).
#[cfg_attr(not(debug_assertions), inline(always))]
fn compare(token: Avx512Ifma, jobs: &[Job<'_>], places: &[Place], sum: &Sum, half: &Fe) -> u8 {
    let mut encodings = [[0; 4]; 8];
    for (words_of, place) in encodings.iter_mut().zip(places) {
        *words_of = words(signature(&jobs[place.job as usize]).0);
    }
    let x = sum
        .plus
        .minus(&sum.minus)
        .carry()
        .times(half)
        .canonical(token);
    let y = sum
        .plus
        .plus(&sum.minus)
        .carry()
        .times(half)
        .canonical(token);
    // All 255 bits of y as they stand in R: a y that is not reduced equals none of these.
    let claimed = lane_limbs(token, &encodings);
    let mut right = 0xff;
    for (y, claimed) in y.iter().zip(&claimed) {
        right &= y.equal(*claimed);
    }
    let mut sign = 0;
    for (lane, words) in encodings.iter().enumerate() {
        sign |= ((words[3] >> 63) as u8) << lane;
    }
    right & !(low_bits(&x[0].lanes()) ^ sign)
}

/// Keys that are decoded together: two registers, of which one would mostly wait.
pub(super) const DECODED: usize = 16;

/// The arguments of [`decode`], with a lane for each key.
struct Decode<'a> {
    token: Avx512Ifma,
    keys: &'a [[[u64; 4]; 8]; 2],
    out: &'a mut [[Point; 8]; 2],
}

impl Vectorised for Decode<'_> {
    /// Which are points, one bit for each.
    type Output = [u8; 2];

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self) -> [u8; 2] {
        let Self { token, keys, out } = self;
        let mut valid = [0; 2];
        for (half, (point, bits)) in negated_keys(token, keys).iter().enumerate() {
            for (part, fe) in [&point.x, &point.y, &point.t].iter().enumerate() {
                for (i, limb) in fe.limbs().iter().enumerate() {
                    for (point, limb) in out[half].iter_mut().zip(limb.lanes()) {
                        point[part][i] = limb;
                    }
                }
            }
            valid[half] = *bits;
        }
        valid
    }
}

/// Decodes up to [`DECODED`] keys and puts −A, or `None` where the bytes are no point.
pub(super) fn decode(
    token: Avx512Ifma,
    keys: &[[u8; 32]],
    mut put: impl FnMut(usize, Option<Point>),
) {
    debug_assert!(keys.len() <= DECODED);
    let mut encodings = [[[0; 4]; 8]; 2];
    for (encoding, key) in encodings.as_flattened_mut().iter_mut().zip(keys) {
        *encoding = words(key);
    }
    let mut points = [[[[0; 5]; 3]; 8]; 2];
    let valid = token.run(Decode {
        token,
        keys: &encodings,
        out: &mut points,
    });
    for (index, point) in points.as_flattened().iter().enumerate().take(keys.len()) {
        put(
            index,
            (valid[index / 8] >> (index % 8) & 1 == 1).then_some(*point),
        );
    }
}

/// The arguments of [`build_tables`], with a lane for each point.
struct Build<'a, H> {
    token: Avx512Ifma,
    workshop: &'a mut TableBuilder,
    rows: &'a [[u64; 8]; 15],
    lanes: u8,
    width: u32,
    hand_out: H,
}

impl<H: FnMut(usize, Table)> Vectorised for Build<'_, H> {
    type Output = ();

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self) {
        let point = from_rows(self.token, self.rows);
        let (lanes, width) = (self.lanes, self.width);
        table::build(
            self.token,
            self.workshop,
            &point,
            lanes,
            width,
            self.hand_out,
        );
    }
}

/// Builds tables of one width for one to eight points.
pub(super) fn build_tables(
    token: Avx512Ifma,
    workshop: &mut TableBuilder,
    points: &[Point],
    width: u32,
    hand_out: impl FnMut(usize, Table),
) {
    debug_assert!(!points.is_empty() && points.len() <= 8);
    let mut rows = [[0; 8]; 15];
    for lane in 0..8 {
        let point = &points[lane.min(points.len() - 1)];
        for (row, limb) in rows.iter_mut().zip(point.as_flattened()) {
            row[lane] = *limb;
        }
    }
    let lanes = (0xffu16 >> (8 - points.len())) as u8;
    token.run(Build {
        token,
        workshop,
        rows: &rows,
        lanes,
        width,
        hand_out,
    });
}
