//! Status numbers of calls, and codes of findings.
//!
//! Those of the library are the numbers of [`ErrorKind::code`](ownership_voucher::ErrorKind::code) and
//! [`FindingKind::code`](ownership_voucher::finding::FindingKind::code); a test compares the header with
//! both. Numbers from 800 concern the call itself.
#![allow(dead_code)] // only C reads most of them

use ownership_voucher::Error;

/// The result of a call: `OV_OK`, or the stable number of the error.
pub type ov_status = i32;

/// Success.
pub const OV_OK: ov_status = 0;
/// The input ends inside an item.
pub const OV_ERR_TRUNCATED: ov_status = 100;
/// Bytes follow the end of the item.
pub const OV_ERR_TRAILING_BYTES: ov_status = 101;
/// An item has the wrong type.
pub const OV_ERR_WRONG_TYPE: ov_status = 102;
/// An array has the wrong number of items.
pub const OV_ERR_WRONG_SIZE: ov_status = 103;
/// These bytes are not well-formed CBOR.
pub const OV_ERR_BAD_CBOR: ov_status = 104;
/// A text string is not UTF-8.
pub const OV_ERR_NOT_UTF8: ov_status = 105;
/// The GUID has the wrong length.
pub const OV_ERR_GUID_LENGTH: ov_status = 106;
/// The length of a hash does not fit its code.
pub const OV_ERR_HASH_LENGTH: ov_status = 107;
/// Duplicate map key.
pub const OV_ERR_DUPLICATE_LABEL: ov_status = 108;
/// A label is in both headers.
pub const OV_ERR_LABEL_IN_BOTH_HEADERS: ov_status = 109;
/// The algorithm is only in the unprotected header.
pub const OV_ERR_ALGORITHM_UNPROTECTED: ov_status = 110;
/// The protected header names no algorithm.
pub const OV_ERR_ALGORITHM_MISSING: ov_status = 111;
/// A public key is not encoded as its label says.
pub const OV_ERR_KEY_ENCODING: ov_status = 112;
/// A point is not an uncompressed point of its curve.
pub const OV_ERR_POINT_ENCODING: ov_status = 113;
/// A point does not lie on its curve.
pub const OV_ERR_POINT_NOT_ON_CURVE: ov_status = 114;
/// An RSA modulus is out of range.
pub const OV_ERR_RSA_MODULUS: ov_status = 115;
/// An RSA exponent is out of range.
pub const OV_ERR_RSA_EXPONENT: ov_status = 116;
/// A certificate cannot be read.
pub const OV_ERR_CERTIFICATE: ov_status = 117;
/// A certificate chain is empty.
pub const OV_ERR_CHAIN_EMPTY: ov_status = 118;
/// OVEExtra is not a map of integers to byte strings.
pub const OV_ERR_EXTRA: ov_status = 119;
/// A signature has the wrong length for its algorithm.
pub const OV_ERR_SIGNATURE_LENGTH: ov_status = 120;
/// A PEM block cannot be decoded.
pub const OV_ERR_PEM: ov_status = 121;
/// No voucher is in the input.
pub const OV_ERR_NO_VOUCHER: ov_status = 122;
/// Invalid value.
pub const OV_ERR_BAD_ARGUMENT: ov_status = 123;
/// A revocation list cannot be read.
pub const OV_ERR_REVOCATION_LIST: ov_status = 124;
/// The text is not JSON as the format has it. Of vouchers of SDO, which this library does not read; so are
/// the others from 180 to 199 and from 380 to 399.
pub const OV_ERR_JSON_TEXT: ov_status = 180;
/// A member is missing, unknown, repeated or out of order.
pub const OV_ERR_MEMBER: ov_status = 181;
/// A stated length is not that of what follows.
pub const OV_ERR_LENGTH_WORD: ov_status = 182;
/// This protocol version is not supported.
pub const OV_ERR_UNSUPPORTED_VERSION: ov_status = 200;
/// This key type is not supported.
pub const OV_ERR_UNSUPPORTED_KEY_TYPE: ov_status = 201;
/// This key encoding is not supported.
pub const OV_ERR_UNSUPPORTED_KEY_ENCODING: ov_status = 202;
/// This hash code is not supported.
pub const OV_ERR_UNSUPPORTED_HASH_TYPE: ov_status = 203;
/// This signature algorithm is not supported.
pub const OV_ERR_UNSUPPORTED_ALGORITHM: ov_status = 204;
/// A critical header is not understood.
pub const OV_ERR_UNSUPPORTED_CRITICAL_HEADER: ov_status = 205;
/// Keys of an experimental type are not allowed by the policy.
pub const OV_ERR_EXPERIMENTAL_KEY: ov_status = 206;
/// A string in several chunks is not supported.
pub const OV_ERR_CHUNKED_STRING: ov_status = 207;
/// This build lacks the feature for this input.
pub const OV_ERR_FEATURE_DISABLED: ov_status = 208;
/// The device has no certificate to attest itself with.
pub const OV_ERR_UNSUPPORTED_ATTESTATION: ov_status = 209;
/// The two protocol versions differ.
pub const OV_ERR_VERSION_MISMATCH: ov_status = 300;
/// The key type does not fit the key.
pub const OV_ERR_KEY_TYPE_MISMATCH: ov_status = 301;
/// The algorithm does not fit the key of the signer.
pub const OV_ERR_ALGORITHM_MISMATCH: ov_status = 302;
/// The hash of the device certificate chain does not match.
pub const OV_ERR_CHAIN_HASH_MISMATCH: ov_status = 303;
/// The hash of the previous entry does not match.
pub const OV_ERR_PREVIOUS_HASH_MISMATCH: ov_status = 304;
/// The hash of GUID and device info does not match.
pub const OV_ERR_HEADER_INFO_HASH_MISMATCH: ov_status = 305;
/// The signature does not verify.
pub const OV_ERR_SIGNATURE_INVALID: ov_status = 306;
/// The header HMAC does not verify.
pub const OV_ERR_HMAC_MISMATCH: ov_status = 307;
/// The current owner is not the expected one.
pub const OV_ERR_WRONG_OWNER: ov_status = 308;
/// The manufacturer key is not an expected one.
pub const OV_ERR_WRONG_MANUFACTURER: ov_status = 309;
/// No valid certificate path leads from the device to a trusted root.
pub const OV_ERR_DEVICE_PATH: ov_status = 310;
/// A certificate is not valid at the given time.
pub const OV_ERR_CERTIFICATE_TIME: ov_status = 311;
/// Only one of device certificate chain and chain hash is null.
pub const OV_ERR_NULL_CHAIN: ov_status = 312;
/// The GUID is all zero.
pub const OV_ERR_GUID_ZERO: ov_status = 313;
/// An entry lacks the COSE_Sign1 tag.
pub const OV_ERR_ENTRY_UNTAGGED: ov_status = 314;
/// The strict profile refuses a deviation.
pub const OV_ERR_DEVIATION: ov_status = 315;
/// No valid certificate path leads from the key to a trusted root.
pub const OV_ERR_OWNER_PATH: ov_status = 316;
/// The header HMAC carries the code of a plain hash.
pub const OV_ERR_NOT_AN_HMAC: ov_status = 317;
/// A hash carries the code of an HMAC.
pub const OV_ERR_NOT_A_HASH: ov_status = 318;
/// The nonce is not the one that was sent.
pub const OV_ERR_WRONG_NONCE: ov_status = 319;
/// This is a message of another kind.
pub const OV_ERR_WRONG_MESSAGE: ov_status = 320;
/// This is about another device.
pub const OV_ERR_WRONG_DEVICE: ov_status = 321;
/// The hash of TO2.HelloDevice does not match.
pub const OV_ERR_HELLO_HASH_MISMATCH: ov_status = 322;
/// An entry is missing, repeated, out of turn or one too many.
pub const OV_ERR_WRONG_ENTRY: ov_status = 323;
/// The hash of To0d does not match.
pub const OV_ERR_TO0D_HASH_MISMATCH: ov_status = 324;
/// This is meant for another verifier.
pub const OV_ERR_WRONG_VERIFIER: ov_status = 325;
/// This is about another state of the voucher.
pub const OV_ERR_WRONG_STATE: ov_status = 326;
/// Credential reuse is not allowed.
pub const OV_ERR_CREDENTIAL_REUSE: ov_status = 327;
/// A certificate has been revoked.
pub const OV_ERR_CERTIFICATE_REVOKED: ov_status = 328;
/// Nothing ties the header to a known origin.
pub const OV_ERR_ORIGIN_NOT_CHECKED: ov_status = 329;
/// A required fact was not proved.
pub const OV_ERR_NOT_PROVED: ov_status = 330;
/// The certificates of the delegate are no valid chain below the owner.
pub const OV_ERR_DELEGATE_CHAIN: ov_status = 331;
/// The delegate has no permission for this.
pub const OV_ERR_DELEGATE_PERMISSION: ov_status = 332;
/// A delegate of the owner signed this, and delegates are not accepted here.
pub const OV_ERR_DELEGATE_REFUSED: ov_status = 333;
/// The certificate chain begins with its root: the certificate of the key comes first.
pub const OV_ERR_CHAIN_REVERSED: ov_status = 340;
/// The first certificate is that of a CA, which vouches for what it signed and not for
/// itself.
pub const OV_ERR_CA_AS_LEAF: ov_status = 341;
/// An entry holds a key outside of what is signed, where only a null key may be.
pub const OV_ERR_OUTER_KEY: ov_status = 380;
/// The certificates of the device do not form a chain.
pub const OV_ERR_DEVICE_CHAIN: ov_status = 381;
/// The allow and deny lists refuse this voucher.
pub const OV_ERR_KEY_NOT_ALLOWED: ov_status = 382;
/// The input is larger than the limit.
pub const OV_ERR_LIMIT_INPUT: ov_status = 400;
/// There are more entries than the limit.
pub const OV_ERR_LIMIT_ENTRIES: ov_status = 401;
/// A chain has more certificates than the limit.
pub const OV_ERR_LIMIT_CERTIFICATES: ov_status = 402;
/// A certificate is longer than the limit.
pub const OV_ERR_LIMIT_CERTIFICATE_SIZE: ov_status = 403;
/// Items are nested deeper than the limit.
pub const OV_ERR_LIMIT_DEPTH: ov_status = 404;
/// The device info is longer than the limit.
pub const OV_ERR_LIMIT_DEVICE_INFO: ov_status = 405;
/// There are more rendezvous instructions than the limit.
pub const OV_ERR_LIMIT_RV_INSTRUCTIONS: ov_status = 406;
/// There are more vouchers than the limit.
pub const OV_ERR_LIMIT_VOUCHERS: ov_status = 407;
/// A map has more labels than the limit.
pub const OV_ERR_LIMIT_LABELS: ov_status = 408;
/// The entry is larger than the limit.
pub const OV_ERR_LIMIT_ENTRY_SIZE: ov_status = 409;
/// A revocation list is larger than the limit, or there are too many.
pub const OV_ERR_LIMIT_REVOCATION_LIST: ov_status = 410;
/// The signer does not hold the key of the current owner.
pub const OV_ERR_NOT_OWNER: ov_status = 500;
/// The next owner's key is of another type than the manufacturer's.
pub const OV_ERR_NEXT_KEY_TYPE: ov_status = 501;
/// A part is missing or out of range.
pub const OV_ERR_INCOMPLETE: ov_status = 502;
/// An OVEExtra type lies in the range that FDO reserves.
pub const OV_ERR_EXTRA_RESERVED: ov_status = 503;
/// An argument is out of range or contradicts another.
pub const OV_ERR_BAD_CALL: ov_status = 504;
/// The caller cancelled the work.
pub const OV_ERR_CANCELLED: ov_status = 505;
/// The voucher would disclose what the privacy policy refuses.
pub const OV_ERR_DISCLOSURE: ov_status = 506;
/// The voucher would be handed over twice.
pub const OV_ERR_DOUBLE_SALE: ov_status = 507;
/// The caller declined the hand-over.
pub const OV_ERR_DECLINED: ov_status = 508;
/// No device reads a voucher of FDO 1.1 that is signed with the external data of FDO 2.0.
pub const OV_ERR_DRAFT_AAD: ov_status = 509;
/// This certificate chain cannot be written.
pub const OV_ERR_UNFIT_CHAIN: ov_status = 540;
/// The certificate of the owner is that of a CA, and no override was given.
pub const OV_ERR_CA_AS_OWNER: ov_status = 541;
/// The HMAC secret is too short.
pub const OV_ERR_HMAC_SECRET_SHORT: ov_status = 542;
/// The signer failed.
pub const OV_ERR_SIGNER_FAILED: ov_status = 600;
/// The signer returned a signature that does not verify.
pub const OV_ERR_SIGNER_ANSWER: ov_status = 601;
/// The journal of sales failed.
pub const OV_ERR_JOURNAL_FAILED: ov_status = 602;
/// The random generator failed.
pub const OV_ERR_RANDOM_FAILED: ov_status = 603;
/// The operating system has no more threads.
pub const OV_ERR_RESOURCES: ov_status = 604;
/// A pointer that must not be NULL is NULL.
pub const OV_ERR_NULL: ov_status = 800;
/// A handle is of another kind than the call expects, or is not a handle.
pub const OV_ERR_HANDLE: ov_status = 801;
/// A handle has already been freed.
pub const OV_ERR_FREED: ov_status = 802;
/// A handle belongs to another handle and is freed with it.
pub const OV_ERR_LENT: ov_status = 803;
/// The index is out of range.
pub const OV_ERR_INDEX: ov_status = 804;
/// The requested value is absent; this is not an error in the input.
pub const OV_ERR_ABSENT: ov_status = 805;
/// The handle is in use: in another thread, or by the call that called back.
pub const OV_ERR_BUSY: ov_status = 806;
/// An internal error of the library. Please report it.
pub const OV_ERR_PANIC: ov_status = 899;

