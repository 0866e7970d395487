//! Nonces, one type for each use, so that one cannot be given in place of another.

/// 16 bytes of any use, inside this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nonce(pub(crate) [u8; 16]);

macro_rules! nonces {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// It is 16 random bytes (FDO 1.1, Nonce) from the random number generator of who makes it,
            /// and is used once.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name(pub [u8; 16]);

            impl From<$name> for Nonce {
                fn from(nonce: $name) -> Self {
                    Self(nonce.0)
                }
            }

            impl From<Nonce> for $name {
                fn from(nonce: Nonce) -> Self {
                    Self(nonce.0)
                }
            }

            impl From<[u8; 16]> for $name {
                fn from(bytes: [u8; 16]) -> Self {
                    Self(bytes)
                }
            }
        )*
    };
}

nonces! {
    /// `NonceTO0Sign`: from the rendezvous server in TO0.HelloAck (21), repeated by the owner in To0d.
    To0SignNonce;
    /// `NonceTO1Proof`: from the rendezvous server in TO1.HelloRVAck (31), repeated by the device in
    /// TO1.ProveToRV.
    To1ProofNonce;
    /// `NonceTO2ProveOV`: from the device in TO2.HelloDevice (60), repeated by the owner in
    /// TO2.ProveOVHdr.
    ProveOvNonce;
    /// `NonceTO2ProveDv`: from the owner in TO2.ProveOVHdr (61), repeated by the device in
    /// TO2.ProveDevice and TO2.Done.
    ProveDvNonce;
    /// `NonceTO2SetupDv`: from the device in TO2.ProveDevice (64), repeated by the owner in
    /// TO2.SetupDevice and TO2.Done2.
    SetupDvNonce;
}
