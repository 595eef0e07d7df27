//! What Terraform puts into the environment of a provider that it starts.

/// The only protocol spoken here.
pub const PROTOCOL: u32 = 5;

const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";

/// A handshake that can be answered.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Terraform's certificate in PEM. Without it Terraform expects no TLS (`TF_DISABLE_PLUGIN_TLS`).
    pub client_certificate: Option<String>,
}

/// Why there is nothing to serve. The text is for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody ran the binary.
    #[error(
        "This is the Trailwire provider for Terraform. Terraform starts it by itself: declare it under required_providers and run terraform init.\n\
         The command line program is called trailwire. Options here: --version, and --debug for a debugger."
    )]
    NotTerraform,
    /// A Terraform that speaks other protocols only.
    #[error("Terraform offers the plugin protocols {offered}, and this provider speaks {PROTOCOL}: use Terraform 0.12 or later.")]
    NoCommonProtocol {
        /// What it offered.
        offered: String,
    },
}

impl Invitation {
    /// Reads the environment.
    ///
    /// # Errors
    /// Not started by Terraform, or by one that does not speak our protocol.
    pub fn from_environment() -> Result<Invitation, Refusal> {
        Invitation::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Invitation, Refusal> {
        if variable(COOKIE_NAME).as_deref() != Some(COOKIE) {
            return Err(Refusal::NotTerraform);
        }
        // The list has no order; a Terraform too old to send it speaks other protocols.
        let offered = variable(VERSIONS).unwrap_or_else(|| "4".to_owned());
        if !offered.split(',').any(|version| version.trim().parse() == Ok(PROTOCOL)) {
            return Err(Refusal::NoCommonProtocol { offered });
        }
        Ok(Invitation { client_certificate: variable(CLIENT_CERTIFICATE).filter(|text| !text.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Invitation::read(variable).map(|invitation| invitation.client_certificate).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn only_a_terraform_that_speaks_protocol_5_is_served() {
        assert_eq!(read(&[(COOKIE_NAME, COOKIE), (VERSIONS, "6,5"), (CLIENT_CERTIFICATE, "PEM")]), Ok(Some("PEM".to_owned())));
        assert_eq!(read(&[(COOKIE_NAME, COOKIE), (VERSIONS, "5")]), Ok(None));
        assert!(read(&[]).unwrap_err().contains("Terraform starts it by itself"));
        assert!(read(&[(COOKIE_NAME, "x"), (VERSIONS, "5")]).is_err());
        assert!(read(&[(COOKIE_NAME, COOKIE), (VERSIONS, "6,7")]).unwrap_err().contains("protocols 6,7"));
        assert!(read(&[(COOKIE_NAME, COOKIE)]).unwrap_err().contains("speaks 5"));
    }
}
