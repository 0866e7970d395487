//! Files of vouchers in pieces: what comes out is known from how each file was put together, and must not
//! depend on how it arrives.

use ownership_voucher_sdo::{Piece, Records, is_start};

/// As the splitter has them.
const HEAD: usize = 1 << 16;
const JUNK: usize = 4096;
const MOST: usize = 1 << 20;

fn voucher(number: usize, size: usize) -> String {
    format!("{{\"sz\":{number},\"x\":\"{}\"}}", "y".repeat(size))
}

/// Pieces with their offsets, and where the splitter stands after the last.
fn split(file: &[u8], chunk: usize) -> (Vec<(usize, String)>, u64) {
    let mut records = Records::new();
    let mut chunks = file.chunks(chunk);
    let mut found = Vec::new();
    while let Some(piece) = records.next_piece() {
        match piece {
            Piece::Voucher(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                found.push((usize::try_from(records.offset()).unwrap(), text));
            }
            Piece::More => match chunks.next() {
                Some(chunk) => records.push(chunk),
                None => records.finish(),
            },
        }
    }
    (found, records.position())
}

/// A file from its parts, of which those marked are expected as pieces.
fn check(what: &str, parts: &[(bool, String)]) {
    let (mut file, mut expected) = (String::new(), Vec::new());
    for (piece, text) in parts {
        if *piece {
            expected.push((file.len(), text.clone()));
        }
        file += text;
    }
    for chunk in [1, 7, 500, 4096, 5000, 1 << 16, file.len()] {
        // One byte at a time is for files of some size.
        if file.len() / chunk > 100_000 {
            continue;
        }
        let (found, position) = split(file.as_bytes(), chunk);
        let starts = |list: &[(usize, String)]| -> Vec<(usize, usize)> {
            list.iter().map(|(at, text)| (*at, text.len())).collect()
        };
        assert_eq!(
            starts(&found),
            starts(&expected),
            "{what} in pieces of {chunk}"
        );
        assert!(found == expected, "{what} in pieces of {chunk}");
        assert_eq!(position, file.len() as u64, "{what} in pieces of {chunk}");
    }
}

fn piece(text: impl Into<String>) -> (bool, String) {
    (true, text.into())
}

fn between(text: impl Into<String>) -> (bool, String) {
    (false, text.into())
}

const SIZES: [usize; 6] = [10, 5000, 3, 90_000, 4096, 70_000];

#[test]
fn one_voucher_has_the_white_space_around_it() {
    for size in [5, 4000, 10_000] {
        for (mark, before, after) in [
            ("", "", "\n"),
            ("", " \n", "\r\n"),
            ("\u{feff}", "", ""),
            ("\u{feff}", "\n", "\n\n"),
        ] {
            let mark = between(mark);
            let text = format!("{before}{}{after}", voucher(0, size));
            check("one voucher", &[mark.clone(), piece(text)]);
            let text = format!("{before}[\"0021\",3,113,{}]{after}", voucher(0, size));
            check("one in a wrapper", &[mark.clone(), piece(text)]);
            let text = format!(
                "{before}{{\"sz\":0,\"x\":[1,{{\"y\":\"{}{after}",
                "z".repeat(size)
            );
            check("one that is cut", &[mark, piece(text)]);
        }
        let lines = voucher(0, size).replace(',', ",\n  ");
        check("one in several lines", &[piece(lines)]);
        check(
            "an array of one",
            &[between("["), piece(voucher(0, size)), between("]\n")],
        );
    }
}

#[test]
fn vouchers_one_after_the_other() {
    for separator in ["", "\n", "\r\n\r\n", ",\n", " \t"] {
        for (before, after) in [("", ""), ("[", "]"), ("\u{feff}[\n", "\n]\n"), ("\n", "\n")] {
            let mut parts = vec![between(before)];
            for (number, size) in SIZES.into_iter().enumerate() {
                if number > 0 {
                    parts.push(between(separator));
                }
                parts.push(piece(voucher(number, size)));
            }
            parts.push(between(after));
            check("vouchers", &parts);
        }
    }
}

