"""Run by zygote.rs with the environment's Python: the kernel forker and the provisioner, without a server."""

import asyncio
import os
import signal
import sys
import tempfile
import time

import nbvend_enter
import nbvend_forker
import nbvend_kernels


async def kernel(path, *arguments, **kwargs):
    cmd = [sys.executable, "-m", "ipykernel_launcher", *arguments]
    assert nbvend_kernels.forkable(cmd, kwargs)
    return await nbvend_kernels.ask(path, cmd, kwargs)


def ended(process):
    deadline = time.time() + 20
    while process.poll() is None:
        assert time.time() < deadline, "it does not end"
        time.sleep(0.01)
    return process.returncode


async def main():
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "kernels.sock")
    with nbvend_forker.Forker(path, nbvend_enter.Look("NOT_THERE")) as forker:
        pid = os.fork()
        if pid == 0:
            nbvend_enter.prctl(nbvend_enter.PR_SET_PDEATHSIG, signal.SIGKILL, "ending with the test")
            forker.serve()
    assert os.stat(path).st_mode & 0o777 == 0o600

    ok = await kernel(path, "--version")
    assert ended(ok) == 0, ok.returncode
    assert ok.wait() == 0
    bad = await kernel(path, "--no-such-option", "x", "--IPKernelApp.transport=nonsense")
    assert ended(bad) == 2, bad.returncode
    for number in (signal.SIGKILL, signal.SIGTERM):
        killed = await kernel(path, "-f", os.path.join(folder, f"c{number}.json"))
        assert killed.poll() is None
        killed.send_signal(number)
        assert ended(killed) == -number, killed.returncode
        killed.send_signal(signal.SIGKILL)  # Of a process that is gone: nothing happens.

    # Many at once, and one that connects and says nothing, which hinders nobody.
    import socket

    silent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    silent.connect(path)
    many = await asyncio.gather(*[kernel(path, "--version") for _ in range(8)])
    assert [ended(each) for each in many] == [0] * 8
    for nonsense in (b"{", b"[]", b"x" * (200 << 10)):
        other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        other.connect(path)
        other.send(nonsense)
        other.settimeout(5)
        assert b"pid" not in other.recv(4096)

    orphan = await kernel(path, "-f", os.path.join(folder, "o.json"))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert orphan.poll() is None
    orphan.kill()
    assert ended(orphan) == 255, orphan.returncode
    try:
        await kernel(path, "--version")
        raise AssertionError("nobody is there")
    except OSError:
        pass

    refused = [
        ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "x"],
        [sys.executable, "-X", "dev", "-m", "ipykernel_launcher", "-f", "x"],
        [sys.executable, "-m", "another_kernel", "-f", "x"],
        ["bash"],
    ]
    for cmd in refused:
        assert not nbvend_kernels.forkable(cmd, {}), cmd
    os.environ["PYTHONNOUSERSITE"] = "1"
    good = [sys.executable, "-m", "ipykernel_launcher", "-f", "x"]
    assert nbvend_kernels.forkable(good, {"env": dict(os.environ)})
    assert nbvend_kernels.forkable(good, {"env": {**os.environ, "PYTHONPATH": "/elsewhere"}})
    assert not nbvend_kernels.forkable(good, {"env": {**os.environ, "PYTHONHASHSEED": "0"}})
    assert not nbvend_kernels.forkable(good, {"stdout": 1})
    print("all is well")


asyncio.run(main())
