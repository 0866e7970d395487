//! External data of FDO 2.0: what a signature covers besides the message (external_aad, RFC 9052 §4.3).
//!
//! Each kind of message has its own, the CBOR of an array with one text. So nothing that a key has signed
//! for one purpose is valid for another. FDO 1.1 has none: there, external_aad is empty.
//!
//! ```
//! use ownership_voucher::external_data;
//! // ["FDO-OVEntry-v1"]: an array of one, a text of 14 bytes.
//! assert_eq!(external_data::OV_ENTRY, b"\x81\x6eFDO-OVEntry-v1");
//! ```
//!
//! FDO 2.0 is not published. Two or more implementations agree on those of entries, TO0 and TO2; the others
//! are known from one. This library signs and verifies with [`OV_ENTRY`], [`TO0_OWNER_SIGN`],
//! [`TO2_PROVE_OV_HDR`] and [`TO2_SETUP_DEVICE`].

/// An entry of a voucher, if the version in its header is 200 or more.
pub const OV_ENTRY: &[u8] = b"\x81\x6eFDO-OVEntry-v1";

/// to1d, which TO0.OwnerSign registers, if the version in the voucher's header is 200 or more.
pub const TO0_OWNER_SIGN: &[u8] = b"\x81\x74FDO-TO0-OwnerSign-v1";

/// TO1.ProveToRV in a session of FDO 2.0. Known from one implementation.
pub const TO1_PROVE_TO_RV: &[u8] = b"\x81\x74FDO-TO1-ProveToRV-v1";

/// TO2.ProveDevice20 (82).
pub const TO2_PROVE_DEVICE: &[u8] = b"\x81\x76FDO-TO2-ProveDevice-v1";

/// TO2.ProveOVHdr20 (83).
pub const TO2_PROVE_OV_HDR: &[u8] = b"\x81\x75FDO-TO2-ProveOVHdr-v1";

/// TO2.SetupDevice20 (87).
pub const TO2_SETUP_DEVICE: &[u8] = b"\x81\x76FDO-TO2-SetupDevice-v1";

/// The challenge of FDOKeyAuth, which goes before a transfer of vouchers. Known from one implementation.
pub const KEY_AUTH_CHALLENGE: &[u8] = b"\x81\x78\x18FDO-KeyAuth-Challenge-v1";

/// The proof of FDOKeyAuth. Known from one implementation.
pub const KEY_AUTH_PROVE: &[u8] = b"\x81\x74FDO-KeyAuth-Prove-v1";

/// The description of a payload that service info transfers. Known from one implementation.
pub const FSIM_META_PAYLOAD: &[u8] = b"\x81\x77FDO-FSIM-MetaPayload-v1";

/// The transfer of a bare-metal image by service info. Known from one implementation.
pub const FSIM_BMO_PROVISION: &[u8] = b"\x81\x78\x18FDO-FSIM-BmoProvision-v1";

/// The external data of a message about a voucher: none below FDO 2.0.
pub(crate) const fn since_fdo20(fdo20: bool, data: &'static [u8]) -> &'static [u8] {
    if fdo20 { data } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The hexadecimal digits are those of a published encoding, not of this crate.
    #[test]
    fn each_is_an_array_of_one_text() {
        for (data, text, hex) in [
            (
                OV_ENTRY,
                "FDO-OVEntry-v1",
                "816e46444f2d4f56456e7472792d7631",
            ),
            (
                TO0_OWNER_SIGN,
                "FDO-TO0-OwnerSign-v1",
                "817446444f2d544f302d4f776e65725369676e2d7631",
            ),
            (
                TO1_PROVE_TO_RV,
                "FDO-TO1-ProveToRV-v1",
                "817446444f2d544f312d50726f7665546f52562d7631",
            ),
            (
                TO2_PROVE_DEVICE,
                "FDO-TO2-ProveDevice-v1",
                "817646444f2d544f322d50726f76654465766963652d7631",
            ),
            (
                TO2_PROVE_OV_HDR,
                "FDO-TO2-ProveOVHdr-v1",
                "817546444f2d544f322d50726f76654f564864722d7631",
            ),
            (
                TO2_SETUP_DEVICE,
                "FDO-TO2-SetupDevice-v1",
                "817646444f2d544f322d53657475704465766963652d7631",
            ),
            (
                KEY_AUTH_CHALLENGE,
                "FDO-KeyAuth-Challenge-v1",
                "81781846444f2d4b6579417574682d4368616c6c656e67652d7631",
            ),
            (
                KEY_AUTH_PROVE,
                "FDO-KeyAuth-Prove-v1",
                "817446444f2d4b6579417574682d50726f76652d7631",
            ),
            (
                FSIM_META_PAYLOAD,
                "FDO-FSIM-MetaPayload-v1",
                "817746444f2d4653494d2d4d6574615061796c6f61642d7631",
            ),
            (
                FSIM_BMO_PROVISION,
                "FDO-FSIM-BmoProvision-v1",
                "81781846444f2d4653494d2d426d6f50726f766973696f6e2d7631",
            ),
        ] {
            let mut encoded = Vec::new();
            ciborium::into_writer(&[text], &mut encoded).unwrap();
            assert_eq!(data, encoded, "{text}");
            assert_eq!(data, hex::decode(hex).unwrap(), "{text}");
        }
    }
}
