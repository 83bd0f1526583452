//! The gateways of `reroute`: other machines, so TLS by a certificate that is checked, and no other way when that fails.

use super::envelope::Transaction;
use super::reply::Reply;
use super::smtp::{Peer, Sent, Timeouts};
use crate::config::{Config, Gateway, GatewayTls};
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsVersion};
use std::collections::BTreeMap;

/// One connection a gateway at most.
pub(super) struct Gateways {
    timeouts: Timeouts,
    peers: BTreeMap<String, Peer>,
}

/// How a connection is made secure.
pub(super) struct Secured {
    pub(super) parameters: TlsParameters,
    pub(super) how: GatewayTls,
}

impl Gateways {
    pub(super) fn new(timeouts: Timeouts) -> Gateways {
        Gateways {
            timeouts,
            peers: BTreeMap::new(),
        }
    }

    /// Sends one mail through the gateway of this name, or says why it waits. A gateway that nobody knows any more is waited
    /// for like one that is away: the administrator may have mistyped it, and there is no second way.
    pub(super) fn send(&mut self, name: &str, config: &Config, transaction: &Transaction<'_>) -> Sent {
        if !self.peers.contains_key(name) {
            let Some(gateway) = config.gateways.get(name) else {
                tracing::error!(
                    gateway = name,
                    "mail waits: this gateway is not among `gateways` of the configuration; add it and restart the courier"
                );
                return Sent::Away(Reply::ours("4.3.5 the gateway is not in the configuration"));
            };
            let secured = match gateway.secured() {
                Ok(secured) => secured,
                Err(why) => {
                    tracing::error!(gateway = name, "mail waits: {why}");
                    return Sent::Away(Reply::ours("4.3.5 the gateway's certificates cannot be read"));
                }
            };
            let server = match gateway.host.contains(':') {
                true => format!("[{}]:{}", gateway.host.trim_matches(['[', ']']), gateway.port),
                false => format!("{}:{}", gateway.host, gateway.port),
            };
            let peer = Peer::secured(&server, &config.hostname, self.timeouts, secured);
            self.peers.insert(name.to_owned(), peer);
        }
        match self.peers.get_mut(name) {
            Some(peer) => peer.send(transaction),
            None => Sent::Away(Reply::ours("4.3.5 the gateway is not in the configuration")),
        }
    }

    pub(super) fn close(&mut self) {
        // Dropped, so that a certificate that was renewed is read anew.
        for peer in std::mem::take(&mut self.peers).values_mut() {
            peer.close();
        }
    }

    pub(super) fn abandon(&mut self) {
        self.peers.clear();
    }
}

impl Gateway {
    /// TLS 1.2 at least (Datatilsynet's floor), the name in the certificate checked.
    fn secured(&self) -> Result<Secured, String> {
        let mut tls = TlsParameters::builder(self.certificate.clone().unwrap_or_else(|| self.host.clone()))
            .set_min_tls_version(TlsVersion::Tlsv12);
        if let Some(path) = &self.ca {
            let shown = path.display();
            let pem =
                std::fs::read(path).map_err(|error| format!("the gateway's `ca` {shown} cannot be read: {error}"))?;
            // An empty file would be no certificate at all, without a word.
            let certificates = Some(&pem)
                .filter(|pem| memchr::memmem::find(pem, b"BEGIN CERTIFICATE").is_some())
                .and_then(|pem| Certificate::from_pem(pem).ok())
                .ok_or_else(|| format!("the gateway's `ca` {shown} holds no certificates in PEM form"))?;
            tls = tls
                .certificate_store(CertificateStore::None)
                .add_root_certificate(certificates);
        }
        let parameters = tls.build_rustls().map_err(|error| error.to_string())?;
        Ok(Secured {
            parameters,
            how: self.tls,
        })
    }
}
