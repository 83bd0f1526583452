//! The one place that speaks SQL. The rest of the store calls [`Tx`]'s methods inside [`Db::write`] or [`Db::read`], so
//! that a second database has to be written here and nowhere else.
//!
//! One connection a process behind a mutex: SQLite has one writer at a time anyhow, and several processes (milter,
//! courier, command line) take turns by `BEGIN IMMEDIATE` and the busy timeout.

mod accounts;
mod audit;
mod incidents;
mod judged;
mod outbox;
mod people;
mod queue;
mod recipients;
mod retention;
mod schema;
mod schema_console;
mod unmasking;

pub(super) use accounts::AccountRow;
pub(super) use audit::AuditRow;
pub(super) use incidents::{FindingRow, IncidentRow, NewIncident, Part, Sealed};
pub(super) use judged::JudgedRow;
pub(super) use outbox::{EntryRow, NewEntry, Tried};
pub(super) use queue::{Desk, Mark, Wanted};
pub(super) use recipients::{NewRecipient, RecipientRow, Reply};
pub(super) use schema::VERSION;

use super::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Long enough for another process's checkpoint, short enough for a client that waits at the end of its mail.
const BUSY: Duration = Duration::from_secs(5);

/// Below this an unspecific I/O error is taken for a full disk (SQLite reports a failed growth of its -shm file so).
const NO_ROOM: u64 = 64 << 10;

/// The file and the connection to it.
pub(super) struct Db {
    path: PathBuf,
    connection: Mutex<Option<Connected>>,
    /// A setting that the file must have; see [`Db::expect`].
    expected: OnceLock<(&'static str, Vec<u8>)>,
}

/// A connection, and the file that it was opened on: device and inode.
struct Connected {
    connection: Connection,
    file: (u64, u64),
}

/// One transaction; the tables' methods are in the files beside this one.
pub(super) struct Tx<'c>(Transaction<'c>);

/// What can go wrong inside a transaction; all of it rolls back.
pub(super) enum Failure {
    /// The database.
    Sql(rusqlite::Error),
    /// Ours.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl Db {
    /// Opens the file, made when it is not there (open to the group only where its folder is), and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Db, StoreError> {
        let db = Db {
            path: path.to_owned(),
            connection: Mutex::new(None),
            expected: OnceLock::new(),
        };
        prepare_file(path)?;
        db.write(|tx| tx.migrate(path))?;
        Ok(db)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on a file that is put in this one's place must have this setting, or it is not used.
    pub fn expect(&self, name: &'static str, value: &[u8]) {
        let _ = self.expected.set((name, value.to_owned()));
    }

