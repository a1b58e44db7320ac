//! The catalog in process: as administrators keep it, as users find it, and what becomes of a launch.

mod catalog;
mod cfn;
mod launch;
mod life;
mod restart;
mod users;

use nbvend_wire::error::WireError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::identity::{Caller, Principal};
use crate::outbox;
use crate::store::Record;
use crate::testing::{REGION, World, drop_nulls};

pub const LAUNCH_ROLE: &str = "arn:aws:iam::123456789012:role/catalog/Launch";

/// A thing that fails, is slow, has a secret: whatever the parameters say.
pub const TEMPLATE: &str = "
AWSTemplateFormatVersion: '2010-09-09'
Description: A thing of one's own
Parameters:
  Size: {Type: String, Default: small, AllowedValues: [small, large], Description: How big}
  Name: {Type: String, MinLength: 2, MaxLength: 9, AllowedPattern: '[a-z]+', ConstraintDescription: lower case please}
  Secret: {Type: String, NoEcho: true, Default: hush}
  Fail: {Type: String, Default: ''}
  Slow: {Type: Number, Default: 0}
Resources:
  Thing: {Type: 'Test::Thing', Properties: {Name: !Sub 'thing-${Name}', Size: !Ref Size, Fail: !Ref Fail, Slow: !Ref Slow}}
Outputs:
  ThingId: {Value: !Ref Thing, Description: What it is called}
";

/// A call as root; what it answers is as the model has it.
pub async fn sc(world: &World, operation: &str, input: Value) -> Result<Value, WireError> {
    sc_as(world, world.root(), operation, input).await
}

pub async fn sc_as(world: &World, caller: Caller, operation: &str, input: Value) -> Result<Value, WireError> {
    let mut input = input;
    // As SDKs fill them in.
    for token in ["IdempotencyToken", "ProvisionToken", "UpdateToken", "TerminateToken"] {
        let model = nbvend_wire::model::service("servicecatalog").unwrap();
        let shape = model.operation(operation).unwrap().input.map(|id| model.shape(id)).unwrap();
        if shape.member(token).is_some() && input.get(token).is_none() {
            input[token] = json!(world.engine.ids().uuid());
        }
    }
    let mut answer = world.wire_as(caller, "servicecatalog", operation, input).await?;
    drop_nulls(&mut answer);
    Ok(answer)
}

