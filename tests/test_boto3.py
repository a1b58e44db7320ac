"""boto3 with its default configuration: waiters, paginators, and exceptions by their modelled names."""
import io
import json
import zipfile

import botocore.exceptions
import pytest

from engine import until

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]},
    "Action": "sts:AssumeRole"}]})
PYTHON = """
import json, os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("hello", event.get("name"))
    if event.get("fail"):
        raise ValueError("asked to")
    return {"calls": calls, "event": event, "region": os.environ["AWS_REGION"]}
"""


def package(code=PYTHON):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("app.py", code)
    return body.getvalue()


@pytest.fixture(scope="module")
def role(engine):
    iam = engine.client("iam")
    made = iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.attach_role_policy(RoleName="Worker",
                           PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    iam.get_waiter("role_exists").wait(RoleName="Worker")
    return made["Arn"]


def test_parameters(engine):
    ssm = engine.client("ssm")
    for at in range(15):
        ssm.put_parameter(Name=f"/many/{at:02}", Value=str(at), Type="String")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/many", PaginationConfig={"PageSize": 4})
    assert [p["Value"] for page in pages for p in page["Parameters"]] == [str(at) for at in range(15)]
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/many/01", Value="x", Type="String")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/none")
    ssm.put_parameter(Name="secret", Value="swordfish", Type="SecureString")
    assert ssm.get_parameter(Name="secret")["Parameter"]["Value"] != "swordfish"
    assert ssm.get_parameter(Name="secret", WithDecryption=True)["Parameter"]["Value"] == "swordfish"
    assert b"swordfish" not in (engine.data / "nbvend.db").read_bytes()


def test_objects(engine):
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="things")
    s3.get_waiter("bucket_exists").wait(Bucket="things")
    big = bytes(range(256)) * 40_000
    s3.upload_fileobj(io.BytesIO(big), "things", "big")
    assert s3.get_object(Bucket="things", Key="big")["Body"].read() == big
    assert s3.get_object(Bucket="things", Key="big", Range="bytes=5-9")["Body"].read() == big[5:10]
    for at in range(7):
        s3.put_object(Bucket="things", Key=f"k/{at}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="things", Prefix="k/", PaginationConfig={"PageSize": 3})
    assert [o["Key"] for page in pages for o in page["Contents"]] == [f"k/{at}" for at in range(7)]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="things", Key="none")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="no-such-bucket-here")


def test_functions(engine, role):
    lambda_ = engine.client("lambda")
    lambda_.create_function(FunctionName="hello", Runtime="python3.11", Role=role, Handler="app.handler",
                            Code={"ZipFile": package()})
    lambda_.get_waiter("function_active_v2").wait(FunctionName="hello")
    first = lambda_.invoke(FunctionName="hello", Payload=b'{"name": "ada"}')
    assert json.load(first["Payload"]) == {"calls": 1, "event": {"name": "ada"}, "region": "us-east-1"}
    assert json.load(lambda_.invoke(FunctionName="hello", Payload=b"{}")["Payload"])["calls"] == 2, "kept warm"
    failed = lambda_.invoke(FunctionName="hello", Payload=b'{"fail": true}')
    assert failed["FunctionError"] == "Unhandled"
    assert json.load(failed["Payload"])["errorType"] == "ValueError"
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        lambda_.invoke(FunctionName="none")
    logs = engine.client("logs")

    def said():
        """They are written a moment after the answer."""
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/hello")
        try:
            tail = "".join(e["message"] for page in pages for e in page["events"])
        except logs.exceptions.ResourceNotFoundException:
            return False
        return "hello ada" in tail and "REPORT RequestId" in tail
    until(said)


def test_notebook_instances(engine, role):
    sagemaker = engine.client("sagemaker")
    name = "boto-notebook"
    sagemaker.create_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=role)
    sagemaker.get_waiter("notebook_instance_in_service").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert "authToken" in sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"]
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_stopped").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_deleted").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


TEMPLATE = """
Parameters: {Value: {Type: String, AllowedValues: [a, b]}}
Resources:
  One: {Type: AWS::SSM::Parameter, Properties: {Name: /stack/one, Type: String, Value: !Ref Value}}
  Two: {Type: AWS::SSM::Parameter, Properties: {Name: /stack/two, Type: String, Value: !GetAtt One.Value}}
Outputs: {Name: {Value: !Ref Two, Export: {Name: two}}}
"""


