"""Every listing that boto3 has a paginator for, read in small pages: the services that have no file of their own here."""
import json

import pytest

from engine import until
from refusal import all_pages, refused
from zips import package

COUNT = 5
FAST = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def role(engine):
    return engine.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
            "Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}}]}))["Role"]["Arn"]


def test_parameters(engine):
    ssm = engine.client("ssm")
    names = [f"/page/{at}" for at in range(COUNT)]
    for name in names:
        ssm.put_parameter(Name=name, Value="x", Type="String")
        ssm.put_parameter(Name="/history", Value=name, Type="String", Overwrite=True)
    found = all_pages(ssm, "describe_parameters", "Parameters",
                      ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/page/"]}])
    assert [p["Name"] for p in found] == names
    assert [p["Name"] for p in all_pages(ssm, "get_parameters_by_path", "Parameters", Path="/page")] == names
    assert [p["Value"] for p in all_pages(ssm, "get_parameter_history", "Parameters", Name="/history")] == names
    refused("InvalidNextToken", ssm.describe_parameters, NextToken="nonsense")


def test_functions(engine, role):
    lambda_ = engine.client("lambda")
    names = [f"page-{at}" for at in range(COUNT)]
    for name in names:
        lambda_.create_function(FunctionName=name, Runtime="python3.11", Role=role, Handler="app.handler",
                                Code={"ZipFile": package({"app.py": f"# {name}\ndef handler(e, c): return 1"})})
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    assert [f["FunctionName"] for f in all_pages(lambda_, "list_functions", "Functions")] == names
    for at in range(COUNT):
        lambda_.update_function_configuration(FunctionName="page-0", Description=str(at))
        lambda_.get_waiter("function_updated_v2").wait(FunctionName="page-0")
        lambda_.publish_version(FunctionName="page-0")
        lambda_.create_alias(FunctionName="page-0", Name=f"alias-{at}", FunctionVersion=str(at + 1))
        lambda_.put_function_event_invoke_config(FunctionName="page-0", Qualifier=str(at + 1), MaximumRetryAttempts=1)
    versions = all_pages(lambda_, "list_versions_by_function", "Versions", FunctionName="page-0")
    assert [v["Version"] for v in versions] == ["$LATEST", "1", "2", "3", "4", "5"]
    aliases = all_pages(lambda_, "list_aliases", "Aliases", FunctionName="page-0")
    assert [a["Name"] for a in aliases] == [f"alias-{at}" for at in range(COUNT)]
    configs = all_pages(lambda_, "list_function_event_invoke_configs", "FunctionEventInvokeConfigs",
                        FunctionName="page-0")
    assert len({c["FunctionArn"] for c in configs}) == COUNT


def test_stacks(engine):
    cfn = engine.client("cloudformation")
    body = {"Resources": {f"P{at}": {"Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Value": "x"}} for at in range(COUNT)},
        "Outputs": {f"O{at}": {"Value": "x", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-%d" % at}}}
                    for at in range(COUNT)}}
    names = [f"page-{at}" for at in range(COUNT)]
    for name in names:
        cfn.create_stack(StackName=name, TemplateBody=json.dumps(body))
    for name in names:
        cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=FAST)
    describe = [s["StackName"] for page in cfn.get_paginator("describe_stacks").paginate() for s in page["Stacks"]]
    assert sorted(describe) == names
    listed = [s["StackName"] for page in cfn.get_paginator("list_stacks").paginate() for s in page["StackSummaries"]]
    assert sorted(listed) == names
    only = cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert only == []
    resources = [r["LogicalResourceId"] for page in cfn.get_paginator("list_stack_resources").paginate(
        StackName="page-0") for r in page["StackResourceSummaries"]]
    assert sorted(resources) == [f"P{at}" for at in range(COUNT)]
    exports = [e["Name"] for page in cfn.get_paginator("list_exports").paginate() for e in page["Exports"]]
    assert len(set(exports)) == COUNT * COUNT == len(exports)
    users = [f"user-{at}" for at in range(3)]
    for name in users:
        cfn.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"P": {
            "Type": "AWS::SSM::Parameter", "Properties": {"Type": "String",
                                                          "Value": {"Fn::ImportValue": "page-0-0"}}}}}))
        cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=FAST)
    imports = [i for page in cfn.get_paginator("list_imports").paginate(ExportName="page-0-0") for i in page["Imports"]]
    assert sorted(imports) == users
    refused("ValidationError", cfn.list_imports, "not imported by any stack", ExportName="page-1-0")
    for at in range(3):
        cfn.create_change_set(StackName="page-0", ChangeSetName=f"set-{at}", TemplateBody=json.dumps(
            {**body, "Resources": {"Other": body["Resources"]["P0"]}}))
        cfn.get_waiter("change_set_create_complete").wait(StackName="page-0", ChangeSetName=f"set-{at}",
                                                          WaiterConfig=FAST)
    sets = [s["ChangeSetName"] for page in cfn.get_paginator("list_change_sets").paginate(StackName="page-0")
            for s in page["Summaries"]]
    assert sorted(sets) == ["set-0", "set-1", "set-2"]
    changes = [c for page in cfn.get_paginator("describe_change_set").paginate(
        StackName="page-0", ChangeSetName="set-0") for c in page["Changes"]]
    assert len(changes) == COUNT + 1


