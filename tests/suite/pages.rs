//! The pages of `docs/` that are part of the reference: their links work there too.
//!
//! A link between files of the repository is broken on docs.rs. So pages have such links by reference,
//! `[text][other.md]`, and src/guide.rs defines the reference before the page does: the first one counts.

use std::{fs, path::Path};

/// The links of a page that are broken on docs.rs. `before` is the text that precedes the page there.
fn broken<'p>(page: &'p str, before: &str) -> Vec<&'p str> {
    let inline = page.split("](").skip(1);
    let targets = inline.filter_map(|rest| rest.split_once(')'));
    let relative = |target: &&str| !target.starts_with('#') && !target.starts_with("https://");
    let inline = targets.map(|(target, _)| target).filter(relative);
    let defined = page.lines().filter(|line| line.starts_with('['));
    let names = defined.filter_map(|line| line.split_once("]: "));
    let missing = names.filter(|(name, _)| !before.contains(&format!("\"{name}]: ")));
    inline.chain(missing.map(|(name, _)| name)).collect()
}

#[test]
fn links_of_pages_work_in_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("src/guide.rs")).unwrap();
    let mut pages = 0;
    for module in guide.split("\n\n").skip(1) {
        let Some((before, rest)) = module.split_once("include_str!(\"../docs/") else {
            continue;
        };
        let name = rest.split('"').next().unwrap();
        let page = fs::read_to_string(root.join("docs").join(name)).unwrap();
        assert_eq!(broken(&page, before), [""; 0], "docs/{name}");
        pages += 1;
    }
    assert_eq!(pages, guide.matches("include_str!").count());
}

#[test]
fn a_broken_link_is_found() {
    let page = "[a](#here) [b](https://example.com) [c][c.md]\n\n[c.md]: c.md\n";
    assert_eq!(broken(page, "#[doc = \"[c.md]: crate::c\"]"), [""; 0]);
    assert_eq!(broken(page, ""), ["[c.md"]);
    assert_eq!(broken("[a](other.md)", ""), ["other.md"]);
}
