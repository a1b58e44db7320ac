"""One run: its folder, its table, and an engine that is started and deployed to when a topic first asks for it."""
import json
import pathlib
import shutil
import subprocess
import tempfile

import measure
from engine import BINARY, ROOT, Engine, until
from table import Table


class Run:
    def __init__(self):
        # Paths of unix sockets are short.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nbb-"))
        self.table = Table()
        self.started = None
        self.deployed = None

    @property
    def engine(self):
        """With the solution deployed and a zygote that is ready; after that nothing is cold."""
        if not self.started:
            # Whatever takes minutes and is kept (JupyterLab, the functions' binaries) is made before anything is measured.
            first = Engine(self.folder / "first").start()
            try:
                first.nbvend("deploy")
                until(lambda: "the zygote is ready" in first.log(), 600)
            finally:
                first.stop()
            self.started = Engine(self.folder / "data").start()
            self.deployed = measure.timed(lambda: self.started.nbvend("deploy"))[0]
            until(lambda: "the zygote is ready" in self.started.log(), 120)
        return self.started

    @property
    def pid(self):
        return self.engine.process.pid

    def status(self):
        return json.loads(self.engine.nbvend("--json", "status"))

    def close(self):
        """Ends all that was started, whatever happened; what the notebooks had is put away by the engine itself."""
        if self.started:
            try:
                if self.started.process.poll() is not None:
                    self.started.start()
                self.started.stop("--stop-notebooks")
            except Exception as failure:
                print(f"the engine was not stopped in order: {failure}", flush=True)
        for pid in measure.end_all(f"{measure.MARK}={measure.RUN}", self.folder):
            print(f"process {pid} was still there and was ended", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def release():
    return "/debug/" not in str(BINARY)


def program(package, bench):
    """The executable of a bench program, built like the binary that is measured."""
    built = subprocess.run(["cargo", "bench", "--package", package, "--bench", bench, "--no-run", "--locked", "--quiet", "--profile",
                            "bench" if release() else "dev", "--message-format=json"],
                           cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, built.stdout.splitlines())
    return next(m["executable"] for m in messages
                if m.get("executable") and m["target"]["kind"] == ["bench"] and m["target"]["name"] == bench)
