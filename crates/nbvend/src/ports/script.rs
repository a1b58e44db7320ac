//! Lifecycle scripts: run before the notebook's server, as its user, five minutes at the most.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nbvend_cloud::ports::ScriptLog;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// AWS gives a script five minutes; one that takes longer fails the start.
const LIMIT: Duration = Duration::from_secs(300);
/// Lines kept of what a script writes.
const LINES: usize = 10_000;

/// Runs one script with bash in the notebook's folder. The error is the start's failure reason.
pub async fn run(
    hook: &'static str,
    script: &[u8],
    home: &Path,
    environment: &Path,
    variables: &[(String, String)],
) -> Result<ScriptLog, String> {
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", environment.join("bin").display());
    let mut child = Command::new("/bin/bash")
        .arg("-s")
        .current_dir(home)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .envs([("PATH", path.as_str()), ("LANG", "C.UTF-8"), ("USER", "ec2-user")])
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the {hook} script cannot be run: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A script that exits early leaves the rest unread.
        let _ = stdin.write_all(script).await;
    }
    let output = match tokio::time::timeout(LIMIT, child.wait_with_output()).await {
        Ok(output) => output.map_err(|error| format!("the {hook} script cannot be followed: {error}"))?,
        Err(_) => return Err(format!("Lifecycle Configuration {hook} script took longer than 5 minutes")),
    };
    let text = [output.stdout, output.stderr].concat();
    let lines: Vec<String> = String::from_utf8_lossy(&text).lines().take(LINES).map(str::to_owned).collect();
    if output.status.success() {
        return Ok(ScriptLog { hook, lines });
    }
    let last = lines.last().map(String::as_str).unwrap_or("it wrote nothing");
    Err(format!("Lifecycle Configuration {hook} script failed ({}): {last}", output.status))
}
