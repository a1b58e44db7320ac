"""What those who run an engine need: figures, a backup, a restore, and an account that can be emptied."""
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from browser import Visitor
from engine import BINARY, Engine, until
from refusal import refused


def ask(engine, path, method="GET", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{engine.port}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figures(engine):
    """Prometheus' text as {(name, labels): value}."""
    status, text = ask(engine, "/_nbvend/metrics")
    assert status == 200, text
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("#"):
            typed.add(line.split()[2])
            continue
        name, labels, value = re.fullmatch(r'([a-z_]+)(?:\{(.*)\})? (\S+)', line).groups()
        assert name in typed or re.sub(r"_(bucket|sum|count)$", "", name) in typed, line
        found[name, labels or ""] = float(value)
    return found


def test_metrics_count_what_happens(tmp_path):
    engine = Engine(tmp_path / "data").start("--open-metrics")
    try:
        ssm = engine.client("ssm")
        ssm.put_parameter(Name="/m", Value="x", Type="String")
        refused("ParameterAlreadyExists", ssm.put_parameter, Name="/m", Value="x", Type="String")
        with pytest.raises(ssm.exceptions.ParameterNotFound):
            ssm.get_parameter(Name="/none")
        seen = figures(engine)
        call = 'service="ssm",operation="{}",outcome="{}"'
        assert seen["nbvend_calls_total", call.format("PutParameter", "done")] == 1
        assert seen["nbvend_calls_total", call.format("PutParameter", "refused")] == 1
        assert seen["nbvend_calls_total", call.format("GetParameter", "refused")] == 1
        assert seen["nbvend_requests_total", 'status="4xx"'] == 2
        assert seen["nbvend_commit_seconds_count", ""] >= 2
        assert seen["nbvend_commit_seconds_bucket", 'le="+Inf"'] == seen["nbvend_commit_seconds_count", ""]
        assert seen["nbvend_notebook_servers", ""] == 0
    finally:
        engine.stop()


def test_metrics_are_the_root_keys_unless_opened(engine):
    assert ask(engine, "/_nbvend/metrics")[0] == 403
    assert ask(engine, "/_nbvend/reset", "POST")[0] == 403


def test_a_reset_needs_to_be_allowed_and_leaves_nothing(tmp_path):
    engine = Engine(tmp_path / "data").start("--allow-reset", "--open-metrics")
    try:
        for _ in range(2):
            s3, ssm = engine.client("s3"), engine.client("ssm")
            s3.create_bucket(Bucket="emptied")
            s3.put_object(Bucket="emptied", Key="k", Body=b"x")
            ssm.put_parameter(Name="/s", Value="secret", Type="SecureString")
            engine.client("iam").create_user(UserName="ada")
            role = engine.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=json.dumps({
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                        "Principal": {"Service": "sagemaker.amazonaws.com"}}]}))
            sagemaker = engine.client("sagemaker")
            sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium",
                                               RoleArn=role["Role"]["Arn"])
            sagemaker.get_waiter("notebook_instance_in_service").wait(
                NotebookInstanceName="n", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
            assert figures(engine)["nbvend_notebooks", 'status="InService"'] == 1
            link = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName="n")["AuthorizedUrl"]
            assert ask(engine, "/_nbvend/reset", "POST", Origin="http://evil.example")[0] == 403
            assert ask(engine, "/_nbvend/reset", "POST") == (200, '{"reset":true}')
            assert s3.list_buckets()["Buckets"] == [] and engine.client("iam").list_users()["Users"] == []
            with pytest.raises(ssm.exceptions.ParameterNotFound):
                ssm.get_parameter(Name="/s")
            assert sagemaker.list_notebook_instances()["NotebookInstances"] == []
            assert Visitor(engine).get(link).status in (403, 404)
            assert figures(engine)["nbvend_notebook_servers", ""] == 0
            assert not list((engine.data / "notebooks").glob("*"))
    finally:
        engine.stop("--stop-notebooks")


def fill(engine):
    """Something of every kind that a backup must hold."""
    engine.nbvend("vend", "ida")
    ssm, s3 = engine.client("ssm"), engine.client("s3")
    ssm.put_parameter(Name="/secret", Value="swordfish", Type="SecureString")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="big", Body=bytes(range(256)) * 5000)
    visitor = Visitor(engine)
    page = visitor.get(engine.nbvend("open", "ida", "--no-browser").strip())
    visitor.run(page.url, "import os; os.makedirs('a/b', exist_ok=True); open('a/b/ü.txt', 'w').write('work'); "
                          "os.path.islink('l') or os.symlink('a/b/ü.txt', 'l')")


