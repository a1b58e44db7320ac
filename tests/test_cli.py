"""The CLI as a person uses it: one engine, one user, a notebook's whole life."""
import json
import subprocess

import pytest

from browser import Visitor
from engine import Engine, free_port


def last_line(text):
    return text.strip().splitlines()[-1]


def test_a_notebook_from_vend_to_terminate(deployed):
    link = last_line(deployed.nbvend("vend", "ada", "--type", "ml.t3.medium"))
    visitor = Visitor(deployed)
    page = visitor.get(link)
    assert page.status == 200 and "JupyterLab" in page.text
    assert visitor.run(page.url, "open('kept.txt', 'w').write('work'); 6*7") == "42"

    status = json.loads(deployed.nbvend("--json", "status"))
    assert status["ready"] is True and status["endpoint"] == deployed.endpoint
    assert status["isolation"] in ("full", "userns", "process") and status["notebooks"]["in_service"] == 1
    listed = json.loads(deployed.nbvend("--json", "list"))
    assert [(n["NotebookInstanceName"], n["InstanceType"]) for n in listed] == [("ada-Notebook", "ml.t3.medium")]
    assert "ada-Notebook" in deployed.nbvend("list")

    again = last_line(deployed.nbvend("vend", "ada"))
    assert Visitor(deployed).get(again).status == 200

    deployed.nbvend("stop", "ada")
    assert visitor.get(page.url).status in (403, 503)
    refused = deployed.nbvend("open", "ada", check=False)
    assert refused.returncode == 1 and "InService" in refused.stderr
    deployed.nbvend("start", "ada")
    visitor = Visitor(deployed)
    page = visitor.get(last_line(deployed.nbvend("open", "ada", "--no-browser")))
    assert visitor.run(page.url, "print(open('kept.txt').read())").strip() == "work"

    fresh = last_line(deployed.nbvend("refresh", "ada"))
    assert Visitor(deployed).get(fresh).status == 200

    deployed.nbvend("terminate", "ada")
    assert json.loads(deployed.nbvend("--json", "list")) == []
    assert Visitor(deployed).get(fresh).status in (403, 404)


def test_notebooks_outlive_the_engine(deployed):
    link = last_line(deployed.nbvend("vend", "bob"))
    visitor = Visitor(deployed)
    page = visitor.get(link)
    deployed.kill()
    deployed.start()
    assert visitor.get(page.url).status == 200, "the session and the server are still there"
    deployed.restart()
    assert visitor.run(page.url, "6*7") == "42"
    deployed.nbvend("terminate", "bob")


def test_what_cannot_be_vended_says_why(deployed):
    bad = deployed.nbvend("vend", "not_a_name", check=False)
    assert bad.returncode == 1 and "NotebookUserName" in bad.stderr, bad.stderr
    missing = deployed.nbvend("stop", "nobody", check=False)
    assert missing.returncode == 1 and "nobody has no notebook" in missing.stderr
    wrong = deployed.nbvend("vend", check=False)
    assert wrong.returncode == 2
    kind = deployed.nbvend("vend", "carl", "--type", "ml.c5.large", check=False)
    assert kind.returncode == 1 and "NotebookInstanceType" in kind.stderr, kind.stderr


def test_deploying_again_changes_nothing(deployed):
    before = deployed.client("cloudformation").describe_stacks()["Stacks"]
    deployed.nbvend("deploy")
    after = deployed.client("cloudformation").describe_stacks()["Stacks"]
    ids = lambda stacks: sorted((s["StackId"], s["StackStatus"]) for s in stacks)
    assert ids(before) == ids(after)


def test_the_environment_is_for_a_shell(engine):
    lines = engine.nbvend("env").splitlines()
    assert f"export AWS_ENDPOINT_URL='{engine.endpoint}'" in lines
    assert lines[-1] == "unset AWS_PROFILE AWS_SESSION_TOKEN"
    health = subprocess.run(
        ["bash", "-c", f'eval "$({engine.command()[0]} --data {engine.data} env)"; '
                       f'curl -sS https://localhost:{engine.port}/_nbvend/health'], capture_output=True, text=True)
    assert json.loads(health.stdout)["ready"] is True, health.stderr


def test_a_second_engine_is_told_what_is_in_its_way(engine, tmp_path):
    same_folder = engine.nbvend("up", "--listen", f"127.0.0.1:{free_port()}", check=False)
    assert same_folder.returncode == 1 and "runs on" in same_folder.stderr and "nbvend down" in same_folder.stderr
    other = Engine(tmp_path / "other", port=engine.port)
    same_port = other.nbvend("up", "--listen", f"127.0.0.1:{engine.port}", check=False)
    assert same_port.returncode == 1 and "is taken by another program" in same_port.stderr


@pytest.mark.parametrize("words", [["status"], ["env"], ["list"], ["stop", "x"], ["down"]])
def test_without_an_engine_one_sentence_says_what_to_do(tmp_path, words):
    said = Engine(tmp_path / "none").nbvend(*words, check=False)
    assert said.returncode == 1
    assert "nbvend up" in said.stderr + said.stdout
