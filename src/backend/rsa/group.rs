//! s^e mod n for eight signatures at once: lanes in, lanes out.

use super::key::KeyConstants;
use super::limbs::{bytes_from_words, limb, words_from_bytes};
use super::mont::Moduli;
use crate::backend::Avx512Ifma;
use crate::backend::isa::wide::W;
use crate::backend::lanes::{Instructions as _, MASK52, Vectorised};

/// One number per lane: element i holds limb i of the eight numbers.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Lane8<const L: usize>([[u64; 8]; L]);

impl<const L: usize> Lane8<L> {
    /// Zero in every lane.
    const ZERO: Self = Lane8([[0; 8]; L]);

    /// Sets one lane to a number given in limbs.
    fn set(&mut self, lane: usize, limbs: &[u64]) {
        for (row, limb) in self.0.iter_mut().zip(limbs) {
            row[lane] = *limb;
        }
    }

    /// The same numbers as registers.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn registers(&self, token: Avx512Ifma) -> [W; L] {
        let mut out = [W::splat(token, 0); L];
        for (out, row) in out.iter_mut().zip(&self.0) {
            *out = W::load(token, row);
        }
        out
    }
}

/// Eight signatures of one modulus size, and the powers computed from them.
pub(super) struct Group<const L: usize> {
    /// n of each lane.
    n: Lane8<L>,
    /// R² mod n of each lane.
    r2: Lane8<L>,
    /// The signature as a number below n; after [`Group::power`], s^e mod n.
    number: Lane8<L>,
    /// −n⁻¹ mod 2^52 of each lane.
    n0_inverse: [u64; 8],
    /// e of each lane; 0 before a key was set.
    exponent: [u64; 8],
    /// Number of the key in each lane, to save loading it again.
    key: [Option<u32>; 8],
}

impl<const L: usize> Group<L> {
    /// A group whose lanes hold no key yet.
    pub(super) const EMPTY: Self = Group {
        n: Lane8::ZERO,
        r2: Lane8::ZERO,
        number: Lane8::ZERO,
        n0_inverse: [0; 8],
        exponent: [0; 8],
        key: [None; 8],
    };

    /// Forgets which keys are loaded, because key numbers are about to mean something else.
    pub(super) fn forget_keys(&mut self) {
        self.key = [None; 8];
    }

    /// Puts a key into a lane, unless it is there already.
    pub(super) fn set_key(&mut self, lane: usize, number: u32, key: &KeyConstants) {
        debug_assert_eq!(key.size.limbs(), L);
        if self.key[lane] == Some(number) {
            return;
        }
        self.n.set(lane, &key.n[..L]);
        self.r2.set(lane, &key.r2[..L]);
        self.n0_inverse[lane] = key.n0_inverse;
        self.exponent[lane] = key.exponent;
        self.key[lane] = Some(number);
    }

    /// Puts a signature, already known to be below n, into a lane.
    pub(super) fn set_signature(&mut self, lane: usize, signature: &[u8]) {
        let words = words_from_bytes(signature);
        for (index, row) in self.number.0.iter_mut().enumerate() {
            // 52 L is less than one word more than the modulus has bits, so this stays inside.
            row[lane] = limb(&words, index);
        }
    }

    /// Gives a lane that has no job the key and number of lane 0.
    pub(super) fn copy_first_lane(&mut self, lane: usize) {
        for numbers in [&mut self.n, &mut self.r2, &mut self.number] {
            for row in &mut numbers.0 {
                row[lane] = row[0];
            }
        }
        self.n0_inverse[lane] = self.n0_inverse[0];
        self.exponent[lane] = self.exponent[0];
        self.key[lane] = self.key[0];
    }

    /// Writes the number of a lane as big-endian bytes, as many as the modulus has.
    pub(super) fn bytes(&self, lane: usize, bytes: &mut [u8]) {
        let mut words = [0u64; super::limbs::MAX_BYTES / 8];
        let words = &mut words[..bytes.len() / 8];
        for (index, word) in words.iter_mut().enumerate() {
            let bit = 64 * index;
            let (first, shift) = (bit / 52, bit % 52);
            *word = self.number.0[first][lane] >> shift
                | self.number.0[first + 1][lane] << (52 - shift);
            if shift > 40 {
                *word |= self.number.0[first + 2][lane] << (104 - shift);
            }
        }
        bytes_from_words(words, bytes);
    }

