//! `upload`: a file to a server, with its progress, its summary and the rows to be repaired.

use super::say;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Upload a file to a server, wait for it, and save the rows to be repaired
#[derive(Debug, clap::Args)]
pub struct UploadArgs {
    file: PathBuf,
    /// What the rows are: orders, tracking, combined, events or legs
    #[arg(long)]
    kind: String,
    /// The server, such as `http://127.0.0.1:8080`
    #[arg(long)]
    url: String,
    /// The API key; better in the environment, where no list of processes shows it
    #[arg(long, env = "PARCELTRAIL_API_KEY", hide_env_values = true)]
    key: String,
    /// The shop; `main` where left out
    #[arg(long)]
    shop: Option<String>,
    /// Look, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the file, such as `shopify/orders`; told by the header if left out
    #[arg(long)]
    preset: Option<String>,
    /// In which encoding the file is, such as windows-1252 or gbk; told by its bytes if left out
    #[arg(long)]
    encoding: Option<String>,
    /// Tracking numbers may make orders that are not known yet
    #[arg(long)]
    create_orders: bool,
    /// One row that cannot be taken keeps all others out
    #[arg(long)]
    all_or_nothing: bool,
    /// Where the rows to be repaired go; beside the file where left out
    #[arg(long, value_name = "OUT.csv")]
    repaired: Option<PathBuf>,
}

/// Why an upload came to no end.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error("{} cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("the server cannot be reached")]
    Server(#[from] reqwest::Error),
    #[error("the server refused ({0}): {1}")]
    Refused(StatusCode, String),
    #[error("the outcome cannot be shown")]
    Io(#[from] io::Error),
}

const PIECE: usize = 256 * 1024;

/// Exit code 0 where every row was taken, 1 where some were rejected, 2 where the file was refused.
pub fn run(arguments: &UploadArgs) -> Result<u8, UploadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(upload(arguments))
}

async fn upload(arguments: &UploadArgs) -> Result<u8, UploadError> {
    let client = Client::builder().connect_timeout(Duration::from_secs(10)).build()?;
    let mut import = send(arguments, &client).await?;
    let id = text(&import, "id");
    let bar = ProgressBar::new(0).with_style(style("rows"));
    while matches!(text(&import, "state").as_str(), "received" | "running") {
        tokio::time::sleep(Duration::from_millis(200)).await;
        import = json(get(arguments, &client, &format!("/v1/imports/{id}")).await?).await?;
        bar.set_length(count(&import, "rows_total"));
        bar.set_position(
            ["rows_accepted", "rows_unchanged", "rows_rejected"].iter().map(|it| count(&import, it)).sum(),
        );
    }
    bar.finish_and_clear();
    sum_up(&import)?;
    if text(&import, "state") != "completed" {
        return Ok(2);
    }
    if count(&import, "rows_rejected") == 0 {
        return Ok(0);
    }
    save_repaired(arguments, &client, &id).await?;
    Ok(1)
}

async fn send(arguments: &UploadArgs, client: &Client) -> Result<Value, UploadError> {
    let unreadable = |error| UploadError::File(arguments.file.clone(), error);
    let file = File::open(&arguments.file).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let bar = ProgressBar::new(length).with_style(style("bytes"));
    let progress = bar.clone();
    let pieces = stream::unfold(file, move |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece);
        let progress = progress.clone();
        async move {
            match read {
                Ok(0) => None,
                Ok(read) => {
                    piece.truncate(read);
                    progress.inc(u64::try_from(read).unwrap_or(0));
                    Some((Ok(piece), file))
                }
                Err(error) => Some((Err(error), file)),
            }
        }
    });
    let mut query = vec![("kind", arguments.kind.clone()), ("dry_run", arguments.dry_run.to_string())];
    query.extend(arguments.shop.clone().map(|shop| ("shop", shop)));
    query.extend(arguments.preset.clone().map(|preset| ("preset", preset)));
    query.extend(arguments.encoding.clone().map(|encoding| ("encoding", encoding)));
    query.push(("create_orders", arguments.create_orders.to_string()));
    query.push(("all_or_nothing", arguments.all_or_nothing.to_string()));
    let request = client
        .post(format!("{}/v1/imports", arguments.url.trim_end_matches('/')))
        .query(&query)
        .bearer_auth(&arguments.key)
        .header("content-type", "text/csv")
        .body(reqwest::Body::wrap_stream(pieces));
    let answer = json(request.send().await?).await;
    bar.finish_and_clear();
    answer
}

async fn get(arguments: &UploadArgs, client: &Client, path: &str) -> Result<Response, UploadError> {
    let url = format!("{}{path}", arguments.url.trim_end_matches('/'));
    Ok(client.get(url).bearer_auth(&arguments.key).send().await?)
}

async fn accepted(answer: Response) -> Result<Response, UploadError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    Err(UploadError::Refused(status, text(&problem, "detail")))
}

async fn json(answer: Response) -> Result<Value, UploadError> {
    Ok(accepted(answer).await?.json().await?)
}

fn sum_up(import: &Value) -> io::Result<()> {
    let n = |name: &str| count(import, name);
    say(&format!(
        "{}: {} rows, {} created, {} updated, {} unchanged, {} rejected, {} with warnings",
        text(import, "state"),
        n("rows_total"),
        n("rows_created"),
        n("rows_updated"),
        n("rows_unchanged"),
        n("rows_rejected"),
        n("rows_warned"),
    ))?;
    for problem in import.get("problems").and_then(Value::as_array).into_iter().flatten() {
        say(&format!("  {:>7} x {}", count(problem, "count"), text(problem, "code")))?;
    }
    for error in import.get("errors").and_then(Value::as_array).into_iter().flatten() {
        say(&text(error, "detail"))?;
    }
    Ok(())
}

async fn save_repaired(arguments: &UploadArgs, client: &Client, id: &str) -> Result<(), UploadError> {
    let answer = accepted(get(arguments, client, &format!("/v1/imports/{id}/repaired.csv")).await?).await?;
    let file = arguments.repaired.clone().unwrap_or_else(|| beside(&arguments.file));
    std::fs::write(&file, answer.bytes().await?).map_err(|error| UploadError::File(file.clone(), error))?;
    say(&format!("The rejected rows, with what is wrong, are in {}. Mend them and send that file.", file.display()))?;
    Ok(())
}

fn beside(file: &Path) -> PathBuf {
    file.with_extension("repaired.csv")
}

fn style(what: &str) -> ProgressStyle {
    let plain = ProgressStyle::default_bar();
    plain.clone().template(&format!("{{bar:40}} {{pos}}/{{len}} {what} {{eta}}")).unwrap_or(plain)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn count(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}
