"""A kernel and a websocket to it that stays open, as a notebook's tab has them."""
import json
import urllib.parse
import uuid

import websocket


class Kernel:
    """Starts a kernel in the notebook that `visitor` has opened at `url`."""

    def __init__(self, visitor, url):
        parts = urllib.parse.urlsplit(url)
        self.base, self.host = f"{parts.scheme}://{parts.netloc}", parts.netloc
        cookies = visitor.cookies[parts.netloc]
        headers = {"X-XSRFToken": cookies["_xsrf"], "Origin": self.base}
        made = visitor.get(f"{self.base}/api/kernels", method="POST", body="{}", headers=headers)
        assert made.status == 201, (made.status, made.text)
        self.id = json.loads(made.text)["id"]
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.port = parts.port
        self.socket = self.connect()

    def connect(self):
        return websocket.create_connection(
            f"ws://127.0.0.1:{self.port}/api/kernels/{self.id}/channels", host=self.host, cookie=self.cookie,
            origin=self.base, timeout=60)

    def run(self, code):
        """What the code printed or gave."""
        message = str(uuid.uuid4())
        header = {"msg_id": message, "username": "", "session": str(uuid.uuid4()), "msg_type": "execute_request",
                  "version": "5.3", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        self.socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                                     "channel": "shell", "buffers": []}))
        said = []
        while True:
            heard = json.loads(self.socket.recv())
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
                return "".join(said)
