"""How things are measured: time, processor time, memory, and which processes are whose."""
import os
import pathlib
import signal
import statistics
import subprocess
import time
import uuid

# Every process that a run starts carries this in its environment and so do its children: a run ends them all, also
# those whose parent died.
MARK = "NBVEND_BENCH_RUN"
RUN = os.environ.setdefault(MARK, uuid.uuid4().hex)
TICK = os.sysconf("SC_CLK_TCK")


def timed(work):
    """Seconds, and what the work gave."""
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def several(count, work):
    """The seconds of each of several times, in order of size; the work is told how often it was done before."""
    return sorted(timed(lambda: work(at))[0] for at in range(count))


p50 = statistics.median


def processes():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def tree(pid):
    """A process and all that descend from it."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = [path for path in pathlib.Path(f"/proc/{pid}/task").iterdir() if path.name != str(pid)]
        for thread in threads:
            children += (thread / "children").read_text().split()
    except OSError:
        return [pid]
    return [pid] + [one for child in children for one in tree(int(child))]


def cpu(pids):
    """Processor seconds of processes, what has ended of their threads too; to 10 ms."""
    used = 0
    for one in pids:
        try:
            words = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        used += (int(words[11]) + int(words[12])) / TICK
    return used


def memory(pid):
    """Proportional share of a process's memory, MiB; nothing of one that ended while it was looked at."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0)


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def spawn(command, folder=None, log=subprocess.DEVNULL, **environment):
    return subprocess.Popen([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            env={**os.environ, **environment})


def end(process):
    """Asks one of ours to end, and ends it if it does not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def bearing(*signs):
    """The processes, this one apart, in whose environment or command line one of the signs stands."""
    signs, found = [os.fsencode(sign) for sign in signs], []
    for pid in processes():
        try:
            seen = pathlib.Path(f"/proc/{pid}/environ").read_bytes() + pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if pid != os.getpid() and state != "Z" and any(sign in seen for sign in signs):
            found.append(pid)
    return found


def end_all(*signs):
    """Ends all that bear one of the signs; whom it had to end."""
    left = bearing(*signs)
    for how in (signal.SIGTERM, signal.SIGKILL):
        for pid in bearing(*signs):
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        until = time.monotonic() + 5
        while bearing(*signs) and time.monotonic() < until:
            time.sleep(0.05)
    return left
