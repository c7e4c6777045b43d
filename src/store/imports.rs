//! Imports: uploaded files and how far each has come. The files, and what they say of themselves, are sealed.

use super::schema::{import_chunks, imports, sellers};
use super::types::{At, Json, sql};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{ClaimId, ImportId, PrincipalId, SellerId, ShopId};
use crate::secrets::Vault;
use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One uploaded file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    pub seller_id: SellerId,
    pub id: ImportId,
    pub shop_id: ShopId,
    /// `None` until the header has been read, where the caller did not say.
    pub kind: Option<String>,
    /// `receiving`, then `received`, `running`, and `completed`, `failed` or `cancelled`.
    pub state: String,
    pub dry_run: bool,
    pub options: Json,
    pub about: About,
    pub file_bytes: i64,
    /// How often each code came up: `{"bad_checksum": 2}`.
    pub problems: Json,
    /// The line of the last record that is done.
    pub cursor_line: i64,
    pub rows_total: i64,
    pub rows_created: i64,
    pub rows_updated: i64,
    pub rows_unchanged: i64,
    pub rows_rejected: i64,
    pub rows_warned: i64,
    pub uploaded_by: PrincipalId,
    pub created_at: At,
    pub finished_at: Option<At>,
    pub claimed_until: Option<At>,
    pub claim: Option<ClaimId>,
    /// The file and the results of its rows were deleted by age.
    pub expired_at: Option<At>,
    /// The file was deleted in an erasure, or will be when the work on it has ended. Its rows stay, those of the person
    /// erased without what they said.
    pub file_erased_at: Option<At>,
    /// Of an import that is taken whole or not at all: every row was found good, and it is being written.
    pub proved: bool,
    /// What it made was taken back.
    pub undone_at: Option<At>,
}

/// What may quote the file: sealed with its header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    pub file_name: Option<String>,
    /// What was found out about the file.
    pub survey: Option<Value>,
    /// Why the file was refused as a whole.
    pub failure: Option<Value>,
}

impl Import {
    pub fn rows_accepted(&self) -> i64 {
        self.rows_created + self.rows_updated
    }

    pub fn rows_done(&self) -> i64 {
        self.rows_accepted() + self.rows_unchanged + self.rows_rejected
    }

    /// As it was when it had just come in.
    pub fn begin_anew(&mut self) {
        "received".clone_into(&mut self.state);
        self.problems = Json(json!({}));
        (self.finished_at, self.claim, self.claimed_until) = (None, None, None);
        self.cursor_line = 0;
        (self.rows_created, self.rows_updated, self.rows_unchanged) = (0, 0, 0);
        (self.rows_rejected, self.rows_warned) = (0, 0);
    }

    /// Whether nothing works on it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }

    /// Whether its file is gone, or promised to be.
    pub fn has_lost_its_file(&self) -> bool {
        self.expired_at.is_some() || self.file_erased_at.is_some()
    }
}

/// An import as it lies in the database.
#[derive(Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = imports)]
struct StoredImport {
    seller_id: SellerId,
    id: ImportId,
    shop_id: ShopId,
    created_at: At,
    uploaded_by: PrincipalId,
    expired_at: Option<At>,
    file_erased_at: Option<At>,
    undone_at: Option<At>,
    #[diesel(embed)]
    course: Course,
}

/// What work on an import changes. What retention and erasures write is not in it, so that a worker that knows nothing of
/// them does not take it back.
#[derive(Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = imports, treat_none_as_null = true)]
struct Course {
    kind: Option<String>,
    state: String,
    dry_run: bool,
    options: Json,
    sealed: Vec<u8>,
    file_bytes: i64,
    problems: Json,
    cursor_line: i64,
    rows_total: i64,
    rows_created: i64,
    rows_updated: i64,
    rows_unchanged: i64,
    rows_rejected: i64,
    rows_warned: i64,
    finished_at: Option<At>,
    claimed_until: Option<At>,
    claim: Option<ClaimId>,
    proved: bool,
}

