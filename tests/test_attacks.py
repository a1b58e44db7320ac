"""Attacks on identity, links and signatures. Each is shown to be one by a control: the same thing done rightly works."""
import datetime
import errno
import hashlib
import http.client
import json
import os
import re
import socket
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from browser import Visitor
from engine import until

PARAMETER = "/SageMaker/Notebooks/victim-Notebook"
NOTEBOOK = "victim-Notebook"


def last_line(text):
    return text.strip().splitlines()[-1]


def code_of(call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.fixture(scope="module")
def victim(deployed):
    person = deployed.person("victim")
    deployed.nbvend("vend", "victim", **person)
    return person


@pytest.fixture(scope="module")
def mallory(deployed):
    return deployed.person("mallory")


def mints(deployed, notebook=NOTEBOOK):
    """Records of links that were made to a notebook."""
    found = []
    for page in deployed.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": "CreatePresignedNotebookInstanceUrl"}]):
        records = [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
        found += [r for r in records if "errorCode" not in r
                  and r["requestParameters"]["notebookInstanceName"].lower() == notebook.lower()]
    return found


def value(deployed):
    return deployed.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]


def refresh(deployed, person, name):
    return deployed.nbvend("refresh", name, check=False, **person)


# ---- 1: a colleague's notebook ------------------------------------------------------------------------------------

def own_calls(deployed):
    """What an owner does with a notebook, by every name it goes by."""
    arn = "arn:aws:ssm:us-east-1:123456789012:parameter" + PARAMETER
    catalog = deployed.client("servicecatalog")
    product = catalog.search_provisioned_products(AccessLevelFilter={"Key": "Account", "Value": "self"}, Filters={
        "SearchQuery": ["name:victim-notebook"]})["ProvisionedProducts"][0]
    for name in (NOTEBOOK, NOTEBOOK.lower(), NOTEBOOK.upper()):
        yield "sagemaker", "describe_notebook_instance", {"NotebookInstanceName": name}
        yield "sagemaker", "create_presigned_notebook_instance_url", {"NotebookInstanceName": name}
    for name in (PARAMETER, PARAMETER + ":1", arn):
        yield "ssm", "get_parameter", {"Name": name}
    yield "servicecatalog", "describe_provisioned_product", {"Id": product["Id"]}
    yield "servicecatalog", "describe_provisioned_product", {"Name": "victim-notebook"}
    yield "servicecatalog", "describe_record", {"Id": product["LastRecordId"]}
    yield "sagemaker", "stop_notebook_instance", {"NotebookInstanceName": NOTEBOOK}
    yield "sagemaker", "start_notebook_instance", {"NotebookInstanceName": NOTEBOOK}


def test_1_a_colleagues_notebook(deployed, victim, mallory):
    before = len(mints(deployed))
    calls = list(own_calls(deployed))
    for service, operation, input in calls:
        attack = getattr(deployed.as_person(mallory, service), operation)
        assert code_of(lambda: attack(**input)) in ("AccessDeniedException", "AccessDenied"), (operation, input)
    for operation, input in [("terminate_provisioned_product", {"ProvisionedProductName": "victim-notebook"}),
                             ("update_provisioned_product", {"ProvisionedProductName": "victim-notebook"})]:
        attack = getattr(deployed.as_person(mallory, "servicecatalog"), operation)
        assert code_of(lambda: attack(**input)) == "AccessDeniedException"
    # An ARN is no name to SageMaker; tried all the same.
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/{NOTEBOOK.lower()}"
    attack = deployed.as_person(mallory, "sagemaker", parameter_validation=False)
    assert code_of(lambda: attack.create_presigned_notebook_instance_url(NotebookInstanceName=arn)) == "ValidationException"
    for name in ("victim", "VICTIM", "Victim", NOTEBOOK, arn):
        refused = refresh(deployed, mallory, name)
        assert refused.returncode == 1 and "authToken" not in refused.stdout + refused.stderr
        assert re.search("403" if name.lower() == "victim" else "40[034]", refused.stderr), refused.stderr
    assert len(mints(deployed)) == before
    # Each attempt stands in the trail as a denial.
    trail = deployed.client("cloudtrail")

    def denials():
        found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "mallory"}])
        return sum("AccessDenied" in json.loads(e["CloudTrailEvent"]).get("errorCode", "") for e in found["Events"])
    until(lambda: denials() >= 10)

    # The owner does the same with success, and leaves the notebook running.
    for service, operation, input in calls:
        if operation == "start_notebook_instance":
            until(lambda: deployed.client("sagemaker").describe_notebook_instance(NotebookInstanceName=NOTEBOOK)[
                "NotebookInstanceStatus"] == "Stopped")
        assert code_of(lambda: getattr(deployed.as_person(victim, service), operation)(**input)) is None, (operation, input)
    until(lambda: deployed.client("sagemaker").describe_notebook_instance(NotebookInstanceName=NOTEBOOK)[
        "NotebookInstanceStatus"] == "InService")
    assert "authToken" in refresh(deployed, victim, "VICTIM").stdout
    assert len(mints(deployed)) > before


