//! `ov verify --expect`: what was delivered, against a note.

use super::*;

/// A folder with vouchers 1 to 4, a damaged one, a second copy of 1, and a note of 1 and 2.
fn delivered(name: &str) -> PathBuf {
    let folder = folder(name);
    for byte in 1..=4 {
        fs::write(folder.join(format!("{byte}.cbor")), voucher(byte)).unwrap();
    }
    let mut bad = voucher(5);
    *bad.last_mut().unwrap() ^= 1;
    fs::write(folder.join("5.cbor"), &bad).unwrap();
    fs::write(folder.join("again.cbor"), voucher(1)).unwrap();
    let dashes = "02020202-0202-0202-0202-020202020202";
    let text = format!("# note\n{}\n\n{dashes} # two\r\n", guid(1));
    fs::write(folder.join("all"), text).unwrap();
    folder
}

#[test]
fn a_delivery_note_names_what_differs() {
    let folder = delivered("note");
    let check = |args: &str| ov(&folder, &format!("verify --any-origin {args}"));
    let (code, out, _) = check("--expect all 1.cbor 2.cbor");
    assert_eq!(code, 0, "{out}");
    assert!(
        out.ends_with("2 devices expected, 2 found: as expected\n"),
        "{out}"
    );
    assert_eq!(check("--expect 2 1.cbor 2.cbor").0, 0);
    for (args, words) in [
        ("--expect all 1.cbor", format!("missing  {}\n", guid(2))),
        (
            "--expect all 1.cbor 2.cbor 3.cbor",
            format!("extra  {}  3.cbor\n", guid(3)),
        ),
        (
            "--expect all 1.cbor 2.cbor again.cbor",
            format!("duplicate  {}  again.cbor, and first 1.cbor\n", guid(1)),
        ),
        (
            "--expect 1 1.cbor 2.cbor",
            "1 device expected, 2 found\n".into(),
        ),
        (
            "--expect 3 1.cbor 2.cbor",
            "3 devices expected, 2 found\n".into(),
        ),
        (
            "--expect 1 1.cbor again.cbor",
            "1 device expected, 1 found, 1 duplicate\n".into(),
        ),
        // What was rejected has not come.
        (
            "--expect 2 1.cbor 5.cbor",
            "2 devices expected, 1 found\n".into(),
        ),
    ] {
        let (code, out, _) = check(args);
        assert_eq!(code, 1, "{args}: {out}");
        assert!(out.contains(&words), "{args}: {out}");
    }
}

#[test]
fn a_delivery_note_is_read_line_by_line() {
    let folder = delivered("lines");
    let check = |args: &str| ov(&folder, &format!("verify --any-origin {args}"));
    let note = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    note("five", guid(5));
    let (code, out, _) = check("--expect five 5.cbor");
    assert_eq!(code, 1);
    assert!(
        out.contains(&format!("missing  {}  its voucher was rejected", guid(5))),
        "{out}"
    );
    let (code, out, _) = check("--expect all --json 2.cbor 2.cbor 3.cbor");
    assert_eq!(code, 1);
    let found: BTreeMap<String, String> = lines(&out)
        .iter()
        .filter(|line| line["record"] == "delivery")
        .map(|line| (line["difference"].to_string(), line["guid"].to_string()))
        .collect();
    let expected = [("duplicate", 2), ("extra", 3), ("missing", 1)];
    let expected = expected.map(|(word, byte)| (format!("{word:?}"), format!("{:?}", guid(byte))));
    assert_eq!(found, BTreeMap::from(expected));
    for (name, text, words) in [
        ("empty", "# nothing\n".to_owned(), "holds no GUID"),
        ("twice", format!("{0}\n{0}\n", guid(1)), "line 2: the GUID"),
        (
            "odd",
            format!("{}\nxyz\n", guid(1)),
            "line 2: 32 hexadecimal digits",
        ),
    ] {
        note(name, text);
        let (code, _, err) = check(&format!("--expect {name} 1.cbor"));
        assert_eq!(code, 2, "{name}");
        assert!(err.contains(words), "{err}");
    }
    assert_eq!(check("--expect absent 1.cbor").0, 2);
}