impl StoredImport {
    fn sealed(import: &Import, vault: &Vault) -> Result<Self, StoreError> {
        Ok(Self {
            seller_id: import.seller_id,
            id: import.id,
            shop_id: import.shop_id,
            created_at: import.created_at,
            uploaded_by: import.uploaded_by,
            expired_at: import.expired_at,
            file_erased_at: import.file_erased_at,
            undone_at: import.undone_at,
            course: Course::sealed(import, vault)?,
        })
    }

    fn opened(self, vault: &Vault) -> Result<Import, StoreError> {
        let course = self.course;
        Ok(Import {
            seller_id: self.seller_id,
            id: self.id,
            shop_id: self.shop_id,
            kind: course.kind,
            state: course.state,
            dry_run: course.dry_run,
            options: course.options,
            about: vault.open_document(&about_purpose(self.id), &course.sealed)?,
            file_bytes: course.file_bytes,
            problems: course.problems,
            cursor_line: course.cursor_line,
            rows_total: course.rows_total,
            rows_created: course.rows_created,
            rows_updated: course.rows_updated,
            rows_unchanged: course.rows_unchanged,
            rows_rejected: course.rows_rejected,
            rows_warned: course.rows_warned,
            uploaded_by: self.uploaded_by,
            created_at: self.created_at,
            finished_at: course.finished_at,
            claimed_until: course.claimed_until,
            claim: course.claim,
            expired_at: self.expired_at,
            file_erased_at: self.file_erased_at,
            proved: course.proved,
            undone_at: self.undone_at,
        })
    }
}

impl Course {
    fn sealed(import: &Import, vault: &Vault) -> Result<Self, StoreError> {
        Ok(Self {
            kind: import.kind.clone(),
            state: import.state.clone(),
            dry_run: import.dry_run,
            options: import.options.clone(),
            sealed: vault.seal_document(&about_purpose(import.id), &import.about)?,
            file_bytes: import.file_bytes,
            problems: import.problems.clone(),
            cursor_line: import.cursor_line,
            rows_total: import.rows_total,
            rows_created: import.rows_created,
            rows_updated: import.rows_updated,
            rows_unchanged: import.rows_unchanged,
            rows_rejected: import.rows_rejected,
            rows_warned: import.rows_warned,
            finished_at: import.finished_at,
            claimed_until: import.claimed_until,
            claim: import.claim,
            proved: import.proved,
        })
    }
}

fn about_purpose(import: ImportId) -> Vec<u8> {
    [b"import".as_slice(), import.0.as_bytes()].concat()
}

fn chunk_purpose(import: ImportId, chunk_no: i32) -> Vec<u8> {
    [b"chunk".as_slice(), import.0.as_bytes(), &chunk_no.to_be_bytes()].concat()
}

