//! The table of a side-by-side run.

use std::fs;

use serde_json::{Value, json};

use crate::ceilings::Ceilings;
use crate::command::target_directory;
use crate::statistics::{Quartiles, geometric_mean, quartiles};
use crate::table::{digits, table};
use crate::{Result, machine};

/// What a run was.
pub(super) struct Run {
    pub(super) machine: Value,
    pub(super) ceilings: Ceilings,
    pub(super) threads: usize,
    pub(super) rounds: usize,
    /// Name and version of each peer.
    pub(super) peers: Vec<(String, String)>,
}

/// A row and the times (ms) of each peer that ran it, one per round. Striate is the peer with index 0. What a peer
/// computed wrongly has no time, only a sentence.
#[derive(Default)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) parameters: u64,
    pub(super) check: Vec<f64>,
    pub(super) peers: Vec<(usize, Vec<f64>)>,
    pub(super) wrong: Vec<(usize, String)>,
}

impl Row {
    fn times(&self, peer: usize) -> Option<&[f64]> {
        self.peers.iter().find(|(index, _)| *index == peer).map(|(_, times)| times.as_slice())
    }

    fn median(&self, peer: usize) -> Option<f64> {
        self.times(peer).map(|times| quartiles(times).median)
    }

    /// peer / Striate, round by round.
    fn ratio(&self, peer: usize) -> Option<Quartiles> {
        let pairs = self.times(peer)?.iter().zip(self.times(0)?);
        Some(quartiles(&pairs.map(|(peer, own)| peer / own).collect::<Vec<_>>()))
    }

    /// The median time, or why there is none.
    fn cell(&self, peer: usize) -> String {
        match self.median(peer) {
            Some(time) => digits(time),
            None if self.wrong.iter().any(|(wrong, _)| *wrong == peer) => "wrong".into(),
            None => "–".into(),
        }
    }

    /// The peer with the lowest median.
    fn fastest(&self) -> Option<usize> {
        let others = self.peers.iter().map(|(peer, _)| *peer).filter(|&peer| peer != 0);
        others.min_by(|&a, &b| {
            self.median(a).unwrap_or(f64::MAX).total_cmp(&self.median(b).unwrap_or(f64::MAX))
        })
    }
}

/// Prints the tables and writes `peers.json` and `peers.md` into `bench/` of the target folder.
pub(super) fn write(run: &Run, rows: &[Row]) -> Result {
    let markdown = markdown(run, rows);
    print!("\n{markdown}");
    let folder = target_directory("Cargo.toml")?.join("bench");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("peers.md"), markdown)?;
    let report = to_json(run, rows);
    fs::write(folder.join("peers.json"), format!("{report:#}\n"))?;
    println!("\nwritten: {}/peers.md and peers.json", folder.display());
    Ok(())
}

fn markdown(run: &Run, rows: &[Row]) -> String {
    let Run { machine, ceilings, threads, rounds, peers } = run;
    let mut head = vec!["median ms"];
    head.extend(peers.iter().map(|(name, _)| name.as_str()));
    head.extend(["fastest peer", "ratio", "quartiles"]);
    let line = |row: &Row| {
        let mut cells = vec![row.name.clone()];
        cells.extend((0..peers.len()).map(|peer| row.cell(peer)));
        let fastest = row.fastest();
        cells.push(fastest.map_or("–".into(), |peer| peers[peer].0.clone()));
        cells.extend(match fastest.and_then(|peer| row.ratio(peer)) {
            Some(ratio) => {
                [digits(ratio.median), format!("{} to {}", digits(ratio.lower), digits(ratio.upper))]
            }
            None => ["–".into(), "–".into()],
        });
        cells
    };
    let lines: Vec<_> = rows.iter().map(line).collect();
    let means: Vec<_> = geometric_means(peers, rows)
        .into_iter()
        .map(|(name, count, mean)| vec![name, count.to_string(), digits(mean)])
        .collect();
    let versions: Vec<_> = peers.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!(
        "{}\n{}\n{rounds} rounds; {}\nA ratio is peer / Striate in one round: above 1, Striate is faster.\n\n{}\n{}",
        machine::line(machine, *threads),
        ceilings.line(),
        versions.join(", "),
        table(&head, &lines),
        if means.is_empty() {
            String::new()
        } else {
            table(&["geometric mean of ratios", "rows", "mean"], &means)
        }
    )
}

