//! TLS of the engine's own: a certificate authority made at the first start, and leaves made by it for each name that
//! is asked for under the engine's domain. A team server brings a certificate of its own instead.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::failure::Failure;
use crate::home::{Home, write_private};

/// Leaves kept in memory; more names than that are strangers' play.
const KEPT: usize = 256;

/// The engine's own authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Names are signed for this domain, `localhost` among others, and what is under it.
    domain: String,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// An acceptor whose certificates come from the authority in the data folder, made now if there is none.
pub fn own(home: &Home, domain: &str) -> Result<TlsAcceptor, Failure> {
    let (key_path, certificate_path) = (home.path("ca.key"), home.path("ca.pem"));
    if !key_path.exists() || !certificate_path.exists() {
        let (key, certificate) = new_authority().map_err(|e| broken(&e))?;
        write_private(&key_path, &key)?;
        write_private(&certificate_path, &certificate)?;
    }
    let read =
        |path: &Path| std::fs::read_to_string(path).map_err(|e| Failure::io("the certificate", path, &e));
    let key = KeyPair::from_pem(&read(&key_path)?).map_err(|e| broken(&e))?;
    let issuer = Issuer::from_ca_cert_pem(&read(&certificate_path)?, key).map_err(|e| broken(&e))?;
    let authority = Authority { issuer, domain: domain.to_owned(), leaves: Mutex::default() };
    Ok(acceptor(Arc::new(authority)))
}

/// An acceptor with a certificate chain and key given in PEM files.
pub fn given(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Failure> {
    let bad = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(format!("{} cannot be used for TLS: {error}", path.display()))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|e| bad(certificate, &e));
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, &e))?;
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(certificate, &e))?
        .with_no_client_auth()
        .with_single_cert(chain?, key_der)
        .map_err(|e| bad(certificate, &e))?;
    Ok(TlsAcceptor::from(Arc::new(http1_only(config))))
}

fn acceptor(resolver: Arc<dyn ResolvesServerCert>) -> TlsAcceptor {
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring serves TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    TlsAcceptor::from(Arc::new(http1_only(config)))
}

fn http1_only(mut config: rustls::ServerConfig) -> rustls::ServerConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn broken(error: &rcgen::Error) -> Failure {
    Failure::new(format!(
        "the engine's own certificate authority is broken: {error}; delete ca.key and ca.pem in the data folder to get a new one"
    ))
}

fn new_authority() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "nbvend local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

impl Authority {
    fn leaf(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let within =
            name == self.domain || name.strip_suffix(&self.domain).is_some_and(|rest| rest.ends_with('.'));
        let aws = name == "amazonaws.com" || name.ends_with(".amazonaws.com");
        if !within && !aws {
            return None;
        }
        let mut leaves = self.leaves.lock().expect("nobody panics while holding the leaves");
        if let Some(leaf) = leaves.get(name) {
            return Some(Arc::clone(leaf));
        }
        let leaf =
            Arc::new(self.sign(name).inspect_err(|error| tracing::warn!(name, error, "no leaf")).ok()?);
        if leaves.len() >= KEPT {
            leaves.clear();
        }
        leaves.insert(name.to_owned(), Arc::clone(&leaf));
        Some(leaf)
    }

    fn sign(&self, name: &str) -> Result<CertifiedKey, String> {
        let key = KeyPair::generate().map_err(|e| e.to_string())?;
        let mut names = vec![name.to_owned()];
        if name == self.domain {
            names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
        }
        let mut params = CertificateParams::new(names).map_err(|e| e.to_string())?;
        params.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|e| e.to_string())?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&der).map_err(|e| e.to_string())?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], signing))
    }
}

impl ResolvesServerCert for Authority {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Clients that connect by address send no name.
        self.leaf(hello.server_name().unwrap_or(&self.domain))
    }
}
