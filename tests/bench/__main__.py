"""`cargo xtask bench [TOPIC…]`: the figures of docs/benchmarks.md, as Markdown. Release binary, real clients, one machine.

Times are medians where a thing is done more than once. Nothing here judges; the budgets stand beside the figures, and
what the peers took in the same run beside both. A topic that fails does not stop the others.
"""
import os
import pathlib
import signal
import sys
import time
import traceback

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent))

import calls  # noqa: E402  (needs the path)
import door  # noqa: E402
import growth  # noqa: E402
import kernels  # noqa: E402
import memory  # noqa: E402
import peers  # noqa: E402
import proxy  # noqa: E402
import restart  # noqa: E402
import vend  # noqa: E402
from run import Run, release  # noqa: E402

# In this order: the peers first, so that what they took stands beside nbvend's figures.
TOPICS = {
    "peers": (peers, "plain JupyterLab and JupyterHub on this machine, now"),
    "vend": (vend, "from the order to a Lab that answers"),
    "memory": (memory, "what runs and does nothing (PSS)"),
    "kernels": (kernels, "a notebook started, worked in, stopped"),
    "restart": (restart, "the engine begins again"),
    "proxy": (proxy, "small requests and websockets through the engine and through others; CPU is the process's, a request"),
    "door": (door, "what authentication and authorisation cost"),
    "calls": (calls, "API calls, here and at the emulators"),
    "growth": (growth, "whether a vend costs more when many went before"),
}
# Takes minutes; runs when it is named.
ASKED_FOR = {"growth"}
DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main():
    unknown = [name for name in sys.argv[1:] if name not in TOPICS]
    if unknown:
        print(f"there is no topic {unknown[0]}; there are {', '.join(TOPICS)}", file=sys.stderr)
        return 2
    wanted = sys.argv[1:] or [name for name in TOPICS if name not in ASKED_FOR]
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run, "
          f"{'release' if release() else 'DEBUG'} build", flush=True)
    run, failed = Run(), []
    for deadly in DEADLY:
        signal.signal(deadly, lambda number, _: leave(run, 128 + number))
    try:
        for name, (module, sentence) in TOPICS.items():
            if name not in wanted:
                continue
            run.table.topic(name, sentence)
            begun = time.monotonic()
            try:
                module.topic(run)
            except Exception:
                traceback.print_exc()
                failed.append(name)
            print(f"\n({name} took {time.monotonic() - begun:.0f} s; load {os.getloadavg()[0]:.1f})", flush=True)
    finally:
        close(run)
    if failed:
        print(f"\nnot measured to the end: {', '.join(failed)}")
    return 1 if failed else 0


def close(run):
    """Undisturbed: half a cleaning up leaves the other half."""
    for deadly in DEADLY:
        signal.signal(deadly, signal.SIG_IGN)
    run.close()


def leave(run, code):
    """At once: threads that wait for answers are not waited for."""
    close(run)
    sys.stdout.flush()
    os._exit(code)


sys.exit(main())
