//! `ov extend --journal`: what was sold is not sold to anybody else by a later run.

use super::*;

#[test]
fn a_journal_lets_a_sale_be_repeated_and_no_other_be_made() {
    let folder = folder("journal");
    shipment(&folder, "v", &[1, 2]);
    shipment(&folder, "v3", &[3]);
    let sell = |input: &str, to: u8, out: &str| {
        let args = format!(
            "extend {input} --key 1.key --to {to}.pub --journal j -o {out} --receipt {out}.r"
        );
        ov(&folder, &args)
    };
    assert_eq!(sell("v", 5, "w1").0, 0);
    let recorded = text(&folder.join("j"));
    assert_eq!(sell("v", 5, "w2").0, 0, "the same sale again");
    assert_eq!(text(&folder.join("j")), recorded);
    assert_eq!(
        fs::read(folder.join("w1")).unwrap(),
        fs::read(folder.join("w2")).unwrap()
    );

    let (code, _, err) = sell("v v3", 6, "w3");
    assert_eq!(code, 1);
    let sales = records(&folder, "j");
    for (record, line) in sales.iter().take(2).zip(2..) {
        let at = record["at"].as_str().unwrap();
        assert_eq!(record["to"], hex::encode(owner(5)));
        let earlier = format!("sold on {at} to {}", hex::encode(owner(5)));
        assert!(err.contains(&earlier), "{err}");
        assert!(err.contains(&format!("(line {line} of j)")), "{err}");
    }
    assert_eq!(
        owners(&folder.join("w3")),
        [owner(6)],
        "only the third device"
    );
    assert_eq!(records(&folder, "j").len(), 3);
    // What a line says, computed from what was signed.
    let sold = fs::read(folder.join("w1")).unwrap();
    let sold = file::Vouchers::new(&sold).next().unwrap().unwrap();
    let sold = Voucher::parse(&sold).unwrap();
    let hash = ownership_voucher::digest::HashAlgorithm::Sha256;
    let state = hash.digest(&[sold.entry(0).unwrap().payload()]);
    assert_eq!(sales[0]["state"], state.to_string());
    assert_eq!(sales[0]["guid"], hex_guid(1));
    assert_eq!(sales[0]["source"], "v");
    assert_eq!(sales[1]["source"], "v[1]");
}

/// A whole journal, whose records begin at `header`, damaged in one way each.
fn damaged(whole: &str, header: usize) -> Vec<String> {
    let twice = |name: &str, value: &str| {
        let member = format!("\",\"{name}\":\"{value}\",\"guid\"");
        whole.replacen("\",\"guid\"", &member, 1)
    };
    vec![
        whole.replacen("\"state\"", "\"stat\"", 1),
        whole.replacen("{\"state", "\"state", 1),
        whole.replacen("\"to\":\"", "\"to\":\"0", 1),
        whole.replacen("\"at\":\"2", "\"at\":\"x", 1),
        // A member twice: its first value is of the sale, its last of another one, or of the same.
        twice("state", &"00".repeat(32)),
        twice("continuation", &"00".repeat(32)),
        whole.replacen("\"at\"", "\"source\":\"v\",\"at\"", 1),
        format!("{whole}\n"),
        format!("{whole}\0\0\0"),
        format!("{whole}{}", &whole[header..]),
        format!("{whole}{whole}"),
        // Whole objects that are no record, and the beginning of others.
        format!("{whole}{{\"a\":1}}"),
        format!("{whole}{{\"a\":1"),
        whole.replacen("\"version\":1", "\"version\":2", 1),
        whole[header..].into(),
    ]
}

