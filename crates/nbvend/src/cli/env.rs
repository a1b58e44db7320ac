//! `nbvend env`: what a shell needs, as `export` lines for `eval`.

use std::path::{Path, PathBuf};

use crate::client;
use crate::failure::Failure;
use crate::home::{Home, write_private};
use crate::printer::Printer;

/// Where systems keep the certificates they trust.
const SYSTEM_ROOTS: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

pub fn run(data: Option<&Path>, printer: &Printer) -> Result<(), Failure> {
    let home = Home::open(data)?;
    let running = home.must_run()?;
    let key = home.root_key(None)?;
    let variables = variables(&home, &running.endpoint, &key.access_key_id, &key.secret_access_key)?;
    let members = variables.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
    printer.document(&serde_json::Value::Object(members.collect()));
    print(&variables, printer);
    Ok(())
}

/// What a shell needs to call an engine with a key.
pub fn variables(
    home: &Home,
    endpoint: &str,
    access_key_id: &str,
    secret_access_key: &str,
) -> Result<[(&'static str, String); 6], Failure> {
    let bundle = bundle(home)?.display().to_string();
    Ok([
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", access_key_id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret_access_key.to_owned()),
        ("AWS_DEFAULT_REGION", client::region()),
        ("AWS_CA_BUNDLE", bundle.clone()),
        ("CURL_CA_BUNDLE", bundle),
    ])
}

/// Prints them as lines for `eval`.
pub fn print(variables: &[(&str, String)], printer: &Printer) {
    for (name, value) in variables {
        printer.line(&format!("export {name}='{}'", value.replace('\'', "'\\''")));
    }
    // They would win over the key above.
    printer.line("unset AWS_PROFILE AWS_SESSION_TOKEN");
}

/// The system's trusted certificates and the engine's own authority in one file, so that the same shell reaches both
/// the engine and the world.
fn bundle(home: &Home) -> Result<PathBuf, Failure> {
    let own = home.path("ca.pem");
    let mut text =
        SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    text.push_str(&std::fs::read_to_string(&own).map_err(|e| Failure::io("the certificate", &own, &e))?);
    let path = home.path("ca-bundle.pem");
    write_private(&path, &text)?;
    Ok(path)
}
