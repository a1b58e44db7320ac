//! Forked servers and kernels: that they are forked, that they behave as if they were not, and what happens when what
//! forks them is gone, broken or out of date.
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nbvend_host::jupyter::{Running, Supervisor, identity};
use nbvend_host::proxy::Target;
use serde_json::json;

use crate::support::client::call;
use crate::support::gate::Gate;
use crate::support::notebook::{
    Browser, ID, Place, alive, command, environment, kill, left, own_environment, parent, processes, replace,
    soon,
};

const FORKER: &str = "nbvend: kernel forker";

/// Starts it by the zygote: a machine that is busy with other tests may take long to load one.
async fn start(supervisor: &Supervisor, place: &Place) -> Running {
    supervisor.warmed(&environment().await).await.unwrap();
    supervisor.start(place.spec(1).await).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn gate(running: &Running) -> Gate {
    Gate::open(Target::new(running.socket.clone(), identity("Demo-User"))).await
}

/// The one process of a server whose command line holds the text.
fn find(place: &Place, text: &str) -> Option<i32> {
    processes(place).into_iter().find(|pid| command(*pid).contains(text))
}

#[tokio::test]
async fn servers_and_kernels_are_forked_and_look_as_if_they_were_not() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    assert_eq!(command(running.pid), format!("nbvend: notebook {ID}"));
    assert!(command(parent(running.pid)).contains("nbvend_zygote.py"));

    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    let python = find(&place, "ipykernel_launcher").expect("the kernel has the name of its command");
    let forker = find(&place, FORKER).unwrap();
    assert_eq!((parent(python), parent(forker)), (forker, running.pid));

    let root = environment().await.root().display().to_string();
    for (code, want) in [
        ("import sys; sys.executable", format!("'{root}/bin/python'")),
        ("sys.argv[0].endswith('ipykernel_launcher.py'), sys.argv[1]", "(True, '-f')".to_owned()),
        (
            "sys.path[-1].endswith('site-packages'), sys.path.count(''), sys.flags.isolated",
            "(True, 1, 0)".to_owned(),
        ),
        ("[p for p in sys.path if '/nbvend-' in p]", "[]".to_owned()),
        ("import os; os.environ['HOME'] == os.getcwd() == os.path.expanduser('~')", "True".to_owned()),
        (
            "sorted(n for n in os.environ if n.startswith('NBVEND'))",
            "['NBVEND_KERNELS', 'NBVEND_SERVER', 'NBVEND_TEST']".to_owned(),
        ),
        (
            "[os.readlink(f'/proc/self/fd/{n}').startswith('socket') for n in (1, 2) if False]",
            "[]".to_owned(),
        ),
        ("os.umask(0o22), os.getsid(0) == os.getpid()", "(63, True)".to_owned()),
        (
            "import subprocess; subprocess.run([sys.executable, '-c', 'import json; print(5)'], capture_output=True).stdout",
            "b'5\\n'".to_owned(),
        ),
        ("import multiprocessing as m; m.get_context('fork').Pool(2).map(abs, [-3])", "[3]".to_owned()),
        ("__name__, __import__('__main__').__dict__ is globals()", "('__main__', True)".to_owned()),
    ] {
        assert_eq!(browser.run(&kernel, code).await, want, "{code}");
    }
    // Two kernels draw different numbers and have different ids, although they were one process.
    let second = browser.kernel("python3").await;
    let draw = "import random, uuid; (random.random(), uuid.uuid4().hex)";
    assert_ne!(browser.run(&kernel, draw).await, browser.run(&second, draw).await);
    // The page, its settings and its files are in this notebook's own home.
    let settings = json!({"raw": "{\"theme\": \"JupyterLab Dark\"}"});
    let theme = "@jupyterlab/apputils-extension:themes";
    browser.send("PUT", &format!("/lab/api/settings/{theme}"), settings).await;
    assert!(place.home().join(".jupyter/lab/user-settings").exists());
    supervisor.stop(ID).await.unwrap();
    assert_eq!(left(&place).await, Vec::<String>::new());
}

