"""JupyterHub as it comes: its default proxy, servers as plain processes without isolation, everybody let in."""
import concurrent.futures
import http.client
import json
import os
import time

import measure
from cells import Server, first_reply, print_one
from engine import free_port, until
from measure import p50, several, timed
from table import Figure

# The hub, its proxy and its servers bear this; the servers live on when the hub is killed.
MARK = "NBVEND_BENCH_HUB"
TOKEN = "bench-" + "0" * 32
# 20 servers that start at once keep two cores busy for longer than the hub waits by itself.
PATIENCE = 300
ONE, MANY, FEW, PRINTS = 5, 20, 5, 20


class Hub:
    def __init__(self, folder, programs, proxy):
        self.folder, self.programs, self.proxy = folder, programs, proxy
        self.port = free_port()
        self.process = None

    def __enter__(self):
        folder = self.folder
        folder.mkdir()
        (folder / "jupyterhub_config.py").write_text(f"""
c.JupyterHub.bind_url = 'http://127.0.0.1:{self.port}'
c.JupyterHub.hub_port = {free_port()}
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{free_port()}'
c.ConfigurableHTTPProxy.command = ['{self.proxy}']
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = '{folder}/home/{{username}}'
c.Spawner.args = ['--allow-root']
c.Spawner.environment = {{'{measure.MARK}': '{measure.RUN}', '{MARK}': '{folder}'}}
c.Spawner.start_timeout = c.Spawner.http_timeout = {PATIENCE}
c.JupyterHub.cleanup_servers = False
c.JupyterHub.services = [{{'name': 'bench', 'api_token': '{TOKEN}'}}]
c.JupyterHub.load_roles = [{{'name': 'bench', 'services': ['bench'],
                            'scopes': ['admin:users', 'admin:servers', 'access:servers']}}]
""")
        return self.start()

    def __exit__(self, *_):
        measure.end_all(f"{MARK}={self.folder}")

    def start(self):
        path = f"{self.programs}:{os.environ['PATH']}"
        self.process = measure.spawn([self.programs / "jupyterhub", "-f", "jupyterhub_config.py"], folder=self.folder, PATH=path,
                                     log=open(self.folder / "log", "ab"), **{MARK: str(self.folder)})
        until(self.ready, 60, 0.01)
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"JupyterHub ended: {(self.folder / 'log').read_text()[-2000:]}")
        try:
            return self.api("GET", "/")[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers={"Authorization": f"token {TOKEN}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def api(self, method, path, body=None):
        return self.ask(method, f"/hub/api{path}", body)

    def add(self, user):
        assert self.api("POST", f"/users/{user}")[0] == 201

    def spawn(self, user):
        """The request for a server, to its Lab's page. What the hub's own page waits on tells when it is there."""
        status, text = self.api("POST", f"/users/{user}/server")
        assert status in (201, 202), (status, text)
        if status == 202:
            status, text = self.api("GET", f"/users/{user}/server/progress")
            assert status == 200 and b'"ready": true' in text, (status, text[-500:])
        status, _ = self.ask("GET", f"/user/{user}/lab")
        assert status == 200, status

    def server(self, user):
        return Server(f"http://127.0.0.1:{self.port}/user/{user}", {"Authorization": f"token {TOKEN}"})

    def stop(self, user):
        assert self.api("DELETE", f"/users/{user}/server")[0] in (202, 204)
        until(lambda: not self.running(user), PATIENCE, 0.02)

    def running(self, user):
        return json.loads(self.api("GET", f"/users/{user}")[1])["servers"]

    def servers(self):
        """The processes of the users' servers: the hub's children but for its proxy."""
        return [one for one in measure.tree(self.process.pid)[1:] if measure.title(one) not in ("node", "configurable-h")]


def together(work, users):
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        list(pool.map(work, users))


def hub_figures(table, name, hub):
    """The same things in the same order as for nbvend."""
    ones, many = [f"one{at}" for at in range(ONE)], [f"many{at}" for at in range(MANY)]
    for user in ["warm"] + ones + many:
        hub.add(user)
    hub.spawn("warm")
    times = several(ONE, lambda at: hub.spawn(ones[at]))
    table.peer("vend", name, f"spawn asked for to Lab answering, one at a time, p50 of {ONE}", Figure(p50(times), "s"))
    took, _ = timed(lambda: together(hub.spawn, many))
    table.peer("at once", name, f"{MANY} at once, all answering", Figure(took, "s"))
    together(hub.stop, ones + ["warm"])
    time.sleep(3)
    running = hub.servers()
    assert len(running) >= MANY, f"{len(running)} processes run, of {MANY} servers"
    table.peer("idle", name, f"an idle notebook at {MANY} (PSS)", Figure(sum(map(measure.memory, running)) / MANY, "MiB"))
    table.line(f"{name}: the hub itself (PSS)", "", "", Figure(measure.memory(hub.process.pid), "MiB"), "")
    firsts, laters, prints, stops, starts = [], [], [], [], []
    for user in many[:FEW]:
        server = hub.server(user)
        took, kernel = timed(lambda: first_reply(server))
        firsts.append(took)
        prints += [1000 * one for one in several(PRINTS, lambda _: print_one(kernel))]
        took, later = timed(lambda: first_reply(server))
        laters.append(took)
        stops.append(timed(lambda: hub.stop(user))[0])
        kernel.close()
        later.close()
        starts.append(timed(lambda: hub.spawn(user))[0])
    table.peer("first", name, f"a server's first kernel, to its first reply, p50 of {FEW}", Figure(p50(firsts), "s"))
    table.peer("later", name, f"a later kernel's first reply, p50 of {FEW}", Figure(p50(laters), "s"))
    table.peer("print", name, f"`print(1)`, p50 of {len(prints)}", Figure(p50(prints), "ms"))
    table.peer("stop", name, f"a server with two kernels stopped, p50 of {FEW}", Figure(p50(stops), "s"))
    table.peer("start", name, f"a server started again, p50 of {FEW}", Figure(p50(starts), "s"))
    together(hub.stop, many[FEW:])
    hub.process.kill()
    hub.process.wait()

    def reachable():
        hub.start()
        for user in many[:FEW]:
            until(lambda: all(one["ready"] for one in hub.running(user).values() or [{"ready": False}]), 60, 0.01)
            until(hub.server(user).answers, 60, 0.01)
    table.peer("restart", name, f"killed with {FEW} servers: exec of the hub to all reachable", Figure(timed(reachable)[0], "s"))
