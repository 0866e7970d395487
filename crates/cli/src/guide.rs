//! What help and man pages say of each command beyond its options: exit codes and examples.

use clap::Command;
use clap::builder::Styles;

use crate::outcome::{CLOSED, GOOD, REJECTED, SIGNALLED, TROUBLE, UNANCHORED};
use crate::wrap::wrapped;

/// An exit code and what it means.
pub(crate) struct Exit {
    code: u8,
    pub(crate) meaning: &'static str,
}

impl Exit {
    /// The code in print.
    pub(crate) fn label(&self) -> String {
        match self.code {
            SIGNALLED => format!("{SIGNALLED}+N"),
            code => code.to_string(),
        }
    }
}

const fn exit(code: u8, meaning: &'static str) -> Exit {
    Exit { code, meaning }
}

const DONE: Exit = exit(GOOD, "success");
const VERIFIED: Exit = exit(GOOD, "every voucher is verified");
const REFUSED: Exit = exit(REJECTED, "a voucher was rejected");
const FAILED: Exit = exit(
    TROUBLE,
    "wrong usage, or something could not be read, used or written",
);
const UNREAD: Exit = exit(
    TROUBLE,
    "wrong usage, or something could not be read or written; also a file that should hold a \
     voucher and holds none: every file that is named, and in folders those with the extension \
     .pem, .cbor, .ov, .fdoov, .voucher or .b64. This takes precedence over 1 and 3",
);
const NOT_CHECKED: Exit = exit(
    UNANCHORED,
    "nothing was rejected, but the origin of a voucher was not checked: give an anchor, such as \
     --manufacturer, or --any-origin",
);
const STOPPED: Exit = exit(
    SIGNALLED,
    "the signal N stopped the work between two vouchers; run the same command again to continue",
);
const UNHEARD: Exit = exit(
    CLOSED,
    "the reader of a report closed it early, as `head` does: no error, and no verdict",
);

/// A purpose, and the command for it.
pub(crate) struct Example {
    pub(crate) purpose: &'static str,
    pub(crate) command: &'static str,
}

/// The guide to one command.
pub(crate) struct Guide {
    /// The names of the command and of those above it, without `ov`.
    command: &'static str,
    pub(crate) exits: &'static [Exit],
    pub(crate) examples: &'static [Example],
}

const fn example(purpose: &'static str, command: &'static str) -> Example {
    Example { purpose, command }
}

