"""`cargo xtask bench`: the figures of docs/benchmarks.md, as Markdown. Release binary, real clients, one machine.

Times are medians where a thing is done more than once. Nothing here judges; the budgets stand beside the figures.
"""
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
from engine import ROOT, Engine, until


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


def vends(engine, count):
    """ProvisionProduct sent, to JupyterLab answering at the URL in Parameter Store."""
    catalog, ssm = engine.client("servicecatalog"), engine.client("ssm")
    product = catalog.search_products()["ProductViewSummaries"][0]["ProductId"]
    artifact = catalog.describe_product(Id=product)["ProvisioningArtifacts"][-1]["Id"]
    times = []
    for at in range(count):
        user = f"bench-{at}"

        def vend():
            catalog.provision_product(ProductId=product, ProvisioningArtifactId=artifact,
                                      ProvisionedProductName=user,
                                      ProvisioningParameters=[{"Key": "NotebookUserName", "Value": user}])

            def link():
                try:
                    return ssm.get_parameter(Name=f"/SageMaker/Notebooks/{user}-Notebook")["Parameter"]["Value"]
                except ssm.exceptions.ParameterNotFound:
                    return None
            url = until(link, 120, 0.005)
            assert Visitor(engine).get(url).status == 200
        times.append(timed(vend)[0])
    return times


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nbvend-bench-"))
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}\n")
    rows = []
    engine = Engine(folder / "data").start()
    rows.append(("idle memory of the engine (PSS), nothing deployed", f"{memory(engine.process.pid):.1f} MiB", "≤ 30 MiB"))
    deploy, _ = timed(lambda: engine.nbvend("deploy"))
    rows.append(("`nbvend deploy`, functions built before", f"{deploy:.2f} s", ""))
    times = vends(engine, int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    rows.append((f"vend, one at a time (n={len(times)}): p50 / max",
                 f"{statistics.median(times):.2f} / {max(times):.2f} s", "p50 ≤ 0.3 s (needs the zygote of a later step)"))
    servers = [pid for pid in map(int, subprocess.run(
        ["pgrep", "-f", "jupyterlab|jupyter-lab|nbvend_jupyter"], capture_output=True, text=True).stdout.split())]
    if servers:
        rows.append(("an idle notebook (PSS)", f"{sum(map(memory, servers)) / len(times):.1f} MiB", "≤ 28 MiB (zygote)"))
    rows.append(("memory of the engine after them (PSS)", f"{memory(engine.process.pid):.1f} MiB", ""))
    for name, rate, efficiency in calls(engine):
        rows.append((f"{name} by one boto3 client: a second / a CPU second of the engine",
                     f"{rate:.0f} / {efficiency:.0f}", ""))
    engine.stop("--stop-notebooks")
    rows.append(("exec to first answer, p50 of 10", f"{first_answer(folder / 'data') * 1000:.0f} ms", "≤ 50 ms"))
    print("| what | measured | budget |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    shutil.rmtree(folder)


main()
