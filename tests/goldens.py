"""The goldens of `crates/nbvend-cloud/golden`, read for Python: what was asked and what was answered, as bytes."""
import pathlib
from dataclasses import dataclass, field

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "crates" / "nbvend-cloud" / "golden"


@dataclass
class Message:
    """A recorded request or answer."""
    first: str = ""
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, lines):
        if not lines:
            return cls()
        first, *rest = lines
        head = rest[: rest.index("")] if "" in rest else rest
        text = "".join(line.lstrip(" ") for line in rest[len(head) + 1:])
        # The layout of src/golden/layout.rs: leading spaces are layout, these two signs are the body's own.
        body = text.replace("␠", " ").replace("⏎", "\n").encode()
        return cls(first, dict(line.split(": ", 1) for line in head), body)


@dataclass
class Golden:
    service: str
    file: str
    operation: str
    fails: bool
    written: str
    request: Message
    answer: Message

    def __str__(self):
        return f"{self.service}:{self.operation}"

    @property
    def status(self):
        return int(self.answer.first)


def _recorded(lines, mark):
    return Message.of([line[2:] for line in lines if line == mark or line.startswith(mark + " ")])


def _of_file(path):
    steps = []
    for line in path.read_text().splitlines():
        if line.startswith(("== ", "-- ")):
            steps.append((line, []))
        elif steps:
            steps[-1][1].append(line)
    for head, lines in steps:
        words = head.split()
        # Calls of the folder's own service that are recorded.
        if words[0] == "==" and ":" not in words[1]:
            marks = [at for at, line in enumerate(lines) if line[:2] in ("> ", "< ", ">", "<")]
            written = "\n".join(lines[: marks[0]]) if marks else ""
            request, answer = _recorded(lines, ">"), _recorded(lines, "<")
            yield Golden(path.parent.name, path.name, words[1], "fails" in words, written, request, answer)


def goldens():
    """All of them, in order."""
    return [golden for path in sorted(FOLDER.glob("*/*.txt")) for golden in _of_file(path)]
