//! Time and memory.

use super::*;

#[tokio::test]
async fn a_function_over_its_time_is_killed_with_its_children() {
    let world = World::new();
    let mut spec = world.python(
        "import os, subprocess, time\n\
         n = 0\n\
         def handler(event, context):\n\
        \x20   global n\n\
        \x20   n += 1\n\
        \x20   if not event: return n\n\
        \x20   child = subprocess.Popen(['sleep', '600'], start_new_session=event['leave'])\n\
        \x20   print(os.getpid(), child.pid)\n\
        \x20   time.sleep(600)\n",
    );
    spec.timeout = Duration::from_secs(5);
    assert_eq!(value(&world.call(&spec, &json!(null)).await), 1);
    let leave = world.pool.memory_control() != MemoryControl::DataSegment;
    let outcome = world.call(&spec, &json!({"leave": leave})).await;
    let got = fault(&outcome);
    let id = texts(&outcome)[0].split(' ').nth(2).unwrap().to_string();
    assert_eq!(got["errorType"], "Sandbox.Timedout");
    assert_eq!(got["errorMessage"], format!("RequestId: {id} Error: Task timed out after 5.00 seconds"));
    assert!(has_line(&outcome, &format!("Z {id} Task timed out after 5.00 seconds")));
    assert!(outcome.log.last().unwrap().text.ends_with("\tStatus: timeout"), "{:?}", outcome.log);
    assert!(outcome.log.last().unwrap().text.contains("\tDuration: 5000.00 ms\tBilled Duration: 5000 ms\t"));
    let pids: Vec<Pid> =
        texts(&outcome)[1].split(' ').map(|text| Pid::from_raw(text.parse().unwrap()).unwrap()).collect();
    for pid in pids {
        until(|| is_gone(pid)).await;
    }
    assert_eq!(value(&world.call(&spec, &json!(null)).await), 1, "a new process");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn memory_is_limited() {
    memory_is_limited_by(World::new()).await;
}

#[tokio::test]
async fn memory_is_limited_without_control_groups() {
    let world = World::with(Limits { cgroups: false, ..Limits::default() });
    assert_eq!(world.pool.memory_control(), MemoryControl::DataSegment);
    memory_is_limited_by(world).await;
}

async fn memory_is_limited_by(world: World) {
    let spec = world.python(
        "def handler(event, context):\n\
        \x20   data = bytearray(event << 20)\n\
        \x20   for at in range(0, len(data), 4096): data[at] = 1\n\
        \x20   return len(data)\n",
    );
    let outcome = world.call(&spec, &json!(60)).await;
    assert_eq!(value(&outcome), 60 << 20);
    assert!((60..=128).contains(&outcome.max_memory_mb), "{}", outcome.max_memory_mb);
    let outcome = world.call(&spec, &json!(200)).await;
    let got = fault(&outcome);
    match world.pool.memory_control() {
        MemoryControl::CgroupV1 | MemoryControl::CgroupV2 => {
            assert_eq!(got["errorType"], "Runtime.OutOfMemory");
            assert!(
                got["errorMessage"]
                    .as_str()
                    .unwrap()
                    .ends_with("Error: Runtime exited with error: signal: killed")
            );
            assert!(outcome.log.last().unwrap().text.contains("Max Memory Used: 128 MB"));
        }
        MemoryControl::DataSegment => assert_eq!(got["errorType"], "MemoryError"),
    }
    assert_eq!(value(&world.call(&spec, &json!(1)).await), 1 << 20);
    world.pool.shutdown().await;
}

#[tokio::test]
async fn a_slow_start_is_cut_and_made_again_on_the_functions_time() {
    let world = World::with(Limits { init: Duration::from_millis(500), ..Limits::default() });
    let mut spec = world.python(
        "import os, time\n\
         if os.environ['START'] == '0' or 'ALWAYS' in os.environ: time.sleep(600)\n\
         def handler(event, context): return 'here'\n",
    );
    let starts = std::sync::atomic::AtomicU32::new(0);
    let counted = || {
        let n = starts.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        vec![("START".to_owned(), n.to_string())]
    };
    let outcome = world.pool.invoke(&spec, counted, invocation(&json!(null)), |_| ()).await;
    assert_eq!(value(&outcome), "here");
    assert!(
        texts(&outcome)[1].starts_with("INIT_REPORT Init Duration: ")
            && texts(&outcome)[1].ends_with("\tPhase: init\tStatus: timeout")
    );
    assert_eq!(outcome.init_ms, None, "the second start is part of the duration");

    spec.key = "never".into();
    spec.env.push(("ALWAYS".into(), "1".into()));
    spec.timeout = Duration::from_secs(1);
    let got = fault(&world.pool.invoke(&spec, counted, invocation(&json!(null)), |_| ()).await);
    assert_eq!(got["errorType"], "Sandbox.Timedout");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn who_writes_for_ever_holds_nobody_up() {
    let world = World::new();
    let spec = world.python(
        "import os\n\
         def handler(event, context):\n\
        \x20   for _ in range(event):\n\
        \x20       if os.fork() == 0:\n\
        \x20           while True: os.write(1, b'\\n' * 65536)\n\
        \x20   return 'answered'\n",
    );
    // Who shares the thread with it.
    let other = tokio::spawn(async {
        let mut longest = Duration::ZERO;
        loop {
            let begun = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_millis(10)).await;
            longest = longest.max(begun.elapsed());
            assert!(longest < Duration::from_secs(10), "held up for {longest:?}");
        }
    });
    assert_eq!(value(&world.call(&spec, &json!(3)).await), "answered");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!other.is_finished(), "{:?}", other.await);
    other.abort();
    world.pool.drop_function(&spec.key).await;
    let outcome = world.call(&spec, &json!(0)).await;
    assert_eq!(value(&outcome), "answered");
    world.pool.shutdown().await;
}
