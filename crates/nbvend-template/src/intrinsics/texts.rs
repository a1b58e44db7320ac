//! The functions that make text: Sub, Join, Split, Base64, ToJsonString.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Resolving, Result, fail};
use crate::error::TemplateError;
use crate::functions::{self, Piece, scalar_text, sub_arguments, sub_pieces};

impl Resolving<'_, '_> {
    pub(super) fn sub(&self, argument: &Value) -> Result<Value> {
        let Some((text, variables)) = sub_arguments(argument) else { return fail(functions::SUB) };
        let mut result = String::new();
        for piece in sub_pieces(text).map_err(TemplateError::new)? {
            let before = result.len();
            match piece {
                Piece::Text(text) => result.push_str(text),
                Piece::Literal(name) => {
                    result.push_str("${");
                    result.push_str(name);
                    result.push('}');
                }
                Piece::Variable(name) => {
                    let value = match variables.and_then(|variables| variables.get(name)) {
                        Some(expression) => self.value(expression)?,
                        None => match name.split_once('.') {
                            Some((id, attribute)) => Some(self.attribute(id, attribute)?),
                            None => self.reference(name)?,
                        },
                    };
                    // `${AWS::NoValue}` is the empty text.
                    if let Some(value) = value {
                        let Some(text) = scalar_text(&value) else { return fail(functions::SUB) };
                        result.push_str(&text);
                    }
                }
            }
            self.spend(&result[before..])?;
        }
        Ok(Value::String(result))
    }

    pub(super) fn join(&self, items: &[Value]) -> Result<Value> {
        let [Value::String(delimiter), list] = items else { return fail(functions::JOIN) };
        let Some(Value::Array(list)) = self.value(list)? else { return fail(functions::JOIN) };
        let texts: Option<Vec<String>> = list.iter().map(scalar_text).collect();
        let Some(texts) = texts else { return fail(functions::JOIN) };
        let joined = texts.join(delimiter);
        self.spend(&joined)?;
        Ok(Value::String(joined))
    }

    pub(super) fn split(&self, items: &[Value]) -> Result<Value> {
        let [Value::String(delimiter), text] = items else { return fail(functions::SPLIT) };
        let text = self.text(text, functions::SPLIT)?;
        Ok(text.split(delimiter.as_str()).map(Value::from).collect())
    }

    pub(super) fn base64(&self, argument: &Value) -> Result<Value> {
        let encoded = STANDARD.encode(self.text(argument, functions::BASE64)?);
        self.spend(&encoded)?;
        Ok(Value::String(encoded))
    }

    /// Compact, members in their order, `AWS::NoValue` members left out.
    pub(super) fn to_json_string(&self, argument: &Value) -> Result<Value> {
        let Some(value @ (Value::Object(_) | Value::Array(_))) = self.value(argument)? else {
            return fail(functions::TO_JSON);
        };
        let text = value.to_string();
        self.spend(&text)?;
        Ok(Value::String(text))
    }
}
