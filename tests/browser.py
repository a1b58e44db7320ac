"""What a browser does at a notebook's address, by hand: follows links, keeps cookies, opens websockets."""
import http.client
import urllib.parse

from kernel import Kernel


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
        kernel = Kernel(self, url)
        said = kernel.run(code)
        kernel.socket.close()
        return said
