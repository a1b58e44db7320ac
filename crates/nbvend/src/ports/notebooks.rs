//! Notebooks on this machine: one JupyterLab process each, through `nbvend-host`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use nbvend_cloud::Engine;
use nbvend_cloud::ports::{NotebookHost, NotebookSpec, PortFuture, Started};
use nbvend_cloud::services::sagemaker::access;
use nbvend_host::jupyter::{self, Environment, MAX_RUN_DIR, ServerSpec, Supervisor};
use nbvend_host::proxy::Target;

use super::script;
use crate::failure::Failure;
use crate::home::Home;

/// The servers of one data folder.
pub struct Notebooks {
    home: Home,
    run: PathBuf,
    supervisor: Supervisor,
    /// What a kernel's shell needs to find the engine.
    endpoint: String,
    /// One for each server that was visited, with its user: requests to it share its connections.
    targets: Mutex<HashMap<PathBuf, (String, Target)>>,
}

impl Notebooks {
    /// Opens the books and finds the servers that outlived an earlier engine.
    pub async fn open(home: &Home, endpoint: &str) -> Result<Arc<Self>, Failure> {
        let run = run_folder(home)?;
        let supervisor = Supervisor::new(&home.path("servers"));
        let notebooks = Self {
            home: home.clone(),
            run,
            supervisor,
            endpoint: endpoint.to_owned(),
            targets: Mutex::default(),
        };
        for server in notebooks.supervisor.adopt().await {
            tracing::info!(id = server.id, pid = server.pid, "adopted a notebook server");
        }
        Ok(Arc::new(notebooks))
    }

    /// How many servers run.
    pub fn running(&self) -> usize {
        self.supervisor.running().len()
    }

    /// Where a notebook's requests go, if it runs; `user` is whom Jupyter is told it serves.
    pub fn target(&self, id: &str, user: &str) -> Option<Target> {
        let socket = self.supervisor.socket(id)?;
        let mut targets = self.targets.lock().expect("nobody panics while holding the targets");
        if let Some((known, target)) = targets.get(&socket)
            && known == user
        {
            return Some(target.clone());
        }
        targets.retain(|path, _| path.exists());
        let target =
            Target::new(socket.clone(), jupyter::identity(user)).hide_cookies(crate::server::SESSION_COOKIES);
        targets.insert(socket, (user.to_owned(), target.clone()));
        Some(target)
    }

    /// Tells the engine of servers that end by themselves, for as long as it runs.
    pub async fn watch(self: Arc<Self>, engine: Engine) {
        loop {
            let exit = self.supervisor.exited().await;
            let reason = exit.reason.to_string();
            tracing::warn!(id = exit.id, reason, "a notebook server ended by itself");
            if let Err(error) = access::server_died(&engine, &exit.id, &reason).await {
                tracing::error!(%error, "the engine could not be told");
            }
        }
    }

    /// Ends every server.
    pub async fn stop_all(&self) {
        for server in self.supervisor.running() {
            if let Err(error) = self.supervisor.stop(&server.id).await {
                tracing::warn!(id = server.id, %error, "a server did not end");
            }
        }
    }

    /// Ends every server and removes all files.
    pub async fn delete_all(&self) -> Result<(), Failure> {
        self.stop_all().await;
        let folder = self.home.path("notebooks");
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::io("the notebooks' folder", &folder, &error))
            }
            _ => Ok(()),
        }
    }

    async fn begin(&self, spec: NotebookSpec, started: &mut Started) -> Result<(), String> {
        let environment = self.environment().await?;
        let home = self.folder(&spec.id);
        std::fs::create_dir_all(&home).map_err(|e| format!("{} cannot be made: {e}", home.display()))?;
        let env = vec![
            ("AWS_ENDPOINT_URL".to_owned(), self.endpoint.clone()),
            ("AWS_DEFAULT_REGION".to_owned(), spec.region.clone()),
            ("AWS_REGION".to_owned(), spec.region.clone()),
        ];
        for (hook, script) in &spec.scripts {
            started.logs.push(script::run(hook, script, &home, environment.root(), &env).await?);
        }
        let server = ServerSpec {
            home,
            run_dir: self.run.join(short(&spec.id)),
            user_name: "ec2-user".to_owned(),
            environment,
            env,
            id: spec.id,
            generation: spec.generation,
        };
        self.supervisor.start(server).await.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn environment(&self) -> Result<Environment, String> {
        jupyter::prepare(&self.home.path("jupyter"), |_| {}).await.map_err(|error| error.to_string())
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.home.path("notebooks").join(id)
    }
}

impl NotebookHost for Notebooks {
    fn start(&self, spec: NotebookSpec) -> PortFuture<'_, Started> {
        Box::pin(async move {
            let mut started = Started::default();
            if let Err(reason) = self.begin(spec, &mut started).await {
                started.failure = Some(reason);
            }
            started
        })
    }

    fn stop(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        let id = id.to_owned();
        Box::pin(async move { self.supervisor.stop(&id).await.map_err(|error| error.to_string()) })
    }

    fn delete(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        let id = id.to_owned();
        Box::pin(async move {
            self.supervisor.stop(&id).await.map_err(|error| error.to_string())?;
            for folder in [self.folder(&id), self.run.join(short(&id))] {
                match tokio::fs::remove_dir_all(&folder).await {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(format!("{} cannot be removed: {error}", folder.display()));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn is_running(&self, id: &str) -> bool {
        self.supervisor.socket(id).is_some()
    }
}

/// The engine's handle on the notebooks that the listener shares.
pub struct Shared(pub Arc<Notebooks>);

impl NotebookHost for Shared {
    fn start(&self, spec: NotebookSpec) -> PortFuture<'_, Started> {
        self.0.start(spec)
    }
    fn stop(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        self.0.stop(id)
    }
    fn delete(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        self.0.delete(id)
    }
    fn is_running(&self, id: &str) -> bool {
        self.0.is_running(id)
    }
}

/// A folder for sockets. Their paths have 107 bytes at most, so it lies under the data folder only if that is short.
fn run_folder(home: &Home) -> Result<PathBuf, Failure> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let inside = home.path("run");
    let folder = if inside.as_os_str().len() + 1 + 12 <= MAX_RUN_DIR {
        inside
    } else {
        let base =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.as_os_str().len() <= 20);
        let tag = short(&home.root().to_string_lossy());
        base.unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("nbvend-{tag}"))
    };
    let fail = |error: std::io::Error| Failure::io("the folder for sockets", &folder, &error);
    match std::fs::create_dir(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(fail(error)),
        _ => {}
    }
    // In a shared /tmp somebody else may have been there first.
    let found = std::fs::symlink_metadata(&folder).map_err(fail)?;
    if !found.is_dir() || found.uid() != rustix::process::getuid().as_raw() {
        return Err(Failure::new(format!("{} belongs to somebody else; remove it", folder.display())));
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(fail)?;
    Ok(folder)
}

/// 12 hex digits that stand for a longer name.
fn short(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(text.as_bytes())[..6])
}
