//! Hashes of many short messages: queued, then made sixteen (SHA-256) or eight (SHA-384) at a time.
//!
//! Without AVX-512, and for messages too long to be copied, a message is hashed by `sha2` when it
//! is queued. The digest is the same by every way.

use alloc::vec::Vec;

use super::Backend;
#[cfg(target_arch = "x86_64")]
use super::lanes::{Instructions as _, Vectorised};
#[cfg(target_arch = "x86_64")]
use super::{Avx512Ifma, sha256, sha512};
use crate::digest::{Digest, HashAlgorithm};

/// Messages of more blocks are not copied: hashed alone they cost little more.
#[cfg(target_arch = "x86_64")]
const MOST_BLOCKS: usize = 32;

/// A queue of messages and their digests. Reused; it does not shrink.
#[derive(Default)]
pub(crate) struct Hashes {
    /// In the order of the messages; filled in by [`Hashes::run`].
    digests: Vec<Digest>,
    /// Padded messages one after the other.
    text: Vec<u8>,
    /// Those in `text`.
    waiting: Vec<Waiting>,
    order: Vec<u32>,
}

/// A padded message.
#[derive(Clone, Copy)]
struct Waiting {
    algorithm: HashAlgorithm,
    blocks: u8,
    start: u32,
    digest: u32,
}

impl Hashes {
    /// Forgets the messages.
    pub(crate) fn clear(&mut self) {
        self.digests.clear();
        self.text.clear();
        self.waiting.clear();
    }

    /// The digests so far, in the order of the messages. Those of messages that came after the
    /// last [`run`](Self::run) are not there yet.
    pub(crate) fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Queues the message in `parts`.
    pub(crate) fn push<'p, P>(&mut self, backend: Backend, algorithm: HashAlgorithm, parts: P)
    where
        P: Iterator<Item = &'p [u8]> + Clone,
    {
        #[cfg(target_arch = "x86_64")]
        if matches!(backend, Backend::Ifma(_)) {
            let length = parts
                .clone()
                .fold(0, |sum: usize, part| sum.saturating_add(part.len()));
            let block = match algorithm {
                HashAlgorithm::Sha256 => sha256::BLOCK,
                HashAlgorithm::Sha384 => sha512::BLOCK,
            };
            if length <= (MOST_BLOCKS - 1) * block {
                let start = self.text.len();
                match algorithm {
                    HashAlgorithm::Sha256 => sha256::append_padded(&mut self.text, parts, length),
                    HashAlgorithm::Sha384 => sha512::append_padded(&mut self.text, parts, length),
                }
                self.waiting.push(Waiting {
                    algorithm,
                    blocks: ((self.text.len() - start) / block) as u8,
                    start: start as u32,
                    digest: self.digests.len() as u32,
                });
                self.digests.push(Digest::blank(algorithm));
                return;
            }
        }
        let _ = backend;
        self.digests.push(algorithm.digest_all(parts));
    }

    /// Makes the digests of the messages that wait.
    pub(crate) fn run(&mut self, backend: Backend) {
        match backend {
            Backend::Portable => {}
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => {
                self.sort();
                token.run(Lanes {
                    token,
                    hashes: self,
                });
                self.waiting.clear();
                self.text.clear();
            }
        }
    }

    /// Orders the messages by algorithm and length, by counting.
    #[cfg(target_arch = "x86_64")]
    fn sort(&mut self) {
        let class = |waiting: &Waiting| {
            let long = match waiting.algorithm {
                HashAlgorithm::Sha256 => 0,
                HashAlgorithm::Sha384 => MOST_BLOCKS + 1,
            };
            long + usize::from(waiting.blocks)
        };
        let mut ends = [0; 2 * (MOST_BLOCKS + 1) + 1];
        for waiting in &self.waiting {
            ends[class(waiting) + 1] += 1;
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        self.order.clear();
        self.order.resize(self.waiting.len(), 0);
        for (number, waiting) in (0..).zip(&self.waiting) {
            let place = &mut ends[class(waiting)];
            self.order[*place] = number;
            *place += 1;
        }
    }
}

/// Hashes what waits, in the order of [`Hashes::sort`].
#[cfg(target_arch = "x86_64")]
struct Lanes<'a> {
    token: Avx512Ifma,
    hashes: &'a mut Hashes,
}

