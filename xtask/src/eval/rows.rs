//! One file of round trips between hosts of known place, as others may write it too: quoted or not, with either line end.
//! What cannot be scored is left out and told. It knows no test.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use octet::{CountryCode, LatLon};
use octet_engine::world::country_code;

/// One (target, edge) pair.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) target: String,
    pub(crate) place: LatLon,
    pub(crate) country: CountryCode,
    pub(crate) access: String,
    pub(crate) edge: String,
    pub(crate) edge_place: LatLon,
    pub(crate) min_ms: f64,
    pub(crate) median_ms: f64,
}

pub(super) const COLUMNS: [&str; 10] = [
    "target",
    "target_lat",
    "target_lon",
    "target_country",
    "access",
    "edge",
    "edge_lat",
    "edge_lon",
    "rtt_min_ms",
    "rtt_median_ms",
];
/// What stands where nothing was measured.
const MISSING: [&str; 6] = ["", "*", "-", "NA", "null", "None"];

/// The rows of a file that can be scored.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>> {
    let mut file = BufReader::new(File::open(path)?);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    ensure!(is_gzip, "not compressed by gzip: `gzip FILE` makes FILE.gz of it");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (rows, left_out) = parse(BufReader::new(MultiGzDecoder::new(file)))?;
    for (why, count) in left_out {
        eprintln!("{name}: {count} rows left out: {why}");
    }
    ensure!(!rows.is_empty(), "no row that can be scored");
    Ok(rows)
}

type LeftOut = BTreeMap<&'static str, usize>;

fn parse(text: impl BufRead) -> Result<(Vec<Row>, LeftOut)> {
    let mut lines = text.lines();
    let header = lines.next().context("an empty file")??;
    let header = fields(header.trim_start_matches('\u{feff}'));
    let column = |name: &&str| {
        let at = header.iter().position(|column| column == name);
        at.with_context(|| format!("no column {name}; needed are {}", COLUMNS.join(",")))
    };
    let at = COLUMNS.iter().map(column).collect::<Result<Vec<_>>>()?;
    let (mut rows, mut left_out) = (Vec::new(), LeftOut::new());
    for (number, line) in lines.enumerate() {
        let number = number + 2;
        let line = line.with_context(|| format!("line {number}"))?;
        if line.trim().is_empty() {
            continue;
        }
        let fields = fields(&line);
        if fields.len() != header.len() {
            bail!("line {number}: {} fields, expected {}", fields.len(), header.len());
        }
        let own: Vec<&str> = at.iter().map(|&column| fields[column].as_str()).collect();
        match row(&own).with_context(|| format!("line {number}"))? {
            Ok(row) => rows.push(row),
            Err(why) => *left_out.entry(why).or_default() += 1,
        }
    }
    Ok((rows, left_out))
}

/// A row, or why it cannot be scored.
fn row(fields: &[&str]) -> Result<Result<Row, &'static str>> {
    let number = |column: usize| -> Result<Option<f64>> {
        let text = fields[column];
        if MISSING.contains(&text) {
            return Ok(None);
        }
        Ok(Some(text.parse().with_context(|| format!("{} is no number: {text}", COLUMNS[column]))?))
    };
    let place = |lat: usize| -> Result<Option<LatLon>> {
        let Some((lat, lon)) = number(lat)?.zip(number(lat + 1)?) else { return Ok(None) };
        Ok(Some(LatLon::new(lat, lon)?))
    };
    // What the engine would read: nothing takes no time.
    let round_trip =
        |column: usize| Ok::<_, anyhow::Error>(number(column)?.filter(|ms| (0.01..=20_000.0).contains(ms)));
    let (own, edge, min_ms, median_ms) = (place(1)?, place(6)?, round_trip(8)?, round_trip(9)?);
    let Some(country) = country_code(fields[3]) else { return Ok(Err("the target's country is none, or not known")) };
    let Some((place, edge_place)) = own.zip(edge) else { return Ok(Err("target or edge without a position")) };
    let Some(min_ms) = min_ms else { return Ok(Err("no round trip above 0")) };
    Ok(Ok(Row {
        target: fields[0].to_owned(),
        place,
        country,
        access: access(fields[4]),
        edge: fields[5].to_owned(),
        edge_place,
        min_ms,
        // Below the smallest it is none.
        median_ms: median_ms.unwrap_or(min_ms).max(min_ms),
    }))
}

/// A kind of access, however it is spelt.
fn access(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "datacenter" | "data centre" | "data center" => "datacentre".to_owned(),
        other => other.to_owned(),
    }
}

