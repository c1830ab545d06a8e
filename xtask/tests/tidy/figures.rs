//! A benchmark figure in README or docs comes from a committed report.
//!
//! Figures stand between two comment lines, `<!-- figures: docs/reports/NAME.md -->` and `<!-- end of figures -->`:
//! every number between them must occur in that report (`.md` or `.json`). Outside such a block README has no
//! number with a unit of speed.

use super::files::{TextFile, none, root, text_files};

const START: &str = "<!-- figures: ";
const END: &str = "<!-- end of figures -->";
const UNITS: [&str; 9] = ["ms", "µs", "ns", "GFLOP/s", "GB/s", "samples/s", "images/s", "×", "times"];

#[test]
fn figures_come_from_committed_reports() {
    let mut breaches = Vec::new();
    for TextFile { path, text } in text_files().into_iter().filter(|file| file.path.ends_with(".md")) {
        breaches.extend(check(&path, &text, |report| std::fs::read_to_string(root().join(report)).ok()));
    }
    none("benchmark figures and their reports disagree:", &breaches);
}

fn check(path: &str, text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut report: Option<(String, Vec<String>)> = None;
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        let mut breach = |what: String| breaches.push(format!("{path}:{}: {what}", number + 1));
        if line.starts_with("```") {
            fenced = !fenced;
        } else if let Some(rest) = line.trim().strip_prefix(START) {
            let name = rest.trim_end_matches("-->").trim();
            let known = if name.starts_with("docs/reports/") { read(name) } else { None };
            if known.is_none() {
                breach(format!("{name} is no file in docs/reports/"));
            }
            report = Some((name.to_owned(), numbers(&known.unwrap_or_default())));
        } else if line.trim() == END {
            report = None;
        } else if let Some((name, known)) = &report {
            for figure in numbers(line).iter().filter(|figure| !known.contains(figure)) {
                breach(format!("{figure} does not occur in {name}"));
            }
        } else if path == "README.md" && !fenced {
            speeds(line)
                .into_iter()
                .for_each(|figure| breach(format!("{figure} outside a block of figures")));
        }
    }
    if report.is_some() {
        breaches.push(format!("{path}: a block of figures has no end"));
    }
    breaches
}

/// The numbers of a text: digits with points, as they are written.
fn numbers(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The numbers of a line that a unit of speed follows.
fn speeds(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split([' ', '\u{a0}', '|', '(', ')', ',', ';']).collect();
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let pairs =
        words.windows(2).filter(|w| is_number(w[0]) && UNITS.contains(&w[1].trim_end_matches(['.', ':'])));
    let joined = words.iter().filter(|word| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        unit.len() < word.len() && UNITS.contains(&unit)
    });
    pairs.map(|w| w.join(" ")).chain(joined.map(ToString::to_string)).collect()
}

#[test]
fn a_figure_without_its_report_is_found() {
    let read = |name: &str| (name == "docs/reports/a.md").then(|| "| gemm | 1.25 | 97 |".to_owned());
    let quote = |figure: &str, name: &str| format!("{START}{name} -->\n| gemm | {figure} |\n{END}\n");
    assert!(check("README.md", &quote("1.25", "docs/reports/a.md"), read).is_empty());
    assert_eq!(check("README.md", &quote("1.2", "docs/reports/a.md"), read).len(), 1);
    assert_eq!(check("docs/x.md", &quote("1.25", "docs/reports/b.md"), read).len(), 2);
    assert_eq!(check("README.md", &quote("1.25", "target/bench/peers.md"), read).len(), 2);
    assert_eq!(check("README.md", "a step takes 3.4 ms, 2× less (5 GB/s)", read).len(), 3);
    assert!(check("README.md", "97 % in 30 s on 2 cores, three times", read).is_empty());
    assert_eq!(check("docs/x.md", &format!("{START}docs/reports/a.md -->\n97"), read).len(), 1);
}