#[test]
fn wrappers_one_after_the_other() {
    let wrapped = |open, size| piece(format!("{open}\"0021\", 3 , 113,{}]", voucher(1, size)));
    let parts = [
        piece(voucher(0, 20)),
        between("\n"),
        wrapped("[ ", 5000),
        between("\n\n"),
        wrapped("[", 30),
    ];
    check("wrappers", &parts);
    let parts = [
        wrapped("[", 10),
        between("\n"),
        wrapped("[ ", 5000),
        between("\n"),
        piece(voucher(2, 1)),
    ];
    check("wrappers", &parts);
    let list = [
        between("["),
        wrapped("[", 5),
        between(",\n"),
        wrapped("[\n", 5000),
        between("]\n"),
    ];
    check("an array of wrappers", &list);
}

#[test]
fn much_white_space() {
    let blanks = between(" ".repeat(10_000));
    let both = [
        piece(voucher(0, 5)),
        blanks.clone(),
        piece(voucher(1, 5000)),
        blanks.clone(),
    ];
    check("blanks between", &both);
}

#[test]
fn what_follows_a_voucher_is_given_with_it() {
    let with = |junk: String| piece(format!("{}{junk}", voucher(0, 5000)));
    check(
        "text after the first",
        &[with("xyz\n".into()), piece(voucher(1, 5000)), between("\n")],
    );
    check(
        "text after the last",
        &[piece(voucher(1, 7)), between("\n"), with("xyz".into())],
    );
    check("text after the only one", &[with("xyz".into())]);
    // So much of it; what comes then is a piece of its own.
    let junk = "x".repeat(JUNK);
    check("as much text", &[with(junk.clone()), piece(voucher(1, 50))]);
    check(
        "more text",
        &[with(junk), piece("x".repeat(1000)), piece(voucher(1, 50))],
    );
}

#[test]
fn the_next_line_ends_a_voucher_that_is_cut() {
    for size in [10, 6000] {
        let cut = format!("{{\"sz\":0,\"x\":[\"{}", "y".repeat(size));
        let rest = [between("\n"), piece(voucher(1, size)), between("\n")];
        check("a cut one", &[&[piece(cut)][..], &rest].concat());
    }
}

#[test]
fn vouchers_in_other_text() {
    let dump = |size| between(format!("INSERT INTO t VALUES ({}, '", "n".repeat(size)));
    let mut parts = Vec::new();
    for (number, size) in SIZES.into_iter().enumerate() {
        parts.extend([dump(size), piece(voucher(number, size))]);
        parts.push(between("', 1);\n{\"sz"));
    }
    parts.push(between("x".repeat(9000)));
    check("a dump", &parts);
    let cut = piece(format!("{{\"sz\":0,\"x\":[\"{}", "y".repeat(5000)));
    check(
        "a dump that is cut",
        &[dump(20), piece(voucher(0, 5)), dump(4090), cut],
    );
}

#[test]
fn vouchers_in_other_json() {
    let object = |size| {
        [
            between("{\"guid\":\"1\",\"pv\":1,\"oh\":2,\"voucher\":"),
            piece(voucher(0, size)),
            between("}"),
        ]
    };
    check("an object", &object(5000));
    let list = |begin: &str| {
        [
            &[between(begin)][..],
            &object(10),
            &[between(",")],
            &object(90_000),
            &[between("]}")],
        ]
        .concat()
    };
    check("objects in an array", &list("[\n"));
    check("an array in an object", &list("{\"vouchers\": ["));
    // A voucher that another program wrote comes before one that is as it was.
    let other = "{\n  \"sz\": 0, \"oh\": {\"pv\": 113}\n}";
    check(
        "another layout",
        &[piece(other), between("\n"), piece(voucher(0, 10))],
    );
}

