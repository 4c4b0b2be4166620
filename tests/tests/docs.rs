//! The pages against the code: every field that is collected has its row, every problem code its line, every
//! example its type, every link its file. Must never hold a copy of a list that the code already has.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use octet::assess::AssessSignals;
use octet::facts::FACTS;
use octet::observations::SignalBundle;
use octet::problem::{Code, Problem};
use octet::signals::CollectorSignals;
use octet::{Pending, Verdict};
use serde_json::Value;

const COLLECTED: &str = "docs/what-gets-collected.md";

/// The pages for partners; `operator.md` beside them is for who runs the service.
const PARTNER_PAGES: &[&str] = &[
    "docs/README.md",
    "docs/embed-the-collector.md",
    "docs/deploy-the-edge.md",
    "docs/fetch-the-verdict.md",
    "docs/predicates.md",
    "docs/audit-a-proof.md",
    "docs/bot-verdict.md",
    "docs/data-api.md",
    "docs/device.md",
    "docs/verdicts.md",
    "docs/verdict-schema.md",
    "docs/how-it-works.md",
    COLLECTED,
    "docs/trust-and-privacy.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the tables under the heading `## title`, without their head, each cell without its backticks.
fn rows(page: &str, title: &str) -> Vec<Vec<String>> {
    let section = page.split("\n## ").find(|section| section.lines().next() == Some(title)).unwrap();
    let is_row = |line: &&str| line.starts_with("| ");
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect();
    section.lines().filter(is_row).skip(2).map(cells).collect()
}

fn first_cells(page: &str, title: &str) -> BTreeSet<String> {
    let rows = rows(page, title);
    let names: BTreeSet<_> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(names.len(), rows.len(), "a name stands twice under {title}");
    names
}

/// Adds the path of every leaf of `value`; items of a list share one path.
fn leaves(value: &Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(value, &path, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| leaves(item, &format!("{path}[]"), out));
        }
        _ => {
            out.insert(path.into());
        }
    }
}

/// The fields of a golden file together with those that the type writes by itself.
fn fields(golden: &Value, written: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    leaves(golden, "", &mut out);
    leaves(written, "", &mut out);
    out
}

#[test]
fn the_page_on_what_gets_collected_has_each_fact_with_its_purpose_and_profile() {
    let expected: Vec<_> = FACTS
        .iter()
        .map(|fact| {
            let twice = if fact.core { "yes" } else { "no" };
            vec![fact.name.wire().into(), fact.purpose.into(), fact.profile.to_string(), twice.into()]
        })
        .collect::<Vec<Vec<String>>>();
    assert_eq!(rows(&read(COLLECTED), "Facts"), expected);
}

#[test]
fn the_page_on_what_gets_collected_has_each_field_of_a_bundle_and_none_besides() {
    let golden: Value = serde_json::from_str(&read("octet/tests/golden/collector-signals.json")).unwrap();
    let signals: CollectorSignals = serde_json::from_value(golden.clone()).unwrap();
    // The facts have their own table.
    let facts = ["facts", "worker", "frame"];
    let flat = |mut value: Value| {
        for name in facts {
            assert!(!value[name].is_null(), "the golden bundle lacks {name}");
            value[name] = Value::Null;
        }
        value
    };
    let expected = fields(&flat(golden), &flat(serde_json::to_value(&signals).unwrap()));
    assert_eq!(first_cells(&read(COLLECTED), "The bundle"), expected);
}

#[test]
fn the_page_on_what_gets_collected_has_each_field_of_an_assessment_and_none_besides() {
    let golden: Value = serde_json::from_str(&read("octet/tests/golden/assess-signals.json")).unwrap();
    let signals: AssessSignals = serde_json::from_value(golden.clone()).unwrap();
    let flat = |mut value: Value| {
        for name in ["facts", "worker", "frame"] {
            assert!(!value[name].is_null(), "the golden assessment lacks {name}");
            value[name] = Value::Null;
        }
        // Blocked in the golden file: the fact's own name is what counts.
        value["automation"]["drawingExact"] = Value::Null;
        value
    };
    let expected = fields(&flat(golden), &flat(serde_json::to_value(&signals).unwrap()));
    assert_eq!(first_cells(&read(COLLECTED), "The assessment"), expected);
}

#[test]
fn the_page_on_what_gets_collected_has_each_observation_of_an_edge_and_none_besides() {
    let golden: Value = serde_json::from_str(&read("octet/tests/golden/signal-bundle.json")).unwrap();
    let bundle: SignalBundle = serde_json::from_value(golden.clone()).unwrap();
    let mut expected = fields(&golden["observations"], &serde_json::to_value(&bundle.observations).unwrap());
    // The kernel's view has one shape wherever it stands; the golden file fills it once.
    assert!(expected.contains("tcp.minRttUs"));
    expected.insert("channel.tcp.minRttUs".into());
    assert_eq!(first_cells(&read(COLLECTED), "What the edge observes"), expected);
}

