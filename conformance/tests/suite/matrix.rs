//! Every scheme alone, among alternatives, with another one, and where a call may do without: what generated clients send to the mock,
//! and what the check sends, byte for byte; each searched for every other secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use keyfit::redact::Redactor as Finder;
use keyfit_conformance::catalogue::{Case, Catalogue, Side};
use keyfit_conformance::check;
use keyfit_conformance::contract::Probe;
use keyfit_conformance::credential::identity::{CredentialNeed, Identities, Identity, Rights, State};
use keyfit_conformance::credential::secret::Redactor;
use keyfit_conformance::init::{CredentialChoices, scaffold};
use keyfit_conformance::judgement::missing::Missing;
use keyfit_conformance::judgement::verdict::{Outcome, Verdict};
use keyfit_conformance::mock::{Mock, Mutant, TokenIssuer};
use keyfit_conformance::probe::TargetServer;
use keyfit_conformance::report::{ApiReport, Report};
use keyfit_conformance::run::{Plan, run};
use keyfit_openapi::{SecurityRequirement, Source, Text};

use crate::common::{UNSEEN, http, side};
use crate::locks::{self, MACHINE, Parts, SCHEMES, Scheme, Secrets, sorted};
use crate::relay::Relay;
use crate::secrets::forms;

/// The API with the contract that `keyfit init` begins.
fn source() -> Source {
    let Source { name, document, .. } = locks::source();
    let made = scaffold(&name, &document, &CredentialChoices::default()).expect("a contract");
    let overlay = Some(Text::new("overlay.yaml", made.overlay));
    Source { name, document, overlay, contract: Some(Text::new("contract.toml", made.contract)) }
}

fn named(name: &str) -> &'static Scheme {
    SCHEMES.iter().find(|scheme| scheme.name == name).expect("a scheme of the document")
}

fn catalogue() -> Catalogue {
    Catalogue::read(&source()).expect("a contract")
}

/// The parts of a request that not every one has, and of which none is a part of HTTP itself.
fn parts(request: &str) -> Parts {
    let mut lines = request.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a target");
    let headers = lines.take_while(|line| !line.is_empty()).map(|line| line.split_once(": ").expect("a header"));
    let usual = ["host", "accept", "user-agent", "content-length"];
    let headers = headers.filter(|(name, _)| !usual.contains(&name.to_ascii_lowercase().as_str()));
    let query = target.split_once('?').map(|(_, query)| ("query", query));
    headers.chain(query).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

async fn mock(catalogue: &Catalogue, mutant: Option<Mutant>) -> Mock {
    let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
    Mock::start(api, contract, mutant, Redactor::default()).await.expect("a loopback socket")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mock_serves_what_the_document_allows_a_generated_client_to_send() {
    let mock = mock(&catalogue(), None).await;
    let valid =
        |kind: &str| CredentialNeed { kind: kind.to_owned(), state: State::Valid, rights: Rights::All, alone: false };
    let secret = |scheme: &Scheme| {
        let identity = mock.token_issuer().find(&valid(scheme.name)).expect("the mock issues it");
        identity.credentials[0].secret.reveal().to_owned()
    };
    let secrets: Secrets = SCHEMES.iter().map(|scheme| (scheme.name, secret(scheme))).collect();
    let relay = Relay::start(mock.base_url()).await;
    let taken = || relay.take().iter().map(|request| parts(request)).collect();
    // No certificate is seen over plain http, and so what it opens stays closed.
    let opens = |needed: &SecurityRequirement, carried: &[&Scheme]| {
        let is_carried = |name: &String| name != MACHINE && carried.iter().any(|scheme| scheme.name == name);
        needed.is_optional() || needed.sets().iter().any(|set| set.iter().all(is_carried))
    };
    let counts = locks::each_request_is_one_that_the_document_allows(&relay.base_url, &secrets, taken, opens).await;
    println!("{counts:?}, 0 found");
}

/// A folder of its own with the API, as `keyfit init` begins it.
pub(crate) fn folder() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("matrix-{}", MADE.fetch_add(1, Ordering::Relaxed)))
        .join("locks");
    fs::create_dir_all(&folder).expect("a folder");
    let Source { document, overlay, contract, .. } = source();
    for text in [Some(document), overlay, contract].into_iter().flatten() {
        fs::write(folder.join(&text.path), &text.text).expect("a file");
    }
    folder
}

