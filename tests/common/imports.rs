//! Which file imports which: `use` declarations and paths in the code, read as text that rustfmt has
//! formatted, and resolved to the file that defines what they name.
//!
//! What a file only gives out again (`pub use`) is no import of its own; tests may import anything.

use std::collections::{BTreeMap, BTreeSet};

/// The lines of a file without comments.
pub(crate) fn code(source: &str) -> Vec<String> {
    let lines = source.lines().map(|line| {
        let mut slashes = line.match_indices("//").map(|(at, _)| at);
        let comment = slashes.find(|&at| !line[..at].ends_with(':'));
        line[..comment.unwrap_or(line.len())].trim_end().to_owned()
    });
    lines.collect()
}

/// Empties the lines of each item behind `#[cfg(test)]`. It ends where its indentation comes back.
fn without_tests(code: &[String]) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut test = None;
    let lines = code.iter().map(|line| {
        if test.is_none() && line.trim_start().starts_with("#[cfg(") && line.contains("(test") {
            test = Some(indent(line));
        }
        let Some(start) = test else {
            return line.clone();
        };
        if indent(line) == start && line.ends_with([';', '}', ',']) {
            test = None;
        }
        String::new()
    });
    lines.collect()
}

/// `a::{b, c::d}` as its paths.
fn paths(tree: &str) -> Vec<String> {
    let Some((before, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().trim_end_matches("::self").to_owned()];
    };
    let list = &list[..list.rfind('}').unwrap_or(list.len())];
    let mut depth = 0;
    let parts = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    let whole = parts.flat_map(|part| paths(&format!("{}{}", before.trim(), part.trim())));
    whole.collect()
}

/// The paths that the code names, each with its line and whether it is given out again.
fn named(code: &[String]) -> Vec<(usize, bool, String)> {
    let mut named = Vec::new();
    let mut statement = String::new();
    for (number, line) in (1..).zip(without_tests(code)) {
        let start = line.trim_start();
        // The path of `pub(in path)` is no import.
        let inside = start.strip_prefix("pub(in ");
        let start = inside.map_or(start, |rest| {
            rest.split_once(')').map_or("", |(_, rest)| rest)
        });
        let item = start
            .strip_prefix("pub")
            .and_then(|rest| rest.split_once(' '));
        let is_use = item.map_or(start, |(_, item)| item).starts_with("use ");
        if !is_use && statement.is_empty() {
            let words = start.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let words = words.map(|word| word.trim_matches(':'));
            let inline = words.filter(|word| word.contains("::"));
            named.extend(inline.map(|path| (number, false, path.to_owned())));
            continue;
        }
        statement.push_str(start);
        if let Some(whole) = statement.strip_suffix(';') {
            let (before, tree) = whole.split_once("use ").unwrap_or_default();
            let public = !before.is_empty();
            let paths = paths(tree).into_iter();
            named.extend(paths.map(|path| (number, public, path)));
            statement.clear();
        }
    }
    named
}

/// The files of a crate by module, with paths and lines; and which module imports which, where.
#[derive(Default)]
pub(crate) struct Crate<'s> {
    pub(crate) files: BTreeMap<String, (&'s str, Vec<String>)>,
    pub(crate) imports: BTreeMap<String, BTreeMap<String, usize>>,
    given: BTreeMap<String, String>,
}

impl<'s> Crate<'s> {
    /// The crate of these files in the folder `src`: paths and sources.
    pub(crate) fn new(src: &str, sources: &[(&'s str, &'s str)]) -> Self {
        let mut all = Self::default();
        for (path, source) in sources {
            let module = match path.trim_start_matches(src).trim_end_matches(".rs") {
                "lib" | "main" => "crate".into(),
                inner => format!("crate::{}", inner.replace('/', "::")),
            };
            all.files.insert(module, (path, code(source)));
        }
        let mut imports = Vec::new();
        let mut given = BTreeMap::new();
        for (module, (path, code)) in &all.files {
            if path.ends_with("tests.rs") || path.contains("/tests/") {
                continue;
            }
            for (line, public, path) in named(code) {
                let name = path.rsplit("::").next().unwrap_or_default();
                match all.absolute(module, &path) {
                    Some(target) if public => {
                        drop(given.insert(format!("{module}::{name}"), target))
                    }
                    Some(target) => imports.push((module.clone(), target, line)),
                    None => {}
                }
            }
        }
        all.given = given;
        for (module, path, line) in imports {
            let target = all.file_of(&path);
            if target != module {
                let known = all.imports.entry(module).or_default();
                known.entry(target).or_insert(line);
            }
        }
        all
    }

    /// The path from the root of the crate; `None` for other crates and for names in scope.
    fn absolute(&self, module: &str, path: &str) -> Option<String> {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let join = |base: &str| format!("{base}::{rest}").trim_end_matches(':').to_owned();
        let child = format!("{module}::{first}");
        let parent = || module.rsplit_once("::").map(|(parent, _)| parent);
        match first {
            "crate" => Some(path.to_owned()),
            "self" => Some(join(module)),
            "super" if rest.starts_with("super") => self.absolute(parent()?, rest),
            "super" => Some(join(parent()?)),
            _ => self.files.contains_key(&child).then(|| join(&child)),
        }
    }

    /// The module whose file defines what the path names.
    fn file_of(&self, path: &str) -> String {
        let mut module = path;
        while !self.files.contains_key(module) && module != "crate" {
            module = module
                .rsplit_once("::")
                .map_or("crate", |(parent, _)| parent);
        }
        let name = path[module.len()..].split("::").nth(1).unwrap_or_default();
        let given = self.given.get(&format!("{module}::{name}"));
        given.map_or_else(|| module.to_owned(), |given| self.file_of(given))
    }

    /// Every module that this one needs, by however many steps.
    pub(crate) fn needs<'a>(&'a self, module: &'a str) -> BTreeSet<&'a str> {
        let (mut found, mut waiting) = (BTreeSet::new(), vec![module]);
        while let Some(module) = waiting.pop() {
            let new = self
                .imports
                .get(module)
                .into_iter()
                .flat_map(BTreeMap::keys);
            waiting.extend(new.map(String::as_str).filter(|new| found.insert(*new)));
        }
        found
    }
}
