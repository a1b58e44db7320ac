"""What of ours is in the server: who uses it, what happens in it, and what a kernel's user is told at its end.

The server listens on a unix socket that only the engine's proxy may open. The proxy has authenticated the person and
says who it is in one header, after removing every copy a client sent. There is no token, no password and no login page.
"""

import json
import time
from urllib.parse import unquote

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from tornado import web

HEADER = "X-Nbvend-User"


class ProxyIdentity(IdentityProvider):
    """Takes the user from the proxy's header; a request without it belongs to nobody and is refused."""

    need_token = False

    def _token_default(self):
        # JUPYTER_TOKEN in the environment must not open a second door.
        return ""

    def get_user(self, handler):
        name = unquote(handler.request.headers.get(HEADER, "")).strip()
        if not name:
            return None
        initials = "".join(part[0] for part in name.replace("-", " ").replace(".", " ").split())[:2].upper()
        return User(username=name, name=name, display_name=name, initials=initials or name[:2].upper())

    def is_token_authenticated(self, handler):
        # True would switch off the XSRF and Origin checks.
        return False

    def get_handlers(self):
        return []

    @property
    def login_available(self):
        return False

    @property
    def logout_available(self):
        return False

    def check_update(self, user_data):
        raise ValueError("The user is set by the engine.")

    def validate_security(self, app, ssl_options=None):
        # The warnings of the base class are about TCP listeners; there is none.
        return


class Activity(JupyterHandler):
    """What the engine asks before it stops an idle notebook. Asking is not activity."""

    @web.authenticated
    def get(self):
        kernels = [
            {
                "id": kernel,
                "name": manager.kernel_name,
                "state": getattr(manager, "execution_state", None) or "unknown",
                "connections": self.kernel_manager._kernel_connections.get(kernel, 0),
                "last_activity": seconds(getattr(manager, "last_activity", None)),
            }
            for kernel, manager in list(self.kernel_manager._kernels.items())
        ]
        terminals = getattr(self.settings.get("terminal_manager"), "terminals", {})
        self.finish(
            json.dumps(
                {
                    "started": seconds(self.settings["started"]),
                    "last_use": self.settings[USE],
                    "kernels": kernels,
                    "terminals": [
                        {"name": name, "last_activity": seconds(getattr(terminal, "last_activity", None))}
                        for name, terminal in list(terminals.items())
                    ],
                }
            )
        )


USE = "nbvend_last_use"
# An open tab asks for these by itself, and saves its layout and its documents; none of it says that somebody is there.
# What somebody does is seen as a changing request, as a page or file opened, or at a kernel or a terminal.
BY_ITSELF = ("/api/", "/lab/api/", "/static/", "/lab/extensions/", "/metrics", "/_nbvend/", "/favicon.ico")
LAYOUT = "/lab/api/workspaces"


def is_use(method, path):
    if method in ("GET", "HEAD", "OPTIONS"):
        return not path.startswith(BY_ITSELF)
    return not path.startswith(LAYOUT)


def add_to(server):
    """Adds the above to a server's web application."""
    settings = server.web_app.settings
    settings[USE] = None
    log = settings["log_function"]

    def log_and_note(handler):
        log(handler)
        if handler.get_status() < 400 and is_use(handler.request.method, handler.request.path):
            settings[USE] = time.time()

    settings["log_function"] = log_and_note
    server.web_app.add_handlers(".*$", [("/_nbvend/activity", Activity)])


def seconds(moment):
    return moment.timestamp() if moment else None


class Channels(ZMQChannelsWebsocketConnection):
    """Tells the user in the cell that was running why its kernel ended, where that is known."""

    asked = None

    def handle_incoming_message(self, incoming_msg):
        # Only what is likely to be a request to execute is taken apart: looking costs more than sending.
        text = incoming_msg if isinstance(incoming_msg, bytes) else incoming_msg.encode()
        if b'"execute_request"' in text[:2000]:
            self.remember(incoming_msg)
        super().handle_incoming_message(incoming_msg)

    def remember(self, message):
        try:
            if self.subprotocol == "v1.kernel.websocket.jupyter.org":
                _, parts = deserialize_msg_from_ws_v1(message)
                header = json.loads(parts[0])
            else:
                header = json.loads(message)["header"]
        except (ValueError, KeyError, TypeError, IndexError):
            return
        if self.asked is None:
            self.asked = {}
        if header.get("msg_type") == "execute_request" and len(self.asked) < 1000:
            self.asked[header["msg_id"]] = header

    def _on_zmq_reply(self, stream, msg_list):
        if self.asked and getattr(stream, "channel", None) == "shell":
            try:
                parent = msg_list["parent_header"] if isinstance(msg_list, dict) else json.loads(bytes(msg_list[1]))
                self.asked.pop(parent.get("msg_id"), None)
            except (ValueError, KeyError, TypeError, IndexError):
                pass
        super()._on_zmq_reply(stream, msg_list)

    def say_why(self):
        why = getattr(self.kernel_manager.provisioner, "obituary", None)
        asked, self.asked = self.asked or {}, None
        if why:
            # The first that has no reply is the one that ran.
            self.write_stderr(why, next(iter(asked.values()), {}))

    def on_kernel_restarted(self):
        self.say_why()
        super().on_kernel_restarted()

    def on_restart_failed(self):
        self.say_why()
        super().on_restart_failed()
