"""Notebook instances with boto3 against the real engine and real servers: types, states, updates, lifecycle scripts, idle
stop, and what a kernel sees."""
import base64
import http.client
import importlib.util
import json
import os
import pathlib
import shutil
import sys
import time
import urllib.parse

import botocore.exceptions
import pytest

from browser import Visitor
from engine import until

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["logs:*", "sagemaker:Describe*", "sts:*"], "Resource": "*"}]})


@pytest.fixture(scope="module")
def role(engine):
    iam = engine.client("iam")
    arn = iam.create_role(RoleName="Notebooks", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="Notebooks", PolicyName="all", PolicyDocument=ALLOW)
    return arn


@pytest.fixture(scope="module")
def sagemaker(engine):
    return engine.client("sagemaker")


@pytest.fixture
def notebook(sagemaker, role, request):
    """Makes a notebook in service, named after the test; deleted afterwards."""
    made = []

    def make(name=None, wait="InService", **options):
        name = name or request.node.name.replace("_", "-")[:60]
        made.append(name)
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name, RoleArn=role, **{"InstanceType": "ml.t3.medium", **options})
        reach(sagemaker, name, wait)
        return name
    yield make
    for name in made:
        try:
            if describe(sagemaker, name)["NotebookInstanceStatus"] == "InService":
                sagemaker.stop_notebook_instance(NotebookInstanceName=name)
                reach(sagemaker, name, "Stopped")
            sagemaker.delete_notebook_instance(NotebookInstanceName=name)
            sagemaker.get_waiter("notebook_instance_deleted").wait(
                NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        except botocore.exceptions.ClientError:
            pass


def describe(sagemaker, name):
    return sagemaker.describe_notebook_instance(NotebookInstanceName=name)


def reach(sagemaker, name, status):
    """Waits for a status; another one that is at rest is a failure, told with its reason."""
    def look():
        now = describe(sagemaker, name)
        if now["NotebookInstanceStatus"] in ({"InService", "Stopped", "Failed"} - {status}):
            if now["NotebookInstanceStatus"] == "Failed":
                raise AssertionError(now["FailureReason"])
        return now["NotebookInstanceStatus"] == status and now
    return until(look, 120)


def encoded(script):
    return [{"Content": base64.b64encode(script.encode()).decode()}]


def visit(engine, sagemaker, name):
    url = sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"]
    visitor = Visitor(engine)
    page = visitor.get(url)
    assert page.status == 200, page.text
    return visitor, page.url


def seen(engine, name):
    return next(one for one in json.loads(engine_get(engine, "/_nbvend/notebooks")) if one["name"] == name)


def engine_get(engine, path):
    """A signed question to one of the engine's own addresses."""
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    env = engine.variables()
    request = botocore.awsrequest.AWSRequest("GET", f"http://127.0.0.1:{engine.port}{path}")
    keys = botocore.credentials.Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    botocore.auth.SigV4Auth(keys, "nbvend", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", engine.port)
    connection.request("GET", path, headers=dict(request.headers))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    return answer.read()


def test_a_type_this_machine_is_too_small_for(sagemaker, role):
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded) as error:
        sagemaker.create_notebook_instance(NotebookInstanceName="huge", RoleArn=role, InstanceType="ml.m5.24xlarge")
    assert "ml.m5.24xlarge for notebook instance usage" in str(error.value)
    assert "384 GiB of memory and this machine has" in str(error.value)
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="no accelerators"):
        sagemaker.create_notebook_instance(NotebookInstanceName="gpu", RoleArn=role, InstanceType="ml.g4dn.xlarge")
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []


def test_stop_update_start(engine, sagemaker, notebook, role):
    name = notebook()
    with pytest.raises(botocore.exceptions.ClientError, match=r"Status \(InService\) not in \(\[Stopped\]\)"):
        sagemaker.update_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.large")
    with pytest.raises(botocore.exceptions.ClientError, match=r"Status \(InService\) not in \(\[Failed, Stopped\]\)"):
        sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    visitor, page = visit(engine, sagemaker, name)
    assert visitor.run(page, "open('kept.txt', 'w').write('x')") == "1"
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_stopped").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.update_notebook_instance(NotebookInstanceName=name, InstanceType="ml.t3.large", VolumeSizeInGB=8)
    now = reach(sagemaker, name, "Stopped")
    assert (now["InstanceType"], now["VolumeSizeInGB"]) == ("ml.t3.large", 8)
    with pytest.raises(botocore.exceptions.ClientError, match="cannot be decreased"):
        sagemaker.update_notebook_instance(NotebookInstanceName=name, VolumeSizeInGB=7)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_in_service").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    visitor, page = visit(engine, sagemaker, name)
    assert visitor.run(page, "print(open('kept.txt').read())") == "x\n"


