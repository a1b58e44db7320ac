//! What can go wrong with a call.

use std::fmt;

use serde_json::Value;

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The service refused: HTTP status, AWS's code and message.
    Refused { operation: &'static str, status: u16, code: String, message: String },
    /// No answer came: no connection, a broken one, or none in time.
    Unreachable { operation: &'static str, cause: String },
    /// An answer came that is not what the operation answers.
    Unreadable { operation: &'static str },
}

impl Error {
    /// From an answer with another status than 200. The code is in a header or in the body, where it may have a
    /// name space before it (`com.amazonaws…#Code`) or an address after it (`Code:http://…`).
    pub(super) fn answered(operation: &'static str, status: u16, header: Option<&str>, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let kind = header.or_else(|| text("__type")).or_else(|| text("code")).unwrap_or("UnknownError");
        let kind = kind.split(':').next().unwrap_or(kind);
        let code = kind.rsplit('#').next().unwrap_or(kind).to_owned();
        let message = text("message").or_else(|| text("Message")).unwrap_or_default().to_owned();
        Self::Refused { operation, status, code, message }
    }

    /// AWS's code, if the service gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Unreachable { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                *status >= 500 || *status == 429 || TRANSIENT.contains(&code.as_str())
            }
            Self::Unreachable { .. } => true,
            Self::Unreadable { .. } => false,
        }
    }

    /// The same without the service's message: a message may repeat the input, and an input may be a secret.
    pub fn without_message(mut self) -> Self {
        if let Self::Refused { message, .. } = &mut self {
            message.clear();
        }
        self
    }
}

/// Codes with a 400 status that ask the caller to come again.
const TRANSIENT: &[&str] = &[
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    // Parameter Store: two writers of one parameter.
    "TooManyUpdates",
    "TooManyRequestsException",
];

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { operation, status, code, message } => {
                write!(f, "{operation}: {code} ({status})")?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            Self::Unreachable { operation, cause } => write!(f, "{operation}: no answer: {cause}"),
            Self::Unreadable { operation } => write!(f, "{operation}: the answer could not be read"),
        }
    }
}

impl std::error::Error for Error {}
