//! Figures of forked servers in sandboxes, printed: `cargo test -p nbvend-host --test it -- --ignored --nocapture figures`
//! on a quiet machine, `NBVEND_FIGURES` many at once (20).
use std::path::Path;
use std::time::{Duration, Instant};

use nbvend_host::jupyter::{Isolation, Running, ServerSpec, Supervisor, identity};
use nbvend_host::proxy::Target;
use nbvend_host::sandbox::{Limits, probe};

use crate::support::gate::Gate;
use crate::support::notebook::{Browser, Place, children, environment, parent};

fn sorted(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: &Duration| format!("{:.0}", time.as_secs_f64() * 1000.0);
    let (first, last) = (&times[0], &times[times.len() - 1]);
    format!(
        "{} / {} / {} ms (least, median, most of {})",
        ms(first),
        ms(&times[times.len() / 2]),
        ms(last),
        times.len()
    )
}

/// Proportional set size in KiB.
fn pss(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Server, kernel forker and the sandbox's first process.
fn all_of(supervisor: &Supervisor, running: &Running) -> u64 {
    let first = supervisor.sandbox(&running.id).map_or(0, |sandbox| pss(sandbox.record().pid));
    first + pss(running.pid) + children(running.pid).into_iter().map(pss).sum::<u64>()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures; for a quiet machine"]
async fn figures() {
    let place = Place::new();
    let offer = probe(&std::env::temp_dir());
    let count: usize = std::env::var("NBVEND_FIGURES").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let environment = environment().await;
    let spec = |number: usize, generation: u64| ServerSpec {
        id: format!("notebook-{number}"),
        generation,
        home: place.dir.path().join(format!("w{number}")),
        run_dir: place.dir.path().join(format!("r{number}")),
        user_name: "Demo-User".to_owned(),
        environment: environment.clone(),
        env: Vec::new(),
        isolation: Some(Isolation {
            level: offer.level,
            uid: 400_000 + u32::try_from(number).unwrap(),
            limits: Limits { cpu: 2.0, memory: 4 << 30, pids: 1000 },
            listeners: vec![([127, 0, 0, 1], 4566).into(), ([169, 254, 170, 2], 80).into()],
            files: Vec::new(),
            volume: None,
        }),
    };
    let supervisor = Supervisor::new(&place.state());
    let begun = Instant::now();
    supervisor.warmed(&environment).await.unwrap();
    println!("\nlevel {}; zygote ready after {:?}", offer.level, begun.elapsed());

    let (mut starts, mut stops, mut firsts, mut prints) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for generation in 1..=12 {
        let begun = Instant::now();
        let running = supervisor.start(spec(0, generation)).await.unwrap();
        starts.push(begun.elapsed());
        let gate = Gate::open(Target::new(running.socket.clone(), identity("Demo-User"))).await;
        let browser = Browser::open(&gate).await;
        let begun = Instant::now();
        let kernel = browser.kernel("python3").await;
        assert_eq!(browser.run(&kernel, "1+1").await, "2");
        firsts.push(begun.elapsed());
        let mut cell = browser.cell(&kernel).await;
        for _ in 0..10 {
            let begun = Instant::now();
            cell.send("print(1)").await;
            cell.until("execute_reply").await;
            prints.push(begun.elapsed());
        }
        let begun = Instant::now();
        supervisor.stop("notebook-0").await.unwrap();
        stops.push(begun.elapsed());
    }
    println!("start, sandbox and all, to the first answer: {}", sorted(starts));
    println!("first kernel, request to its first reply:    {}", sorted(firsts));
    println!("print(1) to its reply:                       {}", sorted(prints));
    println!("stop with a kernel:                          {}", sorted(stops));

    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    let supervisor = std::sync::Arc::new(supervisor);
    for number in 0..count {
        let (supervisor, spec) = (supervisor.clone(), spec(number, 100));
        tasks.spawn(async move { supervisor.start(spec).await.unwrap() });
    }
    let all = tasks.join_all().await;
    println!("{count} at once: {:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mean = |total: u64| total as f64 / 1024.0 / count as f64;
    let total: u64 = all.iter().map(|running| all_of(&supervisor, running)).sum();
    let servers: u64 = all.iter().map(|running| pss(running.pid)).sum();
    let inits: u64 = all.iter().filter_map(|one| Some(pss(supervisor.sandbox(&one.id)?.record().pid))).sum();
    println!(
        "PSS of an idle notebook at {count}: {:.1} MiB (server {:.1}, kernel forker {:.1}, first process {:.1}); zygote {:.1} MiB",
        mean(total),
        mean(servers),
        mean(total - servers - inits),
        mean(inits),
        pss(parent(all[0].pid)) as f64 / 1024.0,
    );

    let next = Supervisor::new(&place.state());
    let begun = Instant::now();
    let adopted = next.adopt().await;
    println!("{} of {count} adopted by another engine: {:?}", adopted.len(), begun.elapsed());
    assert_eq!(adopted.len(), count);
    drop(next);
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for running in all {
        let supervisor = supervisor.clone();
        tasks.spawn(async move { supervisor.stop(&running.id).await.unwrap() });
    }
    tasks.join_all().await;
    println!("{count} stopped: {:?}", begun.elapsed());
    assert!(!Path::new(&place.state().join("notebook-0.server")).exists());
}