def parameters(value):
    return [{"ParameterKey": "Value", "ParameterValue": value}]


def test_stacks(engine):
    cfn, ssm = engine.client("cloudformation"), engine.client("ssm")
    fast = {"Delay": 1, "MaxAttempts": 30}
    cfn.create_stack(StackName="stack", TemplateBody=TEMPLATE, Parameters=parameters("a"))
    cfn.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig=fast)
    assert ssm.get_parameter(Name="/stack/two")["Parameter"]["Value"] == "a"
    with pytest.raises(cfn.exceptions.AlreadyExistsException):
        cfn.create_stack(StackName="stack", TemplateBody=TEMPLATE, Parameters=parameters("a"))
    cfn.update_stack(StackName="stack", UsePreviousTemplate=True, Parameters=parameters("b"))
    cfn.get_waiter("stack_update_complete").wait(StackName="stack", WaiterConfig=fast)
    assert ssm.get_parameter(Name="/stack/two")["Parameter"]["Value"] == "b"
    with pytest.raises(botocore.exceptions.ClientError, match="No updates are to be performed"):
        cfn.update_stack(StackName="stack", UsePreviousTemplate=True, Parameters=parameters("b"))
    events = [e for page in cfn.get_paginator("describe_stack_events").paginate(StackName="stack")
              for e in page["StackEvents"]]
    assert events[0]["ResourceStatus"] == "UPDATE_COMPLETE" and events[-1]["ResourceStatus"] == "CREATE_IN_PROGRESS"
    assert cfn.list_exports()["Exports"][0]["Name"] == "two"
    cfn.delete_stack(StackName="stack")
    cfn.get_waiter("stack_delete_complete").wait(StackName="stack", WaiterConfig=fast)
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/stack/one")


@pytest.mark.parametrize("template, values, says", [
    ("Resources:\n  A: {Type: AWS::SSM::Parameter\n", None, "line"),
    ("Resources: {A: {Type: 'AWS::EC2::Instance'}}", None, "AWS::EC2::Instance"),
    ("Resources: {A: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !Ref B}}}", None, r"\[B\]"),
    (TEMPLATE, "c", "Value"),
])
def test_a_bad_template_makes_nothing(engine, template, values, says):
    cfn = engine.client("cloudformation")
    with pytest.raises(botocore.exceptions.ClientError, match=says) as caught:
        cfn.create_stack(StackName="bad", TemplateBody=template, Parameters=parameters(values) if values else [])
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(botocore.exceptions.ClientError, match="Stack with id bad does not exist"):
        cfn.describe_stacks(StackName="bad")


def test_events_reach_a_function(engine, role):
    lambda_, events, logs = engine.client("lambda"), engine.client("events"), engine.client("logs")
    arn = lambda_.create_function(FunctionName="heard", Runtime="python3.11", Role=role, Handler="app.handler",
                                  Code={"ZipFile": package()})["FunctionArn"]
    rule = events.put_rule(Name="hear", EventPattern=json.dumps({"source": ["me"]}))["RuleArn"]
    events.put_targets(Rule="hear", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    lambda_.add_permission(FunctionName="heard", StatementId="events", Action="lambda:InvokeFunction",
                           Principal="events.amazonaws.com", SourceArn=rule)
    sent = events.put_events(Entries=[
        {"Source": "me", "DetailType": "x", "Detail": '{"name": "bus"}'},
        {"Source": "aws.s3", "DetailType": "x", "Detail": "{}"}])
    assert sent["FailedEntryCount"] == 1
    assert sent["Entries"][1]["ErrorCode"] == "NotAuthorizedForSourceException"
    heard = lambda: [e["message"] for e in logs.filter_log_events(logGroupName="/aws/lambda/heard")["events"]]

    def said():
        try:
            return any("hello bus" in line for line in heard())
        except logs.exceptions.ResourceNotFoundException:
            return False
    until(said)
    trail = engine.client("cloudtrail")
    found = until(lambda: trail.lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "PutRule"}])["Events"])
    record = json.loads(found[0]["CloudTrailEvent"])
    assert record["requestParameters"]["name"] == "hear" and record["userIdentity"]["type"] == "Root"
