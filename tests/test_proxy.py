"""A notebook's own address, attacked from outside: the real binary, real notebooks, and clients that send what no browser does.

Where a notebook is to misbehave, its server's socket is moved aside and a few lines take its place.
"""
import http.client
import json
import os
import re
import socket
import threading
import time
import urllib.parse

import pytest
import websocket

from browser import Visitor
from engine import until

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


class Notebook:
    def __init__(self, engine, role, name):
        self.engine, self.name = engine, name
        self.api = engine.client("sagemaker")
        self.host = f"{name}.notebook.us-east-1.sagemaker.localhost:{engine.port}"
        self.api.create_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role)

    def status(self):
        return self.api.describe_notebook_instance(NotebookInstanceName=self.name)["NotebookInstanceStatus"]

    def wait(self, status):
        until(lambda: self.status() == status, 90)
        return self

    def link(self):
        return self.api.create_presigned_notebook_instance_url(NotebookInstanceName=self.name)["AuthorizedUrl"]

    def session(self):
        """A new session's cookie."""
        answer = self.request("GET", target(self.link()))
        assert answer.status == 302, (answer.status, answer.text)
        return answer.headers["Set-Cookie"].split(";")[0]

    def request(self, method, path, *headers, host=None, body=None):
        """Sends the headers as they are, several of one name too."""
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or self.host)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.text = answer.read().decode("utf-8", "replace")
        return answer

    def websocket(self, cookie, path="/api/events/subscribe", **options):
        return websocket.create_connection(
            f"ws://127.0.0.1:{self.engine.port}{path}", host=self.host, cookie=cookie,
            **{"origin": f"http://{self.host}", "timeout": 20, **options})


