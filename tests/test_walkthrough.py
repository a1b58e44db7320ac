"""The post's walkthrough, step by step, with the clients the post uses."""
import json
import os
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


def output(engine, stack, key):
    return engine.run(f"aws cloudformation describe-stacks --stack-name {stack} "
                      f"--query \"Stacks[0].Outputs[?OutputKey=='{key}'].OutputValue\" --output text").strip()


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_the_post_as_it_stands(built, tmp_path, authorization):
    engine = Engine(tmp_path / "data").start()
    folder = tmp_path / "work"
    shutil.copytree(built, folder, symlinks=True)
    try:
        walk(engine, folder, authorization)
    finally:
        engine.stop("--stop-notebooks")


def walk(engine, folder, authorization):
    def run(command, **more):
        return engine.run(command, folder=more.pop("folder", folder), **more)

    # 1. the bucket and the notebooks' role
    made = json.loads(run("aws cloudformation create-stack --stack-name s3-iam-config "
                          "--template-body file://templates/s3-iam-config.yml "
                          "--parameters file://parameters/s3-iam-params.json --capabilities CAPABILITY_NAMED_IAM"))
    assert made["StackId"].startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/s3-iam-config/")
    bucket = until(lambda: output(engine, "s3-iam-config", "S3BucketName"), 20)
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
    deploy = ("sam deploy --stack-name sam-app --region us-east-1 --resolve-s3 --s3-prefix sam-app "
              "--capabilities CAPABILITY_IAM --no-confirm-changeset "
              f"--parameter-overrides RefreshAuthorization={authorization}")
    said = run(deploy, folder=folder / "lambda", COLUMNS="200")
    for line in ("CREATE_COMPLETE", "AWS::ApiGateway::RestApi", "AWS::Events::Rule", "EventBridgeFunction",
                 "Successfully created/updated stack - sam-app in us-east-1"):
        assert line in said, said
    again = run(deploy, folder=folder / "lambda", check=False)
    assert "No changes to deploy" in again.stdout + again.stderr

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
    done = until(lambda: finished(engine, record["RecordId"]), 90, 0.3)
    assert done["Status"] == "SUCCEEDED", done
    state = json.loads(run("aws sagemaker describe-notebook-instance --notebook-instance-name Demo-User-Notebook"))
    assert state["NotebookInstanceStatus"] == "InService"

    # 6. its link
    name = "/SageMaker/Notebooks/Demo-User-Notebook"
    query = f'aws ssm get-parameter --name "{name}" --query Parameter.Value'
    link = json.loads(until(lambda: run(query, check=False).stdout, 60, 0.3))
    assert Visitor(engine).get(link).status == 200

    # 7. a new one
    api = output(engine, "sam-app", "RefreshURLFunctionAPI")
    sign = SIGN if authorization == "AWS_IAM" else ""
    body = """-d '{"notebook_user_name": "Demo-User"}'"""
    link = json.loads(run(f"curl -sS {sign} -X POST {api} {body}"))["PreSignedURL"]
    assert json.loads(run(query)) == link
    if authorization == "AWS_IAM":
        refused = run(f"curl -sS -o /dev/null -w %{{http_code}} -X POST {api} {body}")
        assert refused == "403"

    # 8. JupyterLab opens, and computes
    visitor = Visitor(engine)
    page = visitor.get(link)
    assert page.status == 200 and "JupyterLab" in page.text, page.text[:500]
    assert "authToken" not in page.url
    assert visitor.run(page.url, "6*7") == "42"
    stranger = Visitor(engine)
    assert stranger.get(page.url).status == 403
    assert stranger.get(link[:-6] + "AAAAAA").status == 403

    # 9. and goes
    gone = json.loads(run("aws servicecatalog terminate-provisioned-product "
                          f"--provisioned-product-id {record['ProvisionedProductId']}"))["RecordDetail"]
    assert until(lambda: finished(engine, gone["RecordId"]), 60, 0.3)["Status"] == "SUCCEEDED"
    missing = run("aws sagemaker describe-notebook-instance --notebook-instance-name Demo-User-Notebook", check=False)
    assert missing.returncode != 0 and "RecordNotFound" in missing.stderr
    assert visitor.get(page.url).status in (403, 404)
    assert Visitor(engine).get(link).status in (403, 404)


def finished(engine, record):
    detail = engine.client("servicecatalog").describe_record(Id=record)["RecordDetail"]
    return detail if detail["Status"] in ("SUCCEEDED", "FAILED") else None
