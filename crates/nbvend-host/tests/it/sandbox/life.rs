//! Making, entering, taking over and ending.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use nbvend_host::sandbox::{Command, Level, Record, Sandbox, SandboxError};
use rustix::process::{Pid, Signal, kill_process};

use super::place::{Box_, Place, available, interpreter, level, offer, processes, run_for, status};

#[test]
fn the_probe_tells_the_truth() {
    let offer = offer();
    println!("{offer:?}");
    let root = rustix::process::geteuid().is_root();
    match offer.level {
        Level::Full => assert!(root && offer.why_not.is_empty(), "{offer:?}"),
        level => {
            // Whatever is stronger was tried and has its reason.
            assert!(offer.why_not.iter().all(|(stronger, reason)| *stronger > level && !reason.is_empty()));
            assert!(!offer.why_not.is_empty());
        }
    }
}

#[tokio::test]
async fn a_command_runs_inside_as_the_notebooks_user() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let started = Instant::now();
    let sandbox = place.sandbox("a", Level::Full).await;
    println!("created in {:?}", started.elapsed());
    let uid = sandbox.spec.uid;
    let (text, end) = sandbox.shell("id -u; id -un; pwd; echo $HOME; hostname; ls /; touch x; ls -ln").await;
    println!("{text}");
    assert!(end.success(), "{text}");
    assert!(
        text.starts_with(&format!("{uid}\nec2-user\n/home/ec2-user/SageMaker\n/home/ec2-user\nnotebook\n"))
    );
    assert_eq!(fs::read(sandbox.spec.work.join("x")).unwrap(), b"");
    for (name, wanted) in
        [("Uid", format!("{uid}\t{uid}\t{uid}\t{uid}")), ("CapEff", "0".repeat(16)), ("Seccomp", "2".into())]
    {
        assert_eq!(status(sandbox.host_pid(), name), wanted);
    }
    let killed = Instant::now();
    sandbox.kill().await.unwrap();
    println!("killed in {:?}", killed.elapsed());
}

#[tokio::test]
async fn sandboxes_are_made_and_ended_one_after_the_other_and_are_small() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let specs: Vec<_> = (0..12).map(|number| place.spec(&format!("n{number}"), Level::Full)).collect();
    // Figures for people: what they are worth is measured by the benchmarks, not on a machine that runs other tests.
    let (mut made, mut killed) = (Vec::new(), Vec::new());
    for spec in &specs {
        let started = Instant::now();
        let sandbox = Box_::create(spec).await;
        made.push(started.elapsed());
        let started = Instant::now();
        sandbox.kill().await.unwrap();
        killed.push(started.elapsed());
    }
    made.sort();
    killed.sort();
    println!("create {made:?}\nkill {killed:?}");
    let mut many = Vec::new();
    for spec in &specs {
        many.push(Box_::create(spec).await);
    }
    let resident = |sandbox: &Box_| {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", sandbox.host_pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let mean = many.iter().map(resident).sum::<u64>() / many.len() as u64;
    println!("first processes take {mean} KiB each");
    assert!(mean < 3000, "{mean}");
}

/// Who still runs in a notebook of this user, and which groups still bear its name.
fn left_of(uid: u32, id: &str) -> Vec<String> {
    let uid = uid.to_string();
    let of_user = |pid: i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        text.lines().any(|line| {
            line.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().any(|word| word == uid))
        })
    };
    let mut left: Vec<String> = processes()
        .into_iter()
        .filter(|(pid, _)| of_user(*pid))
        .map(|(pid, line)| format!("{pid} {line}"))
        .collect();
    let mut folders = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().contains(&format!("nbvend-{id}-")) {
                    left.push(entry.path().display().to_string());
                }
                folders.push(entry.path());
            }
        }
    }
    left
}

