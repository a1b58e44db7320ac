//! Finding array elements on which the fields of a pattern agree.
//!
//! Fields that lie in the same array must be matched by leaves of the same element. Whoever sends
//! events can send many elements, so the search must not multiply them: arrays that only one field
//! lies in are left out, leaves that make no difference are merged, elements are looked up rather
//! than tried, and what has failed once is not tried again.

use std::collections::{HashMap, HashSet};

use crate::event::Event;
use crate::matcher::Field;

/// An array and one of its elements.
type Pair = (u32, u32);
/// Elements of different arrays, in order of the arrays. An inner array has a higher number than the
/// one around it.
type Elements = Vec<Pair>;

/// Whether there are leaves for all fields, in elements that agree.
pub(crate) fn agree(event: &Event<'_>, fields: &[Field]) -> bool {
    let arrays_of = |field: &Field| -> HashSet<u32> {
        event.at(field.path).iter().flat_map(|leaf| event.elements(leaf)).map(|(array, _)| array).collect()
    };
    let arrays: Vec<HashSet<u32>> = fields.iter().map(arrays_of).collect();
    let mut uses: HashMap<u32, usize> = HashMap::new();
    for array in arrays.iter().flatten() {
        *uses.entry(*array).or_default() += 1;
    }
    let shared = |(array, _): &Pair| uses[array] > 1;
    let steps = fields.iter().map(|Field { path, matcher }| {
        let elements = |leaf| {
            let mut elements: Elements = event.elements(leaf).filter(shared).collect();
            elements.sort_unstable();
            elements
        };
        let leaves = event.at(*path);
        let accepted = leaves.iter().filter(|leaf| matcher.accepts(&leaf.value));
        Step {
            accepted: Places::new(accepted.map(elements)),
            present: matcher.absent.then(|| Places::new(leaves.iter().map(elements))),
        }
    });
    let steps: Vec<Step> = steps.collect();
    let mut relevant = vec![HashSet::new(); fields.len()];
    for at in (0..fields.len()).rev() {
        relevant[at].clone_from(&arrays[at]);
        if let Some(later) = relevant.get(at + 1).cloned() {
            relevant[at].extend(later);
        }
    }
    Search { steps, relevant, failed: HashSet::new() }.from(0, &[])
}

/// Where one field can be found.
struct Step {
    accepted: Places,
    /// Where it is at all, accepted or not, if it may also be absent.
    present: Option<Places>,
}

/// The elements around each leaf of a field, as a tree from the outermost array inwards. An element
/// already chosen leads to its own branch, so that its neighbours are never looked at.
#[derive(Default)]
struct Places {
    /// A leaf lies here.
    leaf: bool,
    /// The arrays further in (there are few) and their elements.
    arrays: Vec<(u32, HashMap<u32, Places>)>,
}

impl Places {
    fn new(leaves: impl Iterator<Item = Elements>) -> Self {
        let mut root = Places::default();
        for elements in leaves {
            let mut place = &mut root;
            for (array, element) in elements {
                let at = place.arrays.iter().position(|(other, _)| *other == array).unwrap_or_else(|| {
                    place.arrays.push((array, HashMap::new()));
                    place.arrays.len() - 1
                });
                place = place.arrays[at].1.entry(element).or_default();
            }
            place.leaf = true;
        }
        root
    }

    /// Visits the places that do not lie in another element of an array than the chosen one, until
    /// the visitor is content.
    fn agreeing(
        &self,
        chosen: &[Pair],
        so_far: &mut Elements,
        visit: &mut impl FnMut(&[Pair]) -> bool,
    ) -> bool {
        if self.leaf && visit(so_far) {
            return true;
        }
        for (array, elements) in &self.arrays {
            let picked = chosen.binary_search_by_key(array, |pair| pair.0).ok().map(|at| chosen[at].1);
            let mut enter = |element: u32, place: &Places| {
                so_far.push((*array, element));
                let content = place.agreeing(chosen, so_far, visit);
                so_far.pop();
                content
            };
            let content = match picked {
                Some(element) => elements.get(&element).is_some_and(|place| enter(element, place)),
                None => elements.iter().any(|(element, place)| enter(*element, place)),
            };
            if content {
                return true;
            }
        }
        false
    }
}

struct Search {
    steps: Vec<Step>,
    /// The arrays that the field or a later one lies in; choices in others are forgotten.
    relevant: Vec<HashSet<u32>>,
    failed: HashSet<(usize, Elements)>,
}

impl Search {
    fn from(&mut self, at: usize, chosen: &[Pair]) -> bool {
        let Some(relevant) = self.relevant.get(at) else { return true };
        let kept: Elements = chosen.iter().copied().filter(|(array, _)| relevant.contains(array)).collect();
        let state = (at, kept);
        if self.failed.contains(&state) {
            return false;
        }
        let step = &self.steps[at];
        let mut next: Vec<Elements> = Vec::new();
        if let Some(present) = &step.present
            && !present.agreeing(&state.1, &mut Vec::new(), &mut |_| true)
        {
            next.push(state.1.clone());
        }
        step.accepted.agreeing(&state.1, &mut Vec::new(), &mut |elements| {
            let mut both = state.1.clone();
            both.extend(elements);
            both.sort_unstable();
            both.dedup();
            next.push(both);
            false
        });
        if next.iter().any(|chosen| self.from(at + 1, chosen)) {
            return true;
        }
        self.failed.insert(state);
        false
    }
}