    /// Replaces every number s by s^e mod n, below n.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn power(&mut self, token: Avx512Ifma) {
        let moduli = Moduli {
            n: self.n.registers(token),
            n0_inverse: W::load(token, &self.n0_inverse),
            zero: W::splat(token, 0),
            mask: W::splat(token, MASK52),
        };
        let base = self.number.registers(token);
        let r2 = self.r2.registers(token);
        let mut digits = [moduli.zero; L];
        // s R mod n.
        let mut power = base;
        moduli.multiply(&mut power, &r2, &mut digits);

        if self.exponent == [65_537; 8] {
            for _ in 0..16 {
                moduli.square(&mut power, &mut digits);
            }
        } else {
            self.odd_exponents(token, &moduli, &r2, &mut power, &mut digits);
        }
        // The lowest bit of every e is one. Multiplying by s instead of s R drops the factor R.
        moduli.multiply(&mut power, &base, &mut digits);
        moduli.reduce(&mut power);
        for (row, limb) in self.number.0.iter_mut().zip(&power) {
            limb.store(row);
        }
    }

    /// Raises `power` = s R to s^(e − 1) R, bit by bit from the top, each lane by its own e.
    ///
    /// e has at most 33 bits, so this is at most 33 squarings and 33 multiplications whatever the
    /// keys are: about three times the work of 65537, as for any implementation.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn odd_exponents(
        &self,
        token: Avx512Ifma,
        moduli: &Moduli<L>,
        r2: &[W; L],
        power: &mut [W; L],
        digits: &mut [W; L],
    ) {
        let base = *power;
        // R mod n = R² · 1 / R: the number one.
        *power = *r2;
        let mut one = [moduli.zero; L];
        one[0] = W::splat(token, 1);
        moduli.multiply(power, &one, digits);

        let all_bits = self.exponent.iter().fold(0, |bits, e| bits | e);
        for bit in (1..64 - all_bits.leading_zeros()).rev() {
            let mut mask = 0u8;
            for (lane, exponent) in self.exponent.iter().enumerate() {
                mask |= ((exponent >> bit & 1) as u8) << lane;
            }
            if mask != 0 {
                let mut product = *power;
                moduli.multiply(&mut product, &base, digits);
                for (limb, new) in power.iter_mut().zip(&product) {
                    *limb = limb.blend(mask, *new);
                }
            }
            moduli.square(power, digits);
        }
    }
}

/// The arguments of [`Group::power`].
struct Power<'a, const L: usize> {
    token: Avx512Ifma,
    group: &'a mut Group<L>,
}

impl<const L: usize> Vectorised for Power<'_, L> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self) {
        self.group.power(self.token);
    }
}

