//! TLS for what handlers connect to.

#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis"))]
pub(super) use self::authorities::Authorities;

/// Has every library that leaves the choice to the process use ring, as the rest of Lectern does.
pub(super) fn use_ring() {
    // An error says that the process has chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod authorities {
    use std::path::PathBuf;

    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use crate::config::SettingsError;

    /// A file of certificate authorities, for servers whose certificates are not of those that the system knows.
    pub(in crate::handlers) struct Authorities {
        /// Where it is.
        #[cfg_attr(
            not(any(feature = "kafka", feature = "nats")),
            expect(dead_code, reason = "only their libraries read the file by themselves")
        )]
        pub(in crate::handlers) path: PathBuf,
        /// What is in it.
        #[cfg_attr(
            not(any(feature = "rabbitmq", feature = "redis")),
            expect(dead_code, reason = "only their libraries take its content")
        )]
        pub(in crate::handlers) pem: Vec<u8>,
    }

    impl Authorities {
        /// Reads the file that the setting `ca_file` names; none when it is not set.
        pub(in crate::handlers) fn read(ca_file: Option<PathBuf>) -> Result<Option<Self>, SettingsError> {
            let Some(path) = ca_file.filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
            let refused = |why| SettingsError(format!("`ca_file` names {}, which {why}", path.display()));
            let pem = std::fs::read(&path).map_err(|error| refused(format!("can't be read: {error}")))?;
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            match certificates {
                Ok(certificates) if !certificates.is_empty() => Ok(Some(Self { path, pem })),
                _ => Err(refused("holds no certificates in the form PEM".to_owned())),
            }
        }
    }
}
