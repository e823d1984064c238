//! The behavior of a client whose token the server refuses.

use super::super::request;
use super::super::scripted_server::ScriptedAnswer;
use super::{CallCase, WAIT, check_status, check_succeeded};

impl CallCase<'_> {
    /// The client holds an old token, the credential store has a newer one, and the server accepts only the newer one.
    pub(super) async fn rotated_token(&self) -> Result<(), String> {
        let arguments = self.arguments();
        self.call(&arguments, self.documented_success()).await;
        let (old, new) = (self.token_generator.current(), self.token_generator.rotate());
        self.scripted_server.guard(self.worker, self.documented_success(), self.refusal(401), &new);
        let observed = self.client.call(self.operation(), &arguments).await;
        let received = self.scripted_server.received(self.worker);
        let [refused, served] = received.as_slice() else {
            return Err(format!("{} requests were sent, not one with each token", received.len()));
        };
        let arguments = self.client.without_left_out(&arguments);
        let with = |token| self.token_generator.credential_store.credentials_with(token);
        request::check(self.catalogue, self.operation(), &arguments, refused, &with(&old))?;
        request::check(self.catalogue, self.operation(), &arguments, served, &with(&new))?;
        check_succeeded(&observed)
    }

    /// A new token does not help: one more attempt after a 401, and none after a 403.
    pub(super) async fn refused_for_good(&self) -> Result<(), String> {
        let arguments = self.arguments();
        self.call(&arguments, self.documented_success()).await;
        for (status, attempts) in [(401, 2), (403, 1)] {
            self.token_generator.rotate();
            let failure = self.expect_failure(&arguments, self.refusal(status)).await?;
            check_status(&failure, status)?;
            let sent = self.scripted_server.received(self.worker).len();
            if sent != attempts {
                return Err(format!("{sent} requests were sent after a {status}, not {attempts}"));
            }
        }
        // The client's token is unknown now: the next case has to begin with one that the client received.
        self.call(&arguments, self.refusal(401)).await;
        self.call(&arguments, self.documented_success()).await;
        Ok(())
    }

    pub(super) async fn secret_hidden(&self) -> Result<(), String> {
        let held = self.token_generator.credential_store.credentials();
        let secrets: Vec<&str> = held.iter().map(|part| part.secret.reveal()).collect();
        let secret = secrets.join(" ");
        let shape = self.catalogue.contract.error_shape(&self.operation().errors, 401);
        let body = shape.and_then(|shape| shape.body(401, &format!("{secret} is no token"), WAIT));
        let answer = ScriptedAnswer::json(401, &body.unwrap_or_default()).with_header("x-echo", &secret);
        let failure = self.expect_failure(&self.arguments(), answer).await?;
        match failure.texts.iter().find(|text| secrets.iter().any(|secret| text.contains(secret))) {
            Some(text) => Err(format!("an error prints the token: {text}")),
            None => Ok(()),
        }
    }
}
