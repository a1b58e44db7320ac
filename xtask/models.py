#!/usr/bin/env python3
"""Writes crates/nbvend-wire/models/<service>.json from botocore's service models.

Usage: python3 xtask/models.py [--check]     (any Python that can import botocore)

Only facts are kept: names, types, constraints, locations, routes, error codes. No documentation. Shapes that no
included operation reaches are dropped. An operation that is not included keeps its name alone (and its route, for
a REST service), so that the engine can tell "AWS has it, we do not" from "there is no such operation".
Keys are botocore's own; a key is absent when it has its usual value (POST, /, 200).
--check writes nothing and fails when a file would change.
"""
import fnmatch
import json
import pathlib
import sys

import botocore
import botocore.loaders

OUT = pathlib.Path(__file__).resolve().parent.parent / "crates" / "nbvend-wire" / "models"

# service: (globs taken, globs left out again)
INCLUDE = {
    "apigateway": (
        "*RestApi* *Resource* *Method* *Integration* *Deployment* *Stage* *Account* *Tag* *Tags *Export* "
        "*GatewayResponse* *Model* *RequestValidator* *ApiKey* *UsagePlan*",
        "TestInvoke*",
    ),
    "cloudformation": (
        "*Stack *Stacks *StackEvents *StackResource* *ChangeSet* *Template* ListExports ListImports ContinueUpdateRollback *StackPolicy "
        "*TerminationProtection Signal* DescribeAccountLimits EstimateTemplateCost",
        "*StackSet* *Drift* *GeneratedTemplate* *Refactor* *StackInstance*",
    ),
    "cloudtrail": ("LookupEvents *Trail* *EventSelectors *Logging *Tags", ""),
    "events": ("*", "*Archive* *Replay* *Partner* *EventSource* *ApiDestination* *Connection* *Endpoint*"),
    "iam": (
        "*Role* *Polic* *User* *Group* *AccessKey* *InstanceProfile* *LoginProfile* Simulate* "
        "ChangePassword GetAccountAuthorizationDetails GetAccountSummary *AccountAlias* GetContextKeysFor*",
        "*SSH* *SigningCert* *SAML* *OpenID* *ServerCert* *VirtualMFA* *MFADevice* *ServiceSpecific* "
        "*OutboundWeb* *Organizations* *ServiceLastAccessed* *DelegationRequest* *HumanReadable*",
    ),
    "lambda": (
        "*Function *Functions *FunctionConfiguration *FunctionCode *FunctionConcurrency *Alias *Aliases *Version "
        "*VersionsByFunction *Permission *Policy Invoke InvokeAsync *ProvisionedConcurrency* *EventInvokeConfig* "
        "*Tag* Untag* GetAccountSettings",
        "*Layer* *EventSource* *Url* *CodeSigning* *Durable* *Resource*Policy",
    ),
    "logs": (
        "*LogGroup *LogGroups *LogStream *LogStreams PutLogEvents GetLogEvents FilterLogEvents *RetentionPolicy *ResourcePolicy "
        "*ResourcePolicies Tag* Untag* ListTags*",
        "",
    ),
    "sagemaker": ("*NotebookInstance* AddTags ListTags DeleteTags", ""),
    "servicecatalog": ("*", ""),
    "ssm": ("*Parameter *Parameters *ParametersByPath *ParameterHistory *ParameterVersion *TagsForResource "
            "*TagsToResource *TagsFromResource", ""),
    "sts": ("*", ""),
}

SHAPE_KEYS = "type required enum min max pattern sensitive exception fault error payload flattened streaming eventstream timestampFormat".split()
REF_KEYS = "locationName location flattened timestampFormat streaming jsonvalue xmlAttribute".split()


def included(service, name):
    take, leave = (s.split() for s in INCLUDE[service])
    hit = lambda globs: any(fnmatch.fnmatchcase(name, g) for g in globs)
    return hit(take) and not hit(leave)


def reference(ref):
    out = {"shape": ref["shape"]}
    out.update({k: ref[k] for k in REF_KEYS if ref.get(k) not in (None, False)})
    return out


def shape(full):
    out = {k: full[k] for k in SHAPE_KEYS if k in full and full[k] is not False and full[k] != []}
    if full["type"] == "structure":
        out["members"] = {n: reference(m) for n, m in full["members"].items()}
    for k in ("member", "key", "value"):
        if k in full:
            out[k] = reference(full[k])
    if "error" in out:
        out["error"] = {"code": full["error"].get("code"), "status": full["error"].get("httpStatusCode")}
        out["error"] = {k: v for k, v in out["error"].items() if v is not None}
    return out


def operation(op):
    http = op["http"]
    out = {}
    if http["method"] != "POST":
        out["method"] = http["method"]
    if http["requestUri"] != "/":
        out["uri"] = http["requestUri"]
    if http.get("responseCode", 200) != 200:
        out["status"] = http["responseCode"]
    if "input" in op:
        out["input"] = op["input"]["shape"]
    if "output" in op:
        out["output"] = op["output"]["shape"]
        if "resultWrapper" in op["output"]:
            out["wrapper"] = op["output"]["resultWrapper"]
    if op.get("errors"):
        out["errors"] = [e["shape"] for e in op["errors"]]
    return out


def reach(shapes, roots):
    seen, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        full = shapes[name]
        todo += [m["shape"] for m in full.get("members", {}).values()]
        todo += [full[k]["shape"] for k in ("member", "key", "value") if k in full]
    return seen


def build(service, loader):
    model = loader.load_service_model(service, "service-2")
    meta, rest = model["metadata"], model["metadata"]["protocol"] == "rest-json"
    taken = {n: o for n, o in sorted(model["operations"].items()) if included(service, n)}
    other = {n: o for n, o in sorted(model["operations"].items()) if n not in taken}
    roots = [o[k]["shape"] for o in taken.values() for k in ("input", "output") if k in o]
    roots += [e["shape"] for o in taken.values() for e in o.get("errors", [])]
    head = {"protocol": meta["protocol"], "version": meta["apiVersion"]}
    for key, name in (("jsonVersion", "json"), ("targetPrefix", "target"), ("xmlNamespace", "namespace")):
        if key in meta:
            head[name] = meta[key]
    one = lambda v: json.dumps(v, separators=(",", ":"), ensure_ascii=False)
    lines = ["{"] + [f"{one(k)}:{one(v)}," for k, v in head.items()]
    names = [[n, o["http"]["method"], o["http"]["requestUri"]] for n, o in other.items()] if rest else list(other)
    lines += ['"other":' + one(names) + ",", '"operations":{']
    lines += [",\n".join(f"{one(n)}:{one(operation(o))}" for n, o in taken.items()), "},", '"shapes":{']
    used = sorted(reach(model["shapes"], roots))
    lines += [",\n".join(f"{one(n)}:{one(shape(model['shapes'][n]))}" for n in used), "}", "}"]
    text = "\n".join(lines) + "\n"
    json.loads(text)
    return text, taken, used


def main():
    check, stale = "--check" in sys.argv[1:], []
    loader = botocore.loaders.Loader()
    print("botocore", botocore.__version__)
    for service in INCLUDE:
        text, taken, used = build(service, loader)
        path = OUT / f"{service}.json"
        print(f"{service:16}{len(taken):4} operations {len(used):5} shapes {len(text):8} bytes")
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    if check and stale:
        sys.exit("out of date: " + " ".join(stale))


if __name__ == "__main__":
    main()
