"""An upgrade in place: the engine's process is replaced under load, and nobody notices but by its number."""
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.parse

import pytest
import websocket

from browser import Visitor
from engine import Engine, until
from kernel import Kernel
from upgrade import Child, Load, ended, replace, running, signalled
from zips import package


@pytest.fixture(scope="module")
def vended(deployed):
    deployed.nbvend("vend", "kim")
    return deployed


def link(engine):
    return engine.nbvend("open", "kim", "--no-browser").strip()


def opened(engine):
    visitor, url = Visitor(engine), link(engine)
    assert visitor.get(url).status == 200
    return visitor, url


def test_no_request_fails_and_a_websocket_lives_through_two_upgrades(vended):
    engine = vended
    kernel = Kernel(*opened(engine))
    assert kernel.run("x = 41; x") == "41"
    olds = []
    with Load(engine, link(engine)) as load:
        for _ in range(2):
            olds.append(replace(engine))
            assert kernel.run("x += 1; x") == str(41 + len(olds))
            time.sleep(1)
        until(lambda: all(count > 20 for count in load.count.values()))
    assert load.failures == []
    print("longest request:", {name: round(seconds, 3) for name, seconds in load.longest.items()}, load.count)
    assert max(load.longest.values()) < 30, load.longest
    # The websocket is served by the first process still; a new one by the last.
    status = until(lambda: of_status(engine, lambda s: {d["pid"] for d in s["draining"]} == {p.pid for p in olds[:1]}), 60)
    assert status["ready"]
    first, second = olds
    ended(second)
    assert first.poll() is None
    again = kernel.connect()
    again.close()
    assert kernel.run("x") == "43"
    kernel.socket.close()
    ended(first)


def of_status(engine, right):
    status = json.loads(engine.nbvend("--json", "status"))
    return status if right(status) else None


def test_a_slow_request_finishes_and_the_signal_upgrades(vended):
    engine = vended
    body = os.urandom(1 << 20)

    class Slow:
        """A body that takes its time."""
        def __init__(self):
            self.at = 0

        def read(self, _=None):
            if self.at:
                time.sleep(0.1)
            piece = body[self.at:self.at + (1 << 15)]
            self.at += len(piece)
            return piece

    api = engine.client("s3", s3={"addressing_style": "path"})
    url = urllib.parse.urlsplit(api.generate_presigned_url("put_object", Params={"Bucket": "slow", "Key": "k"}))
    api.create_bucket(Bucket="slow")
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=60)

    def send():
        headers = {"Host": url.netloc, "Content-Length": str(len(body))}
        connection.request("PUT", f"{url.path}?{url.query}", body=slow, headers=headers)
        return connection.getresponse().status

    load, slow = Load(engine), Slow()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(send)
        until(lambda: slow.at > 1 << 15)
        with load:
            old = signalled(engine)
            assert slow.at >= len(body), "it was waited for before the engine changed hands"
            assert sent.result(10) == 200
    assert load.failures == []
    assert api.get_object(Bucket="slow", Key="k")["Body"].read() == body
    connection.close()
    ended(old)
    engine.process = Child(running(engine))


INSIDE = """
import http.client, os, urllib.parse
url = urllib.parse.urlsplit(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
kept = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
def credentials():
    kept.request("GET", url.path, headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
    answer = kept.getresponse()
    return answer.status, "AccessKeyId" in answer.read().decode(), answer.headers["Connection"]
credentials()
"""


def test_connections_from_inside_under_tls_and_downloads_go_on(vended):
    engine = vended
    visitor, url = opened(engine)
    kernel = Kernel(visitor, url)
    secure = http.client.HTTPSConnection("127.0.0.1", engine.port, timeout=30, context=ssl._create_unverified_context())

    def health():
        secure.request("GET", "/_nbvend/health")
        answer = secure.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["ready"]
        return answer.headers["Connection"]

    size = 64 << 20
    kernel.run(f"open('big', 'wb').write(b'x' * {size})")
    download = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=60)
    # Without a page of its own behind it, Jupyter gives no file.
    headers = {"Host": kernel.host, "Cookie": kernel.cookie, "Referer": f"{kernel.base}/lab"}
    download.request("GET", "/files/big", headers=headers)
    answer = download.getresponse()
    assert answer.status == 200 and len(answer.read(1000)) == 1000
    # Directly before: a connection that idles for half a minute is closed.
    assert kernel.run(INSIDE) == "(200, True, None)"
    assert health() is None
    old = replace(engine)
    # The old process sends each on, once; then the client connects to the new one.
    assert [kernel.run("credentials()") for _ in range(2)] == ["(200, True, 'close')", "(200, True, None)"]
    assert [health(), health()] == ["close", None]
    assert old.poll() is None
    assert len(answer.read()) == size - 1000
    kernel.run("import os; os.remove('big')")
    for one in (download, secure, kernel.socket):
        one.close()
    ended(old)


SLEEPER = """
import time
def handler(event, context):
    time.sleep(30)
    return {"slept": True}
"""