#[test]
fn a_generated_client_is_driven_with_all_that_an_operation_takes_at_once() {
    let findings = check(folder()).client(locks::connect).run().expect("it can be checked");
    findings.assert();
    let cases = &findings.report.apis[0].cases;
    let skipped: Vec<&String> =
        cases.iter().filter(|case| case.verdict != Verdict::Pass).map(|case| &case.id).collect();
    assert!(skipped.is_empty(), "{skipped:?}");
    let rules = |operation: &str| cases.iter().filter(|case| case.operation.id == operation).count();
    for scheme in &SCHEMES {
        assert!(rules(&format!("{}-alone", scheme.name)) > 5, "{}", scheme.name);
    }
    for operation in ["bearer-and-header-key", "login-and-cookie-key", "bot-and-query-key", "service-and-bot"] {
        // Two of one header are sent by nobody.
        let is_sent = operation != "service-and-bot";
        assert_eq!(rules(operation) > 5, is_sent, "{operation}");
    }
    println!("{} cases of a generated client, all passed", cases.len());
}

/// Tokens of a mock, and a note of who was called as.
struct Noting {
    mint: TokenIssuer,
    /// Each identity since the last look.
    found: Mutex<Vec<Identity>>,
    /// Every credential that was ever issued, with its scheme.
    issued: Mutex<Vec<(&'static Scheme, String)>>,
}

impl Identities for Noting {
    fn find(&self, need: &CredentialNeed) -> Result<Identity, Missing> {
        let identity = self.mint.find(need)?;
        let held = |held: &keyfit_conformance::credential::identity::IdentityCredential| {
            (named(&held.kind), held.secret.reveal().to_owned())
        };
        self.issued.lock().expect("no panic").extend(identity.credentials.iter().map(held));
        self.found.lock().expect("no panic").push(identity.clone());
        Ok(identity)
    }

