"""Service Catalog as boto3's users drive it: the administrator's side, the user's side, and what is refused."""
import json
import threading
import uuid

import pytest

from engine import until
from refusal import all_pages, refused

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
TEMPLATE = """
Parameters:
  Name: {Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: small letters only}
  Size: {Type: Number, Default: 1, MinValue: 1, MaxValue: 9, Description: how big}
  Colour: {Type: String, Default: red, AllowedValues: [red, blue]}
Resources:
  Kept: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub "/product/${Name}", Type: String, Value: !Ref Size}}
Outputs:
  Where: {Value: !Ref Kept, Description: where it is}
"""
BROKEN = "Resources:\n  A:\n    Type: AWS::SSM::Parameter\n   Properties: {}\n"


@pytest.fixture(scope="module")
def catalog(engine):
    return engine.client("servicecatalog")


@pytest.fixture(scope="module")
def urls(engine):
    """Templates in a bucket, as products read them."""
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="product-templates")
    for name, text in {"good": TEMPLATE, "broken": BROKEN, "bigger": TEMPLATE.replace("Default: 1,", "Default: 2,"),
                       "failing": TEMPLATE.replace("Type: String, Value: !Ref Size",
                                                   "Type: String, Value: !Ref Size, AllowedPattern: '[x]'")}.items():
        s3.put_object(Bucket="product-templates", Key=f"{name}.yml", Body=text.encode())
    return {name: f"{engine.endpoint}/product-templates/{name}.yml" for name in ("good", "broken", "bigger", "failing")}


def product(catalog, url, name="Parameter", **more):
    return catalog.create_product(
        Name=name, Owner="us", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken=str(uuid.uuid4()),
        ProvisioningArtifactParameters={"Name": "v1", "Info": {"LoadTemplateFromURL": url},
                                        "Type": "CLOUD_FORMATION_TEMPLATE"}, **more)


def finished(catalog, record, seconds=30):
    def look():
        detail = catalog.describe_record(Id=record)["RecordDetail"]
        return detail if detail["Status"] in ("SUCCEEDED", "FAILED") else None
    return until(look, seconds)


def provision(catalog, made, name, token=None, **parameters):
    return catalog.provision_product(
        ProductId=made["ProductViewDetail"]["ProductViewSummary"]["ProductId"],
        ProvisioningArtifactId=made["ProvisioningArtifactDetail"]["Id"], ProvisionedProductName=name,
        ProvisionToken=token or str(uuid.uuid4()),
        ProvisioningParameters=[{"Key": k, "Value": v} for k, v in parameters.items()])["RecordDetail"]


@pytest.fixture(scope="module")
def shelf(catalog, urls):
    """A portfolio with one product that may be launched."""
    portfolio = catalog.create_portfolio(DisplayName="Shelf", ProviderName="us", IdempotencyToken="shelf")
    made = product(catalog, urls["good"])
    catalog.associate_product_with_portfolio(
        ProductId=made["ProductViewDetail"]["ProductViewSummary"]["ProductId"],
        PortfolioId=portfolio["PortfolioDetail"]["Id"])
    catalog.associate_principal_with_portfolio(
        PortfolioId=portfolio["PortfolioDetail"]["Id"], PrincipalARN=ROOT, PrincipalType="IAM")
    return {"portfolio": portfolio["PortfolioDetail"]["Id"], "made": made,
            "product": made["ProductViewDetail"]["ProductViewSummary"]["ProductId"],
            "artifact": made["ProvisioningArtifactDetail"]["Id"]}


