//! Three programs around the library, as small as they can be and still work.
//!
//! | program | module | what it does |
//! |---|---|---|
//! | factory tool | [`factory`] | keys, certificates, vouchers and credentials of new devices |
//! | intake and owner service | [`intake`], [`owner`], [`store`] | takes vouchers over HTTP, keeps the newest of each device, onboards devices (TO2) |
//! | device | [`device`] | finds out who its owner is, and hands itself over |
//!
//! [`world`] puts them together in one process, on one machine.
//!
//! What is left out is what the library leaves to its callers: the rendezvous server (TO0, TO1), the
//! key exchange and its encryption from TO2.SetupDevice on, service info, TLS, and who may call the
//! service. Do not run it as it is.

pub mod device;
pub mod factory;
pub mod intake;
pub mod owner;
pub mod store;
pub mod world;

/// Any error, for programs that print it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Fresh random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
