//! `unsafe` lives in the kernel modules of `compute`, each block with its reason.

use super::files::{none, rust_files};

/// Where `unsafe` may stand: files, or folders that end with `/`.
const ALLOWED: [&str; 8] = [
    "crates/compute/src/ceilings.rs",
    "crates/compute/src/gemm/",
    "crates/compute/src/isa.rs",
    "crates/compute/src/par.rs",
    "crates/compute/src/pool.rs",
    // Calls of peers whose interfaces are raw pointers.
    "benches/matmul.rs",
    "benches/peers/gemm/",
    "benches/peers/matrixmultiply/",
];
/// How many lines above a block its reason may start.
const REACH: usize = 8;

#[test]
fn unsafe_code_stands_in_kernel_modules() {
    let breaches: Vec<String> = rust_files()
        .filter(|file| !ALLOWED.iter().any(|place| file.path.starts_with(place)))
        .flat_map(|file| uses(&file.text).into_iter().map(move |line| format!("{}:{}", file.path, line + 1)))
        .collect();
    none("`unsafe` outside the kernel modules of compute (the list stands in this test):", &breaches);
}

#[test]
fn unsafe_code_states_its_reason() {
    let breaches: Vec<String> = rust_files()
        .flat_map(|file| {
            let lines: Vec<&str> = file.text.lines().collect();
            let unexplained = uses(&file.text).into_iter().filter(|&line| {
                let above = &lines[line.saturating_sub(REACH)..=line];
                let is_type = lines[line].contains("unsafe fn(") || lines[line].contains("unsafe extern");
                !is_type && !above.iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
            });
            unexplained.map(|line| format!("{}:{}", file.path, line + 1)).collect::<Vec<_>>()
        })
        .collect();
    none("`unsafe` without `// SAFETY:` (or a `# Safety` section) above it:", &breaches);
}

/// The lines (from 0) in which the keyword stands, comments and string literals left out.
fn uses(text: &str) -> Vec<usize> {
    let stands = |line: &str| {
        code(line).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    text.lines().enumerate().filter(|(_, line)| stands(line)).map(|(number, _)| number).collect()
}

/// A line without its line comment and without what stands in double quotes.
fn code(line: &str) -> String {
    let mut kept = String::new();
    let mut quoted = false;
    let mut previous = ' ';
    for c in line.chars() {
        match c {
            '"' if previous != '\\' && previous != '\'' => quoted = !quoted,
            '/' if previous == '/' && !quoted => break,
            _ if !quoted => kept.push(c),
            _ => {}
        }
        previous = c;
    }
    kept
}

#[test]
fn the_search_reads_code_and_nothing_else() {
    let text = "// unsafe\nlet x = \"unsafe // \"; unsafe { f() }\nunsafe_code();\nlet q = '\"'; unsafe impl Send for X {}\n";
    assert_eq!(uses(text), [1, 3]);
}
