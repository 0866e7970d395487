//! One-time owner keys: derived lists, and published addresses.

use core::ffi::{c_char, c_void};

use zeroize::Zeroizing;

use super::buffer::{buffer, ov_buffer};
use super::extend::{ov_extend_options, ov_next_owner};
use super::guard::{guard, plain};
use super::handle::{Handle, Refusal, object, present};
use super::key::{give, ov_public_key};
use super::names::{algorithm, key_type};
use super::report::ov_error;
use super::sign::ov_local_key;
use super::slice::ov_str;
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::OwnerSigner as _;
use ownership_voucher_onetime::{
    Address, Found, KeyBook, MasterSecret, OneTimeKey, ScanKey, SpendKey,
};

/// The master secret of an owner, from which all of its one-time keys are derived. It is wiped when
/// freed.
pub struct ov_master_secret {
    _private: [u8; 0],
}

object!(ov_master_secret: MasterSecret, b"ov mastr");

/// Copies 32 random bytes. The caller must wipe the original.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_new(
    bytes: *const u8,
    secret: *mut *mut ov_master_secret,
) -> ov_status {
    plain(|caller| {
        let bytes = Zeroizing::new(caller.fixed(bytes)?);
        let out = caller.out(secret)?;
        out.write(Handle::give(MasterSecret::new(&bytes)));
        Ok(())
    })
}

/// Wipes and frees a secret, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_free(secret: *mut *mut ov_master_secret) -> ov_status {
    plain(|caller| caller.free(secret))
}

/// The key with this number in this order: P-256, P-384 or Ed25519. The order is any text of at
/// most 64 bytes. Give its public key to the seller.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_key(
    secret: *const ov_master_secret,
    key_type_code: i32,
    order: *const c_char,
    order_len: usize,
    index: u32,
    key: *mut *mut ov_local_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.get(secret)?;
        let order = caller.text(order, order_len)?;
        let out = caller.out(key)?;
        let key = secret.key(key_type(key_type_code)?, order, index)?;
        out.write(Handle::give(key));
        Ok(())
    })
}

/// The key that owns a voucher and signs its next hand-over. The book must contain it.
///
/// `OV_ERR_NOT_OWNER` if the voucher has another owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_key_of(
    secret: *const ov_master_secret,
    voucher: *const ov_voucher,
    book: *const ov_key_book,
    key: *mut *mut ov_local_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.get(secret)?;
        let (voucher, book) = (caller.get(voucher)?, caller.get(book)?);
        let out = caller.out(key)?;
        out.write(Handle::give(secret.key_of(voucher, book)?));
        Ok(())
    })
}

/// The key that finds vouchers sold to the address with this number. It cannot sign.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_scan_key(
    secret: *const ov_master_secret,
    number: u32,
    key: *mut *mut ov_scan_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.get(secret)?;
        let out = caller.out(key)?;
        out.write(Handle::give(secret.scan_key(number)?));
        Ok(())
    })
}

/// The key that signs for vouchers sold to the address with this number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_master_secret_spend_key(
    secret: *const ov_master_secret,
    number: u32,
    key: *mut *mut ov_spend_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.get(secret)?;
        let out = caller.out(key)?;
        out.write(Handle::give(secret.spend_key(number)?));
        Ok(())
    })
}

/// Public keys that were given to sellers, used to find vouchers when they arrive.
pub struct ov_key_book {
    _private: [u8; 0],
}

object!(ov_key_book: KeyBook, b"ov kbook");

/// Creates an empty book.
#[unsafe(no_mangle)]
pub extern "C" fn ov_key_book_new(book: *mut *mut ov_key_book) -> ov_status {
    plain(|caller| {
        caller.out(book)?.write(Handle::give(KeyBook::new()));
        Ok(())
    })
}

/// Frees a book and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_key_book_free(book: *mut *mut ov_key_book) -> ov_status {
    plain(|caller| caller.free(book))
}

/// Adds `count` keys of an order whose numbers start at `first`. A key that is already in the book
/// keeps its place.
#[unsafe(no_mangle)]
pub extern "C" fn ov_key_book_add(
    book: *mut ov_key_book,
    order: *const c_char,
    order_len: usize,
    first: u32,
    keys: *const *const ov_public_key,
    count: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let order = caller.text(order, order_len)?;
        let keys = caller.all(keys, count)?;
        let keys: alloc::vec::Vec<_> = keys.into_iter().cloned().collect();
        caller.get_mut(book)?.add(order, first, &keys)?;
        Ok(())
    })
}

