"""Whether a vend costs more when many went before it: vended and terminated again and again, never two at a time."""
import time

from measure import p50, timed
from table import Figure
from vend import Customer

WANTED, MINUTES, WINDOW = 1000, 5, 10


def topic(run):
    customer = Customer(run.engine)
    customer.vend("grown-warm")
    took, end = [], time.monotonic() + 60 * MINUTES
    while len(took) < WANTED and time.monotonic() < end:
        user = f"grown-{len(took)}"
        took.append(timed(lambda: customer.vend(user))[0])
        customer.terminate(user)
    assert len(took) >= 3 * WINDOW, f"{len(took)} vends in {MINUTES} minutes are too few to tell"
    early, late = p50(took[5:5 + WINDOW]), p50(took[-WINDOW:])
    run.table.row("the 10th vend (p50 of the 6th to the 15th)", Figure(early, "s"))
    run.table.row(f"the {len(took)}th vend (p50 of the last {WINDOW})", Figure(late, "s", f"{(late / early - 1) * 100:+.0f} %"), "± 20 % at the 1000th")
