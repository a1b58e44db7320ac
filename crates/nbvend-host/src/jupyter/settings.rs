//! How a server is set up: its command line, its environment, and the files of ours inside the shared environment.
//!
//! What security rests on stands on the command line, which no configuration file of the user's overrides. What only
//! trims the server stands in files.
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::Environment;
use super::place::{Isolation, View};
use crate::sandbox;

/// The header that names the user to a server. The proxy sets it and removes every copy a client sends.
pub const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-nbvend-user");

/// Tells the server where its kernels are forked.
const KERNELS: &str = "NBVEND_KERNELS";

/// The longest run folder: a unix socket's path has at most 107 bytes, and kernels add "/kernel-<uuid>-ipc-5".
pub const MAX_RUN_DIR: usize = 107 - 1 - "kernel-00000000-0000-0000-0000-000000000000-ipc-5".len();

/// One server to run.
#[derive(Debug, Clone)]
pub struct ServerSpec {
    /// Unique among the servers of a state folder; 1 to 63 characters of a-z, 0-9 and '-'.
    pub id: String,
    /// Which start of this server it is. Starting the same generation again returns the one that runs.
    pub generation: u64,
    /// The work folder: the root of what the notebook shows, kept over stop and start.
    pub home: PathBuf,
    /// For the socket, the log and the kernels' sockets; emptied at each start. At most [`MAX_RUN_DIR`] bytes long.
    pub run_dir: PathBuf,
    /// Who uses it; becomes USER and LOGNAME where there is no sandbox. What Jupyter shows comes with each request, see [`identity`].
    pub user_name: String,
    pub environment: Environment,
    /// Added to the server's environment, which is otherwise empty of what the engine has in its own.
    pub env: Vec<(String, String)>,
    /// None for no sandbox: the server runs as the engine's own user and sees what that sees.
    pub isolation: Option<Isolation>,
}

impl ServerSpec {
    /// Beside the run folder, not in it: what is in it the notebook can replace, by a link to another's socket too.
    pub(super) fn socket(&self) -> PathBuf {
        self.run_dir.with_added_extension("sock")
    }
}

/// The header by which the proxy tells a server who its user is. Any name is accepted.
pub fn identity(user_name: &str) -> (HeaderName, HeaderValue) {
    let mut encoded = String::with_capacity(user_name.len());
    for byte in user_name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    (IDENTITY_HEADER, HeaderValue::try_from(encoded).expect("percent-encoded text is a header value"))
}

/// Settings of Jupyter's that are part of the environment: path and text.
pub(super) const FILES: [(&str, &str); 2] = [
    // The language server extension looks for servers that are not there; notebook_shim serves the old interface.
    // The file takes precedence over the packages' own switches in jupyter_server_config.d.
    (
        "etc/jupyter/jupyter_server_config.json",
        r#"{"ServerApp": {"jpserver_extensions": {"jupyterlab": true, "jupyter_server_terminals": true,
"jupyter_lsp": false, "notebook_shim": false}}}
"#,
    ),
    (
        "etc/jupyter/labconfig/page_config.json",
        r#"{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true,
"@jupyterlab/lsp-extension": true}}
"#,
    ),
];

/// Our own Python beside the packages, in a folder named by its content: a new engine brings a new folder and needs no
/// new environment, and what runs keeps what it was started with.
const OURS: [(&str, &str); 9] = [
    ("nbvend_enter.py", include_str!("python/nbvend_enter.py")),
    ("nbvend_jupyter.py", include_str!("python/nbvend_jupyter.py")),
    ("nbvend_kernels.py", include_str!("python/nbvend_kernels.py")),
    ("nbvend_forker.py", include_str!("python/nbvend_forker.py")),
    ("nbvend_memory.py", include_str!("python/nbvend_memory.py")),
    ("nbvend_server.py", include_str!("python/nbvend_server.py")),
    ("nbvend_zygote.py", include_str!("python/nbvend_zygote.py")),
    ("nbvend_host-1.dist-info/METADATA", include_str!("python/nbvend_host-1.dist-info/METADATA")),
    (
        "nbvend_host-1.dist-info/entry_points.txt",
        include_str!("python/nbvend_host-1.dist-info/entry_points.txt"),
    ),
];

/// Where our own Python lies in the environment at `root`.
pub(super) fn ours(root: &Path) -> PathBuf {
    let mut hash = Sha256::new();
    for (path, text) in OURS {
        hash.update(path);
        hash.update(text);
    }
    root.join(format!("nbvend-{}", &hex::encode(hash.finalize())[..12]))
}

pub(super) fn write_into(root: &Path) -> io::Result<()> {
    write_all(root, &FILES)
}

