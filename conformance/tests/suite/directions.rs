//! Members that one direction has, and answers that are one of several: what a client must not send, not ask for, and not lose.

use std::sync::Arc;

use keyfit_conformance::catalogue::{Catalogue, Side};
use keyfit_conformance::drive::{Defect, Naive};
use keyfit_openapi::{Source, Text};

use crate::common::{against_client, broken, side};

const DOCUMENT: &str = "
openapi: 3.0.3
info: { title: Lodging, version: 1.0.0 }
servers: [{ url: 'https://lodging.example' }]
security: [{ key: [] }]
paths:
  /guests:
    post:
      operationId: addGuest
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/components/schemas/Guest' } } }
      responses:
        '201':
          description: the guest
          content: { application/json: { schema: { $ref: '#/components/schemas/Guest' } } }
components:
  securitySchemes:
    key: { type: http, scheme: bearer }
  schemas:
    Guest:
      type: object
      required: [id, name, door_code, reached_by]
      properties:
        id: { type: string, readOnly: true }
        name: { type: string }
        door_code: { type: string, writeOnly: true }
        address:
          type: object
          properties:
            street: { type: string }
            checked: { type: boolean, readOnly: true }
        reached_by:
          oneOf: [{ $ref: '#/components/schemas/Mailbox' }, { $ref: '#/components/schemas/Phone' }]
    Mailbox:
      type: object
      required: [mail]
      properties: { mail: { type: string } }
    Phone:
      type: object
      required: [number]
      properties: { number: { type: string }, extension: { type: string } }
";

const CONTRACT: &str = r#"
name = "lodging"

[sources]
page = { title = "Lodging", url = "https://lodging.example/docs" }

[[credential]]
kind = "key"
prefix = "fixture-token-"
carriers = ["header"]
source = { page = "page" }

[errors.plain.default]
fields = [{ at = "/message", type = "string" }]
source = { page = "page" }

[[rule]]
id = "lodging.client.request"
requirement = "The request is as documented."
level = "must"
source = { page = "page" }
drive = "request-as-sent"

[[rule]]
id = "lodging.client.success"
requirement = "What came is handed on."
level = "must"
source = { page = "page" }
drive = "success"
"#;

/// The API.
pub(crate) fn source() -> Source {
    Source {
        name: "lodging".to_owned(),
        document: Text::new("openapi.yaml", DOCUMENT),
        overlay: None,
        contract: Some(Text::new("contract.toml", CONTRACT)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_the_other_direction_and_lost_alternatives_are_found_by_name() {
    let catalogue = side(Catalogue::read(&source()).unwrap_or_else(|failure| panic!("{failure}")), Side::Client);
    for (defect, found) in [
        (None, [].as_slice()),
        (Some(Defect::SendsReadOnly), &["lodging/client/request/addGuest: ", "checked"]),
        (Some(Defect::DemandsWriteOnly), &["lodging/client/success/addGuest: ", "decode"]),
        (Some(Defect::ReadsFirstAlternative), &["lodging/client/success/addGuest: ", "`/reached_by/number` is lost"]),
    ] {
        let (api, contract) = (Arc::clone(&catalogue.api), Arc::clone(&catalogue.contract));
        let outcomes = against_client(&catalogue, Arc::new(Naive { api, contract, defect })).await;
        let said: Vec<String> =
            broken(&catalogue, &outcomes).iter().map(|(case, why)| format!("{}: {why}", case.id)).collect();
        assert_eq!(said.len(), usize::from(defect.is_some()), "{defect:?}: {said:?}");
        assert!(found.iter().all(|part| said[0].contains(part)), "{defect:?}: {said:?}");
    }
}
