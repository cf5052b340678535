//! What a person who starts the server wants to know.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// What a person who starts the server wants to know: where to point Podium, where the secret is, how to try it.
pub(super) struct Welcome<'a> {
    pub(super) public: SocketAddr,
    pub(super) internal: SocketAddr,
    /// The file that holds the default source's secret.
    pub(super) secret_file: Option<PathBuf>,
    /// Whether `lectern send` finds that secret in the data folder.
    pub(super) secret_is_generated: bool,
    /// The default source has no secret at all.
    pub(super) takes_unsigned: bool,
    /// The file that holds the API token.
    pub(super) token_file: Option<PathBuf>,
    /// How this program was called.
    pub(super) program: &'a str,
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let internal = reachable(self.internal);
        let secret = match &self.secret_file {
            Some(file) => format!("cat {}", quoted(&file.display().to_string())),
            None if self.takes_unsigned => "none: requests are taken unsigned".to_owned(),
            None => "the one in your configuration".to_owned(),
        };
        let token = match &self.token_file {
            Some(file) => format!("$(cat {})", quoted(&file.display().to_string())),
            None => "$LECTERN_API_TOKEN".to_owned(),
        };
        writeln!(f, "Lectern is listening.\n")?;
        writeln!(f, "  Point Podium's webhook to   {}", webhook(self.public))?;
        writeln!(f, "                              by the HTTPS address that your proxy or tunnel gives it")?;
        writeln!(f, "  The webhook's secret        {secret}")?;
        writeln!(f, "  Send a sample event         {} send message.received", self.program)?;
        if !self.secret_is_generated && !self.takes_unsigned {
            writeln!(f, "                              with the same secret set, or with --secret-file")?;
        }
        writeln!(f, "  See what arrived            curl -H \"Authorization: Bearer {token}\" \\")?;
        writeln!(f, "                                http://{internal}/api/v1/events")
    }
}

/// The default source's address, as this machine reaches it.
pub(super) fn webhook(public: SocketAddr) -> String {
    format!("http://{}/webhooks/podium", reachable(public))
}

/// An address by which this machine reaches its own listener.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How to call this program again, from what it was called by.
pub(super) fn program(called: Option<&OsString>) -> String {
    // Cargo leaves its mark on what it runs.
    if std::env::var_os("CARGO").is_some() && std::env::var_os("CARGO_MANIFEST_DIR").is_some() {
        return "cargo run --".to_owned();
    }
    called.map_or_else(|| "lectern".to_owned(), |called| called.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_for_the_shell_only_where_it_must_be() {
        assert_eq!(quoted("lectern-data/api-token"), "lectern-data/api-token");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn the_greeting_says_where_to_go_next_and_no_secret() {
        let welcome = Welcome {
            public: "0.0.0.0:8080".parse().unwrap(),
            internal: "127.0.0.1:8081".parse().unwrap(),
            secret_file: Some("lectern-data/webhook-secret".into()),
            secret_is_generated: true,
            takes_unsigned: false,
            token_file: Some("lectern-data/api-token".into()),
            program: "cargo run --",
        };
        insta::assert_snapshot!(welcome, @r#"
        Lectern is listening.

          Point Podium's webhook to   http://127.0.0.1:8080/webhooks/podium
                                      by the HTTPS address that your proxy or tunnel gives it
          The webhook's secret        cat lectern-data/webhook-secret
          Send a sample event         cargo run -- send message.received
          See what arrived            curl -H "Authorization: Bearer $(cat lectern-data/api-token)" \
                                        http://127.0.0.1:8081/api/v1/events
        "#);
    }

    #[test]
    fn the_greeting_of_a_server_with_a_secret_of_its_own_says_what_the_sample_needs() {
        let welcome = Welcome {
            public: "127.0.0.1:8080".parse().unwrap(),
            internal: "127.0.0.1:8081".parse().unwrap(),
            secret_file: None,
            secret_is_generated: false,
            takes_unsigned: false,
            token_file: None,
            program: "lectern",
        };
        insta::assert_snapshot!(welcome, @r#"
        Lectern is listening.

          Point Podium's webhook to   http://127.0.0.1:8080/webhooks/podium
                                      by the HTTPS address that your proxy or tunnel gives it
          The webhook's secret        the one in your configuration
          Send a sample event         lectern send message.received
                                      with the same secret set, or with --secret-file
          See what arrived            curl -H "Authorization: Bearer $LECTERN_API_TOKEN" \
                                        http://127.0.0.1:8081/api/v1/events
        "#);
    }
}
