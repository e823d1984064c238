//! Whether a request may be sent again, by what came of it. The rule that money hangs on is here and nowhere else.

use http::StatusCode;

use crate::client::RetryPolicy;

/// What came of one attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It is no request that can be sent.
    Unfit,
    /// No byte of it left: there was no connection.
    Unsent,
    /// Bytes left, and no whole answer came.
    Unknown,
    /// It was refused for a limit, with this status.
    Limited(StatusCode),
    /// Another answer came.
    Status(StatusCode),
}

impl Outcome {
    /// Whether the server may have seen the request.
    pub(crate) fn may_have_been_sent(self) -> bool {
        !matches!(self, Self::Unfit | Self::Unsent)
    }

    /// Whether the server may have done what the request asks for. A refusal says that it did not.
    pub(crate) fn may_have_been_executed(self) -> bool {
        match self {
            Self::Unfit | Self::Unsent | Self::Limited(_) => false,
            Self::Unknown => true,
            Self::Status(status) => !status.is_client_error(),
        }
    }
}

/// What may follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Again {
    /// Nothing: the caller gets what came.
    No,
    /// The same with another token, if there is one.
    WithAnotherToken,
    /// The same after a wait. A server that is too busy to execute a request said so; anything else takes from the retry
    /// budget.
    AfterWait { is_limit: bool },
}

/// What may follow an outcome by a policy. `is_repeatable`: whether a second execution does no harm; asked only where it matters.
pub(crate) fn again(outcome: Outcome, policy: &RetryPolicy, is_repeatable: impl FnOnce() -> bool) -> Again {
    const TOO_EARLY: u16 = 425;
    if let Outcome::Status(status) | Outcome::Limited(status) = outcome
        && status != StatusCode::UNAUTHORIZED
    {
        match policy.after(status) {
            Some(false) => return Again::No,
            Some(true) if matches!(outcome, Outcome::Status(_)) => return once_more(is_repeatable()),
            Some(true) | None => {}
        }
    }
    match outcome {
        Outcome::Unsent => Again::AfterWait { is_limit: false },
        Outcome::Status(StatusCode::UNAUTHORIZED) => Again::WithAnotherToken,
        // Refused before it was executed.
        Outcome::Limited(_) => Again::AfterWait { is_limit: true },
        Outcome::Status(StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED) => Again::No,
        Outcome::Status(status) if status.is_server_error() || matches!(status.as_u16(), 408 | TOO_EARLY) => {
            once_more(is_repeatable())
        }
        Outcome::Unknown => once_more(is_repeatable()),
        Outcome::Unfit | Outcome::Status(_) => Again::No,
    }
}

fn once_more(is_repeatable: bool) -> Again {
    if is_repeatable { Again::AfterWait { is_limit: false } } else { Again::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_status(status: u16, is_repeatable: bool) -> Again {
        again(Outcome::Status(StatusCode::from_u16(status).expect("a status")), &RetryPolicy::default(), || {
            is_repeatable
        })
    }

    #[test]
    fn a_call_with_a_second_effect_is_repeated_only_where_the_first_was_not_executed() {
        let repeated: Vec<u16> =
            (200..600).filter(|status| matches!(of_status(*status, false), Again::AfterWait { .. })).collect();
        assert_eq!(repeated, [0; 0]);
        let of = |outcome| again(outcome, &RetryPolicy::default(), || false);
        assert_eq!(of(Outcome::Limited(StatusCode::TOO_MANY_REQUESTS)), Again::AfterWait { is_limit: true });
        assert_eq!(of(Outcome::Unknown), Again::No);
        assert_eq!(of(Outcome::Unsent), Again::AfterWait { is_limit: false });
    }

    #[test]
    fn no_refusal_that_stands_is_repeated() {
        for status in [200, 201, 202, 204, 301, 302, 400, 402, 403, 404, 409, 413, 415, 422, 501, 505] {
            assert_eq!(of_status(status, true), Again::No, "{status}");
        }
        for status in [408, 425, 500, 502, 503, 504, 529] {
            assert_eq!(of_status(status, true), Again::AfterWait { is_limit: false }, "{status}");
        }
    }

    #[test]
    fn a_refusal_alone_says_that_nothing_was_executed() {
        let of = |status: u16| Outcome::Status(StatusCode::from_u16(status).expect("a status"));
        assert!([200, 202, 301, 500, 503, 504].into_iter().all(|status| of(status).may_have_been_executed()));
        assert!(![400, 401, 408, 422, 425].into_iter().any(|status| of(status).may_have_been_executed()));
        let limited = Outcome::Limited(StatusCode::FORBIDDEN);
        assert!(limited.may_have_been_sent() && !limited.may_have_been_executed());
        assert!(Outcome::Unknown.may_have_been_executed() && !Outcome::Unsent.may_have_been_executed());
    }

    #[test]
    fn a_policy_has_a_say_in_statuses_and_never_makes_a_second_effect() {
        let policy =
            RetryPolicy::default().also_after(StatusCode::CONFLICT).never_after(StatusCode::SERVICE_UNAVAILABLE);
        let policy = policy.never_after(StatusCode::TOO_MANY_REQUESTS).also_after(StatusCode::UNAUTHORIZED);
        let of = |status, is_repeatable| again(Outcome::Status(status), &policy, || is_repeatable);
        assert_eq!(of(StatusCode::CONFLICT, true), Again::AfterWait { is_limit: false });
        assert_eq!(of(StatusCode::CONFLICT, false), Again::No);
        assert_eq!(of(StatusCode::SERVICE_UNAVAILABLE, true), Again::No);
        assert_eq!(of(StatusCode::UNAUTHORIZED, true), Again::WithAnotherToken);
        assert_eq!(again(Outcome::Limited(StatusCode::TOO_MANY_REQUESTS), &policy, || true), Again::No);
    }

    #[test]
    fn a_401_is_a_matter_of_the_token() {
        for is_repeatable in [true, false] {
            assert_eq!(of_status(401, is_repeatable), Again::WithAnotherToken);
        }
    }
}