impl SellerTables<'_> {
    pub fn insert_import(&mut self, import: &Import) -> Result<(), StoreError> {
        let stored = StoredImport::sealed(import, &*self.vault()?)?;
        diesel::insert_into(imports::table).values(stored).execute(self.connection)?;
        Ok(())
    }

    pub fn import(&mut self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(id));
        let found: Option<StoredImport> =
            mine.select(StoredImport::as_select()).get_result(self.connection).optional()?;
        let vault = self.vault()?;
        found.map(|stored| stored.opened(&vault)).transpose()
    }

    /// Imports made before `before`, newest first; one whose file is still on its way in is not shown.
    pub fn imports_page(&mut self, before: Option<ImportId>, limit: i64) -> Result<Vec<Import>, StoreError> {
        let mut query = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::state.ne("receiving"))
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(imports::id.lt(before));
        }
        let page = query.order(imports::id.desc()).limit(limit).select(StoredImport::as_select());
        let page: Vec<StoredImport> = page.load(self.connection)?;
        let vault = self.vault()?;
        page.into_iter().map(|stored| stored.opened(&vault)).collect()
    }

    pub fn update_import(&mut self, import: &Import) -> Result<(), StoreError> {
        let course = Course::sealed(import, &*self.vault()?)?;
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import.id));
        diesel::update(mine).set(course).execute(self.connection)?;
        Ok(())
    }

    /// Writes an import that a worker holds; `false` where the hold was lost, and then nothing is written.
    pub fn update_held_import(&mut self, import: &Import, claim: ClaimId) -> Result<bool, StoreError> {
        let course = Course::sealed(import, &*self.vault()?)?;
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(import.id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::state.eq("running"));
        Ok(diesel::update(held).set(course).execute(self.connection)? > 0)
    }

    /// Holds an import longer; `false` where the hold was lost or let go.
    pub fn renew_import(&mut self, id: ImportId, claim: ClaimId, until: Timestamp) -> Result<bool, StoreError> {
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::claimed_until.is_not_null())
            .filter(imports::state.eq("running"));
        Ok(diesel::update(held).set(imports::claimed_until.eq(Some(At(until)))).execute(self.connection)? > 0)
    }

    /// Whether an import is still held under a claim.
    pub fn holds_import(&mut self, id: ImportId, claim: ClaimId) -> Result<bool, StoreError> {
        let held = imports::table
            .filter(imports::seller_id.eq(self.seller))
            .filter(imports::id.eq(id))
            .filter(imports::claim.eq(Some(claim)))
            .filter(imports::state.eq("running"));
        Ok(diesel::select(exists(held)).get_result(self.connection)?)
    }

    pub fn insert_chunk(&mut self, import: ImportId, chunk_no: i32, bytes: &[u8]) -> Result<(), StoreError> {
        let sealed = self.vault()?.seal(&chunk_purpose(import, chunk_no), bytes)?;
        diesel::insert_into(import_chunks::table)
            .values((
                import_chunks::seller_id.eq(self.seller),
                import_chunks::import_id.eq(import),
                import_chunks::chunk_no.eq(chunk_no),
                import_chunks::sealed.eq(sealed),
            ))
            .execute(self.connection)?;
        Ok(())
    }

    pub fn chunk(&mut self, import: ImportId, chunk_no: i32) -> Result<Option<Vec<u8>>, StoreError> {
        let mine = import_chunks::table
            .filter(import_chunks::seller_id.eq(self.seller))
            .filter(import_chunks::import_id.eq(import))
            .filter(import_chunks::chunk_no.eq(chunk_no));
        let sealed: Option<Vec<u8>> = mine.select(import_chunks::sealed).get_result(self.connection).optional()?;
        let vault = self.vault()?;
        Ok(sealed.map(|sealed| vault.open(&chunk_purpose(import, chunk_no), &sealed)).transpose()?)
    }

    /// Deletes the pieces of a file, whose import stays.
    pub fn delete_chunks(&mut self, import: ImportId) -> Result<(), StoreError> {
        let chunks = import_chunks::table
            .filter(import_chunks::seller_id.eq(self.seller))
            .filter(import_chunks::import_id.eq(import));
        diesel::delete(chunks).execute(self.connection)?;
        Ok(())
    }

    /// Notes that the file of an import is to go; where nothing works on it any more, it goes at once.
    pub fn erase_import_file(&mut self, id: ImportId, now: Timestamp) -> Result<(), StoreError> {
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(id));
        diesel::update(mine).set(imports::file_erased_at.eq(Some(At(now)))).execute(self.connection)?;
        self.drop_erased_file(id)
    }

    /// Deletes the file of an import that is over, and its name, where an erasure asked for that.
    pub fn drop_erased_file(&mut self, id: ImportId) -> Result<(), StoreError> {
        let import = self.import(id)?.filter(|import| import.is_over() && import.file_erased_at.is_some());
        let Some(mut import) = import else { return Ok(()) };
        import.about.file_name = None;
        self.update_import(&import)?;
        self.delete_chunks(id)
    }

    /// Deletes the file of an import and the results of its rows; the header and its counts stay.
    pub fn expire_import(&mut self, id: ImportId, now: Timestamp) -> Result<(), StoreError> {
        self.delete_chunks(id)?;
        self.delete_import_rows(id)?;
        if let Some(mut import) = self.import(id)? {
            (import.about.file_name, import.about.failure) = (None, None);
            self.update_import(&import)?;
        }
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(id));
        diesel::update(mine).set(imports::expired_at.eq(Some(At(now)))).execute(self.connection)?;
        Ok(())
    }

    /// Takes back a file that did not arrive whole.
    pub fn discard_import(&mut self, import: ImportId) -> Result<(), StoreError> {
        self.delete_chunks(import)?;
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import));
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }
}

