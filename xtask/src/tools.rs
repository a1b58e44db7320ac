//! What the tests need besides Rust: the AWS CLI, boto3, the SAM CLI, pytest and a browser.

use std::path::{Path, PathBuf};

use crate::run::{Command, Failure, scratch};

/// A virtual environment with the clients of `tests/requirements.txt`, made at the first use.
pub fn clients() -> Result<PathBuf, Failure> {
    let wanted = crate::run::root().join("tests/requirements.txt");
    let folder = scratch().join("clients");
    let stamp = folder.join("requirements.txt");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    if !read(&stamp).is_empty() && read(&stamp) == read(&wanted) {
        return Ok(folder);
    }
    Command::new(python()?).args(["-m", "venv", "--clear"]).arg(&folder).run()?;
    Command::new(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--retries", "10", "--timeout", "60", "--requirement"])
        .arg(&wanted)
        .run()?;
    // Last, so that an install that was cut short is done again.
    std::fs::copy(&wanted, &stamp).map_err(|error| Failure(format!("{}: {error}", stamp.display())))?;
    Ok(folder)
}

/// Python 3.11 or later.
fn python() -> Result<&'static str, Failure> {
    let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    ["python3.11", "python3.12", "python3.13", "python3"]
        .into_iter()
        .find(|name| Command::new(name).args(["-c", check]).works())
        .ok_or_else(|| Failure("the tests need Python 3.11 or later with venv".to_owned()))
}

/// A browser, installed from Debian's packages where there is none and we may.
pub fn browser() -> Result<(), Failure> {
    if ["chromium", "google-chrome", "chromium-browser"]
        .iter()
        .any(|name| Command::new(name).arg("--version").works())
    {
        return Ok(());
    }
    let retries = ["-o", "Acquire::Retries=5"];
    Command::new("apt-get").args(retries).args(["update", "--quiet=2"]).run()?;
    Command::new("apt-get")
        .args(retries)
        .args(["install", "--quiet=2", "--yes", "--no-install-recommends", "chromium"])
        .run()
}
