"""Functions written in Python for AWS, as the post's first ones were: boto3 in the package, `lambda_handler(event, context)`,
print and logging, an environment, errors as Lambda tells them; by boto3 and by `sam build` and `sam deploy`."""
import importlib
import io
import json
import os
import pathlib
import re
import sys
import textwrap
import urllib.request
import uuid
import zipfile

import pytest

from browser import Visitor
from engine import until
from zips import package

ACCOUNT = "123456789012"
RUNTIME = f"python3.{sys.version_info.minor}"

LOOK = """
import logging, os, sys, time
logger = logging.getLogger()
logger.setLevel(logging.INFO)

def lambda_handler(event, context):
    print("printed", event.get("who"))
    logger.info("logged %s", event.get("who"))
    logging.debug("never seen")
    print("on stderr", file=sys.stderr)
    before = context.get_remaining_time_in_millis()
    time.sleep(0.05)
    return {
        "python": list(sys.version_info[:2]), "spent": before - context.get_remaining_time_in_millis(),
        "left": before, "name": context.function_name, "version": context.function_version,
        "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
        "request": context.aws_request_id, "group": context.log_group_name, "stream": context.log_stream_name,
        "own": os.environ["COLOUR"], "region": os.environ["AWS_REGION"], "handler": os.environ["_HANDLER"],
        "endpoint": os.environ["AWS_ENDPOINT_URL"], "key": os.environ["AWS_ACCESS_KEY_ID"][:4],
        "written": open(os.path.join(os.environ["TMPDIR"], "x"), "w").write("scratch"),
    }
"""
WRONG = """
import os, sys, time
class Trouble(Exception):
    pass
def deeper(event):
    raise Trouble(f"no {event['what']} here")
def lambda_handler(event, context):
    what = event["what"]
    if what == "exit":
        sys.exit(3)
    if what == "die":
        os._exit(4)
    if what == "sleep":
        time.sleep(30)
    if what == "object":
        return {"answer": object()}
    if what == "cause":
        try:
            deeper(event)
        except Trouble as trouble:
            raise RuntimeError("outer") from trouble
    if what == "fine":
        return os.getpid()
    deeper(event)
"""


