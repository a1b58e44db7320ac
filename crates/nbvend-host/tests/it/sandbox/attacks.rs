//! What code in a notebook tries: each attack is first shown to work where nothing defends (the same script run on the
//! host), then to fail inside. Run for the strongest level here; `userns` runs this file again as an unprivileged user.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;

use nbvend_host::sandbox::Level;

use super::place::{Place, available, interpreter, level, processes, status};

/// Prints `REACHED` if the body gets to its end, else what stopped it.
fn attempt(body: &str) -> String {
    let body = body.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "import os, socket, ctypes, signal, struct, sys, subprocess\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         def call(number, *arguments):\n    if libc.syscall(number, *arguments) < 0:\n        \
         raise OSError(ctypes.get_errno(), 'call %d' % number)\n\
         try:\n{body}    print('REACHED')\nexcept (OSError, AssertionError) as error:\n    \
         print('stopped:', repr(error))\n"
    )
}

fn on_host(script: &str) -> String {
    let output = Command::new(interpreter().0).args(["-c", script]).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim_end().to_owned()
}

/// Whether the control on the host needs rights that only root has.
#[derive(PartialEq)]
enum Control {
    Anybody,
    Root,
    /// The attack is on what is there inside only; another assertion of its test is the control.
    None,
}
use Control::{Anybody, Root};

