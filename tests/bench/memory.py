"""What the engine and idle notebooks take, as proportional share: what is shared counts once, however many share it."""
import time

import measure
from engine import Engine
from table import Figure
from vend import population


def topic(run):
    table = run.table
    empty = Engine(run.folder / "empty").start()
    try:
        table.row("the engine, nothing deployed", Figure(measure.memory(empty.process.pid), "MiB"), "≤ 30 MiB")
    finally:
        empty.stop()
    for count, budget, key in ((20, "≤ 28 MiB", "idle"), (50, "≤ 26 MiB", None)):
        population(run.engine, count)
        # Servers that have just begun still tidy up.
        time.sleep(3)
        mean, first, found = idle(run.pid)
        assert found == count, f"{found} notebooks run, not {count}"
        table.row(f"an idle notebook at {count}: server, kernel forker, first process",
                  Figure(mean, "MiB", f"of it the first process {first:.1f}"), budget, key)
    zygotes = [one for one in measure.tree(run.pid) if measure.title(one).startswith("python")]
    table.row("the zygote, once an engine", Figure(sum(map(measure.memory, zygotes)), "MiB"))
    table.row("the engine with 50 notebooks", Figure(measure.memory(run.pid), "MiB"))


def idle(pid):
    """MiB a notebook, of it the sandbox's first process, and how many there are. What lives in the sandboxes of this
    engine counts: their first processes are no children of the engine, but share a namespace with the servers, which are.
    """
    here = measure.namespace("self")
    spaces = {measure.namespace(one) for one in measure.tree(pid)} - {here, None}
    inside = [one for one in measure.processes() if measure.namespace(one) in spaces]
    firsts = [one for one in inside if measure.title(one) == "nbvend-init"]
    total, first = sum(map(measure.memory, inside)), sum(map(measure.memory, firsts))
    return total / max(1, len(firsts)), first / max(1, len(firsts)), len(firsts)
