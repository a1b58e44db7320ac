"""The goldens in botocore's eyes: each recorded request is one that its serializers make, each recorded answer is parsed by its
parsers, and holds nothing that AWS's model does not.

No engine runs here. What is read was recorded by the engine's own tests.
"""
import base64
import collections
import datetime
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest

from goldens import goldens

ALL = goldens()
LOADER = botocore.loaders.Loader()
# Values that AWS answers though its model does not list them.
UNLISTED = {("PolicySourceType", "IAM Policy"), ("PermissionsBoundaryAttachmentType", "Policy")}
# What stands for a value of an earlier answer; any text does.
ANY = "qqANYqq"


def service_model(service, cache={}):
    if service not in cache:
        cache[service] = botocore.model.ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    return cache[service]


def each(fails):
    chosen = [golden for golden in ALL if golden.fails == fails]
    count, params = collections.Counter(), []
    for golden in chosen:
        count[str(golden)] += 1
        params.append(pytest.param(golden, id=f"{golden}-{count[str(golden)]}"))
    return params


def parse(golden, shape):
    protocol = service_model(golden.service).resolved_protocol
    answer = {"status_code": golden.status, "headers": golden.answer.headers, "body": golden.answer.body}
    answer["context"] = {"operation_name": golden.operation}
    return botocore.parsers.create_parser(protocol).parse(answer, shape)


def present(shape, value, path):
    """Every required member is there, every text is one the model knows."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            assert name in value, f"{path}.{name} is missing"
        for name, inner in value.items():
            if name in shape.members:
                present(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for at, item in enumerate(value):
            present(shape.member, item, f"{path}[{at}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            present(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "timestamp":
        assert isinstance(value, datetime.datetime), path
    elif shape.type_name == "string":
        assert isinstance(value, str), f"{path}: {value!r}"
        if shape.enum and (shape.name, value) not in UNLISTED:
            assert value in shape.enum, f"{path}: {value}"


def in_body(shape):
    """The members of an answer that stand in its body."""
    found = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    payload = shape.serialization.get("payload")
    return {payload: found[payload]} if payload else found


def known_json(shape, value, path):
    if value is None:
        raise AssertionError(f"{path} is null")
    if shape.type_name == "structure":
        assert isinstance(value, dict), path
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            assert name in members, f"{path}.{name} is not in the model"
            known_json(members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        assert isinstance(value, list), path
        for at, item in enumerate(value):
            known_json(shape.member, item, f"{path}[{at}]")
    elif shape.type_name == "map":
        assert isinstance(value, dict), path
        for key, item in value.items():
            known_json(shape.value, item, f"{path}.{key}")
    else:
        kinds = {"string": str, "character": str, "blob": str, "boolean": bool, "integer": int, "long": int,
                 "float": (int, float), "double": (int, float), "timestamp": (int, float)}
        kind = kinds[shape.type_name]
        if shape.type_name == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
            kind = str
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        assert right, f"{path}: {value!r} is no {shape.type_name}"
        if shape.type_name == "blob":
            base64.b64decode(value, validate=True)


def local(element):
    return element.tag.split("}")[-1]


def known_xml(shape, element, path):
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            flat = member.type_name in ("list", "map") and member.serialization.get("flattened")
            if flat and member.type_name == "list":
                wire = member.member.serialization.get("name", wire)
                member = member.member
                many = True
            else:
                many = bool(flat)
            if member.serialization.get("xmlAttribute"):
                continue
            members[wire] = (member, many)
        seen = collections.Counter()
        for child in element:
            name = local(child)
            assert name in members, f"{path}.{name} is not in the model"
            seen[name] += 1
            member, many = members[name]
            assert many or seen[name] == 1, f"{path}.{name} stands there twice"
            known_xml(member, child, f"{path}.{name}")
    elif shape.type_name == "list":
        wrapper = shape.member.serialization.get("name", "member")
        for at, child in enumerate(element):
            assert local(child) == wrapper, f"{path}: <{local(child)}> is no <{wrapper}>"
            known_xml(shape.member, child, f"{path}[{at}]")
    elif shape.type_name == "map":
        names = {shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")}
        for child in element:
            assert local(child) == "entry" and {local(part) for part in child} <= names, path
    else:
        text = element.text or ""
        assert len(element) == 0, path
        if shape.type_name == "timestamp":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", text), f"{path}: {text}"
        elif shape.type_name == "boolean":
            assert text in ("true", "false"), f"{path}: {text}"
        elif shape.type_name in ("integer", "long"):
            assert re.fullmatch(r"-?\d+", text), f"{path}: {text}"


def known_headers(golden, shape):
    """S3 and Lambda say much in headers: each is the model's, or one that AWS sends to everybody."""
    everywhere = {"content-type", "content-length", "x-amzn-requestid", "x-amz-request-id", "x-amz-id-2",
                  "x-amz-bucket-region"}
    members = {member.serialization["name"].lower(): member for member in shape.members.values()
               if member.serialization.get("location") == "header"} if shape else {}
    prefixes = [member.serialization["name"].lower() for member in shape.members.values()
                if member.serialization.get("location") == "headers"] if shape else []
    for name in golden.answer.headers:
        assert name in everywhere or name in members or any(map(name.startswith, prefixes)), f"header {name}"


