"""The post's walkthrough, step by step, with the clients the post uses: by one who may everything, and by two people, of
whom one runs the catalog and the other launches from it."""
import json
import os
import re
import shutil
import subprocess

import pytest

from browser import Visitor
from engine import ROOT, Engine, until

SIGN = ("--aws-sigv4 aws:amz:us-east-1:execute-api --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY")


def copy_of_the_solution(folder):
    tracked = subprocess.run(["git", "ls-files", "-z", "templates", "parameters", "lambda"], cwd=ROOT,
                             capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, tracked):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    return copy_of_the_solution(tmp_path_factory.mktemp("solution"))


@pytest.fixture(scope="module")
def built(solution):
    """`sam build`, once: it compiles the functions."""
    env = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    out = subprocess.run(["sam", "build"], cwd=solution / "lambda", env=env, capture_output=True, text=True)
    assert out.returncode == 0, out.stdout + out.stderr
    text = out.stdout + out.stderr
    assert "Built Artifacts  : .aws-sam/build" in text and "Built Template   : .aws-sam/build/template.yaml" in text
    return solution


ACCOUNT = "arn:aws:iam::123456789012"
NAMED = "--notebook-instance-name Demo-User-Notebook"
PARAMETER = 'aws ssm get-parameter --name "/SageMaker/Notebooks/Demo-User-Notebook" --query Parameter.Value'
BODY = """-d '{"notebook_user_name": "Demo-User"}'"""


def output(run, stack, key):
    return run(f"aws cloudformation describe-stacks --stack-name {stack} "
               f"--query \"Stacks[0].Outputs[?OutputKey=='{key}'].OutputValue\" --output text").strip()


@pytest.fixture
def place(built, tmp_path):
    """An engine with nothing in it, and a folder with the solution, built."""
    engine = Engine(tmp_path / "data").start()
    folder = tmp_path / "work"
    shutil.copytree(built, folder, symlinks=True)
    yield engine, folder
    engine.stop("--stop-notebooks")


def person(engine, folder, key):
    """Runs commands as somebody, whose key stands nowhere but in the environment."""
    def run(command, **more):
        return engine.run(command, folder=more.pop("folder", folder), **key, **more)
    return run


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_the_post_as_it_stands(place, authorization):
    engine, folder = place
    root = person(engine, folder, {})
    deploy(root, folder, authorization)
    product = launch(root)
    terminate(engine, root, root, product, use(engine, root, authorization))


def test_the_post_by_an_admin_and_a_user(place):
    engine, folder = place
    admin = person(engine, folder, engine.person("root-admin", "--admin"))
    deploy(admin, folder, "AWS_IAM")
    denied(admin, "iam create-user --user-name friend", "root-admin", "iam:CreateUser", f"{ACCOUNT}:user/friend")

    demo = person(engine, folder, engine.person("demo"))
    the_catalog_and_people_are_out_of_reach(demo)
    product = launch(demo)
    opened = use(engine, demo, "AWS_IAM")
    anothers_notebook_is_out_of_reach(person(engine, folder, engine.person("eve")), product)
    stop_and_start(engine, demo, opened)
    terminate(engine, demo, admin, product, opened)
    the_trail_tells_who_did_it(engine)


def deploy(run, folder, authorization):
    """The steps of the one who runs the catalog."""
    # 1. the bucket and the notebooks' role
    made = json.loads(run("aws cloudformation create-stack --stack-name s3-iam-config "
                          "--template-body file://templates/s3-iam-config.yml "
                          "--parameters file://parameters/s3-iam-params.json --capabilities CAPABILITY_NAMED_IAM"))
    assert made["StackId"].startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/s3-iam-config/")
    run("aws cloudformation wait stack-create-complete --stack-name s3-iam-config")
    bucket = output(run, "s3-iam-config", "S3BucketName")
    assert bucket.startswith("s3-iam-config-s3bucket-")

    # 2. the product's template
    said = run(f"aws s3 cp templates/sm-notebook.yml s3://{bucket}/sm-notebook.yml")
    assert f"upload: templates/sm-notebook.yml to s3://{bucket}/sm-notebook.yml" in said
    run(f"aws s3 cp s3://{bucket}/sm-notebook.yml back.yml")
    assert (folder / "back.yml").read_bytes() == (folder / "templates/sm-notebook.yml").read_bytes()

    # 3. the catalog
    path = folder / "parameters/service-catalog-params.json"
    parameters = json.loads(path.read_text())
    me = json.loads(run("aws sts get-caller-identity"))["Arn"]
    for parameter in parameters:
        parameter["ParameterValue"] = {"S3BucketName": bucket, "UserIAMPrincipal": me}.get(
            parameter["ParameterKey"], parameter["ParameterValue"])
    path.write_text(json.dumps(parameters))
    run("aws cloudformation create-stack --stack-name service-catalog-config "
        "--template-body file://templates/service-catalog.yml "
        "--parameters file://parameters/service-catalog-params.json --capabilities CAPABILITY_NAMED_IAM")
    run("aws cloudformation wait stack-create-complete --stack-name service-catalog-config")

    # 4. the functions
    command = ("sam deploy --stack-name sam-app --region us-east-1 --resolve-s3 --s3-prefix sam-app "
               "--capabilities CAPABILITY_IAM --no-confirm-changeset "
               f"--parameter-overrides RefreshAuthorization={authorization}")
    said = run(command, folder=folder / "lambda", COLUMNS="200")
    for line in ("CREATE_COMPLETE", "AWS::ApiGateway::RestApi", "AWS::Events::Rule", "EventBridgeFunction",
                 "Successfully created/updated stack - sam-app in us-east-1"):
        assert line in said, said
    again = run(command, folder=folder / "lambda", check=False)
    assert "No changes to deploy" in again.stdout + again.stderr


