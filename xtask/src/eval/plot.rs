//! Plots as SVG: calibration (confidence against how often it was right) and coverage. It knows no engine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::metrics::{Scored, mean, wilson};

/// Width and height of the square in which curves are drawn, and the margin around it.
const SIDE: f64 = 300.0;
const MARGIN: f64 = 50.0;
const COLOURS: [&str; 6] = ["#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#b91c1c", "#525252"];

/// One curve: its name, and its points from 0 to 1 with an interval upwards and downwards.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64, (f64, f64))>,
}

/// Draws calibration and coverage of each test.
pub(crate) fn calibration(directory: &Path, scored: &BTreeMap<(String, String), Vec<Scored>>) -> Result<()> {
    let mut tests: BTreeMap<&str, Vec<Scored>> = BTreeMap::new();
    for ((test, _), scored) in scored {
        tests.entry(test).or_default().extend(scored);
    }
    let reliability = tests.iter().map(|(name, scored)| {
        let pairs: Vec<_> = scored.iter().map(|score| (score.confidence, score.right)).collect();
        Curve { name: (*name).to_owned(), points: reliability(&pairs, 6) }
    });
    let coverage = tests.iter().map(|(name, scored)| {
        let points = [0.5, 0.9, 0.95].into_iter().enumerate().map(|(at, nominal)| {
            let hits = scored.iter().filter(|score| score.within[at]).count();
            (nominal, hits as f64 / scored.len() as f64, wilson(hits, scored.len()))
        });
        Curve { name: (*name).to_owned(), points: points.collect() }
    });
    std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    write(&directory.join("rtt-calibration.svg"), "confidence", "share right", &reliability.collect::<Vec<_>>())?;
    write(&directory.join("rtt-coverage.svg"), "nominal coverage", "share inside", &coverage.collect::<Vec<_>>())
}

/// Confidence against how often it was right, in bins of equal mass.
pub(crate) fn reliability(pairs: &[(f64, bool)], bins: usize) -> Vec<(f64, f64, (f64, f64))> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    (0..bins)
        .map(|bin| &sorted[bin * sorted.len() / bins..(bin + 1) * sorted.len() / bins])
        .filter(|bin| !bin.is_empty())
        .map(|bin| {
            let hits = bin.iter().filter(|pair| pair.1).count();
            let confidence = mean(bin.iter().map(|pair| pair.0));
            (confidence, hits as f64 / bin.len() as f64, wilson(hits, bin.len()))
        })
        .collect()
}

/// Writes one plot of curves over the diagonal.
pub(crate) fn write(path: &Path, across: &str, up: &str, curves: &[Curve]) -> Result<()> {
    let (x, y) = (|value: f64| MARGIN + value * SIDE, |value: f64| MARGIN + (1.0 - value) * SIDE);
    let whole = SIDE + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {whole}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <rect x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\n\
         <path d=\"M{} {}L{} {}\" stroke=\"#bbb\" stroke-dasharray=\"4 3\"/>\n",
        whole + 130.0,
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>", x(tick), y(0.0) + 16.0)?;
        writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{tick}</text>", x(0.0) - 6.0, y(tick) + 4.0)?;
    }
    writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{across}</text>", x(0.5), y(0.0) + 34.0)?;
    writeln!(svg, "<text x=\"{MARGIN}\" y=\"{}\">{up}</text>", MARGIN - 10.0)?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<String> = curve.points.iter().map(|p| format!("{:.1} {:.1}", x(p.0), y(p.1))).collect();
        writeln!(svg, "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>", path.join("L"))?;
        for &(at, value, (low, high)) in &curve.points {
            let (at, value, low, high) = (x(at), y(value), y(low), y(high));
            writeln!(svg, "<path d=\"M{at:.1} {low:.1}V{high:.1}\" stroke=\"{colour}\" opacity=\".45\"/>")?;
            writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{value:.1}\" r=\"2.5\" fill=\"{colour}\"/>")?;
        }
    }
    for (index, (curve, colour)) in curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let line = MARGIN + 12.0 + 18.0 * index as f64;
        writeln!(svg, "<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{colour}\"/>", x(1.0) + 16.0, line - 4.0)?;
        writeln!(svg, "<text x=\"{}\" y=\"{line}\">{}</text>", x(1.0) + 26.0, curve.name)?;
    }
    svg.push_str("</svg>\n");
    std::fs::write(path, svg).with_context(|| format!("writing {}", path.display()))
}
