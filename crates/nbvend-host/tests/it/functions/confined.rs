//! What a function reaches of the machine, tried from inside. Root makes these tests; elsewhere functions are not confined.

use nbvend_host::sandbox::Level;

use super::*;
use crate::sandbox::offer;

/// A Python function whose answer is what `text` prints or raises, line by line: each line of it is tried by itself.
fn tries(world: &World, setup: &str, lines: &[&str]) -> FunctionSpec {
    let lines = serde_json::to_string(lines).unwrap();
    let spec = world.python(&format!(
        "import os, json, subprocess, signal, socket\n{setup}\ndef attempt(text):\n\
        \x20   try: return str(eval(text))\n\
        \x20   except BaseException as error: return type(error).__name__\n\
         def handler(event, context):\n\
        \x20   return [attempt(text) for text in {lines}]\n"
    ));
    FunctionSpec { confined: true, ..spec }
}

fn confined() -> bool {
    let confined = offer().level == Level::Full;
    if !confined {
        println!("SKIPPED: functions are not confined here: {:?}", offer().why_not);
    }
    confined
}

#[tokio::test]
async fn a_function_sees_its_code_and_its_own_folder() {
    if !confined() {
        return;
    }
    let world = World::new();
    let secret = world.dir.path().join("root-key");
    std::fs::write(&secret, "secret").unwrap();
    let (secret, folder) = (secret.display().to_string(), world.dir.path().display().to_string());
    let engine = std::process::id();
    let spec = tries(
        &world,
        "here = os.environ['LAMBDA_TASK_ROOT']",
        &[
            // What it may.
            "open(os.environ['TMPDIR'] + '/mine', 'w').write('x')",
            "open('/tmp/mine', 'w').write('x')",
            "sorted(os.listdir(here)) == sorted(os.listdir('/var/task'))",
            "subprocess.run(['sh', '-c', 'echo said > /dev/stdout']).returncode",
            // What it may not.
            &format!("open({secret:?}).read()"),
            &format!("os.listdir({folder:?} + '/pool')[1:]"),
            &format!("open('/proc/{engine}/root{secret}').read()"),
            &format!("open('/proc/{engine}/environ').read()"),
            &format!("os.kill({engine}, 0)"),
            "open(here + '/app.py', 'a')",
            "open('/usr/bin/env', 'r+b')",
            "os.listdir('/root')",
            "open('/etc/shadow').read()",
            "os.setuid(0)",
            "os.chroot('.')",
            "os.mknod('/tmp/sda', 0o60660, os.makedev(8, 0))",
            "os.getuid() == os.stat('/tmp/mine').st_uid and os.getuid() > 65535 and os.getgroups()",
            "[line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp:'))]",
            "subprocess.run(['unshare', '-Ur', 'true'], stderr=subprocess.DEVNULL).returncode != 0",
        ],
    );
    let outcome = world.call(&spec, &json!(null)).await;
    let got: Vec<String> = serde_json::from_value(value(&outcome)).unwrap();
    let none = "0000000000000000";
    let rights =
        format!("['CapEff:\\t{none}\\n', 'CapBnd:\\t{none}\\n', 'NoNewPrivs:\\t1\\n', 'Seccomp:\\t2\\n']");
    assert_eq!(got[..4], ["1", "1", "True", "0"], "{got:#?}");
    assert!(has_line(&outcome, "said"));
    let hidden = "FileNotFoundError";
    let denied = "PermissionError";
    let rest = [
        hidden, "[]", hidden, hidden, denied, denied, denied, hidden, hidden, denied, denied, denied, "[]",
        &rights, "True",
    ];
    // Where the kernel cannot hide other users' processes, they are there and shut.
    let got: Vec<&str> = (4..)
        .zip(&got[4..])
        .map(|(at, said)| if [6, 7].contains(&at) && said == denied { hidden } else { said })
        .collect();
    assert_eq!(got, rest);
    world.pool.shutdown().await;
}

#[tokio::test]
async fn functions_are_apart_from_each_other() {
    if !confined() {
        return;
    }
    let world = World::new();
    let mut victim = world.python(
        "import os\ndef handler(event, context):\n\
        \x20   open(os.environ['TMPDIR'] + '/private', 'w').write('x')\n\
        \x20   return [os.getpid(), os.environ['TMPDIR']]\n",
    );
    victim.confined = true;
    let seen = value(&world.call(&victim, &json!(null)).await);
    let (pid, folder) = (seen[0].as_i64().unwrap(), seen[1].as_str().unwrap());
    let spec = tries(
        &world,
        "",
        &[
            &format!("os.kill({pid}, 9)"),
            &format!("open('/proc/{pid}/environ').read()"),
            &format!("os.listdir({folder:?})"),
            &format!("os.listdir('/proc/{pid}/root/')"),
            "sorted(os.listdir('/tmp'))",
        ],
    );
    let got = value(&world.call(&spec, &json!(null)).await);
    let gone = |at: usize| {
        ["PermissionError", "FileNotFoundError", "ProcessLookupError"].contains(&got[at].as_str().unwrap())
    };
    assert!((0..4).all(gone), "{got:#?}");
    assert!(!got[4].as_str().unwrap().contains("private"), "{got:#?}");
    assert_eq!(value(&world.call(&victim, &json!(null)).await)[0], pid, "it lives on");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn nothing_of_the_environment_reaches_what_is_still_root() {
    if !confined() {
        return;
    }
    let world = World::new();
    // What the loader would load into every program that gets it.
    let mut spec = world.provided("#!/bin/sh\nexit 3\n");
    spec.confined = true;
    let marker = world.dir.path().join("trace");
    spec.env.push(("LD_DEBUG".into(), "libs".into()));
    spec.env.push(("LD_DEBUG_OUTPUT".into(), marker.display().to_string()));
    let got = fault(&world.call(&spec, &json!(null)).await);
    assert_eq!(got["errorType"], "Runtime.ExitError");
    let traces = std::fs::read_dir(world.dir.path()).unwrap().flatten();
    let traces = traces.filter(|entry| entry.file_name().to_string_lossy().starts_with("trace"));
    assert_eq!(traces.count(), 0, "the loader of the engine's own program heard of it");
    world.pool.shutdown().await;
}

/// What holds of functions holds of confined ones.
#[test]
fn confined_functions_run_as_others_do() {
    if !confined() || std::env::var_os(CONFINED).is_some() {
        return;
    }
    let mut command = std::process::Command::new("/proc/self/exe");
    command.args([
        "functions::python",
        "functions::limits",
        "functions::runtimes",
        // Those of `processes` whose functions meet the test in no folder of the machine.
        "a_process_that_ends_is_reported",
        "the_number_of_processes",
        "idle_and_dropped_processes",
        "a_dropped_request",
        "processes_die_with_the_engine",
        "--test-threads=2",
    ]);
    let output = command.env(CONFINED, "1").output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !text.contains(" 0 passed"), "{text}");
}