#[tokio::test]
async fn nothing_of_the_host_or_of_another_notebook_is_reached() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let victim = place.sandbox("victim", level).await;
    let attacker = place.sandbox("attacker", level).await;
    let secret = victim.spec.work.join("secret");
    assert!(
        victim
            .shell("echo hidden > secret; echo s > /tmp/secret; echo s > /dev/shm/secret")
            .await
            .1
            .success()
    );
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let number = port.local_addr().unwrap().port();
    let name = format!("nbvend-test-{}", std::process::id());
    let _abstract =
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(name.as_bytes()).unwrap()).unwrap();
    let bystander = Bystander::new();
    let pid = bystander.0.id();
    fs::write(place.path("host-file"), "x").unwrap();
    let host_file = place.path("host-file").display().to_string();
    let victims_init = victim.host_pid();
    let link = attacker.spec.work.join("link");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let cases: Vec<(Control, &str, String)> = vec![
        (Anybody, "another notebook's file", format!("open({:?}).read()", secret.display().to_string())),
        (Anybody, "its folder", format!("os.listdir({:?})", victim.spec.work.display().to_string())),
        (Anybody, "the engine's folder", format!("os.listdir({:?})", place.dir.path().display().to_string())),
        (Anybody, "a host's file", format!("open({host_file:?}).read()")),
        (Anybody, "a host's file through a process", format!("open('/proc/{pid}/root{host_file}').read()")),
        (
            Anybody,
            "a link to another notebook's file",
            format!("open({:?} if os.path.isdir({:?}) else 'link').read()", link, place.dir.path()),
        ),
        (Anybody, "a host's port", format!("socket.create_connection(('127.0.0.1', {number}), 2)")),
        (
            Anybody,
            "an abstract socket",
            format!("s = socket.socket(socket.AF_UNIX)\ns.connect('\\0{name}')"),
        ),
        (
            Anybody,
            "the control socket",
            format!(
                "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\ns.connect({:?})",
                attacker.spec.control.display().to_string()
            ),
        ),
        (Anybody, "a process of the host", format!("os.kill({pid}, 0)")),
        (Anybody, "what it is", format!("open('/proc/{pid}/cmdline').read()")),
        (Anybody, "its secrets", format!("assert b'BYSTANDER' in open('/proc/{pid}/environ', 'rb').read()")),
        (Anybody, "the init of another notebook", format!("open('/proc/{victims_init}/cmdline').read()")),
        (Root, "its namespaces", format!("os.readlink('/proc/{victims_init}/ns/net')")),
        (Root, "being root", "os.setuid(0)".into()),
        (Root, "another user", "os.setgroups([0])".into()),
        (Anybody, "a user namespace", "call({unshare}, 0x10000000)".into()),
        (Anybody, "a user namespace by clone", "pid = libc.syscall({clone}, 0x10000011, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\nif pid < 0: raise OSError(ctypes.get_errno(), 'clone')".into()),
        (Root, "a mount", "d = '/tmp/nbsb-m%d' % os.getpid()\nos.mkdir(d)\ntry:\n    call({mount}, b'none', d.encode(), b'tmpfs', 0, None)\n    libc.umount2(d.encode(), 2)\nfinally:\n    os.rmdir(d)".into()),
        (Root, "another root", "os.chroot('/usr')".into()),
        (Root, "a device", "os.mknod('/tmp/nbsb-device-%d' % os.getpid(), 0o60600, os.makedev(7, 0))\nos.unlink('/tmp/nbsb-device-%d' % os.getpid())".into()),
        (Root, "the disk", "os.open('/dev/loop-control', os.O_RDWR)".into()),
        (Root, "the kernel's log", "os.open('/dev/kmsg', os.O_RDONLY)".into()),
        (Root, "the kernel's log by call", "call({syslog}, 10, 0, 0)".into()),
        (Root, "the kernel's settings", "os.open('/proc/sys/vm/swappiness', os.O_WRONLY)".into()),
        (Root, "sysrq", "os.open('/proc/sysrq-trigger', os.O_WRONLY)".into()),
        (Anybody, "control groups", "os.listdir('/sys/fs/cgroup')".into()),
        (Anybody, "the kernel's symbols", "assert open('/proc/kallsyms').read(10)\n".into()),
        (Root, "raw packets", "socket.socket(17, socket.SOCK_RAW)".into()),
        (Anybody, "crypto sockets", "socket.socket(38, socket.SOCK_SEQPACKET)".into()),
        (Root, "raw IP", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)".into()),
        (Anybody, "tracing a process", "p = subprocess.Popen(['sleep', '5'])\ntry:\n    call({ptrace}, 16, p.pid, 0, 0)\nfinally:\n    p.kill()".into()),
        (Anybody, "reading a process's memory", "b = ctypes.create_string_buffer(8)\nv = struct.pack('QQ', ctypes.addressof(b), 8)\nr = struct.pack('QQ', ctypes.addressof(b), 8)\ncall({readv}, os.getpid(), v, ctypes.c_ulong(1), r, ctypes.c_ulong(1), ctypes.c_ulong(0))".into()),
        (Anybody, "keyrings", "call({keyctl}, 0, -5, 1)".into()),
        (Root, "programs in the kernel", "call({bpf}, 0, struct.pack('IIII', 1, 4, 4, 1) + bytes(112), 128)".into()),
        (Anybody, "io_uring", "call({io_uring}, 4, bytes(120))".into()),
        (Control::None, "the time", "import time\ntime.clock_settime(time.CLOCK_REALTIME, time.time())".into()),
        (Control::None, "the system's files", "os.close(os.open('/usr/nbsb-written', os.O_WRONLY | os.O_CREAT))\nos.unlink('/usr/nbsb-written')".into()),
        (Control::None, "the interpreter's files", format!("open({:?}, 'w')", interpreter().1.join("nbsb-written").display().to_string())),
        (Control::None, "passwords", "open('/etc/shadow').read()".into()),
        (Control::None, "who it is", "open('/etc/passwd', 'a')".into()),
        (Control::None, "a file handed in", "open('/opt/ml/metadata/resource-metadata.json', 'a')".into()),
        (Control::None, "its root folder", "os.mkdir('/new')".into()),
        (Control::None, "another notebook's memory files", "open('/tmp/secret').read()".into()),
        (Control::None, "another notebook's shared memory", "open('/dev/shm/secret').read()".into()),
        (Control::None, "the first process's descriptors", "os.listdir('/proc/1/fd')".into()),
        (Control::None, "its environment", "open('/proc/1/environ', 'rb').read()".into()),
        (Control::None, "its memory", "open('/proc/1/mem', 'rb').read(1)".into()),
        (Control::None, "its folder", "os.readlink('/proc/1/cwd')".into()),
        (Control::None, "typing into a terminal", "import pty, fcntl\na, b = pty.openpty()\nfcntl.ioctl(b, 0x5412, b'x')".into()),
        (Control::None, "the virtual machine's host", "socket.socket(40, socket.SOCK_STREAM)".into()),
        (Control::None, "the network", "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(('192.0.2.1', 9))".into()),
        (Control::None, "the network by IPv6", "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\ns.connect(('2001:db8::1', 9))".into()),
        (Control::None, "a name server", "socket.getaddrinfo('example.com', 80)".into()),
    ];
    let root = rustix::process::geteuid().is_root();
    let (mut held, mut missed) = (Vec::new(), 0);
    for (control, name, body) in cases {
        let script = attempt(&numbers(&body));
        if control == Anybody || control == Root && root {
            let there = on_host(&script);
            // A kernel without a feature cannot show that it works; everything made for the test must be found.
            let missing = ["Error(38,", "Error(97,", "FileNotFoundError"];
            if missing.iter().any(|word| there.contains(word)) && name != "control groups" {
                println!("NO CONTROL for {name}: {there}");
                missed += 1;
            } else {
                assert_eq!(there, "REACHED", "control of {name:?}");
            }
        }
        let (inside, end) = attacker.python(&script).await;
        let stopped = inside.starts_with("stopped:");
        assert!(stopped && end.success(), "{name}: {inside}");
        held.push(name);
    }
    println!("{} attacks stopped", held.len());
    assert!(missed <= 4, "too many attacks without a control");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hidden\n");
}

