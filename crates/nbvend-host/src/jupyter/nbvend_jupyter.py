"""Who is using this server: written into the environment beside Jupyter, loaded by name at start.

The server listens on a unix socket that only the engine's proxy may open. The proxy has authenticated the person and
says who it is in one header, after removing every copy a client sent. There is no token, no password and no login page.
"""

from urllib.parse import unquote

from jupyter_server.auth.identity import IdentityProvider, User

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
