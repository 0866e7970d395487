//! Vouchers with a Wi-Fi password in rendezvous info, in every shape that somebody may have written it,
//! and every spelling in which it might be printed.
#![allow(dead_code)] // each test uses a part of it

use ownership_voucher::KeyType;

use super::common;

const P256: KeyType = KeyType::Secp256r1;

/// The password. Its halves are looked for too, because strings come in chunks.
pub(crate) const PASSWORD: &str = "SECRETPW+hunter22";
pub(crate) const HALVES: [&str; 2] = ["SECRETPW", "hunter22"];

/// What is expected of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is a Wi-Fi password: critical.
    Password,
    /// It cannot be read and may be one: high.
    Unread,
    /// The voucher cannot be read at all.
    Broken,
}
pub(crate) use Told::{Broken, Password, Unread};

pub(crate) fn head(major: u8, value: usize) -> Vec<u8> {
    match u8::try_from(value).unwrap() {
        small @ 0..=23 => vec![major << 5 | small],
        value => vec![major << 5 | 24, value],
    }
}

pub(crate) fn bstr(content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let length = u16::try_from(content.len()).unwrap();
    match length {
        0..=255 => [&head(2, content.len()), content].concat(),
        _ => [&[0x59][..], &length.to_be_bytes(), content].concat(),
    }
}

pub(crate) fn tstr(text: &str) -> Vec<u8> {
    [&head(3, text.len()), text.as_bytes()].concat()
}

pub(crate) fn array(items: &[&[u8]]) -> Vec<u8> {
    [&head(4, items.len())[..], &items.concat()].concat()
}

pub(crate) fn tag(number: usize, item: &[u8]) -> Vec<u8> {
    [&head(6, number)[..], item].concat()
}

/// A string in two chunks: 0x5f or 0x7f, and what makes a chunk.
pub(crate) fn chunks(first: u8, one: fn(&str) -> Vec<u8>) -> Vec<u8> {
    let (a, b) = PASSWORD.split_at(9);
    [&[first][..], &one(a), &one(b), &[0xff]].concat()
}