/// Order and number of a key; `OV_ERR_ABSENT` if the key is not in the book. The text lives as long
/// as the book, provided that nothing is added to it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_key_book_find(
    book: *const ov_key_book,
    owner: *const ov_public_key,
    order: *mut ov_str,
    index: *mut u32,
) -> ov_status {
    plain(|caller| {
        let (book, owner) = (caller.get(book)?, caller.get(owner)?);
        let (out, out_index) = (caller.out(order)?, caller.out(index)?);
        let place = present(book.find(owner))?;
        out.write(ov_str::of(place.order));
        out_index.write(place.index);
        Ok(())
    })
}

/// The number of keys.
#[unsafe(no_mangle)]
pub extern "C" fn ov_key_book_len(book: *const ov_key_book, len: *mut u64) -> ov_status {
    plain(|caller| {
        let book = caller.get(book)?;
        caller.out(len)?.write(book.len() as u64);
        Ok(())
    })
}

/// A buyer's published address: sellers derive owner keys from it without asking the buyer.
pub struct ov_address {
    _private: [u8; 0],
}

object!(ov_address: Address, b"ov addrs");

/// Reads the text of an address, `fdo1…`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_parse(
    text: *const c_char,
    len: usize,
    address: *mut *mut ov_address,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let text = caller.text(text, len)?;
        let out = caller.out(address)?;
        let parsed: Address = text.parse()?;
        out.write(Handle::give(parsed));
        Ok(())
    })
}

/// The address in these 66 bytes: two SEC 1 points of 33 bytes each, the scan key first.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_from_bytes(
    bytes: *const u8,
    len: usize,
    address: *mut *mut ov_address,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(bytes, len)?;
        let out = caller.out(address)?;
        out.write(Handle::give(Address::from_bytes(bytes)?));
        Ok(())
    })
}

/// Frees an address and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_free(address: *mut *mut ov_address) -> ov_status {
    plain(|caller| caller.free(address))
}

/// The text of an address, without a terminating zero.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_text(
    address: *const ov_address,
    text: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let address = caller.get(address)?;
        let out = caller.out(text)?;
        out.write(buffer(alloc::format!("{address}").into_bytes()));
        Ok(())
    })
}

/// The 66 bytes of an address.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_bytes(address: *const ov_address, bytes: *mut u8) -> ov_status {
    plain(|caller| {
        let address = caller.get(address)?;
        let out = caller.out(bytes.cast::<[u8; 66]>())?;
        out.write(address.to_bytes());
        Ok(())
    })
}

/// The one-time owner of this voucher for this address. It also adds to the options the OVEExtra
/// pair without which the buyer cannot find the voucher, so use these options for this voucher
/// only.
///
/// `seed` is 32 fresh random bytes. Keep it secret until it is wiped. One seed may serve many
/// vouchers.
#[unsafe(no_mangle)]
pub extern "C" fn ov_address_owner_of(
    address: *const ov_address,
    voucher: *const ov_voucher,
    seed: *const u8,
    options: *mut ov_extend_options,
    next: *mut *mut ov_next_owner,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let (address, voucher) = (caller.get(address)?, caller.get(voucher)?);
        let seed = Zeroizing::new(caller.fixed(seed)?);
        let options = caller.get_mut(options)?;
        let out = caller.out(next)?;
        let owner = address.owner_of(voucher, &seed)?;
        *options = owner.options(options);
        out.write(Handle::give(owner.next_owner()));
        Ok(())
    })
}

/// Finds the vouchers that were sold to an address. It cannot sign. It is wiped when freed.
pub struct ov_scan_key {
    _private: [u8; 0],
}

object!(ov_scan_key: ScanKey, b"ov scank");

/// A scan key from its 65 bytes: the secret as a big-endian number of 32 bytes, then the public
/// spend key as a SEC 1 point of 33 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_scan_key_from_bytes(
    bytes: *const u8,
    len: usize,
    key: *mut *mut ov_scan_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(bytes, len)?;
        let out = caller.out(key)?;
        out.write(Handle::give(ScanKey::from_bytes(bytes)?));
        Ok(())
    })
}

