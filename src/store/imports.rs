//! Imports: uploaded files and how far each has come. The files, and what they say of themselves, are sealed.

use super::schema::{import_chunks, imports};
use super::types::{At, Json};
use super::{SellerTables, StoreError};
use crate::domain::ids::{ClaimId, ImportId, PrincipalId, SellerId, ShopId};
use crate::secrets::Vault;
use diesel::dsl::exists;
use diesel::prelude::*;
use jiff::Timestamp;
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
    /// The size of the file when it is unpacked; `None` where that is not known.
    pub unpacked_bytes: Option<i64>,
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
    /// How often it was claimed since it last made progress.
    pub claims: i64,
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
        (self.cursor_line, self.claims) = (0, 0);
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
pub(super) struct StoredImport {
    pub(super) seller_id: SellerId,
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
pub(super) struct Course {
    kind: Option<String>,
    state: String,
    dry_run: bool,
    options: Json,
    sealed: Vec<u8>,
    file_bytes: i64,
    unpacked_bytes: Option<i64>,
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
    claims: i64,
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

    pub(super) fn opened(self, vault: &Vault) -> Result<Import, StoreError> {
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
            unpacked_bytes: course.unpacked_bytes,
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
            claims: course.claims,
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
            unpacked_bytes: import.unpacked_bytes,
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
            claims: import.claims,
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

    /// Deletes a file that did not arrive whole. One that did stays.
    pub fn discard_import(&mut self, import: ImportId) -> Result<(), StoreError> {
        if self.import(import)?.is_none_or(|import| import.state != "receiving") {
            return Ok(());
        }
        self.delete_chunks(import)?;
        let mine = imports::table.filter(imports::seller_id.eq(self.seller)).filter(imports::id.eq(import));
        diesel::delete(mine).execute(self.connection)?;
        Ok(())
    }
}