def launch(run):
    """A user asks the catalog for a notebook; the provisioned product's id."""
    # 5. a notebook
    search = json.loads(run("aws servicecatalog search-products"))
    product = next(p["ProductId"] for p in search["ProductViewSummaries"] if p["Name"] == "SageMaker Notebook")
    artifact = json.loads(run(f"aws servicecatalog describe-product --id {product}"))["ProvisioningArtifacts"][-1]["Id"]
    shown = json.loads(run("aws servicecatalog describe-provisioning-parameters "
                           f"--product-id {product} --provisioning-artifact-id {artifact}"))
    assert [p["ParameterKey"] for p in shown["ProvisioningArtifactParameters"]] == [
        "NotebookInstanceType", "S3IAMConfigStackName", "NotebookUserName"]
    record = json.loads(run(
        f"aws servicecatalog provision-product --product-id {product} --provisioning-artifact-id {artifact} "
        "--provisioned-product-name Demo-User-notebook --provisioning-parameters "
        "Key=NotebookInstanceType,Value=ml.t2.medium Key=NotebookUserName,Value=Demo-User "
        "Key=S3IAMConfigStackName,Value=s3-iam-config"))["RecordDetail"]
    done = until(lambda: finished(run, record["RecordId"]), 90, 0.3)
    assert done["Status"] == "SUCCEEDED", done
    assert status(run) == "InService"
    return record["ProvisionedProductId"]


def new_link(run, authorization):
    """What the refresh API answers."""
    api = output(run, "sam-app", "RefreshURLFunctionAPI")
    sign = SIGN if authorization == "AWS_IAM" else ""
    return json.loads(run(f"curl -sS {sign} -X POST {api} {BODY}"))["PreSignedURL"]


def use(engine, run, authorization):
    """A user opens her notebook; the link, and who opened it at which page."""
    # 6. its link
    link = json.loads(until(lambda: run(PARAMETER, check=False).stdout, 60, 0.3))
    assert Visitor(engine).get(link).status == 200

    # 7. a new one
    link = new_link(run, authorization)
    assert json.loads(run(PARAMETER)) == link
    if authorization == "AWS_IAM":
        api = output(run, "sam-app", "RefreshURLFunctionAPI")
        assert run(f"curl -sS -o /dev/null -w %{{http_code}} -X POST {api} {BODY}") == "403"

    # 8. JupyterLab opens, and computes
    visitor = Visitor(engine)
    page = visitor.get(link)
    assert page.status == 200 and "JupyterLab" in page.text, page.text[:500]
    assert "authToken" not in page.url
    assert re.fullmatch(r"\d+\.\d+\.\d+", json.loads(visitor.get(page.url.replace("/lab", "/api")).text)["version"])
    assert visitor.run(page.url, "6*7") == "42"
    stranger = Visitor(engine)
    assert stranger.get(page.url).status == 403
    assert stranger.get(link[:-6] + "AAAAAA").status == 403
    return link, visitor, page


def terminate(engine, run, admin, product, opened):
    # 9. and goes
    link, visitor, page = opened
    gone = json.loads(run("aws servicecatalog terminate-provisioned-product "
                          f"--provisioned-product-id {product}"))["RecordDetail"]
    assert until(lambda: finished(run, gone["RecordId"]), 60, 0.3)["Status"] == "SUCCEEDED"
    missing = admin(f"aws sagemaker describe-notebook-instance {NAMED}", check=False)
    assert missing.returncode != 0 and "RecordNotFound" in missing.stderr
    assert visitor.get(page.url).status in (403, 404)
    assert Visitor(engine).get(link).status in (403, 404)


