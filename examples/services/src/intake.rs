//! The intake: whoever sells devices to this owner posts their vouchers.
//!
//! `POST /vouchers` takes a file as it comes, PEM or CBOR, one voucher or a shipment. The answer has a
//! verdict for each, in the shape of `ov verify --json`, and what became of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use ownership_voucher::transfer::Relation;
use ownership_voucher::{BatchVerifier, Error, Guid, Policy, file};
use serde_json::{Value, json};

use crate::Failure;
use crate::store::Store;

/// The largest request in bytes: a shipment of some ten thousand vouchers.
const LARGEST: usize = 32 << 20;

/// What every request needs.
pub struct Intake {
    /// What a voucher has to prove.
    pub policy: Policy<'static>,
    pub store: Arc<Store>,
}

/// The routes of the intake.
pub fn routes(intake: Arc<Intake>) -> Router {
    Router::new()
        .route("/vouchers", post(take))
        .route("/vouchers/{guid}", get(show))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(intake)
}

async fn take(State(intake): State<Arc<Intake>>, body: Bytes) -> Response {
    // Signatures are work for the processor, and SQLite waits for the disk.
    let taken = tokio::task::spawn_blocking(move || intake.take(&body)).await;
    match taken {
        Ok(Ok(verdicts)) => json_response(StatusCode::OK, &Value::Array(verdicts)),
        Ok(Err(failure)) => json_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"error": failure.to_string()}),
        ),
        Err(stopped) => json_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"error": stopped.to_string()}),
        ),
    }
}

async fn show(State(intake): State<Arc<Intake>>, Path(guid): Path<String>) -> Response {
    let guid: Guid = match guid.parse() {
        Ok(guid) => guid,
        Err(error) => return json_response(StatusCode::BAD_REQUEST, &json!({"error": error})),
    };
    match intake.store.voucher(guid) {
        Ok(Some(voucher)) => file::to_pem(&voucher).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(failure) => json_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"error": failure.to_string()}),
        ),
    }
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    let kind = [("content-type", "application/json")];
    (status, kind, value.to_string()).into_response()
}

impl Intake {
    /// A verdict on each voucher of a file; those that pass are stored.
    fn take(&self, file: &[u8]) -> Result<Vec<Value>, Failure> {
        let (mut vouchers, mut broken) = (Vec::new(), Vec::new());
        for voucher in file::Vouchers::new(file) {
            match voucher {
                Ok(voucher) => vouchers.push(voucher),
                Err(error) => broken.push(error),
            }
        }
        let mut said = Vec::new();
        for verdict in BatchVerifier::new(&self.policy).verify(&vouchers) {
            said.push(match verdict {
                Ok(voucher) => {
                    let mut value = serde_json::to_value(&voucher)?;
                    value["stored"] = json!(became(&self.store.add(&voucher)?));
                    value
                }
                Err(rejected) => serde_json::to_value(&rejected)?,
            });
        }
        said.extend(
            broken
                .iter()
                .map(|error: &Error| json!({"verdict": "rejected", "error": error})),
        );
        Ok(said)
    }
}

/// What became of a voucher that passed.
fn became(relation: &Relation) -> &'static str {
    match relation {
        Relation::Unrelated => "new",
        Relation::Newer => "replaces an older state",
        Relation::Same => "known",
        Relation::Older => "not stored: a newer state is known",
        // Somebody sold the device twice. That is for a person to decide.
        _ => "not stored: it contradicts the voucher that is known",
    }
}
