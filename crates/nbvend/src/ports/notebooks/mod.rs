//! Notebooks on this machine, through `nbvend-host`: one JupyterLab server each, in a sandbox of its own where the machine
//! can make one. [`plan`] says what is started, [`inside`] is what the engine serves in the sandbox.

mod evidence;
mod inside;
mod plan;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use futures_util::future::join_all;
use nbvend_cloud::Engine;
use nbvend_cloud::ports::{
    Activity, Capacity, NotebookHost, NotebookSpec, PortFuture, StartFailure, Started,
};
use nbvend_cloud::services::sagemaker::access;
use nbvend_host::jupyter::{self, Environment, MAX_RUN_DIR, Supervisor};
use nbvend_host::proxy::Target;
use nbvend_host::sandbox::{self, Level, Offer, Volume};

use inside::Insides;

use super::machine;
use crate::failure::Failure;
use crate::home::Home;
use crate::server::Site;

/// The servers of one data folder.
pub struct Notebooks {
    home: Home,
    run: PathBuf,
    supervisor: Supervisor,
    /// What a kernel's shell needs to find the engine.
    endpoint: String,
    /// One for each server that was visited, with its user: requests to it share its connections.
    targets: Mutex<HashMap<PathBuf, (String, Target)>>,
    insides: Arc<Insides>,
    /// What keeps notebooks apart here, once it was tried.
    offer: Arc<OnceLock<Offer>>,
}

impl Notebooks {
    /// Makes ready what can be while another engine may still run on the folder. Must be called in a runtime.
    pub fn open(home: &Home, endpoint: &str) -> Result<Arc<Self>, Failure> {
        let run = run_folder(home)?;
        let supervisor = Supervisor::new(&home.path("servers"));
        let notebooks = Self {
            home: home.clone(),
            run,
            supervisor,
            endpoint: endpoint.to_owned(),
            targets: Mutex::default(),
            insides: Arc::default(),
            offer: Arc::default(),
        };
        // Tried beside the start of the engine, which need not wait for it.
        let (offer, scratch) = (Arc::clone(&notebooks.offer), notebooks.scratch());
        std::thread::spawn(move || offer.get_or_init(|| sandbox::probe(&scratch)).level);
        if let Some(environment) = jupyter::prepared(&home.path("jupyter")) {
            notebooks.supervisor.warm(&environment);
        }
        Ok(Arc::new(notebooks))
    }

    /// Returns when servers can be started fast, or cannot be.
    pub async fn warmed(&self) {
        if let Some(environment) = jupyter::prepared(&self.home.path("jupyter"))
            && let Err(why) = self.supervisor.warmed(&environment).await
        {
            tracing::warn!(why, "notebooks will start slowly");
        }
    }

    /// Finds the servers that outlived an earlier engine. No other may run on the folder.
    pub async fn adopt(&self) {
        for server in self.supervisor.adopt().await {
            tracing::info!(id = server.id, pid = server.pid, "adopted a notebook server");
        }
    }