/// Numbers of system calls by name; they differ between machines.
fn numbers(body: &str) -> String {
    let calls = [
        ("unshare", libc::SYS_unshare),
        ("clone", libc::SYS_clone),
        ("mount", libc::SYS_mount),
        ("syslog", libc::SYS_syslog),
        ("ptrace", libc::SYS_ptrace),
        ("readv", libc::SYS_process_vm_readv),
        ("keyctl", libc::SYS_keyctl),
        ("bpf", libc::SYS_bpf),
        ("io_uring", libc::SYS_io_uring_setup),
    ];
    calls.iter().fold(body.to_owned(), |body, (name, number)| {
        body.replace(&format!("{{{name}}}"), &number.to_string())
    })
}

struct Bystander(std::process::Child);

impl Bystander {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").env("BYSTANDER", "secret").spawn().unwrap())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn what_a_command_holds_is_nothing() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", level).await;
    let text = sandbox.says("import os\nprint(open('/proc/self/status').read())\nprint(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')), os.environ.get('PATH') is not None, len([p for p in os.listdir('/proc') if p.isdigit()]))").await;
    for (name, wanted) in [
        ("CapInh", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("CapEff", "0000000000000000"),
        ("CapBnd", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        assert!(text.contains(&format!("{name}:\t{wanted}\n")), "{name}\n{text}");
    }
    // Standard three and the one that lists; init and the command itself.
    assert!(text.ends_with("[0, 1, 2] 4 True 2"), "{text}");
    // On the host it is somebody else than the engine, where there are others.
    let host = status(sandbox.host_pid(), "Uid");
    let engine = rustix::process::geteuid().as_raw();
    assert_eq!(host.starts_with(&format!("{engine}\t")), level != Level::Full, "{host}");
    assert!(!text.contains(&format!("Uid:\t{engine}\t")));
}

#[tokio::test]
async fn signals_and_shared_memory_stay_inside() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let (a, b) = (place.sandbox("a", level).await, place.sandbox("b", level).await);
    // System V shared memory: the same key is another segment in each notebook; within one it is the same.
    let make = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.shmget(4711, 4096, 0o1666) >= 0";
    let find = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.shmget(4711, 4096, 0))";
    b.says(make).await;
    assert_ne!(b.says(find).await, "-1");
    assert_eq!(a.says(find).await, "-1");
    // To the first process signals from inside are nothing; everything else inside they reach.
    let text = a
        .says("import os, signal, subprocess\np = subprocess.Popen(['sleep', '60'])\nos.kill(1, signal.SIGKILL)\nos.kill(1, signal.SIGTERM)\nos.kill(1, signal.SIGSEGV)\np.kill()\nprint(p.wait())")
        .await;
    assert_eq!(text, "-9");
    // Everything that may be signalled, at once.
    a.shell("sleep 60 & kill -9 -1").await;
    assert!(!a.shell("pgrep sleep").await.1.success());
    assert_eq!(a.says("print(1)").await, "1");
    assert_eq!(b.says("print(2)").await, "2");
}

