"""Runs one JupyterLab server on a listening socket that it is given.

The engine has bound the socket, outside of what the notebook can reach: nobody in the notebook can put another in its
place, and what connects before the server is up is answered once it is. Run as a program (`nbvend_server.py
DESCRIPTORS ARGUMENT...`) this is the plain start; the zygote's children call `run`.
"""

import json
import logging
import os
import socket
import sys

# Started with -I, Python does not look for modules beside the program.
OWN = os.path.dirname(os.path.abspath(__file__))
if OWN not in sys.path:
    sys.path.insert(0, OWN)

import nbvend_memory  # noqa: E402

# What a server has loaded once it has answered its first page; each is loaded before forking.
MODULES = [
    "jupyterlab.labapp",
    "jupyter_server.serverapp",
    "nbvend_jupyter",
    "nbvend_kernels",
    *[
        f"jupyter_server.{name}.handlers"
        for name in ("kernelspecs", "nbconvert", "view", "files")
    ],
    *[
        f"jupyter_server.services.{name}.handlers"
        for name in ("api", "config", "contents", "events", "kernels", "nbconvert", "security", "sessions")
    ],
    "jupyter_server.services.shutdown",
    "jupyter_server_terminals",
    "jupyter_client.provisioning.local_provisioner",
    "jupyter_core.migrate",
    "jinja2.ext",
    "nbconvert",
    "ipykernel.kernelspec",
    "anyio._backends._asyncio",
    "tornado.platform.asyncio",
    "encodings.idna",
    "encodings.unicode_escape",
]


def run(listener, arguments, memory):
    """Serves until told to stop; does not return."""
    nbvend_memory.OURS = memory
    code = 1
    try:
        lab(listener).launch_instance(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        logging.getLogger("nbvend").exception("the server ended by an error")
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a fork does not run what the zygote registered for its own end.
    os._exit(code)


def lab(listener):
    import nbvend_jupyter
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp

    class NotebookServer(ServerApp):
        def _bind_http_server(self):
            listener.setblocking(False)
            self.http_server.add_socket(listener)

        def init_webapp(self):
            super().init_webapp()
            nbvend_jupyter.add_to(self)

        # Both files tell others on the machine where to connect; there is nothing they could connect to.
        def write_server_info_file(self):
            pass

        def write_browser_open_files(self):
            pass

    class Lab(LabApp):
        serverapp_class = NotebookServer

    # An extension is found by the package its class is in.
    Lab.__module__ = LabApp.__module__
    return Lab


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    for name in ("listener", "memory"):
        if name in given:
            os.set_inheritable(given[name], False)
    counts = nbvend_memory.Memory(given.get("memory"), given.get("limit"))
    run(socket.socket(fileno=given["listener"]), sys.argv[2:], counts)
