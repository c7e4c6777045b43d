//! Uploads: a file is durable, in pieces, before its import is acknowledged.

use crate::domain::ids::{ImportId, PrincipalId, SellerId};
use crate::sheets::presets::{self, CANONICAL};
use crate::sheets::{DateOrder, Encoding, Kind, Limits, UnknownEncoding, UnknownKind};
use crate::store::idempotency::Hold;
use crate::store::imports::{About, Import};
use crate::store::{At, Json, Reason, SellerTables, Store, StoreError};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub use crate::sheets::UnpackedSize;

/// How the sender wants a file to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// `dmy`, `mdy` or `ymd`: for columns that the file itself does not settle.
    pub date_order: Option<String>,
    /// A name of the tz database; the seller's own where absent.
    pub time_zone: Option<String>,
    /// Whether a tracking row for an unknown order makes a bare order.
    #[serde(default)]
    pub create_orders: bool,
    /// Whether a doubtful number is an error instead of a warning; where absent, as the seller has it when the file comes.
    pub strict: Option<bool>,
    /// The form of a shop system; told by the header where absent.
    pub preset: Option<String>,
    /// In which encoding the file is; told by its bytes where absent.
    pub encoding: Option<String>,
    /// Headers of the file to canonical names.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
    /// Whether one bad row keeps all others out.
    #[serde(default)]
    pub all_or_nothing: bool,
}

/// A file that somebody wants to send.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    pub kind: Option<String>,
    /// A shop's name; `main` where absent.
    pub shop: Option<String>,
    pub dry_run: bool,
    pub file_name: Option<String>,
    pub options: ImportOptions,
}

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    #[error("`{0}` is no preset that we know; GET /v1/presets tells all, and `canonical` is our own form")]
    Preset(String),
    #[error("`{0}` is no date order; write dmy, mdy or ymd")]
    DateOrder(String),
    #[error(transparent)]
    Encoding(#[from] UnknownEncoding),
    #[error("`{0}` is no time zone; write a name such as Europe/Berlin")]
    TimeZone(String),
    #[error("you have no shop `{0}`; leave `shop` out for your first shop")]
    Shop(String),
    #[error("no import has this id")]
    NotFound,
    #[error("only a completed dry run can be committed; this import is {0}")]
    NotADryRun(String),
    #[error("the file of this import is not kept any more; upload it again")]
    Expired,
    #[error("this import is {0} already and cannot be cancelled")]
    Over(String),
    #[error(
        "{OPEN_IMPORTS} of your imports are waiting or still arriving, and no more are taken. Wait until some are done, then \
         send the file again"
    )]
    TooManyWaiting,
    #[error("another request with the same Idempotency-Key took this upload over")]
    TakenOver,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file on its way in. Dropped before it is complete, it never becomes an import.
pub struct Incoming {
    import: Import,
    next_chunk: i32,
    buffer: Vec<u8>,
}

/// So many imports of one seller may be arriving, waiting or running at once.
pub const OPEN_IMPORTS: i64 = 100;

/// So large a file may be when it is unpacked.
pub const UNPACKED_BYTES: u64 = Limits::UNPACKED_BYTES;

/// So much of a file is kept in one row.
const CHUNK_BYTES: usize = 1 << 20;

/// Opens an import that nobody sees until it is complete.
///
/// # Errors
///
/// [`UploadError`] where the request names something that does not exist; then nothing was written.
pub fn begin(
    store: &Store,
    seller: SellerId,
    request: &ImportRequest,
    actor: PrincipalId,
    now: Timestamp,
) -> Result<Incoming, UploadError> {
    let kind = request.kind.as_deref().map(str::parse::<Kind>).transpose()?;
    if let Some(id) = request.options.preset.as_deref().filter(|id| *id != CANONICAL && presets::named(id).is_none()) {
        return Err(UploadError::Preset(id.to_owned()));
    }
    if let Some(order) = &request.options.date_order {
        order.parse::<DateOrder>().map_err(|_unknown| UploadError::DateOrder(order.clone()))?;
    }
    if let Some(encoding) = &request.options.encoding {
        encoding.parse::<Encoding>()?;
    }
    if let Some(zone) = &request.options.time_zone {
        TimeZone::get(zone).map_err(|_unknown| UploadError::TimeZone(zone.clone()))?;
    }
    let wanted = request.shop.as_deref().unwrap_or("main");
    store.seller(seller).write(|tables| {
        refuse_too_many(tables)?;
        let shop = tables.shops()?.into_iter().find(|shop| shop.name == wanted);
        let shop = shop.ok_or_else(|| UploadError::Shop(wanted.to_owned()))?;
        // What the seller decides later does not change how this file is read.
        let mut options = request.options.clone();
        options.strict = options.strict.or(tables.profile()?.map(|seller| seller.strict_imports));
        let import = Import {
            seller_id: seller,
            id: ImportId::new(now),
            shop_id: shop.id,
            kind: kind.map(|kind| kind.code().to_owned()),
            state: "receiving".to_owned(),
            dry_run: request.dry_run,
            options: Json(json!(options)),
            about: About { file_name: request.file_name.clone(), ..About::default() },
            file_bytes: 0,
            unpacked_bytes: None,
            problems: Json(json!({})),
            cursor_line: 0,
            rows_total: 0,
            rows_created: 0,
            rows_updated: 0,
            rows_unchanged: 0,
            rows_rejected: 0,
            rows_warned: 0,
            uploaded_by: actor,
            created_at: At(now),
            finished_at: None,
            claimed_until: None,
            claim: None,
            claims: 0,
            expired_at: None,
            file_erased_at: None,
            proved: false,
            undone_at: None,
        };
        tables.insert_import(&import)?;
        Ok(Incoming { import, next_chunk: 0, buffer: Vec::new() })
    })
}

