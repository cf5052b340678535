//! Which database a URL means, and what may be shown of it.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::DatabaseUrl;

impl DatabaseUrl {
    /// Reads a URL; nothing means SQLite in the data folder. The error ends a sentence about the URL and shows
    /// nothing of it but its scheme.
    pub(super) fn read(url: Option<&SecretString>, data_dir: &Path) -> Result<Self, String> {
        let Some(secret) = url else { return Ok(Self::Sqlite(data_dir.join("lectern.db"))) };
        let url = secret.expose_secret();
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(
                "must be a URL, such as \"postgres://USER:PASSWORD@HOST/DATABASE\" or \"sqlite:PATH\"".into(),
            );
        };
        match scheme {
            "postgres" | "postgresql" => match Url::parse(url) {
                Ok(_) => Ok(Self::Postgres(secret.clone())),
                Err(error) => Err(format!("is no valid URL: {error}")),
            },
            "sqlite" => sqlite(rest).map(Self::Sqlite),
            // A text without a scheme may still have a colon, before its password for instance.
            other if is_scheme(other) && rest.starts_with("//") => {
                Err(format!("must begin with `postgres:` or `sqlite:`, not with `{other}:`"))
            }
            _ => Err("must begin with `postgres:` or `sqlite:`".into()),
        }
    }
}

fn sqlite(rest: &str) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
        return Err("must name a file, such as \"sqlite:lectern.db\": what is in memory only is lost".into());
    }
    if path.contains('?') {
        return Err("must be \"sqlite:PATH\" without parameters: Lectern sets what it needs".into());
    }
    Ok(path.into())
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'+')
}

/// Without the password, and without the parameters, which can hold one too.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match Url::parse(url.expose_secret()) {
                Ok(mut url) => {
                    if url.password().is_some() && url.set_password(Some("...")).is_err() {
                        return f.write_str("postgres:(hidden)");
                    }
                    let parameters = if url.query().is_some() { "?..." } else { "" };
                    url.set_query(None);
                    url.set_fragment(None);
                    write!(f, "{url}{parameters}")
                }
                Err(_) => f.write_str("postgres:(hidden)"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<DatabaseUrl, String> {
        DatabaseUrl::read(Some(&SecretString::from(url)), Path::new("data"))
    }

    #[test]
    fn a_url_is_shown_without_what_could_be_a_password() {
        for (url, shown) in [
            ("postgres://localhost/lectern", "postgres://localhost/lectern"),
            ("postgres://me@localhost:5433/lectern", "postgres://me@localhost:5433/lectern"),
            ("postgresql://me:hunter2@db/lectern", "postgresql://me:...@db/lectern"),
            ("postgres://db/lectern?user=me&password=hunter2", "postgres://db/lectern?..."),
            ("postgres:///lectern?host=/run/postgresql", "postgres:///lectern?..."),
            ("sqlite:here.db", "sqlite:here.db"),
            ("sqlite://here.db", "sqlite:here.db"),
            ("sqlite:///there/it.db", "sqlite:/there/it.db"),
        ] {
            assert_eq!(read(url).unwrap().to_string(), shown, "{url}");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_not_repeated() {
        for (url, but) in [
            ("mysql://me:hunter2@db/x", "must begin with `postgres:` or `sqlite:`, not with `mysql:`"),
            ("me:hunter2@db", "must begin with `postgres:` or `sqlite:`"),
            (
                "hunter2",
                "must be a URL, such as \"postgres://USER:PASSWORD@HOST/DATABASE\" or \"sqlite:PATH\"",
            ),
            ("postgres://me:hunter2@db:port/x", "is no valid URL: invalid port number"),
            (
                "sqlite::memory:",
                "must name a file, such as \"sqlite:lectern.db\": what is in memory only is lost",
            ),
            ("sqlite:", "must name a file, such as \"sqlite:lectern.db\": what is in memory only is lost"),
            ("sqlite:a.db?mode=ro", "must be \"sqlite:PATH\" without parameters: Lectern sets what it needs"),
        ] {
            assert_eq!(read(url).unwrap_err(), but, "{url}");
        }
    }

    #[test]
    fn without_a_url_the_database_is_in_the_data_folder() {
        let url = DatabaseUrl::read(None, Path::new("data")).unwrap();
        assert_eq!(url.to_string(), "sqlite:data/lectern.db");
    }
}