@pytest.mark.parametrize("golden", each(fails=False))
def test_an_answer_is_of_the_model(golden):
    model = service_model(golden.service).operation_model(golden.operation)
    shape, body = model.output_shape, golden.answer.body
    code = model.http.get("responseCode", 200)
    partial = golden.status == 206 and "content-range" in golden.answer.headers
    bound = shape and any(m.serialization.get("location") == "statusCode" for m in shape.members.values())
    assert golden.status == code or partial or bound or golden.service == "s3" and golden.status in (200, 204)
    known_headers(golden, shape)
    parsed = parse(golden, shape)
    present(shape, {k: v for k, v in parsed.items() if k != "ResponseMetadata"}, golden.operation) if shape else None
    assert parsed["ResponseMetadata"].get("RequestId") or golden.service == "s3"
    protocol = service_model(golden.service).resolved_protocol
    kind = golden.answer.headers.get("content-type", "")
    if protocol == "json":
        assert kind == "application/x-amz-json-" + service_model(golden.service).metadata["jsonVersion"]
        assert bool(body) == (shape is not None)
        if shape:
            known_json(shape, json.loads(body), golden.operation)
    elif protocol == "query":
        assert kind == "text/xml"
        root = ET.fromstring(body)
        assert root.tag == f"{{{service_model(golden.service).metadata['xmlNamespace']}}}{golden.operation}Response"
        names = [local(child) for child in root]
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        assert names == ([wrapper] if wrapper else []) + ["ResponseMetadata"]
        if wrapper:
            known_xml(shape, root[0], golden.operation)
    elif not shape or golden.status == 204 or not in_body(shape):
        assert body == b""
    else:
        known_body(golden, shape, protocol, kind)


