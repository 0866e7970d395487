//! Vouchers of the other protocol in a file: one stream is read as FDO or as SDO, and what it does not read must
//! not be lost without a word.

use zeroize::Zeroizing;

/// How vouchers of SDO begin.
const SDO: &[&[u8]] = &[b"{\"sz\":"];
/// The same in strings of SQL and JSON, and in CSV.
const ESCAPED: &[&[u8]] = &[b"{\\\"sz\\\":", b"{\"\"sz\"\":"];
/// How vouchers of FDO begin in text: PEM, and strings of base64 or hexadecimal digits. Both versions of FDO.
const FDO: &[&[u8]] = &[
    b"-----BEGIN OWNERSHIP VOUCHER-----",
    b"\"hRhlW",
    b"\"hRjIW",
    b"\"85186558",
    b"\"85186559",
    b"\"8518c858",
    b"\"8518c859",
];
/// The longest of them.
const LONGEST: usize = 33;

/// What is looked for, and where it was seen first.
#[derive(Default)]
pub(crate) struct Foreign {
    /// The end of what was seen: a mark may lie across chunks.
    end: Zeroizing<Vec<u8>>,
    position: u64,
    /// Where vouchers of FDO, of SDO, or of SDO within strings begin.
    pub(crate) fdo: Option<u64>,
    pub(crate) sdo: Option<u64>,
    pub(crate) escaped: Option<u64>,
}

impl Foreign {
    /// Looks at the next bytes of a stream, which is read as vouchers of SDO or not.
    pub(crate) fn look(&mut self, chunk: &[u8], as_sdo: bool) {
        let before = self.position.saturating_sub(self.end.len() as u64);
        let head = chunk.get(..LONGEST).unwrap_or(chunk);
        let across = Zeroizing::new([&self.end, head].concat());
        for (bytes, at) in [(&across[..], before), (chunk, self.position)] {
            let see = |place: &mut Option<u64>, marks| {
                *place = place
                    .or_else(|| first(bytes, marks).map(|first| at.saturating_add(first as u64)));
            };
            if as_sdo {
                see(&mut self.fdo, FDO);
            } else if bytes.contains(&b'{') {
                // PEM and base64 have no braces.
                see(&mut self.sdo, SDO);
                see(&mut self.escaped, ESCAPED);
            }
        }
        self.position = self.position.saturating_add(chunk.len() as u64);
        let kept = across.len().max(chunk.len()).min(LONGEST);
        let last = if chunk.len() < LONGEST {
            &across[..]
        } else {
            chunk
        };
        self.end = last
            .get(last.len().saturating_sub(kept)..)
            .unwrap_or_default()
            .to_vec()
            .into();
    }
}

/// Where the first of these begins. All of them begin with a quotation mark, a brace or a dash.
fn first(bytes: &[u8], marks: &[&[u8]]) -> Option<usize> {
    let mut candidates = (0..bytes.len()).filter_map(|at| bytes.get(at..));
    let found = candidates.find(|rest| {
        matches!(rest.first(), Some(b'"' | b'{' | b'-'))
            && marks.iter().any(|mark| rest.starts_with(mark))
    })?;
    Some(bytes.len().saturating_sub(found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_seen_across_chunks() {
        for (as_sdo, marks) in [(true, FDO), (false, SDO), (false, ESCAPED)] {
            for mark in marks {
                assert!(mark.len() <= LONGEST);
                let text = [&[b'x'; 50], *mark, &[b'x'; 50]].concat();
                for chunk in [1, 2, 7, 40, 90, 200] {
                    let mut foreign = Foreign::default();
                    for chunk in text.chunks(chunk) {
                        foreign.look(chunk, as_sdo);
                    }
                    let seen = [foreign.fdo, foreign.sdo, foreign.escaped];
                    assert_eq!(seen.iter().flatten().collect::<Vec<_>>(), [&50], "{chunk}");
                }
            }
        }
    }
}