# ---- 2: under a colleague's name ----------------------------------------------------------------------------------

def provision(deployed, person, product, user):
    catalog = deployed.as_person(person, "servicecatalog")
    found = catalog.search_products()["ProductViewSummaries"][0]["ProductId"]
    artifact = catalog.describe_product(Id=found)["ProvisioningArtifacts"][-1]["Id"]
    record = catalog.provision_product(
        ProductId=found, ProvisioningArtifactId=artifact, ProvisionedProductName=product,
        ProvisioningParameters=[{"Key": "NotebookUserName", "Value": user}])["RecordDetail"]["RecordId"]
    done = lambda: catalog.describe_record(Id=record)["RecordDetail"]
    return until(lambda: (r := done())["Status"] in ("SUCCEEDED", "FAILED") and r)


def test_2_a_launch_under_a_colleagues_name(deployed, victim, mallory):
    before, stored = len(mints(deployed)), value(deployed)["Version"]
    for user in ("victim", "VICTIM"):
        record = provision(deployed, mallory, f"mine-{user}", user)
        assert record["Status"] == "FAILED"
        assert "duplicate" in record["RecordErrors"][0]["Description"].lower(), record["RecordErrors"]
    # The function is told of the launches, and has had its time.
    log = deployed.client("logs")
    told = lambda: "".join(e["message"] for e in log.filter_log_events(logGroupName="/aws/lambda/EventBridgeFunction")["events"])
    until(lambda: "LaunchFailed" in told(), seconds=30)
    assert len(mints(deployed)) == before
    assert value(deployed)["Version"] == stored
    assert code_of(lambda: deployed.as_person(mallory, "ssm").get_parameter(Name=PARAMETER)) == "AccessDeniedException"

    # Under a name of her own it works, and the link is hers alone.
    assert provision(deployed, mallory, "mine", "mallory")["Status"] == "SUCCEEDED"
    hers = {"Name": "/SageMaker/Notebooks/mallory-Notebook"}
    until(lambda: code_of(lambda: deployed.as_person(mallory, "ssm").get_parameter(**hers)) is None)
    assert code_of(lambda: deployed.as_person(victim, "ssm").get_parameter(**hers)) == "AccessDeniedException"


def test_2_a_name_that_changes_hands_takes_no_link_along(deployed, victim, mallory):
    """One terminates, another launches under the same name: the parameter is the new owner's."""
    assert provision(deployed, victim, "desk-1", "desk")["Status"] == "SUCCEEDED"
    desk = {"Name": "/SageMaker/Notebooks/desk-Notebook"}
    until(lambda: code_of(lambda: deployed.as_person(victim, "ssm").get_parameter(**desk)) is None)
    visitor = Visitor(deployed)
    link = deployed.as_person(victim, "ssm").get_parameter(**desk)["Parameter"]["Value"]
    page = visitor.get(link)
    assert page.status == 200
    unused = deployed.as_person(victim, "sagemaker").create_presigned_notebook_instance_url(
        NotebookInstanceName="desk-Notebook")["AuthorizedUrl"]
    catalog = deployed.as_person(victim, "servicecatalog")
    catalog.terminate_provisioned_product(ProvisionedProductName="desk-1", TerminateToken="t")
    gone = lambda: code_of(lambda: catalog.describe_provisioned_product(Name="desk-1"))
    until(lambda: gone() is not None)
    for old in (link, unused, page.url):
        assert visitor.get(old).status in (403, 404) and Visitor(deployed).get(old).status in (403, 404), "terminated"
    assert provision(deployed, mallory, "desk-2", "desk")["Status"] == "SUCCEEDED"
    until(lambda: code_of(lambda: deployed.as_person(mallory, "ssm").get_parameter(**desk)) is None)
    assert code_of(lambda: deployed.as_person(victim, "ssm").get_parameter(**desk)) == "AccessDeniedException"
    # The former owner's session and links, minutes old, do not open the new owner's notebook of that name.
    for old in (link, unused, page.url):
        assert visitor.get(old).status == 403 and Visitor(deployed).get(old).status == 403
    hers = deployed.as_person(mallory, "ssm").get_parameter(**desk)["Parameter"]["Value"]
    assert Visitor(deployed).get(hers).status == 200


