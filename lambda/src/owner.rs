//! Whether a caller is the one who launched a notebook.

/// Whether `caller` may open what `owner` launched in `account`. Both are ARNs as IAM writes them.
///
/// - A user, group session or anything else is its exact ARN.
/// - Two sessions of one role are one person: their names are often made up at each sign-in. Not so for the roles
///   of IAM Identity Center, which many people share and where the session is named after the person.
/// - The account's root may open anything in it.
pub fn may_open(caller: &str, owner: &str, account: &str) -> bool {
    let whole = |arn: &str| !arn.is_empty() && arn == owner;
    if whole(caller) || is_root(caller, account) {
        return true;
    }
    match (role_session(caller), role_session(owner)) {
        (Some((caller, _)), Some((owner, _))) => caller == owner && !caller.contains("/AWSReservedSSO_"),
        _ => false,
    }
}

fn is_root(arn: &str, account: &str) -> bool {
    let parts = arn.splitn(6, ':').skip(2);
    !account.is_empty() && parts.eq(["iam", "", account, "root"])
}

/// `arn:…:assumed-role/ROLE` and the session's name.
fn role_session(arn: &str) -> Option<(&str, &str)> {
    let (role, session) = arn.rsplit_once('/')?;
    (role.split(':').nth(2) == Some("sts") && role.contains(":assumed-role/")).then_some((role, session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_open() {
        let role =
            |role: &str, session: &str| format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}");
        let user = |name: &str| format!("arn:aws:iam::111122223333:user/{name}");
        let root = "arn:aws:iam::111122223333:root".to_owned();
        let sso = "AWSReservedSSO_Data_0123456789abcdef";
        let cases = [
            (user("alice"), user("alice"), true),
            (user("bob"), user("alice"), false),
            (user("team/alice"), user("alice"), false),
            (user("alice"), user("Alice"), false),
            (role("Data", "a"), role("Data", "a"), true),
            (role("Data", "b"), role("Data", "a"), true),
            (role("Other", "a"), role("Data", "a"), false),
            (role("DataMore", "a"), role("Data", "a"), false),
            (role(sso, "alice"), role(sso, "alice"), true),
            (role(sso, "bob"), role(sso, "alice"), false),
            ("arn:aws:sts::999999999999:assumed-role/Data/a".to_owned(), role("Data", "a"), false),
            ("arn:aws:iam::111122223333:user/assumed-role/a".to_owned(), role("Data", "a"), false),
            (root.clone(), user("alice"), true),
            (user("alice"), root.clone(), false),
            (root.clone(), root, true),
            ("arn:aws:iam::999999999999:root".to_owned(), user("alice"), false),
            (user("root"), user("alice"), false),
            (String::new(), String::new(), false),
        ];
        for (caller, owner, expected) in cases {
            assert_eq!(may_open(&caller, &owner, "111122223333"), expected, "{caller} for {owner}");
        }
    }
}
