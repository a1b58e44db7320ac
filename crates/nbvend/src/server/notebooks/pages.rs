//! What a person reads when a notebook does not open: why, and what to do.

use http::StatusCode;
use nbvend_cloud::services::sagemaker::access::Refusal;
use nbvend_host::proxy::Page;

const NO_SESSION: Page = Page::new(
    StatusCode::FORBIDDEN,
    "Open this notebook with its link",
    "This address needs a session, and your browser has none that holds.",
    "Ask for a fresh link, here or with the refresh API:",
)
.command("nbvend open USER");
const BAD_TOKEN: Page = Page::new(
    StatusCode::FORBIDDEN,
    "This link does not work",
    "It was changed on its way, or the notebook it was made for is gone.",
    "Ask for a fresh link, here or with the refresh API:",
)
.command("nbvend open USER");
const EXPIRED: Page = Page::new(
    StatusCode::FORBIDDEN,
    "This link or session has expired",
    "A link works for five minutes, the session that it opens for some hours. Nothing of the notebook is lost.",
    "Ask for a fresh link, here or with the refresh API:",
)
.command("nbvend open USER");
const ENDED: Page = Page::new(
    StatusCode::FORBIDDEN,
    "This session has ended",
    "Whoever made its link may not open this notebook any more, or the notebook has another owner.",
    "Ask for a fresh link, here or with the refresh API:",
)
.command("nbvend open USER");
const UNKNOWN: Page = Page::new(
    StatusCode::NOT_FOUND,
    "No such notebook",
    "No notebook has this address.",
    "See which there are:",
)
.command("nbvend list");
const STARTING: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook is starting",
    "Its server will be there in a moment.",
    "Nothing needs to be done.",
)
.again(2);
const STOPPED: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook is not running",
    "It was stopped; its files are kept.",
    "Start it, then open it with a fresh link:",
)
.command("nbvend start USER");
const FAILED: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook could not start",
    "It failed; its files are kept. DescribeNotebookInstance gives the reason.",
    "When the reason is gone, start it again:",
)
.command("nbvend start USER");
const LEAVING: Page = Page::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "This notebook is being deleted",
    "It was deleted, and its files with it.",
    "Ask the catalog for another:",
)
.command("nbvend vend USER");

/// The page for a refusal. A state is the store's word for it, in lower case.
pub fn of(refusal: &Refusal) -> Page {
    match refusal {
        Refusal::NoSession => NO_SESSION,
        Refusal::BadToken => BAD_TOKEN,
        Refusal::Expired => EXPIRED,
        Refusal::Ended => ENDED,
        Refusal::UnknownNotebook => UNKNOWN,
        Refusal::NotInService(state) => match state.as_str() {
            "pending" | "starting" | "updating" => STARTING,
            "failed" => FAILED,
            "deleting" => LEAVING,
            _ => STOPPED,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_over_soon_is_asked_again() {
        let of_state = |state: &str| of(&Refusal::NotInService(state.to_owned()));
        for (state, again) in [
            ("pending", true),
            ("starting", true),
            ("stopped", false),
            ("stopping", false),
            ("failed", false),
        ] {
            let page = of_state(state);
            assert_eq!((page.status.as_u16(), page.again.is_some()), (503, again), "{state}");
        }
        assert!(of(&Refusal::Expired).again.is_none());
    }
}