def test_a_portfolios_life(catalog):
    token = str(uuid.uuid4())
    ask = dict(DisplayName="Books", ProviderName="library", Description="to read", IdempotencyToken=token,
               Tags=[{"Key": "floor", "Value": "2"}])
    made = catalog.create_portfolio(**ask)
    detail = made["PortfolioDetail"]
    assert detail["ARN"] == f"arn:aws:catalog:us-east-1:{ACCOUNT}:portfolio/{detail['Id']}"
    assert catalog.create_portfolio(**ask)["PortfolioDetail"] == detail, "the same token makes the same one"
    refused("InvalidParametersException", catalog.create_portfolio, "(?i)token", **{**ask, "DisplayName": "Films"})
    changed = catalog.update_portfolio(Id=detail["Id"], DisplayName="Papers", AddTags=[{"Key": "a", "Value": "b"}],
                                       RemoveTags=["floor"])
    assert changed["PortfolioDetail"]["DisplayName"] == "Papers" and changed["Tags"] == [{"Key": "a", "Value": "b"}]
    shown = catalog.describe_portfolio(Id=detail["Id"])
    assert shown["PortfolioDetail"]["Description"] == "to read" and shown["Tags"] == changed["Tags"]
    catalog.delete_portfolio(Id=detail["Id"])
    with pytest.raises(catalog.exceptions.ResourceNotFoundException):
        catalog.describe_portfolio(Id=detail["Id"])
    refused("ResourceNotFoundException", catalog.delete_portfolio, Id=detail["Id"])


def test_a_portfolio_goes_last(catalog, urls):
    portfolio = catalog.create_portfolio(DisplayName="Last", ProviderName="us",
                                         IdempotencyToken="last")["PortfolioDetail"]["Id"]
    made = product(catalog, urls["good"], "Last")["ProductViewDetail"]["ProductViewSummary"]["ProductId"]
    pair = {"ProductId": made, "PortfolioId": portfolio}
    refused("ResourceNotFoundException", catalog.disassociate_product_from_portfolio, **pair)
    catalog.associate_product_with_portfolio(**pair)
    catalog.associate_product_with_portfolio(**pair)
    who = {"PortfolioId": portfolio, "PrincipalARN": ROOT, "PrincipalType": "IAM"}
    catalog.associate_principal_with_portfolio(**who)
    catalog.associate_principal_with_portfolio(**who)
    refused("ResourceInUseException", catalog.delete_portfolio, Id=portfolio)
    refused("ResourceInUseException", catalog.delete_product, Id=made)
    assert [p["Id"] for p in catalog.list_portfolios_for_product(ProductId=made)["PortfolioDetails"]] == [portfolio]
    catalog.disassociate_product_from_portfolio(**pair)
    refused("ResourceInUseException", catalog.delete_portfolio, Id=portfolio)
    catalog.disassociate_principal_from_portfolio(PortfolioId=portfolio, PrincipalARN=ROOT)
    catalog.delete_product(Id=made)
    catalog.delete_portfolio(Id=portfolio)
    refused("ResourceNotFoundException", catalog.describe_product_as_admin, Id=made)


def test_products_and_their_versions(catalog, urls):
    made = product(catalog, urls["good"], "Versions", Description="many", SupportEmail="us@example.com",
                   Tags=[{"Key": "a", "Value": "1"}])
    summary = made["ProductViewDetail"]["ProductViewSummary"]
    assert made["ProductViewDetail"]["Status"] in ("CREATED", "AVAILABLE")
    id = summary["ProductId"]
    second = catalog.create_provisioning_artifact(
        ProductId=id, IdempotencyToken="second",
        Parameters={"Name": "v2", "Info": {"LoadTemplateFromURL": urls["bigger"]}, "Type": "CLOUD_FORMATION_TEMPLATE"})
    artifact = second["ProvisioningArtifactDetail"]["Id"]
    listed = catalog.list_provisioning_artifacts(ProductId=id)["ProvisioningArtifactDetails"]
    assert [a["Name"] for a in listed] == ["v1", "v2"]
    shown = catalog.describe_provisioning_artifact(ProductId=id, ProvisioningArtifactId=artifact, Verbose=True)
    assert shown["Info"]["TemplateUrl"] and shown["ProvisioningArtifactDetail"]["Active"] is True
    catalog.update_provisioning_artifact(ProductId=id, ProvisioningArtifactId=artifact, Active=False,
                                         Guidance="DEPRECATED", Name="v2.0")
    shown = catalog.describe_provisioning_artifact(ProductId=id, ProvisioningArtifactId=artifact)
    assert (shown["ProvisioningArtifactDetail"]["Active"], shown["ProvisioningArtifactDetail"]["Name"]) == (False, "v2.0")
    catalog.update_product(Id=id, Name="Editions", Owner="them")
    admin = catalog.describe_product_as_admin(Id=id)
    assert admin["ProductViewDetail"]["ProductViewSummary"]["Name"] == "Editions"
    catalog.delete_provisioning_artifact(ProductId=id, ProvisioningArtifactId=artifact)
    refused("ResourceNotFoundException", catalog.describe_provisioning_artifact, ProductId=id,
            ProvisioningArtifactId=artifact)
    refused("ResourceNotFoundException", catalog.create_provisioning_artifact, ProductId="prod-aaaaaaaaaaaaa",
            IdempotencyToken="x1", Parameters={"Info": {"LoadTemplateFromURL": urls["good"]}})
    catalog.delete_product(Id=id)


