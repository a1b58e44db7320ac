//! What an instance type is: processors, memory, accelerators, price; and what of it this machine gives.
//!
//! vCPUs and memory are those of the EC2 type behind (EC2's pages of instance types). Prices are dollars an hour on demand
//! in us-east-1 as published for notebook instances in 2025; a price that is not surely known is `None`. They are for
//! people to compare with: nothing here costs anything.

mod accelerated;
mod compute;
mod general;
mod memory;

use crate::ports::{Capacity, NotebookLimits};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceType {
    /// `ml.t3.medium`.
    pub name: &'static str,
    pub vcpus: u32,
    /// In GiB.
    pub memory_gib: f64,
    /// GPUs or machine learning chips.
    pub accelerators: u32,
    /// Dollars an hour.
    pub price: Option<f64>,
}

const fn of(
    name: &'static str,
    vcpus: u32,
    memory_gib: f64,
    accelerators: u32,
    price: Option<f64>,
) -> InstanceType {
    InstanceType { name, vcpus, memory_gib, accelerators, price }
}

static TABLES: &[&[InstanceType]] = &[general::TYPES, compute::TYPES, memory::TYPES, accelerated::TYPES];

pub const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Processes and threads a vCPU is good for, and those that a notebook has in any case.
const PIDS: u64 = 1024;

/// The type of that name. The door lets no other names in than the model's, and all of those are known.
pub fn find(name: &str) -> Option<&'static InstanceType> {
    TABLES.iter().flat_map(|table| table.iter()).find(|one| one.name == name)
}

impl InstanceType {
    /// Memory in bytes.
    pub fn memory(&self) -> u64 {
        // Whole or half GiB: exact.
        (self.memory_gib * GIB) as u64
    }

    /// What a notebook of this type gets on a machine: no more cores and memory than there are.
    pub fn limits(&self, machine: Capacity) -> NotebookLimits {
        NotebookLimits {
            cpu: f64::from(self.vcpus.min(machine.cores.max(1))),
            memory: self.memory().min(machine.memory),
            pids: PIDS * (u64::from(self.vcpus) + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_model_is_here_once() {
        let model = nbvend_wire::model::service("sagemaker").unwrap();
        let nbvend_wire::model::Kind::String { values } = &model.shape_named("InstanceType").unwrap().kind
        else {
            panic!("no text")
        };
        let mut named: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut here: Vec<&str> = TABLES.iter().flat_map(|table| table.iter()).map(|one| one.name).collect();
        named.sort_unstable();
        here.sort_unstable();
        assert_eq!(here, named);
    }

    #[test]
    fn a_bigger_size_has_more() {
        let size = |name: &str| find(name).map(|one| (one.vcpus, one.memory_gib, one.price)).unwrap();
        assert_eq!(size("ml.t3.medium"), (2, 4.0, Some(0.05)));
        assert_eq!(size("ml.c4.xlarge").1, 7.5);
        for table in TABLES {
            for pair in table.windows(2) {
                let family =
                    |one: &InstanceType| one.name.rsplit_once('.').map(|(front, _)| front.to_owned());
                if family(&pair[0]) == family(&pair[1]) {
                    assert!(pair[0].vcpus <= pair[1].vcpus, "{}", pair[1].name);
                    assert!(pair[0].memory_gib < pair[1].memory_gib, "{}", pair[1].name);
                    let alike = pair[0].accelerators == pair[1].accelerators;
                    if let (Some(small), Some(large), true) = (pair[0].price, pair[1].price, alike) {
                        assert!(small < large, "{}", pair[1].name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_small_machine_gives_what_it_has() {
        let machine = Capacity { cores: 2, memory: 3 << 30, free_memory: 1 << 30 };
        let limits = find("ml.t3.xlarge").unwrap().limits(machine);
        assert_eq!(limits, NotebookLimits { cpu: 2.0, memory: 3 << 30, pids: 5120 });
        assert_eq!(find("ml.t3.medium").unwrap().limits(machine).memory, 3 << 30);
        let machine = Capacity { cores: 8, memory: 64 << 30, free_memory: 1 << 30 };
        assert_eq!(find("ml.c4.xlarge").unwrap().limits(machine).memory, 15 << 29);
    }
}