/// Runs [`Group::power`] with the instructions the token stands for.
pub(super) fn power<const L: usize>(token: Avx512Ifma, group: &mut Group<L>) {
    token.run(Power { token, group });
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::super::tests::Random;
    use super::*;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(powers_agree_with_shift_and_add);

    /// s^e mod n with 32-bit words, shift and add: slow, and nothing in common with the lanes.
    fn naive_power(n: &[u8], s: &[u8], exponent: u64) -> Vec<u8> {
        let n = words(n);
        let base = words(s);
        let mut power = base.clone();
        let bits = 64 - exponent.leading_zeros();
        for bit in (0..bits - 1).rev() {
            power = naive_product(&power, &power, &n);
            if exponent >> bit & 1 == 1 {
                power = naive_product(&power, &base, &n);
            }
        }
        power
            .iter()
            .rev()
            .flat_map(|word| word.to_be_bytes())
            .collect()
    }

    fn words(bytes: &[u8]) -> Vec<u32> {
        let words = bytes.rchunks_exact(4);
        words
            .map(|word| u32::from_be_bytes(word.try_into().expect("four bytes")))
            .collect()
    }

    fn naive_product(a: &[u32], b: &[u32], n: &[u32]) -> Vec<u32> {
        let mut sum = alloc::vec![0; n.len()];
        for word in b.iter().rev() {
            for bit in (0..32).rev() {
                let copy = sum.clone();
                add_mod(&mut sum, &copy, n);
                if word >> bit & 1 == 1 {
                    add_mod(&mut sum, a, n);
                }
            }
        }
        sum
    }

    /// sum = sum + a mod n for sum, a < n.
    fn add_mod(sum: &mut [u32], a: &[u32], n: &[u32]) {
        let mut carry = 0;
        for (word, a) in sum.iter_mut().zip(a) {
            let total = u64::from(*word) + u64::from(*a) + carry;
            *word = total as u32;
            carry = total >> 32;
        }
        if carry == 1 || sum.iter().rev().ge(n.iter().rev()) {
            let mut borrow = 0;
            for (word, n) in sum.iter_mut().zip(n) {
                let difference = i64::from(*word) - i64::from(*n) - borrow;
                *word = difference as u32;
                borrow = i64::from(difference < 0);
            }
        }
    }

    /// Moduli and numbers whose limbs are as large and as small as they get, mixed in one group.
    fn powers_agree<const L: usize>(bytes: usize, rounds: u64, exponents: &[u64]) {
        let token = ifma();
        let mut numbers = Random(rounds);
        let mut group = Box::new(Group::<L>::EMPTY);
        for round in 0..rounds {
            let mut expected = Vec::new();
            for lane in 0..8 {
                let mut n: Vec<u8> = match numbers.below(6) {
                    0 => alloc::vec![0xff; bytes],
                    1 => alloc::vec![0; bytes],
                    2 => (0..bytes)
                        .map(|i| if i < bytes / 2 { 0xff } else { 0 })
                        .collect(),
                    3 => (0..bytes)
                        .map(|i| if i < bytes / 2 { 0 } else { 0xff })
                        .collect(),
                    _ => (0..bytes).map(|_| numbers.next() as u8).collect(),
                };
                n[0] |= 0x80;
                n[bytes - 1] |= 1;
                let mut s = n.clone();
                match numbers.below(7) {
                    0 => s[bytes - 1] -= 1,
                    1 => s.fill(0),
                    2 => {
                        s.fill(0);
                        s[bytes - 1] = 1;
                    }
                    3 => {
                        s.fill(0xff);
                        s[0] = 0x7f;
                    }
                    4 => s[0] &= 0x7f,
                    _ => {
                        s.iter_mut().for_each(|byte| *byte = numbers.next() as u8);
                        s[0] &= 0x7f;
                    }
                }
                let exponent = exponents[numbers.below(exponents.len())];
                let key = KeyConstants::new(&n, exponent).expect("usable key");
                group.set_key(lane, (8 * round) as u32 + lane as u32, &key);
                group.set_signature(lane, &s);
                expected.push(naive_power(&n, &s, exponent));
            }
            power(token, &mut group);
            for (lane, expected) in expected.iter().enumerate() {
                let mut bytes = alloc::vec![0; bytes];
                group.bytes(lane, &mut bytes);
                assert_eq!(&bytes, expected, "round {round}, lane {lane}");
            }
        }
    }

    fn powers_agree_with_shift_and_add() {
        powers_agree::<40>(256, 4, &[65_537]);
        powers_agree::<60>(384, 2, &[65_537]);
        let mixed = [65_537, 65_539, 0xffff_ffff, 0x8000_0001, 0x1_0003];
        powers_agree::<40>(256, 2, &mixed);
        powers_agree::<60>(384, 1, &mixed);
    }

    on_ifma!(long: powers_agree_with_shift_and_add_long);

    fn powers_agree_with_shift_and_add_long() {
        powers_agree::<40>(256, 300, &[65_537]);
        powers_agree::<60>(384, 150, &[65_537]);
    }
}