/// `code message` of a refusal.
pub fn refusal(outcome: Result<Value, WireError>) -> String {
    let error = outcome.expect_err("it should have been refused");
    assert_eq!(error.status, 400, "{error}");
    format!("{} {}", error.code, error.message)
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A call of S3, which has no model.
pub async fn s3(world: &World, operation: &str, input: Value) -> Result<Value, WireError> {
    let entry = crate::services::find("s3").unwrap().operation(operation).unwrap();
    (entry.run)(world.engine.clone(), world.root(), input).await
}

/// Puts an object in the bucket `templates`.
pub async fn upload(world: &World, key: &str, body: &str) {
    s3(world, "CreateBucket", json!({"BucketName": "templates"})).await.unwrap();
    put(world, "templates", key, body).await;
}

pub async fn put(world: &World, bucket: &str, key: &str, body: &str) {
    let blob = world.engine.store().blobs().put(body.as_bytes()).unwrap();
    let input = json!({"BucketName": bucket, "Key": key,
        "Body": {"blob": blob, "size": body.len(), "md5": "", "e_tag": "", "checksum": null}});
    s3(world, "PutObject", input).await.unwrap();
}

pub fn url(key: &str) -> String {
    format!("https://templates.s3.amazonaws.com/{key}")
}

/// A product in a portfolio, with a launch role.
pub struct Shop {
    pub world: World,
    pub portfolio: String,
    pub product: String,
    pub artifact: String,
}

pub async fn portfolio(world: &World, name: &str) -> String {
    let made =
        sc(world, "CreatePortfolio", json!({"DisplayName": name, "ProviderName": "IT"})).await.unwrap();
    text(&made["PortfolioDetail"]["Id"])
}

pub fn product_input(name: &str, key: &str) -> Value {
    json!({"Name": name, "Owner": "IT", "ProductType": "CLOUD_FORMATION_TEMPLATE",
        "ProvisioningArtifactParameters": {"Name": "v1", "Info": {"LoadTemplateFromURL": url(key)}}})
}

pub async fn associate(world: &World, portfolio: &str, product: &str) {
    let input = json!({"PortfolioId": portfolio, "ProductId": product});
    sc(world, "AssociateProductWithPortfolio", input).await.unwrap();
}

pub async fn open_to(world: &World, portfolio: &str, kind: &str, principal: &str) {
    let input = json!({"PortfolioId": portfolio, "PrincipalARN": principal, "PrincipalType": kind});
    sc(world, "AssociatePrincipalWithPortfolio", input).await.unwrap();
}

/// A shop without a launch role.
pub async fn bare_shop(template: &str) -> Shop {
    let world = World::new();
    upload(&world, "t.yml", template).await;
    let portfolio = portfolio(&world, "Things").await;
    let made = sc(&world, "CreateProduct", product_input("Thing", "t.yml")).await.unwrap();
    let product = text(&made["ProductViewDetail"]["ProductViewSummary"]["ProductId"]);
    let artifact = text(&made["ProvisioningArtifactDetail"]["Id"]);
    associate(&world, &portfolio, &product).await;
    Shop { world, portfolio, product, artifact }
}

pub async fn shop() -> Shop {
    let shop = bare_shop(TEMPLATE).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "servicecatalog.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role =
        json!({"RoleName": "Launch", "Path": "/catalog/", "AssumeRolePolicyDocument": trust.to_string()});
    shop.world.wire("iam", "CreateRole", role).await.unwrap();
    // What the templates of these tests make, and the making itself.
    shop.world.allow("Role", "Launch", &["cloudformation:*", "s3:*", "sts:GetCallerIdentity"]).await;
    constrain(&shop, "LAUNCH", &json!({"RoleArn": LAUNCH_ROLE})).await.unwrap();
    shop
}

pub async fn constrain(shop: &Shop, kind: &str, parameters: &Value) -> Result<Value, WireError> {
    let input = json!({"PortfolioId": shop.portfolio, "ProductId": shop.product, "Type": kind,
        "Parameters": parameters.to_string()});
    sc(&shop.world, "CreateConstraint", input).await
}

impl Shop {
    /// A request for a launch with the parameters `Key=value`.
    pub fn order(&self, name: &str, parameters: &[(&str, &str)]) -> Value {
        let list: Vec<Value> =
            parameters.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({"ProductId": self.product, "ProvisioningArtifactId": self.artifact,
            "ProvisionedProductName": name, "ProvisioningParameters": list})
    }

    /// Launches and waits.
    pub async fn launch(&self, name: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = sc(&self.world, "ProvisionProduct", self.order(name, parameters)).await.unwrap();
        settle(&self.world).await;
        answer["RecordDetail"].clone()
    }
}

/// Lets all work run, the clock moved on for what is polled.
pub async fn settle(world: &World) {
    for _ in 0..8 {
        world.settle().await;
        world.clock.advance(1);
    }
}

pub async fn record(world: &World, id: &Value) -> Value {
    sc(world, "DescribeRecord", json!({"Id": id})).await.unwrap()
}

/// `STATUS` of a record, and why it failed; of what a resource's handler says, without its ids.
pub async fn outcome(world: &World, id: &Value) -> String {
    let detail = record(world, id).await["RecordDetail"].clone();
    let why = detail["RecordErrors"][0]["Description"].as_str().unwrap_or_default();
    let why = why.replace("Resource handler returned message: \"", "");
    let why = why.split(" (Service: ").next().unwrap_or_default();
    format!("{} {why}", text(&detail["Status"])).trim_end().to_owned()
}

pub async fn product(world: &World, name: &str) -> Value {
    let answer = sc(world, "DescribeProvisionedProduct", json!({"Name": name})).await.unwrap();
    answer["ProvisionedProductDetail"].clone()
}

/// Makes an IAM user who may launch, and is her.
pub async fn user(world: &World, name: &str) -> Caller {
    world.user(name, &["servicecatalog:*"]).await
}

/// A session of a role that may launch; the role is made if there is none.
pub async fn session(world: &World, path: &str, role: &str, session: &str) -> Caller {
    let make = json!({"RoleName": role, "Path": path, "AssumeRolePolicyDocument": json!({"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}).to_string()});
    if world.wire("iam", "CreateRole", make).await.is_ok() {
        world.allow("Role", role, &["servicecatalog:*"]).await;
    }
    let found = world.wire("iam", "GetRole", json!({"RoleName": role})).await.unwrap();
    let principal = Principal::AssumedRole {
        role: role.to_owned(),
        role_id: text(&found["Role"]["RoleId"]),
        path: path.to_owned(),
        session: session.to_owned(),
    };
    Caller { principal, access_key_id: None, ..world.root() }
}

/// The trail's records of an operation that have not left the outbox yet.
pub fn trail(world: &World, operation: &str) -> Vec<Value> {
    let pending = world.engine.store().read(|tx| outbox::oldest(tx, 1000)).unwrap().unwrap();
    let details = pending.into_iter().map(|pending| pending.event["detail"].clone());
    details.filter(|detail| detail["eventName"] == operation).collect()
}

/// What the test's resource type keeps.
#[derive(Debug, Serialize, Deserialize)]
pub struct Thing {
    pub id: String,
    pub properties: Value,
    pub tags: Vec<(String, String)>,
    pub changes: u64,
    pub by: String,
}

impl Record for Thing {
    const KIND: &'static str = "test.thing";
    fn key(&self) -> String {
        self.id.clone()
    }
}

pub fn things(world: &World) -> Vec<Thing> {
    world.engine.store().read(|tx| tx.list::<Thing>(REGION, "", None, 1000)).unwrap().unwrap()
}
