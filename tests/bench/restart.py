"""The engine begins again: cold, after a sudden death with notebooks, and in place of a running one."""
import threading
import time

import measure
from cells import Server, print_one
from engine import Engine, until
from measure import p50, timed
from table import Figure
from vend import page_of, population

MANY, FEW = 50, 5


def topic(run):
    table = run.table
    folder = run.folder / "again"
    Engine(folder).start().stop()
    times = [first_answer(folder) for _ in range(10)]
    table.row("exec to the first answer on the port, on a data folder used before, p50 of 10", Figure(p50(times) * 1000, "ms"), "≤ 50 ms")

    engine, api = run.engine, run.engine.client("sagemaker")
    servers = {name: Server.of_visitor(*page_of(engine, api, name)) for name in population(engine, MANY)}
    for count, budget, key in ((MANY, "≤ 0.5 s", None), (FEW, "", "restart")):
        kept = [servers[name] for name in population(engine, count)]
        engine.kill()
        adopted, answering = taken_over(run, kept)
        table.row(f"killed with {count} notebooks: exec to all adopted", Figure(adopted, "s"), budget)
        table.row(f"killed with {count} notebooks: exec to each having answered in the session it had", Figure(answering, "s"), "", key)
    upgrade(run, kept[0])
    table.row("the engine after all this", Figure(measure.memory(run.pid), "MiB"))
    population(engine, MANY)
    table.row(f"`nbvend down --stop-notebooks` with {MANY} notebooks", Figure(timed(lambda: engine.stop("--stop-notebooks"))[0], "s"))
    engine.start()


def first_answer(folder):
    engine = Engine(folder)
    process = measure.spawn(engine.command("up", "--listen", f"127.0.0.1:{engine.port}"))
    try:
        begun = time.perf_counter()
        while True:
            try:
                engine.health()
                return time.perf_counter() - begun
            except OSError:
                time.sleep(0.0005)
    finally:
        measure.end(process)


def taken_over(run, servers):
    """Seconds from exec until the engine counts all as its own, and until each was asked for something and answered."""
    begun = time.perf_counter()
    run.engine.start()
    until(lambda: run.status()["notebooks"]["in_service"] == len(servers), 60, 0.005)
    adopted = time.perf_counter() - begun
    for server in servers:
        until(server.answers, 60, 0.005)
    return adopted, time.perf_counter() - begun


def upgrade(run, server):
    """`up --replace` under requests, each on a connection of its own, to a notebook whose kernel's websocket stays open."""
    engine, table = run.engine, run.table
    kernel = server.kernel()
    print_one(kernel)
    answered, failed, over = [time.perf_counter()], [], threading.Event()

    def ask():
        while not over.is_set():
            if server.answers():
                answered.append(time.perf_counter())
            else:
                failed.append(time.perf_counter())
            time.sleep(0.002)
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(1)
        # The process before drains for as long as the websocket is open: nobody waits for it.
        engine.start("--replace")
        time.sleep(1)
    finally:
        over.set()
        asking.join()
    answered.append(time.perf_counter())
    gap = max(later - earlier for earlier, later in zip(answered, answered[1:]))
    table.row("`up --replace`: the longest time without an answer of a notebook", Figure(gap, "s"))
    table.row("`up --replace`: requests that failed", Figure(len(failed), f"of {len(failed) + len(answered) - 2}"), "none")
    try:
        print_one(kernel)
        lived = 1
    except Exception:
        lived = 0
    table.row("`up --replace`: open websockets that lived on", Figure(lived, "of 1"), "all")
