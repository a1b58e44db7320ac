"""An engine under test: the real binary on a port and a data folder of its own."""
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import urllib.request

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("NBVEND_BINARY", str(ROOT / "target/debug/nbvend"))
# What takes minutes to make and never changes is made once and shared by all engines under test.
SHARED = ROOT / "target/xtask/shared"


def free_port():
    """Below the ports that the kernel gives to clients: one of those, or what is left of it, could have an engine's port when
    it is started again."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Engine:
    def __init__(self, data, port=None, environment=None):
        self.data = pathlib.Path(data)
        self.port = port or free_port()
        self.environment = environment or {}
        self.process = None
        self.data.mkdir(parents=True, exist_ok=True)
        for name in ("jupyter", "functions-built", "functions-target"):
            (SHARED / name).mkdir(parents=True, exist_ok=True)
            if not (self.data / name).exists():
                (self.data / name).symlink_to(SHARED / name)

    @property
    def endpoint(self):
        return f"http://localhost:{self.port}"

    def command(self, *words):
        return [BINARY, "--data", str(self.data), *words]

    def start(self, *flags, **environment):
        log = open(self.data / "engine.log", "ab")
        env = {**os.environ, **self.environment, **environment}
        self.process = subprocess.Popen(
            self.command("up", "--listen", f"127.0.0.1:{self.port}", *flags), stdout=subprocess.PIPE, stderr=log, env=env)
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready"):
            self.process.wait()
            raise RuntimeError(f"the engine did not start: {self.log()[-2000:]}")
        return self

    def log(self):
        return (self.data / "engine.log").read_text(errors="replace")

    def kill(self):
        """As the machine would: no word of warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait_dead(self, seconds=60):
        """Waits for an engine that was told to die by itself."""
        self.process.wait(seconds)

    def stop(self, *flags):
        if self.process and self.process.poll() is None:
            self.nbvend("down", *flags)
            self.process.wait(30)

    def restart(self, **environment):
        self.stop()
        return self.start(**environment)

    def variables(self):
        words = json.loads(self.nbvend("--json", "env"))
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {**env, **words, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "2"}

    def nbvend(self, *words, check=True, timeout=600, **environment):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **environment})
        if check and done.returncode != 0:
            raise AssertionError(f"nbvend {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout if check else done

    def person(self, name, *flags):
        """Makes a user with `nbvend user add`; what her shell needs."""
        made = json.loads(self.nbvend("--json", "user", "add", name, *flags))
        return {key: value for key, value in made.items() if key.startswith(("AWS_", "CURL_"))}

    def as_person(self, person, service, **options):
        """A client that signs with a person's key."""
        return self.client(service, key=person["AWS_ACCESS_KEY_ID"], secret=person["AWS_SECRET_ACCESS_KEY"], **options)

    def client(self, service, **options):
        env = self.variables()
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=options.pop("region", "us-east-1"),
            aws_access_key_id=options.pop("key", env["AWS_ACCESS_KEY_ID"]),
            aws_secret_access_key=options.pop("secret", env["AWS_SECRET_ACCESS_KEY"]),
            aws_session_token=options.pop("token", None),
            config=botocore.config.Config(retries={"total_max_attempts": 1}, **options))

    def run(self, command, folder=None, check=True, timeout=600, **environment):
        done = subprocess.run(command, shell=isinstance(command, str), cwd=folder, capture_output=True, text=True,
                              timeout=timeout, env={**self.variables(), **environment})
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done if not check else done.stdout

    def health(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_nbvend/health") as answer:
            return json.load(answer)


def until(test, seconds=60, pause=0.05):
    """The first true answer of `test`; fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = test()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"nothing after {seconds} s; the last answer was {answer!r}")
        time.sleep(pause)