/// The guides to all commands.
const GUIDES: &[Guide] = &[
    Guide {
        command: "",
        exits: &[
            DONE,
            exit(
                REJECTED,
                "a voucher, a challenge or a proof was rejected, or a fork or a disclosure was found",
            ),
            UNREAD,
            exit(
                UNANCHORED,
                "`ov verify` rejected nothing, but did not check the origin of some voucher",
            ),
            exit(
                SIGNALLED,
                "`ov extend`: the signal N stopped the work between two vouchers",
            ),
            UNHEARD,
        ],
        examples: &[
            example(
                "Verify a shipment against the public keys of its manufacturers",
                "ov verify --manufacturer manufacturers.pem shipment/",
            ),
            example("Look into a voucher", "ov show voucher.pem"),
        ],
    },
    Guide {
        command: "verify",
        exits: &[
            VERIFIED,
            exit(
                REJECTED,
                "a voucher was rejected, or the delivery is not as expected",
            ),
            UNREAD,
            NOT_CHECKED,
            UNHEARD,
        ],
        examples: &[
            example(
                "Verify a shipment against the public keys of its manufacturers",
                "ov verify --manufacturer manufacturers.pem shipment/",
            ),
            example(
                "Print only what is not yours, or has a device without a path to a known root",
                "ov verify -q --manufacturer manufacturers.pem --owner mine.pub \\\n    \
                 --device-ca device-ca.pem --require owner,device-path shipment/",
            ),
        ],
    },
    Guide {
        command: "show",
        exits: &[
            exit(
                GOOD,
                "every voucher is intact; an origin need not be checked",
            ),
            REFUSED,
            UNREAD,
            UNHEARD,
        ],
        examples: &[
            example("Show who signed what", "ov show voucher.pem"),
            example("Show the CBOR of any file", "ov show --diag voucher.pem"),
        ],
    },
    Guide {
        command: "audit",
        exits: &[
            exit(
                GOOD,
                "every voucher is intact; an origin need not be checked",
            ),
            REFUSED,
            UNREAD,
            UNHEARD,
        ],
        examples: &[example(
            "List all faults, findings and what to do",
            "ov audit --manufacturer manufacturers.pem voucher.pem",
        )],
    },
    Guide {
        command: "new",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Create a voucher in the factory, which knows the secret of the device",
            "ov new --manufacturer maker.pub --device-chain device.pem \\\n    \
             --device-info 'Gateway 100' --rv https://rv.example.com:8443 \\\n    \
             --hmac-secret @secret.hex --output new.pem",
        )],
    },
    Guide {
        command: "extend",
        exits: &[
            exit(GOOD, "every voucher was handed over, now or before"),
            exit(
                REJECTED,
                "a voucher was rejected or refused, and not handed over",
            ),
            UNREAD,
            STOPPED,
        ],
        examples: &[
            example(
                "Hand one voucher over",
                "ov extend voucher.pem --manufacturer manufacturers.pem --key mine.pem \\\n    \
                 --to buyer.pub --output sold.pem",
            ),
            example(
                "Hand a shipment over, with receipts, and sell nothing twice",
                "ov extend gateways/ --manufacturer manufacturers.pem --key mine.pem \\\n    \
                 --to buyer.pub --out-dir sold --receipt receipts.jsonl \\\n    \
                 --journal sales.jsonl",
            ),
        ],
    },
    Guide {
        command: "convert",
        exits: &[
            DONE,
            exit(REJECTED, "a voucher could not be parsed, and was left out"),
            UNREAD,
        ],
        examples: &[example(
            "Convert to CBOR",
            "ov convert --format cbor --output voucher.cbor voucher.pem",
        )],
    },
    Guide {
        command: "keygen",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Generate a key pair",
            "ov keygen --output next.pem --public next.pub",
        )],
    },
    Guide {
        command: "fingerprint",
        exits: &[DONE, FAILED, UNHEARD],
        examples: &[example(
            "Print the fingerprints of a key, to tell somebody by telephone",
            "ov fingerprint mine.pub",
        )],
    },
    Guide {
        command: "owned",
        exits: &[
            exit(GOOD, "every voucher claims one of the keys as its owner"),
            exit(
                REJECTED,
                "a voucher claims another owner, or could not be read",
            ),
            UNREAD,
            UNHEARD,
        ],
        examples: &[example(
            "List which of your keys owns which voucher",
            "ov owned --owner mine.pub --owner buyer.pub shipment/",
        )],
    },
    Guide {
        command: "onetime",
        exits: &[DONE, REFUSED, FAILED, UNHEARD],
        examples: &[
            example(
                "Make a master secret",
                "ov onetime master --output first.hex",
            ),
            example(
                "Print an address, to publish",
                "ov onetime address --master first.hex",
            ),
        ],
    },
    Guide {
        command: "onetime master",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Make a master secret",
            "ov onetime master --output master.hex",
        )],
    },
    Guide {
        command: "onetime keys",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Make the keys for an order of 27 devices",
            "ov onetime keys --master master.hex --order 'order 4711' --count 27 \\\n    \
             --output keys.pem",
        )],
    },
    Guide {
        command: "onetime address",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Print an address, to publish",
            "ov onetime address --master master.hex",
        )],
    },
    Guide {
        command: "onetime scan-key",
        exits: &[DONE, FAILED],
        examples: &[example(
            "Let a warehouse find the vouchers, but not sign for them",
            "ov onetime scan-key --master master.hex --output scan.hex",
        )],
    },
    Guide {
        command: "onetime find",
        exits: &[
            exit(GOOD, "every voucher is intact, whether it was found or not"),
            REFUSED,
            UNREAD,
            UNHEARD,
        ],
        examples: &[example(
            "Find the vouchers that were sold to an address",
            "ov onetime find --scan-key scan.hex --manufacturer manufacturers.pem \\\n    \
             shipment/",
        )],
    },
    Guide {
        command: "forks",
        exits: &[
            exit(GOOD, "there is no fork"),
            exit(REJECTED, "there is a fork, or a voucher was rejected"),
            UNREAD,
            UNHEARD,
        ],
        examples: &[example(
            "Look for devices that were sold twice",
            "ov forks --manufacturer manufacturers.pem shipment/ sold/",
        )],
    },
    Guide {
        command: "credential",
        exits: &[DONE, FAILED, UNHEARD],
        examples: &[example(
            "See what the credential of a voucher's device would hold",
            "ov credential voucher.pem",
        )],
    },
    Guide {
        command: "privacy",
        exits: &[
            exit(
                GOOD,
                "no disclosure has the severity of --refuse or a higher one",
            ),
            exit(
                REJECTED,
                "a voucher has such a disclosure or could not be parsed, or there is a private key",
            ),
            UNREAD,
            UNHEARD,
        ],
        examples: &[example(
            "List what a shipment discloses to all who handle it",
            "ov privacy shipment/",
        )],
    },
    Guide {
        command: "challenge",
        exits: &[DONE, REFUSED, FAILED],
        examples: &[example(
            "Ask whoever brings a voucher for a proof",
            "ov challenge voucher.pem --manufacturer manufacturers.pem \\\n    \
             --verifier market.example.com --output challenge.pem",
        )],
    },
    Guide {
        command: "prove",
        exits: &[
            DONE,
            exit(
                REJECTED,
                "the voucher or the challenge was rejected; a challenge also if it is from another \
                 verifier",
            ),
            FAILED,
        ],
        examples: &[example(
            "Answer a challenge",
            "ov prove voucher.pem --manufacturer manufacturers.pem \\\n    \
             --challenge challenge.pem --verifier market.example.com \\\n    \
             --key mine.pem --output proof.pem",
        )],
    },
    Guide {
        command: "check-proof",
        exits: &[
            exit(GOOD, "the owner of the voucher gave the answer"),
            exit(REJECTED, "the voucher or the proof was rejected"),
            FAILED,
            NOT_CHECKED,
            UNHEARD,
        ],
        examples: &[example(
            "Check the answer to your challenge",
            "ov check-proof voucher.pem --manufacturer manufacturers.pem \\\n    \
             --challenge challenge.pem --proof proof.pem",
        )],
    },
    Guide {
        command: "delegate",
        exits: &[
            exit(
                GOOD,
                "the delegate may act for the owner; with --to1d, the owner or its delegate signed it",
            ),
            exit(REJECTED, "the certificates or the to1d were rejected"),
            FAILED,
            NOT_CHECKED,
            UNHEARD,
        ],
        examples: &[
            example(
                "Verify that a service may register the address of the owner",
                "ov delegate voucher20.cbor --manufacturer maker20.pub --allow fdo-2.0 \\\n    \
             --chain delegate.pem --may redirect",
            ),
            example(
                "See who signed the address of an owner",
                "ov delegate voucher20.cbor --manufacturer maker20.pub --allow fdo-2.0 \\\n    \
             --to1d to1d.cbor",
            ),
        ],
    },
    Guide {
        command: "completions",
        exits: &[DONE, FAILED, UNHEARD],
        examples: &[example(
            "Write the completions for bash",
            "ov completions bash > ov.bash",
        )],
    },
    Guide {
        command: "man",
        exits: &[DONE, FAILED, UNHEARD],
        examples: &[example(
            "Write the man pages of all commands",
            "ov man --out-dir man1",
        )],
    },
];

