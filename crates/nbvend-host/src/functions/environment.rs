//! The environment of a function process: AWS's documented variables around what the caller gives.
//!
//! Nothing of the engine's own environment gets through.

use std::collections::BTreeMap;
use std::path::Path;

use super::{FunctionSpec, Runtime};

const VERSION: &str = "AWS_LAMBDA_FUNCTION_VERSION";

/// Where a process is put.
pub(super) struct Place<'a> {
    pub(super) task_root: &'a Path,
    pub(super) runtime_dir: &'a Path,
    pub(super) scratch: &'a Path,
    pub(super) runtime_api: &'a str,
    pub(super) log_stream: &'a str,
}

/// The version of a spec, for log lines and stream names.
pub(super) fn version(spec: &FunctionSpec) -> &str {
    spec.env.iter().rev().find(|(name, _)| name == VERSION).map_or("$LATEST", |(_, value)| value)
}

/// Three layers, later ones win: what a function may change, the caller's (the fresh part last), what it may not.
///
/// # Errors
/// Names the variable that cannot be one.
pub(super) fn compose(
    spec: &FunctionSpec,
    fresh: Vec<(String, String)>,
    place: &Place<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let task = place.task_root.display().to_string();
    let mut env = BTreeMap::new();
    let mut put = |name: &str, value: String| env.insert(name.to_string(), value);

    put("LANG", "en_US.UTF-8".into());
    put("TZ", ":UTC".into());
    put("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".into());
    // Not the system's folders as on AWS: their order is this machine's business.
    put("LD_LIBRARY_PATH", format!("{task}:{task}/lib"));
    put("TMPDIR", place.scratch.display().to_string());
    put("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into());
    put("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", spec.name));
    put(VERSION, "$LATEST".into());
    if let Runtime::Python(version) = &spec.runtime {
        put("AWS_EXECUTION_ENV", format!("AWS_Lambda_python{version}"));
    }

    for (name, value) in spec.env.iter().cloned().chain(fresh) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!("the environment variable {name:?} cannot be set"));
        }
        put(&name, value);
    }

    put("AWS_LAMBDA_FUNCTION_NAME", spec.name.clone());
    put("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory_mb.to_string());
    put("AWS_LAMBDA_LOG_STREAM_NAME", place.log_stream.into());
    put("AWS_LAMBDA_RUNTIME_API", place.runtime_api.into());
    put("LAMBDA_TASK_ROOT", task);
    put("LAMBDA_RUNTIME_DIR", place.runtime_dir.display().to_string());
    put("_HANDLER", spec.handler.clone());
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn spec(env: &[(&str, &str)]) -> FunctionSpec {
        FunctionSpec {
            key: "k".into(),
            name: "hello".into(),
            code_zip: "x.zip".into(),
            code_id: "x".into(),
            runtime: Runtime::Python("3.9".into()),
            handler: "app.run".into(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            env: env.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect(),
            ephemeral_mb: 512,
            confined: false,
        }
    }

    fn composed(env: &[(&str, &str)], fresh: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let place = Place {
            task_root: Path::new("/code"),
            runtime_dir: Path::new("/runtime"),
            scratch: Path::new("/scratch"),
            runtime_api: "127.0.0.1:9",
            log_stream: "stream",
        };
        let fresh = fresh.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
        compose(&spec(env), fresh, &place)
    }

    #[test]
    fn layers_win_in_order() {
        let env = composed(
            &[("TZ", "Europe/Berlin"), ("A", "old"), ("LAMBDA_TASK_ROOT", "/etc"), (VERSION, "7")],
            &[("A", "new"), ("_HANDLER", "other")],
        )
        .unwrap();
        let cases = [
            ("TZ", Some("Europe/Berlin")),
            ("A", Some("new")),
            ("LAMBDA_TASK_ROOT", Some("/code")),
            ("_HANDLER", Some("app.run")),
            ("AWS_LAMBDA_RUNTIME_API", Some("127.0.0.1:9")),
            ("AWS_LAMBDA_LOG_GROUP_NAME", Some("/aws/lambda/hello")),
            ("AWS_EXECUTION_ENV", Some("AWS_Lambda_python3.9")),
            (VERSION, Some("7")),
            ("TMPDIR", Some("/scratch")),
            ("HOME", None),
        ];
        for (name, wanted) in cases {
            assert_eq!(env.get(name).map(String::as_str), wanted, "{name}");
        }
        assert_eq!(version(&spec(&[])), "$LATEST");
        assert_eq!(version(&spec(&[(VERSION, "7")])), "7");
    }

    #[test]
    fn impossible_names_are_refused() {
        for name in ["", "A=B", "A\0"] {
            assert!(composed(&[(name, "x")], &[]).is_err(), "{name:?}");
        }
        assert!(composed(&[], &[("A", "\0")]).is_err());
    }
}
