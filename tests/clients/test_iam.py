"""IAM as boto3's users drive it: everything made, listed in pages, refused, undone."""
import json
import threading

import pytest

from refusal import all_pages, refused

ACCOUNT = "123456789012"
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::things/*"}]})
OTHER = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def trust(service="lambda.amazonaws.com"):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})


@pytest.fixture(scope="module")
def iam(engine):
    return engine.client("iam")


def test_a_users_life(iam):
    made = iam.create_user(UserName="ada", Path="/people/", Tags=[{"Key": "team", "Value": "red"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/people/ada" and made["UserId"].startswith("AIDA")
    iam.get_waiter("user_exists").wait(UserName="ada")
    shown = iam.get_user(UserName="ada")["User"]
    assert shown["Tags"] == [{"Key": "team", "Value": "red"}] and shown["CreateDate"] == made["CreateDate"]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="User with name ada already exists."):
        iam.create_user(UserName="ada")
    refused("EntityAlreadyExists", iam.create_user, UserName="ADA", status=409)

    iam.tag_user(UserName="ada", Tags=[{"Key": "team", "Value": "blue"}, {"Key": "floor", "Value": "2"}])
    iam.untag_user(UserName="ada", TagKeys=["floor", "never there"])
    assert iam.list_user_tags(UserName="ada")["Tags"] == [{"Key": "team", "Value": "blue"}]

    iam.update_user(UserName="ada", NewUserName="lovelace", NewPath="/")
    assert iam.get_user(UserName="lovelace")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/lovelace"
    assert iam.get_user(UserName="lovelace")["User"]["UserId"] == made["UserId"]
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="The user with name ada cannot be found."):
        iam.get_user(UserName="ada")
    iam.delete_user(UserName="lovelace")
    refused("NoSuchEntity", iam.delete_user, UserName="lovelace", status=404)


def test_a_user_goes_last(iam):
    """What a user has must go before the user, in any order."""
    name = "bound"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert key["Status"] == "Active" and len(key["SecretAccessKey"]) == 40
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=ALLOW)
    iam.create_login_profile(UserName=name, Password="Correct-Horse-9")
    iam.create_group(GroupName="bound-group")
    iam.add_user_to_group(UserName=name, GroupName="bound-group")
    iam.add_user_to_group(UserName=name, GroupName="bound-group")
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    undo = [
        (iam.remove_user_from_group, {"GroupName": "bound-group"}),
        (iam.detach_user_policy, {"PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}),
        (iam.delete_user_policy, {"PolicyName": "own"}),
        (iam.delete_access_key, {"AccessKeyId": key["AccessKeyId"]}),
        (iam.delete_login_profile, {}),
    ]
    for call, parameters in undo:
        with pytest.raises(iam.exceptions.DeleteConflictException, match="Cannot delete entity, must"):
            iam.delete_user(UserName=name)
        call(UserName=name, **parameters)
        refused("NoSuchEntity", call, UserName=name, **parameters)
    iam.delete_user(UserName=name)
    iam.delete_group(GroupName="bound-group")


def test_access_keys(iam, engine):
    iam.create_user(UserName="keys")
    keys = [iam.create_access_key(UserName="keys")["AccessKey"] for _ in range(2)]
    with pytest.raises(iam.exceptions.LimitExceededException, match="AccessKeysPerUser: 2"):
        iam.create_access_key(UserName="keys")
    listed = all_pages(iam, "list_access_keys", "AccessKeyMetadata", 1, UserName="keys")
    assert {k["AccessKeyId"] for k in listed} == {k["AccessKeyId"] for k in keys}
    first = keys[0]
    sts = engine.client("sts", key=first["AccessKeyId"], secret=first["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/keys"
    iam.update_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"], Status="Inactive")
    refused("InvalidClientTokenId", sts.get_caller_identity, status=403)
    iam.update_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    iam.delete_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"])
    refused("InvalidClientTokenId", sts.get_caller_identity,
            "The security token included in the request is invalid")
    refused("ValidationError", iam.update_access_key, UserName="keys", AccessKeyId="A" * 16, Status="Sleeping")


def test_roles(iam):
    made = iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=trust(), Description="works",
                           MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "b"}])["Role"]
    assert made["RoleId"].startswith("AROA") and made["Path"] == "/"
    iam.get_waiter("role_exists").wait(RoleName="Worker")
    shown = iam.get_role(RoleName="Worker")["Role"]
    assert shown["AssumeRolePolicyDocument"] == json.loads(trust()), "boto3 decodes it"
    assert (shown["Description"], shown["MaxSessionDuration"], shown["Tags"]) == (
        "works", 7200, [{"Key": "a", "Value": "b"}])
    refused("EntityAlreadyExists", iam.create_role, "Role with name Worker already exists.",
            RoleName="Worker", AssumeRolePolicyDocument=trust())
    iam.update_assume_role_policy(RoleName="Worker", PolicyDocument=trust("sagemaker.amazonaws.com"))
    assert "sagemaker" in json.dumps(iam.get_role(RoleName="Worker")["Role"]["AssumeRolePolicyDocument"])
    iam.update_role(RoleName="Worker", Description="rests", MaxSessionDuration=3600)
    assert iam.get_role(RoleName="Worker")["Role"]["MaxSessionDuration"] == 3600
    assert iam.update_role_description(RoleName="Worker", Description="again")["Role"]["Description"] == "again"

    iam.put_role_policy(RoleName="Worker", PolicyName="own", PolicyDocument=ALLOW)
    assert iam.get_role_policy(RoleName="Worker", PolicyName="own")["PolicyDocument"] == json.loads(ALLOW)
    refused("NoSuchEntity", iam.get_role_policy, "The role policy with name none cannot be found.",
            RoleName="Worker", PolicyName="none")
    refused("DeleteConflict", iam.delete_role, "must delete policies first", RoleName="Worker", status=409)
    iam.delete_role_policy(RoleName="Worker", PolicyName="own")
    iam.delete_role(RoleName="Worker")
    refused("NoSuchEntity", iam.get_role, "The role with name Worker cannot be found.", RoleName="Worker")
    refused("NoSuchEntity", iam.delete_role, RoleName="Worker")


@pytest.mark.parametrize("document, code, says", [
    ("{", "MalformedPolicyDocument", "(?i)json"),
    ("[]", "MalformedPolicyDocument", ""),
    (ALLOW, "MalformedPolicyDocument", "Has prohibited field Resource"),
    (trust("not-a-service"), "MalformedPolicyDocument", "Invalid principal in policy"),
    (json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}), "MalformedPolicyDocument", ""),
])
def test_a_bad_trust_policy_makes_no_role(iam, document, code, says):
    refused(code, iam.create_role, says, RoleName="Bad", AssumeRolePolicyDocument=document, status=400)
    refused("NoSuchEntity", iam.get_role, RoleName="Bad")


def test_wrong_names_are_named(iam):
    refused("ValidationError", iam.create_user, "userName", UserName="not a name!", status=400)
    refused("ValidationError", iam.create_role, "roleName", RoleName="r" * 65, AssumeRolePolicyDocument=trust())
    refused("ValidationError", iam.create_user, "(?i)path", UserName="x", Path="no-slashes")
    refused("ValidationError", iam.create_role, "(?i)maxSessionDuration", RoleName="r",
            AssumeRolePolicyDocument=trust(), MaxSessionDuration=43201)
    refused("ValidationError", iam.list_users, "(?i)maxItems", MaxItems=1001)
    refused("NoSuchEntity", iam.attach_role_policy, RoleName="nobody",
            PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    refused("ValidationError", iam.get_policy, PolicyArn="not-an-arn-at-all-really")


def test_managed_policies_and_their_versions(iam):
    policy = iam.create_policy(PolicyName="Reads", PolicyDocument=ALLOW, Description="reads",
                               Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = policy["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/Reads"
    assert (policy["DefaultVersionId"], policy["AttachmentCount"], policy["IsAttachable"]) == ("v1", 0, True)
    iam.get_waiter("policy_exists").wait(PolicyArn=arn)
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="A policy called Reads already exists"):
        iam.create_policy(PolicyName="Reads", PolicyDocument=ALLOW)
    for at in range(2, 6):
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=OTHER, SetAsDefault=at == 3)
        assert version["PolicyVersion"]["VersionId"] == f"v{at}"
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)
    versions = all_pages(iam, "list_policy_versions", "Versions", PolicyArn=arn)
    assert [v["VersionId"] for v in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [v["VersionId"] for v in versions if v["IsDefaultVersion"]] == ["v3"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(ALLOW)
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v3")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for at in range(2, 6):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{at}")
    refused("NoSuchEntity", iam.get_policy_version, PolicyArn=arn, VersionId="v2")
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)["PolicyVersion"]["VersionId"] == "v6", \
        "a number is not used twice"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")

    iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=trust())
    iam.attach_role_policy(RoleName="Reader", PolicyArn=arn)
    iam.attach_role_policy(RoleName="Reader", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "Reader"
    refused("DeleteConflict", iam.delete_policy, "Cannot delete a policy attached to entities.", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_role, "must detach all policies first", RoleName="Reader")
    iam.detach_role_policy(RoleName="Reader", PolicyArn=arn)
    refused("NoSuchEntity", iam.detach_role_policy, RoleName="Reader", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    refused("NoSuchEntity", iam.get_policy, PolicyArn=arn)
    iam.delete_role(RoleName="Reader")


def test_aws_own_policies_may_be_used_and_not_changed(iam):
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PolicyName"] == "AmazonS3ReadOnlyAccess"
    default = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert "Statement" in iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]["Document"]
    refused("AccessDenied", iam.delete_policy, PolicyArn=arn, status=403)
    refused("AccessDenied", iam.create_policy_version, PolicyArn=arn, PolicyDocument=ALLOW)
    refused("NoSuchEntity", iam.get_policy, PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicyAnywhere")
    names = [p["PolicyName"] for p in all_pages(iam, "list_policies", "Policies", 7, Scope="AWS")]
    assert "AmazonS3ReadOnlyAccess" in names and len(names) == len(set(names))


def test_listings_page_and_filter(iam):
    names = [f"page-{at}" for at in range(5)]
    for name in names:
        iam.create_user(UserName=name, Path="/page/")
        iam.create_role(RoleName=name, Path="/page/", AssumeRolePolicyDocument=trust())
        iam.create_group(GroupName=name, Path="/page/")
        iam.create_instance_profile(InstanceProfileName=name, Path="/page/")
        iam.create_policy(PolicyName=name, Path="/page/", PolicyDocument=ALLOW)
    for operation, key, name in [
        ("list_users", "Users", "UserName"), ("list_roles", "Roles", "RoleName"),
        ("list_groups", "Groups", "GroupName"), ("list_policies", "Policies", "PolicyName"),
        ("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ]:
        found = [item[name] for item in all_pages(iam, operation, key, PathPrefix="/page/")]
        assert found == names, operation
        assert all_pages(iam, operation, key, PathPrefix="/elsewhere/") == []
    user = {"UserName": "page-0"}
    for name in names:
        iam.put_user_policy(PolicyName=name, PolicyDocument=ALLOW, **user)
        iam.put_role_policy(RoleName="page-0", PolicyName=name, PolicyDocument=ALLOW)
        iam.put_group_policy(GroupName="page-0", PolicyName=name, PolicyDocument=ALLOW)
        arn = f"arn:aws:iam::{ACCOUNT}:policy/page/{name}"
        iam.attach_user_policy(PolicyArn=arn, **user)
        iam.attach_role_policy(RoleName="page-0", PolicyArn=arn)
        iam.attach_group_policy(GroupName="page-0", PolicyArn=arn)
        iam.add_user_to_group(GroupName=name, **user)
        iam.add_user_to_group(GroupName="page-1", UserName=name)
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/page/page-4")
    assert all_pages(iam, "list_user_policies", "PolicyNames", **user) == names
    assert all_pages(iam, "list_role_policies", "PolicyNames", RoleName="page-0") == names
    assert all_pages(iam, "list_group_policies", "PolicyNames", GroupName="page-0") == names
    for kind in ("user", "role", "group"):
        owner = {f"{kind.title()}Name": "page-0"}
        attached = all_pages(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **owner)
        assert [p["PolicyName"] for p in attached] == names
    assert [g["GroupName"] for g in all_pages(iam, "list_groups_for_user", "Groups", **user)] == names
    assert [u["UserName"] for u in all_pages(iam, "get_group", "Users", GroupName="page-1")] == names
    roles = all_pages(iam, "list_entities_for_policy", "PolicyRoles", EntityFilter="Role",
                      PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/page/page-4")
    assert [r["RoleName"] for r in roles] == names
    details = iam.get_paginator("get_account_authorization_details")
    seen = [u["UserName"] for page in details.paginate(PaginationConfig={"PageSize": 3}) for u in page["UserDetailList"]]
    assert set(names) <= set(seen) and len(seen) == len(set(seen))
    refused("ValidationError", iam.list_users, Marker="not a marker")


def test_instance_profiles(iam):
    profile = iam.create_instance_profile(InstanceProfileName="box")["InstanceProfile"]
    assert profile["Roles"] == [] and profile["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/box"
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="box")
    for name in ("One", "Two"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="One")
    refused("LimitExceeded", iam.add_role_to_instance_profile, "InstanceSessionsPerInstanceProfile: 1",
            InstanceProfileName="box", RoleName="Two")
    assert [p["InstanceProfileName"] for p in
            all_pages(iam, "list_instance_profiles_for_role", "InstanceProfiles", RoleName="One")] == ["box"]
    refused("DeleteConflict", iam.delete_instance_profile, InstanceProfileName="box")
    refused("DeleteConflict", iam.delete_role, RoleName="One")
    iam.remove_role_from_instance_profile(InstanceProfileName="box", RoleName="One")
    refused("NoSuchEntity", iam.remove_role_from_instance_profile, InstanceProfileName="box", RoleName="One")
    iam.delete_instance_profile(InstanceProfileName="box")
    refused("NoSuchEntity", iam.get_instance_profile, "Instance Profile box cannot be found.",
            InstanceProfileName="box")


def test_two_at_once_make_one(iam):
    """Of eight who create the same user, one does."""
    outcomes = []

    def create():
        try:
            iam.create_user(UserName="race")
            outcomes.append("made")
        except iam.exceptions.EntityAlreadyExistsException:
            outcomes.append("there")

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made"] + ["there"] * 7


def test_the_simulator_answers_as_boto3_users_ask_it(iam):
    asked = iam.simulate_custom_policy(
        PolicyInputList=[ALLOW], ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::things/x"])["EvaluationResults"]
    assert [(r["EvalActionName"], r["EvalDecision"]) for r in asked] == [
        ("s3:GetObject", "allowed"), ("s3:PutObject", "implicitDeny")]
    many = [f"s3:Action{at}" for at in range(5)]
    paged = all_pages(iam, "simulate_custom_policy", "EvaluationResults", PolicyInputList=[OTHER], ActionNames=many)
    assert [r["EvalDecision"] for r in paged] == ["explicitDeny"] * 5


def test_what_was_made_is_there_after_a_restart(engine):
    iam = engine.client("iam")
    iam.create_group(GroupName="lasting")
    iam.put_group_policy(GroupName="lasting", PolicyName="p", PolicyDocument=ALLOW)
    engine.kill()
    engine.start()
    iam = engine.client("iam")
    assert iam.get_group_policy(GroupName="lasting", PolicyName="p")["PolicyDocument"] == json.loads(ALLOW)
    assert iam.get_account_summary()["SummaryMap"]["Groups"] >= 1