/// Counted under the seller's turn to write, so that many uploads at once do not pass together.
fn refuse_too_many(tables: &mut SellerTables) -> Result<(), UploadError> {
    if tables.open_imports()? >= OPEN_IMPORTS { Err(UploadError::TooManyWaiting) } else { Ok(()) }
}

impl Incoming {
    /// The import that is opened.
    pub fn id(&self) -> ImportId {
        self.import.id
    }

    /// Notes the size of the whole file, unpacked; `None` where it is not known.
    pub fn note_unpacked(&mut self, bytes: Option<u64>) {
        self.import.unpacked_bytes = bytes.and_then(|bytes| i64::try_from(bytes).ok());
    }

    /// How much has come in.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.import.file_bytes).unwrap_or(0)
    }

    /// Takes the next bytes; `true` where enough has gathered that it should be kept by [`Incoming::keep`].
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        self.buffer.extend_from_slice(bytes);
        self.import.file_bytes += i64::try_from(bytes.len()).unwrap_or(0);
        self.buffer.len() >= CHUNK_BYTES
    }

    /// Makes durable what has gathered.
    pub fn keep(&mut self, store: &Store) -> Result<(), StoreError> {
        store.seller(self.import.seller_id).write(|tables| self.keep_in(tables))
    }

    fn keep_in(&mut self, tables: &mut SellerTables) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        tables.insert_chunk(self.import.id, self.next_chunk, &self.buffer)?;
        self.next_chunk += 1;
        self.buffer.clear();
        Ok(())
    }

    /// The file is whole and durable: from here on it will be worked on, whatever happens to this process.
    ///
    /// Where it was sent under an idempotency key, `sent_as` has the hold on the key and the request's fingerprint: both
    /// are noted with the import, so that a crash before the answer makes no second import of the same file.
    ///
    /// # Errors
    ///
    /// [`UploadError::TakenOver`] where the hold was lost; then the file is no import.
    pub fn complete(mut self, store: &Store, sent_as: Option<(&Hold, &[u8])>) -> Result<Import, UploadError> {
        store.seller(self.import.seller_id).write(|tables| {
            self.keep_in(tables)?;
            "received".clone_into(&mut self.import.state);
            tables.update_import(&self.import)?;
            match sent_as {
                Some((hold, fingerprint)) if !tables.note_import(hold, fingerprint, self.import.id)? => {
                    Err(UploadError::TakenOver)
                }
                Some(_) | None => Ok(()),
            }
        })?;
        Ok(self.import)
    }
}

/// Deletes what has come in of a file. A file that is whole stays: it will be worked on.
pub fn discard(store: &Store, seller: SellerId, import: ImportId) -> Result<(), StoreError> {
    store.seller(seller).write(|tables| tables.discard_import(import))
}

/// An upload that began so long ago and is not whole will never be.
const BROKEN_AFTER_HOURS: i64 = 24;

/// Deletes all uploads that are not whole, at the start of the one process that works on an embedded database: whatever
/// was arriving, its connection ended with the process before.
pub fn sweep_at_start(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    if store.reads_inline() { discard_begun_before(store, now) } else { Ok(()) }
}

/// Takes back the uploads that broke off with the process that received them.
pub fn sweep_broken(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let before = now.saturating_sub(BROKEN_AFTER_HOURS.hours()).unwrap_or(now);
    discard_begun_before(store, before)
}

fn discard_begun_before(store: &Store, before: Timestamp) -> Result<(), StoreError> {
    for (seller, import) in store.platform(Reason::JobClaim).read(|tables| tables.broken_uploads(before))? {
        store.seller(seller).write(|tables| tables.discard_import(import))?;
    }
    Ok(())
}

/// Makes a completed dry run real, from the file that is on file already.
pub fn commit(store: &Store, seller: SellerId, id: ImportId) -> Result<Import, UploadError> {
    store.seller(seller).write(|tables| {
        let mut import = visible(tables, id)?;
        if import.has_lost_its_file() {
            return Err(UploadError::Expired);
        }
        if !import.dry_run || import.state != "completed" {
            let what = if import.dry_run { import.state } else { "no dry run".to_owned() };
            return Err(UploadError::NotADryRun(what));
        }
        refuse_too_many(tables)?;
        tables.delete_import_rows(id)?;
        import.dry_run = false;
        import.begin_anew();
        tables.update_import(&import)?;
        Ok(import)
    })
}

/// Stops an import where it is; rows that were taken in stay.
pub fn cancel(store: &Store, seller: SellerId, id: ImportId, now: Timestamp) -> Result<Import, UploadError> {
    store.seller(seller).write(|tables| {
        let mut import = visible(tables, id)?;
        if !matches!(import.state.as_str(), "received" | "running") {
            return Err(UploadError::Over(import.state));
        }
        "cancelled".clone_into(&mut import.state);
        import.finished_at = Some(At(now));
        tables.update_import(&import)?;
        tables.drop_erased_file(id)?;
        Ok(import)
    })
}

pub(super) fn visible(tables: &mut SellerTables, id: ImportId) -> Result<Import, UploadError> {
    tables.import(id)?.filter(|import| import.state != "receiving").ok_or(UploadError::NotFound)
}