def known_body(golden, shape, protocol, kind):
    body, payload = golden.answer.body, shape.serialization.get("payload")
    inner = shape.members[payload] if payload else shape
    if payload and inner.type_name in ("blob", "string"):
        return
    if protocol == "rest-json":
        assert kind == "application/json"
        value = json.loads(body)
        members = {m.serialization.get("name", n) for n, m in in_body(shape).items()}
        assert payload or set(value) <= members, set(value) - members
        known_json(inner, value, golden.operation)
    elif body:
        assert kind == "application/xml" and body.startswith(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        root = ET.fromstring(body)
        assert root.tag.startswith("{http://s3.amazonaws.com/doc/2006-03-01/}"), root.tag
        if golden.operation == "GetBucketLocation":
            # A text at the top, which botocore's model cannot tell and its handlers do.
            assert local(root) == "LocationConstraint" and len(root) == 0
        else:
            known_xml(inner, root, golden.operation)


@pytest.mark.parametrize("golden", each(fails=True))
def test_a_refusal_is_one_that_clients_know(golden):
    model = service_model(golden.service).operation_model(golden.operation)
    assert golden.status >= 400
    error = parse(golden, model.output_shape)["Error"]
    assert error["Code"]
    if golden.answer.body and error["Code"] != "ParameterNotFound":  # the one to which AWS gives no text
        assert error["Message"], golden.answer.body
    known = {shape.error_code for shape in model.error_shapes} | {"AccessDenied", "ValidationError", "ValidationException"}
    assert error["Code"] in known or golden.service in ("s3", "sagemaker", "cloudformation"), error


def meant(value):
    """A script's input with what the harness makes of it; `${..}` of an earlier answer becomes ANY."""
    if isinstance(value, str):
        return re.sub(r"\$\{[\w:]+\.[\w-]+\}", ANY, value)
    if isinstance(value, list):
        return [meant(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: meant(item) for name, item in value.items()}
    if "$json" in value:
        return json.dumps(value["$json"], separators=(",", ":"))
    if "$lines" in value:
        return "".join(line + "\n" for line in value["$lines"])
    return base64.b64encode(value["$base64"].encode()).decode() if "$base64" in value else value


def given(shape, value):
    """The same as botocore takes it: blobs as bytes."""
    if shape.type_name == "structure":
        return {name: given(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [given(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: given(shape.value, item) for key, item in value.items()}
    return base64.b64decode(value) if shape.type_name == "blob" else value


def comparable(method, target, body):
    """A request as a text that is the same for requests that mean the same."""
    path, _, query = target.partition("?")
    body = body.decode() if isinstance(body, bytes) else body
    try:
        body = json.loads(body) if body else ""
    except ValueError:
        body = sorted(urllib.parse.parse_qsl(body, keep_blank_values=True))
    query = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    return json.dumps([method, path, query, body], sort_keys=True)


@pytest.mark.parametrize("golden", [param for param in each(False) + each(True) if param.values[0].service != "s3"])
def test_a_request_is_as_botocore_makes_it(golden):
    service = service_model(golden.service)
    operation = service.operation_model(golden.operation)
    value = meant(json.loads(golden.written or "{}"))
    value = given(operation.input_shape, value) if operation.input_shape else {}
    made = botocore.serialize.create_serializer(service.resolved_protocol, False).serialize_to_request(value, operation)
    target = made["url_path"]
    query = made["query_string"]
    query = query if isinstance(query, str) else urllib.parse.urlencode(query, doseq=True)
    if query:
        target += ("&" if "?" in target else "?") + query
    body = urllib.parse.urlencode(made["body"]) if isinstance(made["body"], dict) else made["body"]
    wanted = re.escape(comparable(made["method"], target, body)).replace(ANY, r"[^\"]+")
    method, sent = golden.request.first.split(" ")
    assert re.fullmatch(wanted, comparable(method, sent, golden.request.body)), wanted
    for name, text in made["headers"].items():
        assert re.fullmatch(re.escape(text).replace(ANY, ".+"), golden.request.headers[name.lower()]), name


@pytest.mark.parametrize("golden", [param for param in each(False) + each(True) if param.values[0].service == "s3"])
def test_an_s3_request_is_of_its_operation(golden):
    http = service_model("s3").operation_model(golden.operation).http
    shape = service_model("s3").operation_model(golden.operation).input_shape
    head = golden.written.split("\n\n")[0].splitlines()
    method, target = head[0].split(" ")
    path, _, query = target.partition("?")
    template, _, fixed = http["requestUri"].partition("?")
    assert method == http["method"]
    # `/{Bucket}` and `/{Bucket}/{Key+}`
    assert len(path.strip("/").split("/", 1)) == len(template.strip("/").split("/")) and bool(path.strip("/")) == bool(template.strip("/"))
    names = [name for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True)]
    assert {part.split("=")[0] for part in fixed.split("&") if part} <= set(names)
    given_headers = {line.split(": ")[0] for line in head[1:]}
    known = set(names) | given_headers
    for name in shape.required_members if shape else []:
        member = shape.members[name].serialization
        if member.get("location") in ("querystring", "header"):
            assert member["name"].lower() in {text.lower() for text in known}, name