#[test]
fn a_journal_that_is_cut_or_damaged_is_refused_and_left_alone() {
    let folder = folder("damaged");
    shipment(&folder, "v", &[1, 2]);
    let sell = |more: &str| {
        ov(
            &folder,
            &format!("extend v --key 1.key --to 5.pub --journal j -o {more}"),
        )
    };
    assert_eq!(sell("w1").0, 0);
    let whole = text(&folder.join("j"));
    let header = whole.find('\n').unwrap() + 1;
    let first = header + whole[header..].find('\n').unwrap() + 1;
    // A crash while the second line was written, or somebody who cut it after the sale, at every
    // kind of place: the user has to say which it was.
    for end in [first + 1, first + 40, whole.len() - 2] {
        let cut = &whole[..end];
        fs::write(folder.join("j"), cut).unwrap();
        let (code, out, err) = sell("w2");
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("ends inside line 3"), "{err}");
        assert!(err.contains("--repair-journal"), "{err}");
        assert_eq!(text(&folder.join("j")), cut, "left as it was");
        assert!(!folder.join("w2").exists());
        let (code, _, err) = sell("w3 --force --repair-journal");
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("the line is removed"), "{err}");
        let mended = text(&folder.join("j"));
        assert_eq!(records(&folder, "j").len(), 2, "{mended}");
        assert!(mended.starts_with(&whole[..first]));
    }
    // The device is named where the line still has it.
    fs::write(folder.join("j"), &whole[..whole.len() - 2]).unwrap();
    let (_, _, err) = sell("w2");
    assert!(err.contains(&hex_guid(2)), "{err}");
    // Only the end of the line is missing: the sale is known.
    fs::write(folder.join("j"), whole.trim_end()).unwrap();
    let (code, _, err) = sell("w1 --force");
    assert!(code == 0 && !err.contains("ends inside"), "{err}");
    assert_eq!(text(&folder.join("j")), whole);
    // The first line, cut.
    fs::write(folder.join("j"), &whole[..header - 1]).unwrap();
    assert_eq!(sell("w2").0, 2);
    assert_eq!(sell("w3 --force --repair-journal").0, 0);
    assert_eq!(records(&folder, "j").len(), 2);

    for before in &damaged(&whole, header) {
        fs::write(folder.join("j"), before).unwrap();
        for repair in ["", " --repair-journal"] {
            let (code, out, err) = sell(&format!("w2{repair}"));
            assert_eq!((code, out.as_str()), (2, ""), "{before}");
            assert!(err.contains("damaged"), "{err}");
            assert!(!folder.join("w2").exists(), "{before}");
            assert_eq!(&text(&folder.join("j")), before, "left as it was");
        }
    }
    fs::remove_file(folder.join("j")).unwrap();
    fs::create_dir(folder.join("j")).unwrap();
    assert_eq!(sell("w2").0, 2);
    assert!(!folder.join("w2").exists());
}

/// Whatever it is: a file that does not begin as a journal is none.
#[test]
fn a_file_of_somebody_else_is_no_journal() {
    let folder = folder("foreign");
    shipment(&folder, "v", &[1]);
    good(
        &folder,
        "extend v --key 1.key --to 5.pub -o sold --receipt r",
    );
    fs::write(folder.join("empty.json"), "{}").unwrap();
    fs::write(folder.join("open.json"), "{").unwrap();
    fs::write(folder.join("notes"), "my notes\n").unwrap();
    fs::write(folder.join("state.json"), "{\"state\":\"").unwrap();
    fs::write(folder.join("zeros"), [0; 40]).unwrap();
    for name in [
        "empty.json",
        "open.json",
        "notes",
        "state.json",
        "zeros",
        "r",
        "sold",
        "1.pub",
    ] {
        if name == "1.pub" {
            fs::write(folder.join(name), public_pem(1)).unwrap();
        }
        let before = fs::read(folder.join(name)).unwrap();
        for repair in ["", " --repair-journal"] {
            let args = format!("extend v --key 1.key --to 6.pub --journal {name} -o w{repair}");
            let (code, _, err) = ov(&folder, &args);
            assert_eq!(code, 2, "{name}");
            let why = if name == "open.json" {
                ""
            } else {
                "is no journal"
            };
            assert!(err.contains(why), "{name}: {err}");
            assert!(!folder.join("w").exists(), "{name}");
            if name == "open.json" {
                // One character says nothing: it may be the first of a journal.
                break;
            }
        }
        assert_eq!(fs::read(folder.join(name)).unwrap(), before, "{name}");
    }
}

