//! Functions of the Python runtimes: what they are given, answer and log.

use super::*;

#[tokio::test]
async fn a_python_function_answers_with_its_context_and_log() {
    let world = World::new();
    let spec = world.python(
        "import os, sys, logging\n\
         print('loading')\n\
         def handler(event, context):\n\
        \x20   print('out'); print('err', file=sys.stderr); logging.getLogger().warning('two\\nlines')\n\
        \x20   sys.stdout.write('no newline')\n\
        \x20   return dict(event=event, id=context.aws_request_id, arn=context.invoked_function_arn,\n\
        \x20       name=context.function_name, memory=context.memory_limit_in_mb, version=context.function_version,\n\
        \x20       left=context.get_remaining_time_in_millis(), stream=context.log_stream_name,\n\
        \x20       group=context.log_group_name, trace=os.environ['_X_AMZN_TRACE_ID'],\n\
        \x20       custom=context.client_context.custom, path=sys.path[0], root=os.environ['LAMBDA_TASK_ROOT'],\n\
        \x20       cwd=os.getcwd(), site=[p for p in sys.path if p.endswith('-packages')])\n",
    );
    let mut inv = invocation(&json!({"a": "ü"}));
    inv.client_context = Some(r#"{"custom":{"k":"ö"}}"#.into());
    let id = inv.request_id.clone();
    let heard = Mutex::new(Vec::new());
    let outcome = world
        .pool
        .invoke(&spec, Vec::new, inv, |line: &LogLine| heard.lock().unwrap().push(line.clone()))
        .await;
    let got = value(&outcome);
    assert_eq!(got["event"], json!({"a": "ü"}));
    assert_eq!(got["id"], json!(id));
    assert_eq!(got["arn"], "arn:aws:lambda:us-east-1:123456789012:function:hello");
    assert_eq!(
        (&got["name"], &got["memory"], &got["version"]),
        (&json!("hello"), &json!("128"), &json!("$LATEST"))
    );
    assert_eq!(got["group"], "/aws/lambda/hello");
    assert_eq!(got["stream"], json!(outcome.log_stream));
    assert_eq!(got["trace"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(got["custom"], json!({"k": "ö"}));
    assert!((20_001..=30_000).contains(&got["left"].as_u64().unwrap()), "{}", got["left"]);
    assert_eq!(got["path"], got["root"]);
    assert_eq!(got["cwd"], got["root"]);
    assert_eq!(got["site"], json!([]), "nothing of this machine's packages");

    let lines = texts(&outcome);
    assert!(
        lines[0].starts_with("INIT_START Runtime Version: python:3.11\tInterpreter: Python 3."),
        "{lines:?}"
    );
    assert_eq!(lines[1..5], ["loading", &format!("START RequestId: {id} Version: $LATEST"), "out", "err"]);
    assert!(
        lines[5].starts_with("[WARNING]\t") && lines[5].ends_with(&format!("Z\t{id}\ttwo\rlines")),
        "{lines:?}"
    );
    assert_eq!(lines[6..8], ["no newline", &format!("END RequestId: {id}")]);
    let report = lines[8];
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(
        report.contains(" ms\tBilled Duration: ")
            && report.contains("\tMemory Size: 128 MB\tMax Memory Used: ")
    );
    assert!(report.contains(" MB\tInit Duration: "), "{report}");
    assert_eq!(*heard.lock().unwrap(), outcome.log);
    assert!(outcome.max_memory_mb > 0 && outcome.init_ms.is_some());
    world.pool.shutdown().await;
}

#[tokio::test]
async fn errors_of_python_functions_have_awss_form() {
    let world = World::new();
    let raising = "class Odd(Exception): pass\ndef handler(event, context):\n    raise Odd('no\\nway')\n";
    let outcome = world.call(&world.python(raising), &json!({})).await;
    let got = fault(&outcome);
    assert_eq!((&got["errorType"], &got["errorMessage"]), (&json!("Odd"), &json!("no\nway")));
    let trace = got["stackTrace"].as_array().unwrap();
    assert_eq!(trace.len(), 1, "{trace:?}");
    let frame = trace[0].as_str().unwrap();
    assert!(
        frame.starts_with("  File \"/")
            && frame.contains("/app.py\", line 3, in handler\n    raise Odd('no\\nway')\n")
    );
    assert!(has_line(&outcome, "[ERROR] Odd: no\rway\rTraceback (most recent call last):\r  File "));
    assert!(
        !outcome.log.last().unwrap().text.contains("Status:"),
        "the function's own error is no sandbox error"
    );

    let handler = "def handler(event, context):\n";
    let cases = [
        (
            "import nothing_of_this_name\n".to_string(),
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nothing_of_this_name'",
        ),
        (
            "x = 1\n".into(),
            "app.handler",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'app'",
        ),
        ("def (:\n".into(), "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
        (String::new(), "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        (
            String::new(),
            "time.sleep",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module time as a handler module",
        ),
        ("raise KeyError('early')\n".into(), "app.handler", "KeyError", "'early'"),
        (
            format!("{handler}    return set()\n"),
            "app.handler",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
    ];
    for (text, name, kind, message) in cases {
        let spec = FunctionSpec { handler: name.into(), ..world.python(&text) };
        let outcome = world.call(&spec, &json!({})).await;
        let got = fault(&outcome);
        assert_eq!(got["errorType"], kind, "{got} {:#?}", outcome.log);
        assert!(got["errorMessage"].as_str().unwrap().starts_with(message), "{got}");
        assert!(has_line(&outcome, &format!("[ERROR] {kind}: {message}")), "{:#?}", outcome.log);
        let lines = texts(&outcome);
        assert!(
            lines.iter().any(|line| line.starts_with("START "))
                && lines.iter().any(|line| line.starts_with("END "))
        );
    }
    let spec = world.python(&format!("{handler}    return event\n"));
    let mut inv = invocation(&json!(null));
    inv.payload = Bytes::from_static(b"{not json");
    let outcome = world.pool.invoke(&spec, Vec::new, inv, |_| ()).await;
    assert_eq!(fault(&outcome)["errorType"], "Runtime.UnmarshalError");
    assert_eq!(value(&world.call(&spec, &json!(1)).await), 1, "the process lives on");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn the_environment_is_the_functions_own() {
    let world = World::new();
    let mut spec = world.python(
        "import os, resource\n\
         def handler(event, context):\n\
        \x20   big = os.path.join(os.environ['TMPDIR'], 'big')\n\
        \x20   try:\n\
        \x20       with open(big, 'wb') as file: file.truncate(3 << 20)\n\
        \x20       fits = True\n\
        \x20   except OSError: fits = False\n\
        \x20   return [dict(os.environ), fits, resource.getrlimit(resource.RLIMIT_NOFILE)[0], os.getsid(0) == os.getpid()]\n",
    );
    spec.env = vec![("A".into(), "spec".into()), ("B".into(), "spec".into())];
    spec.ephemeral_mb = 2;
    let spawned = AtomicU64::new(0);
    let fresh = || vec![("B".into(), format!("fresh {}", spawned.fetch_add(1, Ordering::Relaxed)))];
    let mut last = Value::Null;
    for _ in 0..2 {
        last = value(&world.pool.invoke(&spec, fresh, invocation(&json!(null)), |_| ()).await);
    }
    let env = &last[0];
    assert_eq!(
        (&env["A"], &env["B"]),
        (&json!("spec"), &json!("fresh 0")),
        "made once, at the start of the process"
    );
    assert_eq!(env["_HANDLER"], "app.handler");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_NAME"], "hello");
    assert!(env["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(
        std::env::vars().any(|(name, _)| name.starts_with("CARGO")),
        "this test has what must not get through"
    );
    let leaked: Vec<_> =
        env.as_object().unwrap().keys().filter(|name| name.starts_with("CARGO") || *name == "HOME").collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    assert_eq!(last[1], false, "a file over the limit is refused");
    assert_eq!((&last[2], &last[3]), (&json!(1024), &json!(true)));

    spec.key = "impossible".into();
    spec.env = vec![("A=B".into(), "x".into())];
    assert_eq!(fault(&world.call(&spec, &json!(null)).await)["errorType"], "Sandbox.Failure");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn payloads_of_six_megabytes_pass_and_larger_answers_do_not() {
    let world = World::new();
    let spec = world.python(
        "def handler(event, context):\n    return event if isinstance(event, str) else 'x' * event\n",
    );
    let text = "y".repeat((6 << 20) - 2);
    let outcome = world.call(&spec, &json!(text)).await;
    assert_eq!(outcome.result.as_ref().unwrap().len(), 6 << 20);
    assert_eq!(value(&outcome), json!(text));
    // The limit counts the two quotes.
    assert_eq!(world.call(&spec, &json!(6_291_554)).await.result.unwrap().len(), 6_291_556);
    for size in [6_291_555, 20_000_000] {
        let got = fault(&world.call(&spec, &json!(size)).await);
        assert_eq!(got["errorType"], "Function.ResponseSizeTooLarge");
        assert_eq!(
            got["errorMessage"],
            "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
        );
    }
    assert_eq!(value(&world.call(&spec, &json!("still")).await), "still");
    world.pool.shutdown().await;
}

#[tokio::test]
async fn logs_are_kept_in_order_and_bounded() {
    let world = World::new();
    let spec = world.python(
        "import os\n\
         def handler(event, context):\n\
        \x20   for n in range(5000): print(n)\n\
        \x20   os.write(1, b'x' * 300000 + b'\\n')\n\
        \x20   os.write(2, b'last')\n",
    );
    let outcome = world.call(&spec, &json!(null)).await;
    assert_eq!(value(&outcome), json!(null));
    let lines = texts(&outcome);
    let numbers: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
    assert_eq!(lines[2..5002], numbers.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(lines[5002].len(), 256 * 1024);
    assert_eq!(lines[5003], "last");
    assert!(lines[5004].starts_with("END "));
    world.pool.shutdown().await;
}

#[tokio::test]
async fn an_error_at_the_start_is_told_however_busy_the_engine_is() {
    let world = World::new();
    // Of what happens within some hundred milliseconds, the engine sees all at once.
    let busy = tokio::spawn(std::future::poll_fn(|cx| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        cx.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    }));
    for n in 0..8 {
        let spec = world.python(&format!("raise KeyError('early {n}')\n"));
        let outcome = world.call(&spec, &json!({})).await;
        assert_eq!(fault(&outcome)["errorType"], "KeyError", "{:#?}", outcome.log);
    }
    busy.abort();
    world.pool.shutdown().await;
}