fn mounts() -> String {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    text.lines().filter(|line| !line.contains("/tmp/nbsb-m")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_killed_sandbox_leaves_nothing() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let before = mounts();
    for (id, init_first) in [("ends-by-kill", false), ("ends-by-init", true)] {
        let sandbox = place.sandbox(id, Level::Full).await;
        let uid = sandbox.spec.uid;
        // What fled into sessions of its own goes too.
        let script = "for i in 1 2 3; do setsid sleep 600 >/dev/null 2>&1 & done; setsid sh -c 'sleep 600 & sleep 600' >/dev/null 2>&1 & sleep 0.3";
        assert!(sandbox.shell(script).await.1.success());
        assert!(left_of(uid, id).len() >= 6, "{:?}", left_of(uid, id));
        if init_first {
            kill_process(Pid::from_raw(sandbox.host_pid()).unwrap(), Signal::KILL).unwrap();
            tokio::time::timeout(Duration::from_secs(30), sandbox.ended()).await.unwrap();
        }
        sandbox.kill().await.unwrap();
        assert_eq!(left_of(uid, id), Vec::<String>::new());
        assert!(!sandbox.spec.control.exists());
        // Again is no harm, and the same name can live again.
        sandbox.kill().await.unwrap();
        let again = Box_::create(&sandbox.spec).await;
        assert_eq!(again.says("print(1)").await, "1");
    }
    assert_eq!(mounts(), before);
    let mut names: Vec<_> = fs::read_dir(place.dir.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ends-by-init.run", "ends-by-init.work", "ends-by-kill.run", "ends-by-kill.work"]);
}

#[tokio::test]
async fn the_next_engine_adopts_a_sandbox_and_its_listeners() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", level).await;
    let waiting = sandbox.spawn(Command {
        argv: vec!["/bin/sh".into(), "-c".into(), "sleep 600".into()],
        ..Command::default()
    });
    let waiting = waiting.await.unwrap();
    // The record goes through a file, as it does between engines.
    let text = serde_json::to_string(&sandbox.record()).unwrap();
    let record: Record = serde_json::from_str(&text).unwrap();
    let adopted = Sandbox::adopt(&record).await.unwrap();
    let wanted: Vec<SocketAddr> = sandbox.spec.listeners.clone();
    for _ in 0..2 {
        let listeners = adopted.listeners().await.unwrap();
        assert_eq!(listeners.iter().map(|(address, _)| *address).collect::<Vec<_>>(), wanted);
        for (address, listener) in listeners {
            assert_eq!(answered(&adopted, address, listener).await, "from outside");
        }
    }
    // The same address in another notebook is another listener.
    let other = place.sandbox("b", level).await;
    let (text, _) =
        other.python("import socket\nprint(socket.create_connection(('127.0.0.1', 4566), 1))").await;
    assert!(text.contains("raddr=('127.0.0.1', 4566)"), "{text}");
    assert_eq!(rustix::process::test_kill_process(Pid::from_raw(waiting.pid).unwrap()), Ok(()));
    // Records of others are not taken: another process, another name, no process.
    let change = |name: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(&text_of(&record)).unwrap();
        json[name] = value;
        serde_json::from_value::<Record>(json).unwrap()
    };
    assert!(Sandbox::adopt(&change("pid", std::process::id().into())).await.is_none());
    assert!(Sandbox::adopt(&change("id", "c".into())).await.is_none());
    assert!(Sandbox::adopt(&change("control", other.spec.control.to_str().unwrap().into())).await.is_none());
    assert!(Sandbox::adopt(&change("boot", "another".into())).await.is_none());
    adopted.kill().await.unwrap();
    assert!(Sandbox::adopt(&record).await.is_none());
    // Killed with all others, the first process has the time to tell of it or has not: whoever waits, waits no longer.
    match tokio::time::timeout(Duration::from_secs(30), waiting.ended()).await.unwrap() {
        Ok(end) => assert_eq!(end.signal, Some(9)),
        Err(error) => assert_eq!(error.to_string(), "the sandbox has ended"),
    }
}

#[tokio::test]
async fn a_probe_ends_what_one_that_was_killed_has_left() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let folder = place.path("probe-full");
    fs::create_dir(&folder).unwrap();
    let mut spec = place.spec("probe", Level::Full);
    spec.control = folder.join("ctl");
    let left = Sandbox::create(&spec).await.unwrap();
    let pid = left.record().pid;
    let scratch = place.dir.path().to_path_buf();
    let offer = tokio::task::spawn_blocking(move || nbvend_host::sandbox::probe(&scratch)).await.unwrap();
    assert_eq!(offer.level, Level::Full);
    let state = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(!state.contains("nbvend-init") || state.contains("State:\tZ"), "{state}");
    assert!(!folder.exists());
}

