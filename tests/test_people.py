"""People made by `nbvend user add`: what they may, what they may not, and what ends when they go."""
import json

import botocore.exceptions
import pytest
import websocket

from browser import Visitor
from engine import until


def last_line(text):
    return text.strip().splitlines()[-1]


def code(error):
    return error.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def alice(deployed):
    person = deployed.person("alice")
    person["link"] = last_line(deployed.nbvend("vend", "alice", **person))
    yield person
    person.pop("link")


def keys(person):
    return {name: value for name, value in person.items() if name != "link"}


def test_a_user_does_the_users_steps_of_the_post(deployed, alice):
    me = keys(alice)
    assert deployed.client("sts").get_caller_identity()["Arn"].endswith(":root")
    assert deployed.as_person(me, "sts").get_caller_identity()["Arn"].endswith(":user/nbvend/alice")
    assert "JupyterLab" in Visitor(deployed).get(alice["link"]).text
    said = deployed.run("aws ssm get-parameter --name /SageMaker/Notebooks/alice-Notebook --query Parameter.Value", **me)
    assert json.loads(said) == alice["link"]
    url = deployed.run("aws cloudformation describe-stacks --stack-name sam-app --query "
                       "\"Stacks[0].Outputs[?OutputKey=='RefreshURLFunctionAPI'].OutputValue\" --output text", **me).strip()
    said = deployed.run(f"curl -sS -X POST {url} --aws-sigv4 aws:amz:us-east-1:execute-api "
                        "--user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY -d '{\"notebook_user_name\": \"alice\"}'", **me)
    assert "JupyterLab" in Visitor(deployed).get(json.loads(said)["PreSignedURL"]).text


def test_a_user_uses_her_own_notebook(deployed, alice):
    me = keys(alice)
    assert [n["NotebookInstanceName"] for n in json.loads(deployed.nbvend("--json", "list", **me))] == ["alice-Notebook"]
    deployed.nbvend("stop", "alice", **me)
    deployed.nbvend("start", "alice", **me)
    for command in (["open", "alice", "--no-browser"], ["refresh", "alice"]):
        assert "JupyterLab" in Visitor(deployed).get(last_line(deployed.nbvend(*command, **me))).text


def test_a_user_may_nothing_else(deployed, alice):
    me = keys(alice)
    calls = [
        ("sagemaker", "list_notebook_instances", {}),
        ("sagemaker", "create_notebook_instance",
         {"NotebookInstanceName": "own", "InstanceType": "ml.t3.medium",
          "RoleArn": "arn:aws:iam::123456789012:role/SageMakerNotebookInstanceRole"}),
        ("sagemaker", "delete_notebook_instance", {"NotebookInstanceName": "alice-Notebook"}),
        ("sagemaker", "add_tags", {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/alice-notebook",
                                   "Tags": [{"Key": "a", "Value": "b"}]}),
        ("servicecatalog", "list_portfolios", {}),
        ("servicecatalog", "search_provisioned_products", {"AccessLevelFilter": {"Key": "Account", "Value": "self"}}),
        ("cloudformation", "list_stacks", {}),
        ("cloudformation", "describe_stacks", {"StackName": "s3-iam-config"}),
        ("iam", "list_users", {}),
        ("iam", "create_access_key", {"UserName": "alice"}),
        ("iam", "add_user_to_group", {"GroupName": "nbvend-admins", "UserName": "alice"}),
        ("iam", "attach_user_policy", {"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::123456789012:role/SageMakerNotebookInstanceRole",
                                "RoleSessionName": "xx"}),
        ("ssm", "put_parameter", {"Name": "/SageMaker/Notebooks/alice-Notebook", "Value": "x", "Type": "String"}),
        ("ssm", "get_parameters_by_path", {"Path": "/SageMaker/Notebooks"}),
        ("lambda", "list_functions", {}),
        ("lambda", "invoke", {"FunctionName": "RefreshURLFunction"}),
        ("events", "put_events", {"Entries": [{"Source": "x", "DetailType": "x", "Detail": "{}"}]}),
        ("cloudtrail", "lookup_events", {}),
        ("s3", "list_buckets", {}),
        ("logs", "describe_log_groups", {}),
    ]
    for service, operation, input in calls:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            getattr(deployed.as_person(me, service), operation)(**input)
        assert code(error) in ("AccessDenied", "AccessDeniedException"), (operation, code(error))
        # The control: the same call passes IAM for root.
        if operation in ("list_notebook_instances", "list_portfolios", "list_stacks", "list_users", "list_functions",
                         "lookup_events", "list_buckets", "describe_log_groups"):
            getattr(deployed.client(service), operation)(**input)


