"""Whether processes of this notebook were ended by the kernel because the notebook took all the memory it may."""

import os

# Of the processes of a notebook that has run out of memory, a kernel is to be ended first, never the server.
SACRIFICE = 800

class Memory:
    """Reads a count in a file of the notebook's memory group, which was opened outside and is not to be seen inside."""

    def __init__(self, descriptor=None, limit=None):
        self.descriptor, self.limit = descriptor, limit
        self.told = self.kills()

    @classmethod
    def open(cls, cgroups, limit):
        """`cgroups` are the files by which a process joins; the counts lie beside them (v2, v1)."""
        for group in cgroups:
            for name in ("memory.events", "memory.oom_control"):
                try:
                    path = os.path.join(os.path.dirname(group), name)
                    return cls(os.open(path, os.O_RDONLY | os.O_CLOEXEC), limit)
                except OSError:
                    continue
        return cls(None, limit)

    def kills(self):
        if self.descriptor is None:
            return 0
        try:
            for line in os.pread(self.descriptor, 4096, 0).splitlines():
                if line.startswith(b"oom_kill "):
                    return int(line.split()[1])
        except (OSError, ValueError):
            pass
        return 0

    def killed(self):
        """True once for each such end."""
        if self.kills() <= self.told:
            return False
        self.told += 1
        return True

    def obituary(self):
        limit = f" of {size(self.limit)}" if self.limit else ""
        return (
            f"The kernel was ended by the system: this notebook has reached its memory limit{limit}. "
            "Its variables are lost, files are kept. A larger instance type has more memory."
        )

    def close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def sacrifice(pid):
    try:
        with open(f"/proc/{pid}/oom_score_adj", "w") as file:
            file.write(str(SACRIFICE))
    except OSError:
        pass  # A kernel is still the likeliest choice: the largest.


def size(count):
    for unit, power in (("GiB", 30), ("MiB", 20)):
        if count >= 1 << power:
            return f"{count / (1 << power):.1f} {unit}".replace(".0 ", " ")
    return f"{count} bytes"


# This server's own; set before it starts.
OURS = Memory()