# ---- 3, 4: links and how long ---------------------------------------------------------------------------------------
# The five minutes and the session's own end are tried in process: in services/sagemaker/tests with a clock that can be
# moved, and in server/notebooks/sessions.rs for what is open then.

def test_3_links_die_with_the_start_they_were_made_for(deployed, victim):
    sagemaker = deployed.as_person(victim, "sagemaker")
    mint = lambda: sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=NOTEBOOK)["AuthorizedUrl"]
    opened, unused = mint(), mint()
    visitor = Visitor(deployed)
    page = visitor.get(opened)
    assert page.status == 200 and visitor.get(page.url).status == 200
    # Another notebook's address, a changed token, no token.
    host = urllib.parse.urlsplit(unused).netloc
    other = host.replace("victim", "mallory")
    token = unused.split("authToken=")[1]
    for url in (unused.replace(host, other), unused[:-1] + ("0" if unused[-1] != "0" else "1"),
                unused.replace(token, ""), unused.replace(token, token.upper()), f"http://{host}/lab"):
        assert Visitor(deployed).get(url).status in (403, 404), url
    for turn in ("stop", "start"):
        deployed.nbvend(turn, "victim", **victim)
        assert Visitor(deployed).get(unused).status in (403, 503), turn
        assert visitor.get(page.url).status in (403, 503), turn
    assert Visitor(deployed).get(mint()).status == 200


def test_4_durations(deployed, victim):
    # The client would refuse them by itself.
    sagemaker = deployed.as_person(victim, "sagemaker", parameter_validation=False)
    for seconds, refused in [(1799, True), (43201, True), (0, True), (1800, False), (43200, False)]:
        code = code_of(lambda: sagemaker.create_presigned_notebook_instance_url(
            NotebookInstanceName=NOTEBOOK, SessionExpirationDurationInSeconds=seconds))
        assert code == ("ValidationException" if refused else None), seconds
    # The cookie says the same.
    link = sagemaker.create_presigned_notebook_instance_url(
        NotebookInstanceName=NOTEBOOK, SessionExpirationDurationInSeconds=1800)["AuthorizedUrl"]
    cookie = Visitor(deployed).get(link, follow=False).headers["Set-Cookie"]
    assert int(re.search(r"Max-Age=(\d+)", cookie)[1]) in (1799, 1800)
    assert "HttpOnly" in cookie and "SameSite" in cookie


# ---- 5: where tokens turn up ----------------------------------------------------------------------------------------

