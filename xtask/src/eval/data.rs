//! Round trips between hosts of known place, as a data directory holds them: tests, targets, edges. It knows no
//! engine's answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use octet::{CountryCode, LatLon};
use octet_engine::EdgeEvidence;
use octet_engine::locate::{Access, Sighting, sightings};
use octet_geometry::distance_km;

use super::rows::{self, Row};

/// One test: targets to be found from the round trips to the named edges.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) file: String,
    /// All edges when empty.
    pub(crate) edges: BTreeSet<String>,
}

/// One host to be found.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) test: String,
    pub(crate) name: String,
    pub(crate) place: LatLon,
    pub(crate) country: CountryCode,
    pub(crate) kind: String,
    pub(crate) sightings: Vec<Sighting>,
}

impl Target {
    pub(crate) fn access(&self) -> Access {
        if self.kind == "datacentre" { Access::Hosting } else { Access::Consumer }
    }
}

/// A data directory, read.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) files: BTreeMap<String, Vec<Row>>,
    pub(crate) tests: Vec<Test>,
}

impl Data {
    /// Reads `tests.csv` and the files that it names; without it, every `NAME.csv.gz` is a test with all its edges.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let tests = tests(directory)?;
        let names: BTreeSet<&String> = tests.iter().map(|test| &test.file).collect();
        let files = names
            .into_iter()
            .map(|name| {
                let rows = rows::read(&directory.join(name)).with_context(|| format!("reading {name}"))?;
                Ok((name.clone(), without_liars(name, rows)))
            })
            .collect::<Result<_>>()?;
        let data = Self { files, tests };
        data.tests.iter().try_for_each(|test| data.check(test))?;
        Ok(data)
    }

    /// Whether a test has anything to score; edges of it that its file does not have are told.
    fn check(&self, test: &Test) -> Result<()> {
        let rows = || self.files.get(&test.file).into_iter().flatten();
        let known: BTreeSet<&str> = rows().map(|row| row.edge.as_str()).collect();
        for edge in test.edges.iter().filter(|edge| !known.contains(edge.as_str())) {
            eprintln!("{}: {} has no edge {edge}", test.name, test.file);
        }
        let used = |row: &Row| row.target != row.edge && (test.edges.is_empty() || test.edges.contains(&row.edge));
        ensure!(rows().any(used), "the test {} has no round trips: {} has none of its edges", test.name, test.file);
        Ok(())
    }

    /// The targets of one test; a target that is itself an edge is found without that edge.
    pub(crate) fn targets(&self, test: &Test) -> Vec<Target> {
        let mut seen: BTreeMap<&str, (&Row, Vec<EdgeEvidence>)> = BTreeMap::new();
        let rows = self.files.get(&test.file).into_iter().flatten();
        for row in rows.filter(|row| row.target != row.edge) {
            if test.edges.is_empty() || test.edges.contains(&row.edge) {
                seen.entry(&row.target).or_insert_with(|| (row, Vec::new())).1.push(EdgeEvidence {
                    position: Some(row.edge_place),
                    round_trips_ms: vec![row.min_ms, row.median_ms],
                    ..EdgeEvidence::default()
                });
            }
        }
        seen.into_iter()
            .map(|(name, (row, edges))| Target {
                test: test.name.clone(),
                name: name.to_owned(),
                place: row.place,
                country: row.country,
                kind: row.access.clone(),
                sightings: sightings(&edges),
            })
            .collect()
    }

    /// Whether no other test seeks the same hosts by more edges.
    pub(crate) fn is_widest(&self, test: &Test) -> bool {
        let edges = |test: &Test| if test.edges.is_empty() { usize::MAX } else { test.edges.len() };
        let same = |other: &&Test| other.file == test.file;
        self.tests.iter().filter(same).all(|other| edges(other) <= edges(test))
    }

    /// Every edge that any test uses.
    pub(crate) fn test_edges(&self) -> BTreeSet<&str> {
        self.tests.iter().flat_map(|test| test.edges.iter().map(String::as_str)).collect()
    }
}

/// The fold of a target, by its name: the same whatever the other targets are.
pub(crate) fn fold(name: &str, folds: u64) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 29)) % folds
}

fn tests(directory: &Path) -> Result<Vec<Test>> {
    let list = directory.join("tests.csv");
    if list.exists() {
        let text = std::fs::read_to_string(&list).context("reading tests.csv")?;
        let tests: Vec<Test> = text
            .lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let fields = rows::fields(line);
                let [name, file, edges] = &fields[..] else { bail!("tests.csv: expected test,file,edges in: {line}") };
                let edges =
                    edges.split('|').map(str::trim).filter(|edge| !edge.is_empty()).map(str::to_owned).collect();
                Ok(Test { name: name.clone(), file: file.clone(), edges })
            })
            .collect::<Result<_>>()?;
        ensure!(!tests.is_empty(), "tests.csv names no test: without it, every NAME.csv.gz is one");
        return Ok(tests);
    }
    let mut tests: Vec<Test> = std::fs::read_dir(directory)
        .with_context(|| format!("reading {}", directory.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| {
            let name = file.strip_suffix(".csv.gz")?.to_owned();
            Some(Test { name, file, edges: BTreeSet::new() })
        })
        .collect();
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    if tests.is_empty() {
        bail!("{} holds neither tests.csv nor any NAME.csv.gz", directory.display());
    }
    Ok(tests)
}

