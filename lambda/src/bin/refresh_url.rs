//! The function behind `POST /refreshurl`.

use std::process::ExitCode;

use functions::refresh::{self, Authorization, Settings};
use functions::setup::{self, Setup};

fn main() -> ExitCode {
    setup::main(
        |setup: &Setup| {
            let authorization = Authorization::parse(&setup.text("REFRESH_AUTHORIZATION")?);
            Ok(Settings { authorization, session_seconds: setup.session_seconds()? })
        },
        |aws, _, settings, event, _| Ok(refresh::handle(aws, settings, event)),
    )
}
