//! Volumes: their size holds, what is deleted is the host's again, and nothing is lost whatever is killed when.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nbvend_host::sandbox::{Level, Sandbox, Volume};

use super::place::{Box_, Place, available, offer};

fn volumes() -> bool {
    let there = available(Level::Full) && offer().no_volumes.is_none();
    if !there {
        println!("SKIPPED: no volumes here: {:?}", offer().no_volumes);
    }
    there
}

/// Whether a loop device holds the image.
fn attached(image: &Path) -> bool {
    let files =
        fs::read_dir("/sys/block").unwrap().flatten().map(|entry| entry.path().join("loop/backing_file"));
    files.filter_map(|path| fs::read_to_string(path).ok()).any(|text| text.trim() == image.to_str().unwrap())
}

/// What the file really takes on the host.
fn taken(image: &Path) -> u64 {
    fs::metadata(image).unwrap().blocks() * 512
}

#[tokio::test]
async fn a_volume_has_its_size_and_grows() {
    if !volumes() {
        return;
    }
    let place = Place::new();
    let mut spec = place.spec("a", Level::Full);
    fs::create_dir(&spec.work).unwrap();
    fs::write(spec.work.join("before"), "from the folder").unwrap();
    let image = place.path("a.img");
    spec.volume = Some(Volume { image: image.clone(), bytes: 64 << 20 });
    let fill = "dd if=/dev/zero of=big bs=1M count=100 conv=fsync";
    let attached = || attached(&image);
    {
        let sandbox = Box_::create(&spec).await;
        assert!(attached());
        let (text, end) = sandbox.shell(fill).await;
        assert!(!end.success() && text.contains("No space left"), "{text}");
        assert_eq!(
            sandbox.shell("rm big; cat before; touch mine; stat -c %u mine before").await.0,
            format!("from the folder{0}\n{0}\n", spec.uid)
        );
    }
    let started = Instant::now();
    while attached() && started.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!attached(), "the loop device stays");
    // Whoever made the file longer was killed before the file system was.
    fs::OpenOptions::new().write(true).open(&image).unwrap().set_len(192 << 20).unwrap();
    spec.volume = Some(Volume { image: image.clone(), bytes: 192 << 20 });
    let sandbox = Box_::create(&spec).await;
    let (text, end) = sandbox.shell(&format!("ls mine && {fill}")).await;
    assert!(end.success(), "{text}");
    assert!(taken(&image) < 150 << 20, "not sparse");
    drop(sandbox);
    // Asked for less, it stays as it is; asked for more, it grows.
    for (megabytes, sees) in [(64, 160..192), (300, 260..300)] {
        spec.volume = Some(Volume { image: image.clone(), bytes: megabytes << 20 });
        let sandbox = Box_::create(&spec).await;
        let all =
            "import os; s = os.statvfs('.'); print((s.f_blocks * s.f_frsize >> 20), os.path.exists('mine'))";
        let said = sandbox.says(all).await;
        let (size, mine) = said.split_once(' ').unwrap();
        assert!(sees.contains(&size.parse::<u64>().unwrap()) && mine == "True", "{megabytes}: {said}");
    }
}

