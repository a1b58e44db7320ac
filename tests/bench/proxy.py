"""Small requests and websocket echoes: the whole way through the engine, the proxy alone, and the same load through others.

The load and the backend are the bench program of the proxy. A real notebook's socket is moved aside for the backend, so
that the proxies are measured and not Jupyter.
"""
import json
import os
import shutil
import subprocess

import measure
import peers
from browser import Visitor
from engine import free_port, until
from run import program
from table import Figure

SMALL = "≥ 35 000/s, p99 ≤ 2 ms, ≤ 20 µs CPU"
ECHO = "≤ 120 µs"


def topic(run):
    bench = program("nbvend-host", "proxy")
    others(run, bench)
    whole(run, bench)
    alone(run, bench)


def get(run, what, figures, budget="", key=None):
    run.table.row(what, of_get(figures), budget, key)


def of_get(figures):
    return Figure(figures["per_second"], "/s", f"p50 {figures['p50_us']} µs, p99 {figures['p99_us']} µs, {figures['cpu_us']:.1f} µs CPU")


def echo(run, what, figures, budget=""):
    run.table.row(what, Figure(figures["p50_us"], "µs p50", f"p99 {figures['p99_us']} µs, {figures['cpu_us']:.1f} µs CPU"), budget)


def load(bench, port, kind, connections, host, pids, seconds=3, cookie=None):
    """One run of the load against a proxy whose processes are `pids`."""
    used = measure.cpu(pids)
    words = [bench, "load", f"127.0.0.1:{port}", kind, str(connections), str(seconds), host] + ([cookie] if cookie else [])
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    figures["cpu_us"] = (measure.cpu(pids) - used) * 1e6 / figures["count"]
    return figures


def whole(run, bench):
    """The engine's listener, the session, the proxy."""
    engine, name = run.engine, "bench-proxy"
    role = engine.client("iam").create_role(RoleName="Bench", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
                                                 "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    api = engine.client("sagemaker")
    before = sockets()
    api.create_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role)
    until(lambda: api.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] == "InService", 120)
    visitor = Visitor(engine)
    # No page is opened: the proxy would keep the connection to the notebook that it was read over.
    visitor.get(api.create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"], follow=False)
    (host, jar), = visitor.cookies.items()
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    # A kernel has sockets too; the server's is the one in a folder for running servers.
    path = next(path for path in sorted(sockets() - before, key=len) if path.endswith(".sock") and path.startswith(str(run.folder)))
    os.rename(path, path + ".aside")
    backend = measure.spawn([bench, "backend", path])
    try:
        until(lambda: os.path.exists(path))
        load(bench, engine.port, "get", 16, host, [run.pid], 0.5, cookie)
        get(run, "engine, session and proxy, 16 connections", load(bench, engine.port, "get", 16, host, [run.pid], 3, cookie), SMALL, "proxy")
        echo(run, "engine, session and proxy, websocket echo", load(bench, engine.port, "websocket", 1, host, [run.pid], 3, cookie), ECHO)
    finally:
        measure.end(backend)
        os.unlink(path)
        os.rename(path + ".aside", path)


def sockets():
    return {line.split()[-1] for line in open("/proc/net/unix") if line.split()[-1].startswith("/")}


def alone(run, bench):
    figures = json.loads(subprocess.run([bench], check=True, capture_output=True, text=True).stdout)
    for kind in ("get_16", "get_64", "websocket"):
        figures[kind]["cpu_us"] = figures[kind]["proxy_cpu_us"]
    get(run, "proxy alone, 16 connections", figures["get_16"], SMALL)
    get(run, "proxy alone, 64 connections", figures["get_64"])
    echo(run, "proxy alone, websocket echo", figures["websocket"], ECHO)
    run.table.row("adding a route", Figure(figures["add_route_us"], "µs"), "≤ 100 µs")


def others(run, bench):
    """JupyterHub's proxy, if it can be had, and nginx, if it is installed. Neither knows of sessions."""
    socket = str(run.folder / "peer.sock")
    backend = measure.spawn([bench, "backend", socket])
    try:
        until(lambda: os.path.exists(socket))
        for name, command, port in commands(run, socket):
            process = measure.spawn(command)
            try:
                until(lambda: subprocess.run([bench, "load", f"127.0.0.1:{port}", "get", "1", "0.1", "a"], capture_output=True).returncode == 0, 20)
                run.table.peer("proxy", name, "16 connections", of_get(load(bench, port, "get", 16, "a", measure.tree(process.pid))))
            finally:
                measure.end(process)
    finally:
        measure.end(backend)


def commands(run, socket):
    folder = run.folder
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(f"""{'user root;' if os.getuid() == 0 else ''} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
        events {{ worker_connections 1024; }}
        http {{ access_log off; keepalive_requests 100000000; upstream b {{ server unix:{socket}; keepalive 64; }}
        server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://b; proxy_http_version 1.1;
        proxy_set_header Connection ""; }} }} }}""")
    if shutil.which("nginx"):
        yield "nginx, one worker", ["nginx", "-c", config], port
    else:
        run.table.say("nginx is not installed and was not measured")
    hub = peers.hub_proxy()
    if hub:
        port = free_port()
        yield "configurable-http-proxy", [hub, "--ip", "127.0.0.1", "--port", port, "--api-port", free_port(), "--default-target",
                                          f"unix+http://{socket.replace('/', '%2F')}"], port