#[test]
fn what_is_no_file_of_sdo() {
    let text = voucher(0, 10);
    for begin in ["text ", "text\r\n\t", "r\u{e9}sum\u{e9} "] {
        assert!(is_start(format!("{begin}{text}").as_bytes()), "{begin:?}");
    }
    for other in ["{\"oh\":1}", "[\"oh\",\"pv\"]", "text \"oh\" \"pv\"", ""] {
        assert!(!is_start(other.as_bytes()), "{other}");
    }
    assert!(is_start(
        format!("{}{text}", "text ".repeat(10_000)).as_bytes()
    ));
    for begin in [
        &b"\x85\x18\x65"[..],
        b"text\0",
        b"PK\x03\x04",
        b"-----BEGIN OWNERSHIP VOUCHER-----\n",
    ] {
        assert!(!is_start(&[begin, text.as_bytes()].concat()), "{begin:?}");
        assert!(
            !is_start(&[b"text ", text.as_bytes(), begin].concat()),
            "{begin:?}"
        );
    }
}

#[test]
fn a_voucher_without_an_end_is_cut() {
    let endless = |size: usize| format!("{{\"sz\":{}", "[".repeat(size - 6));
    let behind = between(format!("{}{}", "[".repeat(5000), voucher(1, 10)));
    check(
        "an endless one",
        &[piece(endless(MOST + 1)), behind.clone()],
    );
    check(
        "one more",
        &[
            piece(voucher(0, 10)),
            between("\n"),
            piece(endless(MOST + 1)),
            behind,
        ],
    );
    // Among other text, what follows may be another one.
    let begin = between("text ".repeat(20));
    let parts = [
        begin.clone(),
        piece(endless(MOST + 1)),
        between("[".repeat(5000)),
        piece(voucher(1, 10)),
    ];
    check("an endless one in a dump", &parts);
    check(
        "a long one in a dump",
        &[begin, piece(voucher(1, MOST - 20)), between("\n")],
    );
    check(
        "a long one",
        &[
            piece(voucher(1, MOST - 20)),
            between("\n"),
            piece(voucher(1, 20)),
        ],
    );
}

#[test]
fn wide_text_is_one_record() {
    let wide = |size: usize| -> Vec<u8> {
        voucher(0, size)
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    for size in [10, 5000, 100_000] {
        let file = wide(size);
        for chunk in [7, 500, 5000] {
            let (found, position) = split(&file, chunk);
            assert_eq!((found.len(), position), (1, file.len() as u64));
            assert_eq!(found[0].1.len(), file.len());
        }
    }
    let file = wide(MOST);
    let (found, _) = split(&file, 1 << 16);
    assert_eq!((found.len(), found[0].1.len()), (1, MOST + 1));
}

#[test]
fn a_stream_is_split_before_its_end() {
    let next = |file: &[u8]| {
        let mut records = Records::new();
        records.push(file);
        records.next_piece()
    };
    let given = |text: &str| Some(Piece::Voucher(text.into()));
    let one = voucher(0, HEAD);
    for text in [
        format!("{one}{}", " ".repeat(JUNK)),
        format!("{one}\n{}", voucher(1, JUNK)),
    ] {
        assert_eq!(next(text.as_bytes()), given(&one));
    }
    assert_eq!(
        next(format!("{one}{}", " ".repeat(JUNK - 1)).as_bytes()),
        Some(Piece::More)
    );
    // So many bytes tell what a file is.
    let short = voucher(0, 10);
    let inside = format!("text, {short}{}", " ".repeat(HEAD - 6 - short.len()));
    assert_eq!(next(inside.as_bytes()), given(&short));
    assert_eq!(next(&inside.as_bytes()[..HEAD - 1]), Some(Piece::More));
    // As long as a voucher may be, and one byte more.
    let wide = [b"{\0\"\0s\0z\0\"\0".to_vec(), vec![b'x'; MOST]].concat();
    for begin in [
        &b"{\"sz\":"[..],
        b"text {\"sz\":",
        b" {\"sz\":",
        &wide[..10],
    ] {
        let ahead = begin.len()
            - begin
                .strip_prefix(b"text ")
                .or(begin.strip_prefix(b" "))
                .unwrap_or(begin)
                .len();
        let file = [begin, &vec![b'x'; MOST]].concat();
        let longest = &file[..ahead + MOST];
        assert_eq!(next(longest), Some(Piece::More), "{:?}", &begin[..6]);
        let Some(Piece::Voucher(cut)) = next(&file[..ahead + MOST + 1]) else {
            panic!("{:?}", &begin[..6])
        };
        assert_eq!(cut, file[ahead..ahead + MOST + 1]);
    }
}
