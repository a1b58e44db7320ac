"""How a forked process enters a sandbox that the engine has made, and takes on a look of its own.

The engine decides everything; what stands here only carries it out, in an order that matters: groups of resources and
namespaces while there is still the right to enter them, then the rights go away for good, then the filter of system
calls. Whatever fails raises, and the process ends without having run anything.
"""

import base64
import ctypes
import os
import resource
import struct

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 22, 24, 36, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522
EINVAL = 22


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option, value, what):
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), what)


def join(entry, descriptors):
    """Everything that needs the engine's rights on the outside; the next child is inside."""
    for path in entry["cgroups"]:
        with open(path, "wb", buffering=0) as group:
            group.write(b"0")
    for name, descriptor in zip(entry["namespaces"], descriptors, strict=True):
        _check(_libc.setns(descriptor, 0), f"entering the sandbox's {name} namespace")
    if "mnt" in entry["namespaces"]:
        os.chdir("/")


def drop(entry):
    """Gives up every right that the notebook is not to have. There is no way back from here."""
    for name, (soft, hard) in entry["rlimits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        # Nobody here has the right to more than is.
        most = resource.getrlimit(number)[1]
        resource.setrlimit(number, [value if most == resource.RLIM_INFINITY else min(value, most) for value in (soft, hard)])
    if entry["level"] == "process":
        return
    if entry["drop_bounding"]:
        for capability in range(64):
            if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                if ctypes.get_errno() == EINVAL and capability > 30:
                    break  # The kernel knows no more capabilities.
                _check(-1, f"dropping capability {capability}")
    if entry["level"] == "full":
        # In a user namespace with one mapped id there is nothing to change to, and setgroups is barred.
        os.setgroups(entry["groups"])
        os.setresgid(*[entry["gid"]] * 3)
        os.setresuid(*[entry["uid"]] * 3)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "dropping capabilities")
    prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    if entry["seccomp"]:
        _filter(base64.b64decode(entry["seccomp"], validate=True))


def _filter(program):
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]

    buffer = ctypes.create_string_buffer(program, len(program))
    program = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _check(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp")


class Look:
    """The process's arguments and one variable as others see them in /proc, which a fork would share with the zygote.

    The zygote is started with room for both. The places are found once, before rights are dropped: afterwards the
    process may not read where they are.
    """

    def __init__(self, variable):
        with open("/proc/self/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        # Fields 48 to 51 of proc(5), counted from the third.
        self.arguments = (int(fields[45]), int(fields[46]))
        begin, end = int(fields[47]), int(fields[48])
        self.variable = None
        if begin and end > begin:
            name = f"{variable}=".encode()
            at = (b"\0" + ctypes.string_at(begin, end - begin)).find(b"\0" + name)
            if at >= 0:
                value = begin + at + len(name)
                self.variable = (value, len(ctypes.string_at(value)))

    def title(self, text):
        text = text.encode(errors="replace")
        begin, end = self.arguments
        if end - begin > 1:
            shown = text[: end - begin - 1]
            ctypes.memmove(begin, shown.ljust(end - begin, b"\0"), end - begin)
        _libc.prctl(PR_SET_NAME, text[:15], 0, 0, 0)

    def mark(self, text):
        """Only a mark of the length that was kept free is written."""
        if self.variable and len(text) == self.variable[1]:
            ctypes.memmove(self.variable[0], text.encode(), len(text))