def test_notebooks(engine, role):
    sagemaker = engine.client("sagemaker")
    names = [f"page-{at}" for at in range(COUNT)]
    for name in names:
        sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    found = all_pages(sagemaker, "list_notebook_instance_lifecycle_configs", "NotebookInstanceLifecycleConfigs")
    assert sorted(c["NotebookInstanceLifecycleConfigName"] for c in found) == names
    sagemaker.create_notebook_instance(NotebookInstanceName="tagged", InstanceType="ml.t3.medium", RoleArn=role,
                                       Tags=[{"Key": str(at), "Value": "x"} for at in range(COUNT)])
    arn = sagemaker.describe_notebook_instance(NotebookInstanceName="tagged")["NotebookInstanceArn"]
    tags = [t["Key"] for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn) for t in page["Tags"]]
    assert sorted(tag for tag in tags if not tag.startswith("nbvend:")) == [str(at) for at in range(COUNT)]
    assert [n["NotebookInstanceName"] for n in all_pages(
        sagemaker, "list_notebook_instances", "NotebookInstances", NameContains="tag")] == ["tagged"]
    sagemaker.get_waiter("notebook_instance_in_service").wait(NotebookInstanceName="tagged",
                                                              WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    refused("ValidationException", sagemaker.delete_notebook_instance, "not in", NotebookInstanceName="tagged")
    sagemaker.stop_notebook_instance(NotebookInstanceName="tagged")
    sagemaker.get_waiter("notebook_instance_stopped").wait(NotebookInstanceName="tagged", WaiterConfig=FAST)
    sagemaker.delete_notebook_instance(NotebookInstanceName="tagged")


def test_objects(engine):
    s3 = engine.client("s3")
    names = [f"page-bucket-{at}" for at in range(COUNT)]
    for name in names:
        s3.create_bucket(Bucket=name)
    assert [b["Name"] for b in all_pages(s3, "list_buckets", "Buckets", Prefix="page-bucket-")] == names
    s3.put_bucket_versioning(Bucket="page-bucket-0", VersioningConfiguration={"Status": "Enabled"})
    for at in range(COUNT):
        s3.put_object(Bucket="page-bucket-0", Key=f"k{at}", Body=b"1")
        s3.put_object(Bucket="page-bucket-0", Key=f"k{at}", Body=b"2")
        s3.create_multipart_upload(Bucket="page-bucket-0", Key=f"u{at}")
    one = {"Bucket": "page-bucket-0"}
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}, **one)
        assert [o["Key"] for page in pages for o in page["Contents"]] == [f"k{at}" for at in range(COUNT)], operation
    pages = s3.get_paginator("list_object_versions").paginate(PaginationConfig={"PageSize": 3}, **one)
    versions = [(v["Key"], v["IsLatest"]) for page in pages for v in page.get("Versions", [])]
    assert versions == [(f"k{at}", latest) for at in range(COUNT) for latest in (True, False)]
    pages = s3.get_paginator("list_multipart_uploads").paginate(PaginationConfig={"PageSize": 2}, **one)
    uploads = [u for page in pages for u in page.get("Uploads", [])]
    assert [u["Key"] for u in uploads] == [f"u{at}" for at in range(COUNT)]
    upload = {"Key": "u0", "UploadId": uploads[0]["UploadId"], **one}
    for part in range(1, COUNT + 1):
        s3.upload_part(PartNumber=part, Body=b"x", **upload)
    pages = s3.get_paginator("list_parts").paginate(PaginationConfig={"PageSize": 2}, **upload)
    assert [p["PartNumber"] for page in pages for p in page.get("Parts", [])] == [1, 2, 3, 4, 5]
    refused("EntityTooSmall", s3.complete_multipart_upload, MultipartUpload={"Parts": [
        {"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in s3.list_parts(**upload)["Parts"]]}, **upload)
    s3.abort_multipart_upload(**upload)
    refused("NoSuchUpload", s3.list_parts, **upload)


def test_rules(engine):
    events = engine.client("events")
    group = engine.client("logs")
    names = [f"page-{at}" for at in range(COUNT)]
    arns = []
    for name in names:
        events.put_rule(Name=name, EventPattern='{"source": ["me"]}')
        events.create_event_bus(Name=name)
        group.create_log_group(logGroupName=f"/aws/events/{name}")
        arns.append(f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/{name}")
        events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arns[0]}])
    events.put_targets(Rule="page-0", Targets=[{"Id": str(at), "Arn": arn} for at, arn in enumerate(arns[1:])])

    def small(call, key, name=lambda item: item["Name"], **parameters):
        """With pages of two, by the token of the API itself: boto3's paginators of this service set no size."""
        items, token = [], None
        while True:
            page = call(Limit=2, **parameters, **({"NextToken": token} if token else {}))
            assert len(page[key]) <= 2
            items += [name(item) for item in page[key]]
            token = page.get("NextToken")
            if token is None:
                return items

    assert small(events.list_rules, "Rules", NamePrefix="page-") == names
    assert small(events.list_event_buses, "EventBuses", NamePrefix="page-") == names
    targets = small(events.list_targets_by_rule, "Targets", lambda target: target["Id"], Rule="page-0")
    assert sorted(targets) == ["0", "1", "2", "3", "t"]
    assert small(events.list_rule_names_by_target, "RuleNames", str, TargetArn=arns[0]) == names


def test_the_trail(engine):
    trail, ssm = engine.client("cloudtrail"), engine.client("ssm")
    for at in range(COUNT):
        ssm.put_parameter(Name=f"/trail/{at}", Value="x", Type="String")
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "PutParameter"}]

    def look():
        found = [e for page in trail.get_paginator("lookup_events").paginate(
            LookupAttributes=by_name, PaginationConfig={"PageSize": 2}) for e in page["Events"]]
        names = [json.loads(e["CloudTrailEvent"])["requestParameters"]["name"] for e in found]
        return [n for n in names if n.startswith("/trail/")]
    assert until(lambda: len(look()) == COUNT and look()) == [f"/trail/{at}" for at in reversed(range(COUNT))]
