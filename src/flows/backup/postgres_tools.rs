//! `pg_dump` and `pg_restore`. The password reaches them in a file that only this user can read, never as an argument,
//! which every user of the machine can see.

use super::BackupError;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// At most so much of a program's error text is shown.
const SAID_CHARS: usize = 2000;

/// The address of a database, and its password on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    /// The URL without the password.
    url: String,
    password: Option<String>,
}

impl Address {
    /// Takes the password out of `postgres://user:password@host/database?password=...`.
    fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgresql", url));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let (user, mut password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (format!("{user}@"), Some(password).filter(|it| !it.is_empty())),
            None => (String::new(), None),
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut kept = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.strip_prefix("password=") {
                Some(in_query) => password = Some(in_query),
                None => kept.push(parameter),
            }
        }
        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        Self { url: format!("{scheme}://{user}{hosts}{path}{query}"), password: password.map(percent_decoded) }
    }
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A password file of one line, for every host and user; `:` and `\` are escaped.
fn password_file(password: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".parceltrail-pgpass-").tempfile()?;
    let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
    writeln!(file, "*:*:*:*:{escaped}")?;
    file.flush()?;
    Ok(file)
}

/// Dumps the database as the snapshot shows it into `copy`, which is there already, so that its mode stays. `out` is the
/// name that the dump will have.
pub(super) fn dump(url: &str, snapshot: &str, copy: &Path, out: &Path) -> Result<(), BackupError> {
    let address = Address::of(url);
    run(&Call {
        program: "pg_dump",
        arguments: &["--format=custom", "--no-password", "--snapshot", snapshot, "--file", &copy.to_string_lossy()],
        by_hand: format!("pg_dump --dbname '{}' --format=custom --file '{}'", address.url, out.display()),
        address,
    })
}

/// Restores a dump into an empty database, all or nothing. Owner and grants are those of the user who restores.
pub(super) fn restore(url: &str, from: &Path) -> Result<(), BackupError> {
    const OPTIONS: [&str; 4] = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"];
    let (address, file) = (Address::of(url), from.to_string_lossy());
    let mut arguments = OPTIONS.to_vec();
    arguments.extend(["--no-password", &file]);
    run(&Call {
        program: "pg_restore",
        arguments: &arguments,
        by_hand: format!("pg_restore --dbname '{}' {} '{file}'", address.url, OPTIONS.join(" ")),
        address,
    })
}

/// One call of a program of PostgreSQL.
struct Call<'a> {
    program: &'static str,
    address: Address,
    arguments: &'a [&'a str],
    /// What to run where the program is missing here.
    by_hand: String,
}

/// Runs a program to its end. Without a password in the URL it finds one as `psql` does: `PGPASSWORD` or `~/.pgpass`.
fn run(call: &Call<'_>) -> Result<(), BackupError> {
    let program = call.program;
    let mut command = Command::new(program);
    command.args(["--dbname", &call.address.url]).args(call.arguments).stdin(Stdio::null());
    let password = call.address.password.as_deref().map(password_file).transpose();
    let password = password.map_err(BackupError::io(&std::env::temp_dir()))?;
    if let Some(file) = &password {
        command.env("PGPASSFILE", file.path()).env_remove("PGPASSWORD");
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackupError::NoProgram { program, command: call.by_hand.clone() });
        }
        Err(error) => return Err(BackupError::Program { program, said: error.to_string() }),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    let said: String = said.chars().take(SAID_CHARS).collect();
    Err(BackupError::Program { program, said: if said.is_empty() { output.status.to_string() } else { said } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_taken_out_of_every_form_of_address() {
        for (url, without, password) in [
            ("postgres://ada:s%3Acret%2F@host:5432/trail", "postgres://ada@host:5432/trail", Some("s:cret/")),
            ("postgresql://ada@host/trail?sslmode=require", "postgresql://ada@host/trail?sslmode=require", None),
            (
                "postgres://host/trail?password=p%40ss&sslmode=prefer",
                "postgres://host/trail?sslmode=prefer",
                Some("p@ss"),
            ),
            ("postgres://ada:pass@one:1,two:2/trail", "postgres://ada@one:1,two:2/trail", Some("pass")),
            ("postgres:///trail?host=/run/postgresql", "postgres:///trail?host=/run/postgresql", None),
            ("postgres://ada:pass@host?password=other", "postgres://ada@host", Some("other")),
            ("postgres://ada:100%@host/trail", "postgres://ada@host/trail", Some("100%")),
        ] {
            let expected = Address { url: without.to_owned(), password: password.map(str::to_owned) };
            assert_eq!(Address::of(url), expected, "{url}");
        }
    }

    #[test]
    fn a_password_file_is_private_and_escaped() {
        let file = password_file(r"a:b\c").unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "*:*:*:*:a\\:b\\\\c\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