def test_a_template_that_is_missing_or_broken_makes_no_product(catalog, urls, engine):
    before = len(all_pages(catalog, "search_products_as_admin", "ProductViewDetails"))
    with pytest.raises(catalog.exceptions.InvalidParametersException, match="cannot be read.*key does not exist"):
        product(catalog, f"{engine.endpoint}/product-templates/none.yml", "Missing")
    refused("InvalidParametersException", product, "(?i)bucket does not exist", catalog=catalog,
            url=f"{engine.endpoint}/no-such-bucket-here/x.yml")
    refused("InvalidParametersException", product, "line 4, column 4|line 4", catalog=catalog, url=urls["broken"])
    refused("InvalidParametersException", product, "", catalog=catalog, url="https://example.com/t.yml")
    assert len(all_pages(catalog, "search_products_as_admin", "ProductViewDetails")) == before


def test_the_users_side_before_a_launch(catalog, shelf):
    view = catalog.search_products(Filters={"FullTextSearch": ["Parameter"]})["ProductViewSummaries"][0]
    assert view["ProductId"] == shelf["product"] and view["Type"] == "CLOUD_FORMATION_TEMPLATE"
    by_id = catalog.describe_product(Id=shelf["product"])
    assert by_id["ProductViewSummary"] == catalog.describe_product(Name="Parameter")["ProductViewSummary"]
    assert [a["Id"] for a in by_id["ProvisioningArtifacts"]] == [shelf["artifact"]]
    assert catalog.describe_product_view(Id=view["Id"])["ProductViewSummary"]["ProductId"] == shelf["product"]
    path = catalog.list_launch_paths(ProductId=shelf["product"])["LaunchPathSummaries"]
    assert [p["Name"] for p in path] == ["Shelf"]
    asked = catalog.describe_provisioning_parameters(
        ProductId=shelf["product"], ProvisioningArtifactId=shelf["artifact"])["ProvisioningArtifactParameters"]
    assert [(p["ParameterKey"], p.get("DefaultValue")) for p in asked] == [
        ("Name", None), ("Size", "1"), ("Colour", "red")]
    assert asked[2]["ParameterConstraints"]["AllowedValues"] == ["red", "blue"]
    assert asked[0]["ParameterConstraints"]["ConstraintDescription"] == "small letters only"
    refused("ResourceNotFoundException", catalog.describe_product, Id="prod-aaaaaaaaaaaaa")
    refused("ResourceNotFoundException", catalog.describe_provisioning_parameters, ProductId=shelf["product"],
            ProvisioningArtifactId="pa-aaaaaaaaaaaaa")