/// The fields of a line of CSV, those in quotes without them (RFC 4180, but for line ends within quotes).
pub(super) fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(next) = rest.next() {
        let field = fields.last_mut().expect("there is always one");
        match next {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// A field as CSV.
pub(super) fn quoted(field: &str) -> String {
    let plain = !field.contains([',', '"', '\n']);
    if plain { field.to_owned() } else { format!("\"{}\"", field.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const GOOD: &str = "A,52.5,13.4,DE,lan,E,50.1,8.7,10.5,11";

    fn parsed(header: &str, lines: &[&str]) -> Result<(Vec<Row>, LeftOut)> {
        parse(format!("{header}\n{}\n", lines.join("\n")).as_bytes())
    }

    fn of(lines: &[&str]) -> (Vec<Row>, LeftOut) {
        parsed(&COLUMNS.join(","), lines).unwrap()
    }

    #[test]
    fn quotes_byte_order_marks_spaces_and_both_line_ends_are_read_over() {
        let header = format!("\u{feff}{}\r", COLUMNS.map(|name| format!("\"{name}\"")).join(", "));
        let line = "\"A, the \"\"first\"\"\", 52.5,13.4,\"DE\",lan,E,50.1,8.7,10.5,11\r";
        let (rows, left_out) = parsed(&header, &[line, "", GOOD]).unwrap();
        assert_eq!((rows[0].target.as_str(), rows[0].median_ms, rows.len()), ("A, the \"first\"", 11.0, 2));
        assert!(left_out.is_empty());
        assert_eq!(fields(&quoted(&rows[0].target)), ["A, the \"first\""]);
    }

    #[test]
    fn codes_of_countries_and_kinds_of_access_are_read_however_they_are_spelt() {
        let line = |country: &str, access: &str| format!("A,52.5,13.4,{country},{access},E,50.1,8.7,10.5,11");
        let lines = [line("de", "LAN"), line("UK", "Datacenter"), line("XK", "")];
        let (rows, _) = of(&lines.each_ref().map(String::as_str));
        let read: Vec<_> = rows.iter().map(|row| (row.country.to_string(), row.access.as_str())).collect();
        assert_eq!(read, [("DE".into(), "lan"), ("GB".into(), "datacentre"), ("XK".into(), "")]);
    }

    #[test]
    fn a_median_that_is_missing_or_below_the_smallest_is_the_smallest() {
        for median in ["", "NaN", "0", "3.5", "10.5"] {
            let (rows, _) = of(&[&format!("A,52.5,13.4,DE,lan,E,50.1,8.7,10.5,{median}")]);
            assert_eq!(rows[0].median_ms, 10.5, "{median}");
        }
    }

    #[test]
    fn what_cannot_be_scored_is_left_out_and_counted() {
        let lines = [
            GOOD,
            "A,52.5,13.4,DE,lan,E,50.1,8.7,0,11",
            "A,52.5,13.4,DE,lan,E,50.1,8.7,-1,11",
            "A,52.5,13.4,DE,lan,E,50.1,8.7,NaN,11",
            "A,52.5,13.4,DE,lan,E,50.1,8.7,*,",
            "A,52.5,13.4,DE,lan,E,,,10.5,11",
            "A,52.5,13.4,ZZ,lan,E,50.1,8.7,10.5,11",
        ];
        let (rows, left_out) = of(&lines);
        assert_eq!((rows.len(), left_out.into_values().collect::<Vec<_>>()), (1, vec![4, 1, 1]));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_with_its_number_and_column() {
        let error = |line: &str| format!("{:#}", parsed(&COLUMNS.join(","), &[GOOD, line]).unwrap_err());
        assert!(error("A,52.5").contains("line 3: 2 fields, expected 10"));
        let wrong = error("A,52.5,13.4,DE,lan,E,50.1,8.7,soon,11");
        assert!(wrong.contains("line 3: rtt_min_ms is no number: soon"), "{wrong}");
        assert!(error("A,95,13.4,DE,lan,E,50.1,8.7,10.5,11").contains("latitude"));
    }

    #[test]
    fn a_file_may_be_gzip_in_several_parts_and_must_be_gzip() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv.gz");
        let packed = |text: String| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let parts = [packed(format!("{}\n{GOOD}\n", COLUMNS.join(","))), packed(format!("{GOOD}\n"))];
        std::fs::write(&path, parts.concat()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
        std::fs::write(&path, COLUMNS.join(",")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("`gzip FILE`"));
    }
}
