"""A notebook's day: started, opened, cells run, stopped. Through the engine's listener, session and proxy."""
from cells import Server, first_reply, print_one
from measure import p50, several, timed
from table import Figure
from vend import page_of, population, start, stop

ROUNDS, PRINTS = 5, 20


def topic(run):
    engine, table = run.engine, run.table
    name = population(engine, 1)[0]
    api = engine.client("sagemaker")
    stop(api, name)
    starts, firsts, laters, prints, stops = [], [], [], [], []
    for _ in range(ROUNDS):
        starts.append(timed(lambda: start(api, name))[0])
        server = Server.of_visitor(*page_of(engine, api, name))
        took, kernel = timed(lambda: first_reply(server))
        firsts.append(took)
        prints += several(PRINTS, lambda _: print_one(kernel))
        took, later = timed(lambda: first_reply(server))
        laters.append(took)
        stops.append(timed(lambda: stop(api, name))[0])
        kernel.close()
        later.close()
    table.row(f"StartNotebookInstance sent (Pending) to InService, p50 of {ROUNDS}", Figure(p50(starts), "s"), "≤ 0.12 s", "start")
    table.row(f"a server's first kernel, request to its first reply, p50 of {ROUNDS}", Figure(p50(firsts), "s"), "≤ 0.5 s", "first")
    table.row(f"a later kernel's first reply, p50 of {ROUNDS}", Figure(p50(laters), "s"), "", "later")
    prints = [1000 * one for one in prints]
    table.row(f"`print(1)` sent to its reply and idle, p50 of {len(prints)}",
              Figure(p50(prints), "ms", f"least {min(prints):.1f}, most {max(prints):.1f}"), "≤ 10 ms", "print")
    table.row(f"StopNotebookInstance sent to Stopped, with two kernels, p50 of {ROUNDS}", Figure(p50(stops), "s"), "≤ 0.3 s", "stop")
