//! Vouchers in SQLite: for each device the newest state, and nothing that contradicts it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ownership_voucher::transfer::{Relation, relation};
use ownership_voucher::{Guid, Policy, VerifiedVoucher, Voucher};
use rusqlite::{Connection, OptionalExtension as _};

use crate::Failure;

/// The vouchers of one owner.
pub struct Store(Mutex<Connection>);

impl Store {
    /// The store in this file, which is created if there is none.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS vouchers (guid BLOB PRIMARY KEY, voucher BLOB NOT NULL) STRICT",
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The voucher of this device, as it came.
    pub fn voucher(&self, guid: Guid) -> Result<Option<Vec<u8>>, Failure> {
        Ok(voucher(&self.lock(), guid)?)
    }

    /// Keeps a voucher, unless the store has a newer one of the device or one that contradicts it. It
    /// comes back how the voucher relates to the one before.
    pub fn add(&self, new: &VerifiedVoucher<'_>) -> Result<Relation, Failure> {
        let mut connection = self.lock();
        // One transaction: of two requests with two states of a device, the second sees the first.
        let transaction = connection.transaction()?;
        let before = voucher(&transaction, new.guid())?;
        let relation = match &before {
            None => Relation::Unrelated,
            // It was verified before it was stored.
            Some(bytes) => relation(new, &Policy::any_origin().verify(bytes)?),
        };
        if matches!(relation, Relation::Unrelated | Relation::Newer) {
            let row = (new.guid().0, new.as_bytes());
            transaction.execute("REPLACE INTO vouchers VALUES (?1, ?2)", row)?;
        }
        transaction.commit()?;
        Ok(relation)
    }

    /// Puts the voucher of a device's next life in the place of the old one.
    pub fn replace(&self, old: Guid, new: &Voucher<'_>) -> Result<(), Failure> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM vouchers WHERE guid = ?1", [old.0])?;
        let row = (new.guid().0, new.as_bytes());
        transaction.execute("INSERT INTO vouchers VALUES (?1, ?2)", row)?;
        Ok(transaction.commit()?)
    }
}

fn voucher(connection: &Connection, guid: Guid) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .query_row(
            "SELECT voucher FROM vouchers WHERE guid = ?1",
            [guid.0],
            |row| row.get(0),
        )
        .optional()
}
