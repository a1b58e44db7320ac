"""What authentication and authorisation cost: the decision alone, and the whole door from outside."""
import json
import subprocess

import load
from measure import p50
from run import program
from table import Figure

PARAMETER = "/bench/value"
# AWS's quota for policies attached to a group; twenty come by two groups.
TO_A_GROUP = 10
ROUNDS, SECONDS = 5, 1.5


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

    def read(key):
        return load.ssm(engine.port, *key, "GetParameter", json.dumps({"Name": PARAMETER}))
    requests = {
        "/_nbvend/health: the listener, no door": load.plain(engine.port, "/_nbvend/health"),
        "sts:GetCallerIdentity: the door, IAM is not asked": load.sts(engine.port, *root, "GetCallerIdentity"),
        "ssm:GetParameter as root": read(root),
        "the same as a user with 1 policy of 2 KB": read(one),
        "the same as a user with 20 policies of 2 KB": read(twenty),
    }
    # In turn, so that what else the machine does falls on all of them.
    seen = [[load.drive(engine.port, request, [run.pid], SECONDS)[1] for request in requests.values()] for _ in range(ROUNDS)]
    costs = [p50(micros) for micros in zip(*seen)]
    for what, micros in zip(requests, costs):
        table.row(f"CPU a call: {what}, p50 of {ROUNDS}", Figure(micros, "µs"))
    for what, first, second, budget in (
            ("the door without evaluation: GetCallerIdentity less health (signature, decoding, the read's record)", 0, 1, ""),
            ("authorising with 1 policy: that user less root", 2, 3, ""),
            ("authorising with 20 policies: that user less root", 2, 4, ""),
            ("19 more policies: one user less the other", 3, 4, "≤ 20 µs")):
        rounds = [round[second] - round[first] for round in seen]
        table.row(what, Figure(p50(rounds), "µs", f"{min(rounds):.0f} to {max(rounds):.0f}"), budget)


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
