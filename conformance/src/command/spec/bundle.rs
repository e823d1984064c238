//! `keyfit spec bundle`: a document in several files as one, those behind URLs included.

use std::path::PathBuf;

use clap::Args;
use keyfit_conformance::UserError;
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::origin::digest_of;
use keyfit_conformance::probe::{Http, is_loopback};
use keyfit_openapi::{Text, without_secrets};
use reqwest::Url;
use tokio::runtime::Runtime;

use super::{input, output};
use crate::command::runtime;
use crate::command::transport::{TransportArgs, is_url};
use crate::terminal::console;
use crate::terminal::exit::ExitStatus;

/// The document, and where it is written.
#[derive(Args, Debug)]
#[group(skip)]
pub(crate) struct BundleArgs {
    /// The file that refers to the others, or its URL.
    #[arg(value_name = "FILE or URL")]
    file: String,
    /// Write the document into this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    transport: TransportArgs,
}

/// Prints the document that all other commands read, in JSON: the one that an overlay addresses.
pub(crate) fn run(args: &BundleArgs) -> Result<ExitStatus, UserError> {
    let given_url = is_url(&args.file).then(|| fetchable(&args.file)).transpose();
    let given_url = given_url.map_err(|problem| {
        UserError::new(problem).at(without_secrets(&args.file)).help("begin it with https:// and end it with its path")
    })?;
    let fetcher = DocumentFetcher::new(&args.transport, given_url)?;
    let gather = |text: Text| text.with_fetched(|url, from| fetcher.referenced(url, from));
    let document = match &fetcher.given_url {
        Some(url) => gather(fetcher.document(url)?)?,
        None => input::read_with(&args.file, gather)?.text,
    };
    let whole = document.joined()?;
    output::write(&whole.text, args.output.as_deref())?;
    Ok(ExitStatus::Success)
}

/// Fetches the documents that references lead to.
struct DocumentFetcher {
    runtime: Runtime,
    /// As the user says, for the host that the user named.
    known: Http,
    /// For all others.
    others: Http,
    given_url: Option<Url>,
}

impl DocumentFetcher {
    fn new(transport: &TransportArgs, given_url: Option<Url>) -> Result<Self, UserError> {
        if given_url.is_none() && transport.says_who_calls() {
            return Err(UserError::new("a header or a client certificate needs a host that it is for")
                .help("name the document by its URL: they are shown to its host alone"));
        }
        let (known, others) = (transport.http(&[], &Redactor::default(), None)?, transport.anonymous()?);
        Ok(Self { runtime: runtime()?, known, others, given_url })
    }

    /// The file behind a reference. What somebody else wrote reaches no server of this machine, unless it comes from there.
    fn referenced(&self, url: &str, from: &str) -> Result<Vec<u8>, String> {
        let url = fetchable(url)?;
        let is_of_the_same = |other: Url| other.origin() == url.origin();
        if url.scheme() == "http" && is_url(from) && !Url::parse(from).is_ok_and(is_of_the_same) {
            return Err("a file that was fetched leads to this machine over plain http".to_owned());
        }
        self.get(&url)
    }

    fn document(&self, url: &Url) -> Result<Text, UserError> {
        let bytes = self.get(url).map_err(|problem| {
            UserError::new(format!("the document cannot be fetched: {problem}"))
                .at(without_secrets(url.as_str()))
                .help("check the URL; a redirect is not followed, name where it leads")
        })?;
        Ok(Text::decode(url.as_str(), bytes)?)
    }

    fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let is_known = self.given_url.as_ref().is_some_and(|given_url| given_url.origin() == url.origin());
        let http = if is_known { &self.known } else { &self.others };
        let bytes = self.runtime.block_on(http.fetch(url.clone()))?;
        let (shown, length, digest) = (without_secrets(url.as_str()), bytes.len(), digest_of(&bytes));
        console::print_message(&format!("fetched {shown}: {length} bytes, SHA-256 {digest}"));
        Ok(bytes)
    }
}

/// A URL from which a part of a document is fetched.
fn fetchable(url: &str) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|error| format!("this is no URL: {error}"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err("only https is fetched, and http of this machine".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL names a user: put what opens it into --header".to_owned());
    }
    Ok(url)
}