def test_lifecycle_scripts(engine, sagemaker, notebook):
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="setup", OnCreate=encoded("echo created >> made.txt; echo from OnCreate"),
        OnStart=encoded("#!/bin/bash\nset -e\necho started >> made.txt\necho to stderr >&2\n"))
    name = notebook(LifecycleConfigName="setup")
    logs = engine.client("logs")

    def lines(stream):
        events = logs.get_log_events(logGroupName="/aws/sagemaker/NotebookInstances", logStreamName=f"{name}/{stream}")
        return [event["message"] for event in events["events"]]
    assert lines("OnCreate") == ["from OnCreate"]
    assert lines("OnStart") == ["to stderr"]
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    reach(sagemaker, name, "Stopped")
    sagemaker.update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="setup", OnStart=encoded("echo 'the disk is on fire'; exit 3"))
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    with pytest.raises(AssertionError, match="(?s)its OnStart script ended with exit code 3.*the disk is on fire"):
        reach(sagemaker, name, "InService")
    assert lines("OnStart") == ["to stderr", "the disk is on fire"]
    sagemaker.update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="setup", OnStart=encoded("cat made.txt"))
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    reach(sagemaker, name, "InService")
    # OnCreate ran once, and what it made is still there.
    assert lines("OnStart")[-2:] == ["created", "started"]


def test_repositories(engine, sagemaker, notebook, role):
    for given, said in [("by-name", "Could not find Code Repository"), ("https://a:b@git.example/x", "password")]:
        with pytest.raises(botocore.exceptions.ClientError, match=said):
            sagemaker.create_notebook_instance(NotebookInstanceName="r", RoleArn=role, InstanceType="ml.t3.medium",
                                               DefaultCodeRepository=given)
    # Nobody listens there: the notebook starts all the same.
    name = notebook(DefaultCodeRepository="https://127.0.0.1:1/team/tools.git")
    assert describe(sagemaker, name)["DefaultCodeRepository"] == "https://127.0.0.1:1/team/tools.git"
    # It opens where the repository is, and at the top where there is none.
    visitor, page = visit(engine, sagemaker, name)
    assert urllib.parse.urlsplit(page).path == "/lab"
    assert visitor.run(page, "open('tools', 'w').write('a file')") == "6"
    assert urllib.parse.urlsplit(visit(engine, sagemaker, name)[1]).path == "/lab"
    assert visitor.run(page, "import os; os.remove('tools'); os.mkdir('tools'); print('made')") == "made\n"
    assert urllib.parse.urlsplit(visit(engine, sagemaker, name)[1]).path == "/lab/tree/tools"


def test_a_server_that_dies(engine, sagemaker, notebook):
    name = notebook()
    visitor, page = visit(engine, sagemaker, name)
    xsrf = visitor.cookies[urllib.parse.urlsplit(page).netloc]["_xsrf"]
    base = page.split("/lab")[0]
    ended = visitor.get(f"{base}/api/shutdown", method="POST", body="{}",
                        headers={"X-XSRFToken": xsrf, "Origin": base})
    assert ended.status == 200, ended.text
    now = until(lambda: (lambda n: n["NotebookInstanceStatus"] == "Failed" and n)(describe(sagemaker, name)))
    assert "ended by itself" in now["FailureReason"]
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    reach(sagemaker, name, "InService")


def upload(visitor, page, file, name):
    """Puts a file into the notebook's folder, as Lab does."""
    base = page.split("/lab")[0]
    xsrf = visitor.cookies[urllib.parse.urlsplit(page).netloc]["_xsrf"]
    content = base64.b64encode(pathlib.Path(file).read_bytes()).decode()
    put = visitor.get(f"{base}/api/contents/{name}", method="PUT", headers={"X-XSRFToken": xsrf, "Origin": base},
                      body=json.dumps({"type": "file", "format": "base64", "content": content}))
    assert put.status == 201, put.text


