"""`cargo xtask bench`: the figures of docs/benchmarks.md, as Markdown. Release binary, real clients, one machine.

Times are medians where a thing is done more than once. Nothing here judges; the budgets stand beside the figures.
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from browser import Visitor
from engine import ROOT, Engine, free_port, until


def timed(work):
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def memory(pid):
    """Proportional share of a process's memory, MiB."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024


def tree(pid):
    pids = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pids += tree(int(child))
    return pids


def first_answer(folder):
    """From exec of the binary to the first answer on its port, on a data folder that was used before."""
    times = []
    for _ in range(10):
        engine = Engine(folder)
        begun = time.perf_counter()
        process = subprocess.Popen(engine.command("up", "--listen", f"127.0.0.1:{engine.port}"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                engine.health()
                break
            except OSError:
                time.sleep(0.0005)
        times.append(time.perf_counter() - begun)
        process.terminate()
        process.wait()
    return statistics.median(times)


def calls(engine, seconds=3):
    """Signed, durable writes and signed reads by one boto3 client: a second, and a CPU second of the engine."""
    ssm = engine.client("ssm")
    ssm.put_parameter(Name="bench", Value="x", Type="String")
    ticks = os.sysconf("SC_CLK_TCK")

    def cpu():
        words = pathlib.Path(f"/proc/{engine.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / ticks

    rows = []
    for name, call in (("PutParameter", lambda: ssm.put_parameter(Name="bench", Value="x", Overwrite=True)),
                       ("GetParameter", lambda: ssm.get_parameter(Name="bench"))):
        count, used, begun = 0, cpu(), time.perf_counter()
        while time.perf_counter() - begun < seconds:
            call()
            count += 1
        took, used = time.perf_counter() - begun, cpu() - used
        rows.append((name, count / took, count / used if used else float("nan")))
    return rows


def vends(engine, count, name="bench"):
    """ProvisionProduct sent, to JupyterLab answering at the URL in Parameter Store."""
    return [vend(engine, *clients(engine), f"{name}-{at}") for at in range(count)]


def clients(engine):
    return engine.client("servicecatalog"), engine.client("ssm")


def vend(engine, catalog, ssm, user):
    """Seconds, after the product was looked up."""
    product = catalog.search_products()["ProductViewSummaries"][0]["ProductId"]
    artifact = catalog.describe_product(Id=product)["ProvisioningArtifacts"][-1]["Id"]

    def link():
        try:
            return ssm.get_parameter(Name=f"/SageMaker/Notebooks/{user}-Notebook")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return None

    def work():
        catalog.provision_product(ProductId=product, ProvisioningArtifactId=artifact, ProvisionedProductName=user,
                                  ProvisioningParameters=[{"Key": "NotebookUserName", "Value": user}])
        url = until(link, 120, 0.005)
        assert Visitor(engine).get(url).status == 200
    return timed(work)[0]


def at_once(engine, count, name="many"):
    """Launches that begin together, to the last one's Lab answering."""
    pairs = [clients(engine) for _ in range(count)]

    def all_of_them():
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda at: vend(engine, *pairs[at], f"{name}{at}-0"), range(count)))
    return timed(all_of_them)[0]


def pss_of(pid):
    """The parts of a process's memory that are its share, KiB; a process may end while it is looked at."""
    try:
        return memory(pid) or 0
    except OSError:
        return 0


def idle():
    """MiB a notebook: everything that lives in sandboxes, told by their first processes."""
    pids = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()]
    firsts = [pid for pid in pids if title(pid) == "nbvend-init"]
    spaces = {namespace(first) for first in firsts}
    inside = [pid for pid in pids if namespace(pid) in spaces]
    return sum(map(pss_of, inside)) / len(firsts)


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def kernels(engine):
    """A first kernel's first reply, and what a cell takes after it, through the proxy."""
    visitor = Visitor(engine)
    page = visitor.get(engine.nbvend("open", "one-0", "--no-browser").strip().splitlines()[-1])
    first, _ = timed(lambda: visitor.run(page.url, "1+1"))
    later = [timed(lambda: visitor.run(page.url, "1+1"))[0] for _ in range(5)]
    stops = [timed(lambda: stopped(engine, f"more{at}-0"))[0] for at in range(3)]
    return [("first kernel's first reply, from the request for it", f"{first:.2f} s", "≤ 0.5 s"),
            ("a later kernel's first reply, p50 of 5", f"{statistics.median(later):.2f} s", ""),
            ("StopNotebookInstance to Stopped, p50 of 3", f"{statistics.median(stops):.2f} s", "≤ 0.3 s")]