#[tokio::test]
async fn a_bomb_hits_its_own_volume_only_and_what_is_deleted_is_given_back() {
    if !volumes() {
        return;
    }
    let place = Place::new();
    let volume = |name: &str| Volume { image: place.path(&format!("{name}.img")), bytes: 96 << 20 };
    let mut specs = ["bomber", "other"].map(|name| place.spec(name, Level::Full));
    for (spec, name) in specs.iter_mut().zip(["bomber", "other"]) {
        spec.volume = Some(volume(name));
    }
    let begun = Instant::now();
    let bomber = Box_::create(&specs[0]).await;
    println!("the first, with its template, after {:?}", begun.elapsed());
    let begun = Instant::now();
    let other = Box_::create(&specs[1]).await;
    println!("the second, a copy, after {:?}", begun.elapsed());
    let image = &specs[0].volume.as_ref().unwrap().image;
    let empty = taken(image);
    assert!(empty < 8 << 20, "{empty}");

    let (text, end) =
        bomber.shell("head -c 60M /dev/urandom > some && sync some && head -c 60M /dev/urandom > more").await;
    assert!(!end.success() && text.contains("No space left"), "{text}");
    assert!(taken(image) > 60 << 20);
    assert_eq!(other.shell("head -c 60M /dev/zero > mine && echo done").await.0, "done\n");
    assert_eq!(bomber.shell("rm some more && touch again && echo done").await.0, "done\n");
    // Given back when the journal is written, some seconds after.
    let begun = Instant::now();
    while taken(image) > empty + (16 << 20) && begun.elapsed() < Duration::from_secs(30) {
        let _ = bomber.shell("sync .").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(taken(image) < empty + (16 << 20), "{} of {empty}", taken(image));

    let bomb = "import errno, os\nn = 0\ntry:\n    while n < 1_000_000:\n        open(f'f{n}', 'w').close(); n += 1\n\
                except OSError as error: print(errno.errorcode[error.errno], n > 1000)";
    assert_eq!(bomber.says(bomb).await, "ENOSPC True");
    assert_eq!(bomber.shell("cat again && ls | wc -l | grep -c ... ").await.0, "1\n");
    assert_eq!(other.says("open('x', 'w').close(); print(len(__import__('os').listdir('.')))").await, "3");
    // What it may write besides is memory, and bounded.
    let (text, end) = bomber.shell("head -c 60M /dev/zero > /run/nb/bomb").await;
    assert!(!end.success() && text.contains("No space left"), "{text}");
}

#[tokio::test]
async fn a_copy_that_was_cut_off_loses_nothing_and_keeps_nothing_twice() {
    if !volumes() {
        return;
    }
    let place = Place::new();
    let mut spec = place.spec("moved", Level::Full);
    let image = place.path("moved.img");
    spec.volume = Some(Volume { image: image.clone(), bytes: 64 << 20 });
    let fill = || {
        fs::create_dir_all(spec.work.join("a/b")).unwrap();
        fs::write(spec.work.join("a/b/c"), "deep").unwrap();
        std::os::unix::fs::symlink("a/b/c", spec.work.join("link")).unwrap();
    };
    let look = "cat link; stat -c %u a/b/c; ls -A | tr '\\n' ' '";
    let seen = format!("deep{}\na link lost+found ", spec.uid);
    fill();

    // Killed while the copy was written: it has no name yet, and the folder is what counts.
    fs::write(place.path("moved.img.partial-1-0"), "half").unwrap();
    {
        let sandbox = Box_::create(&spec).await;
        assert_eq!(sandbox.shell(look).await.0, seen);
        assert!(!place.path("moved.img.partial-1-0").exists());
        assert_eq!(fs::read_dir(&spec.work).unwrap().count(), 0, "kept twice");
        assert_eq!(sandbox.shell("echo changed > a/b/c; echo done").await.0, "done\n");
    }
    // Killed when the image was there and the folder not emptied yet: the image is what counts.
    fill();
    {
        let sandbox = Box_::create(&spec).await;
        assert_eq!(sandbox.shell("cat link").await.0, "changed\n");
        assert_eq!(fs::read_dir(&spec.work).unwrap().count(), 0, "kept twice");
    }
    // What does not fit stays where it is, and nothing is started.
    fs::remove_file(&image).unwrap();
    fill();
    fs::write(spec.work.join("large"), vec![1; 80 << 20]).unwrap();
    let error = Sandbox::create(&spec).await.unwrap_err().to_string();
    assert!(error.contains("cannot be copied into a volume") && error.contains("VolumeSizeInGB"), "{error}");
    assert!(!image.exists() && spec.work.join("large").exists() && spec.work.join("a/b/c").exists());
    let left = fs::read_dir(place.dir.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().contains("partial")));
}