def same(engine, notebooks=True):
    """What `fill` made is there, and works."""
    assert engine.client("ssm").get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "swordfish"
    assert engine.client("s3").get_object(Bucket="kept", Key="big")["Body"].read() == bytes(range(256)) * 5000
    stacks = {s["StackName"]: s["StackStatus"] for s in engine.client("cloudformation").describe_stacks()["Stacks"]}
    assert {"s3-iam-config", "service-catalog-config", "sam-app"} <= set(stacks) and len(stacks) == 4
    assert set(stacks.values()) == {"CREATE_COMPLETE"}
    sagemaker = engine.client("sagemaker")
    until(lambda: sagemaker.describe_notebook_instance(NotebookInstanceName="ida-Notebook")[
        "NotebookInstanceStatus"] == "InService", 60)
    visitor = Visitor(engine)
    page = visitor.get(engine.nbvend("open", "ida", "--no-browser").strip())
    assert page.status == 200
    listing = visitor.run(page.url, "import os; print(sorted(os.listdir('.')))")
    if notebooks:
        assert visitor.run(page.url, "print(open('l').read())").strip() == "work"
    else:
        assert "'a'" not in listing


def test_a_backup_made_while_running_is_all_there_is(deployed, tmp_path):
    fill(deployed)
    stop = threading.Event()

    def write():
        """Others go on meanwhile."""
        ssm, s3, at = deployed.client("ssm"), deployed.client("s3"), 0
        while not stop.is_set():
            at += 1
            s3.put_object(Bucket="kept", Key=f"more-{at}", Body=str(at).encode() * 1000)
            ssm.put_parameter(Name=f"/more/{at}", Value=str(at), Type="String")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        said = json.loads(deployed.nbvend("--json", "backup", str(tmp_path / "all.tar")))
        deployed.nbvend("backup", str(tmp_path / "lean.tar"), "--no-notebooks")
    finally:
        stop.set()
        writer.join()
    assert said["file"] == str(tmp_path / "all.tar") and said["bytes"] == (tmp_path / "all.tar").stat().st_size
    assert (tmp_path / "all.tar").stat().st_mode & 0o777 == 0o600
    again = deployed.nbvend("backup", str(tmp_path / "all.tar"), check=False)
    assert again.returncode == 1 and "exists already" in again.stderr
    assert not list(deployed.data.glob("backup-*")), "nothing is left aside"
    running = deployed.nbvend("restore", str(tmp_path / "all.tar"), check=False)
    assert running.returncode == 1 and "stop it with `nbvend down`" in running.stderr

    for name, notebooks in (("all", True), ("lean", False)):
        data = tmp_path / name
        Engine(data).nbvend("restore", str(tmp_path / f"{name}.tar"))
        other = Engine(data).start()
        try:
            same(other, notebooks)
            s3, ssm = other.client("s3"), other.client("ssm")
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket="kept", Prefix="more-")
            for item in [item for page in pages for item in page.get("Contents", [])]:
                body = s3.get_object(Bucket="kept", Key=item["Key"])["Body"].read()
                assert body == item["Key"].removeprefix("more-").encode() * 1000
        finally:
            other.stop("--stop-notebooks")
        assert (data / "root-key").read_bytes() == (deployed.data / "root-key").read_bytes()
        assert (data / "ssm.key").stat().st_mode & 0o777 == 0o600
        occupied = Engine(data).nbvend("restore", str(tmp_path / "all.tar"), check=False)
        assert occupied.returncode == 1 and "holds data already" in occupied.stderr


def test_a_backup_that_is_none_restores_nothing(engine, tmp_path):
    good = tmp_path / "good.tar"
    engine.nbvend("backup", str(good))

    def restore(file):
        data = tmp_path / f"for-{file.name}"
        said = Engine(data).nbvend("restore", str(file), check=False)
        assert not (data / "nbvend.db").exists() and not list(data.glob("restore-*"))
        assert said.returncode == 1 and said.stderr.strip().count("\n") <= 1, said.stderr
        return said.stderr

    noise = tmp_path / "noise.tar"
    noise.write_bytes(b"not a tar" * 1000)
    assert "is not a backup of nbvend" in restore(noise)
    assert "cannot be used" in restore(tmp_path / "missing.tar")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(good.read_bytes()[:40_000])
    assert "damaged" in restore(cut)
    newer = tmp_path / "newer.tar"
    with tarfile.open(good) as old, tarfile.open(newer, "w") as new:
        for member in old:
            content = old.extractfile(member) if member.isfile() else None
            if member.name == "manifest.json":
                text = content.read().replace(b'"schema":', b'"schema":9')
                member.size, content = len(text), io.BytesIO(text)
            new.addfile(member, content)
    assert "newer nbvend" in restore(newer)