/// Packages of the user's are for kernels: the server never loads them, however it is started.
#[tokio::test]
async fn a_path_for_python_is_for_kernels_alone() {
    for broken in [false, true] {
        let place = Place::new();
        let mut spec = place.spec(1).await;
        if broken {
            spec.environment = own_environment(&place).await;
            replace(&spec.environment, "nbvend_zygote.py", "raise SystemExit('broken on purpose')");
        }
        let packages = place.home().join("packages");
        std::fs::create_dir_all(&packages).unwrap();
        std::fs::write(packages.join("mine.py"), "here = 7").unwrap();
        std::fs::write(packages.join("tornado.py"), "raise SystemExit('the wrong tornado')").unwrap();
        spec.env.push(("PYTHONPATH".to_owned(), packages.display().to_string()));
        let supervisor = place.supervisor();
        assert_eq!(supervisor.warmed(&spec.environment).await.is_err(), broken);
        let running = supervisor.start(spec).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(command(running.pid).contains("nbvend_server.py"), broken);
        std::fs::remove_file(packages.join("tornado.py")).unwrap();
        let gate = gate(&running).await;
        let browser = Browser::open(&gate).await;
        let kernel = browser.kernel("python3").await;
        assert_eq!(browser.run(&kernel, "import mine, sys; mine.here, sys.flags.isolated").await, "(7, 0)");
        let again = "import subprocess as s; s.run([sys.executable, '-c', 'import mine; print(mine.here)'], \
                     capture_output=True).stdout";
        assert_eq!(browser.run(&kernel, again).await, "b'7\\n'");
        let python = find(&place, "ipykernel_launcher").unwrap();
        assert_eq!(parent(python) == running.pid, broken);
    }
}

#[tokio::test]
async fn a_forked_kernel_is_interrupted_restarted_and_ended() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    let first = find(&place, "ipykernel_launcher").unwrap();

    let mut cell = browser.begin(&kernel, "import time; print('begun', flush=True); time.sleep(600)").await;
    cell.until("stream").await;
    assert_eq!(supervisor.status(ID).await.unwrap().busy_kernels(), 1);
    let begun = Instant::now();
    browser.send("POST", &format!("/api/kernels/{kernel}/interrupt"), json!({})).await;
    assert_eq!(cell.until("error").await["content"]["ename"], "KeyboardInterrupt");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());

    assert_eq!(browser.run(&kernel, "x = 5; x").await, "5");
    browser.send("POST", &format!("/api/kernels/{kernel}/restart"), json!({})).await;
    assert_eq!(browser.run(&kernel, "'x' in globals()").await, "False");
    assert!(!alive(first));

    // One that kills itself is started again by Jupyter, as a fork too.
    let second = find(&place, "ipykernel_launcher").unwrap();
    let mut cell = browser.begin(&kernel, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)").await;
    while cell.until("status").await["content"]["execution_state"] != "restarting" {}
    let third =
        soon("another kernel", || find(&place, "ipykernel_launcher").filter(|pid| *pid != second)).await;
    assert_eq!(parent(third), find(&place, FORKER).unwrap());
    assert_eq!(browser.run(&kernel, "1+1").await, "2");

    browser.send("DELETE", &format!("/api/kernels/{kernel}"), json!({})).await;
    soon("the kernel's end", || find(&place, "ipykernel_launcher").is_none().then_some(())).await;
    assert_eq!(supervisor.status(ID).await.unwrap().kernels, []);
}

/// The Python side by itself: exit codes and signals are true, and what cannot be forked is refused.
#[tokio::test]
async fn how_a_forked_kernel_ended_is_told_truly() {
    let environment = environment().await;
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/forker.py");
    let output = Command::new(environment.root().join("bin/python"))
        .arg(test)
        .env_clear()
        .env("PYTHONPATH", environment.ours())
        .env("PYTHONNOUSERSITE", "1")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("all is well"), "{said}");
}

