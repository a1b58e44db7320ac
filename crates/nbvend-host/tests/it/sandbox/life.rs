//! Making, entering, taking over and ending.

use std::fs;
use std::time::Instant;

use nbvend_host::sandbox::Level;

use super::place::{Box_, Place, available, offer, status};

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
    println!("{}", fs::read_to_string(format!("/proc/{}/smaps_rollup", sandbox.host_pid())).unwrap());
    let killed = Instant::now();
    sandbox.kill().await.unwrap();
    println!("killed in {:?}", killed.elapsed());
}

#[tokio::test]
async fn a_sandbox_is_made_and_ended_in_milliseconds() {
    if !available(Level::Full) {
        return;
    }
    let place = Place::new();
    let specs: Vec<_> = (0..12).map(|number| place.spec(&format!("n{number}"), Level::Full)).collect();
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
}
