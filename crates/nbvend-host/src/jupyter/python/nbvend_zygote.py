"""The zygote: loads JupyterLab once and then forks servers, each into a sandbox that the engine has made.

Descriptor 3 is a packet socket to the engine. On it the engine sends one byte and, with it, another packet socket for
that one request. The zygote itself never reads a request: it forks, and the child reads it, so that nothing of one
notebook's settings is ever in the memory another one is forked from, and nobody can stall the zygote. The child's
packets to the engine, on the request's own socket:

    {"pid": P}        and a pidfd: the process that will be the server
    {"entered": true} it is inside and about to start
    {"kernels": true} and a pidfd: its kernel forker runs
    {"error": "..."}  it gave up, in words; nothing of it is left

On descriptor 3 the zygote says {"ready": true} once and {"exited": P, "status": S} for each process that ended.
When the engine goes away the zygote ends; the servers live on.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time

import nbvend_enter as enter
import nbvend_forker as forker
import nbvend_memory
import nbvend_server as server

ENGINE = 3
MARK = "NBVEND_SERVER"
# A request is one packet; what does not fit is cut off by the kernel and refused by us.
LARGEST = 128 << 10
DESCRIPTORS = 32
PATIENCE = 10


def main():
    engine = socket.socket(fileno=ENGINE)
    # Else the debugger's loading speaks of our frozen modules in each log.
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    for name in server.MODULES + forker.MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:  # A package that changed: the server will load what it needs itself.
            print(f"not preloaded: {name}: {error!r}", file=sys.stderr, flush=True)
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise SystemExit(f"a preloaded module started {len(threads) - 1} threads; a fork would lose them")
    look = enter.Look(MARK)
    enter.prctl(enter.PR_SET_CHILD_SUBREAPER, 1, "becoming a subreaper")
    # Signals wake the poll below by this socket; what they mean is found by asking.
    awake, wake = socket.socketpair()
    awake.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C in the terminal of an engine in the foreground is for the engine.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    engine.send(json.dumps({"ready": True, "pid": os.getpid()}).encode())
    middles = set()
    poll = select.poll()
    poll.register(engine, select.POLLIN)
    poll.register(awake, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == engine.fileno():
                request = receive(engine)
                if request is not None:
                    fork(request, middles, look)
            else:
                while drained(awake):
                    pass
        reap(engine, middles)


def receive(engine):
    """The next request's socket; None for a packet without one."""
    try:
        data, descriptors, _, _ = socket.recv_fds(engine, 16, 1)
    except ConnectionError:
        data, descriptors = b"", []
    if not data and not descriptors:
        os._exit(0)
    return socket.socket(fileno=descriptors[0]) if descriptors else None


def drained(awake):
    try:
        return bool(awake.recv(4096))
    except BlockingIOError:
        return False


def fork(request, middles, look):
    try:
        pid = os.fork()
    except OSError as error:
        tell(request, {"error": f"the zygote cannot fork: {error}"})
        request.close()
        return
    if pid:
        request.close()
        middles.add(pid)
        return
    try:
        child(request, look)
    except BaseException as error:
        tell(request, {"error": words(error)})
    os._exit(1)


def reap(engine, middles):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in middles:
            middles.discard(pid)
            # In the middle: its child has reported. Without a pid namespace it is the server itself.
        tell(engine, {"exited": pid, "status": status}, socket.MSG_DONTWAIT)


def tell(to, what, flags=0, descriptors=()):
    """Whether it could be told: if not, nobody listens any more, or so slowly that they will have to ask the kernel."""
    try:
        data = json.dumps(what).encode()
        if descriptors:
            socket.send_fds(to, [data], descriptors, flags)
        else:
            to.send(data, flags)
        return True
    except OSError:
        return False


def report(request, what, descriptors=()):
    """Tells the engine of this attempt, which ends here if the engine has given it up: another may serve by now."""
    if not tell(request, what, 0, descriptors):
        os._exit(1)


def words(error):
    return f"{type(error).__name__}: {error}" if not isinstance(error, OSError) else str(error)


def child(request, look):
    """Reads the request, enters the sandbox and becomes what is asked for. Does not return."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    wanted, descriptors = read(request)
    entry = wanted["entry"]
    log, descriptors = descriptors[0], descriptors[1:]
    listener = None
    if wanted["role"] == "server":
        listener, descriptors = descriptors[0], descriptors[1:]
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    memory = nbvend_memory.Memory.open(entry["cgroups"], wanted.get("memory"))

    enter.join(entry, descriptors)
    if "pid" in entry["namespaces"] and (inside := os.fork()):
        # The server's number as the engine knows it is known here, outside, alone.
        report(request, {"pid": inside}, [os.pidfd_open(inside)])
        os._exit(0)
    if "pid" not in entry["namespaces"]:
        report(request, {"pid": os.getpid()}, [os.pidfd_open(os.getpid())])

    os.setsid()
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    keep_only([descriptor for descriptor in (request.fileno(), listener, memory.descriptor) if descriptor is not None])
    os.environ.clear()
    os.environ.update(wanted["env"])
    time.tzset()
    os.umask(0o077)
    look.title(wanted["title"])
    look.mark(wanted["env"].get(MARK, ""))
    enter.drop(entry)
    os.chdir(wanted["cwd"])
    sys.argv = ["jupyter-lab", *wanted["argv"]]

    if wanted["role"] == "kernels":
        with forker.Forker(wanted["kernels"], look) as kernels:
            report(request, {"entered": True})
            request.close()
            kernels.serve()
        os._exit(0)
    if wanted.get("kernels"):
        with forker.Forker(wanted["kernels"], look) as kernels:
            if (pid := os.fork()) == 0:
                os.close(listener)
                request.close()
                memory.close()
                enter.prctl(enter.PR_SET_PDEATHSIG, signal.SIGKILL, "tying the kernel forker to its server")
                look.title("nbvend: kernel forker")
                kernels.serve()
                os._exit(0)
        report(request, {"kernels": True}, [os.pidfd_open(pid)])
    report(request, {"entered": True})
    request.close()
    server.run(socket.socket(fileno=listener), wanted["argv"], memory)


def read(request):
    request.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
    data, descriptors, flags, _ = socket.recv_fds(request, LARGEST, DESCRIPTORS)
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ValueError("the request is too large")
    if not data:
        raise ValueError("the request was withdrawn")
    return json.loads(data), descriptors


def keep_only(kept):
    low = 3
    for descriptor in sorted(kept):
        os.set_inheritable(descriptor, False)
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 20)


if __name__ == "__main__":
    main()
