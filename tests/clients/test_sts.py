"""STS as boto3's users drive it: who am I, and becoming somebody else for a while."""
import json

import boto3
import botocore.config
import pytest

from refusal import refused

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Helper"


def trust(principal):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})


@pytest.fixture(scope="module")
def ada(engine):
    """A user whom the role trusts."""
    iam = engine.client("iam")
    iam.create_user(UserName="ada")
    iam.put_user_policy(UserName="ada", PolicyName="assume", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}))
    iam.create_role(RoleName="Helper", MaxSessionDuration=7200,
                    AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:user/ada"))
    iam.put_role_policy(RoleName="Helper", PolicyName="own", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def test_who_am_i(engine, ada):
    me = engine.client("sts").get_caller_identity()
    assert (me["Account"], me["UserId"], me["Arn"]) == (ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    user = engine.client("sts", **ada).get_caller_identity()
    assert user["Arn"].endswith(":user/ada") and user["UserId"].startswith("AIDA")
    assert engine.client("sts").get_access_key_info(AccessKeyId=ada["key"])["Account"] == ACCOUNT


def test_a_session_and_what_it_may(engine, ada):
    sts = engine.client("sts", **ada)
    answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="try", DurationSeconds=900)
    credentials, assumed = answer["Credentials"], answer["AssumedRoleUser"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert assumed["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Helper/try"
    assert assumed["AssumedRoleId"].endswith(":try")
    session = dict(key=credentials["AccessKeyId"], secret=credentials["SecretAccessKey"],
                   token=credentials["SessionToken"])
    me = engine.client("sts", **session).get_caller_identity()
    assert (me["Arn"], me["UserId"]) == (assumed["Arn"], assumed["AssumedRoleId"])
    engine.client("ssm", **session).put_parameter(Name="/by/session", Value="x", Type="String")

    refused("InvalidClientTokenId", engine.client("sts", **{**session, "token": None}).get_caller_identity)
    refused("InvalidClientTokenId", engine.client("sts", **{**session, "token": "x" * 200}).get_caller_identity)
    refused("SignatureDoesNotMatch", engine.client("sts", **{**session, "secret": "x" * 40}).get_caller_identity,
            status=403)
    refused("AccessDenied", engine.client("sts", **session).get_session_token,
            "Cannot call GetSessionToken with session credentials")


def test_who_may_not(engine, ada):
    sts = engine.client("sts", **ada)
    refused("AccessDenied", engine.client("sts").assume_role, "Roles may not be assumed by root accounts",
            RoleArn=ROLE, RoleSessionName="root", status=403)
    says = f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: sts:AssumeRole on resource: "
    refused("AccessDenied", sts.assume_role, says, RoleArn=ROLE + "None", RoleSessionName="try")
    iam = engine.client("iam")
    iam.create_role(RoleName="Closed", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:user/ada").replace(
        '"Allow"', '"Deny"'))
    refused("AccessDenied", sts.assume_role, says, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Closed", RoleSessionName="try")


def test_wrong_input(engine, ada):
    sts = engine.client("sts", **ada)
    refused("ValidationError", sts.assume_role, "roleSessionName", RoleArn=ROLE, RoleSessionName="not good")
    refused("ValidationError", sts.assume_role, "is invalid", RoleArn="x" * 20, RoleSessionName="try")
    refused("ValidationError", sts.assume_role, "exceeds the MaxSessionDuration", RoleArn=ROLE,
            RoleSessionName="try", DurationSeconds=10_000)
    refused("ValidationError", sts.assume_role, "durationSeconds", RoleArn=ROLE, RoleSessionName="try",
            DurationSeconds=43201)
    with pytest.raises(sts.exceptions.MalformedPolicyDocumentException):
        sts.assume_role(RoleArn=ROLE, RoleSessionName="try", Policy="{")
    refused("MalformedPolicyDocument", sts.assume_role, RoleArn=ROLE, RoleSessionName="try", Policy="{}")
    refused("InvalidParameterValue", sts.assume_role, "(?i)tag", RoleArn=ROLE, RoleSessionName="try",
            Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])


def test_a_session_token_of_a_user(engine, ada):
    credentials = engine.client("sts", **ada).get_session_token(DurationSeconds=900)["Credentials"]
    me = engine.client("sts", key=credentials["AccessKeyId"], secret=credentials["SecretAccessKey"],
                       token=credentials["SessionToken"]).get_caller_identity()
    assert me["Arn"].endswith(":user/ada")


def test_a_profile_that_assumes_a_role(engine, ada, tmp_path):
    """How people are set up: a named profile with `role_arn` and `source_profile`."""
    config = tmp_path / "config"
    config.write_text(
        f"[profile ada]\naws_access_key_id = {ada['key']}\naws_secret_access_key = {ada['secret']}\n"
        f"[profile helper]\nrole_arn = {ROLE}\nsource_profile = ada\nrole_session_name = from-profile\n"
        "region = us-east-1\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(config))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        patch.setenv("AWS_ENDPOINT_URL", engine.endpoint)
        session = boto3.Session(profile_name="helper")
        me = session.client("sts", config=botocore.config.Config(retries={"total_max_attempts": 1}))
        assert me.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Helper/from-profile"


def test_sessions_outlive_the_engine(engine, ada):
    credentials = engine.client("sts", **ada).assume_role(RoleArn=ROLE, RoleSessionName="long")["Credentials"]
    session = dict(key=credentials["AccessKeyId"], secret=credentials["SecretAccessKey"],
                   token=credentials["SessionToken"])
    engine.kill()
    engine.start()
    assert engine.client("sts", **session).get_caller_identity()["Arn"].endswith("/long")