def test_the_last_use_of_a_key_is_told(deployed, alice):
    me = keys(alice)
    deployed.as_person(me, "sts").get_caller_identity()
    iam = deployed.client("iam")
    last = iam.get_access_key_last_used(AccessKeyId=me["AWS_ACCESS_KEY_ID"])
    assert last["UserName"] == "alice"
    assert last["AccessKeyLastUsed"]["Region"] == "us-east-1"
    assert last["AccessKeyLastUsed"]["ServiceName"] != "N/A" and "LastUsedDate" in last["AccessKeyLastUsed"]
    listed = {person["user"]: person for person in json.loads(deployed.nbvend("--json", "user", "list"))}
    assert listed["alice"]["keys"][0]["last_used"] and listed["alice"]["admin"] is False


def test_an_admin_runs_the_catalog_but_is_not_root(deployed, alice):
    carol = deployed.person("carol", "--admin")
    client = lambda service: deployed.as_person(carol, service)
    catalog = client("servicecatalog")
    assert [p["DisplayName"] for p in catalog.list_portfolios()["PortfolioDetails"]] == ["Demo-Portfolio"]
    made = catalog.create_portfolio(DisplayName="More", ProviderName="carol", IdempotencyToken="t")
    catalog.update_portfolio(Id=made["PortfolioDetail"]["Id"], Description="by carol")
    names = [n["NotebookInstanceName"] for n in json.loads(deployed.nbvend("--json", "list", **carol))]
    assert "alice-Notebook" in names
    assert "JupyterLab" in Visitor(deployed).get(last_line(deployed.nbvend("open", "alice", "--no-browser", **carol))).text
    assert {u["UserName"] for u in client("iam").list_users()["Users"]} >= {"alice", "carol"}
    assert deployed.nbvend("user", "list", **carol)
    client("cloudformation").describe_stacks()
    group = {"GroupName": "nbvend-users", "PolicyName": "p", "PolicyDocument": json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})}
    for operation, input in [
        ("create_user", {"UserName": "dave"}),
        ("create_access_key", {"UserName": "alice"}),
        ("delete_user", {"UserName": "alice"}),
        ("put_group_policy", group),
        ("attach_group_policy", {"GroupName": "nbvend-admins", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("create_policy_version", {"PolicyArn": "arn:aws:iam::123456789012:policy/nbvend/nbvend-admins",
                                   "PolicyDocument": group["PolicyDocument"]}),
        ("create_role", {"RoleName": "any", "AssumeRolePolicyDocument": group["PolicyDocument"]}),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            getattr(client("iam"), operation)(**input)
        assert code(error) == "AccessDenied", operation
    # The engine's own addresses are the root key's.
    assert deployed.run(f"curl -sS -o /dev/null -w '%{{http_code}}' {deployed.endpoint}/_nbvend/status "
                        "--aws-sigv4 aws:amz:us-east-1:nbvend --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY",
                        **carol) == "403"


def test_why_denied_says_what_is_missing(deployed, alice):
    me = keys(alice)
    with pytest.raises(botocore.exceptions.ClientError):
        deployed.as_person(me, "logs").describe_log_groups()
    record = until(lambda: next((event for event in deployed.client("cloudtrail").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "DescribeLogGroups"}])["Events"]
        if "errorCode" in event["CloudTrailEvent"]), None))
    told = json.loads(deployed.nbvend("--json", "why-denied", record["EventId"]))
    assert told["action"] == "logs:DescribeLogGroups" and told["layer"] == "identity-based policy"
    assert told["principal"].endswith("user/nbvend/alice")
    assert "logs:DescribeLogGroups" in deployed.nbvend("why-denied", "DescribeLogGroups")
    # What it prints does allow the call.
    iam = deployed.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [told["would_allow"]]})
    iam.put_user_policy(UserName="alice", PolicyName="more", PolicyDocument=document)
    deployed.as_person(me, "logs").describe_log_groups()
    iam.delete_user_policy(UserName="alice", PolicyName="more")
    nothing = deployed.nbvend("why-denied", "00000000-0000-0000-0000-000000000000", check=False)
    assert nothing.returncode == 1 and "no event" in nothing.stderr


def socket_of(deployed, visitor, page):
    """A websocket to a fresh kernel of the notebook, held open."""
    import urllib.parse
    parts = urllib.parse.urlsplit(page.url)
    base = f"{parts.scheme}://{parts.netloc}"
    xsrf = visitor.cookies[parts.netloc]["_xsrf"]
    made = visitor.get(f"{base}/api/kernels", method="POST", body="{}", headers={"X-XSRFToken": xsrf, "Origin": base})
    jar = "; ".join(f"{k}={v}" for k, v in visitor.cookies[parts.netloc].items())
    return websocket.create_connection(f"ws://127.0.0.1:{parts.port}/api/kernels/{json.loads(made.text)['id']}/channels",
                                       host=parts.netloc, cookie=jar, origin=base, timeout=60)


def ends(socket):
    """Whether the other side closes within the socket's patience."""
    try:
        while socket.recv():
            pass
        return True
    except websocket.WebSocketTimeoutException:
        return False
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        return True