def finished(run, record):
    detail = json.loads(run(f"aws servicecatalog describe-record --id {record}"))["RecordDetail"]
    return detail if detail["Status"] in ("SUCCEEDED", "FAILED") else None


def status(run):
    return json.loads(run(f"aws sagemaker describe-notebook-instance {NAMED}"))["NotebookInstanceStatus"]


# ---- what people may not --------------------------------------------------------------------------------------------

def denied(run, command, user, action, resource=r"\S+"):
    """The AWS CLI is told so in AWS's words."""
    done = run(f"aws {command}", check=False)
    assert done.returncode in (254, 255) and done.stdout == "", (command, done.returncode, done.stdout)
    told = (rf"An error occurred \(AccessDenied(Exception)?\) when calling the \w+ operation: User: {ACCOUNT}:user/nbvend/{user} "
            rf"is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the "
            rf"{action} action")
    assert re.search(told, done.stderr), (command, done.stderr)


def the_catalog_and_people_are_out_of_reach(run):
    portfolio = "arn:aws:catalog:\\S+"
    for command, action, resource in [
        ("servicecatalog create-portfolio --display-name Mine --provider-name demo", "servicecatalog:CreatePortfolio", r"\S+"),
        ("servicecatalog list-portfolios", "servicecatalog:ListPortfolios", r"\*"),
        ("cloudformation create-stack --stack-name mine --template-body file://templates/s3-iam-config.yml",
         "cloudformation:CreateStack", r"arn:aws:cloudformation:us-east-1:123456789012:stack/mine/\*"),
        ("cloudformation delete-stack --stack-name sam-app", "cloudformation:DeleteStack", r"arn:aws:cloudformation:\S+:stack/sam-app/\S+"),
        ("s3 ls", "s3:ListAllMyBuckets", r"\S+"),
        ("iam create-access-key --user-name root-admin", "iam:CreateAccessKey", f"{ACCOUNT}:user/nbvend/root-admin"),
        ("iam list-users", "iam:ListUsers", rf"{ACCOUNT}:user/\*"),
        ("iam add-user-to-group --group-name nbvend-admins --user-name demo", "iam:AddUserToGroup", f"{ACCOUNT}:group/nbvend/nbvend-admins"),
    ]:
        denied(run, command, "demo", action, resource)


def anothers_notebook_is_out_of_reach(run, product):
    notebook = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/demo-user-notebook"
    for command, action in [
        ("describe-notebook-instance", "sagemaker:DescribeNotebookInstance"),
        ("create-presigned-notebook-instance-url", "sagemaker:CreatePresignedNotebookInstanceUrl"),
        ("stop-notebook-instance", "sagemaker:StopNotebookInstance"),
        ("delete-notebook-instance", "sagemaker:DeleteNotebookInstance"),
    ]:
        denied(run, f"sagemaker {command} {NAMED}", "eve", action, notebook)
    denied(run, PARAMETER.removeprefix("aws "), "eve", "ssm:GetParameter",
           "arn:aws:ssm:us-east-1:123456789012:parameter/SageMaker/Notebooks/Demo-User-Notebook")
    denied(run, f"servicecatalog terminate-provisioned-product --provisioned-product-id {product}", "eve",
           "servicecatalog:TerminateProvisionedProduct")
    # She may ask for links, and the function makes none to this notebook for her.
    api = output(run, "sam-app", "RefreshURLFunctionAPI")
    answer = run(f"curl -sS -w %{{http_code}} {SIGN} -X POST {api} {BODY}")
    assert answer.endswith("403") and "authToken" not in answer, answer


def stop_and_start(engine, run, opened):
    """A stop and a start by the owner: what was open is closed, and a new link opens."""
    _, visitor, page = opened
    for turn, state in [("stop", "Stopped"), ("start", "InService")]:
        run(f"aws sagemaker {turn}-notebook-instance {NAMED}")
        until(lambda: status(run) == state, 60, 0.3)
        assert visitor.get(page.url).status in (403, 503), turn
    assert "JupyterLab" in Visitor(engine).get(new_link(run, "AWS_IAM")).text


def the_trail_tells_who_did_it(engine):
    def who(name):
        found = engine.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"]
        records = [json.loads(event["CloudTrailEvent"]) for event in found]
        return {record["userIdentity"].get("userName") for record in records if "errorCode" not in record
                and record["userIdentity"]["type"] == "IAMUser"}
    assert who("CreateChangeSet") == who("PutObject") | {"root-admin"}
    for name in ("ProvisionProduct", "StopNotebookInstance", "StartNotebookInstance", "TerminateProvisionedProduct"):
        assert who(name) == {"demo"}, name
