//! A factory, an owner and the owner's services in one process, for `services` and for the tests.

use std::net::Ipv4Addr;
use std::sync::Arc;

use ownership_voucher::create::RvDirective;
use ownership_voucher::{ExtendOptions, HandOver, KeyOrChain, KeyType, LocalKey, Policy, UnixTime};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::factory::Factory;
use crate::intake::{self, Intake};
use crate::owner::{self, Owner};
use crate::store::Store;
use crate::{Failure, random};

/// Both services listen at `url` until this is dropped.
pub struct World {
    pub factory: Factory,
    pub owner: KeyOrChain,
    pub url: String,
    pub store: Arc<Store>,
    folder: std::path::PathBuf,
    _runtime: Runtime,
}

impl World {
    /// New keys, and an empty store in a new folder.
    pub fn new() -> Result<Self, Failure> {
        let factory = Factory::new()?;
        let key = LocalKey::generate(KeyType::Secp256r1, getrandom::fill)?;
        let owner = KeyOrChain::Key(key.public_key());
        let folder =
            std::env::temp_dir().join(format!("ov-services-{}", hex::encode(random::<8>()?)));
        std::fs::create_dir(&folder)?;
        let store = Arc::new(Store::open(&folder.join("vouchers.sqlite"))?);
        let now = UnixTime::try_from(std::time::SystemTime::now())?;
        // For the intake: made by this factory, a device of its authority, and ours.
        let policy = Policy::manufacturer(factory.maker.public_key())
            .with_device_roots(factory.roots()?)
            .with_owner(key.public_key())
            .with_time(now);
        let rendezvous = RvDirective::from_url("https://rv.example.com")?;
        let taking = Intake {
            policy: policy.clone(),
            store: Arc::clone(&store),
        };
        let owning = Owner::new(key, policy, Arc::clone(&store), rendezvous);
        let routes = intake::routes(Arc::new(taking)).merge(owner::routes(Arc::new(owning)));
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            factory,
            owner,
            url,
            store,
            folder,
            _runtime: runtime,
        })
    }

    /// The factory sells a device to the owner: the voucher is signed over and posted to the intake.
    pub fn sell(&self, voucher: &[u8]) -> Result<Value, Failure> {
        // The factory made it a moment ago, and nobody has signed it yet.
        let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
        let hand_over = HandOver::new(&policy, &self.factory.maker, &self.owner, &options);
        let (sold, _receipt) = hand_over.one(voucher)?;
        self.post(sold.as_bytes())
    }

    /// What the intake says about this file.
    pub fn post(&self, file: &[u8]) -> Result<Value, Failure> {
        let mut answer = ureq::post(format!("{}/vouchers", self.url)).send(file)?;
        Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A temporary folder that stays is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