#[tokio::test]
async fn one_that_is_slow_to_answer_is_not_taken_for_dead() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("slow", level).await;
    let pid = Pid::from_raw(sandbox.host_pid()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let record = sandbox.record();
    let adopting = tokio::spawn(async move { Sandbox::adopt(&record).await });
    // Longer than one request waits for its answer.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!adopting.is_finished());
    kill_process(pid, Signal::CONT).unwrap();
    assert!(adopting.await.unwrap().is_some());
    // One that dies meanwhile is not waited for.
    kill_process(pid, Signal::STOP).unwrap();
    let record = sandbox.record();
    let adopting = tokio::spawn(async move { Sandbox::adopt(&record).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    sandbox.kill().await.unwrap();
    assert!(adopting.await.unwrap().is_none());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

fn text_of(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

/// Accepts outside what Python inside connects to.
async fn answered(sandbox: &Sandbox, address: SocketAddr, listener: TcpListener) -> String {
    listener.set_nonblocking(false).unwrap();
    let serve = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"from outside").unwrap());
    let script = format!(
        "import socket\nprint(socket.create_connection(('{}', {}), 5).makefile().read())",
        address.ip(),
        address.port()
    );
    let program = interpreter().0;
    let (text, _) =
        run_for(sandbox, &[program.to_str().unwrap(), "-c", &script], Duration::from_secs(10)).await;
    serve.join().unwrap();
    text.trim_end().to_owned()
}

/// What the preloaded process does for a server: it comes in from outside by following the entry.
#[tokio::test]
async fn a_process_from_outside_enters() {
    const ENTER: &str = r#"
import os, json, sys, ctypes, base64, resource, struct
entry = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def good(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
for group in entry["cgroups"]:
    fd = os.open(group, os.O_WRONLY)
    os.write(fd, b"0")
    os.close(fd)
for number, name in enumerate(entry["namespaces"]):
    good(libc.setns(10 + number, 0))
    os.close(10 + number)
pid = os.fork()
if pid:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.setsid()
for name, (soft, hard) in entry["rlimits"].items():
    kind = getattr(resource, "RLIMIT_" + name)
    most = resource.getrlimit(kind)[1]
    value = hard if most == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(kind, (value, value))
if entry["drop_bounding"]:
    for number in range(64):
        if libc.prctl(24, number, 0, 0, 0) != 0:
            break
if entry["groups"] is not None:
    os.setgroups(entry["groups"])
os.setresgid(*[entry["gid"]] * 3)
os.setresuid(*[entry["uid"]] * 3)
good(libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24)))
if entry["seccomp"]:
    program = base64.b64decode(entry["seccomp"])
    held = ctypes.create_string_buffer(program, len(program))
    good(libc.prctl(38, 1, 0, 0, 0))
    good(libc.prctl(22, 2, struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held)), 0, 0))
os.chdir("/home/ec2-user/SageMaker")
names = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "Groups")
lines = [line.split() for line in open("/proc/self/status")]
found = {line[0][:-1]: line[1:] for line in lines if line[0][:-1] in names}
found["pid"] = os.getpid()
found["root"] = sorted(os.listdir("/"))
found["groups"] = open("/proc/self/cgroup").read()
try:
    os.stat("/proc/1/fd/0")
    found["init"] = "open"
except OSError:
    found["init"] = "shut"
try:
    good(libc.unshare(0x10000000))
    found["unshare"] = "open"
except OSError:
    found["unshare"] = "shut"
print(json.dumps(found))
"#;
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", level).await;
    let (entry, fds) = sandbox.entry().await.unwrap();
    assert_eq!(entry.level, level);
    assert_eq!(fds.len(), entry.namespaces.len());
    let mut command = std::process::Command::new(interpreter().0);
    command.args(["-c", ENTER, &serde_json::to_string(&entry).unwrap()]);
    let mappings = (10..).zip(fds).map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect();
    command.fd_mappings(mappings).unwrap();
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    // The same as what the first process forks.
    let uid = sandbox.spec.uid.to_string();
    assert_eq!(found["Uid"], serde_json::json!([uid, uid, uid, uid]));
    assert_eq!(found["Gid"], serde_json::json!([uid, uid, uid, uid]));
    for name in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(found[name], serde_json::json!(["0".repeat(16)]), "{name}");
    }
    assert_eq!(
        (&found["NoNewPrivs"], &found["Seccomp"]),
        (&serde_json::json!(["1"]), &serde_json::json!(["2"]))
    );
    assert_eq!((&found["init"], &found["unshare"]), (&"shut".into(), &"shut".into()));
    assert!(
        found["pid"].as_i64().unwrap() < 10 && !found["root"].as_array().unwrap().contains(&"sys".into())
    );
    if level == Level::Full && offer().missing_limits.is_empty() {
        assert_eq!(
            found["groups"].as_str().unwrap().matches("nbvend-a-").count(),
            entry.cgroups.len(),
            "{found}"
        );
    }
}

