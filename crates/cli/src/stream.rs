//! The vouchers of a stream: read in chunks, split by the library, watched for private keys.

use std::io::{self, Read};

use ownership_voucher::ErrorKind;
use ownership_voucher::file::{Format, Kind, Piece, Splitter};
use ownership_voucher_sdo::{Piece as SdoPiece, Records};
use zeroize::Zeroizing;

use crate::foreign::Foreign;
use crate::report::Problem;
use crate::watch::{Seen, look_inside};

/// The number of bytes requested from the stream at a time.
const CHUNK: usize = 1 << 20;
/// How much is read on after the vouchers, for the watcher.
const TAIL: usize = 24 << 20;
/// The minimum size of a voucher: GUID, HMAC and a key have more bytes.
const SHORTEST: usize = 64;
/// After this many consecutive records that cannot be vouchers, the rest is not a file of vouchers.
const DUDS: usize = 1024;
/// The same if any CBOR is accepted: consecutive items of a few bytes, each of which makes two
/// lines.
const TINY: usize = 1 << 16;

/// The bytes of one voucher, or the reason why there are none.
pub(crate) type Voucher = Result<Vec<u8>, Problem>;

/// A stream that is split into vouchers, with bounded memory.
pub(crate) struct Stream<R> {
    stream: R,
    splitter: Splitter,
    /// The same of a stream that holds vouchers of SDO.
    sdo: Option<Records>,
    /// Vouchers of the other protocol.
    foreign: Foreign,
    /// What was read last. It has room for more than is requested, so that it never grows.
    chunk: Zeroizing<Vec<u8>>,
    request: usize,
    /// Whether the stream has reported its end.
    ended: bool,
    empty: bool,
    /// Whether something was returned.
    any: bool,
    /// Whether data after the last PEM block was reported.
    reported: bool,
    /// Consecutive records that cannot be vouchers, and whether they were too many.
    duds: usize,
    flooded: bool,
    /// Whether any CBOR is accepted.
    lenient: bool,
    /// Collects private keys that appear only in decoded data.
    seen: Seen,
}

impl<R: Read> Stream<R> {
    /// Splits `stream`, whose expected size is `size` bytes. With `probe_limit`, text without a PEM
    /// block before that offset is treated as another format. With `lenient`, data that is no
    /// text with vouchers is treated as CBOR. Private keys in decoded data are added to `seen`.
    pub(crate) fn new(
        stream: R,
        size: u64,
        probe_limit: Option<u64>,
        lenient: bool,
        seen: Seen,
    ) -> Self {
        let mut splitter = Splitter::new();
        if let Some(limit) = probe_limit {
            splitter = splitter.with_search_limit(limit);
        }
        if lenient {
            splitter = splitter.with_any_cbor();
        }
        // A little more than the size, so that the first read finds the end.
        let request = usize::try_from(size).unwrap_or(CHUNK).min(CHUNK);
        let request = request.saturating_add(64);
        Self {
            stream,
            splitter,
            sdo: None,
            foreign: Foreign::default(),
            chunk: Vec::with_capacity(request.saturating_add(64)).into(),
            request,
            ended: false,
            empty: true,
            any: false,
            reported: false,
            duds: 0,
            flooded: false,
            lenient,
            seen,
        }
    }