def test_a_kernel_has_the_roles_credentials(engine, sagemaker, notebook, tmp_path):
    name = notebook()
    visitor, page = visit(engine, sagemaker, name)

    def inside(code):
        return visitor.run(page, "import json, os\n" + code).strip()
    own = json.loads(inside("print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('AWS_')}))"))
    assert "AWS_ACCESS_KEY_ID" not in own
    # An SDK with what the kernel has and nothing else: its files are put where `pip install` would put them.
    here = tmp_path / "packages"
    here.mkdir()
    for package in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"):
        found = importlib.util.find_spec(package).origin
        source = pathlib.Path(found) if package == "six" else pathlib.Path(found).parent
        copy = shutil.copy if source.is_file() else shutil.copytree
        copy(source, here / source.name)
    upload(visitor, page, shutil.make_archive(tmp_path / "sdk", "gztar", here), "sdk.tar.gz")
    assert inside("import tarfile; tarfile.open('sdk.tar.gz').extractall(os.environ['PIP_TARGET']); print('there')") == "there"
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    assert inside(who) == "arn:aws:sts::123456789012:assumed-role/Notebooks/SageMaker"

    def ask_for(token):
        return json.loads(inside(f"""
import http.client, urllib.parse
address = urllib.parse.urlsplit(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
connection = http.client.HTTPConnection(address.netloc)
connection.request("GET", address.path, headers={{"Authorization": {token!r}}} if {token!r} else {{}})
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))"""))
    token = own["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    status, keys = ask_for(token)
    assert status == 200
    assert set(keys) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "RoleArn"}
    assert ask_for(None)[0] == ask_for("guess")[0] == 403
    # The same notebook and token after the engine was killed.
    engine.kill()
    engine.start()
    assert ask_for(token)[0] == 200 and inside(who).endswith("assumed-role/Notebooks/SageMaker")
    other = engine.client("sts", key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["Token"])
    other.get_caller_identity()
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    reach(sagemaker, name, "Stopped")
    with pytest.raises(botocore.exceptions.ClientError):
        other.get_caller_identity()


def test_endless_connections_take_no_others(engine, sagemaker, notebook):
    """Each connection out of a sandbox is a descriptor of the engine's."""
    name = notebook()
    visitor, page = visit(engine, sagemaker, name)
    if seen(engine, name)["isolation"] == "process":
        pytest.skip("no listeners inside a sandbox here")
    pid = engine.process.pid

    def descriptors():
        return len(os.listdir(f"/proc/{pid}/fd"))
    before = descriptors()
    opened = visitor.run(page, """
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = []
for port in (4566, 51679):
    for _ in range(400):
        held.append(socket.create_connection(("127.0.0.1", port), 5))
time.sleep(1)
print(len(held))""")
    assert opened.strip() == "800", opened
    # The control: what is within the bound does count.
    assert before + 100 < descriptors() < before + 300
    assert sagemaker.list_notebook_instances()["NotebookInstances"]
    # And its own next request has a seat: what waited longest makes room.
    asked = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:4566/_nbvend/health').status)"
    assert "HTTP Error" in visitor.run(page, asked)


def test_a_flooded_log_fills_no_disk(engine, sagemaker, notebook):
    name = notebook()
    visitor, page = visit(engine, sagemaker, name)
    servers = engine.data / "servers"

    def sizes():
        return {path.name: path.stat().st_size for path in servers.glob("*.log*") if path.exists()}
    flood = "import os\nfor _ in range(64): os.write(2, b'flood\\n' * (1 << 18))\nprint('done')"
    written = visitor.run(page, "import os; before = os.fstat(2)\n" + flood)
    assert "done" in written
    # The log is emptied a moment before its end stands in the second file.
    until(lambda: max(sizes().values()) <= 8 << 20
          and any("flood" in path.read_text(errors="replace") for path in servers.glob("*.log.1")))


def test_how_it_is_kept_apart_is_shown(engine, sagemaker, notebook):
    name = notebook()
    arn = describe(sagemaker, name)["NotebookInstanceArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    level = json.loads(engine.nbvend("--json", "status"))["isolation"]
    assert tags["nbvend:isolation"] == level in ("full", "userns", "process")
    with pytest.raises(botocore.exceptions.ClientError, match="cannot be changed"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "nbvend:isolation", "Value": "x"}])


def test_idle_stop(engine, sagemaker, notebook):
    name = notebook(Tags=[{"Key": "nbvend:idle-stop-minutes", "Value": "1"}])
    visitor, page = visit(engine, sagemaker, name)
    # A computation of more than the minute is not stopped.
    assert visitor.run(page, "import time; time.sleep(75); print('done')") == "done\n"
    one = seen(engine, name)
    assert one["idle_stop_minutes"] == 1 and one["evidence"]["busy_kernels"] == 0
    assert one["verdict"]["in_words"].startswith("stops in ")
    words = engine.nbvend("list")
    assert "(idle since " in words
    # An open tab, which asks every few seconds as Lab does.
    base = page.split("/lab")[0]
    begun = time.monotonic()
    while describe(sagemaker, name)["NotebookInstanceStatus"] == "InService":
        visitor.get(f"{base}/api/kernels")
        visitor.get(f"{base}/api/contents/?content=1")
        assert time.monotonic() - begun < 150, seen(engine, name)
        time.sleep(2)
    assert time.monotonic() - begun > 40
    reach(sagemaker, name, "Stopped")
    assert seen(engine, name)["stopped_because"].startswith("idle since ")
    with pytest.raises(botocore.exceptions.ClientError, match="whole number of minutes"):
        sagemaker.add_tags(ResourceArn=describe(sagemaker, name)["NotebookInstanceArn"],
                           Tags=[{"Key": "nbvend:idle-stop-minutes", "Value": "soon"}])