/// The guide to a command, by the names of the command and of those above it, without `ov`.
pub(crate) fn guide(command: &str) -> Option<&'static Guide> {
    GUIDES.iter().find(|guide| guide.command == command)
}

/// The columns of a guide in help, indentation included.
const WIDTH: usize = 80;

impl Guide {
    /// The guide as the end of a command's help.
    fn help(&self) -> String {
        let styles = Styles::styled();
        let header = styles.get_header();
        let mut text = format!("{header}Exit codes:{header:#}\n");
        for exit in self.exits {
            let mut label = format!("{:<5}", exit.label());
            for line in wrapped(exit.meaning, WIDTH.saturating_sub(9)) {
                text += &format!("  {label}  {line}\n");
                label = " ".repeat(5);
            }
        }
        text += &format!("\n{header}Examples:{header:#}\n");
        for Example { purpose, command } in self.examples {
            for line in wrapped(purpose, WIDTH.saturating_sub(2)) {
                text += &format!("  {line}\n");
            }
            for line in command.lines() {
                text += &format!("      {line}\n");
            }
        }
        text.trim_end().to_owned()
    }
}

/// Adds its guide to each command.
pub(crate) fn with_guides(command: Command) -> Command {
    add(command, "")
}

fn add(command: Command, path: &str) -> Command {
    let command = match guide(path) {
        Some(guide) => command.after_help(guide.help()),
        None => command,
    };
    command.mut_subcommands(|sub| {
        let path = below(path, sub.get_name());
        add(sub, &path)
    })
}

/// The path of a command below another one.
pub(crate) fn below(path: &str, name: &str) -> String {
    format!("{path} {name}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guide_is_that_of_a_command() {
        use clap::CommandFactory as _;
        for guide in GUIDES {
            let mut command = &crate::cli::Cli::command();
            for name in guide.command.split_whitespace() {
                command = command.find_subcommand(name).unwrap();
            }
        }
    }
}
