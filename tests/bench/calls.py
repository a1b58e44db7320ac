"""API calls a second of processor time, signatures verified and writes durable here, and what emulators make of the same bytes."""
import json

import load
import measure
import peers
from engine import free_port, until
from table import Figure

READ, WRITE = json.dumps({"Name": "bench"}), json.dumps({"Name": "bench", "Value": "x", "Type": "String", "Overwrite": True})
CONNECTIONS = (1, 16)


def topic(run):
    for name, command, environment in emulators():
        port = free_port()
        process = measure.spawn([str(word).format(port=port) for word in command], folder=run.folder,
                                **{key: value.format(port=port) for key, value in environment.items()})
        try:
            until(lambda: reachable(port), 60)
            for key, figure in figures(port, "test", "test", measure.tree(process.pid)):
                run.table.peer(key, name, f"{key}, calls a CPU second", figure)
        except (OSError, AssertionError) as failure:
            run.table.say(f"{name} was not measured: {str(failure)[:200]}")
        finally:
            measure.end(process)
    variables = run.engine.variables()
    own = figures(run.engine.port, variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], [run.pid])
    for key, figure in own:
        run.table.row(f"{key}, calls a CPU second", figure, "≥ 10 × ministack, ≥ 50 × moto", key)


def emulators():
    if not peers.python_peers():
        return []
    at = peers.FOLDER / "bin"
    return [
        (peers.called("moto"), [at / "moto_server", "--host", "127.0.0.1", "--port", "{port}"], {}),
        (peers.called("ministack"), [at / "ministack"], {"GATEWAY_PORT": "{port}", "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "WARNING"}),
    ]


def reachable(port):
    try:
        load.load(port, load.ssm(port, "test", "test", "PutParameter", WRITE), 0.01, 1)
        return True
    except (OSError, AssertionError):
        return False


def figures(port, key, secret, pids):
    """One after the other, so that each can be shown when it is there."""
    for operation, body in (("PutParameter", WRITE), ("GetParameter", READ)):
        request = load.ssm(port, key, secret, operation, body)
        for connections in CONNECTIONS:
            rate, micros = load.drive(port, request, pids, connections=connections)
            plural = "connection" if connections == 1 else "connections"
            yield f"{operation}, {connections} {plural}", Figure(1e6 / micros, "/CPU s", f"{rate:.0f} a second")
