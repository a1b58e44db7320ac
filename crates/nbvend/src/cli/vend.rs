//! `nbvend vend`: from nothing to a link that opens a notebook.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use nbvend_host::jupyter::{self, Step};
use serde_json::{Value, json};

use super::detach::detach;
use super::notebook::{instance, product, token, wait, wait_record};
use super::open::{browse, link};
use super::up::Up;
use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::{Printer, Work};
use crate::solution;

#[derive(Args)]
pub struct Vend {
    /// Whom the notebook is for
    user: String,
    /// The instance type
    #[arg(long = "type", default_value = "ml.t2.medium", value_name = "TYPE")]
    kind: String,
    /// Open the link in the browser
    #[arg(long)]
    open: bool,
}

/// How long the event function may take to publish the link after the notebook is in service.
const LINK_PATIENCE: Duration = Duration::from_secs(120);

impl Vend {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        let client = match Client::of_person(&home).await? {
            // Somebody who may launch: engine and catalog are others' business.
            Some(client) => client,
            None => ready(&home, printer).await?,
        };
        let work = printer.work(&format!("vending a notebook to {}", self.user));
        let earlier = parameter(&client, &self.user).await?;
        let url = match self.provision(&client).await? {
            Some(record) => {
                follow(&client, &record, &self.user, &work).await?;
                published(&client, &self.user, earlier.map(|link| link.version), &work).await?
            }
            // It was vended before: start it if need be, and make a fresh link.
            None => {
                resume(&client, &self.user, &work).await?;
                link(&client, &self.user).await?
            }
        };
        work.done(&format!("the notebook of {} is in service", self.user));
        printer.document(&json!({"user": self.user, "notebook": instance(&self.user), "url": url}));
        printer.line(&url);
        if self.open {
            browse(&url, printer);
        }
        Ok(())
    }

    /// Asks the catalog; `None` if the user has a notebook already.
    async fn provision(&self, client: &Client) -> Result<Option<String>, Failure> {
        let products = client.json("servicecatalog", "SearchProducts", json!({})).await?;
        let all = products["ProductViewSummaries"].as_array().cloned().unwrap_or_default();
        let found = all.iter().find(|summary| summary["Name"] == "SageMaker Notebook");
        let product_id = found.map(|summary| summary["ProductId"].clone()).ok_or_else(|| {
            Failure::new("the catalog has no product \"SageMaker Notebook\"; deploy it with `nbvend deploy`")
        })?;
        let described = client.json("servicecatalog", "DescribeProduct", json!({"Id": product_id})).await?;
        let artifact = described["ProvisioningArtifacts"].as_array().and_then(|all| all.last()).cloned();
        let input = json!({
            "ProductId": product_id,
            "ProvisioningArtifactId": artifact.unwrap_or_default()["Id"],
            "ProvisionedProductName": product(&self.user),
            "ProvisioningParameters": [
                {"Key": "NotebookInstanceType", "Value": self.kind},
                {"Key": "NotebookUserName", "Value": self.user},
                {"Key": "S3IAMConfigStackName", "Value": solution::STACKS[0]},
            ],
            "ProvisionToken": token(),
        });
        match client.json("servicecatalog", "ProvisionProduct", input).await {
            Ok(answer) => Ok(answer["RecordDetail"]["RecordId"].as_str().map(str::to_owned)),
            Err(error) if error.code == "DuplicateResourceException" => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Everything that a first vend on this machine needs, and the root user's client.
async fn ready(home: &Home, printer: &Printer) -> Result<Client, Failure> {
    prepare_jupyter(home, printer).await?;
    if home.running().is_none() {
        let work = printer.work("starting the engine");
        let usual = Up::default();
        let listen = home.listened().unwrap_or(usual.listen);
        let running = detach(home, &Up { listen, ..usual }).await?;
        work.done(&format!("the engine runs at {}", running.endpoint));
    }
    let client = Client::of(home)?;
    if !solution::is_deployed(home, &client).await {
        solution::deploy(home, &client, "AWS_IAM", printer).await?;
    }
    Ok(client)
}

/// The one-time install, with its progress.
async fn prepare_jupyter(home: &Home, printer: &Printer) -> Result<(), Failure> {
    let work = std::sync::Mutex::new(None::<(String, std::time::Instant)>);
    let say = |text: String| {
        let mut last = work.lock().expect("nobody panics while speaking");
        let fresh =
            last.as_ref().is_none_or(|(said, at)| *said != text && at.elapsed() > Duration::from_millis(500));
        if fresh {
            printer.note(&text);
            *last = Some((text, std::time::Instant::now()));
        }
    };
    let folder = home.path("jupyter");
    let prepared = jupyter::prepare(&folder, |step| match step {
        Step::Waiting => say("waiting for another nbvend that prepares JupyterLab".to_owned()),
        Step::CreatingVenv { version, .. } => {
            say(format!("preparing JupyterLab once, with Python {version}"))
        }
        Step::Downloading { done, total, package } => say(format!("  downloading {done}/{total} {package}")),
        Step::Installing { done, total } => say(format!("  installing {done}/{total}")),
        Step::Compiling => say("  compiling".to_owned()),
        Step::Checking => say("  checking".to_owned()),
        Step::Ready { jupyterlab } => printer.note(&format!("JupyterLab {jupyterlab} is prepared")),
    });
    prepared.await.map(|_| ()).map_err(|error| Failure::new(error.to_string()))
}

async fn follow(client: &Client, record: &str, user: &str, work: &Work) -> Result<(), Failure> {
    work.at(&format!("{}: CloudFormation makes it", instance(user)));
    wait_record(client, record).await.map(|_| ())
}

/// What the parameter of a user's notebook holds.
struct Published {
    url: String,
    version: i64,
}

async fn parameter(client: &Client, user: &str) -> Result<Option<Published>, Failure> {
    let name = json!({"Name": format!("/SageMaker/Notebooks/{}", instance(user))});
    match client.json("ssm", "GetParameter", name).await {
        Ok(answer) => {
            let parameter = &answer["Parameter"];
            let url = parameter["Value"].as_str().unwrap_or_default().to_owned();
            Ok(Some(Published { url, version: parameter["Version"].as_i64().unwrap_or_default() }))
        }
        // Who may read her own parameter only is not told that there is none yet.
        Err(error) if ["ParameterNotFound", "AccessDeniedException"].contains(&error.code.as_str()) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for the link that the event function publishes. The parameter of an earlier notebook of that name, at the
/// version `earlier`, is there still and leads nowhere.
async fn published(
    client: &Client,
    user: &str,
    earlier: Option<i64>,
    work: &Work,
) -> Result<String, Failure> {
    work.at(&format!("{}: waiting for its link", instance(user)));
    let begun = std::time::Instant::now();
    while begun.elapsed() < LINK_PATIENCE {
        match parameter(client, user).await? {
            Some(link) if Some(link.version) != earlier => return Ok(link.url),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    Err(Failure::new(format!(
        "no link appeared in /SageMaker/Notebooks/{}; see the function's log: aws logs tail /aws/lambda/EventBridgeFunction",
        instance(user)
    )))
}

async fn resume(client: &Client, user: &str, work: &Work) -> Result<(), Failure> {
    let name = instance(user);
    let input = json!({"NotebookInstanceName": name});
    let state: Value =
        client.json("sagemaker", "DescribeNotebookInstance", input.clone()).await.map_err(|error| {
            if error.code == "AccessDeniedException" {
                return Failure::new(format!("the name {user} is taken: somebody else launched {name}"));
            }
            Failure::new(format!(
                "{} was vended before, yet its notebook cannot be found ({error}); nbvend terminate {user}",
                product(user)
            ))
        })?;
    if ["Stopped", "Failed"].contains(&state["NotebookInstanceStatus"].as_str().unwrap_or_default()) {
        work.at(&format!("{name}: starting"));
        client.json("sagemaker", "StartNotebookInstance", input).await?;
    }
    wait(client, &name, "InService", |status| work.at(&format!("{name}: {status}"))).await.map(|_| ())
}