def test_a_function_that_runs_is_waited_for_while_others_are_served(vended):
    """It runs for longer than others may wait, however slow the machine."""
    engine = vended
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = engine.client("iam").create_role(RoleName="Sleeper", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    api = engine.client("lambda", read_timeout=180)
    api.create_function(FunctionName="sleeper", Runtime=f"python3.{sys.version_info.minor}", Handler="index.handler",
                        Role=role, Timeout=90, Code={"ZipFile": package({"index.py": SLEEPER})})
    until(lambda: api.get_function(FunctionName="sleeper")["Configuration"]["State"] == "Active")
    load = Load(engine)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        invoked = pool.submit(lambda: json.load(api.invoke(FunctionName="sleeper", Payload=b"{}")["Payload"]))
        time.sleep(0.5)
        with load:
            old = replace(engine)
            assert invoked.result(10) == {"slept": True}
    assert load.failures == [] and max(load.longest.values()) < 20, (load.failures, load.longest)
    api.close()
    ended(old)


@pytest.mark.parametrize("step", ["asked", "offered", "ready", "yours", "opened", "serving"])
def test_a_successor_that_dies_on_the_way_leaves_service(vended, step):
    engine = vended
    pid = running(engine)
    kernel = Kernel(*opened(engine))
    kernel.run("y = 1")
    with Load(engine, link(engine)) as load:
        dead = replace(engine, check=False, NBVEND_KILL_AT_TAKEOVER=step)
        assert dead.returncode == -signal.SIGABRT
        time.sleep(0.5)
    assert load.failures == []
    # What had its name in the folder already is gone; the old engine begins anew, and writes its own.
    until(lambda: running(engine) == pid)
    assert engine.process.poll() is None
    assert kernel.run("y + 1") == "2"
    # Slow work goes on too, and so does the next upgrade.
    engine.nbvend("stop", "kim")
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        kernel.socket.settimeout(60)
        while kernel.socket.recv():
            pass
    engine.nbvend("start", "kim")
    old = replace(engine)
    ended(old)


def test_a_newer_schema_another_address_or_account_leaves_the_old_engine_serving(vended):
    engine = vended
    pid = running(engine)
    database = sqlite3.connect(engine.data / "nbvend.db")
    known = database.execute("PRAGMA user_version").fetchone()[0]
    try:
        database.execute("PRAGMA user_version = 4000")
        newer = engine.nbvend("up", "--replace", "--detach", "--listen", f"127.0.0.1:{engine.port}", check=False)
    finally:
        database.execute(f"PRAGMA user_version = {known}")
        database.close()
    elsewhere = engine.nbvend("up", "--replace", "--detach", "--listen", "127.0.0.1:1", check=False)
    other = engine.nbvend("up", "--replace", "--detach", "--listen", f"127.0.0.1:{engine.port}",
                          "--account", "999999999999", check=False)
    for done, words in ((newer, "newer nbvend"), (elsewhere, f"listens on 127.0.0.1:{engine.port}"),
                        (other, "the engine's account is 123456789012")):
        assert done.returncode == 1 and words in done.stderr, done.stderr
    assert running(engine) == pid and engine.health()["ready"]


def test_of_two_at_once_one_wins_and_the_other_is_told(vended):
    engine = vended
    words = engine.command("up", "--replace", "--detach", "--listen", f"127.0.0.1:{engine.port}")
    old = engine.process
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(process.communicate(timeout=120), process.returncode) for process in both]
    assert sorted(code for _, code in ends) == [0, 1], ends
    assert "at work" in next(text[1] for text, code in ends if code == 1)
    assert "took over from process" in next(text[1] for text, code in ends if code == 0)
    ended(old)
    engine.process = Child(running(engine))
    assert engine.health()["ready"]


def test_an_end_of_access_reaches_what_an_old_process_serves(vended):
    engine = vended
    person = engine.person("lea")
    engine.run(engine.command("vend", "lea"), **person)
    visitor = Visitor(engine)
    url = engine.run(engine.command("open", "lea", "--no-browser"), **person).strip()
    assert visitor.get(url).status == 200
    kernel = Kernel(visitor, url)
    assert kernel.run("1 + 1") == "2"
    old = replace(engine)
    assert kernel.run("2 + 2") == "4"
    engine.nbvend("user", "remove", "lea")
    begun = time.monotonic()
    kernel.socket.settimeout(30)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while kernel.socket.recv():
            pass
    assert time.monotonic() - begun < 30
    ended(old)
    engine.nbvend("terminate", "lea")


def test_an_engine_that_hangs_is_killed_and_said_so(tmp_path):
    engine = Engine(tmp_path / "data").start()
    old = engine.process
    old.send_signal(signal.SIGSTOP)
    try:
        replace(engine)
        assert "does not answer" in engine.log() and "killed" in json.loads((engine.data / "engine.json").read_text())["began"]
        assert old.wait(60) == -signal.SIGKILL
        assert engine.health()["ready"]
    finally:
        engine.stop("--stop-notebooks")


def test_an_engine_without_the_socket_is_stopped(tmp_path):
    engine = Engine(tmp_path / "data").start()
    (engine.data / "upgrade.sock").unlink()
    old = engine.process
    try:
        replace(engine)
        ended(old)
        assert "no socket for upgrades" in engine.log()
    finally:
        engine.stop("--stop-notebooks")


def test_systemd_hears_which_process_is_the_engine(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "n"))
        notify.settimeout(60)
        engine = Engine(tmp_path / "data", environment={"NOTIFY_SOCKET": str(tmp_path / "n")}).start()
        try:
            assert notify.recv(100).decode().split() == ["READY=1", f"MAINPID={engine.process.pid}"]
            old = signalled(engine)
            assert notify.recv(100).decode().split() == ["READY=1", f"MAINPID={running(engine)}"]
            ended(old)
            engine.process = Child(running(engine))
        finally:
            engine.stop("--stop-notebooks")


def test_down_ends_the_processes_that_drain(vended):
    engine = vended
    kernel = Kernel(*opened(engine))
    old = replace(engine)
    until(lambda: of_status(engine, lambda s: [d["pid"] for d in s["draining"]] == [old.pid]), 60)
    engine.stop()
    ended(old, 30)
    assert not (engine.data / "upgrade.sock").exists()
    kernel.socket.close()
    engine.start()
