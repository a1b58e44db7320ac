//! `nbvend down`: stop the engine. Notebooks keep running, and the next engine adopts them, unless asked.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use crate::client::Client;
use crate::failure::Failure;
use crate::home::{Home, Running};
use crate::printer::Printer;

#[derive(Args)]
pub struct Down {
    /// End the notebooks' servers too; their files stay
    #[arg(long)]
    stop_notebooks: bool,
}

/// How long an engine may take to commit what is queued and go.
const PATIENCE: Duration = Duration::from_secs(30);

impl Down {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        let running = home.must_run()?;
        stop(&home, &running, self.stop_notebooks).await?;
        printer.document(&serde_json::json!({"stopped": true}));
        printer.line("stopped");
        Ok(())
    }
}

/// Asks a running engine to stop and waits until its process is gone.
pub async fn stop(home: &Home, running: &Running, notebooks: bool) -> Result<(), Failure> {
    let client = Client::new(running, &home.root_key(None)?);
    let path = if notebooks { "/_nbvend/stop-all" } else { "/_nbvend/stop" };
    client.internal("POST", path).await?;
    let begun = Instant::now();
    while home.running().is_some_and(|now| now.pid == running.pid) || alive(running) {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!(
                "the engine (pid {}) was asked to stop and still runs",
                running.pid
            )));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn alive(running: &Running) -> bool {
    crate::home::start_time(running.pid) == Some(running.started)
}