@pytest.fixture(scope="module")
def role(engine):
    """What SAM makes for a function, and what the functions below call."""
    iam = engine.client("iam")
    arn = iam.create_role(RoleName="PythonFunctions", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
            "Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}}]}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="PythonFunctions",
                           PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    iam.put_role_policy(RoleName="PythonFunctions", PolicyName="work", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Resource": "*", "Action": [
                "sagemaker:DescribeNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"]},
            {"Effect": "Allow", "Action": "ssm:PutParameter",
             "Resource": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/SageMaker/Notebooks/*"}]}))
    return arn


def make(engine, role, name, files, runtime=RUNTIME, **more):
    lambda_ = engine.client("lambda")
    code = files if "S3Key" in files else {"ZipFile": package(files)}
    lambda_.create_function(FunctionName=name, Runtime=runtime, Role=role, Handler=more.pop("Handler", "app.lambda_handler"),
                            Code=code, **more)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    return lambda_


def invoke(engine, name, event):
    # Whoever waits for a notebook takes as long as its start.
    answer = engine.client("lambda", read_timeout=180).invoke(
        FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail")
    return answer.get("FunctionError"), json.load(answer["Payload"])


def log_of(engine, name, *wanted):
    """A function's lines, once one begins as each pattern says: they are written a moment after the answer."""
    logs, lines = engine.client("logs"), []

    def look():
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        try:
            lines[:] = [event["message"].rstrip("\n") for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            pass
        return all(any(re.match(pattern, line) for line in lines) for pattern in wanted)
    try:
        until(look)
    except AssertionError:
        raise AssertionError(f"not all of {wanted} in {lines}") from None
    return lines


@pytest.mark.parametrize("minor", [8, 9, 10, 11, 12])
def test_a_function_runs_whatever_python_it_asks_for(engine, role, minor):
    name = f"look-3-{minor}"
    make(engine, role, name, {"app.py": LOOK}, f"python3.{minor}", Timeout=20, MemorySize=256,
         Environment={"Variables": {"COLOUR": "red"}})
    error, seen = invoke(engine, name, {"who": "ada"})
    assert error is None, seen
    assert seen["python"] >= [3, 8], "the version asked for, or the nearest there is"
    assert 10_000 < seen["left"] <= 20_000 and 40 <= seen["spent"] < 5_000
    assert (seen["name"], seen["version"], seen["memory"]) == (name, "$LATEST", "256")
    assert seen["arn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert (seen["group"], seen["own"], seen["region"]) == (f"/aws/lambda/{name}", "red", "us-east-1")
    assert (seen["handler"], seen["key"], seen["written"]) == ("app.lambda_handler", "ASIA", 7)
    logged = rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT[\d:]{{8}}\.\d{{3}}Z\t{seen['request']}\tlogged ada$"
    ends = [f"{begins} RequestId: {seen['request']}" for begins in ("START", "END", "REPORT")]
    lines = log_of(engine, name, "printed ada$", "on stderr$", logged, *ends)
    assert not any("never seen" in line for line in lines)
    streams = engine.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert [s["logStreamName"] for s in streams] == [seen["stream"]]


@pytest.fixture(scope="module")
def wrong(engine, role):
    make(engine, role, "wrong", {"app.py": WRONG}, Timeout=2)
    return "wrong"


def test_an_exception_has_lambdas_shape(engine, wrong):
    error, told = invoke(engine, wrong, {"what": "bread"})
    assert error == "Unhandled"
    assert (told["errorMessage"], told["errorType"]) == ("no bread here", "Trouble")
    assert [re.sub(r'".*/', '"', frame.split("\n")[0].strip()) for frame in told["stackTrace"]] == [
        'File "app.py", line 24, in lambda_handler', 'File "app.py", line 6, in deeper']
    assert told["stackTrace"][1].rstrip().split("\n")[1].strip().startswith("raise Trouble(")
    log_of(engine, wrong, re.escape("[ERROR] Trouble: no bread here\rTraceback (most recent call last):"))
    error, told = invoke(engine, wrong, {"what": "cause"})
    assert (error, told["errorType"], told["errorMessage"]) == ("Unhandled", "RuntimeError", "outer")
    error, told = invoke(engine, wrong, {})
    assert (told["errorType"], told["errorMessage"]) == ("KeyError", "'what'")
    error, told = invoke(engine, wrong, {"what": "object"})
    assert told["errorType"] == "Runtime.MarshalError" and "not JSON serializable" in told["errorMessage"]


def test_a_process_that_ends_or_hangs_is_replaced(engine, wrong):
    _, first = invoke(engine, wrong, {"what": "fine"})
    assert invoke(engine, wrong, {"what": "fine"}) == (None, first), "kept warm"
    error, told = invoke(engine, wrong, {"what": "exit"})
    assert error == "Unhandled" and told["errorType"] == "Runtime.ExitError" and "exit status 3" in told["errorMessage"]
    error, told = invoke(engine, wrong, {"what": "die"})
    assert told["errorType"] == "Runtime.ExitError" and "exit status 4" in told["errorMessage"]
    error, told = invoke(engine, wrong, {"what": "sleep"})
    assert re.search(r"Task timed out after 2\.\d\d seconds", told["errorMessage"]), told
    error, second = invoke(engine, wrong, {"what": "fine"})
    assert error is None and second != first


@pytest.mark.parametrize("name, files, handler, kind, says", [
    ("no-module", {"app.py": "import nowhere_to_be_found"}, "app.lambda_handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'nowhere_to_be_found'"),
    ("no-file", {"other.py": ""}, "app.lambda_handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'app'"),
    ("no-function", {"app.py": ""}, "app.lambda_handler", "Runtime.HandlerNotFound",
     "Handler 'lambda_handler' missing on module 'app'"),
    ("no-syntax", {"app.py": "def lambda_handler(:\n"}, "app.lambda_handler", "Runtime.UserCodeSyntaxError",
     "Syntax error in module 'app'"),
    ("no-dot", {"app.py": ""}, "app", "Runtime.MalformedHandlerName", "Bad handler 'app'"),
    ("raises", {"app.py": "raise OSError('at import')"}, "app.lambda_handler", "OSError", "at import"),
])
def test_what_cannot_be_loaded_says_so(engine, role, name, files, handler, kind, says):
    make(engine, role, name, files, Handler=handler)
    for _ in range(2):
        error, told = invoke(engine, name, {})
        assert error == "Unhandled" and told["errorType"] == kind and says in told["errorMessage"], told


