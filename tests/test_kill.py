"""The real engine, killed in the middle of a vend, finishes it when it is started again."""
import shutil
import uuid

import botocore.exceptions
import pytest

from browser import Visitor
from engine import Engine, until


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A data folder with the solution deployed, to be copied."""
    engine = Engine(tmp_path_factory.mktemp("deployed")).start()
    engine.nbvend("deploy")
    engine.stop()
    return engine


@pytest.mark.parametrize("commit", [2, 3, 4, 6, 8, 11])
def test_a_vend_survives_a_kill(template, tmp_path, commit):
    shutil.copytree(template.data, tmp_path / "data", symlinks=True)
    engine = Engine(tmp_path / "data", port=template.port)
    engine.start(NBVEND_KILL_AT_COMMIT=str(commit))
    token = str(uuid.uuid4())
    try:
        provision(engine, token)
        engine.wait_dead()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        # It died before it could answer: the same request again, as any client would.
        engine.wait_dead()
    engine.start()
    try:
        catalog = engine.client("servicecatalog")
        record = provision(engine, token)
        done = until(lambda: finished(catalog, record), 90)
        assert done["Status"] == "SUCCEEDED", done
        name = "/SageMaker/Notebooks/kim-Notebook"
        ssm = engine.client("ssm")
        link = until(lambda: parameter(ssm, name), 60)
        if Visitor(engine).get(link).status != 200:
            link = engine.nbvend("open", "kim", "--no-browser").strip()
        assert Visitor(engine).get(link).status == 200
        assert len(engine.client("sagemaker").list_notebook_instances()["NotebookInstances"]) == 1
        assert len(catalog.search_provisioned_products()["ProvisionedProducts"]) == 1
        engine.nbvend("terminate", "kim")
        assert engine.client("sagemaker").list_notebook_instances()["NotebookInstances"] == []
    finally:
        engine.stop("--stop-notebooks")


def provision(engine, token):
    catalog = engine.client("servicecatalog")
    product = catalog.search_products()["ProductViewSummaries"][0]["ProductId"]
    artifact = catalog.describe_product(Id=product)["ProvisioningArtifacts"][-1]["Id"]
    return catalog.provision_product(
        ProductId=product, ProvisioningArtifactId=artifact, ProvisionedProductName="kim-notebook",
        ProvisionToken=token, ProvisioningParameters=[{"Key": "NotebookUserName", "Value": "kim"}],
    )["RecordDetail"]["RecordId"]


def finished(catalog, record):
    detail = catalog.describe_record(Id=record)["RecordDetail"]
    return detail if detail["Status"] in ("SUCCEEDED", "FAILED") else None


def parameter(ssm, name):
    try:
        return ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None
