//! Mistakes on the command line, as they are told: what was typed may be a token in the wrong place, or command a terminal.

use clap::error::{ContextKind, ContextValue, Error};
use keyfit_conformance::secret::is_word;

/// The error without what was typed, unless that is a word.
pub(crate) fn told(mut error: Error) -> Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand, ContextKind::InvalidArg] {
        let Some(ContextValue::String(typed)) = error.get(kind) else { continue };
        // `--rate <N>` is what an option is called, not what was typed.
        let name = typed.split(" <").next().unwrap_or_default();
        if !is_word(name) {
            error.insert(kind, ContextValue::String("...".to_owned()));
            // It repeats what was typed.
            error.insert(ContextKind::Suggested, ContextValue::None);
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::command::Cli;

    #[test]
    fn what_was_typed_is_repeated_only_where_it_is_a_word() {
        let secret = "sk_live_a1B2c3D4"; // not-a-secret
        let url = format!("https://user:{secret}@host.example");
        let flag = format!("--{secret}");
        let format = format!("{secret}=x");
        for arguments in [
            &[secret][..],
            &["run", secret],
            &["run", &flag],
            &["run", "--rate", secret],
            &["run", "--base-url", &url],
            &["run", "--base-url", &url[..20]],
            &["run", "--header", secret],
            &["run", "--report", &format],
            &["run", "--side", secret],
            &["run", "--mutant", secret],
            &["mock", "--host", secret],
            &["mock", "--api", "ingest", "--admin-host", "sk_live_a1B2c3D4/"], // not-a-secret
        ] {
            let error = Cli::try_parse_from([&["conformance"], arguments].concat()).expect_err("a mistake");
            let told = super::told(error).render().to_string();
            assert!(!told.contains("sk_live") && told.contains("error: "), "{arguments:?}: {told}");
        }
        let error = Cli::try_parse_from(["conformance", "run", "--side", "sevrer"]).expect_err("a mistake");
        assert!(super::told(error).render().to_string().contains("'sevrer'"));
        let error = Cli::try_parse_from(["conformance", "run", "\u{1b}[2J"]).expect_err("a mistake");
        assert!(!super::told(error).render().to_string().contains('\u{1b}'));
    }
}