    /// Runs `work` in a transaction that holds the write lock from its start; durable when this returns `Ok`.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.transact(TransactionBehavior::Immediate, work)
    }

    /// Runs `work` on one snapshot.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut slot = self.slot();
        let result = self.connected(&mut slot).and_then(|connected| {
            let tx = Tx(connected.connection.transaction_with_behavior(behavior)?);
            let value = work(&tx)?;
            tx.0.commit()?;
            // What was committed to a file that has been deleted is gone with us: nobody may rely on it.
            self.same_file(connected.file)?;
            Ok(value)
        });
        result.map_err(|failure| match failure {
            Failure::Store(error) => {
                if matches!(error, StoreError::Gone { .. }) {
                    *slot = None;
                }
                error
            }
            Failure::Sql(error) => {
                if !matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy)) {
                    // After a failed write or sync nothing that this connection has cached is to be believed.
                    *slot = None;
                }
                classify(&self.path, &error)
            }
        })
    }

    /// Moves everything into the main file and empties the write-ahead log, so that erased keys are gone from it too. Best
    /// effort: a reader elsewhere may keep it from happening now, the next erasure tries again.
    pub fn wipe_log(&self) {
        let mut slot = self.slot();
        if let Ok(connected) = self.connected(&mut slot) {
            let _ = connected
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    /// A panic in another thread rolled its transaction back; the connection itself is sound.
    fn slot(&self) -> MutexGuard<'_, Option<Connected>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection; a new one when the path names another file than before (restored from a backup, or swapped).
    fn connected<'s>(&self, slot: &'s mut Option<Connected>) -> Result<&'s mut Connected, Failure> {
        if slot.as_ref().is_some_and(|open| self.same_file(open.file).is_err()) {
            *slot = None;
        }
        if slot.is_none() {
            let before = self.file()?;
            let connection = connect(&self.path)?;
            self.same_file(before)?;
            let mut fresh = Connected {
                connection,
                file: before,
            };
            self.recognise(&mut fresh)?;
            *slot = Some(fresh);
        }
        slot.as_mut()
            .ok_or_else(|| Failure::Store(StoreError::Unusable("no connection to the store".to_owned())))
    }

    /// What was put in the place of our store must be a store of ours: this schema, these keys.
    fn recognise(&self, fresh: &mut Connected) -> Result<(), Failure> {
        let Some((name, value)) = self.expected.get() else {
            return Ok(());
        };
        let tx = Tx(fresh.connection.transaction()?);
        tx.is_current(&self.path)?;
        if tx.setting(name)?.as_deref() != Some(value) {
            let text = format!(
                "another store was put in the place of {}: nothing is held, released or recorded in it; put the right one \
                 back, or restart cpr-milter with the keys that belong to this one",
                self.path.display()
            );
            return Err(StoreError::Unusable(text).into());
        }
        Ok(())
    }

    fn file(&self) -> Result<(u64, u64), StoreError> {
        std::fs::metadata(&self.path)
            .map(|meta| (meta.dev(), meta.ino()))
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => StoreError::Gone {
                    path: self.path.clone(),
                },
                _ => StoreError::ReadOnly {
                    path: self.path.clone(),
                },
            })
    }

    fn same_file(&self, file: (u64, u64)) -> Result<(), StoreError> {
        if self.file()? == file {
            return Ok(());
        }
        Err(StoreError::Gone {
            path: self.path.clone(),
        })
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// SQLite gives its -wal and -shm files the mode and the owner of the main file, so that one mode guards all three.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let new = !path.exists();
    // Milter and courier are two users who share the folder by its group.
    let shared = std::fs::metadata(folder_of(path)).is_ok_and(|folder| folder.mode() & 0o020 != 0);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(if shared { 0o660 } else { 0o600 })
        .open(path);
    let file = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => StoreError::Unusable(format!(
            "the folder of the store {} does not exist; make it, owned by the user that runs cpr-milter, mode 0700",
            path.display()
        )),
        std::io::ErrorKind::StorageFull => StoreError::Full { path: path.to_owned() },
        _ => StoreError::ReadOnly { path: path.to_owned() },
    })?;
    if new && shared {
        // Whatever the umask left of it.
        file.set_permissions(std::fs::Permissions::from_mode(0o660))
            .map_err(|_| StoreError::ReadOnly { path: path.to_owned() })?;
    }
    if new && rustix::process::geteuid().is_root() {
        belongs_to_folder(path, &file).map_err(|_| StoreError::ReadOnly { path: path.to_owned() })?;
    }
    let mode = file.metadata().map_or(0, |meta| meta.permissions().mode());
    if mode & 0o007 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o770))
            .map_err(|_| StoreError::ReadOnly { path: path.to_owned() })?;
    }
    Ok(())
}

/// A command that root types before the daemon's first start must not make a store that the daemon cannot write.
fn belongs_to_folder(path: &Path, file: &std::fs::File) -> std::io::Result<()> {
    let folder = std::fs::metadata(folder_of(path))?;
    std::os::unix::fs::fchown(file, Some(folder.uid()), Some(folder.gid()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// SQLite's codes in our words; never its message, which may quote values.
fn classify(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::SystemIoFailure) if free_bytes(&path).is_ok_and(|free| free < NO_ROOM) => {
            StoreError::Full { path }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly { path }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt { path },
        _ => {
            let code = error.sqlite_error().map_or(0, |e| e.extended_code);
            StoreError::Unusable(format!(
                "the store {} failed: {}; nothing was changed, look at the disk's health and the system log",
                path.display(),
                rusqlite::ffi::code_to_str(code)
            ))
        }
    }
}

/// Bytes that an unprivileged process may still write on the file system of `path`.
pub(super) fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let folder = folder_of(path);
    let stat = rustix::fs::statvfs(folder).map_err(|error| {
        StoreError::Unusable(format!(
            "the file system of {} does not say how full it is: {error}",
            folder.display()
        ))
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