/// Rendezvous info for each shape, by name.
pub(crate) fn shapes() -> Vec<(String, Told, Vec<u8>)> {
    let text = tstr(PASSWORD);
    let value = bstr(&text);
    let raw = bstr(PASSWORD);
    let dns = array(&[&[5], &bstr(tstr("rv.example.com"))]);
    let with = |instruction: &[u8]| array(&[&array(&[&dns, instruction])]);
    let ten = |value: &[u8]| with(&array(&[&[10], value]));
    let right = array(&[&[10], &value]);
    let map = |code: &[u8], value: &[u8]| [&[0xa1], code, value].concat();
    let mut all = vec![
        ("right", Password, ten(&value)),
        ("bare", Password, ten(&text)),
        ("raw", Password, ten(&raw)),
        ("wrapped-twice", Password, ten(&bstr(&value))),
        ("wrapped-three-times", Password, ten(&bstr(bstr(&value)))),
        ("tag", Password, ten(&tag(24, &value))),
        ("tag-of-text", Password, ten(&tag(99, &text))),
        ("tag-inside", Password, ten(&bstr(tag(24, &value)))),
        ("array", Password, ten(&array(&[&text]))),
        ("array-inside", Password, ten(&bstr(array(&[&text, &text])))),
        ("map-inside", Password, ten(&bstr(map(&[1], &text)))),
        ("chunks-of-bytes", Password, ten(&chunks(0x5f, |s| bstr(s)))),
        ("chunks-of-text", Password, ten(&chunks(0x7f, tstr))),
        ("chunks-inside", Password, ten(&bstr(chunks(0x7f, tstr)))),
        ("trailing", Password, ten(&bstr([&text[..], &[0]].concat()))),
        (
            "behind-the-value",
            Password,
            with(&array(&[&[10], &value, &text])),
        ),
        (
            "behind-an-empty-value",
            Password,
            with(&array(&[&[10], &bstr(""), &text])),
        ),
        ("long-code", Password, with(&array(&[&[0x18, 10], &value]))),
        (
            "longer-code",
            Password,
            with(&array(&[&[0x1b, 0, 0, 0, 0, 0, 0, 0, 10], &value])),
        ),
        (
            "indefinite",
            Password,
            with(&[&[0x9f, 10], &value[..], &[0xff]].concat()),
        ),
        (
            "indefinite-all",
            Password,
            [&[0x9f, 0x9f, 0x9f, 10], &value[..], &[0xff; 3]].concat(),
        ),
        ("deeper", Password, array(&[&array(&[&array(&[&right])])])),
        (
            "deepest",
            Password,
            array(&[&array(&[&array(&[&array(&[&array(&[&right])])])])]),
        ),
        (
            "deeper-behind-others",
            Password,
            array(&[&array(&[&dns]), &array(&[&array(&[&right])])]),
        ),
        ("flat", Password, array(&[&right])),
        ("flatter", Password, array(&[&[10], &value])),
        (
            "pairs-in-a-row",
            Password,
            array(&[&array(&[&[5], &bstr(tstr("a")), &[10], &value])]),
        ),
        ("twice", Password, array(&[&array(&[&dns, &right, &right])])),
        ("map", Password, array(&[&map(&[10], &value)])),
        ("map-of-text", Password, array(&[&map(&[10], &text)])),
        (
            "map-deeper",
            Password,
            array(&[&array(&[&map(&[10], &value)])]),
        ),
        ("in-bytes", Password, array(&[&bstr(array(&[&right]))])),
        (
            "in-a-tag",
            Password,
            array(&[&tag(24, &bstr(array(&[&right])))]),
        ),
        (
            "in-another-value",
            Password,
            with(&array(&[&[3], &bstr(&right)])),
        ),
        (
            "behind-a-number",
            Password,
            array(&[&array(&[&dns, &right]), &[5]]),
        ),
        (
            "behind-a-broken-one",
            Password,
            array(&[&array(&[&dns, &[5], &right])]),
        ),
        ("code-of-text", Unread, with(&array(&[&tstr("10"), &value]))),
        (
            "code-in-a-tag",
            Unread,
            with(&array(&[&tag(2, &bstr([10])), &value])),
        ),
        ("code-negative", Unread, with(&array(&[&[0x29], &value]))),
        ("unknown-code", Unread, with(&array(&[&[0x18, 99], &value]))),
        ("no-code", Unread, with(&array(&[&value]))),
        (
            "url",
            Unread,
            array(&[&array(&[&array(&[
                &[5],
                &bstr(tstr(&format!("https://me:{PASSWORD}@rv.example.com"))),
            ])])]),
        ),
        (
            "hash",
            Unread,
            with(&array(&[&[6], &bstr(array(&[&[0x2f], &raw]))])),
        ),
        (
            "ext-rv",
            Unread,
            with(&array(&[
                &[15],
                &bstr(array(&[&tstr("com.example.rv"), &text])),
            ])),
        ),
        (
            "ext-rv-name",
            Unread,
            with(&array(&[&[15], &bstr(array(&[&text]))])),
        ),
        (
            "host-behind",
            Unread,
            array(&[&array(&[&array(&[
                &[5],
                &bstr(tstr("rv.example.com")),
                &text,
            ])])]),
        ),
        (
            "name-wrapped-twice",
            Unread,
            with(&array(&[&[9], &bstr(&value)])),
        ),
        ("name-raw", Unread, with(&array(&[&[9], &raw]))),
        ("text-for-an-instruction", Unread, with(&text)),
        (
            "text-for-a-directive",
            Unread,
            array(&[&array(&[&dns]), &text]),
        ),
        ("text-alone", Broken, text.clone()),
        ("bytes-alone", Broken, bstr(array(&[&array(&[&right])]))),
        ("map-alone", Broken, map(&[10], &value)),
        (
            "tag-alone",
            Broken,
            tag(24, &bstr(array(&[&array(&[&right])]))),
        ),
    ];
    for code in [0_u8, 1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 14] {
        let name = format!("under-{code}");
        let info = with(&array(&[&[code], &value]));
        all.push((Box::leak(name.into_boxed_str()), Unread, info));
    }
    all.into_iter()
        .map(|(name, told, info)| (name.into(), told, info))
        .collect()
}