#[tokio::test]
async fn an_image_in_use_is_nobody_elses() {
    if !volumes() {
        return;
    }
    let place = Place::new();
    let mut specs = ["one", "two"].map(|name| place.spec(name, Level::Full));
    let image = place.path("shared.img");
    for spec in &mut specs {
        spec.volume = Some(Volume { image: image.clone(), bytes: 64 << 20 });
    }
    fs::create_dir_all(place.path("shared")).unwrap();
    // Two starts at once: one makes it, one waits until the other has ended.
    let (first, second) = (specs[0].clone(), specs[1].clone());
    let one = tokio::spawn(async move { Box_::create(&first).await });
    let two = tokio::spawn(async move { Box_::create(&second).await });
    let begun = Instant::now();
    while !one.is_finished() && !two.is_finished() && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(one.is_finished() != two.is_finished(), "two have mounted one image");
    let (first, waiting) = if one.is_finished() { (one, two) } else { (two, one) };
    let first = first.await.unwrap();
    assert_eq!(first.shell("echo kept > file; echo done").await.0, "done\n");
    // Nor can it be looked into meanwhile.
    assert!(Volume::look(&place.path("shared")).unwrap_err().to_string().contains("in use"));
    first.kill().await.unwrap();
    let begun = Instant::now();
    let second = waiting.await.unwrap();
    println!("the other had it after {:?}", begun.elapsed());
    assert_eq!(second.shell("cat file").await.0, "kept\n");
    second.kill().await.unwrap();
    let shown = loop {
        match Volume::look(&place.path("shared")) {
            Ok(shown) => break shown.unwrap(),
            Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
        }
    };
    let file = rustix::fs::openat(&shown, "file", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty());
    assert_eq!(std::io::read_to_string(fs::File::from(file.unwrap())).unwrap(), "kept\n");
    drop(shown);
    Volume::remove(&place.path("shared")).unwrap();
    assert!(!image.exists() && Volume::look(&place.path("shared")).unwrap().is_none());
}

#[tokio::test]
async fn a_damaged_image_is_repaired_or_refused_and_never_replaced() {
    if !volumes() {
        return;
    }
    use std::os::unix::fs::FileExt;
    let place = Place::new();
    let mut spec = place.spec("worn", Level::Full);
    let image = place.path("worn.img");
    spec.volume = Some(Volume { image: image.clone(), bytes: 64 << 20 });
    {
        let sandbox = Box_::create(&spec).await;
        assert_eq!(sandbox.shell("echo kept > file; echo done").await.0, "done\n");
    }
    let begun = Instant::now();
    while attached(&image) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the loop device stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The kernel notes what it meets in `s_state`; the checksum of the superblock is then wrong too, which e2fsck mends.
    let file = fs::OpenOptions::new().read(true).write(true).open(&image).unwrap();
    let run = |command: &str| {
        let status = std::process::Command::new("debugfs").args(["-w", "-R", command]).arg(&image).output();
        assert!(status.unwrap().status.success());
    };
    run("set_super_value state 2");
    {
        let sandbox = Box_::create(&spec).await;
        assert_eq!(sandbox.shell("cat file").await.0, "kept\n");
    }
    let begun = Instant::now();
    while attached(&image) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the loop device stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut state = [0; 2];
    file.read_exact_at(&mut state, 1024 + 0x3a).unwrap();
    assert_eq!(u16::from_le_bytes(state) & 2, 0, "not repaired");
    // Something else altogether is neither mounted nor made anew.
    file.write_all_at(&[0; 4096], 0).unwrap();
    let error = Sandbox::create(&spec).await.unwrap_err().to_string();
    assert!(error.contains("no ext4 file system"), "{error}");
    assert_eq!(fs::metadata(&image).unwrap().len(), 64 << 20);
}
