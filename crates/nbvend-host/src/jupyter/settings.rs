//! How a server is set up: its command line, its environment, and the files of ours inside the shared environment.
//!
//! What security rests on stands on the command line, which no configuration file of the user's overrides. What only
//! trims the server stands in files.
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};

use super::Environment;

/// The header that names the user to a server. The proxy sets it and removes every copy a client sends.
pub const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-nbvend-user");

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
    /// Who uses it; becomes USER and LOGNAME. What Jupyter shows comes with each request, see [`identity`].
    pub user_name: String,
    pub environment: Environment,
    /// Added to the server's environment, which is otherwise empty of what the engine has in its own.
    pub env: Vec<(String, String)>,
}

impl ServerSpec {
    pub(super) fn socket(&self) -> PathBuf {
        self.run_dir.join("s.sock")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.run_dir.join("server.log")
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

/// Our files in the environment: path below `site-packages` or `etc/jupyter`, and text.
pub(super) const FILES: [(&str, &str); 3] = [
    ("nbvend_jupyter.py", include_str!("nbvend_jupyter.py")),
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

pub(super) fn write_into(root: &Path) -> io::Result<()> {
    let site_packages = std::fs::read_dir(root.join("lib"))?
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|path| path.is_dir())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the environment has no site-packages"))?;
    for (name, text) in FILES {
        let path = if name.starts_with("etc/") { root.join(name) } else { site_packages.join(name) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Arguments after the interpreter's name.
pub(super) fn arguments(spec: &ServerSpec) -> Vec<String> {
    // -P keeps the work folder, which is the current one, out of the module path: a user's file named json.py would
    // otherwise keep the server from starting. Kernels do have it there.
    let mut arguments: Vec<String> = ["-P", "-m", "jupyterlab", "--no-browser"].map(str::to_owned).into();
    let mut set = |name: &str, value: &str| arguments.push(format!("--{name}={value}"));
    set("ServerApp.sock", &spec.socket().to_string_lossy());
    set("ServerApp.sock_mode", "0600");
    set("ServerApp.root_dir", &spec.home.to_string_lossy());
    set("ServerApp.identity_provider_class", "nbvend_jupyter.ProxyIdentity");
    set("ServerApp.allow_unauthenticated_access", "False");
    set("ServerApp.disable_check_xsrf", "False");
    // Else the Host check refuses every name but localhost; which names reach us is the proxy's business.
    set("ServerApp.allow_remote_access", "True");
    set("ServerApp.trust_xheaders", "True");
    set("ServerApp.allow_root", "True");
    set("ServerApp.quit_button", "False");
    // The timeout must not exceed the interval.
    set("ServerApp.websocket_ping_interval", "30");
    set("ServerApp.websocket_ping_timeout", "30");
    // On TCP any local user could attach to the kernels.
    set("KernelManager.transport", "ipc");
    // The default manager builds an HTTP client: 0.2 s and 14 MiB a server.
    set("LabApp.extension_manager", "readonly");
    set("LabApp.check_for_updates_class", "jupyterlab.handlers.announcements.NeverCheckForUpdate");
    set("LabApp.news_url", "None");
    arguments
}

/// The whole environment of the server, `spec.env` last; `marker` is what its processes are found by.
pub(super) fn environment(spec: &ServerSpec, marker: &str) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    let bin = text(&spec.environment.root().join("bin"));
    let mut all: Vec<(String, String)> = [
        ("HOME", text(&spec.home)),
        ("USER", spec.user_name.clone()),
        ("LOGNAME", spec.user_name.clone()),
        ("SHELL", shell.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")),
        ("JUPYTER_RUNTIME_DIR", text(&spec.run_dir)),
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