def stopped(engine, user):
    api, name = engine.client("sagemaker"), f"{user}-Notebook"
    api.stop_notebook_instance(NotebookInstanceName=name)
    until(lambda: api.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] == "Stopped", 30, 0.005)


def restart(engine):
    """The engine is killed with notebooks running: from exec to all of them taken over."""
    count = json.loads(engine.nbvend("--json", "status"))["notebooks"]["in_service"]
    engine.kill()

    def all_there():
        engine.start()
        until(lambda: json.loads(engine.nbvend("--json", "status"))["notebooks"]["in_service"] == count, 30, 0.005)
    return (f"restart with {count} notebooks: exec to all adopted", f"{timed(all_there)[0]:.2f} s", "≤ 0.5 s")


def proxy_bench():
    """The bench program of the proxy: its own load, its own backend."""
    built = subprocess.run(["cargo", "bench", "--package", "nbvend-host", "--bench", "proxy", "--no-run", "--locked",
                            "--message-format=json"], cwd=ROOT, check=True, capture_output=True, text=True)
    messages = map(json.loads, built.stdout.splitlines())
    return next(m["executable"] for m in messages
                if m.get("executable") and m["target"]["kind"] == ["bench"] and m["target"]["name"] == "proxy")


def cpu_of(pid):
    """CPU seconds of a process's threads."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def load(program, address, kind, connections, host, pid, seconds=3, cookie=None):
    """One run of the load against a proxy whose process is `pid`; None counts no CPU."""
    used = cpu_of(pid) if pid else 0
    words = [program, "load", address, kind, str(connections), str(seconds), host] + ([cookie] if cookie else [])
    figures = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    figures["cpu_us"] = (cpu_of(pid) - used) * 1e6 / figures["count"] if pid else float("nan")
    return figures


def row_of(name, figures, budget=""):
    return (name, f"{figures['per_second']:.0f}/s, p50 {figures['p50_us']} µs, p99 {figures['p99_us']} µs, "
                  f"{figures['cpu_us']:.1f} µs CPU", budget)


def proxy_alone(program):
    figures = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    for kind in ("get_16", "get_64", "websocket"):
        figures[kind]["cpu_us"] = figures[kind]["proxy_cpu_us"]
    return [
        row_of("proxy alone, 16 connections", figures["get_16"], "≥ 35 000/s, p99 ≤ 2 ms, ≤ 20 µs"),
        row_of("proxy alone, 64 connections", figures["get_64"]),
        row_of("proxy alone, websocket echo", figures["websocket"], "≤ 120 µs"),
        ("adding a route", f"{figures['add_route_us']:.1f} µs", "≤ 100 µs"),
    ]


def proxy_whole(engine, program, folder):
    """The whole way: the engine's listener, the session, the proxy. A real notebook's socket is moved aside for the backend."""
    role = engine.client("iam").create_role(RoleName="Bench", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
                                                 "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    api = engine.client("sagemaker")
    before = sockets()
    api.create_notebook_instance(NotebookInstanceName="bench-proxy", InstanceType="ml.t3.medium", RoleArn=role)
    until(lambda: api.describe_notebook_instance(NotebookInstanceName="bench-proxy")["NotebookInstanceStatus"] == "InService", 120)
    visitor = Visitor(engine)
    visitor.get(api.create_presigned_notebook_instance_url(NotebookInstanceName="bench-proxy")["AuthorizedUrl"], follow=False)
    (host, jar), = visitor.cookies.items()
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
    # A kernel has sockets too; the server's is the one in a folder for running servers.
    path = next(path for path in sorted(sockets() - before, key=len) if path.endswith(".sock"))
    os.rename(path, path + ".aside")
    backend = subprocess.Popen([program, "backend", path], stdout=subprocess.DEVNULL)
    try:
        until(lambda: os.path.exists(path))
        address = f"127.0.0.1:{engine.port}"
        load(program, address, "get", 16, host, engine.process.pid, 0.5, cookie)
        return [row_of("engine, session and proxy, 16 connections",
                       load(program, address, "get", 16, host, engine.process.pid, 3, cookie), "≥ 35 000/s, p99 ≤ 2 ms, ≤ 20 µs"),
                row_of("engine, session and proxy, websocket echo",
                       load(program, address, "websocket", 1, host, engine.process.pid, 3, cookie), "≤ 120 µs")]
    finally:
        backend.kill()
        backend.wait()
        os.unlink(path)
        os.rename(path + ".aside", path)


def sockets():
    return {line.split()[-1] for line in open("/proc/net/unix") if line.split()[-1].startswith("/")}


def peers(program, folder):
    """The same load and backend through JupyterHub's proxy (fetched if npm is there) and nginx (if it is installed)."""
    modules = ROOT / "target/xtask/peers"
    hub = modules / "node_modules/.bin/configurable-http-proxy"
    if shutil.which("npm") and not hub.exists():
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(modules),
                        "configurable-http-proxy"], check=False)
    socket, rows = str(folder / "peer.sock"), []
    backend = subprocess.Popen([program, "backend", socket], stdout=subprocess.DEVNULL)
    until(lambda: os.path.exists(socket))
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(f"""{'user root;' if os.getuid() == 0 else ''} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
        events {{ worker_connections 1024; }}
        http {{ access_log off; keepalive_requests 100000000; upstream b {{ server unix:{socket}; keepalive 64; }}
        server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://b; proxy_http_version 1.1;
        proxy_set_header Connection ""; }} }} }}""")
    commands = []
    if shutil.which("nginx"):
        commands.append(("nginx, one worker", ["nginx", "-c", str(config)], port))
    if hub.exists():
        chp = free_port()
        commands.append(("configurable-http-proxy", [str(hub), "--ip", "127.0.0.1", "--port", str(chp), "--api-port",
                         str(free_port()), "--default-target", f"unix+http://{socket.replace('/', '%2F')}"], chp))
    for name, command, at in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: subprocess.run([program, "load", f"127.0.0.1:{at}", "get", "1", "0.1", "a"],
                                         capture_output=True).returncode == 0, 20)
            pid = tree(process.pid)[-1]
            rows.append(row_of(f"peer: {name}, 16 connections", load(program, f"127.0.0.1:{at}", "get", 16, "a", pid)))
        finally:
            process.terminate()
            process.wait()
    backend.kill()
    backend.wait()
    os.unlink(socket)
    return rows


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nbvend-bench-"))
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}\n")
    rows = []
    engine = Engine(folder / "data").start()
    rows.append(("idle memory of the engine (PSS), nothing deployed", f"{memory(engine.process.pid):.1f} MiB", "≤ 30 MiB"))
    deploy, _ = timed(lambda: engine.nbvend("deploy"))
    rows.append(("`nbvend deploy`, functions built before", f"{deploy:.2f} s", ""))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    until(lambda: "the zygote is ready" in engine.log(), 60)
    vends(engine, 1, "warm")
    times = vends(engine, count, "one")
    rows.append((f"ProvisionProduct to Lab answering at the stored link, one at a time (n={count}): p50 / max",
                 f"{statistics.median(times):.3f} / {max(times):.3f} s", "p50 ≤ 0.3 s"))
    took = at_once(engine, 20)
    rows.append(("20 at once, all answering", f"{took:.2f} s", "≤ 2 s"))
    time.sleep(3)
    rows.append((f"an idle notebook at {count + 21} (PSS: server, kernel zygote, first process)", f"{idle():.1f} MiB", "≤ 28 MiB at 20"))
    at_once(engine, 50 - count - 21, "more")
    time.sleep(3)
    rows.append(("an idle notebook at 50 (PSS)", f"{idle():.1f} MiB", "≤ 26 MiB"))
    rows += kernels(engine)
    rows.append(restart(engine))
    rows.append(("memory of the engine after them (PSS)", f"{memory(engine.process.pid):.1f} MiB", ""))
    for name, rate, efficiency in calls(engine):
        rows.append((f"{name} by one boto3 client: a second / a CPU second of the engine",
                     f"{rate:.0f} / {efficiency:.0f}", ""))
    program = proxy_bench()
    rows += proxy_whole(engine, program, folder)
    rows.append(("`nbvend down --stop-notebooks` with all of them", f"{timed(lambda: engine.stop('--stop-notebooks'))[0]:.2f} s", ""))
    rows += proxy_alone(program) + peers(program, folder)
    rows.append(("exec to first answer, p50 of 10", f"{first_answer(folder / 'data') * 1000:.0f} ms", "≤ 50 ms"))
    print("| what | measured | budget |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    shutil.rmtree(folder)


main()
