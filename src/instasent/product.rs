//! The Instasent Product API: projects, audience, events, segments, campaigns, automations and direct SMS.
//!
//! A token holds the scopes that were ticked when it was made; each operation's are in [`API`].
//!
//! A token is made in the dashboard under *Project settings*, *API tokens*.

use super::paged::{listings, paged};
use crate::auth::Scopes;
use crate::client::PathArgument;
use crate::codegen::IntoArgument;
use crate::error::Error;

include!(concat!(env!("OUT_DIR"), "/keyfit/instasent_product.rs"));

listings! {
    AudienceScrollAnswer: AudienceContact scroll;
    EventScrollAnswer: AudienceEvent scroll;
    AutomationList: Automation list;
    CampaignList: Campaign list;
    DatasourceList: Datasource list;
    ProductSmsList: ProductSms list;
    SegmentList: Segment list;
    SmsSenderList: SmsSender list;
}

paged! {
    AudienceScroll: AudienceContact by_cursor;
    AudienceSegmentScroll: AudienceContact by_cursor;
    EventScroll: AudienceEvent by_cursor;
    AutomationList: Automation by_start;
    CampaignList: Campaign by_start;
    DatasourceList: Datasource by_start;
    SegmentList: Segment by_start;
    SmsListByAudience: ProductSms by_start;
    SmsListByAutomation: ProductSms by_start;
    SmsListByCampaign: ProductSms by_start;
    SmsListBySend: ProductSms by_start;
    SmsListDirect: ProductSms by_start;
    SmsListDirectByTerm: ProductSms by_start;
    SmsSenderList: SmsSender by_start;
}

impl Client {
    /// What the token of this client may do in its organization, as the API says it; `None` where the answer names
    /// no scope, which is what it looks like when it does not say. Compare it with [`Needs`](crate::auth::Needs) at the start of a program.
    ///
    /// # Errors
    /// As any call.
    pub async fn granted_scopes(&self) -> Result<Option<Scopes>, Error> {
        let answer = self.organization_get().send().await?.into_inner();
        Ok(answer.metadata.map(|metadata| metadata.scopes).filter(|scopes| !scopes.is_empty()).map(Scopes::flat))
    }

    /// As [`granted_scopes`](Self::granted_scopes), in one project.
    ///
    /// # Errors
    /// As any call.
    pub async fn granted_scopes_in(&self, project: impl IntoArgument<PathArgument>) -> Result<Option<Scopes>, Error> {
        let answer = self.project_get().project(project).send().await?.into_inner();
        Ok(answer.metadata.map(|metadata| metadata.scopes).filter(|scopes| !scopes.is_empty()).map(Scopes::flat))
    }
}