#[cfg(target_arch = "x86_64")]
impl Vectorised for Lanes<'_> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self) {
        let Hashes {
            digests,
            text,
            waiting,
            order,
        } = self.hashes;
        let algorithm = |number: &u32| waiting[*number as usize].algorithm;
        let message = |number: u32, block: usize| {
            let waiting = &waiting[number as usize];
            &text[waiting.start as usize..][..usize::from(waiting.blocks) * block]
        };
        for same in order.chunk_by(|a, b| algorithm(a) == algorithm(b)) {
            match algorithm(&same[0]) {
                HashAlgorithm::Sha256 => {
                    for some in same.chunks(sha256::LANES) {
                        // Lanes without work repeat the last message.
                        let last = some.len() - 1;
                        let messages = core::array::from_fn(|lane| {
                            message(some[lane.min(last)], sha256::BLOCK)
                        });
                        let mut found = [[0; 32]; sha256::LANES];
                        sha256::digest(self.token, &messages, &mut found);
                        for (number, found) in some.iter().zip(&found) {
                            digests[waiting[*number as usize].digest as usize].set(found);
                        }
                    }
                }
                HashAlgorithm::Sha384 => {
                    for some in same.chunks(8) {
                        let last = some.len() - 1;
                        let messages = core::array::from_fn(|lane| {
                            message(some[lane.min(last)], sha512::BLOCK)
                        });
                        let mut found = [[0; 64]; 8];
                        sha512::digest(self.token, &sha512::SHA384, &messages, &mut found);
                        for (number, found) in some.iter().zip(&found) {
                            digests[waiting[*number as usize].digest as usize].set(&found[..48]);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::{backends, on_ifma};

    on_ifma!(agrees_with_sha2);

    /// Against `sha2`, one message at a time: every length around blocks, both hashes mixed, cut
    /// into parts anywhere, in batches of any size.
    #[test]
    fn agrees_with_sha2() {
        use sha2::Digest as _;
        let text: Vec<u8> = (0..9000_u32).map(|i| (i * i / 8) as u8).collect();
        for backend in backends() {
            let mut hashes = Hashes::default();
            let mut wanted: Vec<Vec<u8>> = Vec::new();
            for batch in [0, 1, 2, 7, 15, 16, 17, 40, 700] {
                hashes.clear();
                wanted.clear();
                for number in 0..batch {
                    let length = (number * 37 + number * number / 3) % 4500;
                    let message = &text[number..][..length];
                    let (a, b) = message.split_at(length / 3);
                    let (b, c) = b.split_at(b.len() / 2);
                    if number % 5 == 3 {
                        wanted.push(sha2::Sha384::digest(message).to_vec());
                        hashes.push(backend, HashAlgorithm::Sha384, [a, b, &[], c].into_iter());
                    } else {
                        wanted.push(sha2::Sha256::digest(message).to_vec());
                        hashes.push(backend, HashAlgorithm::Sha256, [a, b, c].into_iter());
                    }
                    if number == 20 {
                        hashes.run(backend);
                    }
                }
                hashes.run(backend);
                let found: Vec<_> = hashes
                    .digests()
                    .iter()
                    .map(|d| d.as_bytes().to_vec())
                    .collect();
                assert_eq!(found, wanted);
            }
            for length in 0..700 {
                hashes.clear();
                hashes.push(
                    backend,
                    HashAlgorithm::Sha256,
                    [&text[..length]].into_iter(),
                );
                hashes.push(
                    backend,
                    HashAlgorithm::Sha384,
                    [&text[..length]].into_iter(),
                );
                hashes.run(backend);
                let [sha256, sha384] = hashes.digests() else {
                    panic!("two digests")
                };
                assert_eq!(
                    sha256.as_bytes(),
                    &sha2::Sha256::digest(&text[..length])[..]
                );
                assert_eq!(
                    sha384.as_bytes(),
                    &sha2::Sha384::digest(&text[..length])[..]
                );
            }
        }
    }
}