/// Each of two runs wants to sell the same vouchers to somebody else, at the same time.
#[test]
fn two_runs_do_not_get_past_each_other() {
    let folder = folder("race");
    let guids: Vec<u8> = (1..=60).collect();
    shipment(&folder, "v", &guids);
    let run = |to: u8| {
        Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(["extend", "v", "--key", "1.key", "--journal", "j"])
            .args(["--to", &format!("{to}.pub"), "--out-dir", &format!("d{to}")])
            .args(["--receipt", &format!("r{to}")])
            .current_dir(&folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = [5, 6, 7].map(run);
    let codes = children.map(|mut child| child.wait().unwrap().code().unwrap());
    let sold = [5, 6, 7].map(|to| names(&folder.join(format!("d{to}"))));
    for guid in &guids {
        let name = format!("{}.pem", hex_guid(*guid));
        let sales = sold.iter().filter(|names| names.contains(&name)).count();
        assert_eq!(sales, 1, "{name}");
    }
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    assert_eq!(records(&folder, "j").len(), 60);
}

/// From reading the journal to writing it, nobody else does either.
#[test]
fn a_run_waits_for_a_journal_that_is_in_use() {
    let folder = folder("wait");
    shipment(&folder, "v", &[1]);
    let journal = fs::File::create(folder.join("j")).unwrap();
    journal.lock().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args("extend v --key 1.key --to 5.pub --journal j -o w --receipt r".split(' '))
        .current_dir(&folder)
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    assert_eq!(text(&folder.join("j")), "");
    assert!(!folder.join("w").exists());
    // Unlocked without a change, as by a run that found nothing to sell.
    drop(journal);
    assert!(child.wait().unwrap().success());
    assert_eq!(records(&folder, "j").len(), 1);
}

#[test]
fn two_steps_go_through_the_journal() {
    let folder = folder("two-steps");
    shipment(&folder, "v", &[1]);
    let first = |to: u8, out: &str| {
        ov(
            &folder,
            &format!("extend v --to {to}.pub --journal j --to-be-signed {out}"),
        )
    };
    assert_eq!(first(5, "m").0, 0);
    // From here on a signature may exist: nobody else gets a message to sign.
    let (code, _, err) = first(6, "m6");
    assert_eq!(code, 1, "as with --key");
    assert!(
        err.contains("v: not extended") && err.contains("line 2 of j"),
        "{err}"
    );
    assert!(!folder.join("m6").exists());
    assert_eq!(first(5, "m --force").0, 0, "the same message again");
    let key = common::key(P256, 1);
    let sign = |message: &str| {
        let message = fs::read(folder.join(message)).unwrap();
        key.sign(key.algorithm(), &message).unwrap()
    };
    fs::write(folder.join("s"), sign("m")).unwrap();
    let second = |to: u8, out: &str, journal: &str| {
        let args = format!(
            "extend v --to {to}.pub --journal {journal} --signature s -o {out} --receipt {out}.r"
        );
        ov(&folder, &args)
    };
    assert_eq!(second(5, "w", "j").0, 0);
    assert_eq!(records(&folder, "j").len(), 1);
    // A signature that does not verify is no sale; one that does is, also at the second step.
    assert_eq!(second(6, "w6", "k").0, 2);
    assert_eq!(records(&folder, "k").len(), 0);
    assert_eq!(second(5, "w5", "k").0, 0);
    assert_eq!(records(&folder, "k").len(), 1);
    // A message that was made without the journal.
    good(&folder, "extend v --to 6.pub --to-be-signed m6");
    fs::write(folder.join("s"), sign("m6")).unwrap();
    let (code, _, err) = second(6, "w6", "j");
    assert_eq!(code, 1, "as with --key");
    // The signature is right; what is wrong is the sale.
    assert!(
        err.contains("v: not extended: ") && !err.contains("s: "),
        "{err}"
    );
    assert!(err.contains("line 2 of j"), "{err}");
    assert!(!folder.join("w6").exists() && !folder.join("w6.r").exists());
}
