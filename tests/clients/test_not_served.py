"""What AWS has and the engine has not: refused by name, never answered as if it were done."""
import botocore.exceptions
import pytest
from botocore import xform_name
from botocore.config import Config

SERVICES = ["apigateway", "cloudformation", "cloudtrail", "events", "iam", "lambda", "logs", "s3", "sagemaker",
            "servicecatalog", "ssm", "sts"]
# Sent to a host of their own, which no endpoint here has.
ELSEWHERE = {"WriteGetObjectResponse", "ListDirectoryBuckets", "GetLogObject", "StartLiveTail"}
# The same request as another operation that is served.
SAME = {"ListObjectsV2"}


def served():
    """The page that is generated from the registry."""
    from engine import ROOT
    found = {}
    for part in (ROOT / "docs/parity.md").read_text().split("\n## ")[1:]:
        name, rest = part.split("\n", 1)
        if " operations: " in rest:
            found[name] = set(rest.strip().split("\n")[0].split(" operations: ")[1].split(", "))
    return found


def least(shape, depth=0):
    """A value with nothing but what the model requires."""
    kind, limits = shape.type_name, shape.metadata
    if depth > 8:
        return None
    if kind == "structure":
        # S3's bodies are not required by its model, and without them S3 finds the request malformed first.
        wanted = set(shape.required_members) | ({shape.serialization.get("payload")} & set(shape.members))
        if getattr(shape, "is_tagged_union", False):
            wanted = {next(iter(shape.members))}
        return {name: least(member, depth + 1) for name, member in shape.members.items() if name in wanted}
    if kind == "list":
        return [least(shape.member, depth + 1)] * max(1, limits.get("min", 1))
    if kind == "map":
        return {"k": least(shape.value, depth + 1)}
    if kind == "string":
        if shape.name in ("BucketName", "BucketNameString"):
            return "some-bucket"
        return shape.enum[0] if shape.enum else "a" * max(3, limits.get("min", 1))
    return {"boolean": True, "timestamp": 1700000000, "blob": b"x", "float": 1.0, "double": 1.0}.get(
        kind, max(1, limits.get("min", 1)))


@pytest.mark.parametrize("service", SERVICES)
def test_every_other_operation_is_refused_by_name(engine, service):
    client = engine.client(service)
    if service == "s3":
        client.create_bucket(Bucket="some-bucket")
        client.put_object(Bucket="some-bucket", Key="aaa", Body=b"x")
    known = served()[service]
    assert known, service
    tried, wrong = 0, []
    for name in client.meta.service_model.operation_names:
        if name in known or name in ELSEWHERE or name in SAME:
            continue
        shape = client.meta.service_model.operation_model(name).input_shape
        tried += 1
        try:
            getattr(client, xform_name(name))(**(least(shape) if shape else {}))
            wrong.append((name, "answered as if it were done"))
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            said = error.response["Error"]
            # S3's features are subresources and headers; their names stand in the message where the operation's do not.
            named = name in said["Message"] or (service == "s3" and "nbvend does not serve" in said["Message"])
            if not (status == 501 and said["Code"] == "NotImplemented" and named):
                wrong.append((name, status, said["Code"], said["Message"]))
    assert tried and wrong == []
