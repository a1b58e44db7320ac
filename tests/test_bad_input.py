"""Wrong input and machines that lack something: one clear sentence, AWS's own where AWS has one, and nothing half made."""
import json
import os
import sqlite3
import subprocess
import uuid

import pytest

from engine import Engine, free_port, until
from refusal import refused

ACCOUNT = "123456789012"
TEMPLATE = """
Parameters:
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
  Name: {Type: String, Default: abc, AllowedPattern: '[a-z]+', MinLength: 2, MaxLength: 5}
  Count: {Type: Number, Default: 2, MinValue: 1, MaxValue: 3}
Resources:
  Kept: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub '/bad/${Name}', Type: String, Value: !Ref Size}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("templates")


def create(engine, folder, text, *more):
    (folder / "t.yml").write_text(text)
    return engine.run(["aws", "cloudformation", "create-stack", "--stack-name", "bad", "--template-body",
                       "file://t.yml", *more], folder=folder, check=False)


@pytest.mark.parametrize("text, says", [
    ("Resources:\n  A:\n    Type: AWS::SSM::Parameter\n   Properties: {}\n", "YAML not well-formed. (line 4, column 4)"),
    ("Resources:\n  A: {Type: AWS::SSM::Parameter\n", "YAML not well-formed. (line 3, column 1)"),
    ("Resources:\n  A: &a {Type: AWS::SSM::Parameter}\n  B: *a\n",
     "YAML aliases are not allowed in CloudFormation templates."),
    ('{"Resources": {"A": }}', "JSON not well-formed. (line 1, column 22)"),
    ("Resources: {A: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Nothing}}}",
     "Unresolved resource dependencies [Nothing] in the Resources block of the template"),
    ("Resources: {A: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !GetAtt A.Value}}}",
     "Circular dependency between resources: [A]"),
    ("Resources: {A: {Type: 'AWS::EC2::Instance'}}", "AWS::EC2::Instance"),
    ("Resources: {}\n", "At least one Resources member must be defined."),
])
def test_a_broken_template(engine, folder, text, says):
    done = create(engine, folder, text)
    assert done.returncode != 0 and says in done.stderr and "(ValidationError)" in done.stderr, done.stderr
    assert engine.client("cloudformation").describe_stacks()["Stacks"] == []


@pytest.mark.parametrize("key, value, says", [
    ("Size", "huge", "Parameter 'Size' must be one of AllowedValues"),
    ("Name", "ABC", "Parameter 'Name' must match pattern [a-z]+"),
    ("Name", "a", "Parameter 'Name' must contain at least 2 characters"),
    ("Name", "abcdef", "Parameter 'Name' must contain at most 5 characters"),
    ("Count", "9", "Parameter 'Count' must be a number not greater than 3"),
    ("Count", "0", "Parameter 'Count' must be a number not less than 1"),
    ("Count", "x", "Parameter 'Count' must be a number"),
    ("Unknown", "x", "Parameters: [Unknown] do not exist in the template"),
])
def test_a_parameter_that_does_not_fit(engine, folder, key, value, says):
    done = create(engine, folder, TEMPLATE, "--parameters", f"ParameterKey={key},ParameterValue={value}")
    assert done.returncode != 0 and says in done.stderr and "(ValidationError)" in done.stderr, done.stderr
    assert engine.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_template_that_is_not_in_s3(engine):
    cfn, s3 = engine.client("cloudformation"), engine.client("s3")
    s3.create_bucket(Bucket="templates-here")
    for key in ("templates-here/none.yml", "no-bucket-of-that-name/none.yml"):
        refused("ValidationError", cfn.create_stack, "(?i)S3 error", StackName="bad",
                TemplateURL=f"{engine.endpoint}/{key}")
    refused("ValidationError", cfn.create_stack, "TemplateURL must be a supported URL", StackName="bad",
            TemplateURL="https://example.com/t.yml")
    product = json.dumps({"Resources": {"Product": {
        "Type": "AWS::ServiceCatalog::CloudFormationProduct", "Properties": {
            "Name": "P", "Owner": "us", "ProvisioningArtifactParameters": [{"Info": {
                "LoadTemplateFromURL": "https://templates-here.s3.amazonaws.com/none.yml"}}]}}}})
    cfn.create_stack(StackName="missing", TemplateBody=product)
    with pytest.raises(Exception, match="ROLLBACK_COMPLETE"):
        cfn.get_waiter("stack_create_complete").wait(StackName="missing", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    until(lambda: cfn.describe_stacks(StackName="missing")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
    why = [e["ResourceStatusReason"] for e in cfn.describe_stack_events(StackName="missing")["StackEvents"]
           if e["ResourceStatus"] == "CREATE_FAILED"]
    assert "none.yml" in why[0] and "key does not exist" in why[0], why
    cfn.delete_stack(StackName="missing")
    cfn.get_waiter("stack_delete_complete").wait(StackName="missing", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


NOTEBOOK = """
Parameters: {Role: {Type: String}}
Resources:
  Notebook:
    Type: AWS::SageMaker::NotebookInstance
    Properties: {NotebookInstanceName: Taken, InstanceType: ml.t2.medium, RoleArn: !Ref Role}
