"""Fixtures: an engine for a file of tests, and one with the solution deployed and nothing vended."""
import pytest

from engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    running = Engine(tmp_path_factory.mktemp("data")).start()
    yield running
    running.stop("--stop-notebooks")


@pytest.fixture(scope="module")
def deployed(engine):
    engine.nbvend("deploy")
    return engine