def target(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


@pytest.fixture(scope="module")
def notebooks(engine):
    role = engine.client("iam").create_role(RoleName="Worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    made = [Notebook(engine, role, name) for name in ("proxy-a", "proxy-b")]
    return [notebook.wait("InService") for notebook in made]


def test_a_session_opens_its_own_notebook_and_no_other(notebooks):
    a, b = notebooks
    cookie = a.session()
    # The control: where it belongs it opens.
    assert a.request("GET", "/api/status", ("Cookie", cookie)).status == 200
    assert b.request("GET", "/api/status", ("Cookie", cookie)).status == 403
    assert a.request("GET", "/api/status", ("Cookie", cookie)).status == 200, "trying it elsewhere ends nothing"
    assert a.request("GET", "/api/status").status == 403
    name, value = cookie.split("=")
    for tampered in (f"{name}={value[:-1]}{'0' if value[-1] != '0' else '1'}", f"{name}=", f"{name}={value.upper()}x",
                     f"{name}={'a' * 5000}", f"__Host-{cookie}", cookie.replace("=", "%3d")):
        assert a.request("GET", "/api/status", ("Cookie", tampered)).status == 403, tampered
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        b.websocket(cookie, origin=f"http://{b.host}")
    for host in (a.host.replace(":", ".evil.com:"), a.host.replace("proxy-a", "proxy-a.x"), f"x.{a.host}"):
        assert a.request("GET", "/api/status", ("Cookie", cookie), host=host).status != 200, host


def test_a_cookie_from_elsewhere_is_neither_kept_nor_believed(notebooks):
    a, _ = notebooks
    mine, theirs = a.session(), a.session()
    assert a.request("GET", "/api/status", ("Cookie", mine)).status == 200
    # Tossed in by a sibling for the shared domain: two of one name, in either order, in one header or two.
    for headers in ([("Cookie", f"{mine}; {theirs}")], [("Cookie", f"{theirs}; {mine}")], [("Cookie", mine), ("Cookie", theirs)]):
        assert a.request("GET", "/api/status", *headers).status == 403, headers
    # A link opens a session of its own, whatever cookie was there before.
    answer = a.request("GET", target(a.link()), ("Cookie", "nbvend-session=chosen"))
    assert answer.status == 302
    fresh = answer.headers["Set-Cookie"]
    assert "chosen" not in fresh and fresh.split(";")[0] not in (mine, theirs)
    flags = {flag.strip().lower() for flag in fresh.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=lax"} <= flags and not any(flag.startswith("domain") for flag in flags)


def test_other_pages_neither_embed_nor_change_anything(notebooks):
    a, b = notebooks
    cookie = ("Cookie", a.session())
    own, sibling = f"http://{a.host}", f"http://{b.host}"
    assert a.request("GET", "/api/status", cookie, ("Sec-Fetch-Site", "same-origin")).status == 200
    for headers in ([("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
                    [("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")],
                    [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]):
        assert a.request("GET", "/api/status", cookie, *headers).status == 403, headers
    # A link in a hidden frame would log its visitor in unasked.
    framed = a.request("GET", target(a.link()), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"),
                       ("Sec-Fetch-Dest", "iframe"))
    assert framed.status == 403 and framed.headers["Set-Cookie"] is None
    for origin in (sibling, f"http://localhost:{a.engine.port}", "null", own + ".evil.com", "http://evil.com", own[:-1]):
        refused = a.request("POST", "/api/kernels", cookie, ("Origin", origin), body=b"{}")
        assert refused.status == 403 and "another page" in refused.text, origin
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            a.websocket(cookie[1], origin=origin)
    # The proxy lets the own origin through; without its token Jupyter itself refuses, in its own words.
    assert "another page" not in a.request("POST", "/api/kernels", cookie, ("Origin", own), body=b"{}").text


def test_a_link_leads_nowhere_else(notebooks):
    a, _ = notebooks
    token = target(a.link()).split("?", 1)[1]
    for path in ("//evil.com", "///evil.com", "/%5cevil.com", "/%2f%2fevil.com", "/.//evil.com", "/..//evil.com",
                 "/%2e%2e//evil.com", "/good@evil.com", "/https:evil.com", "/" + "a" * 3000, "/%0d%0aSet-Cookie:x=y"):
        answer = a.request("GET", f"{path}?{token}")
        # Whether or not a link opens twice, nothing may lead away.
        if answer.status != 302:
            continue
        where = urllib.parse.urljoin(f"http://{a.host}/", answer.headers["Location"].replace("\\", "/"))
        assert urllib.parse.urlsplit(where).netloc == a.host, (path, answer.headers["Location"])
        assert not answer.headers["Location"].startswith(("//", "/\\")), path
        assert "evil.com" not in str(answer.headers.get_all("Set-Cookie")), path


def test_the_token_stays_in_no_log_page_or_header(notebooks):
    a, _ = notebooks
    link = a.link()
    token = re.search("authToken=([^&]+)", link).group(1)
    opened = a.request("GET", target(link))
    cookie = opened.headers["Set-Cookie"].split(";")[0]
    assert opened.status == 302 and token not in opened.headers["Location"]
    assert opened.headers["Referrer-Policy"] == "no-referrer" and opened.headers["Cache-Control"] == "no-store"
    answers = [opened, a.request("POST", target(link), body=b""), a.request("GET", target(link) + "x"),
               a.request("GET", f"/lab?a=1&authToken={token}x", ("Accept", "text/html")),
               a.request("GET", f"/nowhere/{token}", ("Cookie", cookie), ("Sec-Fetch-Site", "cross-site"))]
    for answer in answers:
        assert token not in answer.text + str(answer.headers)
        assert cookie.split("=")[1] not in answer.text
    logs = list(a.engine.data.rglob("*.log"))
    assert any(file.name == "engine.log" for file in logs)
    for file in logs:
        text = file.read_text(errors="replace")
        assert token not in text and cookie.split("=")[1] not in text, file


def test_pages_say_what_to_do_and_repeat_nothing(notebooks):
    a, _ = notebooks
    html = ("Accept", "text/html,application/xhtml+xml")
    unknown = a.host.replace("proxy-a", "nobody")
    for path, host, status, words in (
            ("/lab?%3Cscript%3Ealert(1)%3C/script%3E", a.host, 403, "nbvend open USER"),
            ("/?authToken=%3Cscript%3E", a.host, 403, "fresh link"),
            ("/?authToken=x", unknown, 403, "fresh link")):
        answer = a.request("GET", path, html, host=host)
        assert answer.status == status and words in answer.text, (path, answer.status, answer.text)
        assert "script" not in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        plain = a.request("GET", path, host=host)
        assert json.loads(plain.text)["message"]


class Impostor:
    """Takes the place of a notebook's server."""

    def __init__(self, path, serve):
        self.path, self.aside = path, path + ".aside"
        os.rename(path, self.aside)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(200)
        threading.Thread(target=self.accept, args=(serve,), daemon=True).start()

    def accept(self, serve):
        while True:
            try:
                threading.Thread(target=serve, args=(self.socket.accept()[0],), daemon=True).start()
            except OSError:
                return

    def close(self):
        self.socket.close()
        os.rename(self.aside, self.path)


def server_socket(engine, cookie, notebook):
    """The unix socket that belongs to a notebook: found by moving each aside in turn."""
    found = {line.split()[-1] for line in open("/proc/net/unix") if str(engine.data / "run") in line or "/nbvend-" in line}
    for path in sorted(path for path in found if path.endswith(".sock") and os.path.exists(path)):
        os.rename(path, path + ".aside")
        try:
            # A kept connection may still be open for a request or two.
            statuses = [notebook.websocket_status(cookie) for _ in range(2)]
        finally:
            os.rename(path + ".aside", path)
        if 503 in statuses:
            return path
    raise AssertionError(f"no socket among {found}")


def descriptors(engine):
    return len(os.listdir(f"/proc/{engine.process.pid}/fd"))


def websocket_status(self, cookie):
    try:
        self.websocket(cookie).close()
        return 101
    except websocket.WebSocketBadStatusException as refused:
        return refused.status_code


Notebook.websocket_status = websocket_status


def test_a_notebook_that_died_or_hangs_costs_nothing(notebooks):
    a, b = notebooks
    cookie = a.session()
    path = server_socket(a.engine, cookie, a)
    before = descriptors(a.engine)
    os.rename(path, path + ".aside")
    try:
        for _ in range(300):
            assert a.websocket_status(cookie) == 503
        page = a.request("GET", "/lab", ("Cookie", cookie), ("Accept", "text/html"))
        # A kept connection to the old server may answer the first of them.
        assert page.status in (200, 503)
    finally:
        os.rename(path + ".aside", path)
    until(lambda: descriptors(a.engine) <= before + 2, 60)
    over = threading.Event()
    hung = Impostor(path, lambda connection: connection.recv(1 << 20) and over.wait())
    try:
        waiting = []
        for _ in range(50):
            client = socket.create_connection(("127.0.0.1", a.engine.port))
            client.sendall(f"GET /api HTTP/1.1\r\nHost: {a.host}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n"
                           "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n".encode())
            waiting.append(client)
        until(lambda: descriptors(a.engine) >= before + 50, 60)
        # Others are served meanwhile.
        theirs = b.session()
        assert b.request("GET", "/api/status", ("Cookie", theirs)).status == 200
        for client in waiting:
            client.close()
        until(lambda: descriptors(a.engine) <= before + 4, 60)
    finally:
        over.set()
        hung.close()


def test_open_websockets_end_with_the_session(notebooks):
    a, b = notebooks
    cookie, other = a.session(), b.session()
    open_a, open_b = a.websocket(cookie), b.websocket(other)
    a.api.stop_notebook_instance(NotebookInstanceName=a.name)
    begun = time.monotonic()
    open_a.settimeout(60)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        while open_a.recv() is not None:
            pass
    assert time.monotonic() - begun < 60
    a.wait("Stopped")
    refused = a.request("GET", "/lab", ("Cookie", cookie), ("Accept", "text/html"))
    assert refused.status in (403, 503) and "nbvend" in refused.text
    assert b.request("GET", "/api/status", ("Cookie", other)).status == 200
    open_b.ping()
    open_b.close()


def test_the_listener_bounds_heads(engine):
    for headers, status in (("X: y\r\n", 200), ("X: " + "y" * 300_000 + "\r\n", 431), ("X: y\r\n" * 300, 431)):
        with socket.create_connection(("127.0.0.1", engine.port), timeout=20) as client:
            try:
                client.sendall(f"GET /_nbvend/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode())
            except ConnectionError:
                pass
            assert client.recv(100).startswith(f"HTTP/1.1 {status}".encode()), headers[:20]
    visitor = Visitor(engine)
    assert visitor.get(f"http://localhost:{engine.port}/_nbvend/health").status == 200