#[tokio::test]
async fn a_crash_leaves_no_core_and_a_setuid_program_gives_nothing() {
    let level = level();
    if !available(level) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", level).await;
    let (text, _) = sandbox.shell("ulimit -c; sh -c 'kill -SEGV $$'; ls -A").await;
    assert!(text.starts_with("0\n") && !text.contains("core"), "{text}");
    if rustix::process::geteuid().is_root() && level == Level::Full {
        // A program of root with the bit set, put into the work folder from outside: on the host it makes one root.
        let program = sandbox.spec.work.join("root-id");
        // By another process: a program that this one has just written may still be open in a child of another test.
        let copy = |from: &std::path::Path, to: &std::path::Path| {
            assert!(Command::new("cp").args([from, to]).status().unwrap().success());
        };
        copy("/usr/bin/id".as_ref(), &program);
        use std::os::unix::fs::PermissionsExt;
        use std::os::unix::process::CommandExt;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        let outside = place.path("root-id");
        copy(&program, &outside);
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o4755)).unwrap();
        fs::set_permissions(place.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let control = Command::new(&outside).arg("-u").uid(sandbox.spec.uid).output().unwrap();
        assert_eq!(control.stdout, b"0\n", "{control:?}");
        let (text, _) = sandbox.shell("./root-id -u").await;
        assert_eq!(text, format!("{}\n", sandbox.spec.uid));
    }
}

/// Attacks that `userns` promises to stop as well, made as somebody who is not root.
#[test]
fn userns_holds_too() {
    use std::os::unix::process::CommandExt;
    if level() == Level::Userns || !rustix::process::geteuid().is_root() {
        return;
    }
    let mut command = Command::new("/proc/self/exe");
    command.args([
        "sandbox::attacks",
        "sandbox::limits::userns",
        "sandbox::life::the_next",
        "sandbox::life::a_process",
        "sandbox::life::commands",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
        .env("NBVEND_TEST_LEVEL", "userns")
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", "/tmp")
        .current_dir("/");
    let output = command.uid(54_321).gid(54_321).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    println!("{text}");
    assert!(output.status.success());
    if text.contains("SKIPPED") {
        // Then there must be a reason that this test finds by itself.
        let mut bare = Command::new("/usr/bin/unshare");
        let bare = bare.args(["-Ur", "true"]).uid(54_321).gid(54_321).output().unwrap();
        assert!(!bare.status.success(), "unprivileged user namespaces work, but were not used");
    } else {
        assert!(text.contains("attacks stopped") && !text.contains("0 passed"));
    }
    assert!(processes().iter().all(|(pid, _)| *pid == 0 || !status_of_uid(*pid, "54321")));
}

fn status_of_uid(pid: i32, uid: &str) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines().any(|line| line.strip_prefix("Uid:").is_some_and(|ids| ids.trim().starts_with(uid)))
}