def test_a_launch_from_beginning_to_end(catalog, shelf, engine):
    ssm = engine.client("ssm")
    record = provision(catalog, shelf["made"], "life", Name="life", Size="3")
    assert record["RecordType"] == "PROVISION_PRODUCT" and record["ProvisionedProductType"] == "CFN_STACK"
    done = finished(catalog, record["RecordId"])
    assert (done["Status"], done["RecordErrors"]) == ("SUCCEEDED", [])
    assert ssm.get_parameter(Name="/product/life")["Parameter"]["Value"] == "3"
    outputs = {o["OutputKey"]: o["OutputValue"] for o in
               catalog.describe_record(Id=record["RecordId"])["RecordOutputs"]}
    assert outputs["Where"] == "/product/life"
    assert f":stack/SC-{ACCOUNT}-{record['ProvisionedProductId']}/" in outputs["CloudformationStackARN"]
    detail = catalog.describe_provisioned_product(Name="life")["ProvisionedProductDetail"]
    assert (detail["Status"], detail["Id"], detail["LastRecordId"]) == (
        "AVAILABLE", record["ProvisionedProductId"], record["RecordId"])
    assert {o["OutputKey"] for o in catalog.get_provisioned_product_outputs(
        ProvisionedProductName="life", OutputKeys=["Where"])["Outputs"]} == {"Where"}
    refused("InvalidParametersException", catalog.get_provisioned_product_outputs, ProvisionedProductName="life",
            OutputKeys=["None"])
    with pytest.raises(catalog.exceptions.DuplicateResourceException, match="already exists"):
        provision(catalog, shelf["made"], "life", Name="other")

    changed = catalog.update_provisioned_product(
        ProvisionedProductName="life", ProductId=shelf["product"], ProvisioningArtifactId=shelf["artifact"],
        UpdateToken="one", ProvisioningParameters=[{"Key": "Name", "UsePreviousValue": True},
                                                   {"Key": "Size", "Value": "7"}])["RecordDetail"]
    assert finished(catalog, changed["RecordId"])["Status"] == "SUCCEEDED"
    assert ssm.get_parameter(Name="/product/life")["Parameter"]["Value"] == "7"

    gone = catalog.terminate_provisioned_product(ProvisionedProductName="life", TerminateToken="end")["RecordDetail"]
    assert gone["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT"
    assert finished(catalog, gone["RecordId"])["Status"] == "SUCCEEDED"
    refused("ResourceNotFoundException", catalog.describe_provisioned_product, Name="life")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/product/life")
    assert finished(catalog, record["RecordId"])["Status"] == "SUCCEEDED", "the record stays"
    refused("ResourceNotFoundException", catalog.terminate_provisioned_product, ProvisionedProductName="life",
            TerminateToken="again")


@pytest.mark.parametrize("parameters, says", [
    ({"Name": "NOT"}, "small letters only"),
    ({"Name": "good", "Size": "10"}, "Size"),
    ({"Name": "good", "Size": "many"}, "Size"),
    ({"Name": "good", "Colour": "green"}, "Colour"),
    ({}, "Name"),
    ({"Name": "good", "Unknown": "x"}, "Unknown"),
])
def test_a_wrong_parameter_launches_nothing(catalog, shelf, parameters, says):
    with pytest.raises(catalog.exceptions.InvalidParametersException, match=says):
        catalog.provision_product(
            ProductId=shelf["product"], ProvisioningArtifactId=shelf["artifact"], ProvisionedProductName="wrong",
            ProvisionToken=str(uuid.uuid4()),
            ProvisioningParameters=[{"Key": k, "Value": v} for k, v in parameters.items()])
    refused("ResourceNotFoundException", catalog.describe_provisioned_product, Name="wrong")


def test_a_launch_that_fails_says_why_and_can_be_ended(catalog, urls, shelf, engine):
    made = product(catalog, urls["failing"], "Failing")
    catalog.associate_product_with_portfolio(
        ProductId=made["ProductViewDetail"]["ProductViewSummary"]["ProductId"], PortfolioId=shelf["portfolio"])
    record = provision(catalog, made, "failing", Name="fails")
    done = finished(catalog, record["RecordId"])
    assert done["Status"] == "FAILED" and done["RecordErrors"][0]["Description"], done
    detail = catalog.describe_provisioned_product(Name="failing")["ProvisionedProductDetail"]
    assert detail["Status"] in ("ERROR", "TAINTED") and detail["StatusMessage"]
    stack = engine.client("cloudformation").describe_stacks(
        StackName=f"SC-{ACCOUNT}-{record['ProvisionedProductId']}")["Stacks"][0]
    assert stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED")
    refused("DuplicateResourceException", provision, catalog=catalog, made=made, name="failing")
    gone = catalog.terminate_provisioned_product(ProvisionedProductName="failing", TerminateToken="e")["RecordDetail"]
    assert finished(catalog, gone["RecordId"])["Status"] == "SUCCEEDED"


def test_the_same_token_launches_once(catalog, shelf):
    """Eight at once with one token, as retries are: one record, one product."""
    records, token = [], str(uuid.uuid4())

    def launch():
        records.append(provision(catalog, shelf["made"], "once", token, Name="once")["RecordId"])

    threads = [threading.Thread(target=launch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records) == 8 and len(set(records)) == 1
    assert finished(catalog, records[0])["Status"] == "SUCCEEDED"
    refused("InvalidParametersException", provision, "(?i)token", catalog=catalog, made=shelf["made"], name="else",
            token=token)


def test_listings_page(catalog, urls, shelf):
    ids = []
    for at in range(5):
        made = product(catalog, urls["good"], f"Page {at}")
        ids.append(made["ProductViewDetail"]["ProductViewSummary"]["ProductId"])
        portfolio = catalog.create_portfolio(DisplayName=f"Page {at}", ProviderName="us",
                                             IdempotencyToken=f"page-{at}")["PortfolioDetail"]["Id"]
        catalog.associate_product_with_portfolio(ProductId=ids[0], PortfolioId=portfolio)
        catalog.associate_product_with_portfolio(ProductId=ids[-1], PortfolioId=shelf["portfolio"])
        catalog.associate_principal_with_portfolio(
            PortfolioId=shelf["portfolio"], PrincipalARN=f"arn:aws:iam::{ACCOUNT}:role/Page{at}", PrincipalType="IAM")
    found = all_pages(catalog, "search_products_as_admin", "ProductViewDetails", PortfolioId=shelf["portfolio"])
    assert set(ids) <= {p["ProductViewSummary"]["ProductId"] for p in found}
    portfolios = all_pages(catalog, "list_portfolios_for_product", "PortfolioDetails", ProductId=ids[0])
    assert len(portfolios) == 6 and len({p["Id"] for p in portfolios}) == 6
    assert len(all_pages(catalog, "list_portfolios", "PortfolioDetails")) >= 6
    principals = all_pages(catalog, "list_principals_for_portfolio", "Principals", PortfolioId=shelf["portfolio"])
    assert len({p["PrincipalARN"] for p in principals}) == len(principals) == 6
    paths = all_pages(catalog, "list_launch_paths", "LaunchPathSummaries", ProductId=shelf["product"])
    assert len(paths) == 1

    def by_token(call, key, **parameters):
        """Pages of operations that have no paginator."""
        items, token = [], None
        while True:
            page = call(PageSize=2, **parameters, **({"PageToken": token} if token else {}))
            assert len(page[key]) <= 2
            items += page[key]
            token = page.get("NextPageToken")
            if not token:
                return items

    names = [p["Name"] for p in by_token(catalog.search_products, "ProductViewSummaries", SortBy="Title",
                                         SortOrder="DESCENDING")]
    assert [n for n in names if n.startswith("Page")] == [f"Page {at}" for at in (4, 3, 2, 1, 0)]
    launched = [provision(catalog, shelf["made"], f"page-{at}", Name="page" + "abcde"[at]) for at in range(5)]
    for record in launched:
        assert finished(catalog, record["RecordId"])["Status"] == "SUCCEEDED"
    wanted = {r["ProvisionedProductId"] for r in launched}
    for call, key in ((catalog.search_provisioned_products, "ProvisionedProducts"),
                      (catalog.scan_provisioned_products, "ProvisionedProducts")):
        got = [p["Id"] for p in by_token(call, key)]
        assert wanted <= set(got) and len(got) == len(set(got))
    found = catalog.search_provisioned_products(Filters={"SearchQuery": ["name:page-3"]})
    assert [p["Name"] for p in found["ProvisionedProducts"]] == ["page-3"]
    history = all_pages(catalog, "list_record_history", "RecordDetails")
    assert len({r["RecordId"] for r in history}) == len(history)
    assert {r["RecordId"] for r in launched} <= {r["RecordId"] for r in history}
    one = catalog.list_record_history(SearchFilter={"Key": "provisionedproduct",
                                                    "Value": launched[0]["ProvisionedProductId"]})["RecordDetails"]
    assert [r["RecordId"] for r in one] == [launched[0]["RecordId"]]
    refused("InvalidParametersException", catalog.search_products, PageToken="nonsense")


def test_constraints(catalog, engine, shelf):
    iam = engine.client("iam")
    role = iam.create_role(RoleName="Launcher", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"Service": "servicecatalog.amazonaws.com"}}]}))
    iam.put_role_policy(RoleName="Launcher", PolicyName="all", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    where = {"PortfolioId": shelf["portfolio"], "ProductId": shelf["product"]}
    launch = dict(Type="LAUNCH", Parameters=json.dumps({"RoleArn": role["Role"]["Arn"]}), **where)
    made = catalog.create_constraint(IdempotencyToken="c1", **launch)
    id = made["ConstraintDetail"]["ConstraintId"]
    refused("DuplicateResourceException", catalog.create_constraint, IdempotencyToken="c2", **launch)
    assert json.loads(catalog.describe_constraint(Id=id)["ConstraintParameters"])["RoleArn"] == role["Role"]["Arn"]
    listed = all_pages(catalog, "list_constraints_for_portfolio", "ConstraintDetails", PortfolioId=shelf["portfolio"])
    assert [c["ConstraintId"] for c in listed] == [id]
    record = provision(catalog, shelf["made"], "as-role", Name="asrole")
    done = finished(catalog, record["RecordId"])
    assert done["Status"] == "SUCCEEDED" and done["LaunchRoleArn"] == role["Role"]["Arn"]
    catalog.update_constraint(Id=id, Description="who launches")
    assert catalog.describe_constraint(Id=id)["ConstraintDetail"]["Description"] == "who launches"
    catalog.terminate_provisioned_product(ProvisionedProductName="as-role", TerminateToken="t")
    until(lambda: not [p for p in catalog.search_provisioned_products()["ProvisionedProducts"]
                       if p["Name"] == "as-role"])
    catalog.delete_constraint(Id=id)
    refused("ResourceNotFoundException", catalog.describe_constraint, Id=id)
    refused("InvalidParametersException", catalog.create_constraint, IdempotencyToken="c3", Type="LAUNCH",
            Parameters="{", **where)
    refused("InvalidParametersException", catalog.create_constraint, IdempotencyToken="c4", Type="LAUNCH",
            Parameters=json.dumps({"RoleArn": "arn"}), **where)


def test_wrong_names(catalog, shelf):
    for name in ("-begins-badly", "blank name", "ü"):
        refused("ValidationException", catalog.provision_product, "provisionedProductName", status=400,
                ProductId=shelf["product"], ProvisioningArtifactId=shelf["artifact"], ProvisionedProductName=name,
                ProvisionToken="t1")
    refused("InvalidParametersException", catalog.provision_product, ProvisionedProductName="x", ProvisionToken="t2")
    refused("InvalidParametersException", catalog.describe_product)


def test_a_launch_in_the_middle_of_a_kill(engine, catalog, shelf):
    record = provision(catalog, shelf["made"], "killed", "kill-token", Name="killed")
    engine.kill()
    engine.start()
    again = engine.client("servicecatalog")
    assert finished(again, record["RecordId"])["Status"] == "SUCCEEDED"
    assert provision(again, shelf["made"], "killed", "kill-token", Name="killed")["RecordId"] == record["RecordId"]
    assert engine.client("ssm").get_parameter(Name="/product/killed")["Parameter"]["Value"] == "1"
