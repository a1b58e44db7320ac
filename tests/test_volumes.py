"""Volumes: their size holds where the machine can do that, and is said not to where it cannot; nothing in them is lost."""
import json
import os
import re
import shutil
import subprocess
import time

import botocore.exceptions
import pytest

from browser import Visitor
from engine import Engine, until

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
SIZE = "import os; s = os.statvfs('.'); print(s.f_blocks * s.f_frsize / 2**30)"


@pytest.fixture
def own(tmp_path):
    """An engine of the test's own, to be killed."""
    running = Engine(tmp_path / "data").start()
    prepare(running)
    yield running
    if running.process.poll() is not None:
        running.start()
    running.stop("--stop-notebooks")


@pytest.fixture(scope="module")
def shared(engine):
    prepare(engine)
    return engine


def prepare(engine):
    engine.client("iam").create_role(RoleName="Notebooks", AssumeRolePolicyDocument=TRUST)


def volumes(engine):
    status = json.loads(engine.nbvend("--json", "status"))
    if status["volume"] != "enforced":
        pytest.skip(f"no volumes here: {status['volume_reason']}")


def create(engine, name, **options):
    engine.client("sagemaker").create_notebook_instance(
        NotebookInstanceName=name, RoleArn="arn:aws:iam::123456789012:role/Notebooks",
        **{"InstanceType": "ml.t3.medium", **options})
    reach(engine, name, "InService")


def describe(engine, name):
    return engine.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)


def reach(engine, name, status):
    def look():
        now = describe(engine, name)
        assert now["NotebookInstanceStatus"] != "Failed" or status == "Failed", now["FailureReason"]
        return now["NotebookInstanceStatus"] == status and now
    return until(look, 120)


def stop(engine, name):
    engine.client("sagemaker").stop_notebook_instance(NotebookInstanceName=name)
    reach(engine, name, "Stopped")


def start(engine, name, status="InService"):
    engine.client("sagemaker").start_notebook_instance(NotebookInstanceName=name)
    return reach(engine, name, status)


def visit(engine, name):
    """Runs code inside, each time in a new kernel."""
    url = engine.client("sagemaker").create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"]
    visitor = Visitor(engine)
    page = visitor.get(url)
    assert page.status == 200, page.text
    return lambda code: visitor.run(page.url, code).strip()


def image(engine):
    (found,) = (engine.data / "notebooks").glob("*.img")
    return found


def on_the_host(file):
    return file.stat().st_blocks * 512


def tags(engine, name):
    found = engine.client("sagemaker").list_tags(ResourceArn=describe(engine, name)["NotebookInstanceArn"])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_volume_has_the_size_it_was_given_and_grows(own):
    volumes(own)
    create(own, "grows")
    inside = visit(own, "grows")
    assert 4.7 < float(inside(SIZE)) < 5
    assert inside("open('kept.txt', 'w').write('x')") == "1"
    assert tags(own, "grows")["nbvend:volume"] == "enforced"
    assert on_the_host(image(own)) < 16 << 20
    # Adopted by the next engine, it is as it was.
    own.kill()
    own.start()
    assert tags(own, "grows")["nbvend:volume"] == "enforced"
    assert float(visit(own, "grows")(SIZE)) < 5
    stop(own, "grows")
    own.client("sagemaker").update_notebook_instance(NotebookInstanceName="grows", VolumeSizeInGB=6)
    reach(own, "grows", "Stopped")
    with pytest.raises(botocore.exceptions.ClientError, match="cannot be decreased"):
        own.client("sagemaker").update_notebook_instance(NotebookInstanceName="grows", VolumeSizeInGB=5)
    start(own, "grows")
    inside = visit(own, "grows")
    assert 5.6 < float(inside(SIZE)) < 6
    assert inside("print(open('kept.txt').read())") == "x"
    stop(own, "grows")
    own.client("sagemaker").delete_notebook_instance(NotebookInstanceName="grows")
    until(lambda: not list((own.data / "notebooks").iterdir()))


