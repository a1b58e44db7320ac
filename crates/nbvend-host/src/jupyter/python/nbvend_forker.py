"""Kernels by fork: a small process beside each server that has ipykernel loaded and forks a kernel for each request.

A request is one packet on the forker's socket, in the folder for Jupyter's runtime files; the answer's first packet is
{"pid": P} with a pidfd, the second, when the kernel has ended, {"status": S} as waitpid gives it. Whoever may connect
could start the same processes himself: it is the notebook's own user.
"""

import json
import os
import select
import signal
import socket
import sys
import time

import nbvend_enter as enter
import nbvend_memory

# What a kernel has loaded once it has answered.
MODULES = [
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
]
LARGEST = 128 << 10


class Forker:
    """Listens from the moment it is made, before the server that will ask starts."""

    def __init__(self, path, look):
        self.look = look
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        self.listener.bind(path)
        os.chmod(path, 0o600)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.asking = {}
        self.kernels = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        awake, wake = socket.socketpair()
        awake.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # An interrupt of the server's group is not for us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.poll = select.poll()
        for source in (self.listener, awake):
            self.poll.register(source, select.POLLIN)
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.listener.fileno():
                    self.accept()
                elif descriptor in self.asking:
                    self.answer(self.asking.pop(descriptor))
                elif descriptor == awake.fileno():
                    try:
                        awake.recv(4096)
                    except BlockingIOError:
                        pass
            self.reap()

    def accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        client.setblocking(False)
        self.asking[client.fileno()] = client
        self.poll.register(client, select.POLLIN)

    def answer(self, client):
        self.poll.unregister(client)
        try:
            data, _, flags, _ = client.recvmsg(LARGEST)
            if not data or flags & socket.MSG_TRUNC:
                raise ValueError("no request")
            wanted = json.loads(data)
            if not isinstance(wanted["cmd"], list) or not isinstance(wanted["env"], dict):
                raise ValueError("not a request for a kernel")
            pid = os.fork()
        except (OSError, ValueError, TypeError, KeyError) as error:
            self.tell(client, {"error": str(error)})
            client.close()
            return
        if pid == 0:
            try:
                self.become(wanted)
            except BaseException as error:
                print(f"a kernel did not start: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
        self.kernels[pid] = client
        self.tell(client, {"pid": pid}, [os.pidfd_open(pid)])

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if client := self.kernels.pop(pid, None):
                self.tell(client, {"status": status})
                client.close()

    @staticmethod
    def tell(client, what, descriptors=()):
        try:
            socket.send_fds(client, [json.dumps(what).encode()], descriptors)
        except OSError:
            pass

    def become(self, wanted):
        """What `python -m ipykernel_launcher` does, in this process. Does not return."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.closerange(3, 1 << 20)
        self.look.title(" ".join(wanted["cmd"]))
        # After a change of ids a process may not even write its own files in /proc until it says that others may.
        enter.prctl(enter.PR_SET_DUMPABLE, 1, "becoming an ordinary process")
        nbvend_memory.sacrifice("self")
        os.environ.clear()
        os.environ.update(wanted["env"])
        time.tzset()
        os.chdir(wanted["cwd"])
        arguments = wanted["cmd"][wanted["cmd"].index("ipykernel_launcher") + 1 :]
        sys.argv = ["ipykernel_launcher.py", *arguments]
        sys.orig_argv[:] = wanted["cmd"]
        own = os.path.dirname(os.path.abspath(__file__))
        # PYTHONPATH, which Python reads when it starts: before there was this notebook.
        wished = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        sys.path[:] = [*wished, *(entry for entry in sys.path if entry != own)]
        from ipykernel import kernelapp

        code = 1
        try:
            # 1 stands for "has a parent, do not watch it": the sandbox ends as a whole.
            kernelapp.launch_new_instance(argv=arguments, parent_handle=1)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
