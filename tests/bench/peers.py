"""Peers from PyPI and npm, installed at the first use; and the topic that measures plain JupyterLab and JupyterHub."""
import functools
import importlib.metadata
import pathlib
import shutil
import subprocess
import sys
import time

import measure
from cells import Server, first_reply, print_one
from engine import ROOT, free_port, until
from hub import Hub, hub_figures
from measure import p50, several, timed
from table import Figure

FOLDER = ROOT / "target/xtask/peers"
PINS = pathlib.Path(__file__).with_name("peers.txt")
PROXY = "configurable-http-proxy@5.3.0"
TOKEN = "bench"
STARTS, PRINTS = 3, 20


def topic(run):
    if not python_peers():
        run.table.say("plain JupyterLab and JupyterHub were not measured: they could not be installed")
        return
    lab_figures(run)
    if hub_proxy():
        with Hub(run.folder / "hub", FOLDER / "bin", hub_proxy()) as hub:
            hub_figures(run.table, called("jupyterhub"), hub)
    else:
        run.table.say("JupyterHub was not measured: its proxy could not be installed")


def installed(what, stamp, wanted, *commands):
    """Whether something is there as wanted; installs it if not, and says so if that fails."""
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    stamp.unlink(missing_ok=True)
    for command in commands:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{what} cannot be installed and is skipped: {(done.stderr or done.stdout).strip()[-300:]}", file=sys.stderr, flush=True)
            return False
    # Last, so that an install that was cut short is done again.
    stamp.write_text(wanted)
    return True


@functools.cache
def python_peers():
    pip = [FOLDER / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--requirement", PINS]
    return installed("what comes from PyPI", FOLDER / "peers.txt", PINS.read_text(), [sys.executable, "-m", "venv", FOLDER], pip)


@functools.cache
def hub_proxy():
    """JupyterHub's default proxy, or None."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--loglevel", "error", "--no-fund", "--no-audit", "--fetch-retries", "1", "--prefix", FOLDER, PROXY]
    if not shutil.which("npm"):
        print("JupyterHub's proxy is skipped: there is no npm", file=sys.stderr, flush=True)
        return None
    if installed("JupyterHub's proxy", FOLDER / "proxy.txt", PROXY, npm):
        return FOLDER / "node_modules/.bin/configurable-http-proxy"
    return None


def called(package):
    """A peer with its version."""
    name = {"jupyterlab": "JupyterLab", "jupyterhub": "JupyterHub"}.get(package, package)
    sites = [str(path) for path in FOLDER.glob("lib/python3*/site-packages")]
    found = next(importlib.metadata.distributions(name=package, path=sites))
    return f"{name} {found.version}"


def lab_figures(run):
    """`jupyter lab` as it comes, no isolation: each start is exec to the first answer of its API."""
    name, starts = called("jupyterlab"), []
    (run.folder / "lab").mkdir()
    for at in range(STARTS):
        port = free_port()
        begun = time.perf_counter()
        process = measure.spawn(
            [FOLDER / "bin/jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
             f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={run.folder / 'lab'}"], folder=run.folder / "lab",
            HOME=str(run.folder / "lab"))
        try:
            server = Server(f"http://127.0.0.1:{port}", {"Authorization": f"token {TOKEN}"})
            until(lambda: server.answers("/api/status"), 120, 0.01)
            starts.append(time.perf_counter() - begun)
            if at == STARTS - 1:
                rest_of_lab(run, name, p50(starts), process, server)
        finally:
            measure.end(process)


def rest_of_lab(run, name, start, process, server):
    table = run.table
    for key in ("vend", "start"):
        table.peers.setdefault(key, {})[name] = Figure(start, "s")
    table.line(f"{name}: exec of `jupyter lab` to its API answering, p50 of {STARTS}", "", "", Figure(start, "s"), "")
    time.sleep(3)
    table.peer("idle", name, "idle (PSS)", Figure(sum(map(measure.memory, measure.tree(process.pid))), "MiB"))
    took, kernel = timed(lambda: first_reply(server))
    table.peer("first", name, "the first kernel's first reply", Figure(took, "s"))
    prints = [1000 * one for one in several(PRINTS, lambda _: print_one(kernel))]
    table.peer("print", name, f"`print(1)`, p50 of {PRINTS}", Figure(p50(prints), "ms"))
    took, later = timed(lambda: first_reply(server))
    table.peer("later", name, "a later kernel's first reply", Figure(took, "s"))
    kernel.close()
    later.close()
