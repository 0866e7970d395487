//! The table of `ov verify` on a terminal: one line for each voucher, and what does not fit below
//! it. Names and GUIDs are shortened in the middle; anywhere else lines are complete.

use crate::Failure;
use crate::input::Item;
use crate::lines::{HEADING, Lines, PLAIN, plain};
use crate::report::{Verdict, short};
use crate::wrap::{columns, fitted, wrapped};

/// The columns of verdicts, of their longest word.
const VERDICT: usize = 10;
/// The columns of a GUID, and of a shortened one: 12 of its digits.
const GUID: usize = 32;
const SHORT_GUID: usize = 13;
/// The columns of the numbers of entries.
const ENTRIES: usize = 7;
/// The columns of owners, the beginnings of fingerprints.
const OWNER: usize = 16;
/// The columns of everything but names and GUIDs, with two blanks between columns.
const FIXED: usize = VERDICT + ENTRIES + OWNER + 8;
/// The columns that names get at least, as far as there is room.
const NAME: usize = 26;

pub(crate) struct Table {
    width: usize,
    name: usize,
    guid: usize,
    begun: bool,
    /// The facts that the options ask for.
    asked: Vec<&'static str>,
}

impl Table {
    /// A table as wide as the terminal; `None` where the standard output is none.
    pub(crate) fn on_terminal(asked: Vec<&'static str>, lines: &Lines) -> Option<Self> {
        Some(Self {
            width: lines.width()?,
            name: 0,
            guid: SHORT_GUID,
            begun: false,
            asked,
        })
    }

    /// Before the first line, fits the columns to the first vouchers and prints their headings.
    fn begin(&mut self, items: &[Item], lines: &mut Lines) -> Result<(), Failure> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let names = items.iter().map(|item| columns(&plain(&item.name())));
        let longest = names.max().unwrap_or_default();
        let room = self.width.saturating_sub(FIXED);
        self.guid = match longest.saturating_add(GUID) <= room {
            true => GUID,
            false => SHORT_GUID,
        };
        let room = room.saturating_sub(self.guid);
        self.name = longest.max(NAME).min(room).max(8);
        if !self.asked.is_empty() {
            let facts = self.asked.join(", ");
            let text = format!("Also proved for each voucher unless stated otherwise: {facts}");
            self.text(&text, lines)?;
        }
        let (name, guid) = (self.name("VOUCHER"), self.guid("GUID"));
        let heading = format!("{:VERDICT$}  {name}  {guid}  ENTRIES  OWNER", "VERDICT");
        lines.pieces(&[(HEADING, &heading)])
    }

    /// A name in its column. Names differ at their ends.
    fn name(&self, text: &str) -> String {
        fitted(text, self.name, self.name / 4)
    }

    /// A GUID in its column.
    fn guid(&self, text: &str) -> String {
        fitted(text, self.guid, self.guid / 2)
    }

    /// Prints a text, wrapped.
    pub(crate) fn text(&self, text: &str, lines: &mut Lines) -> Result<(), Failure> {
        let wrapped = wrapped(&plain(text), self.width);
        wrapped.iter().try_for_each(|line| lines.line(line))
    }

    /// Prints the line of one voucher: its verdict, then its error or findings.
    pub(crate) fn row(
        &mut self,
        verdict: &Verdict,
        item: &Item,
        items: &[Item],
        lines: &mut Lines,
    ) -> Result<(), Failure> {
        self.begin(items, lines)?;
        let standing = verdict.standing();
        let word = standing.name();
        let name = self.name(&plain(&item.name()));
        let guid = verdict.guid.map(|guid| guid.to_string());
        let guid = self.guid(&guid.unwrap_or_default());
        let entries = verdict.entries.map(|entries| entries.to_string());
        let entries = entries.unwrap_or_default();
        // In a rejected voucher the owner is anybody's claim.
        let owner = verdict.owner.filter(|_| verdict.error.is_none());
        let owner = owner.as_ref().map(short).unwrap_or_default();
        let gap = " ".repeat(VERDICT.saturating_sub(columns(word)));
        let row = format!("{gap}  {name}  {guid}  {entries:>ENTRIES$}  {owner}");
        let mut row = row.trim_end().to_owned();
        let notes = self.notes(verdict, item);
        let used = columns(word).saturating_add(columns(&row));
        if notes.is_empty() {
            return lines.pieces(&[(standing.style(), word), (PLAIN, &row)]);
        }
        if columns(&notes).saturating_add(used).saturating_add(2) <= self.width {
            row = format!("{row}  {notes}");
            return lines.pieces(&[(standing.style(), word), (PLAIN, &row)]);
        }
        lines.pieces(&[(standing.style(), word), (PLAIN, &row)])?;
        let indent = " ".repeat(VERDICT.saturating_add(2));
        for line in wrapped(&notes, self.width.saturating_sub(indent.len())) {
            lines.line(&format!("{indent}{line}"))?;
        }
        Ok(())
    }

    /// The error, or what is not proved, and the findings.
    fn notes(&self, verdict: &Verdict, item: &Item) -> String {
        if let Some(error) = &verdict.error {
            let (kind, place) = (error.kind.name(), item.place().words(error));
            return plain(&format!("{} ({kind}){place}", error.message));
        }
        let mut notes = Vec::new();
        let unproved = |fact: &&&str| !verdict.proved.contains(*fact);
        let unproved: Vec<&str> = self.asked.iter().filter(unproved).copied().collect();
        if !unproved.is_empty() {
            notes.push(format!("not proved: {}", unproved.join(", ")));
        }
        notes.extend(verdict.matched.words());
        let kinds = verdict.kinds();
        if !kinds.is_empty() {
            notes.push(format!("findings: {}", kinds.join(", ")));
        }
        notes.join("; ")
    }
}
