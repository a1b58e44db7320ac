"""API Gateway as boto3's users drive it: an API by hand, by import, deployed, called, changed, undone."""
import json
import threading
import urllib.error
import urllib.request

import pytest

from refusal import all_pages, refused
from zips import package

ACCOUNT = "123456789012"
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 201, "headers": {"X-Who": event["requestContext"]["stage"]},
            "body": json.dumps({"path": event["path"], "parameters": event["pathParameters"],
                                "query": event["queryStringParameters"], "body": event["body"],
                                "variables": event["stageVariables"]})}
"""


@pytest.fixture(scope="module")
def api(engine):
    return engine.client("apigateway")


@pytest.fixture(scope="module")
def function(engine):
    iam, lambda_ = engine.client("iam"), engine.client("lambda")
    role = iam.create_role(RoleName="Echo", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
    return lambda_.create_function(FunctionName="echo", Runtime="python3.11", Role=role, Handler="app.handler",
                                   Code={"ZipFile": package({"app.py": ECHO})})["FunctionArn"]


def invocation(function):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


def call(engine, api, stage, path, method="GET", body=None):
    """Status, headers and body, as curl would see them at the path form of the address."""
    request = urllib.request.Request(f"{engine.endpoint}/restapis/{api}/{stage}/_user_request_{path}", method=method,
                                     data=body)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_an_api_by_hand(engine, api, function):
    made = api.create_rest_api(name="By hand", description="made", tags={"team": "red"},
                               endpointConfiguration={"types": ["REGIONAL"]})
    id = made["id"]
    root = next(r["id"] for r in api.get_resources(restApiId=id)["items"] if r["path"] == "/")
    assert made["rootResourceId"] == root and made["endpointConfiguration"]["types"] == ["REGIONAL"]
    things = api.create_resource(restApiId=id, parentId=root, pathPart="things")["id"]
    one = api.create_resource(restApiId=id, parentId=things, pathPart="{thing}")
    assert one["path"] == "/things/{thing}"
    with pytest.raises(api.exceptions.ConflictException):
        api.create_resource(restApiId=id, parentId=root, pathPart="things")
    where = {"restApiId": id, "resourceId": one["id"], "httpMethod": "POST"}
    refused("NotFoundException", api.put_integration, "Invalid Method identifier specified", type="AWS_PROXY",
            integrationHttpMethod="POST", uri=invocation(function), **where)
    api.put_method(authorizationType="NONE", **where)
    refused("ConflictException", api.put_method, authorizationType="NONE", **where)
    with pytest.raises(api.exceptions.BadRequestException, match="No integration defined for method"):
        api.create_deployment(restApiId=id)
    api.put_integration(type="AWS_PROXY", integrationHttpMethod="POST", uri=invocation(function), **where)
    assert api.get_integration(**where)["type"] == "AWS_PROXY"
    deployment = api.create_deployment(restApiId=id, stageName="v1", description="first", variables={"colour": "red"})

    assert call(engine, id, "v1", "/things/7", "POST", b"x")[0] == 500, "the function does not let the API in yet"
    engine.client("lambda").add_permission(
        FunctionName="echo", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{id}/*/POST/things/*")
    status, headers, body = call(engine, id, "v1", "/things/7?a=b", "POST", b"hello")
    assert status == 201 and headers["X-Who"] == "v1"
    assert json.loads(body) == {"path": "/things/7", "parameters": {"thing": "7"}, "query": {"a": "b"},
                                "body": "hello", "variables": {"colour": "red"}}
    assert call(engine, id, "v1", "/nowhere")[0] == 403
    assert call(engine, id, "v2", "/things/7", "POST", b"")[0] == 403

    stage = api.update_stage(restApiId=id, stageName="v1", patchOperations=[
        {"op": "replace", "path": "/variables/colour", "value": "blue"},
        {"op": "replace", "path": "/description", "value": "the stage"}])
    assert stage["variables"] == {"colour": "blue"} and stage["description"] == "the stage"
    assert json.loads(call(engine, id, "v1", "/things/7", "POST", b"")[2])["variables"] == {"colour": "blue"}
    refused("BadRequestException", api.delete_deployment, "Active stages pointing to this deployment must be moved",
            restApiId=id, deploymentId=deployment["id"])
    refused("ConflictException", api.create_stage, restApiId=id, stageName="v1", deploymentId=deployment["id"])
    api.delete_stage(restApiId=id, stageName="v1")
    assert call(engine, id, "v1", "/things/7", "POST", b"")[0] == 403
    api.delete_deployment(restApiId=id, deploymentId=deployment["id"])
    api.delete_method(**where)
    refused("NotFoundException", api.get_method, "Invalid Method identifier specified", **where)
    api.delete_resource(restApiId=id, resourceId=things)
    assert [r["path"] for r in api.get_resources(restApiId=id)["items"]] == ["/"], "children go with it"
    refused("BadRequestException", api.delete_resource, restApiId=id, resourceId=root)
    api.delete_rest_api(restApiId=id)
    with pytest.raises(api.exceptions.NotFoundException, match="Invalid API identifier specified"):
        api.get_rest_api(restApiId=id)
    refused("NotFoundException", api.delete_rest_api, restApiId=id, status=404)


def test_a_mock_with_responses(engine, api):
    id = api.create_rest_api(name="Mock")["id"]
    root = api.get_resources(restApiId=id)["items"][0]["id"]
    where = {"restApiId": id, "resourceId": root, "httpMethod": "GET"}
    api.put_method(authorizationType="NONE", **where)
    api.put_method_response(statusCode="200", responseModels={"application/json": "Empty"}, **where)
    api.put_integration(type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **where)
    api.put_integration_response(statusCode="200", responseTemplates={"application/json": '{"ok": true}'}, **where)
    assert api.get_method_response(statusCode="200", **where)["responseModels"] == {"application/json": "Empty"}
    assert api.get_integration_response(statusCode="200", **where)["responseTemplates"]
    api.create_deployment(restApiId=id, stageName="t")
    status, _, body = call(engine, id, "t", "/")
    assert (status, json.loads(body)) == (200, {"ok": True})
    api.delete_integration_response(statusCode="200", **where)
    refused("NotFoundException", api.get_integration_response, statusCode="200", **where)
    assert call(engine, id, "t", "/")[0] == 200, "what is deployed stays as it was deployed"
    api.delete_method_response(statusCode="200", **where)
    api.delete_integration(**where)
    refused("NotFoundException", api.get_integration, **where)


def test_an_import_and_its_export(engine, api, function):
    document = {"swagger": "2.0", "info": {"title": "Imported", "version": "1"}, "paths": {
        "/hello": {"get": {"responses": {}, "x-amazon-apigateway-integration": {
            "type": "aws_proxy", "httpMethod": "POST", "uri": invocation(function)}}}}}
    id = api.import_rest_api(body=json.dumps(document).encode())["id"]
    assert {r["path"] for r in api.get_resources(restApiId=id)["items"]} == {"/", "/hello"}
    api.create_deployment(restApiId=id, stageName="s")
    exported = api.get_export(restApiId=id, stageName="s", exportType="oas30",
                              parameters={"extensions": "integrations"}, accepts="application/json")["body"].read()
    assert "/hello" in json.loads(exported)["paths"]
    document["paths"] = {"/bye": document["paths"]["/hello"]}
    api.put_rest_api(restApiId=id, mode="merge", body=json.dumps(document).encode())
    assert {r["path"] for r in api.get_resources(restApiId=id)["items"]} == {"/", "/hello", "/bye"}
    api.put_rest_api(restApiId=id, mode="overwrite", body=json.dumps(document).encode())
    assert {r["path"] for r in api.get_resources(restApiId=id)["items"]} == {"/", "/bye"}
    refused("BadRequestException", api.import_rest_api, body=b"{}")
    refused("BadRequestException", api.import_rest_api, body=b"not a document: [")


def test_pages(api):
    made = [api.create_rest_api(name=f"Page {at}")["id"] for at in range(5)]
    found = [a["id"] for a in all_pages(api, "get_rest_apis", "items")]
    assert set(made) <= set(found) and len(found) == len(set(found))
    id = made[0]
    root = api.get_resources(restApiId=id)["items"][0]["id"]
    for at in range(5):
        part = api.create_resource(restApiId=id, parentId=root, pathPart=f"p{at}")["id"]
        where = {"restApiId": id, "resourceId": part, "httpMethod": "GET"}
        api.put_method(authorizationType="NONE", **where)
        api.put_integration(type="MOCK", **where)
        api.create_deployment(restApiId=id, description=str(at))
    assert sorted(r["path"] for r in all_pages(api, "get_resources", "items", restApiId=id)) == [
        "/"] + [f"/p{at}" for at in range(5)]
    assert sorted(d["description"] for d in all_pages(api, "get_deployments", "items", restApiId=id)) == list("01234")
    assert len(all_pages(api, "get_models", "items", 1, restApiId=id)) >= 2
    embedded = api.get_resources(restApiId=id, embed=["methods"])["items"]
    assert all("GET" in r["resourceMethods"] for r in embedded if r["path"] != "/")
    deployments = [d["id"] for d in api.get_deployments(restApiId=id)["items"]]
    for at, deployment in enumerate(deployments):
        api.create_stage(restApiId=id, stageName=f"s{at}", deploymentId=deployment, tags={"n": str(at)})
    assert [s["stageName"] for s in api.get_stages(restApiId=id)["item"]] == [f"s{at}" for at in range(5)]
    assert len(api.get_stages(restApiId=id, deploymentId=deployments[0])["item"]) == 1
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{id}/stages/s1"
    api.tag_resource(resourceArn=arn, tags={"more": "x"})
    assert api.get_tags(resourceArn=arn)["tags"] == {"n": "1", "more": "x"}
    api.untag_resource(resourceArn=arn, tagKeys=["n"])
    assert api.get_stage(restApiId=id, stageName="s1")["tags"] == {"more": "x"}


def test_gateway_responses_and_the_account(engine, api):
    id = api.create_rest_api(name="Responses")["id"]
    kind = {"restApiId": id, "responseType": "MISSING_AUTHENTICATION_TOKEN"}
    assert api.get_gateway_response(**kind)["defaultResponse"] is True
    api.put_gateway_response(statusCode="404", responseTemplates={"application/json": '{"gone": true}'}, **kind)
    assert api.get_gateway_response(**kind)["defaultResponse"] is False
    root = api.get_resources(restApiId=id)["items"][0]["id"]
    where = {"restApiId": id, "resourceId": root, "httpMethod": "GET"}
    api.put_method(authorizationType="AWS_IAM", **where)
    api.put_integration(type="MOCK", **where)
    api.create_deployment(restApiId=id, stageName="t")
    status, _, body = call(engine, id, "t", "/nowhere")
    assert (status, json.loads(body)) == (404, {"gone": True})
    assert call(engine, id, "t", "/")[0] == 404, "unsigned is the same kind of refusal"
    assert len(api.get_gateway_responses(restApiId=id)["items"]) > 10
    api.delete_gateway_response(**kind)
    api.create_deployment(restApiId=id, stageName="t")
    assert call(engine, id, "t", "/")[0] == 403
    refused("NotFoundException", api.delete_gateway_response, **kind)
    assert api.get_account()["throttleSettings"]["rateLimit"] > 0


def test_wrong_input(api):
    id = api.create_rest_api(name="Wrong")["id"]
    root = api.get_resources(restApiId=id)["items"][0]["id"]
    refused("BadRequestException", api.create_rest_api, name="")
    refused("BadRequestException", api.create_resource, "Resource's path part", restApiId=id, parentId=root,
            pathPart="a/b")
    refused("NotFoundException", api.create_resource, "Invalid Resource identifier specified", restApiId=id,
            parentId="none", pathPart="x")
    refused("BadRequestException", api.update_rest_api, restApiId=id,
            patchOperations=[{"op": "replace", "path": "/nothing", "value": "x"}])
    refused("BadRequestException", api.create_stage, "Deployment id does not exist", restApiId=id,
            stageName="s", deploymentId="none")
    refused("NotFoundException", api.get_stage, "Invalid stage identifier specified", restApiId=id, stageName="none")
    assert api.update_rest_api(restApiId=id, patchOperations=[
        {"op": "replace", "path": "/name", "value": "Right"}])["name"] == "Right"


def test_two_at_once_make_one_resource(api):
    id = api.create_rest_api(name="Race")["id"]
    root = api.get_resources(restApiId=id)["items"][0]["id"]
    outcomes = []

    def create():
        try:
            api.create_resource(restApiId=id, parentId=root, pathPart="same")
            outcomes.append("made")
        except api.exceptions.ConflictException:
            outcomes.append("there")

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["there"] * 5


def test_a_deployed_api_is_there_after_a_kill(engine, api, function):
    id = next(a["id"] for a in api.get_rest_apis()["items"] if a["name"] == "Mock")
    engine.kill()
    engine.start()
    assert call(engine, id, "t", "/")[0] == 200
