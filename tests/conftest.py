"""Fixtures: an engine for a file of tests, and one with the solution deployed and nothing vended."""
import json

import pytest

from engine import Engine, until


@pytest.fixture(scope="session", autouse=True)
def jupyter(tmp_path_factory):
    """A first notebook, which has JupyterLab installed in the folder that all engines share. That may take minutes; all
    other notebooks are waited for no longer than a start may take."""
    engine = Engine(tmp_path_factory.mktemp("jupyter")).start()
    try:
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        iam, sagemaker = engine.client("iam"), engine.client("sagemaker")
        role = iam.create_role(RoleName="First", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        sagemaker.create_notebook_instance(
            NotebookInstanceName="first", InstanceType="ml.t3.medium", RoleArn=role["Arn"])

        def look():
            now = sagemaker.describe_notebook_instance(NotebookInstanceName="first")
            return now["NotebookInstanceStatus"] != "Pending" and now
        now = until(look, 900, 0.2)
        assert now["NotebookInstanceStatus"] == "InService", now["FailureReason"]
    finally:
        engine.stop("--stop-notebooks")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    running = Engine(tmp_path_factory.mktemp("data")).start()
    yield running
    running.stop("--stop-notebooks")


@pytest.fixture(scope="module")
def deployed(engine):
    engine.nbvend("deploy")
    return engine
