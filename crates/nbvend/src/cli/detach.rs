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
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it wrote nothing");
            return Err(Failure::new(last.trim_start_matches("nbvend: ").to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn healthy(endpoint: &str) -> bool {
    let authority = endpoint.trim_start_matches("http://");
    tokio::net::TcpStream::connect(authority).await.is_ok()
}