def written(name, kind=tarfile.REGTYPE, content=b"", mode=0o644, to=""):
    """An entry of an archive, as a list of arguments to `addfile`."""
    member = tarfile.TarInfo(name)
    member.type, member.size, member.mode, member.linkname = kind, len(content), mode, to
    return member, io.BytesIO(content)


@pytest.mark.parametrize("how", ["above", "absolute", "link for notebooks", "link, then through", "link, then folder",
                                 "hard link"])
def test_a_backup_leads_nowhere_else(engine, tmp_path, how):
    """A file that was tampered with neither writes outside the folder nor opens what is there."""
    evil, other = tmp_path / "evil.tar", tmp_path / "other"
    other.mkdir(mode=0o700)
    engine.nbvend("backup", str(evil))
    link = ("notebooks/a/files/l", tarfile.SYMTYPE)
    entries = {
        "above": [written("../other/escaped", content=b"bad")],
        "absolute": [written(f"{other}/escaped", content=b"bad")],
        "link for notebooks": [written("notebooks", tarfile.SYMTYPE, to=str(other)),
                               written("notebooks/escaped", content=b"bad")],
        "link, then through": [written(*link, to=str(other)), written(f"{link[0]}/escaped", content=b"bad")],
        "link, then folder": [written(*link, to=str(other)), written(link[0], tarfile.DIRTYPE, mode=0o777)],
        "hard link": [written("notebooks/a/files/h", tarfile.LNKTYPE, to="/etc/hostname")],
    }
    with tarfile.open(evil, "a") as archive:
        for entry in entries[how]:
            archive.addfile(*entry)
    data = tmp_path / "data"
    said = Engine(data).nbvend("restore", str(evil), check=False)
    assert said.returncode == 1 and "damaged or cannot be unpacked" in said.stderr, said.stderr
    assert list(other.iterdir()) == [] and other.stat().st_mode & 0o777 == 0o700
    assert not (data / "nbvend.db").exists() and not list(data.glob("restore-*"))


def test_closed_folders_come_back_closed_for_a_plain_user(engine, tmp_path):
    """Folders their owner may not write to, or not even list, get their files first."""
    with tempfile.TemporaryDirectory() as room:
        room = Path(room)
        room.chmod(0o777)
        saved = room / "b.tar"
        engine.nbvend("backup", str(saved))
        with tarfile.open(saved, "a") as archive:
            for name, mode in [("notebooks", 0o700), ("notebooks/a", 0o700), ("notebooks/a/shut", 0o555),
                               ("notebooks/a/blind", 0)]:
                archive.addfile(*written(name, tarfile.DIRTYPE, mode=mode))
            for name in ("shut", "blind"):
                archive.addfile(*written(f"notebooks/a/{name}/f", content=b"kept"))
        saved.chmod(0o644)
        binary = shutil.copy(BINARY, room / "nbvend")
        plain = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*plain, binary, "--data", str(room / "data"), "restore", str(saved)]
        subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(room)})
        for name, mode in [("shut", 0o555), ("blind", 0)]:
            folder = room / "data" / "notebooks" / "a" / name
            assert folder.stat().st_mode & 0o777 == mode
            folder.chmod(0o700)
            assert (folder / "f").read_bytes() == b"kept"


def test_a_backup_of_a_stopped_engine(tmp_path):
    engine = Engine(tmp_path / "data").start()
    engine.client("ssm").put_parameter(Name="/a", Value="x", Type="String")
    engine.stop()
    engine.nbvend("backup", str(tmp_path / "b.tar"))
    with tarfile.open(tmp_path / "b.tar") as archive:
        archive.extract("nbvend.db", tmp_path / "x", filter="data")
    with sqlite3.connect(tmp_path / "x" / "nbvend.db") as database:
        assert database.execute("SELECT count(*) FROM record WHERE kind = 'ssm.parameter'").fetchone() == (1,)
    nothing = Engine(tmp_path / "none").nbvend("backup", str(tmp_path / "n.tar"), check=False)
    assert nothing.returncode == 1 and "nothing to back up" in nothing.stderr