/// A pair this much faster than light in fibre accuses both its ends.
const ACCUSES: f64 = 1.3;
/// Hosts that so many of their pairs accuse, at the least, are not where they say.
const ACCUSED_PAIRS: usize = 20;

/// The rows without hosts that are not where they say: many of their answers come faster than light in fibre could
/// bring them. Such hosts are found again and again, each time the most accused first, as they accuse others too.
fn without_liars(file: &str, mut rows: Vec<Row>) -> Vec<Row> {
    loop {
        let mut accused: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            if distance_km(row.place, row.edge_place) > ACCUSES * 100.0 * (row.min_ms + 1.0) {
                *accused.entry(&row.target).or_default() += 1;
                *accused.entry(&row.edge).or_default() += 1;
            }
        }
        let Some((liar, pairs)) = accused.into_iter().max_by_key(|(_, pairs)| *pairs) else { return rows };
        if pairs < ACCUSED_PAIRS {
            return rows;
        }
        eprintln!("{file}: {liar} is not where it says ({pairs} pairs beat light in fibre): left out");
        let liar = liar.to_owned();
        rows.retain(|row| row.target != liar && row.edge != liar);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, rows) in files {
            let mut file =
                GzEncoder::new(std::fs::File::create(directory.path().join(name)).unwrap(), Compression::fast());
            write!(file, "{}\n{rows}", rows::COLUMNS.join(",")).unwrap();
            file.finish().unwrap();
        }
        directory
    }

    const ROWS: &str = "\
        Bonn,50.7,7.1,DE,lan,Paris,48.9,2.4,9,10\n\
        Bonn,50.7,7.1,DE,lan,Bonn,50.7,7.1,0.2,0.3\n\
        Bonn,50.7,7.1,DE,lan,Rome,41.9,12.5,24,25\n\
        Rome,41.9,12.5,IT,datacentre,Paris,48.9,2.4,22,23\n";

    #[test]
    fn without_a_list_every_file_is_a_test_with_all_its_edges_and_nobody_is_found_by_itself() {
        let directory = directory(&[("b.csv.gz", ROWS), ("a.csv.gz", ROWS)]);
        let data = Data::open(directory.path()).unwrap();
        assert_eq!(data.tests.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let targets = data.targets(&data.tests[0]);
        assert_eq!(targets.iter().map(|target| target.sightings.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((targets[0].access(), targets[1].access()), (Access::Consumer, Access::Hosting));
    }

    #[test]
    fn a_list_names_edges_and_a_test_by_more_of_them_is_the_wider() {
        let directory = directory(&[("a.csv.gz", ROWS)]);
        std::fs::write(directory.path().join("tests.csv"), "test,file,edges\none,a.csv.gz,Paris\nall,a.csv.gz,\n")
            .unwrap();
        let data = Data::open(directory.path()).unwrap();
        let [one, all] = &data.tests[..] else { panic!("{:?}", data.tests) };
        assert_eq!(data.targets(one).iter().map(|target| target.sightings.len()).collect::<Vec<_>>(), [1, 1]);
        assert!(data.is_widest(all) && !data.is_widest(one));
        std::fs::write(directory.path().join("tests.csv"), "test,file,edges\none,a.csv.gz,Oslo\n").unwrap();
        assert!(Data::open(directory.path()).unwrap_err().to_string().contains("none of its edges"));
    }

    #[test]
    fn folds_are_told_by_the_name_alone_and_are_of_like_size() {
        let of = |part: u64| (0..1000).filter(|index| fold(&format!("host {index}"), 4) == part).count();
        assert!((0..4).all(|part| (200..300).contains(&of(part))));
    }

    #[test]
    fn a_host_whose_pairs_beat_light_in_fibre_is_left_out() {
        let row = |index: usize, target: &str, lat: f64, ms: f64| {
            format!("{target},{lat},0,GB,lan,edge {index},{},{},{ms},{ms}\n", -20 + index as i32, index)
        };
        let far = |index| row(index, "true", 50.0, 90.0) + &row(index, "liar", 50.0, 1.0);
        let rows: String = (0..30).map(far).collect();
        let directory = directory(&[("a.csv.gz", &rows)]);
        let data = Data::open(directory.path()).unwrap();
        let names: Vec<_> = data.targets(&data.tests[0]).into_iter().map(|target| target.name).collect();
        assert_eq!(names, ["true"]);
    }
}