/// OVHeader with this rendezvous info.
pub(crate) fn header(info: &[u8]) -> Vec<u8> {
    let plain = common::fresh(P256, 7);
    let header = plain.header_bytes();
    let old = plain.rendezvous().as_bytes();
    let at = header.windows(old.len()).position(|part| part == old);
    let at = at.unwrap();
    [&header[..at], info, &header[at + old.len()..]].concat()
}

/// A voucher with this header, as it stands in a voucher, without entries.
pub(crate) fn voucher(header: &[u8]) -> Vec<u8> {
    let hmac = common::fresh(P256, 7);
    [
        &[0x85, 0x18, 0x65],
        header,
        hmac.hmac_bytes(),
        &[0xf6, 0x80],
    ]
    .concat()
}

/// Vouchers with the password in places that cannot be read at all.
pub(crate) fn broken() -> Vec<(String, Told, Vec<u8>)> {
    let right = array(&[&[10], &bstr(tstr(PASSWORD))]);
    let info = array(&[&array(&[&right])]);
    let other = array(&[&array(&[&array(&[&[0x18, 99], &bstr(tstr(PASSWORD))])])]);
    let mut all = Vec::new();
    for (name, info) in [("right", &info), ("unknown", &other)] {
        let header = header(info);
        let whole = voucher(&bstr(&header));
        let end = whole
            .windows(8)
            .position(|part| part == HALVES[1].as_bytes());
        let cut = |behind: usize| whole[..end.unwrap() + behind].to_vec();
        let (a, b) = header.split_at(30);
        let mut short_guid = header.clone();
        // The GUID of 16 bytes stands behind the version.
        short_guid[3] = 0x4f;
        short_guid.remove(4);
        let mut no_version = header.clone();
        no_version[1] = 0x20;
        let more = [
            ("behind", bstr([&header[..], &[0]].concat())),
            ("cut-header", bstr(&header[..header.len() - 1])),
            (
                "in-chunks",
                [&[0x5f][..], &bstr(a), &bstr(b), &[0xff]].concat(),
            ),
            ("inline", header.clone()),
            ("wrapped-twice", bstr(bstr(&header))),
            ("short-guid", bstr(short_guid)),
            ("in-a-tag", tag(24, &bstr(&header))),
        ];
        for (what, header) in more {
            all.push((format!("{name}-{what}"), Broken, voucher(&header)));
        }
        for (what, bytes) in [("cut", cut(8)), ("cut-inside", cut(2))] {
            all.push((format!("{name}-{what}"), Broken, bytes));
        }
        // The beginning of a header alone: nothing says what follows.
        all.push((
            format!("{name}-header-cut"),
            Broken,
            header[..header.len() - 9].to_vec(),
        ));
    }
    all
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let number = number << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            out.push(DIGITS[(number >> (18 - 6 * digit)) as usize & 63] as char);
        }
    }
    out
}

/// Every spelling of the password's halves that is looked for.
pub(crate) fn spellings() -> Vec<String> {
    let mut all = Vec::new();
    for half in HALVES {
        let bytes = half.as_bytes();
        all.push(half.into());
        all.push(hex::encode(bytes));
        all.push(hex::encode_upper(bytes));
        for separator in [", ", ",", " "] {
            let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
            all.push(numbers.join(separator));
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            all.push(digits.join(separator));
        }
        // Base64 at each of the three alignments, without the digits that depend on neighbours.
        for before in 0..3 {
            let padded = [&vec![0; before][..], bytes].concat();
            let text = base64(&padded);
            let start = (before * 8).div_ceil(6);
            all.push(text[start..padded.len() * 8 / 6].into());
        }
    }
    all
}

#[track_caller]
pub(crate) fn silent(output: &str, what: &str) {
    for spelling in spellings() {
        if let Some(at) = output.find(&spelling) {
            let near: String = output[..at].chars().rev().take(200).collect();
            let near: String = near.chars().rev().collect();
            panic!("{what}: {spelling} behind {near}");
        }
    }
}