def test_a_package_in_folders(engine, role):
    make(engine, role, "folders", {"src/__init__.py": "", "src/app.py": "from src.helper import say\n"
                                   "def lambda_handler(event, context):\n    return say()\n",
                                   "src/helper.py": "import lib\ndef say():\n    return lib.WORD\n",
                                   "lib/__init__.py": "WORD = 'found'"}, Handler="src/app.lambda_handler")
    assert invoke(engine, "folders", {}) == (None, "found")


EVENT_FUNCTION = """
import logging, time
import boto3
from botocore.exceptions import ClientError, WaiterError
logging.getLogger().setLevel(logging.INFO)
sagemaker, ssm = boto3.client("sagemaker"), boto3.client("ssm")

def ready(name, context):
    # The stack may not have come to the notebook yet: the waiter gives up at once on a name that is not there.
    waiter = sagemaker.get_waiter("notebook_instance_in_service")
    while True:
        try:
            return waiter.wait(NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        except WaiterError as error:
            if "RecordNotFound" not in str(error) or context.get_remaining_time_in_millis() < 5000:
                raise
            time.sleep(0.2)

def lambda_handler(event, context):
    asked = event["detail"]["requestParameters"]
    given = {each["key"]: each["value"] for each in asked["provisioningParameters"]}
    record = event["detail"]["responseElements"]["recordDetail"]
    name = given["NotebookUserName"] + "-Notebook"
    logging.info("record %s for %s", record["recordId"], name)
    ready(name, context)
    url = sagemaker.create_presigned_notebook_instance_url(
        NotebookInstanceName=name, SessionExpirationDurationInSeconds=43200)["AuthorizedUrl"]
    ssm.put_parameter(Name="/SageMaker/Notebooks/" + name, Description="A link.", Value=url, Type="String",
                      Overwrite=True, Tier="Standard")
    return {"user": given["NotebookUserName"]}
"""
REFRESH_FUNCTION = """
import json
import boto3
from botocore.exceptions import ClientError
sagemaker, ssm = boto3.client("sagemaker"), boto3.client("ssm")

def lambda_handler(event, context):
    name = json.loads(event["body"])["notebook_user_name"] + "-Notebook"
    try:
        url = sagemaker.create_presigned_notebook_instance_url(
            NotebookInstanceName=name, SessionExpirationDurationInSeconds=3600)["AuthorizedUrl"]
    except ClientError as error:
        return {"statusCode": 404, "body": json.dumps({"message": error.response["Error"]["Message"]})}
    ssm.put_parameter(Name="/SageMaker/Notebooks/" + name, Value=url, Type="String", Overwrite=True)
    return {"statusCode": 200, "headers": {}, "isBase64Encoded": False, "body": json.dumps({"PreSignedURL": url})}
"""


def with_boto3(code):
    """A package that brings boto3 along, with the service models it needs and no others."""
    needed = ("sagemaker", "ssm", "sts")
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", code)
        for module in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"):
            place = pathlib.Path(importlib.import_module(module).__file__)
            files = place.parent.rglob("*") if place.name == "__init__.py" else [place]
            root = place.parent.parent if place.name == "__init__.py" else place.parent
            for file in files:
                inside = file.relative_to(root)
                model = inside.parts[:2] == ("botocore", "data") and len(inside.parts) > 3
                if file.is_file() and "__pycache__" not in inside.parts and (not model or inside.parts[2] in needed):
                    archive.write(file, str(inside))
    return body.getvalue()


