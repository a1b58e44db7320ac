//! The vocabulary of DescribeChangeSet, and the order of its list.

use std::cmp::Ordering;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// AWS's word.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant)),+ }
            }
        }
    };
}

words!(
    /// `Action`.
    Action { Add, Modify, Remove }
);
words!(
    /// `Replacement`: what becomes of the physical resource.
    Replacement {
        True,
        False,
        /// Only a dynamic change, or a property whose effect depends on its value.
        Conditional,
    }
);
words!(
    /// `RequiresRecreation`: whether changing a property replaces the resource.
    RequiresRecreation { Never, Conditionally, Always }
);
words!(
    /// `Evaluation`: whether the new value is known before the update runs.
    Evaluation { Static, Dynamic }
);
words!(
    /// `ChangeSource`.
    ChangeSource { ResourceReference, ParameterReference, ResourceAttribute, DirectModification }
);
words!(
    /// `Attribute` of a target, and the members of `Scope`.
    Attribute { Properties, Metadata, CreationPolicy, UpdatePolicy, DeletionPolicy, UpdateReplacePolicy, Tags }
);

/// The order of a change set's list: by logical id, except that an id comes after those that begin with
/// it. The change set printed in the AWS blog post on vending notebooks has EventBridgeFunctionRole before
/// EventBridgeFunction, and ServerlessRestApi after its deployment and stage.
pub fn logical_id_order(a: &str, b: &str) -> Ordering {
    match (a.starts_with(b), b.starts_with(a)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}