def test_22_disk_and_inode_bombs(shared):
    """A notebook that writes all it can, and makes all the files it can, hits itself alone."""
    volumes(shared)
    create(shared, "bomber")
    mine = image(shared)
    create(shared, "neighbour")
    bomber, neighbour = visit(shared, "bomber"), visit(shared, "neighbour")
    # The control: what fits is written.
    fill = """
import errno, os
size = {size}
with open('bomb', 'ab') as f:
    try:
        os.posix_fallocate(f.fileno(), 0, size)
        os.fsync(f.fileno())
        print('fits')
    except OSError as error:
        print(errno.errorcode[error.errno])"""
    assert bomber(fill.format(size=1 << 30)) == "fits"
    assert bomber(fill.format(size=100 << 30)) == "ENOSPC"
    assert on_the_host(mine) <= 5 << 30
    # What it may write besides the volume is memory, and bounded.
    elsewhere = """
import errno, os
for place in ('/tmp', os.environ['HOME'], os.environ['JUPYTER_RUNTIME_DIR'], '/dev/shm'):
    try:
        with open(place + '/bomb', 'wb') as f:
            os.posix_fallocate(f.fileno(), 0, 100 << 30)
        print(place, 'fits')
    except OSError as error:
        print(errno.errorcode[error.errno], end=' ')"""
    assert bomber(elsewhere) == "ENOSPC ENOSPC ENOSPC ENOSPC"
    many = """
import errno, os
made = 0
os.remove('bomb')
os.makedirs('many', exist_ok=True)
try:
    while made < 2_000_000:
        os.close(os.open(f'many/{made}', os.O_CREAT | os.O_WRONLY)); made += 1
except OSError as error:
    print(errno.errorcode[error.errno], made > 10_000)"""
    assert bomber(many) == "ENOSPC True"
    assert len(list((shared.data / "notebooks").rglob("*"))) == 4, "the host's inodes are its own"
    # Both servers go on, the neighbour has its whole room, and what is deleted can be used again.
    assert neighbour(fill.format(size=1 << 30)) == "fits"
    assert neighbour("open('x', 'w').write('fine')") == "4"
    assert bomber("import shutil; shutil.rmtree('many'); "
                  "open('y', 'w').write('again')") == "5"
    # Blocks that were written are the host's again. What is left is inodes and the journal.
    settled = on_the_host(mine)
    assert bomber("import os\nf = open('data', 'wb')\nfor _ in range(200): _ = f.write(os.urandom(1 << 20))\n"
                  "f.flush(); os.fsync(f.fileno()); f.close(); print('done')") == "done"
    assert on_the_host(mine) > settled + (180 << 20)
    assert bomber("import os; os.remove('data'); os.sync(); print('done')") == "done"
    until(lambda: on_the_host(mine) < settled + (20 << 20), 60)


def before(own, name):
    """A stopped notebook whose files are in a plain folder, as they were before there were volumes."""
    create(own, name)
    stop(own, name)
    found = image(own)
    folder = found.with_suffix("")
    until(lambda: unused(found))
    found.unlink()
    (folder / "deep").mkdir()
    for at in range(300):
        (folder / "deep" / f"{at}.bin").write_bytes(os.urandom(1 << 16))
    os.symlink("deep/7.bin", folder / "link")
    return folder, found


def unused(file):
    return subprocess.run(["flock", "--nonblock", file, "true"]).returncode == 0


DIGEST = """
import hashlib, os
print(os.readlink('link'), hashlib.sha256(b''.join(open(f'deep/{n}.bin', 'rb').read() for n in range(300))).hexdigest())"""


