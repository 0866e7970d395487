//! The owner's side of TO2: `POST /fdo/101/msg/{number}`, as FDO 1.1 names its messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ownership_voucher::create::RvDirective;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{Guid, KeyOrChain, LocalKey, Policy, VerifiedVoucher, Voucher};

use crate::store::Store;
use crate::{Failure, random};

/// What every request needs.
pub struct Owner {
    pub key: LocalKey,
    /// What a voucher has to prove. It was checked at the intake, and is checked again: the store is
    /// only a file.
    pub policy: Policy<'static>,
    pub store: Arc<Store>,
    /// Where a device goes in its next life.
    pub rendezvous: RvDirective,
    sessions: Mutex<HashMap<String, Session>>,
}

/// One device between TO2.HelloDevice and TO2.Done.
struct Session {
    voucher: VerifiedVoucher<'static>,
    nonce: ProveDvNonce,
    setup: Option<(Replacement, SetupDvNonce)>,
    /// The voucher of the next life, in force with TO2.Done.
    next: Option<Voucher<'static>>,
}

impl Owner {
    pub fn new(
        key: LocalKey,
        policy: Policy<'static>,
        store: Arc<Store>,
        rendezvous: RvDirective,
    ) -> Self {
        let sessions = Mutex::default();
        Self {
            key,
            policy,
            store,
            rendezvous,
            sessions,
        }
    }

    /// The answer to a message, and the session. Whatever is wrong ends the session.
    fn answer(
        &self,
        number: u8,
        message: &[u8],
        token: &str,
    ) -> Result<(Vec<u8>, String), Failure> {
        if number == 60 {
            let (session, answer) = self.begin(message)?;
            let token = hex::encode(random::<16>()?);
            self.keep(token.clone(), session);
            return Ok((answer, token));
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = sessions.remove(token).ok_or("no such session")?;
        drop(sessions);
        let answer = match number {
            62 => next_entry(&session.voucher, read_get_next_entry(message)?)?,
            64 => self.prove(&mut session, message)?,
            66 => ready(&mut session, message)?,
            70 => return Ok((self.done(&session, message)?, String::new())),
            _ => return Err("not a message of TO2".into()),
        };
        self.keep(token.to_owned(), session);
        Ok((answer, token.to_owned()))
    }

    fn keep(&self, token: String, session: Session) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(token, session);
    }

    /// TO2.HelloDevice: this owner proves itself.
    fn begin(&self, message: &[u8]) -> Result<(Session, Vec<u8>), Failure> {
        let hello = HelloDevice::read(message)?;
        let stored = self
            .store
            .voucher(hello.guid)?
            .ok_or("no voucher of this device")?;
        let voucher = self.policy.verify(&stored)?.into_owned();
        let nonce = ProveDvNonce(random()?);
        let key_exchange = random::<32>()?;
        let mut proof = ProveOvHdr::new(message, hello.nonce, nonce, &key_exchange);
        proof.sig_info = hello.sig_info;
        let answer = proof.message(&voucher)?.sign(&self.key)?;
        let (setup, next) = (None, None);
        Ok((
            Session {
                voucher,
                nonce,
                setup,
                next,
            },
            answer,
        ))
    }

    /// TO2.ProveDevice: the device has proved itself, and gets new credentials.
    fn prove(&self, session: &mut Session, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let proof = DeviceProof::check(message, &session.voucher, session.nonce)?;
        let rendezvous = std::slice::from_ref(&self.rendezvous);
        let owner = KeyOrChain::Key(self.key.public_key());
        let replacement = Replacement::new(Guid(random()?), rendezvous, owner)?;
        let answer = setup_device(&replacement, &session.voucher, proof.setup_nonce())?;
        session.setup = Some((replacement, proof.setup_nonce()));
        Ok(answer.sign(&self.key)?)
    }

    /// TO2.Done: the new voucher takes the place of the old one.
    fn done(&self, session: &Session, message: &[u8]) -> Result<Vec<u8>, Failure> {
        check_done(message, session.nonce)?;
        let (_, nonce) = session.setup.as_ref().ok_or("too early")?;
        let next = session.next.as_ref().ok_or("too early")?;
        self.store.replace(session.voucher.guid(), next)?;
        Ok(done2(*nonce))
    }
}

/// TO2.DeviceServiceInfoReady: the device confirms its new header.
fn ready(session: &mut Session, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let ready = DeviceServiceInfoReady::read(message)?;
    let (replacement, _) = session.setup.as_ref().ok_or("too early")?;
    let ResaleOutcome::Replaced(next) =
        replacement.finish(&session.voucher, ready.hmac.as_ref())?
    else {
        return Err("the device did not take its new credentials".into());
    };
    session.next = Some(next);
    // TO2.OwnerServiceInfoReady: no limit on what the device sends.
    Ok(vec![0x81, 0xf6])
}

/// The routes of the owner service.
pub fn routes(owner: Arc<Owner>) -> Router {
    Router::new()
        .route("/fdo/101/msg/{number}", post(message))
        .with_state(owner)
}

async fn message(
    State(owner): State<Arc<Owner>>,
    Path(number): Path<u8>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers
        .get("authorization")
        .and_then(|token| token.to_str().ok());
    let token = token.unwrap_or_default().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        owner
            .answer(number, &body, &token)
            .map_err(|failure| failure.to_string())
    });
    match answer.await {
        Ok(Ok((answer, token))) => ([("authorization", token)], answer).into_response(),
        Ok(Err(why)) => (StatusCode::BAD_REQUEST, why).into_response(),
        Err(stopped) => (StatusCode::INTERNAL_SERVER_ERROR, stopped.to_string()).into_response(),
    }
}