def held(path, secrets, piece=1 << 20):
    """Which of the secrets a file holds. Volumes look as large as they may grow: it is read only where it has data, in
    pieces, each with the end of the one before."""
    kept = max(map(len, secrets)) - 1
    found, at = set(), 0
    with open(path, "rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
                hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break  # Nothing but a hole is left.
            last = b""
            while at < hole and (part := os.pread(file.fileno(), min(piece, hole - at), at)):
                last += part
                found |= {secret for secret in secrets if secret.encode() in last}
                last, at = last[-kept:], at + len(part)
            at = max(at, hole)
    return found


def test_5_a_token_is_found_wherever_it_stands_in_a_file(tmp_path):
    """The control of the next one's search."""
    token, other = "a1" * 32, "b2" * 32
    for at in (0, 1, 4096 - 63, 4096 - 1, 4096, (1 << 30) + 4096 - 32):
        path = tmp_path / str(at)
        with open(path, "wb") as file:
            file.seek(at)
            file.write(token.encode())
            file.truncate(5 << 30)
        assert held(path, [other, token], 4096) == {token}, at
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_text(token[:-1])
    assert held(tmp_path / "empty", [token]) == held(tmp_path / "short", [token]) == set()


def test_5_tokens_turn_up_nowhere(deployed, victim):
    links = [last_line(deployed.nbvend("open", "victim", "--no-browser", **victim)),
             last_line(deployed.nbvend("refresh", "victim", **victim)), value(deployed)["Value"]]
    tokens = {link.split("authToken=")[1] for link in links}
    visitor = Visitor(deployed)
    first = visitor.get(links[0], follow=False)
    page = visitor.get(urllib.parse.urljoin(links[0], first.headers["Location"]))
    cookie = first.headers["Set-Cookie"].split(";")[0].split("=", 1)[1]
    wrong = Visitor(deployed).get(links[0] + "0")
    assert wrong.status == 403
    answers = [first.headers["Location"], first.text, page.url, wrong.text, str(wrong.headers)]
    assert first.headers["Referrer-Policy"] == "no-referrer"

    trail = [e["CloudTrailEvent"] for p in deployed.client("cloudtrail").get_paginator("lookup_events").paginate()
             for e in p["Events"]]
    logs = deployed.client("logs")
    lines = [e["message"] for group in logs.describe_log_groups()["logGroups"]
             for p in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
             for e in p["events"]]
    assert len(trail) > 20 and len(lines) > 5
    everything = "\n".join(answers + trail + lines + [deployed.log()])
    # The control: what is looked for would be found where it is meant to be.
    assert any(token in value(deployed)["Value"] for token in tokens)
    for secret in [*tokens, cookie]:
        assert secret not in everything
    # What the engine tells of itself, and what the operator's commands print.
    signed_get = ("curl -sS --fail --aws-sigv4 aws:amz:us-east-1:nbvend "
                  f"--user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY {deployed.endpoint}/_nbvend/")
    told = [deployed.run(signed_get + "metrics"), deployed.run(signed_get + "status")]
    told += [deployed.nbvend("--json", command) for command in ("list", "status", "doctor")]
    assert all(told) and "nbvend_" in told[0] and "victim-Notebook" in told[2]
    # Parameters but the post's own, and every version of that one: links only, and none that was made for somebody else.
    ssm = deployed.client("ssm")
    others = [ssm.get_parameter(Name=p["Name"], WithDecryption=True)["Parameter"]["Value"]
              for page_ in ssm.get_paginator("describe_parameters").paginate() for p in page_["Parameters"] if p["Name"] != PARAMETER]
    # Every file, JupyterLab's own logs and the functions' among them.
    secrets = [*tokens, cookie]
    files = {}
    for path in deployed.data.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("nbvend.db"):
            files[path] = held(path, secrets)
    assert any("engine.log" == path.name for path in files) and len(files) > 5
    assert [path for path, found in files.items() if found] == []
    for secret in secrets:
        assert secret not in "\n".join(told + others)
    # The file keeps digests: the token that never went into the parameter is not in it, nor is the cookie.
    stored = b"".join(path.read_bytes() for path in deployed.data.glob("nbvend.db*"))
    for secret in (links[0].split("authToken=")[1], cookie):
        assert secret.encode() not in stored
        assert hashlib.sha256(secret.encode()).hexdigest().encode() in stored


# ---- 6: where a link leads ------------------------------------------------------------------------------------------

def raw(deployed, host, target):
    """A request whose path no client library would leave alone; status and Location."""
    with socket.create_connection(("127.0.0.1", deployed.port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head = answer.split(b"\r\n\r\n")[0].decode("latin-1")
    location = re.search(r"(?im)^location: (.*)$", head)
    return int(head.split()[1]), location and location[1].strip()


def test_6_a_link_stays_on_its_own_origin(deployed, victim):
    link = last_line(deployed.nbvend("open", "victim", "--no-browser", **victim))
    host, token = urllib.parse.urlsplit(link).netloc, link.split("authToken=")[1]
    query = f"?authToken={token}"
    assert raw(deployed, host, "/lab/tree/a.ipynb" + query) == (302, "/lab/tree/a.ipynb")
    paths = ["//evil.example", "///evil.example", "/\\evil.example", "/\\\\evil.example", "\\\\evil.example",
             "https:evil.example", "http://evil.example/", f"//{host}//evil.example", "/%2f%2fevil.example",
             "/%2F%2Fevil.example", "/%5cevil.example", "/good@evil.example", "//good@evil.example", "/..//evil.example",
             "/./\\evil.example", "/%0d%0aLocation:%20https://evil.example", "/\tevil.example", "/;//evil.example",
             "/" + "a" * 4000]
    for path in paths:
        status, location = raw(deployed, host, path + query)
        if status != 302:
            assert 400 <= status < 500 and location is None, (path, status)
            continue
        resolved = urllib.parse.urlsplit(urllib.parse.urljoin(f"http://{host}/", location.replace("\\", "/")))
        assert resolved.netloc == host and location.startswith("/") and location[1:2] not in ("/", "\\"), (path, location)
        assert "authToken" not in location


# ---- 24: events -----------------------------------------------------------------------------------------------------

def launch_event(deployed):
    """The event of the victim's launch, as EventBridge delivered it."""
    records = [json.loads(e["CloudTrailEvent"]) for e in deployed.client("cloudtrail").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "ProvisionProduct"}])["Events"]]
    detail = next(r for r in records if r["requestParameters"].get("provisionedProductName") == "victim-notebook"
                  and "errorCode" not in r)
    return {"source": "aws.servicecatalog", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def invoke(deployed, event):
    answer = deployed.client("lambda", read_timeout=120).invoke(
        FunctionName="EventBridgeFunction", Payload=json.dumps(event).encode())
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def changed(event, change):
    event = json.loads(json.dumps(event))
    change(event["detail"])
    return event


def test_24_events_mint_only_for_the_launch_they_tell_of(deployed, victim):
    event = launch_event(deployed)
    before = len(mints(deployed))

    def parameters(detail, value):
        detail["requestParameters"]["provisioningParameters"] = value

    own = [p for p in event["detail"]["requestParameters"]["provisioningParameters"] if p["key"] == "NotebookUserName"]
    twice = own + [{"key": "NotebookUserName", "value": "mallory"}]
    record = event["detail"]["responseElements"]["recordDetail"]
    harmless = [
        changed(event, lambda d: d.update(responseElements=None, errorCode="AccessDenied")),
        changed(event, lambda d: d["responseElements"]["recordDetail"].pop("provisionedProductId")),
        changed(event, lambda d: d.update(eventName="TerminateProvisionedProduct")),
        changed(event, lambda d: d.update(eventSource="evil.example")),
        changed(event, lambda d: parameters(d, twice)),
        changed(event, lambda d: parameters(d, [])),
        changed(event, lambda d: parameters(d, None)),
        changed(event, lambda d: d["requestParameters"].pop("provisioningParameters")),
        changed(event, lambda d: parameters(d, [{"key": "NotebookInstanceType", "value": "victim"}])),
        changed(event, lambda d: parameters(d, [{"key": "NotebookUserName", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}])),
        changed(event, lambda d: parameters(d, [{"key": "NotebookUserName", "value": "../../victim"}])),
        changed(event, lambda d: parameters(d, [{"key": "NotebookUserName", "value": "x" * 200_000}])),
        {}, [], None, "ProvisionProduct",
    ]
    for sent in harmless:
        failed, answer = invoke(deployed, sent)
        assert failed is None and answer["outcome"] == "ignored", (str(sent)[:200], answer)
    # Another launch's record with this notebook's name: the name alone opens nothing.
    failed, answer = invoke(deployed, changed(
        event, lambda d: d["responseElements"]["recordDetail"].update(provisionedProductId="pp-aaaaaaaaaaaaa")))
    assert failed is not None or answer["outcome"] == "ignored", answer
    assert len(mints(deployed)) == before

    # The control: the event itself, twice, in any order of parameters and with members nobody knows.
    stored = value(deployed)["Version"]
    for sent in (event, changed(event, lambda d: d["requestParameters"].update(
            new={"deep": [1]}, provisioningParameters=[{"key": "Other", "value": "x", "new": None}, *own]))):
        assert invoke(deployed, sent)[1]["outcome"] == "stored"
    assert len(mints(deployed)) == before + 2 and value(deployed)["Version"] == stored + 2
    assert record["provisionedProductId"].startswith("pp-")


def test_24_nobody_makes_up_a_launch(deployed, victim):
    before = len(mints(deployed))
    event = launch_event(deployed)
    events = deployed.client("events")
    put = lambda source: events.put_events(Entries=[{
        "Source": source, "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}])
    forged = put("aws.servicecatalog")
    assert forged["FailedEntryCount"] == 1
    assert forged["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    # Under a source of one's own it is taken, and the rule lets it by.
    assert put("evil.servicecatalog")["FailedEntryCount"] == 0
    pattern = events.describe_rule(Name="SvcCatalogEventRule")["EventPattern"]
    whole = {"id": "1", "account": "123456789012", "time": "2026-11-22T00:00:00Z", "region": "us-east-1", "resources": []}
    matches = lambda source: events.test_event_pattern(
        EventPattern=pattern, Event=json.dumps({**whole, **event, "source": source}))["Result"]
    assert matches("aws.servicecatalog") and not matches("evil.servicecatalog")
    assert len(mints(deployed)) == before


def test_24_a_late_event_after_the_end(deployed, mallory):
    assert provision(deployed, mallory, "short", "short")["Status"] == "SUCCEEDED"
    until(lambda: mints(deployed, "short-Notebook"))
    records = [json.loads(e["CloudTrailEvent"]) for e in deployed.client("cloudtrail").lookup_events(LookupAttributes=[
        {"AttributeKey": "EventName", "AttributeValue": "ProvisionProduct"}])["Events"]]
    detail = next(r for r in records if r["requestParameters"].get("provisionedProductName") == "short")
    catalog = deployed.as_person(mallory, "servicecatalog")
    catalog.terminate_provisioned_product(ProvisionedProductName="short", TerminateToken="t2")
    until(lambda: code_of(lambda: catalog.describe_provisioned_product(Name="short")) is not None)
    before = len(mints(deployed, "short-Notebook"))
    failed, answer = invoke(deployed, {"source": "aws.servicecatalog", "detail-type": "x", "detail": detail})
    assert failed is not None or answer["outcome"] == "ignored"
    assert len(mints(deployed, "short-Notebook")) == before


# ---- 27: signatures -------------------------------------------------------------------------------------------------

def signed(deployed, person, service, body, when=None, secret=None, target=None, headers=None):
    """A signed POST: header names and values."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    if target:
        form = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = botocore.awsrequest.AWSRequest("POST", f"{deployed.endpoint}/", headers={**form, **(headers or {})}, data=body)
    credentials = botocore.credentials.Credentials(person["AWS_ACCESS_KEY_ID"], secret or person["AWS_SECRET_ACCESS_KEY"])
    signer = botocore.auth.SigV4Auth(credentials, service, "us-east-1")
    request.context["timestamp"] = (when or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    original = botocore.auth.get_current_datetime if hasattr(botocore.auth, "get_current_datetime") else None
    if original:
        botocore.auth.get_current_datetime = lambda *a, **k: (
            when or datetime.datetime.now(datetime.timezone.utc)).replace(tzinfo=None)
    try:
        signer.add_auth(request)
    finally:
        if original:
            botocore.auth.get_current_datetime = original
    # The length is the sent body's own, so that a changed one arrives whole.
    return {name: value for name, value in request.prepare().headers.items() if name.lower() != "content-length"}


def post(deployed, headers, body, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", deployed.port, timeout=10)
    connection.request("POST", path, body=body, headers={**headers, "Host": f"localhost:{deployed.port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    found = re.search(r"<Code>(\w+)</Code>", text) or re.search(r'"__type":"(?:[\w.]*#)?(\w+)"', text)
    return answer.status, found and found[1], text


WHO = "Action=GetCallerIdentity&Version=2011-06-15"


def test_27_signatures(deployed, victim, mallory):
    now = datetime.datetime.now(datetime.timezone.utc)
    good = signed(deployed, victim, "sts", WHO)
    status, code, text = post(deployed, good, WHO)
    assert (status, code) == (200, None) and "user/nbvend/victim" in text

    longer = WHO + "&More=1"
    wrong = signed(deployed, victim, "sts", WHO, secret="x" * 40)
    theirs = signed(deployed, victim, "sts", WHO, secret=mallory["AWS_SECRET_ACCESS_KEY"])
    unknown = signed(deployed, {**victim, "AWS_ACCESS_KEY_ID": "AKIAAAAAAAAAAAAAAAAA"}, "sts", WHO)
    swapped = {name: value.replace(victim["AWS_ACCESS_KEY_ID"], mallory["AWS_ACCESS_KEY_ID"])
               for name, value in good.items()}
    elsewhere = {name: value.replace("/us-east-1/", "/eu-west-1/") for name, value in good.items()}
    for at, (headers, body, expected) in enumerate([
        (wrong, WHO, (403, "SignatureDoesNotMatch")),
        (theirs, WHO, (403, "SignatureDoesNotMatch")),
        (good, longer, (403, "SignatureDoesNotMatch")),
        (swapped, WHO, (403, "SignatureDoesNotMatch")),
        (elsewhere, WHO, (403, "SignatureDoesNotMatch")),
        (unknown, WHO, (403, "InvalidClientTokenId")),
        ({k: v for k, v in good.items() if k.lower() != "authorization"}, WHO, (403, "MissingAuthenticationToken")),
    ]):
        assert post(deployed, headers, body)[:2] == expected, at
    assert post(deployed, good, WHO)[0] == 200

    for minutes, expected in [(-14, 200), (14, 200), (-16, 403), (16, 403)]:
        headers = signed(deployed, victim, "sts", WHO, when=now + datetime.timedelta(minutes=minutes))
        status, code, _ = post(deployed, headers, WHO)
        assert (status, code) == (expected, None if expected == 200 else "SignatureDoesNotMatch"), minutes

    # The JSON services say it in their own words.
    body, target = json.dumps({"Name": PARAMETER}), "AmazonSSM.GetParameter"
    headers = signed(deployed, victim, "ssm", body, target=target)
    assert post(deployed, headers, body)[0] == 200
    assert post(deployed, headers, body.replace("victim", "other"))[:2] == (400, "InvalidSignatureException")
    headers = signed(deployed, victim, "ssm", body, target=target, secret="x" * 40)
    assert post(deployed, headers, body)[:2] == (400, "InvalidSignatureException")


def test_27_payloads_and_presigned_queries_of_s3(deployed):
    s3 = deployed.client("s3", signature_version="s3v4", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a", Body=b"one")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "a"}, ExpiresIn=60)

    def get(url, method="GET"):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", deployed.port, timeout=10)
        connection.request(method, f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, (re.search(r"<Code>(\w+)</Code>", text) or [None, text])[1]

    assert get(url) == (200, "one")
    s3.put_object(Bucket="signed", Key="b", Body=b"two")
    for changed_url in (url.replace("/a?", "/b?"), url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
                        url + "&versionId=x", url[:-1] + ("0" if url[-1] != "0" else "1")):
        assert get(changed_url) == (403, "SignatureDoesNotMatch"), changed_url
    assert get(url, method="DELETE") == (403, "SignatureDoesNotMatch")
    short = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "a"}, ExpiresIn=1)
    assert get(short)[0] == 200
    until(lambda: get(short) == (403, "AccessDenied"), seconds=5)

    env = deployed.variables()
    root = {"AWS_ACCESS_KEY_ID": env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": env["AWS_SECRET_ACCESS_KEY"]}
    request = botocore.awsrequest.AWSRequest("PUT", f"{deployed.endpoint}/signed/c", data=b"kept", headers={})
    credentials = botocore.credentials.Credentials(root["AWS_ACCESS_KEY_ID"], root["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(b"kept").hexdigest()
    del request.headers["Authorization"]
    botocore.auth.S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    headers = {**dict(request.headers.items()), "Host": f"localhost:{deployed.port}"}
    stated = headers.get("X-Amz-Content-SHA256", "")

    def put(body):
        connection = http.client.HTTPConnection("127.0.0.1", deployed.port, timeout=10)
        connection.request("PUT", "/signed/c", body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    assert put(b"kept")[0] == 200
    if stated != "UNSIGNED-PAYLOAD":
        status, text = put(b"evil")
        assert status == 400 and "XAmzContentSHA256Mismatch" in text, text
        assert s3.get_object(Bucket="signed", Key="c")["Body"].read() == b"kept"