/// Writes our own Python if it is not there, whole or not at all.
pub(super) fn write_ours(root: &Path) -> io::Result<()> {
    let place = ours(root);
    if place.exists() {
        return Ok(());
    }
    // Others may be about it at the same time.
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
    let partial = place.with_extension(format!("partial-{}-{attempt}", std::process::id()));
    write_all(&partial, &OURS)?;
    // What stands under its name is taken for whole, after a loss of power too.
    rustix::fs::syncfs(std::fs::File::open(&partial)?)?;
    match std::fs::rename(&partial, &place) {
        Err(_) if place.exists() => std::fs::remove_dir_all(&partial),
        done => done,
    }
}

fn write_all(folder: &Path, files: &[(&str, &str)]) -> io::Result<()> {
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// JupyterLab's arguments, the same however the server is started.
pub(super) fn arguments(view: &View) -> Vec<String> {
    let mut arguments = vec!["--no-browser".to_owned()];
    let mut set = |name: &str, value: &str| arguments.push(format!("--{name}={value}"));
    let home = view.home.to_string_lossy();
    // Tells the server that it has no TCP port; the socket itself is handed to it.
    set("ServerApp.sock", &view.run.join("s.sock").to_string_lossy());
    set("ServerApp.root_dir", &view.work.to_string_lossy());
    set("ServerApp.identity_provider_class", "nbvend_jupyter.ProxyIdentity");
    set("ServerApp.kernel_websocket_connection_class", "nbvend_jupyter.Channels");
    set("ServerApp.allow_unauthenticated_access", "False");
    set("ServerApp.disable_check_xsrf", "False");
    // Else the Host check refuses every name but localhost; which names reach us is the proxy's business.
    set("ServerApp.allow_remote_access", "True");
    set("ServerApp.trust_xheaders", "True");
    set("ServerApp.allow_root", "True");
    set("ServerApp.quit_button", "False");
    // In milliseconds, Jupyter's own setting. It looks for a pong each time it is about to ping, so a timeout of no more
    // than the interval ends every connection at the first ping.
    set("ServerApp.tornado_settings", "{'ws_ping_interval': 30000, 'ws_ping_timeout': 90000}");
    // On TCP any local user could attach to the kernels.
    set("KernelManager.transport", "ipc");
    // The default manager builds an HTTP client: 0.2 s and 14 MiB a server.
    set("LabApp.extension_manager", "readonly");
    set("LabApp.check_for_updates_class", "jupyterlab.handlers.announcements.NeverCheckForUpdate");
    set("LabApp.news_url", "None");
    // Jupyter works these out when it is loaded, of a HOME that is not this notebook's.
    set("LabApp.user_settings_dir", &format!("{home}/.jupyter/lab/user-settings"));
    set("LabApp.workspaces_dir", &format!("{home}/.jupyter/lab/workspaces"));
    set("KernelProvisionerFactory.default_provisioner_name", "nbvend");
    arguments
}

/// The whole environment of what runs in a notebook, `spec.env` last; `marker` is what its processes are found by.
pub(super) fn environment(spec: &ServerSpec, view: &View, marker: &str) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    let bin = text(&spec.environment.root().join("bin"));
    // A sandbox knows one user, by the same name in each.
    let user = if view.work == spec.home { &spec.user_name } else { sandbox::USER };
    let mut all: Vec<(String, String)> = [
        ("HOME", text(&view.home)),
        ("USER", user.to_owned()),
        ("LOGNAME", user.to_owned()),
        ("SHELL", shell.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")),
        ("JUPYTER_RUNTIME_DIR", text(&view.run)),
        (KERNELS, text(&view.kernels())),
        ("PYTHONNOUSERSITE", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    all.extend(spec.env.iter().cloned());
    all.push((super::process::MARKER.to_owned(), marker.to_owned()));
    all
}

pub(super) fn run_dir_fits(dir: &Path) -> bool {
    dir.as_os_str().as_bytes().len() <= MAX_RUN_DIR
}

/// Ids become file names and appear in logs.
pub(super) fn id_is_good(id: &str) -> bool {
    (1..=63).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_fits_the_header() {
        for (name, want) in [
            ("Demo-User", "Demo-User"),
            ("Jörg Müller", "J%C3%B6rg%20M%C3%BCller"),
            ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"),
            ("50%", "50%25"),
        ] {
            assert_eq!(identity(name).1, want);
        }
    }

    #[test]
    fn ids_are_file_names() {
        for good in ["a", "demo-user-notebook", &"a".repeat(63)] {
            assert!(id_is_good(good), "{good}");
        }
        for bad in ["", "..", "a/b", "A", "a b", "a\n", &"a".repeat(64)] {
            assert!(!id_is_good(bad), "{bad}");
        }
    }
}
