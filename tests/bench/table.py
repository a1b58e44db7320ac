"""The table: a row is printed as soon as it is measured, with its budget and what the peers took in the same run."""
import dataclasses

HEAD = "| what | nbvend | budget | peers, same run | times better |\n|---|---|---|---|---|"


@dataclasses.dataclass
class Figure:
    value: float
    unit: str
    beside: str = ""

    def __str__(self):
        return f"{number(self.value)} {self.unit}{self.beside and ', ' + self.beside}"

    def better_than(self, other):
        """How many times: less is better, but of what is done a second more is."""
        own, others = (other.value, self.value) if self.unit.startswith("/") else (self.value, other.value)
        return others / own if own else float("inf")


def number(value):
    if isinstance(value, int):
        return str(value)
    if value < 0:
        return f"-{number(-value)}"
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


class Table:
    """Also the memory of a run: what peers took is printed at once, and again beside nbvend's own figure."""

    def __init__(self):
        self.peers = {}

    def topic(self, name, sentence):
        print(f"\n### {name}: {sentence}\n\n{HEAD}", flush=True)

    def row(self, what, figure, budget="", key=None):
        """`key` names what the peers were measured at under the same name."""
        peers = self.peers.get(key, {})
        beside = "; ".join(f"{name} {peer}" for name, peer in peers.items())
        better = ", ".join(f"{number(figure.better_than(peer))} ({name})" for name, peer in peers.items())
        self.line(what, figure, budget, beside, better)

    def peer(self, key, name, what, figure):
        self.peers.setdefault(key, {})[name] = figure
        self.line(f"{name}: {what}", "", "", figure, "")

    def line(self, *cells):
        print("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |", flush=True)

    def say(self, text):
        """Something that is to be known of the figures, in a row of its own so that the table stays one."""
        self.line(f"({text})", "", "", "", "")
