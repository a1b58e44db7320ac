"""Cells run in a Jupyter server as a page does it: a kernel by REST, its channels by websocket. Ours or a peer's alike."""
import http.client
import json
import urllib.parse
import uuid

import websocket

PATIENCE = 120


class Server:
    """A Jupyter server at `base`; `headers` say who asks."""

    def __init__(self, base, headers):
        self.parts = urllib.parse.urlsplit(base.rstrip("/"))
        self.headers = headers

    @classmethod
    def of_visitor(cls, visitor, page):
        """Of a notebook whose page a visitor has opened: its cookies, and the token against forged requests."""
        parts = urllib.parse.urlsplit(page)
        jar = visitor.cookies[parts.netloc]
        base = f"{parts.scheme}://{parts.netloc}"
        return cls(base, {"Host": parts.netloc, "Origin": base, "X-XSRFToken": jar["_xsrf"],
                          "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())})

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.parts.port, timeout=PATIENCE)
        try:
            connection.request(method, self.parts.path + path, body=body, headers=self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self, path="/api/status"):
        try:
            return self.ask("GET", path)[0] == 200
        except OSError:
            return False

    def kernel(self):
        status, text = self.ask("POST", "/api/kernels", "{}")
        assert status == 201, (status, text)
        return Kernel(self, json.loads(text)["id"])


class Kernel:
    def __init__(self, server, name):
        headers = {key: value for key, value in server.headers.items() if key not in ("Host", "Origin", "Cookie")}
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{server.parts.port}{server.parts.path}/api/kernels/{name}/channels",
            host=server.headers.get("Host"), origin=server.headers.get("Origin"), cookie=server.headers.get("Cookie"),
            header=headers, timeout=PATIENCE)

    def run(self, code):
        """Sends a cell and waits for its reply; what it printed before or gave."""
        message, said = uuid.uuid4().hex, []
        header = {"msg_id": message, "username": "", "session": uuid.uuid4().hex, "msg_type": "execute_request",
                  "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        self.socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                                     "channel": "shell", "buffers": []}))
        waiting = {"execute_reply", "idle"}
        while waiting:
            heard = json.loads(self.socket.recv())
            if heard["parent_header"].get("msg_id") != message:
                continue
            kind, content = heard["msg_type"], heard["content"]
            said.append(content["text"] if kind == "stream" else content["data"]["text/plain"] if kind == "execute_result" else "")
            waiting.discard(kind if kind != "status" else content["execution_state"])
            assert kind != "error", content
        return "".join(said)

    def close(self):
        self.socket.close()


def first_reply(server):
    """A kernel is asked for, its channels are opened, its first cell is answered; the kernel, for more."""
    kernel = server.kernel()
    answer = kernel.run("1+1")
    assert answer == "2", answer
    return kernel


def print_one(kernel):
    """`print(1)` sent, to all of its answer."""
    answer = kernel.run("print(1)")
    assert answer == "1\n", answer
