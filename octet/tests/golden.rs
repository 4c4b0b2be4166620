//! Every wire type against its golden file: what stands there is read, and written again as it stood.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(feature = "verify")]
mod hostile;

use octet::assess::{AssessBundle, AssessSignals};
use octet::challenge::{Challenge, ChallengeAnswer, ChallengeRequest};
use octet::data::{BotStats, Data, Visit};
use octet::license::LicenseClaims;
use octet::observations::{Accepted, SiblingObservations, SignalBundle};
use octet::predicate::PredicateRequest;
use octet::problem::{Code, Problem};
use octet::proof::ProofClaims;
use octet::signals::CollectorSignals;
use octet::{BotVerdict, EdgeSettings, Pending, PredicateVerdict, Region, Verdict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Reads `golden` as `T`, writes it, and expects every field that stood there; then once more with an unknown
/// field in every object.
fn round_trip<T: DeserializeOwned + Serialize>(golden: &str) {
    let expected: Value = serde_json::from_str(golden).unwrap();
    let value: T = serde_json::from_str(golden).unwrap();
    holds(&serde_json::to_value(&value).unwrap(), &expected, "$");

    let mut later = expected.clone();
    add_unknown(&mut later);
    let value: T = serde_json::from_str(&later.to_string()).unwrap();
    holds(&serde_json::to_value(&value).unwrap(), &expected, "$");
}

/// Whether `actual` has everything of `expected`; written defaults may stand beside it.
fn holds(actual: &Value, expected: &Value, path: &str) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                let found = actual.get(key).unwrap_or_else(|| panic!("{path}.{key} is not written"));
                holds(found, value, &format!("{path}.{key}"));
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{path}");
            for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                holds(actual, expected, &format!("{path}[{index}]"));
            }
        }
        _ => assert_eq!(actual, expected, "{path}"),
    }
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(add_unknown);
            object.insert("aFieldOfALaterRelease".into(), json!({ "deep": [1, { "er": null }] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

macro_rules! golden {
    ($($name:ident: $type:ty = $file:literal;)*) => {
        $(#[test] fn $name() { round_trip::<$type>(include_str!(concat!("golden/", $file, ".json"))); })*
    };
}

golden! {
    the_verdict_of_the_contract: Verdict = "verdict";
    a_verdict_without_a_place: Verdict = "verdict-without-place";
    a_verdict_across_the_antimeridian: Verdict = "verdict-across-the-antimeridian";
    pending: Pending = "pending";
    a_problem: Problem = "problem";
    licence_claims: LicenseClaims = "license-claims";
    edge_settings: EdgeSettings = "edge-settings";
    accepted: Accepted = "accepted";
    collector_signals: CollectorSignals = "collector-signals";
    a_signal_bundle: SignalBundle = "signal-bundle";
    what_a_sibling_saw: SiblingObservations = "sibling-observations";
    the_bot_verdict_of_the_contract: BotVerdict = "bot-verdict";
    a_bot_verdict_after_an_escalation: BotVerdict = "bot-verdict-passed";
    a_visit: Data<Visit> = "visit";
    an_unread_visit: Data<Visit> = "visit-unread";
    the_figures_of_a_period: Data<BotStats> = "bot-stats";
    a_request_for_a_challenge: ChallengeRequest = "challenge-request";
    a_challenge: Challenge = "challenge";
    the_answer_to_a_challenge: ChallengeAnswer = "challenge-answer";
    a_yes: PredicateVerdict = "predicate-verdict-yes";
    an_indeterminate: PredicateVerdict = "predicate-verdict-indeterminate";
    a_question_about_a_place: PredicateRequest = "predicate-request";
    the_claims_of_a_proof: ProofClaims = "proof-claims";
    one_region_of_each_kind: Vec<Region> = "regions";
    assess_signals: AssessSignals = "assess-signals";
    an_assess_bundle: AssessBundle = "assess-bundle";
}

#[test]
fn a_verdict_is_written_as_the_contract_shows_it_and_nothing_more() {
    for golden in [include_str!("golden/verdict.json"), include_str!("golden/verdict-without-place.json")] {
        let verdict: Verdict = serde_json::from_str(golden).unwrap();
        let expected: Map<String, Value> = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_value(&verdict).unwrap(), Value::Object(expected));
    }
}

#[test]
fn a_bot_verdict_is_written_as_the_contract_shows_it_and_nothing_more() {
    let golden = include_str!("golden/bot-verdict.json");
    let verdict: BotVerdict = serde_json::from_str(golden).unwrap();
    assert_eq!(serde_json::to_value(verdict).unwrap(), serde_json::from_str::<Value>(golden).unwrap());
    assert_eq!(verdict, BotVerdict::new(18, true, octet::BotAction::RecordOnly));
}

#[test]
fn the_golden_signals_read_every_fact_of_the_list() {
    let signals: CollectorSignals = serde_json::from_str(include_str!("golden/collector-signals.json")).unwrap();
    let missing: Vec<_> = signals.facts.missing(octet::Profile::Full).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_code_of_a_later_release_is_unknown_and_every_code_of_this_one_reads_back() {
    assert_eq!(serde_json::from_str::<Code>("\"from_the_future\"").unwrap(), Code::Unknown);
    for code in Code::ALL {
        assert_eq!(serde_json::from_str::<Code>(&serde_json::to_string(code).unwrap()).unwrap(), *code);
        assert!((400..600).contains(&code.status()), "{code:?}");
    }
}

#[test]
fn a_bundle_keeps_the_collectors_own_bytes() {
    let golden = include_str!("golden/signal-bundle.json");
    let bundle: SignalBundle = serde_json::from_str(golden).unwrap();
    assert!(golden.contains(bundle.signals.get()));
}