    fn foreign_id(&self, path: &str, parameter: &str) -> Result<String, Missing> {
        self.mint.foreign_id(path, parameter)
    }
}

/// What stands in the place of a credential that was never issued.
const UNKNOWN: &str = "neverissuedneverissuedneverissued";

/// What a probe sends of the credentials of who calls, as the words on the probe have it.
fn sent(probe: &Probe, held: &[(&'static Scheme, String)], catalogue: &Catalogue, case: &Case) -> Parts {
    let written = |(scheme, secret): &(&Scheme, String)| scheme.sent(secret);
    let bent = |bend: &dyn Fn(&'static Scheme, &str) -> (String, String)| {
        held.iter().map(|(scheme, secret)| bend(scheme, secret)).collect::<Parts>()
    };
    let has_scheme = |scheme: &Scheme| scheme.place == "authorization";
    let lower =
        |scheme: &Scheme| if has_scheme(scheme) { scheme.before.to_lowercase() } else { scheme.before.to_owned() };
    let of_nobody = |scheme: &'static Scheme| {
        let user = if scheme.name == "login" { "neverissued:" } else { "" };
        scheme.sent(&format!("{user}{UNKNOWN}"))
    };
    match probe {
        probe if probe.is_without_token() => match (probe, held.first()) {
            (Probe::QueryToken(name), Some((_, secret))) => {
                let secret: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                vec![("query".to_owned(), format!("{name}={secret}"))]
            }
            _ => Vec::new(),
        },
        Probe::Anonymous => Vec::new(),
        Probe::EmptyToken => bent(&|scheme, _| (scheme.place.to_owned(), scheme.before.to_owned())),
        Probe::MalformedToken => bent(&|scheme, secret| {
            let (place, once) = scheme.sent(secret);
            let between = if place == "query" { "+" } else { " " };
            (place, format!("{once}{between}{}", scheme.encoded(secret)))
        }),
        Probe::WrongScheme => bent(&|scheme, secret| match scheme.before {
            "Bearer " => (scheme.place.to_owned(), format!("Basic {secret}")),
            _ if has_scheme(scheme) => (scheme.place.to_owned(), format!("Bearer {}", scheme.encoded(secret))),
            _ => scheme.sent(secret),
        }),
        Probe::BareToken => bent(&|scheme, secret| {
            if has_scheme(scheme) { (scheme.place.to_owned(), scheme.encoded(secret)) } else { scheme.sent(secret) }
        }),
        Probe::LowerCaseScheme => {
            bent(&|scheme, secret| (scheme.place.to_owned(), format!("{}{}", lower(scheme), scheme.encoded(secret))))
        }
        Probe::OtherPlace => bent(&|scheme, secret| match scheme.place {
            "authorization" => ("x-api-key".to_owned(), secret.to_owned()),
            "x-key" => ("authorization".to_owned(), format!("Bearer {secret}")),
            _ => (scheme.before.trim_end_matches('=').to_owned(), secret.to_owned()),
        }),
        Probe::OtherAlternative => {
            let first = &catalogue.operation(case).security.sets()[0];
            bent(&|_, secret| named(&first[0]).sent(secret))
        }
        Probe::Without(kind) => held.iter().filter(|(scheme, _)| scheme.name != kind).map(written).collect(),
        Probe::WithUnknown(kind) => bent(&|scheme, secret| {
            if scheme.name == kind { of_nobody(scheme) } else { scheme.sent(secret) }
        }),
        Probe::UnknownToken => bent(&|scheme, _| of_nobody(scheme)),
        Probe::WrongPassword => bent(&|scheme, secret| {
            let user = secret.split(':').next().unwrap_or_default();
            scheme.sent(&format!("{user}:keyfit-no-such-id"))
        }),
        Probe::ChangedToken => bent(&|scheme, secret| {
            let (mut letters, place) = (secret.as_bytes().to_vec(), secret.len() * 3 / 4);
            letters[place] = if letters[place] == b'a' { b'b' } else { b'a' };
            scheme.sent(&String::from_utf8(letters).expect("it is ASCII"))
        }),
        Probe::OtherCaseToken => bent(&|scheme, secret| {
            let turned = |letter: char| match letter {
                letter if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
                letter => letter.to_ascii_lowercase(),
            };
            scheme.sent(&secret.chars().map(turned).collect::<String>())
        }),
        _ => held.iter().map(written).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_of_the_check_is_the_one_of_its_probe() {
    let catalogue = side(catalogue(), Side::Server);
    let (mut requests, mut searched, mut unseen) = (0, 0, 0);
    let mut by_probe: BTreeMap<String, usize> = BTreeMap::new();
    let mock = mock(&catalogue, None).await;
    let relay = Relay::start(mock.base_url()).await;
    let noting =
        Arc::new(Noting { mint: mock.token_issuer().clone(), found: Mutex::default(), issued: Mutex::default() });
    let target = TargetServer::new(http(), relay.base_url.parse().expect("a URL"), noting.clone(), Redactor::default());
    let plan = Plan { target: Some(Arc::new(target)), ..Plan::default() };
    // What the authorization server is asked carries nothing of an alternative.
    let is_call = |case: &&Case| !matches!(catalogue.rule(case).probe, Some(Probe::Oauth(_)));
    for case in catalogue.cases.iter().filter(is_call) {
        let mut one = Catalogue::clone(&catalogue);
        one.cases = vec![case.clone()];
        let outcomes = run(&Arc::new(one), &plan).await;
        let probe = catalogue.rule(case).probe.as_ref().expect("it is one for servers");
        let found = std::mem::take(&mut *noting.found.lock().expect("no panic"));
        let held = found.iter().flat_map(|identity| &identity.credentials);
        let held: Vec<(&Scheme, String)> =
            held.map(|held| (named(&held.kind), held.secret.reveal().to_owned())).collect();
        let seen = relay.take();
        if *probe == Probe::Any {
            assert_eq!(seen, [""; 0], "{}: it judges what others were answered", case.id);
            continue;
        }
        if outcomes[0].reason.as_deref() == Some(UNSEEN) {
            assert_eq!(seen, [""; 0], "{}", case.id);
            unseen += 1;
            continue;
        }
        assert_eq!(outcomes[0].reason, None, "{}", case.id);
        // What an answer is compared with is asked first.
        let expect = catalogue.rule(case).expect.as_ref().expect("it says what is expected");
        let probes: Vec<&Probe> = expect.same_as.iter().chain(&expect.same_headers_as).chain([probe]).collect();
        // Several requests, which are about something else than who calls.
        let is_about_others =
            matches!(probe, Probe::Invalid(_) | Probe::CrossOrigin | Probe::UndeclaredMethod | Probe::OtherSpelling);
        assert!(is_about_others || seen.len() == probes.len(), "{}: {seen:?}", case.id);
        let probes = probes.into_iter().chain(std::iter::repeat(probe));
        for (request, probe) in seen.iter().zip(probes) {
            let expected = sorted(sent(probe, &held, &catalogue, case));
            assert!(is_about_others || sorted(parts(request)) == expected, "{}: {request}", case.id);
            requests += 1;
            *by_probe.entry(format!("{probe:?}").split('(').next().unwrap_or_default().to_owned()).or_default() += 1;
            // What is sent of who calls was just compared.
            let is_sent = |secret: &String| expected.iter().any(|(_, value)| value.contains(secret));
            for (scheme, secret) in noting.issued.lock().expect("no panic").iter() {
                for secret in scheme.secrets(secret).iter().filter(|secret| !is_sent(secret)) {
                    assert!(!request.contains(secret), "{}: {}", case.id, scheme.name);
                    searched += 1;
                }
            }
        }
    }
    println!("{requests} requests, {searched} secrets searched for, 0 found, {unseen} cases left to TLS: {by_probe:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_a_report_on_any_scheme_holds_a_secret() {
    let catalogue = side(catalogue(), Side::Server);
    let (mut texts, mut searched, mut shown) = (0, 0, 0);
    for mutant in [Mutant::RefusesEveryone, Mutant::AcceptsNoToken, Mutant::AcceptsUnknownToken, Mutant::EchoesToken] {
        let redactor = Redactor::default();
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let mock = Mock::start(api, contract, Some(mutant), redactor.clone()).await.expect("a loopback socket");
        let noting =
            Arc::new(Noting { mint: mock.token_issuer().clone(), found: Mutex::default(), issued: Mutex::default() });
        let base_url = mock.base_url().parse().expect("a URL");
        let target = TargetServer::new(http(), base_url, noting.clone(), redactor.clone());
        let plan = Plan { target: Some(Arc::new(target)), ..Plan::default() };
        let outcomes: Vec<Outcome> = run(&catalogue, &plan).await;
        shown += outcomes.iter().map(|outcome| outcome.exchanges.len()).sum::<usize>();
        let report = ApiReport::new(&catalogue, mock.base_url(), outcomes, &redactor);
        let report = Report::new(vec![report], 1, std::time::Duration::ZERO);
        let issued = noting.issued.lock().expect("no panic").clone();
        let secrets: BTreeSet<String> = issued.iter().flat_map(|(scheme, secret)| scheme.secrets(secret)).collect();
        let count = secrets.len();
        let finder = Finder::new(secrets);
        for (form, text) in forms(&report) {
            assert!(!finder.finds(&text), "{mutant:?}, {form}");
            (texts, searched) = (texts + 1, searched + count);
        }
    }
    assert!(shown > 100, "{shown} exchanges: too little is shown");
    println!("{texts} texts with {shown} exchanges, {searched} secrets searched for, 0 found");
}
