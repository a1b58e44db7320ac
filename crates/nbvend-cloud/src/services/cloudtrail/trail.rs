//! Trails, of which there are none: what asks for them is told so.

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::context::Cx;
use crate::operation::{Kind, Operation};

/// No trail can be named that exists.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DescribeTrails {
    pub trail_name_list: Vec<String>,
    pub include_shadow_trails: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTrailsOutput {
    pub trail_list: Vec<()>,
}

impl Operation for DescribeTrails {
    const SERVICE: &'static str = "cloudtrail";
    const NAME: &'static str = "DescribeTrails";
    const KIND: Kind = Kind::Read;
    type Output = DescribeTrailsOutput;
    type Error = Error;

    fn run(self, _cx: &mut Cx<'_>) -> Result<DescribeTrailsOutput, Error> {
        Ok(DescribeTrailsOutput { trail_list: Vec::new() })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTrails {
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTrailsOutput {
    pub trails: Vec<()>,
}

impl Operation for ListTrails {
    const SERVICE: &'static str = "cloudtrail";
    const NAME: &'static str = "ListTrails";
    const KIND: Kind = Kind::Read;
    type Output = ListTrailsOutput;
    type Error = Error;

    fn run(self, _cx: &mut Cx<'_>) -> Result<ListTrailsOutput, Error> {
        Ok(ListTrailsOutput { trails: Vec::new() })
    }
}

fn unknown(cx: &Cx<'_>, name: String) -> Error {
    let name = if name.starts_with("arn:") { name } else { cx.arn("cloudtrail", &format!("trail/{name}")) };
    Error::NoTrail { name, account: cx.account().to_owned() }
}

macro_rules! about_one {
    ($name:ident, $text:literal) => {
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $name {
            pub name: String,
        }

        impl Operation for $name {
            const SERVICE: &'static str = "cloudtrail";
            const NAME: &'static str = $text;
            const KIND: Kind = Kind::Read;
            type Output = ();
            type Error = Error;

            fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
                Err(unknown(cx, self.name))
            }
        }
    };
}

about_one!(GetTrail, "GetTrail");
about_one!(GetTrailStatus, "GetTrailStatus");