def test_files_of_before_are_copied_in_whatever_is_killed_when(own):
    volumes(own)
    folder, found = before(own, "old")
    expected = subprocess.run(["python3", "-c", DIGEST], cwd=folder, capture_output=True, text=True, check=True).stdout
    # What writes a copy goes on when the engine is killed; the next engine lets a copy alone that is worked on.
    copies = lambda: found.parent.glob("*.partial-*")
    outlived, delays = set(), (0.0, 0.02, 0.05, 0.1, 0.15, 0.25)
    for delay in delays:
        try:
            own.client("sagemaker").start_notebook_instance(NotebookInstanceName="old")
        except botocore.exceptions.ClientError:
            pass  # The engine before has finished the start in time, or the next one goes on with it.
        time.sleep(delay)
        own.kill()
        # Whatever there is now holds all of it: the folder as long as there is no image, the image from then on.
        assert found.exists() or len(list((folder / "deep").iterdir())) == 300
        if delay == delays[-1]:
            until(lambda: all(unused(copy) for copy in copies()))
        outlived |= {copy.name for copy in copies() if not unused(copy)}
        own.start()
    reach(own, "old", "InService")
    assert visit(own, "old")(DIGEST) == expected.strip()
    assert not list(folder.iterdir()), "kept twice"
    assert {f.name for f in found.parent.iterdir()} - outlived == {folder.name, found.name}
    # Those go with the notebook at the latest.
    stop(own, "old")
    own.client("sagemaker").delete_notebook_instance(NotebookInstanceName="old")
    until(lambda: not list(found.parent.iterdir()))


def test_a_backup_holds_the_files_of_running_and_stopped_notebooks(own, tmp_path):
    volumes(own)
    for name in ("runs", "rests"):
        create(own, name)
        made = visit(own, name)("import os; open('own.txt', 'w').write('" + name + "'); os.makedirs('d/e'); "
                                "os.symlink('/etc/shadow', 'd/link'); f = open('sparse', 'wb'); "
                                "f.truncate(4 << 30); f.seek(1 << 30); f.write(b'in the middle'); f.close(); print('ok')")
        assert made == "ok"
    stop(own, "rests")
    own.nbvend("backup", str(tmp_path / "all.tar"))
    assert (tmp_path / "all.tar").stat().st_size < 64 << 20
    other = Engine(tmp_path / "other")
    other.nbvend("restore", str(tmp_path / "all.tar"))
    assert sum(on_the_host(f) for f in (tmp_path / "other" / "notebooks").rglob("*") if f.is_file()) < 64 << 20
    other.start()
    try:
        reach(other, "runs", "InService")
        start(other, "rests")
        for name in ("runs", "rests"):
            seen = visit(other, name)("import os; f = open('sparse', 'rb'); f.seek(1 << 30); print(open('own.txt').read(), "
                                      "f.read(13), os.stat('sparse').st_size >> 30, os.readlink('d/link'))")
            assert seen == f"{name} b'in the middle' 4 /etc/shadow"
    finally:
        other.stop("--stop-notebooks")


def test_where_a_volume_cannot_be_mounted_its_notebook_does_not_start_empty(tmp_path):
    engine = Engine(tmp_path / "data").start()
    prepare(engine)
    try:
        volumes(engine)
        create(engine, "kept")
        assert visit(engine, "kept")("open('kept.txt', 'w').write('x')") == "1"
        stop(engine, "kept")
        engine.stop()
        # Root without the right to mount, to make users or to give files away: what an ordinary user is.
        if not shutil.which("capsh"):
            pytest.skip("no capsh here")
        binary = engine.command()
        engine.command = lambda *words: ["capsh", "--drop=cap_sys_admin", "--", "-c", 'exec "$@"', "sh", *binary, *words]
        engine.start()
        status = json.loads(engine.nbvend("--json", "status"))
        assert status["isolation"] != "full" and status["volume"] == "not-enforced" and status["volume_reason"]
        assert re.search(r"volume +not-enforced \(", engine.nbvend("status"))
        assert "not enforced" in engine.nbvend("doctor", check=False).stdout
        assert tags(engine, "kept")["nbvend:volume"] == "not-enforced"
        failed = start(engine, "kept", "Failed")
        assert "its files are in the volume" in failed["FailureReason"] and "cannot be mounted here" in failed["FailureReason"]
        # The control: one without a volume starts there, and says that its size is not enforced.
        create(engine, "new")
        assert float(visit(engine, "new")(SIZE)) > 5.1
        assert tags(engine, "new")["nbvend:volume"] == "not-enforced"
        stop(engine, "new")
        engine.stop("--stop-notebooks")
        engine.command = lambda *words: [*binary, *words]
        engine.start()
        start(engine, "kept")
        assert visit(engine, "kept")("print(open('kept.txt').read())") == "x"
        start(engine, "new")
        assert tags(engine, "new")["nbvend:volume"] == "enforced"
    finally:
        engine.stop("--stop-notebooks")
