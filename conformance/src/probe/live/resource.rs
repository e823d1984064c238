//! The resource that a changing call targets: one that the run created, or one that the user declared expendable. Never one that the
//! tokens file names as permanent.

use std::collections::BTreeMap;

use keyfit_openapi::Operation;

use super::super::TargetServer;
use super::super::case_run::CaseRun;
use super::super::reply::Reply;
use super::super::request::DraftBuilder;
use super::effect::item_of;
use super::{Effect, LiveServer, item_template};
use crate::catalogue::Catalogue;
use crate::contract::{Contract, Probe, Rate};
use crate::credential::identity::{CredentialNeed, Identity};
use crate::judgement::missing::Missing;

impl TargetServer {
    /// Sets the ids of a case to a resource that may be changed. Returns the parameter whose id the user declared expendable, if there is one.
    pub(in super::super) async fn select_resource<'t>(
        &self,
        case_run: &mut CaseRun<'t>,
    ) -> Result<Option<&'t str>, Missing> {
        let Some(live) = &self.live else { return Ok(None) };
        let operation = case_run.catalogue.operation(case_run.case);
        // Those probes choose their targets themselves.
        if matches!(case_run.probe, Probe::UndeclaredMethod | Probe::CrossOrigin) {
            return Ok(None);
        }
        let effect = live.effect(operation);
        // The chain creates its own resource.
        if matches!(case_run.probe, Probe::Chain(_)) && effect != Effect::Creates {
            return Ok(None);
        }
        if let (Effect::CreatesAt(parameter), Probe::UnknownId(name)) = (effect, case_run.probe)
            && name == parameter
        {
            let Operation { method, path, .. } = operation;
            return Err(Missing::new(format!("{method} {path} makes the `{name}` that it names, as its 201 says")));
        }
        let parameter = match effect {
            Effect::Nothing => return Ok(None),
            Effect::Creates => {
                let mut identity = case_run.identity.clone();
                if let Probe::Foreign(name) = case_run.probe {
                    identity.ids.insert(name.clone(), self.identities.foreign_id(&operation.path, name)?);
                }
                self.read_list_before(live, case_run.catalogue, operation, &identity).await;
                return Ok(None);
            }
            Effect::CreatesAt(parameter) if operation.method == "POST" => {
                self.refuse_foreign_change(live, case_run.probe, operation)?;
                case_run
                    .identity
                    .ids
                    .insert(parameter.to_owned(), live.unused_id_at(operation, parameter, &case_run.identity));
                return Ok(None);
            }
            Effect::CreatesAt(parameter) | Effect::Changes(parameter) => parameter,
            Effect::ChangesShared if live.allows(operation) => return Ok(None),
            Effect::ChangesShared => {
                let Operation { id, method, path, .. } = operation;
                let what = format!("{method} {path} may change what is there once for all");
                return Err(Missing::shared(what, id));
            }
        };
        self.refuse_foreign_change(live, case_run.probe, operation)?;
        if matches!(case_run.probe, Probe::Foreign(name) if name == parameter) {
            return Ok(Some(parameter));
        }
        // Its id is the one that does not exist.
        if matches!(case_run.probe, Probe::UnknownId(name) if name == parameter) {
            return Ok(None);
        }
        self.select_resource_of(live, case_run, operation, parameter).await
    }

    /// Returns an error if the call would change another user's resource that is not expendable.
    pub(in super::super) fn refuse_foreign_change(
        &self,
        live: &LiveServer,
        probe: &Probe,
        operation: &Operation,
    ) -> Result<(), Missing> {
        let Probe::Foreign(name) = probe else { return Ok(()) };
        if matches!(live.effect(operation), Effect::Nothing | Effect::Creates) {
            return Ok(());
        }
        let foreign = self.identities.foreign_id(&operation.path, name)?;
        if self.identities.is_expendable(&operation.path, name, &foreign) {
            return Ok(());
        }
        let Operation { method, .. } = operation;
        let what = format!("{method} at a foreign `{name}` is sent only where [expendable] names that id too");
        Err(Missing { what, ..Missing::expendable(name) })
    }

    async fn select_resource_of<'t>(
        &self,
        live: &LiveServer,
        case_run: &mut CaseRun<'t>,
        operation: &'t Operation,
        parameter: &'t str,
    ) -> Result<Option<&'t str>, Missing> {
        let removes = operation.method == "DELETE";
        if removes && case_run.expect.rate == Some(Rate::CostsOne) {
            return Err(Missing::new("a call that removes something is not repeated"));
        }
        // Calls for a nonexistent resource count towards the limit as well.
        if removes && *case_run.probe == Probe::Exhausted {
            case_run
                .identity
                .ids
                .insert(parameter.to_owned(), live.unused_id_at(operation, parameter, &case_run.identity));
            return Ok(None);
        }
        let succeeds = case_run.expect.success || *case_run.probe == Probe::Valid;
        let expendable = self.identities.expendable(&operation.path, parameter, removes && succeeds);
        if expendable.is_err()
            && let Some(ids) =
                self.created_ids(live, case_run.catalogue, item_template(&operation.path), removes && succeeds).await
        {
            case_run.identity.ids.extend(ids);
            return Ok(None);
        }
        match expendable {
            Ok(id) => {
                case_run.identity.ids.insert(parameter.to_owned(), id);
                Ok(Some(parameter))
            }
            // The user allows the operation by its id; it changes the resource but does not remove it.
            Err(_) if !removes && live.allows(operation) => Ok(None),
            Err(_) if matches!(live.effect(operation), Effect::CreatesAt(_)) => {
                case_run
                    .identity
                    .ids
                    .insert(parameter.to_owned(), live.unused_id_at(operation, parameter, &case_run.identity));
                Ok(None)
            }
            Err(missing)
                if succeeds
                    || matches!(
                        case_run.probe,
                        Probe::Foreign(_) | Probe::ForeignMember(_) | Probe::UnknownId(_) | Probe::ReadOnlyMembers
                    ) =>
            {
                Err(missing)
            }
            // A refusal of the caller comes before the lookup of the id.
            Err(missing) => {
                case_run
                    .identity
                    .ids
                    .insert(parameter.to_owned(), live.unused_id_at(operation, parameter, &case_run.identity));
                case_run.undecided = Some(missing);
                Ok(None)
            }
        }
    }

    /// Sets the ids of a changing call that is not the subject of a case: an operation that changes a resource gets the newest one of the run.
    pub(in super::super) async fn select_resource_for_setup(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        operation: &Operation,
        identity: &mut Identity,
    ) -> Result<(), Missing> {
        let Operation { id, method, path, spends, .. } = operation;
        if *spends && !live.policy.allow_spend {
            return Err(Missing::new(format!("{method} {path} costs money")).pass("--allow-spend"));
        }
        if !live.may_be_asked(operation) {
            return Err(Missing::new(format!("{method} {path} looks as if it ended or wiped something")).allow(id));
        }
        if let Some(ids) = live.ledger.newest(item_template(path)) {
            identity.ids.extend(ids);
            return Ok(());
        }
        match live.effect(operation) {
            Effect::Nothing => Ok(()),
            Effect::Creates => {
                self.read_list_before(live, catalogue, operation, identity).await;
                Ok(())
            }
            _ if live.allows(operation) => Ok(()),
            Effect::CreatesAt(parameter) | Effect::Changes(parameter) => {
                let known = self.identities.expendable(path, parameter, false);
                let ids = match known {
                    Ok(id) => Some(BTreeMap::from([(parameter.to_owned(), id)])),
                    Err(_) => self.created_ids(live, catalogue, item_template(path), false).await,
                };
                identity.ids.extend(ids.ok_or_else(|| {
                    Missing {
                        what: format!("{method} {path} would change what is there"),
                        ..Missing::expendable(parameter)
                    }
                    .allow(id)
                })?);
                Ok(())
            }
            Effect::ChangesShared => {
                Err(Missing::shared(format!("{method} {path} may change what is there once for all"), id))
            }
        }
    }

    /// Returns the ids of a resource that the run created, once it exists: after a 201 its creation may still be in progress.
    pub(in super::super) async fn created_ids(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        template: &str,
        is_removed: bool,
    ) -> Option<BTreeMap<String, String>> {
        let found = match live.ledger.take_resource(template, is_removed) {
            Some(ids) => Some(ids),
            None => self.create_for_case(live, catalogue, template, is_removed).await,
        };
        let Some(reading) = live.read_operation(catalogue, template) else {
            return found;
        };
        let ids = found?;
        let reader = self.caller(&live.contract, reading)?;
        let reader = Identity { ids: ids.clone(), ..reader };
        let draft = self.maker(live, catalogue, reading)?.draft(&Probe::Valid, reading, &reader).ok()?;
        let sent = self.send(&draft).await;
        live.ledger.add_requests(sent.requests);
        sent.answer().is_some_and(Reply::is_success).then_some(ids)
    }

    /// Creates a resource that a case may change.
    async fn create_for_case(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        template: &str,
        is_removed: bool,
    ) -> Option<BTreeMap<String, String>> {
        let operations = &catalogue.api.operations;
        let adds =
            |other: &&Operation| other.method == "POST" && item_of(&catalogue.api, &other.path) == Some(template);
        let operation = operations.iter().find(adds)?;
        let list = operation.path.as_str();
        let may_be_made = live.effect(operation) == Effect::Creates
            && live.may_be_asked(operation)
            // Without a DELETE, the resource would be left behind.
            && operations.iter().any(|other| other.method == "DELETE" && other.path == template && live.may_be_asked(other));
        if !may_be_made || live.ledger.is_unextendable(list) {
            return None;
        }
        let identity = self.caller(&live.contract, operation)?;
        self.read_list_before(live, catalogue, operation, &identity).await;
        let draft = self.maker(live, catalogue, operation)?.draft(&Probe::Valid, operation, &identity).ok()?;
        let sent = self.send(&draft).await;
        live.ledger.add_requests(sent.requests);
        let made = live.ledger.take_resource(template, is_removed);
        if made.is_none() {
            live.ledger.mark_unextendable(list);
        }
        made
    }

    /// Reads the list to which a call adds, once: the run did not create its entries.
    async fn read_list_before(
        &self,
        live: &LiveServer,
        catalogue: &Catalogue,
        operation: &Operation,
        identity: &Identity,
    ) {
        let Some(reading) = live.read_operation(catalogue, &operation.path) else {
            return;
        };
        let Some(reader) = self.caller(&live.contract, reading) else { return };
        let reader = Identity { ids: identity.ids.clone(), ..reader };
        let Some(Ok(draft)) =
            self.maker(live, catalogue, reading).map(|maker| maker.draft(&Probe::Valid, reading, &reader))
        else {
            return;
        };
        if live.ledger.knows_list(draft.url.path()) {
            return;
        }
        let sent = self.send(&draft).await;
        live.ledger.add_requests(sent.requests);
        let text = sent
            .answer()
            .filter(|reply| reply.is_success())
            .map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
        live.ledger.keep_list(&draft, text);
    }

    /// Returns an identity that may call the operation.
    pub(super) fn caller(&self, contract: &Contract, operation: &Operation) -> Option<Identity> {
        self.caller_for(&CredentialNeed::of(&Probe::Valid, contract, operation, false)?, operation).ok()
    }

    /// Returns the maker for requests of an operation other than that of the case.
    pub(in super::super) fn maker<'a>(
        &'a self,
        live: &'a LiveServer,
        catalogue: &'a Catalogue,
        operation: &Operation,
    ) -> Option<DraftBuilder<'a>> {
        let (_, arguments) = catalogue.operation_named(&operation.id)?;
        Some(DraftBuilder {
            api: &catalogue.api,
            contract: &catalogue.contract,
            servers: &self.servers,
            identities: &*self.identities,
            arguments,
            live: Some(live),
        })
    }
}
