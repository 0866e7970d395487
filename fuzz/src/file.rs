//! Files of any kind end, give pieces that lie within them, and never more bytes than they have; and
//! the pieces of a stream are the same wherever its chunks end.

use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::file::{
    Format, Kind, PemBlocks, Piece, Splitter, Vouchers, certificates_from_pem, single, to_pem,
};
use ownership_voucher::{Error, ErrorKind, LocalKey, PublicKey, Roots};

/// The pieces and where they are; the format, what a stream without vouchers is, other blocks, data that was not read.
type Found = (
    Vec<(u64, Result<Piece, Error>)>,
    (Option<Format>, Option<Kind>, bool, Option<u64>),
);

/// The pieces of a stream that comes in chunks of these sizes, and what is known of it at the end.
fn split(
    mut splitter: Splitter,
    mut bytes: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> Found {
    let mut pieces = Vec::new();
    while let Some(piece) = splitter.next_piece() {
        if piece != Ok(Piece::More) {
            pieces.push((splitter.offset(), piece));
        } else if bytes.is_empty() {
            splitter.finish();
        } else {
            let size = sizes.next().unwrap_or(1).clamp(1, bytes.len());
            splitter.push(&bytes[..size]);
            bytes = &bytes[size..];
        }
    }
    let known = (
        splitter.format(),
        splitter.kind(),
        splitter.has_other_blocks(),
        splitter.unread_data(),
    );
    (pieces, known)
}

/// Whatever holds of a file with these bytes.
pub fn check(bytes: &[u8]) {
    let limited = Splitter::new().with_search_limit(bytes.len() as u64 / 2);
    for splitter in [Splitter::new(), Splitter::new().with_any_cbor(), limited] {
        let whole = split(splitter.clone(), bytes, std::iter::once(bytes.len()));
        assert_eq!(split(splitter.clone(), bytes, std::iter::empty()), whole);
        // Borders that the fuzzer chooses, and the seeds are still files.
        let sizes = bytes.iter().map(|size| usize::from(*size));
        assert_eq!(split(splitter, bytes, sizes), whole);
    }
    let split = split(Splitter::new(), bytes, std::iter::once(bytes.len())).0;
    let split = split.into_iter().filter_map(|(_, piece)| match piece {
        Ok(Piece::Voucher(voucher)) => Some(Ok(voucher)),
        Ok(_) => None,
        Err(error) => Some(Err(error.kind())),
    });
    let split: Vec<_> = split.collect();
    let all = Vouchers::new(bytes).map(|it| it.map(Vec::from).map_err(|error| error.kind()));
    let all: Vec<_> = all.collect();
    assert!(all == split || split.is_empty() && all == [Err(ErrorKind::NoVoucher)]);

    let mut sum = 0;
    for item in Vouchers::new(bytes).flatten() {
        sum += item.len();
        // What we write, we read.
        let again = to_pem(&item);
        assert_eq!(single(again.as_bytes()).ok().as_deref(), Some(&*item));
    }
    assert!(sum <= bytes.len());
    let _ = single(bytes);
    let mut ders = vec![bytes.to_vec()];
    for block in PemBlocks::new(bytes).flatten() {
        assert!(block.offset() < bytes.len());
        ders.extend(block.decode().ok().map(|der| der.to_vec()));
    }
    let _ = (
        PublicKey::from_pem(bytes),
        LocalKey::from_pem(bytes),
        certificates_from_pem(bytes),
    );
    for der in ders.iter().take(8) {
        if let Ok(key) = PublicKey::from_spki_der(der) {
            assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
        }
        let _ = PublicKey::from_certificate_der(der);
        let _ = (CertificateInfo::from_der(der), Roots::new().add_der(der));
        let _ = Roots::new().add_crl_der(der);
        if let Ok(key) = LocalKey::from_der(der) {
            let again = key.to_pkcs8_der().and_then(|der| LocalKey::from_der(&der));
            assert_eq!(again.map(|key| key.public_key()), Ok(key.public_key()));
        }
    }
}
