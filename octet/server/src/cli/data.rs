//! `octet data`: what an operator's own labelled sessions teach. It reads labels and writes a calibration; no address,
//! reference or place is in either.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use octet_engine::model::{Calibration, Label, Parameters};

use super::BoxError;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Recalibrate confidence from sessions whose country is known, and write what `octet serve --data-calibration` reads
    Labels {
        /// The sessions: a line of JSON each, {"confidence": 0.93, "correct": true, "class": "all-1"}; class may be absent
        #[arg(long, value_name = "FILE")]
        import: PathBuf,
        /// The engine's parameters that the service ran with, where it has its own (TOML)
        #[arg(long, value_name = "FILE")]
        parameters: Option<PathBuf>,
        /// The calibration that the service ran with, where it has its own (TOML)
        #[arg(long, value_name = "FILE")]
        calibration: Option<PathBuf>,
        /// Where the new calibration is written
        #[arg(long, value_name = "FILE", default_value = "calibration.toml")]
        output: PathBuf,
    },
}

/// No line is longer.
const MAX_LINE: u64 = 1024;
/// No more sessions are read.
const MAX_LABELS: usize = 5_000_000;

pub(crate) fn run(options: Options) -> Result<(), BoxError> {
    let Command::Labels { import, parameters, calibration, output } = options.command;
    let file = File::open(&import).map_err(|error| format!("{}: {error}", import.display()))?;
    let labels = labels(BufReader::new(file)).map_err(|error| format!("{}: {error}", import.display()))?;
    let mut known = match &parameters {
        Some(path) => Parameters::from_toml(&text(path)?).map_err(|error| format!("{}: {error}", path.display()))?,
        None => Arc::unwrap_or_clone(Parameters::embedded()),
    };
    // What was taught earlier stays, but where these labels teach anew.
    let mut calibrated: BTreeMap<String, Calibration> = BTreeMap::new();
    if let Some(path) = &calibration {
        let earlier = text(path)?;
        known.calibrate(&earlier).map_err(|error| format!("{}: {error}", path.display()))?;
        calibrated = toml::from_str(&earlier)?;
    }
    let taught = known.recalibrated(&labels);
    for lesson in &taught.lessons {
        eprintln!(
            "{}: {} sessions, said {:.3}, right {:.3}{}",
            lesson.class,
            lesson.count,
            lesson.confidence,
            lesson.right,
            if lesson.used { "" } else { ": too few, stays as it is" }
        );
    }
    if taught.calibration.is_empty() {
        return Err("there are too few labelled sessions to learn from".into());
    }
    calibrated.extend(taught.calibration);
    write(&output, &toml::to_string(&calibrated)?).map_err(|error| format!("{}: {error}", output.display()))?;
    eprintln!(
        "wrote {}: `octet serve --data-calibration {0}` reads it, within seconds while it runs",
        output.display()
    );
    Ok(())
}

/// Puts it in place as a whole: a running service may be reading it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

fn text(path: &Path) -> Result<String, BoxError> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn labels(mut lines: impl BufRead) -> Result<Vec<Label>, BoxError> {
    let mut labels = Vec::new();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let read = lines.by_ref().take(MAX_LINE).read_line(&mut line);
        if read.map_err(|error| format!("line {number}: {error}"))? == 0 {
            break;
        }
        if line.len() as u64 == MAX_LINE || labels.len() == MAX_LABELS {
            return Err(format!("line {number}: too long, or too many lines").into());
        }
        // Some programs begin a text with a byte order mark.
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let label: Label = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        label.check().map_err(|error| format!("line {number}: {error}"))?;
        labels.push(label);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_label_is_named() {
        let read = |text: &str| labels(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(
            read("{\"confidence\": 0.9, \"correct\": true}\n\n{\"confidence\": 1, \"correct\": false}").unwrap().len(),
            2
        );
        let good = "{\"confidence\": 0.9, \"correct\": true}\n";
        for bad in [
            "{\"confidence\": 2, \"correct\": true}",
            "{\"correct\": true}",
            "[]",
            "{\"confidence\": 0.5, \"correct\": true, \"class\": \"all-9\"}",
        ] {
            assert!(read(&format!("{good}{bad}")).unwrap_err().starts_with("line 2: "), "{bad}");
        }
        assert!(read(&"x".repeat(5000)).is_err());
        let not_text = labels([good.as_bytes(), b"\xff\n"].concat().as_slice()).map_err(|error| error.to_string());
        assert!(not_text.unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn a_byte_order_mark_and_line_ends_of_windows_are_read_over() {
        let text =
            "\u{feff}{\"confidence\": 0.9, \"correct\": true}\r\n{\"confidence\": 0.4, \"correct\": false}\r\n\r\n";
        assert_eq!(labels(text.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn what_was_taught_earlier_stays_where_new_labels_teach_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let labels = |class: &str, right: usize| -> String {
            let line = |at: usize| {
                let correct = at % 10 < right;
                format!("{{\"confidence\": 0.9, \"correct\": {correct}, \"class\": \"{class}\"}}\n")
            };
            (0..1000).map(line).collect()
        };
        let learn = |text: String, calibration: Option<PathBuf>| {
            std::fs::write(path("labels.ndjson"), text).unwrap();
            let (import, output) = (path("labels.ndjson"), path("calibration.toml"));
            run(Options { command: Command::Labels { import, parameters: None, calibration, output } }).unwrap();
            let text = std::fs::read_to_string(path("calibration.toml")).unwrap();
            toml::from_str::<BTreeMap<String, Calibration>>(&text).unwrap()
        };
        let first = learn([labels("all-1", 6), labels("hidden", 3)].concat(), None);
        assert_eq!(first.len(), 2);
        let second = learn(labels("all-1", 8), Some(path("calibration.toml")));
        assert_eq!(second["hidden"], first["hidden"]);
        assert_ne!(second["all-1"], first["all-1"]);
    }
}
