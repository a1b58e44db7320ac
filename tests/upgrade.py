"""Upgrades of an engine under test, and a load on it that notes every failure and the longest wait."""
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

import botocore.config
import boto3

from browser import Visitor
from engine import until


def running(engine):
    """The pid that the data folder names."""
    return json.loads((engine.data / "engine.json").read_text())["pid"]


def replace(engine, *flags, check=True, **environment):
    """`nbvend up --replace` in the foreground; returns once it is ready. The old process is returned, draining."""
    old = engine.process
    log = open(engine.data / "engine.log", "ab")
    process = subprocess.Popen(
        engine.command("up", "--replace", "--listen", f"127.0.0.1:{engine.port}", *flags), stdout=subprocess.PIPE,
        stderr=log, env={**os.environ, **engine.environment, **environment})
    line = process.stdout.readline().decode()
    if not line.startswith("ready"):
        process.wait(30)
        if check:
            raise AssertionError(f"no upgrade: {engine.log()[-2000:]}")
        return process
    engine.process = process
    assert running(engine) == process.pid
    return old


def signalled(engine):
    """An upgrade by SIGUSR2. The successor is nobody's child here."""
    old = engine.process
    old.send_signal(signal.SIGUSR2)
    until(lambda: running(engine) != old.pid, 60)
    return old


def ended(process, seconds=60):
    assert process.wait(seconds) == 0


class Child:
    """A process that is another's child, with what the tests use of Popen."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        try:
            state = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return 0
        return 0 if state == "Z" else None

    def wait(self, seconds=60):
        until(lambda: self.poll() == 0, seconds)
        return 0

    def send_signal(self, number):
        os.kill(self.pid, number)


class Load:
    """Requests of several kinds, each kind on a thread of its own, without a retry, until told to stop."""

    def __init__(self, engine, link=None):
        self.engine, self.over = engine, threading.Event()
        self.failures, self.count, self.longest = [], {}, {}
        kinds = {"kept": self.kept(), "new": self.new(), "write": self.write()}
        if link:
            kinds["page"] = self.page(link)
            kinds["kept page"] = self.kept_page(link)
        self.threads = [threading.Thread(target=self.work, args=item, daemon=True) for item in kinds.items()]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def work(self, name, once):
        self.count[name], self.longest[name] = 0, 0
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                once()
            except Exception as error:  # noqa: BLE001 - whatever it is, a client saw it
                self.failures.append((name, time.monotonic() - begun, repr(error)[:500]))
            self.longest[name] = max(self.longest[name], time.monotonic() - begun)
            self.count[name] += 1

    def client(self):
        env = self.engine.variables()
        return boto3.client(
            "ssm", endpoint_url=f"http://127.0.0.1:{self.engine.port}", region_name="us-east-1",
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(retries={"total_max_attempts": 1}))

    def kept(self):
        client = self.client()
        client.put_parameter(Name="/load/read", Value="v", Type="String", Overwrite=True)
        return lambda: client.get_parameter(Name="/load/read")

    def write(self):
        client = self.client()
        return lambda: client.put_parameter(Name="/load/write", Value="v", Type="String", Overwrite=True)

    def new(self):
        client = self.client()

        def once():
            client.get_parameter(Name="/load/read")
            client._endpoint.http_session._manager.clear()
        return once

    def page(self, link):
        visitor = Visitor(self.engine)
        assert visitor.get(link).status == 200
        base = f"http://{urllib.parse.urlsplit(link).netloc}"

        def once():
            answer = visitor.get(f"{base}/api/status")
            assert answer.status == 200, (answer.status, answer.text)
        return once

    def kept_page(self, link):
        import urllib3
        visitor = Visitor(self.engine)
        assert visitor.get(link).status == 200
        host = urllib.parse.urlsplit(link).netloc
        pool = urllib3.HTTPConnectionPool("127.0.0.1", self.engine.port, maxsize=1, retries=False)
        headers = {"Host": host, "Cookie": "; ".join(f"{k}={v}" for k, v in visitor.cookies[host].items())}

        def once():
            answer = pool.request("GET", "/api/status", headers=headers, timeout=30)
            assert answer.status == 200, (answer.status, answer.data[:300])
        return once
