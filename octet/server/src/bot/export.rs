//! The rows of an export as CSV (RFC 4180) or as one JSON object a line, streamed: a page is read when the one before
//! it was taken, so that no export holds more than two.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use octet::AppKey;
use octet::data::Visit;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::visits::{Cursor, Period, Row, VisitLog};

/// How long whoever downloads may take for the next page.
const SLOWEST: Duration = Duration::from_secs(60);

/// The first line of a CSV export. Columns are added at the end only, before `cursor`'s successor if there is one.
const HEADER: &str =
    "cid,click_token,time,is_bot,score,level,action,consistency_ok,degraded,challenge,unread,invalid,cursor\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    NdJson,
}

/// Which rows are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub(super) period: Period,
    /// After this one, where there is one.
    pub(super) cursor: Option<Cursor>,
    /// So many at most; all, unless said.
    pub(super) limit: Option<u32>,
}

/// The export as an answer. `held` is given back when it ends.
pub(super) fn response(
    log: &VisitLog,
    app: &AppKey,
    rows: Rows,
    format: Format,
    held: impl Send + 'static,
) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(1);
    let (log, app) = (log.clone(), app.clone());
    tokio::spawn(async move {
        // Who downloads may be gone, or too slow: then it ends, and can go on with the cursor.
        let _ = write(&log, &app, rows, format, &sender).await;
        drop(held);
    });
    let mut response = Response::new(Body::new(Pages(receiver)));
    let (media_type, file) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "attachment; filename=\"visits.csv\""),
        Format::NdJson => ("application/x-ndjson", "attachment; filename=\"visits.ndjson\""),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(file));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type Sender = mpsc::Sender<Result<Bytes, BrokenOff>>;

/// The export could not be read to its end: what came is right, and the cursor of its last row leads on.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the export broke off")]
struct BrokenOff;

async fn write(
    log: &VisitLog,
    app: &AppKey,
    Rows { period, mut cursor, limit }: Rows,
    format: Format,
    sender: &Sender,
) -> Result<(), mpsc::error::SendTimeoutError<Result<Bytes, BrokenOff>>> {
    if format == Format::Csv {
        sender.send_timeout(Ok(Bytes::from_static(HEADER.as_bytes())), SLOWEST).await?;
    }
    let mut left = limit.map_or(usize::MAX, |limit| limit as usize);
    loop {
        let page = match log.page(app, period, cursor).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                return sender.send_timeout(Err(BrokenOff), SLOWEST).await;
            }
        };
        let mut text = String::new();
        for row in page.rows.iter().take(left) {
            match format {
                Format::Csv => csv(&mut text, row),
                Format::NdJson => json(&mut text, row),
            }
        }
        cursor = page.rows.last().map(|row| row.cursor).or(cursor);
        if !text.is_empty() {
            sender.send_timeout(Ok(text.into()), SLOWEST).await?;
        }
        left = left.saturating_sub(page.rows.len());
        if !page.more || left == 0 {
            return Ok(());
        }
    }
}

fn json(text: &mut String, row: &Row) {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        visit: &'a Visit,
        cursor: String,
    }

    // Texts and numbers only: cannot fail.
    text.push_str(
        &serde_json::to_string(&Line { visit: &row.visit, cursor: row.cursor.to_string() }).unwrap_or_default(),
    );
    text.push('\n');
}

fn csv(text: &mut String, row: &Row) {
    let visit = &row.visit;
    let verdict = &visit.verdict;
    let cells = [
        cell(visit.cid.as_str()),
        visit.click_token.as_ref().map_or_else(String::new, |token| cell(token.expose())),
        format!("{:.3}", visit.time),
        verdict.is_bot().to_string(),
        verdict.score().to_string(),
        verdict.level().as_str().to_owned(),
        verdict.action().as_str().to_owned(),
        verdict.consistency().ok.to_string(),
        verdict.is_degraded().to_string(),
        verdict.challenge().map_or("", octet::ChallengeOutcome::as_str).to_owned(),
        verdict.is_unread().to_string(),
        visit.invalid.to_string(),
        cell(&row.cursor.to_string()),
    ];
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A text that others chose: quoted where CSV needs it, and never the beginning of a formula.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The pages as a body.
struct Pages(mpsc::Receiver<Result<Bytes, BrokenOff>>);

impl http_body::Body for Pages {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BrokenOff>>> {
        self.0.poll_recv(context).map(|page| page.map(|page| page.map(http_body::Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula_or_breaks_out_of_its_field() {
        for (text, expected) in [
            ("plain-1", "plain-1"),
            ("-2-3", "'-2-3"),
            ("=1+1", "'=1+1"),
            ("@a", "'@a"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"\r\n", "\"say \"\"hi\"\"\r\n\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
