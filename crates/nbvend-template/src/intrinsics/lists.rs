//! The functions around lists: Select, Cidr, GetAZs, Length.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::{Resolving, Result, fail};
use crate::functions;

impl Resolving<'_, '_> {
    pub(super) fn select(&self, items: &[Value]) -> Result<Option<Value>> {
        let [index, list] = items else { return fail(functions::SELECT) };
        let index = self.text(index, functions::SELECT)?;
        let Ok(index) = index.parse::<usize>() else { return fail(functions::SELECT) };
        let literal = list.is_array();
        match self.value(list)? {
            Some(Value::Array(mut list)) if index < list.len() => Ok(Some(list.swap_remove(index))),
            // Recorded: a list that is written out gets the general text, one that is computed the other.
            Some(Value::Array(_)) if !literal => {
                fail(format!("Template error: Fn::Select cannot select nonexistent value at index {index}"))
            }
            _ => fail(functions::SELECT),
        }
    }

    pub(super) fn availability_zones(&self, argument: &Value) -> Result<Value> {
        let mut region = self.text(argument, functions::GET_AZS)?;
        if region.is_empty() {
            let own = self.env.pseudo.get("AWS::Region").and_then(Value::as_str);
            region = own.unwrap_or_default().to_owned();
        }
        Ok(self.env.resolver.availability_zones(&region).into_iter().map(Value::String).collect())
    }

    pub(super) fn length(&self, argument: &Value) -> Result<Value> {
        match self.value(argument)? {
            Some(Value::Array(list)) => Ok(Value::from(list.len())),
            _ => fail(functions::LENGTH),
        }
    }

    /// `[block, count, bits]`: `count` blocks of 2^bits addresses each, from the start of `block`.
    /// Without bits the largest ones of which `count` fit.
    pub(super) fn cidr(&self, items: &[Value]) -> Result<Value> {
        let (Some(block), Some(count)) = (items.first(), items.get(1)) else { return fail(functions::CIDR) };
        let block = self.text(block, functions::CIDR)?;
        let Ok(block) = block.parse::<IpNet>() else { return fail(functions::CIDR) };
        let count = self.text(count, functions::CIDR)?.parse::<u32>().ok();
        let Some(count) = count.filter(|count| (1..=256).contains(count)) else {
            return fail(functions::CIDR);
        };
        let prefix = match items.get(2) {
            Some(bits) => {
                let bits = self.text(bits, functions::CIDR)?.parse::<u8>().ok();
                bits.and_then(|bits| block.max_prefix_len().checked_sub(bits))
            }
            None => {
                let more = u8::try_from(count.next_power_of_two().trailing_zeros()).ok();
                more.and_then(|more| block.prefix_len().checked_add(more))
            }
        };
        let Some(prefix) = prefix else { return fail(functions::CIDR) };
        let blocks: Option<Vec<Value>> =
            (0..count).map(|index| nth_block(block, prefix, index).map(Value::String)).collect();
        match blocks {
            Some(blocks) => Ok(Value::Array(blocks)),
            None => fail(functions::CIDR),
        }
    }
}

/// The `index`th block of length `prefix` inside `block`. ipnet's own iterator would list from the
/// start of the address space of a /0 up to it, and IPv6 has many.
fn nth_block(block: IpNet, prefix: u8, index: u32) -> Option<String> {
    if prefix < block.prefix_len() || prefix > block.max_prefix_len() {
        return None;
    }
    let room = u32::from(prefix - block.prefix_len());
    if room < 32 && index >> room != 0 {
        return None;
    }
    let step = u32::from(block.max_prefix_len() - prefix);
    match block {
        IpNet::V4(block) => {
            let offset = u64::from(index) << step;
            let address = u64::from(u32::from(block.network())) + offset;
            let net = Ipv4Net::new(u32::try_from(address).ok()?.into(), prefix).ok()?;
            Some(net.to_string())
        }
        IpNet::V6(block) => {
            let offset = if step < 128 { u128::from(index) << step } else { 0 };
            let net = Ipv6Net::new(u128::from(block.network()).checked_add(offset)?.into(), prefix).ok()?;
            Some(net.to_string())
        }
    }
}