#[tokio::test]
async fn a_kernel_of_another_kind_is_started_by_its_command() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let folder = place.home().join(".local/share/jupyter/kernels/other");
    std::fs::create_dir_all(&folder).unwrap();
    let python = environment().await.root().join("bin/python");
    let spec = json!({"argv": [python, "-X", "dev", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Other", "language": "python", "env": {"ONLY_HERE": "yes"}});
    std::fs::write(folder.join("kernel.json"), spec.to_string()).unwrap();
    let running = start(&supervisor, &place).await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("other").await;
    assert_eq!(
        browser.run(&kernel, "import os, sys; (sys.flags.dev_mode, os.environ['ONLY_HERE'])").await,
        "(True, 'yes')"
    );
    let pid = find(&place, "ipykernel_launcher").unwrap();
    assert_eq!(parent(pid), running.pid);
}

#[tokio::test]
async fn kernels_start_without_the_forker_and_it_comes_back() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let old = browser.kernel("python3").await;
    assert_eq!(browser.run(&old, "x = 6; x").await, "6");
    let forker = find(&place, FORKER).unwrap();
    kill(forker);
    let by_command = browser.kernel("python3").await;
    assert_eq!(browser.run(&by_command, "1+1").await, "2");
    assert_eq!(browser.run(&old, "x").await, "6", "a kernel outlives its forker");

    let next = soon("another forker", || find(&place, FORKER).filter(|pid| *pid != forker)).await;
    let kernels = || -> Vec<i32> {
        processes(&place).into_iter().filter(|pid| command(*pid).contains("ipykernel_launcher")).collect()
    };
    // The second may have been the new forker's already, if that was quick.
    let before = kernels();
    let forked = browser.kernel("python3").await;
    assert_eq!(browser.run(&forked, "2+2").await, "4");
    let new: Vec<i32> = kernels().into_iter().filter(|pid| !before.contains(pid)).collect();
    assert_eq!(new.iter().map(|pid| parent(*pid)).collect::<Vec<_>>(), [next]);
    supervisor.stop(ID).await.unwrap();
    assert_eq!(left(&place).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_zygote_is_replaced_and_its_servers_live_on() {
    let (place, other) = (Place::new(), Place::new());
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    let zygote = parent(running.pid);
    kill(zygote);
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    assert_eq!(browser.run(&kernel, "6*7").await, "42");

    // A start in the meantime waits for the next one or goes without.
    let mut spec = other.spec(1).await;
    spec.id = "another".to_owned();
    let second = supervisor.start(spec.clone()).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(supervisor.status("another").await.is_some());
    supervisor.stop("another").await.unwrap();
    assert!(!alive(second.pid));
    spec.generation = 2;
    supervisor.warmed(&environment().await).await.unwrap();
    let third = supervisor.start(spec).await.unwrap();
    assert!(command(parent(third.pid)).contains("nbvend_zygote.py"));
    assert_ne!(parent(third.pid), zygote);
    supervisor.stop("another").await.unwrap();

    // How the first server ends nobody can tell us, but that it does.
    kill(running.pid);
    assert_eq!(supervisor.exited().await.id, ID);
    assert_eq!(left(&place).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_zygote_only_makes_the_start_slow() {
    let place = Place::new();
    let own = own_environment(&place).await;
    replace(&own, "nbvend_zygote.py", "raise SystemExit('broken on purpose')");
    let supervisor = place.supervisor();
    let mut spec = place.spec(1).await;
    spec.environment = own;
    let running = supervisor.start(spec).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(command(running.pid).contains("nbvend_server.py"), "{}", command(running.pid));
    let log = std::fs::read_dir(place.state()).unwrap().flatten().map(|entry| entry.path());
    let log = log.into_iter().find(|path| path.to_string_lossy().contains("zygote-")).unwrap();
    assert!(std::fs::read_to_string(log).unwrap().contains("broken on purpose"));
    let gate = gate(&running).await;
    let browser = Browser::open(&gate).await;
    let kernel = browser.kernel("python3").await;
    assert_eq!(browser.run(&kernel, "6*7").await, "42");
    assert_eq!(supervisor.status(ID).await.unwrap().kernels.len(), 1);
    supervisor.stop(ID).await.unwrap();
    assert_eq!(left(&place).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_fork_that_fails_says_why_and_the_server_starts_all_the_same() {
    let place = Place::new();
    let own = own_environment(&place).await;
    let enter = std::fs::read_to_string(own.ours().join("nbvend_enter.py")).unwrap();
    let enter = enter.replace(
        "def drop(entry):",
        "def drop(entry):\n    raise OSError('refused on purpose')\n\ndef unused(entry):",
    );
    replace(&own, "nbvend_enter.py", &enter);
    let supervisor = place.supervisor();
    let mut spec = place.spec(1).await;
    supervisor.warmed(&own).await.unwrap();
    spec.environment = own;
    let running = supervisor.start(spec).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(command(running.pid).contains("nbvend_server.py"), "{}", command(running.pid));
    assert_eq!(processes(&place), [running.pid], "nothing is left of the fork");
}

#[tokio::test]
async fn packages_that_change_bring_a_new_zygote() {
    let place = Place::new();
    let own = own_environment(&place).await;
    let supervisor = place.supervisor();
    let mut spec = place.spec(1).await;
    spec.environment = own.clone();
    supervisor.warmed(&own).await.unwrap();
    let first = parent(supervisor.start(spec.clone()).await.unwrap().pid);
    spec.generation = 2;
    let second = parent(supervisor.start(spec.clone()).await.unwrap().pid);
    assert_eq!(first, second);
    let packages = std::fs::read_dir(own.root().join("lib")).unwrap().flatten().next().unwrap().path();
    std::fs::write(packages.join("site-packages/added.py"), "here = 1").unwrap();
    supervisor.warmed(&own).await.unwrap();
    spec.generation = 3;
    let running = supervisor.start(spec).await.unwrap();
    let third = parent(running.pid);
    assert_ne!(first, third);
    assert!(command(third).contains("nbvend_zygote.py"));
    soon("the old zygote's end", || (!alive(first)).then_some(())).await;
}

#[tokio::test]
async fn processes_that_no_record_leads_to_are_ended() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    // An engine without any memory of it: the record is gone.
    std::fs::remove_file(place.state().join(format!("{ID}.server"))).unwrap();
    let next = place.supervisor();
    assert_eq!(next.adopt().await, []);
    assert_eq!(left(&place).await, Vec::<String>::new());
    assert!(!alive(running.pid));
    // And the other way round: a record without a process.
    drop(supervisor);
    let running = start(&next, &place).await;
    drop(next);
    let third = place.supervisor();
    kill(running.pid);
    soon("its end", || (!alive(running.pid)).then_some(())).await;
    assert_eq!(third.adopt().await, []);
    assert!(!place.state().join(format!("{ID}.server")).exists());
    assert_eq!(left(&place).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_open_tab_alone_is_no_use() {
    let place = Place::new();
    let supervisor = place.supervisor();
    let running = start(&supervisor, &place).await;
    let gate = gate(&running).await;
    let fresh = supervisor.status(ID).await.unwrap();
    assert_eq!((fresh.last_use, fresh.kernels.len(), fresh.terminals.len()), (None, 0, 0));
    assert_eq!(fresh.last_activity(), fresh.started);
    for path in
        ["/api/kernels", "/api/sessions", "/api/terminals", "/api/contents?content=1", "/lab/api/settings"]
    {
        assert_eq!(call(gate.address, "GET", path, &[], b"").await.status, 200, "{path}");
    }
    assert_eq!(supervisor.status(ID).await.unwrap(), fresh);

    let browser = Browser::open(&gate).await;
    let opened = supervisor.status(ID).await.unwrap().last_use.expect("opening the page is use");
    browser
        .send("PUT", "/lab/api/workspaces/default", json!({"data": {}, "metadata": {"id": "default"}}))
        .await;
    assert_eq!(supervisor.status(ID).await.unwrap().last_use, Some(opened));
    browser
        .send("PUT", "/api/contents/a.txt", json!({"type": "file", "format": "text", "content": ""}))
        .await;
    assert!(supervisor.status(ID).await.unwrap().last_use > Some(opened));

    browser.send("POST", "/api/terminals", json!({})).await;
    let terminal = &supervisor.status(ID).await.unwrap().terminals[0];
    assert!(terminal.last_activity.is_some());
    let kernel = browser.kernel("python3").await;
    let before = supervisor.status(ID).await.unwrap();
    assert_eq!(browser.run(&kernel, "1").await, "1");
    let after = supervisor.status(ID).await.unwrap();
    assert!(after.kernels[0].last_activity > before.kernels[0].last_activity, "{before:?} {after:?}");
}
