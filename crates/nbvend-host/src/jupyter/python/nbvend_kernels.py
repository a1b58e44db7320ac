"""How Jupyter starts kernels here: by asking the forker beside the server (see nbvend_forker).

Kernels of another interpreter or with other arguments, and all of them when the forker does not answer, are started as
Jupyter always does, by a command.
"""

import asyncio
import json
import os
import select
import signal
import socket
import sys

import nbvend_memory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

PATIENCE = 5
SOCKET = "NBVEND_KERNELS"


class ForkedProcess:
    """A kernel that is the forker's child and not ours, with what Jupyter asks of a subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, connection, pid, pidfd, arguments):
        self.connection, self.pid, self.pidfd, self.args = connection, pid, pidfd, arguments
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            self._look(0)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            self._look(timeout)
        return self.returncode

    def _look(self, timeout):
        ready, _, _ = select.select([self.pidfd], [], [], timeout)
        if not ready:
            return
        self.returncode = 255  # It has ended; should the forker be gone too, nobody knows how.
        try:
            self.connection.settimeout(10)
            if data := self.connection.recv(4096):
                self.returncode = os.waitstatus_to_exitcode(json.loads(data)["status"])
        except (OSError, ValueError, KeyError):
            pass
        self.connection.close()
        os.close(self.pidfd)

    def send_signal(self, number):
        if self.poll() is None:
            signal.pidfd_send_signal(self.pidfd, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Starts a kernel by fork where that gives the same as starting it by its command."""

    # Why the kernel ended, in words for its user, if it ended in a way that needs them.
    obituary = None
    # Whether its end was asked for.
    condemned = False

    async def send_signal(self, signum):
        self.condemned = self.condemned or signum == signal.SIGKILL
        await super().send_signal(signum)

    async def poll(self):
        code = await super().poll()
        if code == -signal.SIGKILL and not self.condemned:
            self.condemned = True
            if nbvend_memory.OURS.killed():
                self.obituary = nbvend_memory.OURS.obituary()
                self.log.warning("kernel %s: %s", self.kernel_id, self.obituary)
        return code

    async def launch_kernel(self, cmd, **kwargs):
        self.obituary, self.condemned = None, False
        path = os.environ.get(SOCKET)
        if path and forkable(cmd, kwargs):
            try:
                sockets = self.sockets()
                self.process = await asyncio.wait_for(ask(path, cmd, kwargs), PATIENCE)
            except (OSError, ValueError, KeyError, asyncio.TimeoutError) as error:
                self.log.warning("the kernel forker does not answer (%r); starting %s by its command", error, cmd[0])
            else:
                self.pid = self.pgid = self.process.pid
                self.cwd = kwargs.get("cwd")
                await self.until_bound(sockets)
                return self.connection_info
        info = await super().launch_kernel(cmd, **kwargs)
        nbvend_memory.sacrifice(self.process.pid)
        return info

    def sockets(self):
        """Where the kernel will listen; what an earlier one left there is removed."""
        info = self.connection_info
        if info.get("transport") != "ipc":
            return []
        paths = [f"{info['ip']}-{info[name + '_port']}" for name in ("shell", "iopub", "stdin", "hb", "control")]
        for path in paths:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
        return paths

    async def until_bound(self, sockets):
        """Who connects before the kernel listens waits half a second for a second try."""
        for _ in range(250):
            if all(map(os.path.exists, sockets)) or self.process.poll() is not None:
                return
            await asyncio.sleep(0.004)


def forkable(cmd, kwargs):
    """Whether the forker's own interpreter, as it is, would be what this command runs."""
    if len(cmd) < 4 or os.path.realpath(cmd[0]) != os.path.realpath(sys.executable) or cmd[0] != sys.executable:
        return False
    if cmd[1:3] != ["-m", "ipykernel_launcher"]:
        return False
    if any(kwargs.get(name) is not None for name in ("stdin", "stdout", "stderr", "preexec_fn")):
        return False
    # Python reads these when it starts, and the forker has started; the first is its own, the second it reads itself.
    env = kwargs.get("env") or os.environ
    asked = {name: value for name, value in env.items() if name.startswith("PYTHON") and name != "PYTHONPATH"}
    return asked == {"PYTHONNOUSERSITE": "1"}


async def ask(path, cmd, kwargs):
    request = {"cmd": cmd, "env": dict(kwargs.get("env") or os.environ), "cwd": kwargs.get("cwd") or os.getcwd()}
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, path)
        connection.send(json.dumps(request).encode())
        readable = loop.create_future()
        loop.add_reader(connection, readable.set_result, None)
        try:
            await readable
        finally:
            loop.remove_reader(connection)
        data, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        answer = json.loads(data) if data else {}
        if "pid" not in answer or not descriptors:
            raise ValueError(answer.get("error", "no answer"))
        return ForkedProcess(connection, answer["pid"], descriptors[0], cmd)
    except BaseException:
        connection.close()
        raise
