"""What somebody without rights can make the engine write: nothing for a request nobody signed, little for one that is denied.

How many connections one peer may hold, and how long a head may take, is in the proxy's tests."""
import http.client
import json
import sqlite3

import botocore.exceptions
import pytest

from engine import until
from test_attacks import post, signed

MEGABYTE = "x" * 1_000_000
WHO = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture(scope="module")
def mallory(engine):
    """A user who may nothing."""
    iam = engine.client("iam")
    iam.create_user(UserName="mallory")
    key = iam.create_access_key(UserName="mallory")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def records(engine, **lookup):
    trail = engine.client("cloudtrail")

    def found(**lookup):
        attributes = [{"AttributeKey": key, "AttributeValue": value} for key, value in lookup.items()]
        pages = trail.get_paginator("lookup_events").paginate(LookupAttributes=attributes)
        return [event["CloudTrailEvent"] for page in pages for event in page["Events"]]
    # What is done by readers is recorded in batches, in the order it was done: with this question's own record, all
    # that came before is there.
    asked = trail.lookup_events()["ResponseMetadata"]["RequestId"]
    until(lambda: any(json.loads(record)["requestID"] == asked for record in found(EventName="LookupEvents")))
    return found(**lookup)


def test_29_a_name_of_a_megabyte_leaves_a_short_line(engine, mallory):
    log = len(engine.log())
    client = lambda service: engine.as_person(mallory, service, parameter_validation=False)
    for service, operation, input in [
        ("iam", "create_user", {"UserName": MEGABYTE}),
        ("iam", "get_user", {"UserName": MEGABYTE}),
        ("sagemaker", "describe_notebook_instance", {"NotebookInstanceName": MEGABYTE}),
        ("sagemaker", "create_presigned_notebook_instance_url", {"NotebookInstanceName": MEGABYTE}),
        ("ssm", "get_parameter", {"Name": MEGABYTE}),
        ("ssm", "put_parameter", {"Name": MEGABYTE, "Value": MEGABYTE, "Type": "String"}),
        ("servicecatalog", "describe_product", {"Id": MEGABYTE}),
        ("servicecatalog", "provision_product", {
            "ProductId": "prod-aaaaaaaaaaaaa", "ProvisioningArtifactId": "pa-aaaaaaaaaaaaa", "ProvisionedProductName": MEGABYTE,
            "ProvisioningParameters": [{"Key": "NotebookUserName", "Value": MEGABYTE}]}),
        ("cloudformation", "describe_stacks", {"StackName": MEGABYTE}),
        ("lambda", "invoke", {"FunctionName": "f", "Payload": json.dumps(MEGABYTE).encode()}),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            getattr(client(service), operation)(**input)
        assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500, operation
    # Those that would change something are recorded, and what IAM denied; what was too large by its size alone
    # (CloudTrail's limit is 100 KB).
    mine = records(engine, Username="mallory")
    assert {json.loads(record)["eventName"] for record in mine} == {
        "CreateUser", "CreatePresignedNotebookInstanceUrl", "PutParameter", "ProvisionProduct", "DescribeStacks", "Invoke"}
    assert max(len(record) for record in mine) < 10_000, [len(record) for record in mine]
    left_out = [json.loads(record)["requestParameters"] for record in mine if '"omitted"' in record]
    assert left_out and all(size["originalSize"] > 1_000_000 for size in left_out)
    with sqlite3.connect(f"file:{engine.data}/nbvend.db?mode=ro", uri=True) as file:
        for column in ("trail.body", "trail.resources", "trail_resource.name"):
            table, name = column.split(".")
            assert file.execute(f"SELECT max(length({name})) FROM {table}").fetchone()[0] < 10_000, column
    written = engine.log()[log:]
    assert max(map(len, written.splitlines()), default=0) < 2000 and len(written) < 20_000


def test_29_guesses_leave_nothing_in_the_trail(engine, mallory):
    good = signed(engine, mallory, "sts", WHO)
    assert post(engine, good, WHO)[0] == 200
    trail, log = len(records(engine)), len(engine.log())
    wrong = signed(engine, mallory, "sts", WHO, secret="y" * 40)
    unknown = signed(engine, {**mallory, "AWS_ACCESS_KEY_ID": "AKIAAAAAAAAAAAAAAAAA"}, "sts", WHO)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for headers in (wrong, unknown, form):
        for _ in range(100):
            assert post(engine, headers, WHO)[0] == 403
    host = f"victim-notebook.notebook.us-east-1.sagemaker.localhost:{engine.port}"
    for at in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=10)
        connection.request("GET", f"/?authToken={at:064x}", headers={"Host": host})
        assert connection.getresponse().status in (403, 404)
        connection.close()
    # What is counted here asks the trail itself, which is recorded, and guesses are no such questions.
    grown = [json.loads(record) for record in records(engine)[: -trail or None]]
    assert {record["eventName"] for record in grown} <= {"LookupEvents"}, grown
    assert len(engine.log()) - log < 2000


def test_29_a_key_of_a_megabyte(engine, mallory):
    log = len(engine.log())
    good = signed(engine, mallory, "sts", WHO)
    name = next(name for name in good if name.lower() == "authorization")
    long = {**good, name: good[name].replace(mallory["AWS_ACCESS_KEY_ID"], MEGABYTE)}
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=10)
    try:
        connection.request("POST", "/", body=WHO, headers={**long, "Host": f"localhost:{engine.port}"})
        answer = connection.getresponse()
        assert 400 <= answer.status < 500 and len(answer.read()) < 10_000
    except (BrokenPipeError, ConnectionResetError):
        pass  # Hung up on while it was still talking.
    assert post(engine, good, WHO)[0] == 200
    assert len(engine.log()) - log < 5000
