//! The solution, as this binary carries it, and how it is deployed: the same steps a person takes with the AWS CLI and
//! SAM, through the same APIs.

mod functions;
pub mod people;
mod stacks;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::failure::Failure;
use crate::home::{Home, write_private};
use crate::printer::Printer;
use stacks::{Stack, apply, output};

/// The three stacks, in the order they are made.
pub const STACKS: [&str; 3] = ["s3-iam-config", "service-catalog-config", "sam-app"];

const S3_IAM: &str = include_str!("../../../../templates/s3-iam-config.yml");
const SERVICE_CATALOG: &str = include_str!("../../../../templates/service-catalog.yml");
const PRODUCT: &str = include_str!("../../../../templates/sm-notebook.yml");
const SAM: &str = include_str!("../../../../lambda/template.yaml");

/// The key of the product's template in the first stack's bucket.
const PRODUCT_KEY: &str = "sm-notebook.yml";
/// Where the last deployment's fingerprint is kept.
const MARK: &str = "deployed";

/// Whether what this binary carries is what was deployed here last, and the stacks are still there.
pub async fn is_deployed(home: &Home, client: &Client) -> bool {
    let mark = std::fs::read_to_string(home.path(MARK)).unwrap_or_default();
    if mark != fingerprint(client) {
        return false;
    }
    for name in STACKS {
        let answer = client.query("cloudformation", "DescribeStacks", json!({"StackName": name})).await;
        let status = answer.map(|a| a["Stacks"][0]["StackStatus"].as_str().unwrap_or_default().to_owned());
        if !matches!(status.as_deref(), Ok("CREATE_COMPLETE" | "UPDATE_COMPLETE")) {
            return false;
        }
    }
    true
}

/// Deploys or brings up to date. Doing it again changes nothing.
pub async fn deploy(
    home: &Home,
    client: &Client,
    refresh_authorization: &str,
    printer: &Printer,
) -> Result<(), Failure> {
    // The longest step first: if the functions cannot be built, nothing is made.
    let packages = functions::packages(home, printer).await?;

    let work = printer.work("deploying the solution: s3-iam-config");
    let parameters = [("SageMakerNotebookInstanceRoleName", "SageMakerNotebookInstanceRole")];
    apply(client, &Stack::new(STACKS[0], S3_IAM, &parameters)).await?;
    let bucket = output(client, STACKS[0], "S3BucketName").await?;
    client.put_object(&bucket, PRODUCT_KEY, Bytes::from_static(PRODUCT.as_bytes())).await?;

    work.at("deploying the solution: service-catalog-config");
    let identity = client.query("sts", "GetCallerIdentity", json!({})).await?;
    let parameters = [
        ("NotebookInstanceType", "ml.t2.medium"),
        ("S3IAMConfigStackName", STACKS[0]),
        ("ServiceCatalogTemplateName", PRODUCT_KEY),
        ("S3BucketName", &bucket),
        ("UserIAMPrincipal", identity["Arn"].as_str().unwrap_or_default()),
    ];
    apply(client, &Stack::new(STACKS[1], SERVICE_CATALOG, &parameters)).await?;

    work.at("deploying the solution: sam-app");
    let mut template = nbvend_template::Template::parse(SAM)
        .map_err(|error| Failure::new(format!("lambda/template.yaml: {error}")))?
        .value;
    for package in packages {
        let key = format!("sam-app/{}", package.id);
        client.put_object(&bucket, &key, package.zip).await?;
        let function = &mut template["Resources"][package.function];
        function["Properties"]["CodeUri"] = json!(format!("s3://{bucket}/{key}"));
        // How SAM builds it; CloudFormation has no use for it.
        if let Some(members) = function.as_object_mut() {
            members.remove("Metadata");
        }
    }
    drop_relative_code(&mut template);
    let parameters = [("RefreshAuthorization", refresh_authorization)];
    apply(client, &Stack::new(STACKS[2], &template.to_string(), &parameters)).await?;
    people::refresh_people(client).await?;
    write_private(&home.path(MARK), &fingerprint(client))?;
    work.done("the solution is deployed");
    Ok(())
}

/// The globals' `CodeUri: .` is for `sam build`; every function has its own by now.
fn drop_relative_code(template: &mut Value) {
    if let Some(function) = template["Globals"]["Function"].as_object_mut() {
        function.remove("CodeUri");
    }
}

fn fingerprint(client: &Client) -> String {
    let mut digest = Sha256::new();
    for text in [S3_IAM, SERVICE_CATALOG, PRODUCT, SAM, &functions::sources_id(), &client.region] {
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}
