"""Calls signed once and sent again and again over connections that are kept: what is left is the server's own work.

A signature holds for fifteen minutes and no server here remembers it, as on AWS.
"""
import selectors
import socket
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from measure import cpu

REGION = "us-east-1"


def plain(port, path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()


def signed(port, key, secret, service, body, **headers):
    """A POST to `/` as bytes. Members of `headers` are written with `_` for `-`."""
    url = f"http://localhost:{port}/"
    request = AWSRequest("POST", url, data=body.encode(), headers={name.replace("_", "-"): value for name, value in headers.items()})
    SigV4Auth(Credentials(key, secret), service, REGION).add_auth(request)
    lines = ["POST / HTTP/1.1", f"Host: localhost:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() not in ("host", "content-length")]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def ssm(port, key, secret, operation, body):
    return signed(port, key, secret, "ssm", body, Content_Type="application/x-amz-json-1.1", X_Amz_Target=f"AmazonSSM.{operation}")


def sts(port, key, secret, operation):
    return signed(port, key, secret, "sts", f"Action={operation}&Version=2011-06-15", Content_Type="application/x-www-form-urlencoded")


class Connection:
    def __init__(self, port, request):
        self.port, self.request = port, request
        self.socket = None
        self.open()

    def open(self):
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""

    def close(self):
        if self.socket:
            self.socket.close()

    def send(self):
        self.heard = b""
        self.socket.sendall(self.request)

    def hear(self):
        """Reads what there is; whether the answer is whole, and whether the server hangs up after it."""
        part = self.socket.recv(65536)
        self.heard += part
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if not found:
            assert part, f"the server hung up: {self.heard!r}"
            return False, False
        assert b" 200 " in head[:16], self.heard
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            whole = body.endswith(b"0\r\n\r\n")
        elif b"\r\ncontent-length:" in lower:
            whole = len(body) >= int(lower.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0])
        else:
            whole = not part
        assert part or whole, f"the server hung up: {self.heard!r}"
        return whole, not part or b"\r\nconnection: close" in lower or lower.startswith(b"http/1.0")


def drive(port, request, pids, seconds=3, connections=1):
    """Each connection sends when it has its answer. Calls a second, and CPU microseconds of the server's processes a call."""
    load(port, request, 0.3, connections)
    used = cpu(pids)
    count, took = load(port, request, seconds, connections)
    return count / took, (cpu(pids) - used) * 1e6 / count


def load(port, request, seconds, connections):
    chooser = selectors.DefaultSelector()
    kept = [Connection(port, request) for _ in range(connections)]
    begun, count = time.perf_counter(), 0
    try:
        for one in kept:
            chooser.register(one.socket, selectors.EVENT_READ, one)
            one.send()
        while time.perf_counter() - begun < seconds:
            for ready, _ in chooser.select(30):
                one = ready.data
                whole, over = one.hear()
                if not whole:
                    continue
                count += 1
                if over:
                    chooser.unregister(one.socket)
                    one.open()
                    chooser.register(one.socket, selectors.EVENT_READ, one)
                one.send()
        return count, time.perf_counter() - begun
    finally:
        for one in kept:
            one.close()
        chooser.close()