def test_removing_a_user_ends_her_sessions(deployed):
    erin = deployed.person("erin")
    links = {
        "made by the function": last_line(deployed.nbvend("vend", "erin", **erin)),
        "made by her": last_line(deployed.nbvend("open", "erin", "--no-browser", **erin)),
    }
    visitors, sockets, pages = {}, {}, {}
    for who, link in links.items():
        visitors[who] = Visitor(deployed)
        pages[who] = visitors[who].get(link)
        assert pages[who].status == 200
        sockets[who] = socket_of(deployed, visitors[who], pages[who])
    unused = last_line(deployed.nbvend("open", "erin", "--no-browser", **erin))
    said = json.loads(deployed.nbvend("--json", "user", "remove", "erin"))
    assert said == {"removed": "erin", "provisioned_products": ["erin-notebook"]}
    for who in links:
        assert visitors[who].get(pages[who].url).status == 403, who
        assert ends(sockets[who]), who
    assert Visitor(deployed).get(unused).status == 403
    with pytest.raises(botocore.exceptions.ClientError) as error:
        deployed.as_person(erin, "sts").get_caller_identity()
    assert code(error) == "InvalidClientTokenId"
    # Her key makes nobody root, not even beside the root key's file.
    for command in (["open", "erin", "--no-browser"], ["vend", "erin"]):
        only_the_key = {k: v for k, v in erin.items() if k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        assert deployed.nbvend(*command, check=False, **only_the_key).returncode == 1
        assert deployed.nbvend(*command, check=False, **erin).returncode == 1
    assert deployed.nbvend("user", "remove", "erin", check=False).returncode == 1
    deployed.nbvend("terminate", "erin")


def test_a_session_lives_and_ends_with_the_right_of_its_maker(deployed, alice):
    me = keys(alice)
    visitor = Visitor(deployed)
    page = visitor.get(last_line(deployed.nbvend("open", "alice", "--no-browser", **me)))
    socket = socket_of(deployed, visitor, page)
    flows = Visitor(deployed)
    front = flows.get(last_line(deployed.nbvend("refresh", "alice", **me)))
    deny = {"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "sagemaker:CreatePresignedNotebookInstanceUrl", "Resource": "*"}}
    iam = deployed.client("iam")
    iam.put_user_policy(UserName="alice", PolicyName="no", PolicyDocument=json.dumps(deny))
    assert visitor.get(page.url).status == 403
    assert ends(socket)
    # The function's link is judged by the function's role.
    assert flows.get(front.url).status == 200
    role = iam.list_roles()["Roles"]
    role = next(r["RoleName"] for r in role if "RefreshURLFunctionRole" in r["RoleName"])
    iam.put_role_policy(RoleName=role, PolicyName="no", PolicyDocument=json.dumps(deny))
    assert flows.get(front.url).status == 403
    iam.delete_role_policy(RoleName=role, PolicyName="no")
    iam.delete_user_policy(UserName="alice", PolicyName="no")
    assert flows.get(front.url).status == 200 and visitor.get(page.url).status == 200


def test_a_foreign_key_in_the_environment_is_left_alone(deployed):
    foreign = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    assert deployed.nbvend("list", **foreign)
    meant = {**foreign, "AWS_ENDPOINT_URL": deployed.endpoint}
    assert deployed.nbvend("list", check=False, **meant).returncode == 1


def test_users_that_cannot_be(deployed):
    for words, status in [(["user", "add", "a b"], 2), (["user", "add", "alice"], 1), (["user", "add", "ALICE"], 1),
                          (["user", "remove", "nobody"], 1), (["user", "remove", "a b"], 2), (["user", "remove", ""], 2),
                          (["why-denied", ""], 2)]:
        done = deployed.nbvend(*words, check=False)
        assert done.returncode == status, words
        assert "ValidationE" not in done.stderr, done.stderr
    deployed.client("iam").create_user(UserName="service")
    refused = deployed.nbvend("user", "remove", "service", check=False)
    assert refused.returncode == 1 and "was not made by" in refused.stderr


def test_odd_names_and_a_removal_told_with_the_name_as_it_was_made(deployed):
    for name in ("-x", "a+b=c,d.e@f_g-h", "n" * 64):
        assert deployed.nbvend("user", "add", "--", name)
        assert deployed.nbvend("user", "remove", "--", name) == f"removed {name}\n"
    deployed.person("Fred")
    assert deployed.nbvend("user", "remove", "fred") == "removed Fred\n"
    again = deployed.nbvend("user", "remove", "Fred", check=False)
    assert again.returncode == 1 and "there is no user Fred" in again.stderr


def test_a_denied_stop_does_not_say_that_it_stopped(deployed, alice):
    gina = deployed.person("gina")
    for command, state in [("stop", "Stopped"), ("start", "InService")]:
        done = deployed.nbvend(command, "alice", check=False, **gina)
        assert done.returncode == 1 and "AccessDenied" in done.stderr
        assert state not in done.stdout + done.stderr
