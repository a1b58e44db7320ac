//! What the engine asks of a notebook, in the terms of the host: its server, its sandbox, the scripts before it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use nbvend_cloud::ports::{NotebookSpec, Repository, ScriptLog, StartFailure, Started};
use nbvend_host::jupyter::{Attempt, Environment, Isolation, Script, ScriptEnd, ServerSpec};
use nbvend_host::sandbox::{self, Level, Limits, Volume};
use sha2::{Digest, Sha256};

/// Where a sandboxed notebook finds the AWS APIs, its role's credentials, and the way out. No name leads there: they are
/// addresses of its own network.
pub const API: SocketAddr = here(4566);
pub const CREDENTIALS: SocketAddr = here(51_679);
pub const EGRESS: SocketAddr = here(3128);

const fn here(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// AWS gives a script five minutes; one that takes longer fails the start.
const SCRIPT_LIMIT: Duration = Duration::from_secs(300);
/// Repositories are a convenience: they may not hold a start up for long.
const CLONE_LIMIT: Duration = Duration::from_secs(60);

/// Where `pip install` puts packages, in the work folder.
const PACKAGES: &str = ".packages";

/// The machine's authorities, where Debian and its kin keep them.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where a notebook is to run.
pub struct Site {
    pub home: PathBuf,
    pub run_dir: PathBuf,
    pub environment: Environment,
    pub level: Level,
    /// The volume its work folder is to be, where this machine has volumes.
    pub volume: Option<Volume>,
    /// What reaches the engine where the notebook has no network of its own.
    pub endpoint: String,
    pub credentials_url: String,
}

/// The server, and what is to run before it.
pub fn plan(spec: &NotebookSpec, site: Site) -> (ServerSpec, Vec<Script>) {
    let env = variables(spec, &site);
    let clones = spec.repositories.iter().map(clone);
    let hooks = spec.scripts.iter().map(|(hook, text)| Script {
        name: (*hook).to_owned(),
        text: text.clone(),
        limit: SCRIPT_LIMIT,
        required: true,
    });
    let scripts = clones.chain(hooks).collect();
    let isolation = site.level.contained().then(|| isolation(spec, site.level, site.volume));
    let server = ServerSpec {
        home: site.home,
        run_dir: site.run_dir,
        user_name: "ec2-user".to_owned(),
        environment: site.environment,
        env,
        id: spec.id.clone(),
        generation: spec.generation,
        isolation,
    };
    (server, scripts)
}

fn isolation(spec: &NotebookSpec, level: Level, volume: Option<Volume>) -> Isolation {
    let mut listeners = vec![API, CREDENTIALS];
    if spec.direct_internet {
        listeners.push(EGRESS);
    }
    Isolation {
        level,
        uid: uid(&spec.id),
        limits: Limits { cpu: spec.limits.cpu, memory: spec.limits.memory, pids: spec.limits.pids },
        listeners,
        files: spec.files.clone(),
        volume,
    }
}

/// A number that no user of the machine has and that two notebooks share once in a billion times; even then they share
/// nothing else.
fn uid(id: &str) -> u32 {
    let digest = Sha256::digest(id.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    0x4000_0000 | (number & 0x3fff_ffff)
}

fn variables(spec: &NotebookSpec, site: &Site) -> Vec<(String, String)> {
    let mut all = vec![
        ("AWS_DEFAULT_REGION", spec.region.clone()),
        ("AWS_REGION", spec.region.clone()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", spec.credentials_token.clone()),
    ];
    if site.level.contained() {
        all.push(("AWS_ENDPOINT_URL", format!("http://{API}")));
        all.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{CREDENTIALS}/")));
    } else {
        all.push(("AWS_ENDPOINT_URL", site.endpoint.clone()));
        all.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", site.credentials_url.clone()));
    }
    if site.level.contained() && spec.direct_internet {
        let proxy = format!("http://{EGRESS}");
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            all.push((name, proxy.clone()));
        }
        for name in ["NO_PROXY", "no_proxy"] {
            all.push((name, "localhost,127.0.0.1".to_owned()));
        }
    }
    // The environment is everybody's and read-only. What a person installs stays with the notebook's files.
    let work = if site.level.contained() { PathBuf::from(sandbox::WORK) } else { site.home.clone() };
    let packages = work.join(PACKAGES).to_string_lossy().into_owned();
    all.push(("PIP_TARGET", packages.clone()));
    all.push(("PYTHONPATH", packages));
    // A company's own authority is in the machine's list and not in the one that pip and requests carry.
    if std::path::Path::new(AUTHORITIES).exists() {
        for name in ["PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
            all.push((name, AUTHORITIES.to_owned()));
        }
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Clones what is not there yet. A repository that cannot be reached fails nothing.
fn clone(repository: &Repository) -> Script {
    // Both were checked when the notebook was made: an https URL of visible characters and a plain folder name.
    let url = repository.url.replace('\'', "'\\''");
    let folder = &repository.folder;
    let text = format!(
        "test -e './{folder}' || GIT_TERMINAL_PROMPT=0 exec git clone --quiet -- '{url}' './{folder}'\n"
    );
    Script {
        name: format!("git clone {}", repository.url),
        text: text.into(),
        limit: CLONE_LIMIT,
        required: false,
    }
}

/// What came of it, in the terms of the engine.
pub fn outcome(spec: &NotebookSpec, attempt: Attempt) -> Started {
    let mut started = Started::default();
    for ran in attempt.ran {
        let hook = spec.scripts.iter().map(|(hook, _)| *hook).find(|hook| *hook == ran.name);
        let Some(hook) = hook else {
            if ran.end != ScriptEnd::Done {
                let said = ran.lines.last().map(String::as_str).unwrap_or_default();
                tracing::warn!(what = ran.name, said, "a repository was not cloned");
            }
            continue;
        };
        started.failure = match ran.end {
            ScriptEnd::Done => None,
            ScriptEnd::Late(_) => Some(StartFailure::ScriptTooSlow { hook }),
            ScriptEnd::Failed(reason) => {
                Some(StartFailure::ScriptFailed { hook, status: reason.to_string() })
            }
            ScriptEnd::NotRun(why) => {
                Some(StartFailure::Other(format!("the {hook} script cannot be run: {why}")))
            }
        };
        started.logs.push(ScriptLog { hook, lines: ran.lines });
    }
    if let Err(error) = attempt.result
        && started.failure.is_none()
    {
        started.failure = Some(StartFailure::Other(error.to_string()));
    }
    started
}
