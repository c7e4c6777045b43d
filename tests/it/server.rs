//! One running server with a database of its own, and its API as methods: what every scenario stands on.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Any 32 bytes will do: the databases that they guard live for one test.
const SECRET_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const START_WAIT: Duration = Duration::from_secs(90);
const IMPORT_WAIT: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The two databases that everything must hold on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Where the throw-away database server is, if there is one.
#[allow(clippy::disallowed_methods, reason = "a test's environment is its own; the server's is read in config.rs")]
pub(crate) fn postgres_url() -> Option<String> {
    std::env::var("PARCELTRAIL_TEST_POSTGRES").ok()
}

/// Where statements are collected for `examples/plans`, if they are.
#[allow(clippy::disallowed_methods, reason = "a test's environment is its own; the server's is read in config.rs")]
fn statements_folder() -> Option<PathBuf> {
    std::env::var_os("PARCELTRAIL_TEST_STATEMENTS").map(PathBuf::from)
}

/// A server that is stopped, and its database dropped, when the test ends.
pub(crate) struct Server {
    folder: TempDir,
    database_url: String,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    address: String,
    runtime: Runtime,
    client: Client,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// A seller with its key.
#[derive(Debug, Clone)]
pub(crate) struct Seller {
    pub(crate) id: String,
    /// Of its first shop.
    pub(crate) shop: String,
    pub(crate) key: String,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A body and its type.
pub(crate) type Body = (&'static str, Vec<u8>);

impl Server {
    pub(crate) fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts a server whose environment also holds `settings`.
    pub(crate) fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("parceltrail.db").display()),
            Database::Postgres => create_postgres_database(),
        };
        let settings = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        // No idle connections: between two calls nobody would notice that the server closed one.
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_mins(2))
            .build()
            .unwrap();
        let address = String::new();
        let mut server = Self { folder, database_url, settings, child: None, address, runtime, client };
        server.launch();
        server
    }

    /// Starts the process and waits until it has said where it listens.
    pub(crate) fn launch(&mut self) {
        self.launch_with(&["serve"]);
    }

    /// Starts the process by another command line than `serve` alone.
    pub(crate) fn launch_with(&mut self, arguments: &[&str]) {
        let address_file = self.folder.path().join("address");
        drop(fs::remove_file(&address_file));
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command(arguments);
        command.env("PARCELTRAIL_ADDRESS_FILE", &address_file).stdin(Stdio::null());
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let begun = Instant::now();
        loop {
            let said = fs::read_to_string(&address_file).unwrap_or_default();
            if said.ends_with('\n') {
                said.trim().clone_into(&mut self.address);
                return;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the server ended at once, {}:\n{}", ended.unwrap(), self.log_tail());
            assert!(begun.elapsed() < START_WAIT, "the server said no address in time:\n{}", self.log_tail());
            std::thread::sleep(PAUSE);
        }
    }

    /// Kills the process as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends the signal that asks a process to end.
    pub(crate) fn terminate(&self) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits until the process has ended by itself, and tells its exit code.
    pub(crate) fn exit_code(&mut self, within: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.child.as_mut().unwrap().try_wait().unwrap() {
                self.child = None;
                return ended.code();
            }
            assert!(begun.elapsed() < within, "the server does not end:\n{}", self.log_tail());
            std::thread::sleep(PAUSE);
        }
    }

    /// The meters, as Prometheus reads them.
    pub(crate) fn meters(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap();
        let line = log.lines().rfind(|line| line.contains("meters are at /metrics")).expect("the address is logged");
        let address = line.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        self.try_send_to(&format!("http://{address}/metrics")).unwrap().must_be(200).text()
    }

    /// Statements sent to the database since the server started.
    pub(crate) fn statements(&self) -> u64 {
        let meters = self.meters();
        let line = meters.lines().find(|line| line.starts_with("parceltrail_database_statements_total "));
        line.and_then(|line| line.rsplit(' ').next()).and_then(|count| count.parse().ok()).expect("the count")
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The key that the server's database was made with.
    pub(crate) fn secret_key(&self) -> String {
        match self.database_url.strip_prefix("sqlite:") {
            Some(path) => fs::read_to_string(format!("{path}.key")).unwrap(),
            None => SECRET_KEY.to_owned(),
        }
    }

    /// Has the next launch serve another database. The one before is dropped here, the other by who made it.
    pub(crate) fn move_to(&mut self, database_url: &str, key: &str) {
        if self.database_url.starts_with("postgres") {
            drop_postgres_database(&self.database_url);
        }
        database_url.clone_into(&mut self.database_url);
        self.settings.push(("PARCELTRAIL_SECRET_KEY".to_owned(), key.to_owned()));
    }

    /// Sets one more variable of the environment, from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(it, _)| it != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// `127.0.0.1:43211`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A command of the binary in this server's environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path()).args(arguments).env("DATABASE_URL", &self.database_url);
        command.env("PARCELTRAIL_BIND", "127.0.0.1:0").env("PARCELTRAIL_METRICS_BIND", "127.0.0.1:0");
        if self.database_url.starts_with("postgres") {
            command.env("PARCELTRAIL_SECRET_KEY", SECRET_KEY);
        }
        if statements_folder().is_some() {
            command.env("PARCELTRAIL_LOG", "info,parceltrail::statements=trace");
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Keeps the statements that the server logged for `examples/plans`.
    fn keep_statements(&self) {
        let Some(folder) = statements_folder() else { return };
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let statements = log.lines().filter_map(|line| line.split_once("parceltrail::statements: "));
        let lines: Vec<&str> = statements.map(|(_, statement)| statement).collect();
        let lines = lines.join("\n");
        drop(fs::write(folder.join(uuid::Uuid::new_v4().to_string()), lines));
    }

    /// Runs a command to its end against this server's database.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command to its end with more in its environment.
    pub(crate) fn run_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        self.command(arguments).envs(settings.iter().copied()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed and prints one JSON object.
    pub(crate) fn run_for_json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}\n{told}", output.status);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{told}"))
    }

    pub(crate) fn seller(&self, name: &str, time_zone: &str) -> Seller {
        let made = self.run_for_json(&["seller", "create", "--name", name, "--time-zone", time_zone]);
        Seller { id: text(&made["seller_id"]), shop: text(&made["shop_id"]), key: text(&made["api_key"]) }
    }

    pub(crate) fn admin(&self) -> String {
        text(&self.run_for_json(&["admin", "create"])["api_key"])
    }

    /// Sees that the whole database holds together.
    #[track_caller]
    pub(crate) fn check_invariants(&self) {
        let output = self.run(&["check-invariants"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "check-invariants: {}\n{told}", output.status);
    }

    /// The rows of a query whose one column is called `text`, on PostgreSQL.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            text: String,
        }
        let mut connection = PgConnection::establish(&self.database_url).unwrap();
        let rows: Vec<Row> = sql_query(query).load(&mut connection).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        let query = sql_query(format!("SELECT count(*) AS n FROM {table}"));
        let count: Count = match self.sqlite() {
            Some(mut sqlite) => query.get_result(&mut sqlite).unwrap(),
            None => query.get_result(&mut PgConnection::establish(&self.database_url).unwrap()).unwrap(),
        };
        count.n
    }

    /// Counts rows in the file of another embedded database.
    pub(crate) fn count_in(file: &str, table: &str) -> i64 {
        let query = sql_query(format!("SELECT count(*) AS n FROM {table}"));
        let count: Count = query.get_result(&mut SqliteConnection::establish(file).unwrap()).unwrap();
        count.n
    }

    /// Every byte that the database keeps: its files, free pages and log included, or every row of every table as text,
    /// with what is binary besides.
    pub(crate) fn everything_kept(&self) -> Vec<u8> {
        let Some(path) = self.database_url.strip_prefix("sqlite:") else { return self.every_row() };
        let files = [path.to_owned(), format!("{path}-wal")];
        files.iter().flat_map(|file| fs::read(file).unwrap_or_default()).collect()
    }

    fn every_row(&self) -> Vec<u8> {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = diesel::sql_types::Text)]
            line: String,
        }
        let mut connection = PgConnection::establish(&self.database_url).unwrap();
        let tables = "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'";
        let tables: Vec<Line> = sql_query(tables).load(&mut connection).unwrap();
        assert!(tables.len() > 20, "there are more tables than that");
        let mut kept = Vec::new();
        for Line { line: table } in tables {
            let rows = sql_query(format!("SELECT it::text AS line FROM {table} AS it")).load(&mut connection);
            for Line { line: row } in rows.unwrap() {
                kept.extend_from_slice(row.as_bytes());
                for binary in row.split("\\x").skip(1) {
                    let digits: Vec<u32> = binary.chars().map_while(|it| it.to_digit(16)).collect();
                    kept.extend(digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()));
                }
                kept.push(b'\n');
            }
        }
        kept
    }

    pub(crate) fn execute(&self, statement: &str) {
        match self.sqlite() {
            Some(mut sqlite) => sqlite.batch_execute(statement).unwrap(),
            None => PgConnection::establish(&self.database_url).unwrap().batch_execute(statement).unwrap(),
        }
    }

    fn sqlite(&self) -> Option<SqliteConnection> {
        let mut connection = SqliteConnection::establish(self.database_url.strip_prefix("sqlite:")?).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        Some(connection)
    }

    // The API.

    /// Asks and tells how it went; an error is one of the wire, not an answer.
    pub(crate) fn try_send(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method.clone(), self.url(path));
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        if let Some((content_type, bytes)) = body {
            request = request.header("content-type", content_type).body(bytes);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        })
    }

    /// Asks at an address of its own.
    pub(crate) fn try_send_to(&self, url: &str) -> Result<Answer, reqwest::Error> {
        self.runtime.block_on(async {
            let response = self.client.get(url).send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        })
    }

    /// Asks as the holder of `key`; a blank key sends none.
    #[track_caller]
    pub(crate) fn send(&self, method: &Method, key: &str, path: &str, body: Option<Body>) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers: &[(&str, &str)] = if key.is_empty() { &[] } else { &[("authorization", &bearer)] };
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    pub(crate) fn get(&self, key: &str, path: &str) -> Answer {
        self.send(&Method::GET, key, path, None)
    }

    #[track_caller]
    pub(crate) fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(&Method::POST, key, path, Some(("application/json", body.to_string().into_bytes())))
    }

    /// Asks as the holder of `key` under one more header, such as `If-Match`.
    #[track_caller]
    pub(crate) fn ask(&self, key: &str, (method, path): (&Method, &str), header: (&str, &str), body: &Value) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), header];
        let body = (!body.is_null()).then(|| ("application/json", body.to_string().into_bytes()));
        self.try_send(method, path, &headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    pub(crate) fn patch(&self, key: &str, path: &str, body: &Value) -> Answer {
        let body = ("application/merge-patch+json", body.to_string().into_bytes());
        self.send(&Method::PATCH, key, path, Some(body))
    }

    /// Makes an order and tells its path.
    #[track_caller]
    pub(crate) fn made_order(&self, key: &str, order: &Value) -> String {
        format!("/v1/orders/{}", text(&self.post(key, "/v1/orders", order).must_be(201).json()["id"]))
    }

    /// Makes a shipment and tells its path.
    #[track_caller]
    pub(crate) fn made_shipment(&self, key: &str, shipment: &Value) -> String {
        format!("/v1/shipments/{}", text(&self.post(key, "/v1/shipments", shipment).must_be(201).json()["id"]))
    }

    #[track_caller]
    pub(crate) fn upload(&self, key: &str, query: &str, sheet: impl Into<Vec<u8>>) -> Answer {
        self.send(&Method::POST, key, &format!("/v1/imports?{query}"), Some(("text/csv", sheet.into())))
    }

    /// Uploads a sheet, waits for its end and gives the import.
    #[track_caller]
    pub(crate) fn import(&self, key: &str, query: &str, sheet: impl Into<Vec<u8>>) -> Value {
        let accepted = self.upload(key, query, sheet).must_be(202);
        let location = accepted.header("location").to_owned();
        assert!(location.ends_with(&text(&accepted.json()["id"])), "{location}");
        self.end_of_import(key, &text(&accepted.json()["id"]))
    }

    /// Waits until an import is neither received nor running.
    #[track_caller]
    pub(crate) fn end_of_import(&self, key: &str, id: &str) -> Value {
        let begun = Instant::now();
        loop {
            let import = self.get(key, &format!("/v1/imports/{id}")).must_be(200).json();
            if !["received", "running"].contains(&import["state"].as_str().unwrap()) {
                return import;
            }
            assert!(begun.elapsed() < IMPORT_WAIT, "the import does not end: {import}\n{}", self.log_tail());
            std::thread::sleep(PAUSE);
        }
    }

    /// All of a list, page by page.
    #[track_caller]
    pub(crate) fn all(&self, key: &str, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        let join = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(key, &format!("{path}{join}limit=200{cursor}")).must_be(200).json();
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    #[track_caller]
    pub(crate) fn rows(&self, key: &str, import: &Value) -> Vec<Value> {
        self.all(key, &format!("/v1/imports/{}/rows", text(&import["id"])))
    }

    #[track_caller]
    pub(crate) fn order(&self, key: &str, number: &str) -> Value {
        let found = self.all(key, &format!("/v1/orders?order_number={number}"));
        assert_eq!(found.len(), 1, "{number}: {found:?}");
        found[0].clone()
    }

    /// The one shipment under a tracking number.
    #[track_caller]
    pub(crate) fn shipment(&self, key: &str, number: &str) -> Value {
        let found = self.all(key, &format!("/v1/shipments?tracking_number={number}"));
        assert_eq!(found.len(), 1, "{number}: {found:?}");
        found[0].clone()
    }

    #[track_caller]
    pub(crate) fn delays(&self, key: &str, query: &str) -> Value {
        self.get(key, &format!("/v1/reports/delays?{query}")).must_be(200).json()
    }

    /// The customer's page, as JSON or as HTML; `status_url` is what the order carries.
    #[track_caller]
    pub(crate) fn track(&self, status_url: &str, accept: &str) -> Answer {
        let at = status_url.find("/track/").unwrap_or_else(|| panic!("no status link: {status_url}"));
        self.try_send(&Method::GET, status_url.get(at..).unwrap(), &[("accept", accept)], None).unwrap()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// All that the server wrote.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// The last lines that the server wrote.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the server's last words\n{}", self.log_tail());
        }
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        self.keep_statements();
        if self.database_url.starts_with("postgres") {
            drop_postgres_database(&self.database_url);
        }
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.status, self.text()))
    }

    #[track_caller]
    pub(crate) fn must_be(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {:?}", self.headers));
        value.to_str().unwrap()
    }

    /// A problem in the words of RFC 9457 with our code and request id.
    #[track_caller]
    pub(crate) fn must_be_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.header("content-type").starts_with("application/problem+json"), "{:?}", self.headers);
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["title", "detail", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|it| !it.is_empty()), "{member}: {problem}");
        }
        problem
    }
}

/// The text of a JSON string.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The binary under test: Cargo names it to tests; an example finds it beside its own folder.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_parceltrail") {
        return PathBuf::from(path);
    }
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("parceltrail")
}

pub(crate) fn drop_postgres_database(database_url: &str) {
    if let (Some((_, name)), Some(url)) = (database_url.rsplit_once('/'), postgres_url())
        && let Ok(mut connection) = PgConnection::establish(&url)
    {
        drop(connection.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
    }
}

pub(crate) fn create_postgres_database() -> String {
    let url = postgres_url().expect(
        "PARCELTRAIL_TEST_POSTGRES is not set: run scripts/test, which starts a PostgreSQL for the tests and names it",
    );
    let name = format!("it_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::establish(&url).unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}