    /// From now on there is an engine for what is in sandboxes. To be called on the runtime that serves connections.
    /// Before slow work begins: a sandbox made earlier would wait for an engine in vain.
    pub fn attach(&self, site: &Arc<Site>) {
        self.insides.attach(site);
        let (insides, runtime) = (Arc::clone(&self.insides), tokio::runtime::Handle::current());
        self.supervisor.on_sandbox(move |id, sandbox| {
            let (insides, id, sandbox) = (Arc::clone(&insides), id.to_owned(), sandbox.clone());
            runtime.spawn(async move { insides.enter(&id, &sandbox).await });
        });
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

    /// Whether a running notebook has such a folder at the top of its files.
    pub async fn has_folder(&self, id: &str, name: &str) -> bool {
        self.supervisor.has_folder(id, name).await
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
        let stops = self.supervisor.known().into_iter().map(|id| async move {
            if let Err(error) = self.end(&id).await {
                tracing::warn!(id, error, "a server did not end");
            }
        });
        join_all(stops).await;
    }

    async fn end(&self, id: &str) -> Result<(), String> {
        self.supervisor.stop(id).await.map_err(|error| error.to_string())
    }

    /// Ends every server and removes all files.
    pub async fn delete_all(&self) -> Result<(), Failure> {
        self.stop_all().await;
        let folder = self.home.path("notebooks");
        remove(folder.clone()).await.map_err(|error| Failure::io("the notebooks' folder", &folder, &error))
    }

    /// Serves what the notebooks' sandboxes reach.
    pub async fn enter_all(&self) {
        for server in self.supervisor.running() {
            if let Some(sandbox) = self.supervisor.sandbox(&server.id) {
                self.insides.enter(&server.id, &sandbox).await;
            }
        }
    }

    /// What comes newly from a sandbox waits in the kernel until somebody calls [`Notebooks::enter_all`].
    pub fn stop_accepting(&self) {
        self.insides.stop_accepting();
    }

    /// What keeps notebooks apart on this machine. Some tens of milliseconds at the first time.
    pub fn offer(&self) -> &Offer {
        self.offer.get_or_init(|| sandbox::probe(&self.scratch()))
    }

    /// Whether functions can be kept apart, too: that takes a user of their own.
    pub fn confines_functions(&self) -> bool {
        self.offer().level == Level::Full
    }

    fn scratch(&self) -> PathBuf {
        self.home.path("scratch")
    }

    async fn begin(&self, spec: NotebookSpec) -> Result<Started, String> {
        let environment = self.environment().await?;
        let home = self.folder(&spec.id);
        std::fs::create_dir_all(&home).map_err(|e| format!("{} cannot be made: {e}", home.display()))?;
        let volume = self.volume(&spec, &home)?;
        let site = plan::Site {
            volume,
            home,
            run_dir: self.run.join(short(&spec.id)),
            environment,
            level: self.offer().level,
            endpoint: self.endpoint.clone(),
            credentials_url: self.credentials_url(&spec.id),
        };
        let (server, scripts) = plan::plan(&spec, site);
        let attempt = self.supervisor.start_after(server, scripts).await;
        Ok(plan::outcome(&spec, attempt))
    }

    /// The volume a notebook's files are in, where there can be one. What was put into one is never passed over.
    fn volume(&self, spec: &NotebookSpec, home: &Path) -> Result<Option<Volume>, String> {
        let image = Volume::image_of(home);
        let Some(why) = &self.offer().no_volumes else {
            return Ok(Some(Volume { image, bytes: spec.volume_gb << 30 }));
        };
        match image.try_exists() {
            Ok(false) => Ok(None),
            Ok(true) => Err(format!(
                "its files are in the volume {}, which cannot be mounted here: {why}",
                image.display()
            )),
            Err(error) => Err(format!("{}: {error}", image.display())),
        }
    }

    /// Whether a notebook can write no more than its volume has.
    pub fn enforces_volume(&self, id: &str) -> bool {
        match self.supervisor.sandbox(id) {
            Some(sandbox) => sandbox.record().volume,
            None => self.supervisor.socket(id).is_none() && self.offer().no_volumes.is_none(),
        }
    }

    /// Where what runs in a notebook asks for its role's credentials.
    fn credentials_url(&self, id: &str) -> String {
        format!("{}{}{id}", self.endpoint, crate::server::CREDENTIALS)
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
            self.begin(spec).await.unwrap_or_else(|reason| Started {
                failure: Some(StartFailure::Other(reason)),
                ..Started::default()
            })
        })
    }

    fn stop(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        let id = id.to_owned();
        Box::pin(async move { self.end(&id).await })
    }

    fn delete(&self, id: &str) -> PortFuture<'_, Result<(), String>> {
        let id = id.to_owned();
        Box::pin(async move {
            self.end(&id).await?;
            let work = self.folder(&id);
            Volume::remove(&work)
                .map_err(|error| format!("the volume of {} cannot be removed: {error}", work.display()))?;
            for folder in [self.folder(&id), self.run.join(short(&id))] {
                let removed = remove(folder.clone()).await;
                removed.map_err(|error| format!("{} cannot be removed: {error}", folder.display()))?;
            }
            self.supervisor.forget(&id);
            Ok(())
        })
    }

    fn is_running(&self, id: &str) -> bool {
        self.supervisor.socket(id).is_some()
    }

    fn capacity(&self) -> Capacity {
        machine::capacity()
    }

    fn activity(&self, id: &str) -> PortFuture<'_, Option<Activity>> {
        let server = self.supervisor.running().into_iter().find(|server| server.id == id);
        Box::pin(async move {
            let server = server?;
            let said = self.supervisor.status(&server.id).await?;
            // Kernels are forked beside the server: what its control group counts is all of it.
            let counted = self.supervisor.sandbox(&server.id).and_then(|sandbox| sandbox.usage().cpu_seconds);
            Some(evidence::of(&said, counted.or_else(|| evidence::cpu_seconds(server.pid))))
        })
    }

    fn isolation(&self) -> &'static str {
        self.offer().level.as_str()
    }

    fn enforces_volume(&self, id: &str) -> bool {
        self.enforces_volume(id)
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
    fn capacity(&self) -> Capacity {
        self.0.capacity()
    }
    fn activity(&self, id: &str) -> PortFuture<'_, Option<Activity>> {
        self.0.activity(id)
    }
    fn isolation(&self) -> &'static str {
        self.0.isolation()
    }
    fn enforces_volume(&self, id: &str) -> bool {
        self.0.enforces_volume(id)
    }
}

/// Its owner may have filled it with anything.
async fn remove(folder: PathBuf) -> std::io::Result<()> {
    let work = tokio::task::spawn_blocking(move || nbvend_host::remove_tree(&folder));
    work.await.map_err(std::io::Error::other)?
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
