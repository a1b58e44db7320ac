//! Passwords, kept as PBKDF2-HMAC-SHA256 digests (RFC 8018) with a salt of their own.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::error::Error;
use super::password_policy::PasswordRules;
use crate::context::Cx;

/// OWASP's figure for this function; the tests need not wait for it.
const ROUNDS: u32 = if cfg!(test) { 100 } else { 600_000 };

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    pub rounds: u32,
    /// Hexadecimal.
    pub salt: String,
    /// Hexadecimal, 32 bytes.
    pub digest: String,
}

impl Digest {
    /// Takes a tenth of a second: to be done before the writer is taken.
    pub fn of(cx: &Cx<'_>, password: &str) -> Self {
        let mut salt = [0u8; 16];
        cx.ids().fill(&mut salt);
        let salt = hex::encode(salt);
        Self { rounds: ROUNDS, digest: derive(password, &salt, ROUNDS), salt }
    }

    pub fn matches(&self, password: &str) -> bool {
        derive(password, &self.salt, self.rounds).as_bytes().ct_eq(self.digest.as_bytes()).into()
    }
}

fn derive(password: &str, salt: &str, rounds: u32) -> String {
    let keyed = Hmac::<Sha256>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length");
    let mut first = keyed.clone();
    first.update(salt.as_bytes());
    first.update(&1u32.to_be_bytes());
    let mut block: [u8; 32] = first.finalize().into_bytes().into();
    let mut sum = block;
    for _ in 1..rounds {
        let mut next = keyed.clone();
        next.update(&block);
        block = next.finalize().into_bytes().into();
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    hex::encode(sum)
}

/// Whether a password will do: by the account's own rules, else by AWS's default ones (eight characters, three kinds of
/// them).
pub fn check(cx: &Cx<'_>, password: &str) -> Result<(), Error> {
    let rules = super::entity::account(cx)?.password_rules;
    if fits(password, rules.as_ref()) { Ok(()) } else { Err(Error::Password) }
}

fn fits(password: &str, rules: Option<&PasswordRules>) -> bool {
    let length = password.chars().count();
    let [lower, upper, number, symbol] = [
        password.chars().any(|c| c.is_ascii_lowercase()),
        password.chars().any(|c| c.is_ascii_uppercase()),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| !c.is_ascii_alphanumeric()),
    ];
    match rules {
        None => length >= 8 && [lower, upper, number, symbol].iter().filter(|kind| **kind).count() >= 3,
        Some(rules) => {
            length >= rules.minimum_length
                && (lower || !rules.lowercase)
                && (upper || !rules.uppercase)
                && (number || !rules.numbers)
                && (symbol || !rules.symbols)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A published vector of PBKDF2-HMAC-SHA256: password, salt, 2 rounds.
    #[test]
    fn derives_as_published() {
        assert_eq!(
            derive("password", "salt", 2),
            "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"
        );
    }

    #[test]
    fn weak_passwords_are_refused() {
        for (password, fine) in
            [("Secret-1", true), ("secret12", false), ("Secret1", false), ("secret-12", true), ("", false)]
        {
            assert_eq!(fits(password, None), fine, "{password}");
        }
        let rules = PasswordRules { minimum_length: 6, numbers: true, ..PasswordRules::default() };
        for (password, fine) in [("aaaaa1", true), ("aaaaaa", false), ("aaaa1", false)] {
            assert_eq!(fits(password, Some(&rules)), fine, "{password}");
        }
    }
}
