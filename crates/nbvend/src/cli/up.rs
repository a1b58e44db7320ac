//! `nbvend up`: run the engine, in the foreground the process itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use nbvend_cloud::Config;

use super::detach::detach;
use super::replace;
use super::share::Share;
use crate::failure::Failure;
use crate::home::{Home, write_private};
use crate::printer::Printer;
use crate::server::{self, Lasting, Listeners, Plan, Prepared, tls};

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
    /// Take over from the engine that runs on this data folder: no request fails, and open websockets live on
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub share: Share,
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
            share: Share::default(),
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
        if let Some(running) = home.running()
            && !self.replace
        {
            return Err(Failure::new(format!(
                "an engine runs on {} already (pid {}, {}); stop it with `nbvend down`, or take over with --replace",
                home.root().display(),
                running.pid,
                running.endpoint
            )));
        }
        if self.detach {
            let running = detach(&home, &self).await?;
            return ready(printer, &running.endpoint, running.began.as_deref());
        }
        log_to_stderr();
        let turn = self.replace.then(|| replace::turn(&home)).transpose()?;
        let (plan, prepared, listeners, owned) = match home.running() {
            Some(running) => replace::replace(&self, &home, &running, printer).await?,
            None => {
                // A function that outlived an engine that was killed may sit on its port.
                nbvend_host::functions::sweep(&home.path("functions"));
                let listeners = Listeners::bind(self.listen).await?;
                let plan = self.plan(&home, listeners.address().port(), None)?;
                let prepared = Prepared::make(&plan)?;
                (plan, prepared, listeners, None)
            }
        };
        write_private(&home.path("listen"), &listeners.address().to_string())?;
        let endpoint = format!("http://{}", plan.config.url_suffix);
        let began = plan.began.clone();
        let begun = || {
            drop(turn);
            ready(printer, &endpoint, began.as_deref())
        };
        server::run(plan, prepared, listeners, owned, begun).await
    }

    /// What the engine is to be, behind that port.
    pub(super) fn plan(&self, home: &Home, port: u16, began: Option<String>) -> Result<Plan, Failure> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => tls::given(certificate, key)?,
            _ => tls::own(home, &self.domain)?,
        };
        let config = Config {
            data: home.root().to_path_buf(),
            account: self.account.clone(),
            root_key: home.root_key(self.root_key.as_deref())?,
            url_suffix: format!("{}:{port}", self.domain),
            // From inside the machine the engine is always reached by address: `*.localhost` may not resolve there.
            endpoint: format!("http://127.0.0.1:{port}"),
            https_links: self.domain != "localhost",
            notebooks: self.share.settings(),
        };
        Ok(Plan {
            home: home.clone(),
            config,
            tls,
            allow_reset: self.allow_reset,
            open_metrics: self.open_metrics,
            lasting: Arc::new(Lasting::default()),
            began,
        })
    }
}

pub(super) fn ready(printer: &Printer, endpoint: &str, began: Option<&str>) -> Result<(), Failure> {
    printer.document(&serde_json::json!({"ready": true, "endpoint": endpoint, "began": began}));
    printer.line(&format!("ready: {endpoint}"));
    if let Some(began) = began {
        printer.note(began);
    }
    Ok(())
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("NBVEND_LOG").unwrap_or_else(|_| {
        // The S3 crate reports each refused request as an error of its own.
        tracing_subscriber::EnvFilter::new("warn,nbvend=info,nbvend_cloud=info,nbvend_host=info,s3s=off")
    });
    // A second subscriber would only be one in a test.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
