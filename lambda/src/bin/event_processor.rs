//! The function behind the rule on catalog launches.

use std::process::ExitCode;

use functions::launch::{self, Settings};
use functions::setup::{self, Setup};
use functions::user_name::UserName;

fn main() -> ExitCode {
    setup::main(
        |setup: &Setup| {
            let default_user = setup.text("DEFAULT_NOTEBOOK_USER_NAME")?;
            let default_user = UserName::parse(&default_user)
                .ok_or("DEFAULT_NOTEBOOK_USER_NAME is not a notebook's name")?;
            Ok(Settings { default_user, session_seconds: setup.session_seconds()? })
        },
        |aws, clock, settings, event, deadline| launch::handle(aws, clock, settings, event, deadline),
    )
}