def test_a_function_that_brings_boto3_along(engine, role):
    """It waits for a notebook, makes its link and keeps it, with nothing of its own but its role and its zip."""
    s3, sagemaker = engine.client("s3"), engine.client("sagemaker")
    s3.create_bucket(Bucket="packages")
    s3.put_object(Bucket="packages", Key="event.zip", Body=with_boto3(EVENT_FUNCTION))
    make(engine, role, "brings", {"S3Bucket": "packages", "S3Key": "event.zip"}, Timeout=90)
    sagemaker.create_notebook_instance(NotebookInstanceName="Grace-Notebook", InstanceType="ml.t2.medium", RoleArn=role)
    error, told = invoke(engine, "brings", {"detail": {
        "requestParameters": {"provisioningParameters": [{"key": "NotebookUserName", "value": "Grace"}]},
        "responseElements": {"recordDetail": {"recordId": "rec-1"}}}})
    assert (error, told) == (None, {"user": "Grace"}), told
    link = engine.client("ssm").get_parameter(Name="/SageMaker/Notebooks/Grace-Notebook")["Parameter"]["Value"]
    page = Visitor(engine).get(link)
    assert page.status == 200 and "JupyterLab" in page.text
    error, told = invoke(engine, "brings", {"detail": {"requestParameters": {"provisioningParameters": []},
                                                       "responseElements": {"recordDetail": {"recordId": "r"}}}})
    assert (error, told["errorType"]) == ("Unhandled", "KeyError")
    sagemaker.stop_notebook_instance(NotebookInstanceName="Grace-Notebook")
    sagemaker.get_waiter("notebook_instance_stopped").wait(
        NotebookInstanceName="Grace-Notebook", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.delete_notebook_instance(NotebookInstanceName="Grace-Notebook")


PRODUCT = """
Parameters:
  NotebookUserName: {Type: String}
  Role: {Type: String}
Resources:
  Notebook:
    Type: AWS::SageMaker::NotebookInstance
    Properties: {NotebookInstanceName: !Sub "${NotebookUserName}-Notebook", InstanceType: ml.t2.medium, RoleArn: !Ref Role}
"""
APP = f"""
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Runtime: {RUNTIME}, Handler: app.lambda_handler, Timeout: 120, Architectures: [x86_64]}}
Resources:
  Listen:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: event_app/
      Policies:
        - Statement:
            - Effect: Allow
              Action: ['sagemaker:DescribeNotebookInstance', 'sagemaker:CreatePresignedNotebookInstanceUrl']
              Resource: '*'
            - Effect: Allow
              Action: 'ssm:PutParameter'
              Resource: !Sub 'arn:aws:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/SageMaker/Notebooks/*'
      Events:
        Launched:
          Type: EventBridgeRule
          Properties:
            Pattern:
              detail-type: ['AWS API Call via CloudTrail']
              detail: {{eventSource: [servicecatalog.amazonaws.com], eventName: [ProvisionProduct]}}
  Refresh:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: refresh_app/
      Policies:
        - Statement:
            - Effect: Allow
              Action: ['sagemaker:CreatePresignedNotebookInstanceUrl', 'ssm:PutParameter']
              Resource: '*'
      Events:
        Ask: {{Type: Api, Properties: {{Path: /refreshurl, Method: post}}}}
Outputs:
  Api: {{Value: !Ref ServerlessRestApi}}
"""


def test_a_sam_application_in_python(engine, role, tmp_path):
    """`sam build` with requirements, `sam deploy`, and a vend from the catalog to a link that opens."""
    import boto3
    for folder, code in (("event_app", EVENT_FUNCTION), ("refresh_app", REFRESH_FUNCTION)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.py").write_text(textwrap.dedent(code))
        (tmp_path / folder / "requirements.txt").write_text(f"boto3=={boto3.__version__}\n")
    (tmp_path / "template.yaml").write_text(APP)
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    engine.run("sam build", folder=tmp_path, PATH=path, SAM_CLI_TELEMETRY="0")
    engine.run("sam deploy --stack-name python-app --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset "
               "--no-progressbar", folder=tmp_path, PATH=path, SAM_CLI_TELEMETRY="0", SAM_CLI_POLL_DELAY="1")
    assert engine.client("lambda").list_functions()["Functions"]

    s3, catalog = engine.client("s3"), engine.client("servicecatalog")
    s3.create_bucket(Bucket="products")
    s3.put_object(Bucket="products", Key="notebook.yml", Body=PRODUCT.encode())
    made = catalog.create_product(
        Name="Notebook", Owner="us", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken="p",
        ProvisioningArtifactParameters={"Name": "v1", "Type": "CLOUD_FORMATION_TEMPLATE",
                                        "Info": {"LoadTemplateFromURL": f"{engine.endpoint}/products/notebook.yml"}})
    product = made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    portfolio = catalog.create_portfolio(DisplayName="P", ProviderName="us", IdempotencyToken="p")["PortfolioDetail"]["Id"]
    catalog.associate_product_with_portfolio(ProductId=product, PortfolioId=portfolio)
    catalog.associate_principal_with_portfolio(PortfolioId=portfolio, PrincipalType="IAM",
                                               PrincipalARN=f"arn:aws:iam::{ACCOUNT}:root")
    record = catalog.provision_product(
        ProductId=product, ProvisioningArtifactId=made["ProvisioningArtifactDetail"]["Id"],
        ProvisionedProductName="hedy", ProvisionToken=str(uuid.uuid4()),
        ProvisioningParameters=[{"Key": "Role", "Value": role}, {"Key": "NotebookUserName", "Value": "Hedy"}])
    ssm = engine.client("ssm")

    def link():
        try:
            return ssm.get_parameter(Name="/SageMaker/Notebooks/Hedy-Notebook")["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return None
    first = until(link, 90)
    assert Visitor(engine).get(first).status == 200
    # The link may be there before the stack knows that its notebook is.
    record = record["RecordDetail"]["RecordId"]
    until(lambda: catalog.describe_record(Id=record)["RecordDetail"]["Status"] == "SUCCEEDED")

    stack = engine.client("cloudformation").describe_stacks(StackName="python-app")["Stacks"][0]
    api = next(o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "Api")
    address = f"{engine.endpoint}/restapis/{api}/Prod/_user_request_/refreshurl"
    with urllib.request.urlopen(address, data=b'{"notebook_user_name": "Hedy"}') as answer:
        second = json.load(answer)["PreSignedURL"]
    assert second != first and link() == second and Visitor(engine).get(second).status == 200
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(address, data=b'{"notebook_user_name": "Nobody"}')
    assert missing.value.code == 404 and "RecordNotFound" in json.load(missing.value)["message"]
    catalog.terminate_provisioned_product(ProvisionedProductName="hedy", TerminateToken="t")
    sagemaker = engine.client("sagemaker")
    until(lambda: not sagemaker.list_notebook_instances(NameContains="Hedy")["NotebookInstances"], 60)


STEALS = '''
import os
def lambda_handler(event, context):
    def read(path):
        try:
            with open(path) as file:
                return file.read()
        except OSError as error:
            return type(error).__name__
    return [read(path) for path in event] + [os.getuid(), open("/var/task/app.py").read()[:10]]
'''


def test_a_function_cannot_read_the_engines_secrets(engine, role):
    """Whoever may write a function's code has no more than the function's role."""
    if json.loads(engine.nbvend("--json", "status"))["isolation"] != "full":
        pytest.skip("functions are kept apart in the level full only")
    data, pid = engine.data.resolve(), engine.process.pid
    secrets = [data / "root-key", data / "nbvend.db", data / "ssm.key", f"/proc/{pid}/environ",
               f"/proc/{pid}/root{data}/root-key"]
    assert (data / "root-key").exists()
    make(engine, role, "thief", {"app.py": STEALS})
    answer = engine.client("lambda").invoke(FunctionName="thief", Payload=json.dumps([str(path) for path in secrets]))
    *read, uid, code = json.load(answer["Payload"])
    assert set(read) <= {"FileNotFoundError", "PermissionError"}, read
    assert uid > 65535 and code == STEALS[:10]
