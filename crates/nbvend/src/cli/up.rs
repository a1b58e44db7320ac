//! `nbvend up`: run the engine, in the foreground the process itself.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use nbvend_cloud::ports::Ports;
use nbvend_cloud::{Config, Engine};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::failure::Failure;
use crate::home::{Home, Running};
use crate::ports::functions::Functions;
use crate::ports::notebooks::{Notebooks, Shared};
use crate::ports::{SystemClock, SystemIds};
use crate::printer::Printer;
use crate::server::{Listeners, Site, tls};

#[derive(Args, Clone)]
pub struct Up {
    /// Address and port to listen on; with a loopback address, the other loopback address too
    #[arg(long, default_value = "127.0.0.1:4566", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// The root user's access key [default: made at the first start]
    #[arg(long, value_name = "ID:SECRET", env = "NBVEND_ROOT_KEY", hide_env_values = true)]
    pub root_key: Option<String>,
    /// The account's number
    #[arg(long, default_value = "123456789012", value_parser = account)]
    pub account: String,
    /// The name this engine is reached by, when it is not localhost
    #[arg(long, default_value = "localhost")]
    pub domain: String,
    /// A certificate chain (PEM) for the domain and all names under it [default: signed by the engine's own authority]
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Let anybody who reaches the port empty the account: POST /_nbvend/reset (for tests)
    #[arg(long)]
    pub allow_reset: bool,
    /// Show /_nbvend/metrics to programs of this machine without a signature
    #[arg(long)]
    pub open_metrics: bool,
    /// Go on in the background once it is ready
    #[arg(long)]
    pub detach: bool,
    /// Stop the engine that runs on this data folder first
    #[arg(long)]
    pub replace: bool,
}

impl Default for Up {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4566)),
            root_key: None,
            account: "123456789012".to_owned(),
            domain: "localhost".to_owned(),
            tls_cert: None,
            tls_key: None,
            allow_reset: false,
            open_metrics: false,
            detach: false,
            replace: false,
        }
    }
}

fn account(text: &str) -> Result<String, String> {
    let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(text.to_owned()) } else { Err("an account has 12 digits".to_owned()) }
}

impl Up {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        if let Some(running) = home.running() {
            if !self.replace {
                return Err(Failure::new(format!(
                    "an engine runs on {} already (pid {}, {}); stop it with `nbvend down`, or take over with --replace",
                    home.root().display(),
                    running.pid,
                    running.endpoint
                )));
            }
            super::down::stop(&home, &running, false).await?;
        }
        if self.detach {
            let running = detach(&home, &self).await?;
            return ready(printer, &running.endpoint);
        }
        self.serve(&home, printer).await
    }

    async fn serve(self, home: &Home, printer: &Printer) -> Result<(), Failure> {
        log_to_stderr();
        let root_key = home.root_key(self.root_key.as_deref())?;
        let listeners = Listeners::bind(self.listen).await?;
        let port = listeners.port();
        let url_suffix = format!("{}:{port}", self.domain);
        // From inside the machine the engine is always reached by address: `*.localhost` may not resolve there.
        let inner = format!("http://127.0.0.1:{port}");
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => tls::given(certificate, key)?,
            _ => tls::own(home, &self.domain)?,
        };
        let notebooks = Notebooks::open(home, &inner).await?;
        let config = Config {
            data: home.root().to_path_buf(),
            account: self.account,
            root_key,
            url_suffix: url_suffix.clone(),
            endpoint: inner,
            https_links: self.domain != "localhost",
        };
        let functions = Functions::open(&home.path("functions"))?;
        let ports = Ports {
            clock: Box::new(SystemClock),
            ids: Box::new(SystemIds),
            notebooks: Box::new(Shared(Arc::clone(&notebooks))),
            functions: Box::new(functions.clone()),
        };
        let engine = Engine::open(config, ports)?;
        engine.start();
        let endpoint = format!("http://{url_suffix}");
        home.announce(&endpoint)?;
        let stop = Arc::new(Notify::new());
        let watching = tokio::spawn(Arc::clone(&notebooks).watch(engine.clone()));
        let site = Arc::new(Site {
            engine: engine.clone(),
            notebooks: Arc::clone(&notebooks),
            sessions: Default::default(),
            tls,
            url_suffix,
            // The sandbox is a later step of the road map: notebooks run as this user's processes today.
            isolation: "process",
            stop: Arc::clone(&stop),
            stop_notebooks: AtomicBool::new(false),
            functions: functions.clone(),
            answered: Default::default(),
            allow_reset: self.allow_reset,
            open_metrics: self.open_metrics,
        });
        let serving = tokio::spawn(listeners.serve(Arc::clone(&site)));
        ready(printer, &endpoint)?;
        asked_to_stop(&stop).await?;
        watching.abort();
        engine.stop().await;
        functions.stop().await;
        if site.stop_notebooks.load(Ordering::SeqCst) {
            notebooks.stop_all().await;
        }
        home.retract();
        // Open connections get a moment to end.
        let _ = tokio::time::timeout(Duration::from_secs(2), serving).await;
        Ok(())
    }
}

fn ready(printer: &Printer, endpoint: &str) -> Result<(), Failure> {
    printer.document(&serde_json::json!({"ready": true, "endpoint": endpoint}));
    printer.line(&format!("ready: {endpoint}"));
    Ok(())
}

async fn asked_to_stop(stop: &Notify) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::new(format!("signals cannot be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(fail)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fail)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stop.notified() => {}
    }
    Ok(())
}

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
    for (flag, on) in [("--allow-reset", up.allow_reset), ("--open-metrics", up.open_metrics)] {
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

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NBVEND_LOG").unwrap_or_else(|_| {
        // The S3 crate reports each refused request as an error of its own.
        tracing_subscriber::EnvFilter::new("warn,nbvend=info,nbvend_cloud=info,nbvend_host=info,s3s=off")
    });
    // A second subscriber would only be one in a test.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