/// A number is not in its shortest form.
pub const OV_FINDING_NON_SHORTEST: i32 = 700;
/// An item has indefinite length.
pub const OV_FINDING_INDEFINITE_LENGTH: i32 = 701;
/// The entry lacks COSE tag 18.
pub const OV_FINDING_UNTAGGED_ENTRY: i32 = 702;
/// The unprotected header is not empty, and nothing signs it.
pub const OV_FINDING_UNPROTECTED_HEADER: i32 = 703;
/// OVEExtra is an empty map in place of null.
pub const OV_FINDING_EXTRA_EMPTY_MAP: i32 = 704;
/// OVEExtra is a bare map.
pub const OV_FINDING_EXTRA_INLINE_MAP: i32 = 705;
/// An X5CHAIN key is wrapped in a byte string.
pub const OV_FINDING_X5CHAIN_WRAPPED: i32 = 706;
/// An X5CHAIN key is a bare certificate.
pub const OV_FINDING_X5CHAIN_BARE: i32 = 707;
/// A COSE_Key is wrapped in a byte string.
pub const OV_FINDING_COSE_KEY_WRAPPED: i32 = 708;
/// A COSE_Key names no key type.
pub const OV_FINDING_COSE_KEY_WITHOUT_KTY: i32 = 709;
/// A coordinate is not as long as its field.
pub const OV_FINDING_COORDINATE_LENGTH: i32 = 710;
/// An RSA number has leading zeros.
pub const OV_FINDING_LEADING_ZERO: i32 = 711;
/// The key's label names another curve.
pub const OV_FINDING_KEY_TYPE_LABEL: i32 = 712;
/// The key's type or encoding differs from the manufacturer key's.
pub const OV_FINDING_KEY_MIX: i32 = 713;
/// The key is of an experimental type.
pub const OV_FINDING_EXPERIMENTAL_KEY: i32 = 714;
/// The device certificate chain is a bare certificate.
pub const OV_FINDING_DEVICE_CHAIN_BARE: i32 = 715;
/// The chain hash covers the CBOR item.
pub const OV_FINDING_LEGACY_CHAIN_HASH: i32 = 716;
/// The strength of the hash deviates from the table.
pub const OV_FINDING_HASH_TABLE: i32 = 717;
/// The rendezvous info or a directive is empty.
pub const OV_FINDING_RV_EMPTY: i32 = 718;
/// A rendezvous flag carries a value.
pub const OV_FINDING_RV_FLAG_VALUE: i32 = 719;
/// A rendezvous variable lacks its value.
pub const OV_FINDING_RV_VALUE_MISSING: i32 = 720;
/// A rendezvous value is not what its variable asks for.
pub const OV_FINDING_RV_VALUE: i32 = 721;
/// A rendezvous variable is unknown.
pub const OV_FINDING_RV_UNKNOWN: i32 = 722;
/// The device info is empty.
pub const OV_FINDING_DEVICE_INFO_EMPTY: i32 = 723;
/// The voucher has the version of FDO 2.0, which is not published yet.
pub const OV_FINDING_FDO20_VERSION: i32 = 724;
/// The entry of an FDO 1.1 voucher is signed with the external data of FDO 2.0.
pub const OV_FINDING_DRAFT_AAD: i32 = 725;
/// The protected header holds more than the algorithm.
pub const OV_FINDING_PROTECTED_EXTRA: i32 = 726;
/// The rendezvous info does not consist of directives and instructions.
pub const OV_FINDING_RV_SHAPE: i32 = 727;
/// A rendezvous protocol or medium is unknown.
pub const OV_FINDING_RV_NUMBER: i32 = 733;
/// A rendezvous directive has neither DNS name nor IP address.
pub const OV_FINDING_RV_NO_ADDRESS: i32 = 734;
/// A rendezvous port is 0.
pub const OV_FINDING_RV_PORT: i32 = 735;
/// A variable occurs twice in one rendezvous directive.
pub const OV_FINDING_RV_DUPLICATE: i32 = 736;
/// A rendezvous directive is for devices only and for owners only at once.
pub const OV_FINDING_RV_FOR_NOBODY: i32 = 737;
/// A rendezvous host is neither a DNS name nor an IP address.
pub const OV_FINDING_RV_HOST: i32 = 738;
/// A rendezvous address is that of no server.
pub const OV_FINDING_RV_ADDRESS: i32 = 739;
/// A certificate is not X.509 in DER.
pub const OV_FINDING_CERTIFICATE_MALFORMED: i32 = 740;
/// The device certificate holds a key that FDO does not have.
pub const OV_FINDING_DEVICE_KEY: i32 = 741;
/// A COSE_Key carries its private part.
pub const OV_FINDING_COSE_KEY_PRIVATE: i32 = 742;
/// Alg or key_ops of a COSE_Key does not fit signatures under it.
pub const OV_FINDING_COSE_KEY_USE: i32 = 743;
/// The types in OVEExtra are not in their order.
pub const OV_FINDING_EXTRA_ORDER: i32 = 744;
/// OVEExtra holds a type that FDO reserves.
pub const OV_FINDING_EXTRA_RESERVED: i32 = 745;
/// The voucher is wrapped in a byte string or a tag.
pub const OV_FINDING_WRAPPED: i32 = 746;
/// The voucher has no entries: its manufacturer owns it.
pub const OV_FINDING_NO_ENTRIES: i32 = 750;
/// A certificate has expired.
pub const OV_FINDING_CERTIFICATE_EXPIRED: i32 = 751;
/// A certificate is not valid yet.
pub const OV_FINDING_CERTIFICATE_NOT_YET_VALID: i32 = 752;
/// A certificate signs another one without being marked as a CA.
pub const OV_FINDING_NO_BASIC_CONSTRAINTS: i32 = 753;
/// A certificate is signed with SHA-1.
pub const OV_FINDING_SHA1_SIGNATURE: i32 = 754;
/// A certificate is of version 1.
pub const OV_FINDING_CERTIFICATE_V1: i32 = 755;
/// A device certificate was not issued by the next one.
pub const OV_FINDING_DEVICE_CHAIN_BROKEN: i32 = 756;
/// A certificate of a key was not issued by the next one.
pub const OV_FINDING_OWNER_CHAIN_BROKEN: i32 = 757;
/// A certificate cannot be checked.
pub const OV_FINDING_CERTIFICATE_UNREADABLE: i32 = 758;
/// A certificate's key usage lacks digital signatures.
pub const OV_FINDING_KEY_USAGE: i32 = 759;
/// The signatures of certificates are not checked from here on.
pub const OV_FINDING_CERTIFICATES_UNCHECKED: i32 = 760;
/// There is more to find than is listed.
pub const OV_FINDING_MORE_FINDINGS: i32 = 761;
/// A certificate chain begins with its root.
pub const OV_FINDING_CHAIN_REVERSED: i32 = 770;
/// The first certificate of a chain is that of a CA.
pub const OV_FINDING_CA_AS_LEAF: i32 = 771;
/// A revocation list was given and not used: none covers this certificate, or one is not signed by
/// a known CA.
pub const OV_FINDING_CRL_NOT_USED: i32 = 772;
/// Of vouchers of SDO, which this library does not read, and so are those after it: there is white space outside of strings.
pub const OV_FINDING_SDO_WHITE_SPACE: i32 = 1000;
/// A string is not written as the format writes it.
pub const OV_FINDING_SDO_STRING: i32 = 1001;
/// SDO has no such protocol version.
pub const OV_FINDING_SDO_VERSION: i32 = 1002;
/// The header states another encoding than that of its key.
pub const OV_FINDING_SDO_KEY_ENCODING: i32 = 1003;
/// The GUID is all zero.
pub const OV_FINDING_SDO_GUID_ZERO: i32 = 1004;
/// The variables of a rendezvous instruction are not in alphabetical order.
pub const OV_FINDING_SDO_RV_ORDER: i32 = 1005;
/// The wrapper states another version than the header.
pub const OV_FINDING_SDO_WRAPPER_VERSION: i32 = 1006;
/// There are more than ten entries; devices and services may refuse them.
pub const OV_FINDING_SDO_MANY_ENTRIES: i32 = 1007;
/// The issuer of the last device certificate is not in the chain.
pub const OV_FINDING_SDO_CHAIN_OPEN: i32 = 1008;
/// The voucher was reformatted: it was verified without its white space.
pub const OV_FINDING_SDO_REFORMATTED: i32 = 1009;
/// The text of the header or of its HMAC was edited after signing.
pub const OV_FINDING_SDO_EDITED: i32 = 1010;

/// The numbers from 800 with their names and messages.
pub(super) const BOUNDARY: [(ov_status, &str, &str); 8] = [
    (OV_ERR_NULL, "null-pointer", "a pointer is NULL"),
    (
        OV_ERR_HANDLE,
        "wrong-handle",
        "a handle is of another kind, or none",
    ),
    (OV_ERR_FREED, "freed-handle", "a handle was freed before"),
    (
        OV_ERR_LENT,
        "lent-handle",
        "a handle belongs to another one",
    ),
    (OV_ERR_INDEX, "no-such-index", "nothing is at this index"),
    (OV_ERR_ABSENT, "absent", "the thing asked for is not there"),
    (OV_ERR_BUSY, "busy", "the handle is in use by another call"),
    (OV_ERR_PANIC, "panic", "the library is at fault"),
];

/// Name and message of a number from 800.
pub(super) fn boundary(status: ov_status) -> (&'static str, &'static str) {
    let found = BOUNDARY.iter().find(|(code, ..)| *code == status);
    found.map_or(("unknown", "unknown"), |(_, name, text)| (name, text))
}

/// The number of an error of the library.
pub(super) fn code(error: &Error) -> ov_status {
    ov_status::from(error.kind().code().cast_signed())
}