    /// Reads on after the vouchers, so that a watcher of the stream sees the rest.
    pub(crate) fn drain(&mut self) {
        let mut rest = Zeroizing::new(vec![0; 64 << 10]);
        let mut left = TAIL;
        // Unreadable data cannot be watched either; the vouchers are complete.
        while left > 0 && !self.ended {
            match self.stream.read(&mut rest) {
                Ok(0) | Err(_) => break,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
    }

    /// The number of bytes of the stream that have been split.
    pub(crate) fn position(&self) -> u64 {
        let of_sdo = self.sdo.as_ref().map(Records::position);
        of_sdo.unwrap_or(self.splitter.position())
    }

    /// Where the last voucher or fault starts in the stream.
    pub(crate) fn offset(&self) -> u64 {
        let of_sdo = self.sdo.as_ref().map(Records::offset);
        of_sdo.unwrap_or(self.splitter.offset())
    }

    /// Whether the stream had no bytes so far.
    pub(crate) const fn is_empty(&self) -> bool {
        self.empty
    }

    /// Whether there were well-formed PEM blocks with other labels: certificates, keys.
    pub(crate) const fn other_blocks(&self) -> bool {
        self.splitter.has_other_blocks()
    }

    /// The next voucher. A stream without any gives one problem, `no-voucher`.
    ///
    /// # Errors
    /// Those of the stream, and one for an endless stream without a voucher.
    pub(crate) fn next(&mut self) -> io::Result<Option<Voucher>> {
        if self.flooded {
            return Ok(None);
        }
        let voucher = self.split()?;
        self.count_duds(voucher.as_ref())?;
        let any = core::mem::replace(&mut self.any, true);
        if voucher.is_some() {
            return Ok(voucher);
        }
        let why = match self.splitter.unread_data() {
            _ if !any && self.empty => "the input is empty; fetch the file again".to_owned(),
            _ if self.foreign_text().is_some() && !self.reported => {
                self.reported = true;
                self.foreign_text().unwrap_or_default()
            }
            _ if !any => match self.splitter.kind() {
                Some(kind) => return Ok(Some(Err(Problem::of_kind(kind)))),
                None => "neither CBOR nor PEM, base64, hexadecimal digits or JSON of a voucher; is this \
                         the right file?"
                    .to_owned(),
            },
            Some(at) if !self.reported => {
                self.reported = true;
                format!(
                    "the bytes after a PEM block are neither text nor PEM and were not read (byte \
                     {at}); put vouchers in other formats into files of their own"
                )
            }
            _ => return Ok(None),
        };
        Ok(Some(Err(Problem::new(ErrorKind::NoVoucher, &why))))
    }

    /// What to say of vouchers of the other protocol that were not read.
    fn foreign_text(&self) -> Option<String> {
        let text = |what: &str, at: u64, advice: &str| {
            format!("{what} at byte {at} were not read; {advice}")
        };
        if self.sdo.is_some() {
            let own = "put vouchers of FDO into a file of their own";
            return self
                .foreign
                .fdo
                .map(|at| text("among vouchers of SDO, vouchers of FDO", at, own));
        }
        // In CBOR such a text is part of a voucher; what is in an archive is not looked for.
        let archive = |kind| {
            use Kind::{Bzip2, Gzip, SevenZip, Tar, Xz, Zip, Zstd};
            matches!(kind, Gzip | Bzip2 | Xz | Zstd | Zip | SevenZip | Tar)
        };
        let cbor = self.splitter.format() == Some(Format::Cbor);
        if cbor || self.splitter.kind().is_some_and(archive) {
            return None;
        }
        let own = "put vouchers of SDO into a file of their own";
        let raw = "export their text as it is, without escapes or doubled quotation marks";
        let whole = self.foreign.sdo.map(|at| text("vouchers of SDO", at, own));
        whole.or_else(|| {
            self.foreign
                .escaped
                .map(|at| text("vouchers of SDO inside of strings", at, raw))
        })
    }

    fn split(&mut self) -> io::Result<Option<Voucher>> {
        if self.sdo.is_some() {
            return self.split_sdo();
        }
        while let Some(piece) = self.splitter.next_piece() {
            let offset = self.splitter.offset();
            match piece {
                Ok(Piece::Voucher(bytes)) => {
                    if matches!(self.splitter.format(), Some(Format::Pem | Format::Json)) {
                        look_inside(&bytes, offset, &self.seen);
                    }
                    return Ok(Some(Ok(bytes)));
                }
                Ok(Piece::Decoded(bytes)) => look_inside(&bytes, offset, &self.seen),
                Ok(_) => {
                    self.read()?;
                    if self.sdo.is_some() {
                        return self.split_sdo();
                    }
                }
                Err(error) => return Ok(Some(Err(Problem::from(&error).moved(offset)))),
            }
        }
        Ok(None)
    }

    fn split_sdo(&mut self) -> io::Result<Option<Voucher>> {
        while let Some(records) = &mut self.sdo {
            match records.next_piece() {
                Some(SdoPiece::Voucher(text)) => return Ok(Some(Ok(text))),
                Some(SdoPiece::More) => self.read()?,
                None => break,
            }
        }
        Ok(None)
    }

    /// Gives the splitter the next chunk of the stream.
    fn read(&mut self) -> io::Result<()> {
        self.chunk.clear();
        let mut chunk = self.stream.by_ref().take(self.request as u64);
        let count = chunk.read_to_end(&mut self.chunk)?;
        if self.empty && ownership_voucher_sdo::is_start(&self.chunk) {
            self.sdo = Some(Records::new());
        }
        // Not in CBOR, whose bytes may be anything.
        if self.splitter.format() != Some(Format::Cbor) {
            self.foreign.look(&self.chunk, self.sdo.is_some());
        }
        match &mut self.sdo {
            Some(records) => records.push(&self.chunk),
            None => self.splitter.push(&self.chunk),
        }
        self.empty &= count == 0;
        if count < self.request {
            self.ended = true;
            self.splitter.finish();
            if let Some(records) = &mut self.sdo {
                records.finish();
            }
        }
        Ok(())
    }

    /// A record costs more than its bytes: a million records of one byte make a million lines.
    fn count_duds(&mut self, voucher: Option<&Voucher>) -> io::Result<()> {
        let dud = match voucher {
            Some(Ok(bytes)) => bytes.len() < SHORTEST,
            Some(Err(_)) => true,
            None => return Ok(()),
        };
        self.duds = if dud { self.duds.saturating_add(1) } else { 0 };
        let (most, what) = match self.lenient {
            true => (TINY, "have a few bytes each"),
            false => (DUDS, "are no vouchers"),
        };
        if self.duds > most {
            self.flooded = true;
            return Err(io::Error::other(format!(
                "{most} records in a row {what}; the rest is not read"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(bytes: &[u8], size: u64, lenient: bool) -> Stream<&[u8]> {
        Stream::new(bytes, size, None, lenient, Seen::default())
    }

    fn vouchers(bytes: &[u8]) -> Vec<Voucher> {
        let mut stream = stream(bytes, 0, false);
        core::iter::from_fn(|| stream.next().unwrap()).collect()
    }

    #[test]
    fn offsets_are_those_of_the_stream() {
        let block = |body: &str| {
            format!("-----BEGIN OWNERSHIP VOUCHER-----{body}-----END OWNERSHIP VOUCHER-----\n")
        };
        let all = vouchers([block("gA=="), block("!")].concat().as_bytes());
        assert_eq!(all[0].as_ref().unwrap(), &[0x80]);
        let problem = all[1].as_ref().unwrap_err();
        assert_eq!((problem.kind, problem.offset), (ErrorKind::Pem, Some(69)));
        assert!(
            problem.message.ends_with("(byte 69)"),
            "{}",
            problem.message
        );
    }

    #[test]
    fn a_private_key_among_the_vouchers_leaves_no_copy_behind() {
        use crate::left_behind::{MARK, left_behind};
        let block = |len: usize| {
            let filler = "A".repeat(len);
            let text = core::str::from_utf8(&MARK).unwrap();
            format!("-----BEGIN PRIVATE KEY-----\n{text}{filler}\n-----END PRIVATE KEY-----\n")
        };
        // Small; with a known size; longer than the buffer.
        for (text, size) in [
            (block(100), u64::MAX),
            (block(100), 300),
            (block(100), 10),
            (block(3 << 20).repeat(2), 6 << 20),
        ] {
            let left = left_behind(|| {
                let mut stream = stream(text.as_bytes(), size, false);
                while stream.next().unwrap().is_some() {}
            });
            assert_eq!(left, 0, "{size}");
        }
    }

    #[test]
    fn a_flood_of_records_that_are_no_vouchers_ends() {
        let begin = b"-----BEGIN OWNERSHIP VOUCHER-----\n";
        let empty = b"-----BEGIN OWNERSHIP VOUCHER-----\ngA==\n-----END OWNERSHIP VOUCHER-----\n";
        let before = |flood: &[u8], lenient| {
            let mut stream = stream(flood, 0, lenient);
            let mut before = 0;
            while stream.next().is_ok_and(|piece| piece.is_some()) {
                before += 1;
            }
            assert_eq!(stream.next().unwrap(), None);
            before
        };
        for (flood, of) in [
            (vec![0x80; 5000], "CBOR"),
            (b"gICA".repeat(5000), "base64"),
            (begin.repeat(5000), "BEGIN lines"),
            (
                [&begin.repeat(5000), &empty[..]].concat(),
                "BEGIN lines, an end",
            ),
            (empty.repeat(5000), "PEM"),
        ] {
            assert_eq!(before(&flood, false), DUDS, "{of}");
        }
        // Consecutive: a voucher between them resets the count.
        let item = [&[0x82, 0x58, 0x40][..], &[7; 0x40], &[0]].concat();
        let mixed = [vec![0x80; DUDS], item, vec![0x80; DUDS]].concat();
        assert_eq!(vouchers(&mixed).len(), 2 * DUDS + 1);
        // Any CBOR is accepted, up to a limit.
        assert_eq!(before(&[0x80; 5000], true), 5000);
        assert_eq!(before(&vec![0x80; TINY + 1], true), TINY);
    }

    #[test]
    fn a_stream_without_vouchers_gives_one_problem() {
        for nothing in [&b""[..], b"AAAA", b"hello, world", b"{\"a\":1}", &[0, 1, 2]] {
            let all = vouchers(nothing);
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].as_ref().unwrap_err().kind, ErrorKind::NoVoucher);
        }
    }
}
