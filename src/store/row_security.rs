//! Row-level security on PostgreSQL: a second net under our own queries.
//!
//! Tables are owned by the user of `DATABASE_URL`, who migrates; all other work is done in a role that owns nothing, and
//! sees the rows of the seller at hand alone. The policies stand in the migrations.

use crate::store::connection::AnyConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;

/// Roles belong to the server, not to a database: all databases on one server share it.
pub const APPLICATION_ROLE: &str = "parceltrail_app";

/// Makes the role where it is missing and lets this user put it on; two servers may do so at once.
const MAKE_ROLE: &str = "DO $$ BEGIN \
     IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'parceltrail_app') THEN \
         CREATE ROLE parceltrail_app NOLOGIN NOSUPERUSER NOBYPASSRLS; \
     END IF; \
     IF NOT pg_has_role(current_user, 'parceltrail_app', 'MEMBER') THEN \
         EXECUTE format('GRANT parceltrail_app TO %I', current_user); \
     END IF; \
     EXCEPTION WHEN OTHERS THEN NULL; END $$";

/// What the role may do; what is append-only it cannot change.
const GRANTS: &str = "DO $$ BEGIN \
     EXECUTE format('GRANT USAGE ON SCHEMA %I TO parceltrail_app', current_schema()); \
     EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO parceltrail_app', \
                    current_schema()); \
     END $$; \
     REVOKE ALL ON __diesel_schema_migrations FROM parceltrail_app; \
     REVOKE UPDATE, DELETE ON tracking_events, audit_log FROM parceltrail_app";

/// Why connections cannot use the role that row-level security binds.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    #[error("the user of DATABASE_URL may neither make nor use the role {APPLICATION_ROLE}")]
    NotAllowed,
    #[error("the role {APPLICATION_ROLE} could not be set up: {0}")]
    Database(#[from] diesel::result::Error),
}

/// Makes the role that row-level security binds, and lets connections use it. Grants that two processes make at once collide,
/// so the caller sees to it that one does so at a time.
pub fn use_application_role(owner: &mut AnyConnection) -> Result<(), RoleError> {
    if bind(owner)? { Ok(()) } else { Err(RoleError::NotAllowed) }
}

/// Whether the user may use the role.
fn bind(owner: &mut AnyConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        can: bool,
    }
    owner.batch_execute(MAKE_ROLE)?;
    let asked = sql_query(
        "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'parceltrail_app' \
         AND pg_has_role(current_user, oid, 'MEMBER')) AS can",
    );
    let answer: Answer = asked.get_result(owner)?;
    if answer.can {
        owner.batch_execute(GRANTS)?;
    }
    Ok(answer.can)
}