#[test]
fn every_row_of_what_gets_collected_names_a_profile() {
    let page = read(COLLECTED);
    for title in ["The bundle", "The assessment", "What the edge observes"] {
        for row in rows(&page, title) {
            assert!(row.len() == 3 && row[2].parse::<octet::Profile>().is_ok(), "{row:?}");
        }
    }
}

/// The environment variables that a source file names between quotes.
fn variables(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let pieces: Vec<_> = code.split('"').collect();
    let is_variable = |text: &str| {
        text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let quoted = pieces.windows(2).filter(|pair| !pair[0].ends_with("value_name = ")).map(|pair| pair[1]);
    quoted.filter(|text| is_variable(text)).map(str::to_owned).collect()
}

#[test]
fn the_pages_on_settings_name_every_variable_and_none_besides() {
    for (page, title, source) in [
        ("docs/operator.md", "Settings", "octet/server/src/cli/settings.rs"),
        ("docs/operator.md", "Reference data", "octet/server/src/cli/data_files.rs"),
        ("docs/operator.md", "Keys of devices", "octet/server/src/cli/attest.rs"),
        ("docs/deploy-the-edge.md", "Configuration", "octet/relay/src/config/raw.rs"),
    ] {
        let cells = first_cells(&read(page), title);
        let names = cells.iter().flat_map(|cell| cell.split(", ")).map(str::to_owned);
        let named: BTreeSet<_> = names.filter(|name| !name.bytes().any(|byte| byte.is_ascii_lowercase())).collect();
        assert_eq!(named, variables(&read(source)), "{page} and {source}");
    }
}

#[test]
fn the_program_takes_every_variable_of_the_layer_and_its_page_names_its_own() {
    let (layer, program) = ("octet/relay/src/config/raw.rs", "octet/edge/src/options.rs");
    let (layer, program) = (variables(&read(layer)), variables(&read(program)));
    assert!(layer.is_subset(&program), "{:?}", layer.difference(&program));
    let cells = first_cells(&read("docs/deploy-the-edge.md"), "The program's own settings");
    let named: BTreeSet<_> = cells.iter().flat_map(|cell| cell.split(", ")).map(str::to_owned).collect();
    assert_eq!(named, program.difference(&layer).cloned().collect());
}

#[test]
fn the_guides_for_proxies_are_what_the_examples_run() {
    let page = read("docs/deploy-the-edge.md");
    for (language, file) in
        [("nginx", "examples/edge-behind-nginx/nginx.conf"), ("caddy", "examples/edge-behind-caddy/Caddyfile")]
    {
        let start = format!("```{language}\n");
        let (_, rest) = page.split_once(&start).unwrap();
        assert!(read(file).contains(rest.split_once("```").unwrap().0), "{file}");
    }
}

#[test]
fn the_examples_of_the_verdict_schema_are_what_the_types_read() {
    let page = read("docs/verdict-schema.md");
    let examples: Vec<_> =
        page.split("```json\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0.to_owned()).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let reads = serde_json::from_str::<Verdict>(&example).is_ok()
            || serde_json::from_str::<Pending>(&example).is_ok()
            || serde_json::from_str::<Problem>(&example).is_ok();
        assert!(reads, "{example}");
    }
}

#[test]
fn every_problem_code_is_on_a_partners_page_beside_its_status() {
    let pages: String = PARTNER_PAGES.iter().map(read).collect();
    for code in Code::ALL {
        let (name, status) = (format!("`{}`", code.as_str()), format!("| {} |", code.status()));
        assert!(pages.lines().any(|line| line.contains(&name) && line.starts_with(&status)), "{name} {status}");
    }
}

#[test]
fn a_partners_page_describes_no_method() {
    for page in PARTNER_PAGES {
        let text = read(page).to_lowercase();
        for word in ["likelihood", "posterior", "prior ", "bayes", "log-odds", "weight", "threshold", "octet-engine"] {
            assert!(!text.contains(word), "{page} says `{word}`");
        }
    }
}

/// Every Markdown page of the repository's top folder and of `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ["", "docs"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_its_heading() {
    for page in pages() {
        let text = read(&page);
        for rest in text.split("](").skip(1) {
            let link = rest.split_once(')').unwrap().0;
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", page.display());
            if !heading.is_empty() {
                let found =
                    read(&target).lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(found, "{} links to {link}", page.display());
            }
        }
    }
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
            _ => None,
        })
        .collect()
}
