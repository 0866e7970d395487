//! What the features `async` and `uuid` add: `cargo test --features async,uuid --test features`.

mod common;

use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use common::{key, voucher};
use ownership_voucher::sign::Algorithm;
use ownership_voucher::transfer::AsyncHandOver;
use ownership_voucher::*;

const P256: KeyType = KeyType::Secp256r1;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// Answers after it was asked three times.
struct Slowly<'c> {
    pending: &'c Cell<usize>,
    left: usize,
    answer: Option<Result<Vec<u8>, String>>,
}

impl Future for Slowly<'_> {
    type Output = Result<Vec<u8>, String>;

    fn poll(mut self: core::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left > 0 {
            self.left -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.pending.set(self.pending.get() - 1);
        Poll::Ready(self.answer.take().expect("asked once more"))
    }
}

#[test]
fn several_signatures_at_once() {
    let (mine, next) = (key(P256, 1), key(P256, 2).public_key().into());
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let public = mine.public_key();
    let mut shipment: Vec<Vec<u8>> = (0..20).map(|n| voucher(P256, n + 1, 1)).collect();
    shipment.push(b"no voucher".to_vec());
    shipment.push(shipment[3].clone());
    // Of another owner.
    shipment.push(voucher(P256, 77, 2));
    let (pending, most, asked) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let sign = |algorithm: Algorithm, message: Vec<u8>| {
        asked.set(asked.get() + 1);
        pending.set(pending.get() + 1);
        most.set(most.get().max(pending.get()));
        // The service fails once.
        let answer = match asked.get() {
            6 => Err("the service is busy".to_owned()),
            _ => Ok(mine.sign(algorithm, &message).expect("signs")),
        };
        Slowly {
            pending: &pending,
            left: 3,
            answer: Some(answer),
        }
    };
    let hand_over = AsyncHandOver::new(&policy, Some(&public), &next, &options).with_concurrency(4);
    let results = block_on(hand_over.all(&shipment, sign));
    assert_eq!((asked.get(), most.get(), pending.get()), (20, 4, 0));
    assert_eq!(results.len(), shipment.len());
    for (number, result) in results.iter().enumerate() {
        let kind = result.as_ref().err().map(|rejected| rejected.kind());
        let expected = match number {
            5 => Some(ErrorKind::SignerFailed),
            20 => Some(ErrorKind::WrongType),
            22 => Some(ErrorKind::NotOwner),
            _ => None,
        };
        assert_eq!(kind, expected, "voucher {number}");
    }
    let failed = results[5].as_ref().unwrap_err();
    let source = core::error::Error::source(failed).expect("of the service");
    assert_eq!(source.to_string(), "the service is busy");
    let (_, receipt) = results[21].as_ref().expect("sold once");
    assert_eq!(receipt.duplicate_of, Some(3));
}

#[test]
fn guids_are_uuids() {
    let uuid = uuid::Uuid::from_u128(0x3f1c_6a0e_5b7d_4c2f_9a8e_01d2_c3b4_a596);
    let guid = Guid::from(uuid);
    assert_eq!(guid.hyphenated().to_string(), uuid.hyphenated().to_string());
    assert_eq!(uuid::Uuid::from(guid), uuid);
}
