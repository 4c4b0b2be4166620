//! The messages of a bot verdict on their way: an assessment, a request for a challenge and its answer. Checked as what
//! a collector sends, joined with what the edge saw, forwarded. Decides nothing about a visitor.

use bytes::Bytes;
use octet::assess::{AssessBundle, AssessSignals};
use octet::challenge::{Challenge, ChallengeAnswer, ChallengeBundle, ChallengeId, ChallengeRequest};
use octet::observations::EdgeObservations;
use octet::problem::{Code, Problem};
use octet::{BotVerdict, SessionRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Answer;
use crate::signals::{Sender, malformed};
use crate::upstream::{Asked, retry_after, unavailable};

/// What a browser posted, beside the bundle of a verdict.
#[derive(Debug)]
pub(crate) enum Message {
    Assess,
    Challenge,
    Answer(ChallengeId),
}

/// Takes the body to Octet, and gives the answer to the browser.
pub(crate) async fn relay(message: Message, sender: Sender, body: &[u8]) -> Result<Answer, Answer> {
    let relay = sender.relay.clone();
    let upstream = &relay.inner().upstream;
    match message {
        Message::Assess => {
            let bundle = assessment(sender, body)?;
            Ok(verdict(upstream.ask("/v1/assess", bundle).await))
        }
        Message::Challenge => {
            let bundle = joined::<ChallengeRequest>(sender, body, |request| &request.session_ref)?;
            Ok(passed_on::<Challenge>(&upstream.ask("/v1/challenge", bundle).await))
        }
        Message::Answer(id) => {
            let bundle = joined::<ChallengeAnswer>(sender, body, |answer| &answer.session_ref)?;
            let path = format!("/v1/challenge/{}", id.as_str());
            Ok(passed_on::<BotVerdict>(&upstream.ask(&path, bundle).await))
        }
    }
}

fn assessment(sender: Sender, body: &[u8]) -> Result<Bytes, Answer> {
    let signals: AssessSignals = read(body)?;
    let observations = sender.observe(&signals.session_ref)?;
    let assess = read(body)?;
    write(&AssessBundle { assess, observations })
}

fn joined<T: DeserializeOwned + Serialize>(
    sender: Sender,
    body: &[u8],
    session: impl Fn(&T) -> &SessionRef,
) -> Result<Bytes, Answer> {
    let request: T = read(body)?;
    let observations: EdgeObservations = sender.observe(session(&request))?;
    write(&ChallengeBundle { request, observations })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|_| malformed())
}

fn write(bundle: &impl Serialize) -> Result<Bytes, Answer> {
    serde_json::to_vec(bundle).map(Bytes::from).map_err(|_| malformed())
}

/// The verdict as Octet gave it; the degraded one where it gave none. A page hears of nothing else but of its own
/// mistakes.
fn verdict(asked: Asked) -> Answer {
    let refused = match asked {
        Asked::Answered(response) if response.status() == 200 => {
            return passed_on::<BotVerdict>(&Asked::Answered(response));
        }
        Asked::Answered(response) => refused(&response),
        Asked::Unavailable => None,
    };
    refused.unwrap_or_else(|| ok(&BotVerdict::degraded()))
}

/// Octet's answer, read as what it must be and written again: nothing else gets through.
fn passed_on<T: DeserializeOwned + Serialize>(asked: &Asked) -> Answer {
    let Asked::Answered(response) = asked else { return unavailable() };
    if response.status() != 200 {
        return refused(response).unwrap_or_else(unavailable);
    }
    match serde_json::from_slice::<T>(response.body()) {
        Ok(value) => ok(&value),
        Err(_) => {
            tracing::warn!("an answer of Octet is none of those that this release knows");
            unavailable()
        }
    }
}

fn ok(value: &impl Serialize) -> Answer {
    Answer::new(200).body("application/json", serde_json::to_vec(value).unwrap_or_default())
}

/// What the page itself did wrong, by Octet's word.
fn refused(response: &http::Response<Bytes>) -> Option<Answer> {
    let code = serde_json::from_slice::<Problem>(response.body()).map_or(Code::Unknown, |problem| problem.code);
    tracing::warn!(status = response.status().as_u16(), code = code.as_str(), "Octet refused a page's message");
    Some(match code {
        Code::MalformedBundle => malformed(),
        Code::BodyTooLarge => Answer::problem(Code::BodyTooLarge, "the message is too large"),
        Code::OriginRejected => Answer::problem(Code::OriginRejected, "the app does not take pages of this origin"),
        Code::ChallengeUnavailable => Answer::problem(code, "there is nothing to verify for this session"),
        Code::RateLimited => {
            Answer::problem(code, "too many requests from this site").retry_after(retry_after(response))
        }
        _ => return None,
    })
}
