//! Real trees, exported to a directory: for measuring and for looking at grades by hand.

use std::path::Path;

use super::{Asked, Known, Places, Searcher};
use crate::operation::{Ident, Name};
use crate::tree::MemoryTree;

fn load(root: &Path, at: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(at) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            load(root, &path, files);
        } else if kind.is_file() {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((name, std::fs::read(&path).unwrap_or_default()));
        }
    }
}

/// `TOWPATH_EVIDENCE_TREE` is a directory with a tree in it, `TOWPATH_EVIDENCE_ASK` what to ask:
/// `table`, `table.column` or `table.*` (its places), with commas between them.
#[test]
#[ignore = "needs a tree on disk"]
fn a_tree_on_disk_is_searched() {
    let root = std::env::var("TOWPATH_EVIDENCE_TREE").unwrap();
    let mut files = vec![];
    load(Path::new(&root), Path::new(&root), &mut files);
    let (count, bytes) = (files.len(), files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
    let tree = MemoryTree::new(files);
    let name = |name: &str| Name::plain(Ident::exact(name));
    let asked: Vec<(Asked, Known)> = std::env::var("TOWPATH_EVIDENCE_ASK")
        .unwrap()
        .split(',')
        .map(|asked| match asked.split_once('.') {
            Some((table, "*")) => Asked::Positions(name(table), Places::Counted),
            Some((table, column)) => Asked::Column(name(table), Ident::exact(column)),
            None => Asked::Table(name(asked)),
        })
        .map(|asked| (asked, Known::default()))
        .collect();
    let searcher = Searcher::default();
    #[allow(clippy::disallowed_methods)]
    for turn in ["first", "second"] {
        let before = std::time::Instant::now();
        let found = searcher.search(&tree, &[], &asked);
        println!("## {turn}: {count} files, {bytes} bytes, {:?}", before.elapsed());
        if turn == "second" {
            continue;
        }
        for ((asked, _), found) in asked.iter().zip(found) {
            println!(
                "{asked:?}\n  {:?} of {} files; {}",
                found.grade,
                found.files,
                found.mapper.unwrap_or_default()
            );
            for hit in found.hits {
                println!("    {}:{}: {}", hit.at.path, hit.at.line, hit.text);
            }
        }
    }
}
