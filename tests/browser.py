"""What a browser does at a notebook's address, by hand: follows links, keeps cookies, opens websockets."""
import json
import urllib.parse
import uuid
import http.client

import websocket


class Visitor:
    """Names under .localhost are resolved here, as browsers do: Python's own resolver may not."""

    def __init__(self, engine):
        self.engine = engine
        self.cookies = {}

    def get(self, url, follow=True, method="GET", body=None, headers=None):
        for _ in range(10):
            parts = urllib.parse.urlsplit(url)
            connection = http.client.HTTPConnection("127.0.0.1", parts.port or self.engine.port, timeout=30)
            path = parts.path or "/"
            if parts.query:
                path += "?" + parts.query
            jar = self.cookies.get(parts.netloc, {})
            send = {"Host": parts.netloc, **(headers or {})}
            if jar:
                send["Cookie"] = "; ".join(f"{k}={v}" for k, v in jar.items())
            connection.request(method, path, body=body, headers=send)
            answer = connection.getresponse()
            answer.text = answer.read().decode("utf-8", "replace")
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.split(";")[0].partition("=")
                self.cookies.setdefault(parts.netloc, {})[name] = value
            if not (follow and answer.status in (301, 302, 303, 307)):
                answer.url = url
                return answer
            url = urllib.parse.urljoin(url, answer.headers["Location"])
        raise AssertionError("too many redirects")

    def run(self, url, code):
        """Runs code in a new kernel of the notebook that `url` is a page of; what it printed or gave."""
        parts = urllib.parse.urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        xsrf = self.cookies[parts.netloc]["_xsrf"]
        made = self.get(f"{base}/api/kernels", method="POST", body="{}", headers={"X-XSRFToken": xsrf, "Origin": base})
        assert made.status == 201, (made.status, made.text)
        kernel = json.loads(made.text)["id"]
        jar = "; ".join(f"{k}={v}" for k, v in self.cookies[parts.netloc].items())
        socket = websocket.create_connection(
            f"ws://127.0.0.1:{parts.port}/api/kernels/{kernel}/channels", host=parts.netloc, cookie=jar, origin=base,
            timeout=60)
        message = str(uuid.uuid4())
        header = {"msg_id": message, "username": "", "session": str(uuid.uuid4()), "msg_type": "execute_request",
                  "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                                "channel": "shell", "buffers": []}))
        said = []
        while True:
            heard = json.loads(socket.recv())
            if heard["parent_header"].get("msg_id") != message:
                continue
            kind, content = heard["msg_type"], heard["content"]
            if kind == "execute_result":
                said.append(content["data"]["text/plain"])
            elif kind == "stream":
                said.append(content["text"])
            elif kind == "error":
                said.append("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                socket.close()
                return "".join(said)
