//! `TagResource`, `UntagResource`, `GetTags`: of APIs and stages.

use serde::{Deserialize, Serialize};

use super::access;
use super::error::Error;
use super::state::{RestApi, Stage, Texts};
use crate::context::{ContextKeys, Cx};
use crate::operation::{Kind, Operation};

/// AWS's limit for one resource; the tags it stamps do not count.
const MOST: usize = 50;

/// What can carry tags here.
enum Tagged {
    Api(RestApi),
    Stage(Stage),
}

impl Tagged {
    /// By `arn:aws:apigateway:REGION::/restapis/ID` or that with `/stages/NAME`.
    fn find(cx: &Cx<'_>, arn: &str) -> Result<Self, Error> {
        let unknown = || Error::NotFound(format!("Invalid resource ARN specified: {arn}"));
        let path = arn.strip_prefix(&access::arn(cx, "/restapis/")).ok_or_else(unknown)?;
        match path.split('/').collect::<Vec<_>>()[..] {
            [api] => Ok(Self::Api(RestApi::find(cx, api)?)),
            [api, "stages", stage] => Ok(Self::Stage(Stage::find(cx, api, stage)?)),
            _ => Err(unknown()),
        }
    }

    fn tags(&mut self) -> &mut Texts {
        match self {
            Self::Api(api) => &mut api.tags,
            Self::Stage(stage) => &mut stage.tags,
        }
    }

    fn store(&self, cx: &Cx<'_>) -> Result<(), Error> {
        match self {
            Self::Api(api) => cx.put(api)?,
            Self::Stage(stage) => cx.put(stage)?,
        }
        Ok(())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TagResource {
    pub resource_arn: String,
    pub tags: Texts,
}

impl Operation for TagResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "TagResource";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::PUT;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, &format!("/tags/{}", self.resource_arn))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        access::request_tags(&self.tags, keys);
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        access::check_tags(cx, self.tags.keys())?;
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().extend(self.tags);
        if tagged.tags().keys().filter(|key| !key.starts_with("aws:")).count() > MOST {
            return Err(Error::bad("Number of tags exceeds the limit of 50"));
        }
        tagged.store(cx)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UntagResource {
    pub resource_arn: String,
    pub tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "UntagResource";
    const KIND: Kind = Kind::Write;
    const ACTION: Option<&'static str> = access::DELETE;
    type Output = ();
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, &format!("/tags/{}", self.resource_arn))]
    }

    fn context(&self, _cx: &Cx<'_>, keys: &mut ContextKeys) {
        keys.insert("aws:TagKeys".to_owned(), self.tag_keys.clone());
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<(), Error> {
        access::check_tags(cx, self.tag_keys.iter())?;
        let mut tagged = Tagged::find(cx, &self.resource_arn)?;
        tagged.tags().retain(|key, _| !self.tag_keys.contains(key));
        tagged.store(cx)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct GetTags {
    pub resource_arn: String,
    /// AWS's model has these two and its documentation says that they do nothing yet.
    pub position: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Serialize)]
pub struct GetTagsOutput {
    pub tags: Texts,
}

impl Operation for GetTags {
    const SERVICE: &'static str = "apigateway";
    const NAME: &'static str = "GetTags";
    const KIND: Kind = Kind::Read;
    const ACTION: Option<&'static str> = access::GET;
    type Output = GetTagsOutput;
    type Error = Error;

    fn resources(&self, cx: &Cx<'_>) -> Vec<String> {
        vec![access::arn(cx, &format!("/tags/{}", self.resource_arn))]
    }

    fn run(self, cx: &mut Cx<'_>) -> Result<GetTagsOutput, Error> {
        Ok(GetTagsOutput { tags: std::mem::take(Tagged::find(cx, &self.resource_arn)?.tags()) })
    }
}
