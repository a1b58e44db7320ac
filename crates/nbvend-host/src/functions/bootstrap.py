"""Runs a Python function: asks the runtime API for requests, calls the handler, posts what it returns.

Started as `python -S -B bootstrap.py` with the environment of a function. Standard library only, and little of it:
every import is paid at each cold start. The HTTP spoken here is the small part that the engine's own server needs.
"""

import json
import logging
import os
import socket
import sys
import time

API = "/2018-06-01/runtime/"


class Api:
    """One kept connection to the runtime API."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.host = address
        self.socket = None
        self.reader = None

    def call(self, method, path, body=b"", headers=()):
        lines = [f"{method} {API}{path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.reader = self.socket.makefile("rb")
        self.socket.sendall(head + body if len(body) < 65536 else head)
        if len(body) >= 65536:
            try:
                self.socket.sendall(body)
            except OSError:
                pass  # The server may refuse a body before its end; its answer says so.
        return self.read()

    def read(self):
        status = self.reader.readline().split(None, 2)
        if len(status) < 2:
            sys.exit(1)  # The engine is gone.
        headers = {}
        while True:
            line = self.reader.readline().rstrip(b"\r\n")
            if not line:
                break
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = value.strip().decode("utf-8", "replace")
        body = self.reader.read(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.reader.close()
            self.socket.close()
            self.socket = None
        return int(status[1]), headers, body


class Identity:
    """The mobile identity of a caller; there is none here."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Client:
    """The `client` part of a client context."""

    def __init__(self, given):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, given.get(name))


class ClientContext:
    def __init__(self, given):
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(given.get("client") or {})


class Context:
    """The second argument of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = Identity()
        given = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(given)) if given else None
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return "LambdaContext([" + ",".join(f"{name}={value}" for name, value in shown.items()) + "])"


class Fault(Exception):
    """An error of the runtime rather than of the function, with AWS's name for it."""

    def __init__(self, kind, message, cause=None):
        super().__init__(message)
        self.kind = kind
        self.cause = cause


class LogHandler(logging.Handler):
    """Writes records to standard output, one event each: a newline inside becomes a carriage return."""

    request_id = ""

    def emit(self, record):
        try:
            record.aws_request_id = LogHandler.request_id
            sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")
        except Exception:
            self.handleError(record)


def set_up_logging():
    handler = LogHandler()
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


def describe(error):
    """An error as (payload, text for the log)."""
    import traceback

    shown = error
    kind = type(error).__name__
    frames = []
    if isinstance(error, Fault):
        kind = error.kind
        if kind == "Runtime.UserCodeSyntaxError":
            cause = error.cause
            frames = [f'  File "{cause.filename}" Line {cause.lineno}\n    {(cause.text or "").rstrip()}\n']
    else:
        # The frames of this file and of the import machinery say nothing to the function's author.
        listed = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib")
        ]
        frames = traceback.format_list(listed)
    payload = {
        "errorMessage": str(shown),
        "errorType": kind,
        "requestId": LogHandler.request_id,
        "stackTrace": frames,
    }
    lines = [f"[ERROR] {kind}: {shown}"]
    if frames:
        lines.append("Traceback (most recent call last):")
        lines += [line for frame in frames for line in frame.rstrip("\n").split("\n")]
    return payload, "\r".join(line.replace("\n", "\r") for line in lines)


def load(handler):
    """The function named by `module.function`, where the module may be a path."""
    import importlib

    try:
        name, function = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}")
    module_name = name.replace("/", ".")
    if module_name in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{name}': {error}")
    except SyntaxError as error:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", error)
    try:
        return getattr(module, function)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{name}'")


def plain(value):
    """What JSON has no word for but AWS's runtime accepts."""
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def run(handler, body, headers):
    """The answer's bytes."""
    try:
        event = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}")
    result = handler(event, Context(headers))
    try:
        return json.dumps(result, default=plain).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}")


def report(api, path, error):
    payload, text = describe(error)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    kind = ("Lambda-Runtime-Function-Error-Type", "Unhandled")
    return api.call("POST", path, json.dumps(payload).encode("utf-8"), [("Content-Type", "application/json"), kind])


def set_up_process():
    import builtins

    # Output must be in the pipe when the process is killed, line by line.
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    # `-S` leaves these out, and functions use them.
    if not hasattr(builtins, "exit"):
        builtins.exit = builtins.quit = sys.exit
    # The first entry is this file's folder; the function's own takes its place.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    set_up_logging()


def main():
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_up_process()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        report(api, "init/error", error)
        sys.exit(1)
    while True:
        status, headers, body = api.call("GET", "invocation/next")
        if status != 200:
            sys.exit(1)
        request_id = headers["lambda-runtime-aws-request-id"]
        LogHandler.request_id = request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        try:
            answer = run(handler, body, headers)
        except Exception as error:
            report(api, f"invocation/{request_id}/error", error)
        else:
            sys.stdout.flush()
            api.call("POST", f"invocation/{request_id}/response", answer, [("Content-Type", "application/json")])
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
