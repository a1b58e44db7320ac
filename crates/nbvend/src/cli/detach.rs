//! An engine in the background.

use std::os::unix::process::CommandExt;
use std::time::Duration;

use super::up::Up;
use crate::failure::Failure;
use crate::home::{Home, Running};

/// Starts an engine in the background and waits until it answers.
pub async fn detach(home: &Home, up: &Up) -> Result<Running, Failure> {
    let log = home.path("engine.log");
    let open = || std::fs::File::options().create(true).append(true).open(&log);
    let (out, err) = (open(), open());
    let (Ok(out), Ok(err)) = (out, err) else {
        return Err(Failure::new(format!("{} cannot be written", log.display())));
    };
    let program =
        std::env::current_exe().map_err(|e| Failure::new(format!("nbvend cannot find itself: {e}")))?;
    let mut command = std::process::Command::new(program);
    command.arg("--data").arg(home.root()).arg("up");
    command.arg("--listen").arg(up.listen.to_string());
    command.args(["--account", &up.account, "--domain", &up.domain]);
    if let Some(key) = &up.root_key {
        command.env("NBVEND_ROOT_KEY", key);
    }
    if let (Some(certificate), Some(key)) = (&up.tls_cert, &up.tls_key) {
        command.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
    }
    command.args(up.share.flags());
    let flags =
        [("--allow-reset", up.allow_reset), ("--open-metrics", up.open_metrics), ("--replace", up.replace)];
    for (flag, on) in flags {
        if on {
            command.arg(flag);
        }
    }
    // A process group of its own: Ctrl-C in this terminal is not meant for it.
    command.stdin(std::process::Stdio::null()).stdout(out).stderr(err).process_group(0);
    // An engine that runs already writes there too.
    let before = std::fs::metadata(&log).map_or(0, |log| log.len());
    let mut child =
        command.spawn().map_err(|e| Failure::new(format!("the engine cannot be started: {e}")))?;
    loop {
        if let Some(running) = home.running()
            && running.pid == child.id()
            && healthy(&running.endpoint).await
        {
            return Ok(running);
        }
        if let Ok(Some(_)) = child.try_wait() {
            let text = std::fs::read(&log).unwrap_or_default();
            let from = usize::try_from(before).unwrap_or(usize::MAX).min(text.len());
            return Err(Failure::new(why(&String::from_utf8_lossy(&text[from..]))));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Of what was written since it was started: its last word, or the last of all if it had none.
fn why(text: &str) -> String {
    let own = text.lines().rev().find_map(|line| line.strip_prefix("nbvend: "));
    let any = || text.lines().rev().find(|line| !line.trim().is_empty());
    own.or_else(any).unwrap_or("it wrote nothing").to_owned()
}

async fn healthy(endpoint: &str) -> bool {
    let authority = endpoint.trim_start_matches("http://");
    tokio::net::TcpStream::connect(authority).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_found_among_what_another_engine_logs() {
        let log = "2026-11-22 INFO nbvend::server: a\nnbvend: another is at work\n2026-11-22 INFO nbvend::server: b\n\n";
        assert_eq!(why(log), "another is at work");
        assert_eq!(why("killed\n\n"), "killed");
        assert_eq!(why(""), "it wrote nothing");
    }
}