#[tokio::test]
async fn commands_have_their_descriptors_their_time_and_their_end() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", level).await;
    assert_eq!(sandbox.shell("exit 7").await.1.code, Some(7));
    assert_eq!(sandbox.shell("kill -15 $$").await.1.signal, Some(15));
    let started = Instant::now();
    let (text, end) =
        run_for(&sandbox, &["/bin/sh", "-c", "echo begun; sleep 600"], Duration::from_secs(3)).await;
    assert!(end.timed_out && end.signal == Some(9) && text == "begun\n", "{text} {end:?}");
    assert!(started.elapsed() < Duration::from_secs(60));
    // Numbers that collide with those the descriptors have on their way.
    let pipes: Vec<_> = (0..3).map(|_| std::io::pipe().unwrap()).collect();
    let (mut readers, mut fds) = (Vec::new(), Vec::new());
    for (number, (reader, writer)) in [5, 3, 4].into_iter().zip(pipes) {
        readers.push((number, reader));
        fds.push((OwnedFd::from(writer), number));
    }
    let script = "for fd in 3 4 5; do echo $fd >&$fd; done";
    let command =
        Command { argv: vec!["/bin/sh".into(), "-c".into(), script.into()], fds, ..Command::default() };
    assert!(sandbox.run(command).await.unwrap().success());
    for (number, mut reader) in readers {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("{number}\n"));
    }
    let missing = Command { argv: vec!["/no/such/program".into()], ..Command::default() };
    assert!(sandbox.run(missing).await.unwrap_err().to_string().contains("No such file"));
    let spawned = sandbox
        .spawn(Command { argv: vec!["sleep".into(), "60".into()], ..Command::default() })
        .await
        .unwrap();
    assert!(status(spawned.pid, "Name") == "sleep");
    kill_process(Pid::from_raw(spawned.pid).unwrap(), Signal::TERM).unwrap();
    assert_eq!(spawned.ended().await.unwrap().signal, Some(15));
}

#[tokio::test]
async fn a_folder_of_another_level_becomes_the_notebooks_own() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let mut spec = place.spec("a", Level::Full);
    fs::create_dir_all(spec.work.join("deep/deeper")).unwrap();
    fs::write(spec.work.join("deep/deeper/file"), "kept").unwrap();
    let outside = place.path("outside");
    fs::write(&outside, "not theirs").unwrap();
    std::os::unix::fs::symlink(&outside, spec.work.join("deep/link")).unwrap();
    for step in 0..2 {
        spec.uid += step;
        let sandbox = Box_::create(&spec).await;
        let (text, end) = sandbox.shell("cat deep/deeper/file && echo -n + >> deep/deeper/file").await;
        assert!(end.success() && text.starts_with("kept"), "{text}");
        use std::os::unix::fs::MetadataExt;
        let meta = fs::symlink_metadata(spec.work.join("deep/link")).unwrap();
        assert_eq!((meta.uid(), fs::metadata(&outside).unwrap().uid()), (spec.uid, 0));
        assert_eq!(fs::metadata(&spec.work).unwrap().mode() & 0o7777, 0o700);
    }
    assert_eq!(fs::read_to_string(spec.work.join("deep/deeper/file")).unwrap(), "kept++");
}

#[tokio::test]
async fn the_level_process_runs_and_ends() {
    let place = Place::new();
    let sandbox = place.sandbox("plain", Level::Process).await;
    // Nobody else sleeps so long.
    let sleep = format!("sleep {}", 1_000_000 + std::process::id());
    let (text, end) = sandbox.shell(&format!("id -u; setsid {sleep} >/dev/null 2>&1 & sleep 0.2")).await;
    assert!(end.success());
    assert_eq!(text, format!("{}\n", rustix::process::geteuid().as_raw()));
    let (entry, fds) = sandbox.entry().await.unwrap();
    assert!(fds.is_empty() && entry.namespaces.is_empty() && entry.seccomp.is_empty());
    let sleeping = || processes().iter().any(|(_, line)| line.contains(&sleep));
    assert!(sleeping());
    sandbox.kill().await.unwrap();
    assert!(!sleeping());
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_leaves_nothing() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    // A name of this test's own: the others run beside it.
    let good = place.spec("refused", Level::Full);
    let with = |change: &dyn Fn(&mut nbvend_host::sandbox::Spec)| {
        let mut spec = good.clone();
        change(&mut spec);
        spec
    };
    let cases = [
        (with(&|spec| spec.id = "../x".into()), "cannot name"),
        (with(&|spec| spec.uid = 0), "root"),
        (with(&|spec| spec.limits.memory = 0), "limits"),
        (with(&|spec| spec.environment = "/".into()), "cannot be shown"),
        (with(&|spec| spec.environment = "/no/such".into()), "/no/such"),
        (with(&|spec| spec.listeners.push("198.51.100.1:0".parse().unwrap())), ""),
        (with(&|spec| spec.control = place.path(&"x".repeat(120))), "control socket"),
    ];
    for (spec, words) in cases {
        match Sandbox::create(&spec).await {
            Err(error) => assert!(error.to_string().contains(words), "{error}"),
            // An address nobody else has is one like any other in a network of one's own.
            Ok(sandbox) => {
                assert_eq!(words, "");
                sandbox.kill().await.unwrap();
            }
        }
        assert_eq!(left_of(spec.uid.max(1), "refused"), Vec::<String>::new(), "{words}");
    }
    assert!(matches!(
        Sandbox::create(&with(&|spec| spec.id = String::new())).await,
        Err(SandboxError::Id(_))
    ));
}
