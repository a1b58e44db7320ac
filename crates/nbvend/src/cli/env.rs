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
    let bundle = bundle(&home)?.display().to_string();
    let region = client::region();
    let variables = [
        ("AWS_ENDPOINT_URL", running.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &key.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret_access_key),
        ("AWS_DEFAULT_REGION", &region),
        ("AWS_CA_BUNDLE", &bundle),
        ("CURL_CA_BUNDLE", &bundle),
    ];
    if printer.json() {
        let members = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        printer.document(&serde_json::Value::Object(members.collect()));
        return Ok(());
    }
    for (name, value) in variables {
        printer.line(&format!("export {name}='{}'", value.replace('\'', "'\\''")));
    }
    // They would win over the key above.
    printer.line("unset AWS_PROFILE AWS_SESSION_TOKEN");
    Ok(())
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
