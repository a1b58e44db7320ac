//! What keeps the house in order: the size of its rooms, who may depend on whom, a word at every door.

use std::path::{Path, PathBuf};

use crate::run::{Failure, root, say};

/// Lines of a hand-written file, its tests not counted.
const LONGEST: usize = 600;
const MEDIAN: usize = 150;
const P95: usize = 400;

/// A crate of ours, and the crates of ours that it may depend on.
const MAY_DEPEND: &[(&str, &[&str])] = &[
    ("nbvend-wire", &[]),
    ("nbvend-policy", &[]),
    ("nbvend-pattern", &[]),
    ("nbvend-template", &[]),
    ("nbvend-cloud", &["nbvend-wire", "nbvend-policy", "nbvend-pattern", "nbvend-template"]),
    ("nbvend-host", &[]),
    ("nbvend", &["nbvend-wire", "nbvend-cloud", "nbvend-host", "nbvend-template"]),
];

/// Checks everything; says all that is wrong.
pub fn run() -> Result<(), Failure> {
    let mut faults = Vec::new();
    sizes(&mut faults);
    dependences(&mut faults);
    foreign_state(&mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    faults.iter().for_each(|fault| say(fault));
    Err(Failure(format!("{} things are untidy", faults.len())))
}

fn sizes(faults: &mut Vec<String>) {
    let mut lengths = Vec::new();
    for file in sources() {
        let text = read(&file);
        let name = shown(&file);
        if !text.starts_with("//!") && !is_test(&file) {
            faults.push(format!("{name}: does not begin with a word on what it is (//!)"));
        }
        if is_test(&file) {
            continue;
        }
        let lines = text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]" || !inline_tests(&text, line))
            .count();
        if lines > LONGEST {
            faults.push(format!("{name}: {lines} lines, {LONGEST} at the most"));
        }
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let at = |share: usize| lengths.get(lengths.len() * share / 100).copied().unwrap_or_default();
    say(&format!("{} files, median {} lines, 95th percentile {}", lengths.len(), at(50), at(95)));
    if at(50) > MEDIAN || at(95) > P95 {
        faults.push(format!(
            "files are too long: median {} (of {MEDIAN}), p95 {} (of {P95})",
            at(50),
            at(95)
        ));
    }
}

/// Whether a `#[cfg(test)]` begins the tests at the foot of a file, not a declaration among others.
fn inline_tests(text: &str, _line: &str) -> bool {
    text.contains("#[cfg(test)]\nmod tests {")
}

fn dependences(faults: &mut Vec<String>) {
    for (name, allowed) in MAY_DEPEND {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let ours = manifest
            .lines()
            .filter_map(|line| line.split(['.', ' ']).next())
            .filter(|word| word.starts_with("nbvend-") || *word == "nbvend");
        for dependence in ours {
            if !allowed.contains(&dependence) {
                faults.push(format!("{name} may not depend on {dependence}"));
            }
        }
    }
    if read(&root().join("lambda/Cargo.toml")).contains("path = \"../crates") {
        faults.push("lambda/ may depend on nothing in crates/".to_owned());
    }
}

/// No service reads another's records: `state` modules are named in their own folder alone.
fn foreign_state(faults: &mut Vec<String>) {
    for file in sources() {
        for (at, line) in read(&file).lines().enumerate() {
            let Some((_, rest)) = line.split_once("use crate::services::") else { continue };
            let owner = rest.split("::").next().unwrap_or_default();
            let own = file.components().any(|part| part.as_os_str() == owner);
            if !own && rest.contains("::state::") {
                faults.push(format!("{}:{}: reads the state of {owner}", shown(&file), at + 1));
            }
        }
    }
}

fn is_test(file: &Path) -> bool {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let in_tests = file.components().any(|part| part.as_os_str() == "tests");
    in_tests || name == "tests.rs" || name == "testing.rs"
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask/src", "lambda/src"] {
        collect(&root().join(folder), &mut files);
    }
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        assert!(super::run().is_ok());
    }
}
