//! `nbvend user add`: a person and her key.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::{name, remove::remove};
use crate::cli::env;
use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::printer::Printer;
use crate::solution::people::{GROUPS, PATH, apply_people};

#[derive(Args)]
pub struct Add {
    /// The user's name: letters, digits and _+=,.@-
    #[arg(value_parser = name)]
    name: String,
    /// One who runs the catalog
    #[arg(long)]
    admin: bool,
}

impl Add {
    pub async fn run(self, data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
        let home = Home::open(data)?;
        let running = home.must_run()?;
        let client = Client::of(&home)?;
        apply_people(&client).await?;
        let made = json!({"UserName": self.name, "Path": PATH});
        let made = client.query("iam", "CreateUser", made).await.map_err(|error| {
            match error.code.as_str() {
                "EntityAlreadyExists" => Failure::new(format!(
                    "there is a user {} already; remove it first (nbvend user remove {}), or choose another name",
                    self.name, self.name
                )),
                _ => error.into(),
            }
        })?;
        let key = match self.equip(&client).await {
            Ok(key) => key,
            Err(failure) => {
                // Half a user is worse than none. What went wrong first is what is told.
                let _ = remove(&client, &self.name).await;
                return Err(failure);
            }
        };
        let text = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let variables =
            env::variables(&home, &running.endpoint, &text("AccessKeyId"), &text("SecretAccessKey"))?;
        let mut document = json!({
            "user": self.name,
            "arn": made["User"]["Arn"],
            "admin": self.admin,
            "group": self.group(),
        });
        for (name, value) in &variables {
            document[*name] = json!(value);
        }
        printer.document(&document);
        env::print(&variables, printer);
        printer.note(&format!(
            "{} {}. The key above is shown this once; `nbvend vend`, `open`, `refresh`, `stop`, `start` and `terminate` use it \
             from the environment, as the AWS CLI does.",
            self.name,
            if self.admin { "may run the catalog" } else { "may launch notebooks and use her own" }
        ));
        Ok(())
    }

    fn group(&self) -> &'static str {
        GROUPS[usize::from(self.admin)]
    }

    /// Puts the new user into its group and makes its key.
    async fn equip(&self, client: &Client) -> Result<Value, Failure> {
        let member = json!({"GroupName": self.group(), "UserName": self.name});
        client.query("iam", "AddUserToGroup", member).await?;
        let made = client.query("iam", "CreateAccessKey", json!({"UserName": self.name})).await?;
        Ok(made["AccessKey"].clone())
    }
}
