"""What authentication and authorisation cost: the decision alone, and the whole door from outside."""
import json
import subprocess

import load
from run import program
from table import Figure

PARAMETER = "/bench/value"
# AWS's quota for policies attached to a group; twenty come by two groups.
TO_A_GROUP = 10


def topic(run):
    decide = program("nbvend-policy", "decide")
    alone(run, decide)
    policies = json.loads(subprocess.run([decide, "policies"], check=True, capture_output=True, text=True).stdout)
    engine, table = run.engine, run.table
    root = engine.variables()
    root = root["AWS_ACCESS_KEY_ID"], root["AWS_SECRET_ACCESS_KEY"]
    engine.client("ssm").put_parameter(Name=PARAMETER, Value="x", Type="String", Overwrite=True)
    # The last policy is the one that allows the call.
    one, twenty = person(engine, "bench-one", policies[-1:]), person(engine, "bench-twenty", policies)

    def cost(request):
        return load.drive(engine.port, request, run.pid)[1]

    def read(key):
        return cost(load.ssm(engine.port, *key, "GetParameter", json.dumps({"Name": PARAMETER})))
    costs = [
        ("/_nbvend/health: the listener, no door", cost(load.plain(engine.port, "/_nbvend/health"))),
        ("sts:GetCallerIdentity: the door, IAM is not asked", cost(load.sts(engine.port, *root, "GetCallerIdentity"))),
        ("ssm:GetParameter as root", read(root)),
        ("the same as a user with 1 policy of 2 KB", read(one)),
        ("the same as a user with 20 policies of 2 KB", read(twenty)),
    ]
    for what, micros in costs:
        table.row(f"CPU a call: {what}", Figure(micros, "µs"))
    health, identity, by_root, by_one, by_twenty = (micros for _, micros in costs)
    table.row("the door without evaluation: GetCallerIdentity less health (signature, decoding, the read's record)", Figure(identity - health, "µs"))
    table.row("authorising with 1 policy: that user less root", Figure(by_one - by_root, "µs"))
    table.row("authorising with 20 policies: that user less root", Figure(by_twenty - by_root, "µs"), "≤ 20 µs")


def alone(run, decide):
    figures = json.loads(subprocess.run([decide], check=True, capture_output=True, text=True).stdout)
    size = f"{figures['policies']} policies of {figures['bytes_each'] / 1024:.1f} KB"
    run.table.row(f"{size} read and compiled, which happens once after a change", Figure(figures["compile_us"], "µs"))
    for name, what in (("allowed_us", "that allows"), ("denied_us", "that finds nothing"), ("explicit_deny_us", "that meets a Deny")):
        run.table.row(f"one decision with {size}, compiled before, {what}", Figure(figures[name], "µs"), "≤ 20 µs")


def person(engine, name, policies):
    """A user who has these policies by groups; the key's id and secret."""
    iam = engine.client("iam")
    iam.create_user(UserName=name)
    for at, document in enumerate(policies):
        group = f"{name}-{at // TO_A_GROUP}"
        if at % TO_A_GROUP == 0:
            iam.create_group(GroupName=group)
            iam.add_user_to_group(GroupName=group, UserName=name)
        made = iam.create_policy(PolicyName=f"{name}-{at}", PolicyDocument=document)
        iam.attach_group_policy(GroupName=group, PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]
