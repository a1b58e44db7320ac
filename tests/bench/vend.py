"""From the order to a Lab that answers."""
import concurrent.futures

from browser import Visitor
from engine import until
from measure import p50, several, timed
from table import Figure

ONE, MANY = 10, 20


def topic(run):
    engine, table = run.engine, run.table
    table.row("`nbvend deploy`, functions built before", Figure(run.deployed, "s"))
    Customer(engine).vend("warm")
    customer = Customer(engine)
    times = several(ONE, lambda at: customer.vend(f"one-{at}"))
    table.row(f"ProvisionProduct sent to Lab answering at the link in Parameter Store, one at a time, p50 of {ONE}",
              Figure(p50(times), "s", f"most {times[-1]:.2f}"), "≤ 0.3 s", "vend")
    table.row(f"{MANY} at once, all answering", Figure(timed(lambda: at_once(engine, MANY, "many"))[0], "s"), "≤ 2 s", "at once")


class Customer:
    """Somebody who orders notebooks, with clients of his own."""

    def __init__(self, engine):
        self.engine = engine
        self.catalog, self.ssm = engine.client("servicecatalog"), engine.client("ssm")
        self.product = self.catalog.search_products()["ProductViewSummaries"][0]["ProductId"]
        self.artifact = self.catalog.describe_product(Id=self.product)["ProvisioningArtifacts"][-1]["Id"]

    def link(self, user):
        try:
            return self.ssm.get_parameter(Name=f"/SageMaker/Notebooks/{user}-Notebook")["Parameter"]["Value"]
        except self.ssm.exceptions.ParameterNotFound:
            return None

    def vend(self, user):
        self.catalog.provision_product(
            ProductId=self.product, ProvisioningArtifactId=self.artifact, ProvisionedProductName=user,
            ProvisioningParameters=[{"Key": "NotebookUserName", "Value": user}])
        url = until(lambda: self.link(user), 120, 0.005)
        assert Visitor(self.engine).get(url).status == 200

    def terminate(self, user):
        record = self.catalog.terminate_provisioned_product(ProvisionedProductName=user)["RecordDetail"]["RecordId"]
        status = until(lambda: self.record(record), 120, 0.005)
        assert status == "SUCCEEDED", status

    def record(self, record):
        status = self.catalog.describe_record(Id=record)["RecordDetail"]["Status"]
        return status if status in ("SUCCEEDED", "FAILED", "IN_PROGRESS_IN_ERROR") else None


def at_once(engine, count, name):
    """Orders that begin together, to the last one's Lab."""
    customers = [Customer(engine) for _ in range(count)]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda at: customers[at].vend(f"{name}-{at}"), range(count)))


def population(engine, count):
    """Sees to it that just so many notebooks run; their names."""
    api = engine.client("sagemaker")
    pages = api.get_paginator("list_notebook_instances").paginate(StatusEquals="InService")
    names = [one["NotebookInstanceName"] for page in pages for one in page["NotebookInstances"]]
    spare = names[count:]
    with concurrent.futures.ThreadPoolExecutor(max(1, len(spare))) as pool:
        list(pool.map(lambda name: stop(engine.client("sagemaker"), name), spare))
    if len(names) < count:
        at_once(engine, count - len(names), f"more-{len(names)}")
        return population(engine, count)
    return names[:count]


def stop(api, name):
    api.stop_notebook_instance(NotebookInstanceName=name)
    reaches(api, name, "Stopped")


def start(api, name):
    api.start_notebook_instance(NotebookInstanceName=name)
    reaches(api, name, "InService")


def reaches(api, name, status):
    seen = lambda: api.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"]
    until(lambda: seen() == status, 60, 0.005)


def page_of(engine, api, name):
    """A visitor who has opened the notebook, and the address of the page he sees."""
    visitor = Visitor(engine)
    page = visitor.get(api.create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"])
    assert page.status == 200, page.status
    return visitor, page.url
