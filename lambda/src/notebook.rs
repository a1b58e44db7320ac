//! What the functions ask of SageMaker and Parameter Store: look at a notebook, see where it came from, make a
//! link to it and store it.

use serde_json::{Value, json};

use crate::aws::{Client, Error, SAGEMAKER, SSM};
use crate::log;

/// A notebook instance as SageMaker describes it.
pub struct Notebook {
    /// The name as it was created; SageMaker finds an instance by any letter case.
    pub name: String,
    pub arn: String,
    pub status: String,
    /// Why it failed, if it did.
    pub failure: String,
}

/// Where a notebook came from, by the tags that Service Catalog puts on what it launches. Nobody else can: AWS
/// refuses tags that begin with `aws:` from callers.
#[derive(Default)]
pub struct Origin {
    /// ARN of the provisioned product, ending in its id.
    pub provisioned_product: Option<String>,
    /// ARN of whoever launched it.
    pub principal: Option<String>,
}

impl Origin {
    /// Whether the notebook belongs to the provisioned product with this id (`pp-…`).
    pub fn is_product(&self, id: &str) -> bool {
        let own = self.provisioned_product.as_deref().and_then(|arn| arn.rsplit_once('/'));
        own.is_some_and(|(_, own)| own == id)
    }
}

/// A presigned URL: whoever holds it opens the notebook. Neither printable nor comparable, so that it cannot slip
/// into a message.
pub struct Link(String);

impl Link {
    /// The URL, for the one answer that is meant to carry it.
    pub fn reveal(self) -> String {
        self.0
    }
}

/// The instance called `name`, if there is one.
pub fn describe(aws: &Client<'_>, name: &str) -> Result<Option<Notebook>, Error> {
    let operation = "DescribeNotebookInstance";
    let found = match aws.call(&SAGEMAKER, operation, &json!({ "NotebookInstanceName": name })) {
        // SageMaker has no code of its own for this.
        Err(Error::Refused { code, message, .. })
            if code == "ValidationException" && message.contains("RecordNotFound") =>
        {
            return Ok(None);
        }
        found => found?,
    };
    let text = |member: &str| found.get(member).and_then(Value::as_str).map(str::to_owned);
    let need = |member: &str| text(member).ok_or(Error::Unreadable { operation });
    Ok(Some(Notebook {
        name: need("NotebookInstanceName")?,
        arn: need("NotebookInstanceArn")?,
        status: need("NotebookInstanceStatus")?,
        failure: text("FailureReason").unwrap_or_default(),
    }))
}

/// Reads the origin from the notebook's tags.
pub fn origin(aws: &Client<'_>, notebook: &Notebook) -> Result<Origin, Error> {
    let mut origin = Origin::default();
    let mut page = json!({ "ResourceArn": notebook.arn });
    loop {
        let found = aws.call(&SAGEMAKER, "ListTags", &page)?;
        for tag in found["Tags"].as_array().into_iter().flatten() {
            let value = tag["Value"].as_str().map(str::to_owned);
            match tag["Key"].as_str() {
                Some("aws:servicecatalog:provisionedProductArn") => origin.provisioned_product = value,
                Some("aws:servicecatalog:provisioningPrincipalArn") => origin.principal = value,
                _ => {}
            }
        }
        match found["NextToken"].as_str() {
            Some(next) => page["NextToken"] = next.into(),
            None => return Ok(origin),
        }
    }
}

/// Whether the notebook's parameter is likely to be there already: what is tried first. Either way both work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stored {
    /// A first link.
    NotYet,
    /// A further one.
    Before,
}

/// Makes a link whose session lasts `session_seconds` and stores it for the notebook's owner. The caller has seen to it
/// that the notebook is the right one.
pub fn link(
    aws: &Client<'_>,
    notebook: &Notebook,
    origin: &Origin,
    session_seconds: u32,
    stored: Stored,
) -> Result<Link, Error> {
    let operation = "CreatePresignedNotebookInstanceUrl";
    let input = json!({
        "NotebookInstanceName": notebook.name,
        "SessionExpirationDurationInSeconds": session_seconds,
    });
    let made = aws.call(&SAGEMAKER, operation, &input)?;
    let url = made["AuthorizedUrl"].as_str().ok_or(Error::Unreadable { operation })?;
    store(aws, notebook, origin, url, stored)?;
    log::info("stored a link", &json!({ "notebook": notebook.name, "parameter": parameter(notebook) }));
    Ok(Link(url.to_owned()))
}

/// The tag by which a policy tells whose parameter it is (`templates/people.yml`).
const OWNER_TAG: &str = "NotebookOwner";

/// Writes the link under its owner's tag. The parameter's name is made from a name that somebody typed, and may
/// have held a link of another owner; so the tag is put before the link, never after it.
fn store(
    aws: &Client<'_>,
    notebook: &Notebook,
    origin: &Origin,
    url: &str,
    stored: Stored,
) -> Result<(), Error> {
    let tries = match stored {
        Stored::NotYet => [create, replace, create],
        Stored::Before => [replace, create, replace],
    };
    // Made or deleted by somebody else between two tries: a third one will do.
    let mut outcome = Ok(());
    for attempt in tries {
        outcome = attempt(aws, notebook, origin, url);
        match &outcome {
            Err(error) if matches!(error.code(), Some("ParameterAlreadyExists" | "InvalidResourceId")) => {}
            _ => return outcome,
        }
    }
    outcome
}

/// A new parameter, tagged as it is made: Parameter Store takes tags only then.
fn create(aws: &Client<'_>, notebook: &Notebook, origin: &Origin, url: &str) -> Result<(), Error> {
    let mut input = value(notebook, url);
    input["Tags"] = owner_tag(origin);
    // Parameter Store's validation messages repeat the value.
    aws.call(&SSM, "PutParameter", &input).map_err(Error::without_message).map(|_| ())
}

/// A new version of the parameter there is.
fn replace(aws: &Client<'_>, notebook: &Notebook, origin: &Origin, url: &str) -> Result<(), Error> {
    let tag = json!({
        "ResourceType": "Parameter",
        "ResourceId": parameter(notebook),
        "Tags": owner_tag(origin),
    });
    aws.call(&SSM, "AddTagsToResource", &tag)?;
    let mut input = value(notebook, url);
    input["Overwrite"] = true.into();
    aws.call(&SSM, "PutParameter", &input).map_err(Error::without_message).map(|_| ())
}

fn value(notebook: &Notebook, url: &str) -> Value {
    json!({
        "Name": parameter(notebook),
        "Description": "Link to the user's notebook",
        "Value": url,
        "Type": "String",
        "Tier": "Standard",
    })
}

/// Nobody's, if it is not known who launched the notebook: an empty value is no principal's ARN.
fn owner_tag(origin: &Origin) -> Value {
    json!([{ "Key": OWNER_TAG, "Value": origin.principal.as_deref().unwrap_or_default() }])
}

/// Name of the parameter that holds the notebook's link.
pub fn parameter(notebook: &Notebook) -> String {
    format!("/SageMaker/Notebooks/{}", notebook.name)
}
