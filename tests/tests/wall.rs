//! The wall between the partner's side and Octet's: nothing on the left depends on anything on the right, so that
//! a partner's binary holds no rule, threshold or table.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const PARTNERS_SIDE: &[&str] = &[
    "octet",
    "octet-geometry",
    "octet-transport",
    "octet-relay",
    "octet-tower",
    "octet-actix",
    "octet-edge",
    "octet-client",
    "octet-device",
    "octet-device-bindings",
    "octet-collector",
    "octet-collector-assets",
    "octet-collector-challenge",
];
const OCTETS_SIDE: &[&str] = &["octet-engine", "octet-server"];

/// Every member of the workspace with all that it depends on: of any kind, optional or not.
fn members() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names =
        |list: &Value| list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), names(&package["dependencies"])))
        .collect()
}

#[test]
fn nothing_on_the_partners_side_depends_on_octets_side() {
    let members = members();
    for package in PARTNERS_SIDE {
        let mut reached = BTreeSet::from([(*package).to_owned()]);
        let mut next = vec![(*package).to_owned()];
        while let Some(name) = next.pop() {
            let dependencies = members.get(&name).into_iter().flatten();
            next.extend(dependencies.filter(|other| reached.insert((*other).clone())).cloned());
        }
        let over_the_wall: Vec<_> = OCTETS_SIDE.iter().filter(|other| reached.contains(**other)).collect();
        assert!(over_the_wall.is_empty(), "{package} reaches {over_the_wall:?}");
    }
}

#[test]
fn every_package_of_ours_stands_on_a_side() {
    let sides: BTreeSet<_> = PARTNERS_SIDE.iter().chain(OCTETS_SIDE).map(ToString::to_string).collect();
    let ours: BTreeSet<_> =
        members().into_keys().filter(|name| name == "octet" || name.starts_with("octet-")).collect();
    let without: Vec<_> = ours.difference(&sides).filter(|name| *name != "octet-tests").collect();
    assert!(without.is_empty(), "name their side: {without:?}");
    assert!(sides.is_subset(&ours), "a side names what does not exist");
}

#[test]
fn the_engine_knows_no_clock_no_socket_and_no_runtime() {
    let members = members();
    for outside in ["tokio", "hyper", "axum", "http", "octet-transport", "octet-relay", "reqwest"] {
        assert!(!members["octet-engine"].contains(outside), "octet-engine depends on {outside}");
    }
}
