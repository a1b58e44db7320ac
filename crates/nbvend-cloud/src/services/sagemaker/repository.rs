//! Git repositories of a notebook: `DefaultCodeRepository` and `AdditionalCodeRepositories`, given by URL. SageMaker's
//! own repository resources are not served, so a name finds nothing.

use super::error::Error;
use super::state::Notebook;
use crate::ports::Repository;

/// Refuses what cannot be a repository, before anything is made of it.
pub fn check<'a>(given: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let mut folders = Vec::new();
    for text in given {
        let Some(rest) = text.strip_prefix("https://") else {
            return Err(Error::NoCodeRepository(text.clone()));
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let folder = folder(text);
        if authority.is_empty() || folder.is_none() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::Validation(format!("{text} is not the URL of a Git repository")));
        }
        if authority.contains('@') {
            // It would be read by everybody who may describe the notebook.
            return Err(Error::Validation("The URL of a Git repository must not hold a password".to_owned()));
        }
        if folders.contains(&folder) {
            return Err(Error::Validation(format!(
                "{text}: two repositories of a notebook cannot have the same name"
            )));
        }
        folders.push(folder);
    }
    Ok(())
}

/// What `git clone` calls the folder: the last part of the path.
fn folder(url: &str) -> Option<String> {
    let path = url.strip_prefix("https://")?.split_once('/')?.1;
    let last = path.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?;
    let name = last.strip_suffix(".git").unwrap_or(last);
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    (plain && !name.is_empty() && !name.starts_with(['.', '-'])).then(|| name.to_owned())
}

/// The notebook's repositories as the host is told.
pub fn of(notebook: &Notebook) -> Vec<Repository> {
    let default = notebook.default_repository.iter().map(|url| (url, true));
    let others = notebook.additional_repositories.iter().map(|url| (url, false));
    default
        .chain(others)
        .filter_map(|(url, default)| Some(Repository { url: url.clone(), folder: folder(url)?, default }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_their_folders() {
        for (url, expected) in [
            ("https://git.example/team/tools.git", Some("tools")),
            ("https://git.example/team/tools/", Some("tools")),
            ("https://git.example/a_b-c.d", Some("a_b-c.d")),
            ("https://git.example", None),
            ("https://git.example/", None),
            ("https://git.example/..", None),
            ("https://git.example/-x", None),
            ("https://git.example/a;b", None),
        ] {
            assert_eq!(folder(url).as_deref(), expected, "{url}");
            assert_eq!(check([url.to_owned()].iter()).is_ok(), expected.is_some(), "{url}");
        }
        let refused = |urls: &[&str]| {
            let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
            check(urls.iter()).unwrap_err().to_string()
        };
        assert!(refused(&["my-repository"]).contains("Could not find Code Repository"));
        assert!(refused(&["https://me:secret@git.example/x"]).contains("password"));
        assert!(refused(&["https://a.example/x", "https://b.example/x.git"]).contains("same name"));
    }
}