"""


def catalog_with(engine, template):
    """A product of that template; answers how to launch it."""
    iam, s3, catalog = (engine.client(name) for name in ("iam", "s3", "servicecatalog"))
    role = iam.create_role(RoleName="Notebooks", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"Service": "sagemaker.amazonaws.com"}}]}))["Role"]["Arn"]
    s3.create_bucket(Bucket="products-here")
    s3.put_object(Bucket="products-here", Key="p.yml", Body=template.encode())
    made = catalog.create_product(
        Name="P", Owner="us", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken="p",
        ProvisioningArtifactParameters={"Type": "CLOUD_FORMATION_TEMPLATE", "Info": {
            "LoadTemplateFromURL": f"{engine.endpoint}/products-here/p.yml"}})
    product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    portfolio = catalog.create_portfolio(DisplayName="P", ProviderName="us", IdempotencyToken="p")["PortfolioDetail"]["Id"]
    catalog.associate_product_with_portfolio(ProductId=product, PortfolioId=portfolio)

    def launch(name):
        record = catalog.provision_product(
            ProductId=product, ProvisioningArtifactId=made["ProvisioningArtifactDetail"]["Id"],
            ProvisionedProductName=name, ProvisionToken=str(uuid.uuid4()),
            ProvisioningParameters=[{"Key": "Role", "Value": role}])["RecordDetail"]

        def look():
            detail = catalog.describe_record(Id=record["RecordId"])["RecordDetail"]
            return detail if detail["Status"] in ("SUCCEEDED", "FAILED") else None
        return until(look, 90, 0.2)
    launch.role = role
    return launch


def failed_with(engine, record, says):
    """Record, product and stack all end failed, and say why."""
    assert record["Status"] == "FAILED", record
    assert says in record["RecordErrors"][0]["Description"], record["RecordErrors"]
    detail = engine.client("servicecatalog").describe_provisioned_product(
        Id=record["ProvisionedProductId"])["ProvisionedProductDetail"]
    assert detail["Status"] == "ERROR" and says in detail["StatusMessage"]
    cfn = engine.client("cloudformation")
    stack = cfn.describe_stacks(StackName=f"SC-{ACCOUNT}-{record['ProvisionedProductId']}")["Stacks"][0]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = cfn.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    assert any(says in e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"] == "CREATE_FAILED")


def test_a_notebooks_name_that_is_taken(engine):
    launch = catalog_with(engine, NOTEBOOK)
    sagemaker = engine.client("sagemaker")
    sagemaker.create_notebook_instance(NotebookInstanceName="Taken", InstanceType="ml.t2.medium", RoleArn=launch.role)
    failed_with(engine, launch("first"), "Cannot create a duplicate Notebook Instance")
    assert [n["NotebookInstanceName"] for n in sagemaker.list_notebook_instances()["NotebookInstances"]] == ["Taken"], \
        "the other's notebook is untouched"


def bare(tmp_path, **environment):
    """An engine that has no JupyterLab yet."""
    (tmp_path / "data" / "jupyter").mkdir(parents=True)
    return Engine(tmp_path / "data", environment=environment)


def test_without_python_a_notebook_fails_and_says_what_to_install(tmp_path):
    (tmp_path / "empty").mkdir()
    engine = bare(tmp_path, PATH=str(tmp_path / "empty")).start()
    try:
        says = "JupyterLab needs CPython 3.11"
        failed_with(engine, catalog_with(engine, NOTEBOOK)("no-python"), says)
    finally:
        engine.stop()


def test_without_network_a_notebook_fails_and_says_what_to_check(tmp_path):
    engine = bare(tmp_path, PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="1", PIP_NO_CACHE_DIR="1",
                  PIP_CONFIG_FILE=os.devnull).start()
    try:
        failed_with(engine, catalog_with(engine, NOTEBOOK)("no-network"), "could not be downloaded")
        assert not any((engine.data / "jupyter").glob("*/bin/jupyter-lab"))
    finally:
        engine.stop()


@pytest.mark.parametrize("lacks, says", [
    ({"PATH": "/nonexistent"}, "JupyterLab needs CPython 3.11 to 3.14 and none was found"),
    ({"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1",
      "PIP_CONFIG_FILE": os.devnull}, "could not be downloaded"),
])
def test_a_vend_on_a_machine_that_lacks_something_starts_nothing(tmp_path, lacks, says):
    engine = bare(tmp_path)
    said = subprocess.run(engine.command("vend", "ada"), env={**os.environ, **lacks}, capture_output=True, text=True)
    assert said.returncode == 1 and said.stdout == "", said.stdout
    last = said.stderr.strip().splitlines()[-1]
    assert last.startswith("nbvend: ") and says in last and "and run this again." in last, said.stderr
    assert not (engine.data / "engine.json").exists()
    doctor = subprocess.run(engine.command("doctor"), env={**os.environ, **lacks}, capture_output=True, text=True)
    assert ("FAIL  Python" in doctor.stdout) == ("PATH" in lacks) == (doctor.returncode == 1), doctor.stdout


def test_a_folder_in_use_is_not_opened_twice(engine):
    """Even when the note about who runs was lost."""
    note = engine.data / "engine.json"
    kept = note.read_bytes()
    note.unlink()
    try:
        said = engine.nbvend("up", "--listen", f"127.0.0.1:{free_port()}", check=False)
    finally:
        note.write_bytes(kept)
    assert said.returncode == 1 and said.stderr.count("\n") <= 2, said.stderr
    assert "is in use by another engine; stop it with `nbvend down`" in said.stderr
    assert engine.health()["ready"] is True


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path):
    engine = Engine(tmp_path / "data").start()
    engine.stop()
    with sqlite3.connect(engine.data / "nbvend.db") as database:
        database.execute("PRAGMA user_version = 4000")
    said = engine.nbvend("up", "--listen", f"127.0.0.1:{free_port()}", check=False)
    assert said.returncode == 1
    assert "written by a newer nbvend" in said.stderr and "choose another --data" in said.stderr
    with sqlite3.connect(engine.data / "nbvend.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (4000,)


@pytest.mark.parametrize("words, exit, says", [
    (["up", "--listen", "nonsense"], 2, "--listen"),
    (["up", "--account", "12"], 2, "12 digits"),
    (["up", "--root-key", "short"], 2, "ID:SECRET"),
    (["up", "--tls-cert", "x.pem"], 2, "--tls-key"),
    (["vend", "--type"], 2, "--type"),
    (["nothing"], 2, "nothing"),
])
def test_wrong_words(tmp_path, words, exit, says):
    said = Engine(tmp_path / "none").nbvend(*words, check=False)
    assert said.returncode == exit and says in said.stderr, said.stderr


def test_a_root_key_that_is_none_is_named(tmp_path):
    engine = Engine(tmp_path / "data")
    (engine.data / "root-key").write_text("garbage")
    said = engine.nbvend("up", "--listen", f"127.0.0.1:{free_port()}", check=False)
    assert said.returncode == 1 and "root-key does not hold ID:SECRET" in said.stderr and "delete it" in said.stderr


def test_files_of_a_certificate_that_are_missing(tmp_path):
    engine = Engine(tmp_path / "data")
    said = engine.nbvend("up", "--listen", f"127.0.0.1:{free_port()}", "--tls-cert", str(tmp_path / "c.pem"),
                         "--tls-key", str(tmp_path / "k.pem"), check=False)
    assert said.returncode == 1 and "k.pem cannot be used for TLS" in said.stderr, said.stderr