impl PlatformTables<'_> {
    /// Claims the oldest import of no more than so many bytes that waits, or whose worker has gone, for any seller. A
    /// seller's imports are worked off one after the other, as they came in: tracking numbers want their orders on file.
    pub fn claim_import(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        claim: ClaimId,
        most_bytes: i64,
    ) -> Result<Option<Import>, StoreError> {
        let statement = format!(
            "UPDATE imports SET state = 'running', claimed_until = $1, claim = $2 WHERE (seller_id, id) IN \
             (SELECT seller_id, id FROM imports AS due WHERE state IN ('received', 'running') \
             AND (claimed_until IS NULL OR claimed_until <= $3) AND file_bytes <= $4 AND NOT EXISTS \
             (SELECT 1 FROM imports AS first WHERE first.seller_id = due.seller_id \
             AND first.state IN ('received', 'running') AND (first.created_at, first.id) < (due.created_at, due.id)) \
             ORDER BY created_at LIMIT 1{lock}) RETURNING *",
            lock = self.skip_locked
        );
        let mut claimed: Vec<StoredImport> = diesel::sql_query(statement)
            .bind::<sql::Instant, _>(At(until))
            .bind::<sql::Id, _>(claim)
            .bind::<sql::Instant, _>(At(now))
            .bind::<sql::BigInt, _>(most_bytes)
            .load(self.connection)?;
        let Some(stored) = claimed.pop() else { return Ok(None) };
        let vault = self.vaults.of(self.connection, stored.seller_id)?;
        stored.opened(&vault).map(Some)
    }

    /// Lets go of every import: at the start of the one process that works on an embedded database.
    pub fn release_imports(&mut self) -> Result<(), StoreError> {
        // In the words of the index, so that it is used.
        let release = "UPDATE imports SET claimed_until = NULL WHERE state IN ('received', 'running')";
        diesel::sql_query(release).execute(self.connection)?;
        Ok(())
    }

    /// Uploads that began before `before` and never arrived whole.
    pub fn broken_uploads(&mut self, before: Timestamp) -> Result<Vec<(SellerId, ImportId)>, StoreError> {
        #[derive(QueryableByName)]
        #[diesel(table_name = imports)]
        struct Broken {
            seller_id: SellerId,
            id: ImportId,
        }
        // In the words of the index, so that it is used.
        let broken = "SELECT seller_id, id FROM imports WHERE state = 'receiving' AND created_at < $1";
        let broken: Vec<Broken> =
            diesel::sql_query(broken).bind::<sql::Instant, _>(At(before)).load(self.connection)?;
        Ok(broken.into_iter().map(|it| (it.seller_id, it.id)).collect())
    }

    /// Imports that ended longer ago than their sellers keep uploads, and whose rows are still on file.
    pub fn overdue_imports(&mut self, now: Timestamp, limit: i64) -> Result<Vec<(SellerId, ImportId)>, StoreError> {
        let terms: Vec<i32> = sellers::table.select(sellers::upload_days).distinct().load(self.connection)?;
        let mut overdue = Vec::new();
        for days in terms {
            let cutoff = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
            let old = imports::table
                .inner_join(sellers::table.on(sellers::id.eq(imports::seller_id)))
                .filter(sellers::upload_days.eq(days))
                .filter(imports::finished_at.lt(At(cutoff)))
                .filter(imports::state.eq_any(["completed", "failed", "cancelled"]))
                .filter(imports::expired_at.is_null())
                .order(imports::finished_at)
                .limit(limit);
            let old: Vec<(SellerId, ImportId)> = old.select((imports::seller_id, imports::id)).load(self.connection)?;
            overdue.extend(old);
        }
        Ok(overdue)
    }
}
