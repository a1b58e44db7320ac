"""The solution's roles hold what the solution does and nothing else: its roles are compared with what IAM was asked.

The engine writes each question it asks of IAM into its log (NBVEND_LOG); from a notebook's whole life and its failures
comes the list of actions each role used."""
import re

import pytest

from engine import Engine, until

ASKED = re.compile(r"authorise principal=\S*assumed-role/(?P<role>[^/\s]+)/\S* action=\"?(?P<action>[\w:-]+)")

# Held but never used here, each with its reason.
GUIDE = "Service Catalog's administrator guide, launch constraints: what a launch role must be able to do"
ON_AWS_ONLY = {
    "cloudformation:DescribeStackEvents": GUIDE,
    "cloudformation:GetTemplateSummary": GUIDE,
    "cloudformation:TagResource": GUIDE,
    # The catalog's own copy of a template is in a bucket there and in the catalog here.
    "s3:GetObject": GUIDE,
}


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    # The environment must name the target, for the level alone would write every other thing too.
    running = Engine(tmp_path_factory.mktemp("roles"), environment={"NBVEND_LOG": "warn,nbvend_cloud::door=trace"}).start()
    running.nbvend("deploy")
    yield running
    running.stop("--stop-notebooks")


def statements(iam, role):
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        yield from document["Statement"]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]


def held(iam, role):
    actions = set()
    for statement in statements(iam, role):
        given = statement["Action"]
        actions |= set([given] if isinstance(given, str) else given)
    return actions


def live(engine):
    """Everything that happens to notebooks: launch, refresh, stop, start, update with other tags, failure, end."""
    catalog, sagemaker = engine.client("servicecatalog"), engine.client("sagemaker")
    engine.nbvend("vend", "ada")
    engine.nbvend("refresh", "ada")
    engine.nbvend("stop", "ada")
    engine.nbvend("start", "ada")
    found = catalog.search_provisioned_products()["ProvisionedProducts"][0]
    product = found["ProductId"]
    artifact = catalog.describe_product(Id=product)["ProvisioningArtifacts"][0]["Id"]

    def done(record):
        status = catalog.describe_record(Id=record)["RecordDetail"]["Status"]
        return status if status in ("SUCCEEDED", "FAILED") else None

    def order(**more):
        parameters = [{"Key": "NotebookInstanceType", "Value": "ml.t3.medium"},
                      {"Key": "NotebookUserName", "Value": more.pop("user")}]
        return dict(ProductId=product, ProvisioningArtifactId=artifact, ProvisioningParameters=parameters, **more)

    update = catalog.update_provisioned_product(ProvisionedProductId=found["Id"], **order(user="ada"))
    assert until(lambda: done(update["RecordDetail"]["RecordId"]), 120) == "SUCCEEDED"
    # A launch with tags of its own, and one whose notebook's name is taken.
    tagged = catalog.provision_product(ProvisionedProductName="tagged", Tags=[{"Key": "team", "Value": "ml"}], **order(user="bob"))
    assert until(lambda: done(tagged["RecordDetail"]["RecordId"]), 120) == "SUCCEEDED"
    taken = catalog.provision_product(ProvisionedProductName="taken", **order(user="ada"))
    assert until(lambda: done(taken["RecordDetail"]["RecordId"]), 120) == "FAILED"
    # One that is stopped by its user is ended all the same.
    sagemaker.stop_notebook_instance(NotebookInstanceName="bob-Notebook")
    for name in ("tagged", "taken", found["Name"]):
        ended = catalog.terminate_provisioned_product(ProvisionedProductName=name)
        assert until(lambda: done(ended["RecordDetail"]["RecordId"]), 120) == "SUCCEEDED"


def test_roles_hold_what_is_used(traced):
    live(traced)
    iam = traced.client("iam")
    used = {}
    for line in traced.log().splitlines():
        if asked := ASKED.search(re.sub(r"\x1b\[[0-9;]*m", "", line)):
            used.setdefault(asked["role"], set()).add(asked["action"])
    logs = traced.client("logs")
    until(lambda: logs.describe_log_groups()["logGroups"])
    roles = {}
    for stack in ("s3-iam-config", "service-catalog-config", "sam-app"):
        resources = traced.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        roles |= {r["PhysicalResourceId"]: r["LogicalResourceId"] for r in resources if r["ResourceType"] == "AWS::IAM::Role"}
    assert len(roles) == 4, roles
    idle = {name: sorted(held(iam, role) - used.get(role, set()) - set(ON_AWS_ONLY)) for role, name in roles.items()}
    # The notebooks' role writes the logs of lifecycle scripts, and the product has none.
    assert idle.pop("SageMakerNotebookInstanceRole") == ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    assert idle == {name: [] for name in idle}, used
