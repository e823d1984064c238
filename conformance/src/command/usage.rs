//! Messages of errors of the command line. A typed argument may be a misplaced token, or contain control sequences.

use std::ffi::OsStr;

use clap::error::Error;
use keyfit_conformance::credential::secret::{Redactor, Secret, is_word};

/// The shortest text that is masked, in characters: any message contains shorter ones.
const MIN_HIDDEN_CHARS: usize = 4;

/// Returns the message of clap, with all typed arguments masked that are not words.
pub(crate) fn clap_message<'a>(error: &Error, typed: impl IntoIterator<Item = &'a OsStr>) -> String {
    let redactor = Redactor::default();
    for argument in typed {
        let argument = argument.to_string_lossy();
        // clap repeats `--option=value` in parts, and whole.
        let parts = argument.split_once('=').map_or_else(|| vec![&*argument], |(option, value)| vec![option, value]);
        let is_secret = |part: &&str| part.len() >= MIN_HIDDEN_CHARS && !is_word(part);
        let secrets: Vec<&str> = parts.into_iter().filter(is_secret).collect();
        let whole = (!secrets.is_empty()).then_some(&*argument);
        secrets.into_iter().chain(whole).for_each(|secret| redactor.learn(&Secret::new(secret)));
    }
    redactor.mask(&error.render().to_string())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::Parser as _;

    use crate::command::Cli;

    fn message_of(arguments: &[&str]) -> String {
        let arguments = [&["keyfit"], arguments].concat();
        let error = Cli::try_parse_from(&arguments).expect_err("an error");
        super::clap_message(&error, arguments.iter().map(OsStr::new))
    }

    #[test]
    fn what_was_typed_is_repeated_only_where_it_is_a_word() {
        let secret = "sk_live_a1B2c3D4"; // not-a-secret
        let url = format!("https://user:{secret}@host.example");
        let flag = format!("--{secret}");
        let format = format!("{secret}=x");
        let joined = format!("--rate={secret}");
        let import = ["instasent", "import", "f.csv", "--project", "p", "--datasource", "d"];
        let import = |more: &[&'static str]| [&import[..], more].concat();
        for arguments in [
            vec![secret],
            vec!["check", secret],
            vec!["check", &flag],
            vec!["check", "--rate", secret],
            vec!["check", &joined],
            vec!["check", "--base-url", &url],
            vec!["check", "--base-url", &url[..20]],
            vec!["check", "--header", secret],
            vec!["check", "--report", &format],
            vec!["check", "--side", secret],
            vec!["check", "--mutant", secret],
            vec!["mock", "--host", secret],
            vec!["mock", "--api", "ingest", "--admin-host", "sk_live_a1B2c3D4/"], // not-a-secret
            vec!["completions", secret],
            vec!["spec", secret],
            vec!["instasent", "import", "f.csv", secret],
            import(&["--rows", "sk_live_a1B2c3D4"]),        // not-a-secret
            import(&["--in-flight", "sk_live_a1B2c3D4"]),   // not-a-secret
            import(&["--column", "sk_live_a1B2c3D4"]),      // not-a-secret
            import(&["--encoding", "sk_live_a1B2c3D4"]),    // not-a-secret
            import(&["--delimiter", "sk_live_a1B2c3D4"]),   // not-a-secret
            import(&["--token-env=x", "sk_live_a1B2c3D4"]), // not-a-secret
        ] {
            let message = message_of(&arguments);
            assert!(!message.contains("sk_live") && message.contains("error: "), "{arguments:?}: {message}");
        }
        // The message about a number that is out of range is that of its parser, not of clap.
        let message_of_number = message_of(&["check", "--parallel", "4929123456789012"]);
        assert!(!message_of_number.contains("4929") && message_of_number.contains("--parallel"), "{message_of_number}");
    }

    #[test]
    fn a_word_is_repeated_and_a_terminal_is_not_commanded() {
        assert!(message_of(&["check", "--side", "sevrer"]).contains("'sevrer'"));
        assert!(message_of(&["chekc"]).contains("'chekc'"));
        assert!(!message_of(&["check", "\u{1b}[2J"]).contains('\u{1b}'));
    }
}