/// For the fastest peer of each row and for each peer: the number of rows that Striate has too, and the mean ratio.
fn geometric_means(peers: &[(String, String)], rows: &[Row]) -> Vec<(String, usize, f64)> {
    let mean = |name: &str, ratios: Vec<f64>| Some((name.to_owned(), ratios.len(), geometric_mean(&ratios)?));
    let median = |row: &Row, peer: usize| row.ratio(peer).map(|ratio| ratio.median);
    let fastest = rows.iter().filter_map(|row| median(row, row.fastest()?)).collect();
    let each = peers
        .iter()
        .enumerate()
        .skip(1)
        .map(|(peer, (name, _))| mean(name, rows.iter().filter_map(|row| median(row, peer)).collect()));
    std::iter::once(mean("fastest peer of each row", fastest)).chain(each).flatten().collect()
}

fn to_json(run: &Run, rows: &[Row]) -> Value {
    let Run { machine, ceilings, threads, rounds, peers } = run;
    let spread = |q: Quartiles| json!({"lower": q.lower, "median": q.median, "upper": q.upper});
    let row = |row: &Row| {
        let results = row.peers.iter().map(|(peer, times)| {
            json!({
                "peer": peers[*peer].0,
                "ms": spread(quartiles(times)),
                "rounds_ms": times,
                "ratio": row.ratio(*peer).map(spread),
            })
        });
        let wrong = row.wrong.iter().map(|(peer, error)| json!({"peer": peers[*peer].0, "error": error}));
        json!({
            "row": row.name,
            "parameters": row.parameters,
            "check": row.check,
            "fastest_peer": row.fastest().map(|peer| &peers[peer].0),
            "results": results.collect::<Vec<_>>(),
            "wrong": wrong.collect::<Vec<_>>(),
        })
    };
    let versions = peers.iter().map(|(name, version)| json!({"peer": name, "version": version}));
    let means = geometric_means(peers, rows)
        .into_iter()
        .map(|(name, count, mean)| json!({"peer": name, "rows": count, "mean": mean}));
    json!({
        "machine": machine,
        "threads": threads,
        "peaks": ceilings.measured,
        "rounds": rounds,
        "peers": versions.collect::<Vec<_>>(),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "geometric_means": means.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_pairs_the_rounds_and_the_fastest_peer_has_the_lowest_median() {
        let peers = [(0, vec![1.0, 2.0, 4.0]), (1, vec![3.0, 6.0, 12.0]), (2, vec![2.0, 4.0, 2.0])];
        let row = Row { peers: peers.to_vec(), ..Row::default() };
        assert_eq!(row.ratio(1), Some(Quartiles { lower: 3.0, median: 3.0, upper: 3.0 }));
        assert_eq!(row.fastest(), Some(2));
        let names = ["striate", "slow", "fast"].map(|name| (name.to_owned(), String::new()));
        let means = geometric_means(&names, &[row]);
        assert_eq!(
            means.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(),
            ["fastest peer of each row", "slow", "fast"]
        );
        assert!((means[1].2 - 3.0).abs() < 1e-12 && (means[0].2 - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_row_that_striate_lacks_has_no_ratio() {
        let row = Row { peers: vec![(1, vec![1.0])], ..Row::default() };
        assert_eq!(row.ratio(1), None);
        assert_eq!(row.fastest(), Some(1));
    }

    #[test]
    fn a_wrong_result_has_no_time() {
        let peers = vec![(0, vec![2.0]), (2, vec![4.0])];
        let row = Row { peers, wrong: vec![(1, "differs".into())], ..Row::default() };
        assert_eq!([0, 1, 2, 3].map(|peer| row.cell(peer)), ["2.00", "wrong", "4.00", "–"]);
        assert_eq!((row.fastest(), row.ratio(1)), (Some(2), None));
    }
}