/// Wipes and frees a key, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_scan_key_free(key: *mut *mut ov_scan_key) -> ov_status {
    plain(|caller| caller.free(key))
}

/// The 65 bytes of a key. The buffer is wiped when freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_scan_key_bytes(
    key: *const ov_scan_key,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(bytes)?.write(buffer(key.to_bytes()));
        Ok(())
    })
}

/// The address whose vouchers this key finds.
#[unsafe(no_mangle)]
pub extern "C" fn ov_scan_key_address(
    key: *const ov_scan_key,
    address: *mut *mut ov_address,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(address)?.write(Handle::give(key.address()));
        Ok(())
    })
}

/// Whether the voucher's current owner was derived from the address: `OV_ERR_ABSENT` if not. The
/// voucher is not verified: verify it before or afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn ov_scan_key_recognise(
    key: *const ov_scan_key,
    voucher: *const ov_voucher,
    found: *mut *mut ov_found,
) -> ov_status {
    plain(|caller| {
        let (key, voucher) = (caller.get(key)?, caller.get(voucher)?);
        let out = caller.out(found)?;
        out.write(Handle::give(present(key.recognise(voucher))?));
        Ok(())
    })
}

/// A voucher that a scan key has found. It is wiped when freed.
pub struct ov_found {
    _private: [u8; 0],
}

object!(ov_found: Found, b"ov found");

/// The one-time key, which is the owner's key in the voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_found_public_key(
    found: *const ov_found,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let found = caller.get(found)?;
        caller.out(key)?.write(give(found.public_key().clone()));
        Ok(())
    })
}

/// Wipes and frees a found voucher, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_found_free(found: *mut *mut ov_found) -> ov_status {
    plain(|caller| caller.free(found))
}

/// Signs for vouchers that were sold to an address, after they were found. It is wiped when freed.
pub struct ov_spend_key {
    _private: [u8; 0],
}

object!(ov_spend_key: SpendKey, b"ov spend");

/// A spend key from a big-endian number of 32 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_spend_key_from_bytes(
    bytes: *const u8,
    len: usize,
    key: *mut *mut ov_spend_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(bytes, len)?;
        let out = caller.out(key)?;
        out.write(Handle::give(SpendKey::from_bytes(bytes)?));
        Ok(())
    })
}

/// Wipes and frees a key, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_spend_key_free(key: *mut *mut ov_spend_key) -> ov_status {
    plain(|caller| caller.free(key))
}

/// The signing key for a voucher that was found. It is the user pointer for
/// `ov_one_time_key_sign_callback`.
///
/// `OV_ERR_NOT_OWNER` if the voucher was found with the scan key of another address.
#[unsafe(no_mangle)]
pub extern "C" fn ov_spend_key_signer(
    key: *const ov_spend_key,
    found: *const ov_found,
    signer: *mut *mut ov_one_time_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let (key, found) = (caller.get(key)?, caller.get(found)?);
        let out = caller.out(signer)?;
        out.write(Handle::give(key.signer(found)?));
        Ok(())
    })
}

/// A one-time private key behind an address. It signs and cannot be exported, because the seller of
/// its voucher could compute the spend key from it. It is wiped when freed.
pub struct ov_one_time_key {
    _private: [u8; 0],
}

object!(ov_one_time_key: OneTimeKey, b"ov otkey");

/// Wipes and frees a key, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_one_time_key_free(key: *mut *mut ov_one_time_key) -> ov_status {
    plain(|caller| caller.free(key))
}

/// A sign function for an `ov_signer` whose user pointer is an `ov_one_time_key`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_one_time_key_sign_callback(
    user: *mut c_void,
    code: i32,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
    capacity: usize,
    signature_len: *mut usize,
) -> i32 {
    plain(|caller| {
        let key = caller.get(user.cast_const().cast::<ov_one_time_key>())?;
        let message = caller.array(message, message_len)?;
        let (room, len) = (
            caller.outs(signature, capacity)?,
            caller.out(signature_len)?,
        );
        let signed = key.sign(algorithm(code)?, message)?;
        if signed.len() > room.len() {
            return Err(Refusal::argument("too little room for the signature"));
        }
        for (to, from) in room.iter_mut().zip(&signed) {
            to.write(*from);
        }
        len.write(signed.len());
        Ok(())
    })
}
