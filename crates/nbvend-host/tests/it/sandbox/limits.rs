//! A notebook that takes too much: only it is hit, and the reason can be told.

use std::time::{Duration, Instant};

use nbvend_host::sandbox::Level;

use super::place::{Place, available, offer};

fn limited(controller: &str) -> bool {
    let there = available(Level::Full) && offer().limits.contains(controller);
    if !there {
        println!("SKIPPED: no {controller} limit here: {:?}", offer().missing_limits);
    }
    there
}

const HOG: &str = "import time\nheld = []\nwhile True:\n    held.append(bytearray(8 << 20))";

#[tokio::test]
async fn who_takes_too_much_memory_is_killed_alone() {
    if !limited("memory") {
        return;
    }
    let place = Place::new();
    let mut roomy = place.spec("roomy", Level::Full);
    roomy.limits.memory = 512 << 20;
    let roomy = super::place::Box_::create(&roomy).await;
    let tight = place.sandbox("tight", Level::Full).await;
    // The control: what does not fit below one limit fits below a higher one.
    let take = "held = bytearray(300 << 20)\nfor i in range(0, len(held), 4096): held[i] = 1\nprint('taken')";
    assert_eq!(roomy.says(take).await, "taken");
    assert_eq!(tight.oom_kills(), 0);
    let neighbour = tokio::spawn({
        let sandbox = tight.sandbox.clone();
        async move { super::place::run(&sandbox, &["/bin/sh", "-c", "sleep 3; echo still here"]).await }
    });
    let (text, end) = tight.python(HOG).await;
    assert_eq!(end.signal, Some(9), "{text}");
    assert_eq!(tight.oom_kills(), 1);
    assert_eq!(neighbour.await.unwrap().0, "still here\n");
    assert_eq!(roomy.oom_kills(), 0);
    let usage = tight.usage();
    assert!(usage.memory_peak.unwrap() > 200 << 20 && usage.memory.unwrap() < 100 << 20, "{usage:?}");
}

#[tokio::test]
async fn files_in_memory_count_and_are_bounded() {
    if !limited("memory") {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", Level::Full).await;
    for folder in ["/tmp", "/dev/shm", "/home/ec2-user"] {
        // A quarter of 256 MiB each; a little less fits.
        let script = format!(
            "dd if=/dev/zero of={folder}/x bs=1M count=60 2>&1 && dd if=/dev/zero of={folder}/y bs=1M count=60"
        );
        let (text, end) = sandbox.shell(&script).await;
        assert!(!end.success() && text.contains("No space left"), "{folder}: {text}");
    }
    let inodes = "import os\nfor i in range(1000000):\n    open('/tmp/%d' % i, 'w').close()";
    sandbox.shell("rm -f /tmp/* /dev/shm/*").await;
    let (text, end) = sandbox.python(inodes).await;
    assert!(!end.success(), "{text}");
    // Whether the file system or the memory ended it, all is well afterwards.
    sandbox.shell("find /tmp -type f -delete").await;
    assert_eq!(sandbox.says("print(1)").await, "1");
}

#[tokio::test]
async fn a_fork_bomb_stays_below_its_limit() {
    if !limited("pids") {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", Level::Full).await;
    let bomb = "import os, time\ncount = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(60)\n            os._exit(0)\n        count += 1\nexcept BlockingIOError:\n    print(count)\nos.kill(-1, 9)";
    // 64 less the bomb itself.
    let (text, _) = sandbox.python(bomb).await;
    assert_eq!(text, "63\n");
    assert!(sandbox.usage().forks_refused > 0);
    assert_eq!(sandbox.says("print(1)").await, "1");
    // One that never ends by itself is ended with its notebook.
    let shell = tokio::spawn({
        let sandbox = sandbox.sandbox.clone();
        let bomb = ":() { : | : & }; : 2>/dev/null; sleep 60";
        async move {
            sandbox
                .spawn(nbvend_host::sandbox::Command {
                    argv: vec!["/bin/bash".into(), "-c".into(), bomb.into()],
                    ..Default::default()
                })
                .await
        }
    });
    shell.await.unwrap().unwrap();
    let begun = Instant::now();
    while sandbox.usage().pids.unwrap() <= 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", sandbox.usage());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let started = Instant::now();
    sandbox.kill().await.unwrap();
    println!("fork bomb ended in {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn cpu_time_is_rationed() {
    if !limited("cpu") {
        return;
    }
    let place = Place::new();
    let mut spec = place.spec("slow", Level::Full);
    spec.limits.cpu = 0.2;
    let slow = super::place::Box_::create(&spec).await;
    // Half a second of a fifth of a core; a busy machine only makes it longer.
    let burn = "import time\nt = time.time(); c = time.process_time()\n\
                while time.process_time() < c + 0.5: pass\nprint(time.time() - t)";
    let took: f64 = slow.says(burn).await.parse().unwrap();
    assert!(took > 2.0, "{took}");
    let counted = slow.usage().cpu_seconds;
    assert!(counted.is_none_or(|seconds| seconds >= 0.5), "{counted:?}");
}

#[tokio::test]
async fn open_files_are_bounded() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", Level::Full).await;
    let script = "import os\nfds = []\ntry:\n    while len(fds) < 200000: fds.append(os.open('/dev/null', os.O_RDONLY))\nexcept OSError as error: print(error.errno, len(fds) <= 65536)";
    assert_eq!(sandbox.says(script).await, "24 True");
}

/// Without control groups what there is holds for each process.
#[tokio::test]
async fn userns_limits_processes_and_what_each_takes() {
    if super::place::level() != Level::Userns || !available(Level::Userns) {
        return;
    }
    let place = Place::new();
    let sandbox = place.sandbox("a", Level::Userns).await;
    let (text, end) = sandbox.python(HOG).await;
    assert!(end.code == Some(1) && text.contains("MemoryError"), "{text} {end:?}");
    let bomb = "import os, time\ncount = 0\ntry:\n    while count < 200:\n        if os.fork() == 0:\n            time.sleep(60)\n            os._exit(0)\n        count += 1\nexcept BlockingIOError:\n    pass\nprint(count)\nos.kill(-1, 9)";
    let (text, _) = sandbox.python(bomb).await;
    let count: u32 = text.trim().parse().unwrap();
    assert!(count < 64, "{count}");
    println!("userns limits hold");
}
