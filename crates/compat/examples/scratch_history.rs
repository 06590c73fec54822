#![allow(clippy::all, missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use towpath_compat::check::{Question, Running, Settings, check_with};
use towpath_compat::migration::Memo;
use towpath_compat::tree::{ContentId, Entry, MemoryTree, NoContent, Tree};

struct Git { dir: String, child: Child, out: BufReader<std::process::ChildStdout>, cache: HashMap<String, Rc<Vec<u8>>> }
impl Git {
    fn new(dir: &str) -> Self {
        let mut child = Command::new("git").args(["--git-dir", dir, "cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { dir: dir.into(), child, out, cache: HashMap::new() }
    }
    fn blob(&mut self, id: &str) -> Option<Rc<Vec<u8>>> {
        if let Some(b) = self.cache.get(id) { return Some(b.clone()); }
        writeln!(self.child.stdin.as_mut().unwrap(), "{id}").unwrap();
        let mut head = String::new();
        self.out.read_line(&mut head).unwrap();
        let size: usize = head.trim().rsplit(' ').next()?.parse().ok()?;
        let mut bytes = vec![0; size + 1];
        self.out.read_exact(&mut bytes).unwrap();
        bytes.pop();
        let b = Rc::new(bytes);
        self.cache.insert(id.into(), b.clone());
        Some(b)
    }
}
struct GitTree<'a> { git: &'a RefCell<Git>, entries: Vec<Entry> }
impl<'a> GitTree<'a> {
    fn new(git: &'a RefCell<Git>, rev: &str) -> Self {
        let dir = git.borrow().dir.clone();
        let out = Command::new("git").args(["--git-dir", &dir, "ls-tree", "-r", "-z", rev]).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        let mut entries: Vec<Entry> = text.split('\0').filter_map(|line| { let (meta, path) = line.split_once('\t')?; let mut m = meta.split(' '); let mode = m.next()?; m.next(); let id = m.next()?; (mode.starts_with("100")).then(|| Entry { path: path.into(), content: ContentId(id.into()) }) }).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self { git, entries }
    }
}
impl Tree for GitTree<'_> {
    fn entries(&self) -> &[Entry] { &self.entries }
    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent> {
        let e = self.entry(path).ok_or(NoContent::Absent)?;
        let b = self.git.borrow_mut().blob(&e.content.0).ok_or(NoContent::Unreadable)?;
        if b.len() > 2_000_000 { return Err(NoContent::TooLarge(b.len() as u64)); }
        Ok(Cow::Owned(b.to_vec()))
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "bench" { return bench(args[2].parse().unwrap()); }
    let dir = &args[1];
    let last: usize = args[2].parse().unwrap();
    let out = Command::new("git").args(["--git-dir", dir, "log", "--first-parent", "--format=%H", "-n", &last.to_string(), "HEAD", "--"]).args(&args[3..]).output().unwrap();
    let revs: Vec<String> = String::from_utf8_lossy(&out.stdout).lines().map(str::to_owned).collect();
    let git = RefCell::new(Git::new(dir));
    let memo = Memo::default();
    let (mut ok, mut review, mut bad) = (0, 0, 0);
    for rev in revs.iter().rev() {
        let base = GitTree::new(&git, &format!("{rev}^1"));
        let head = GitTree::new(&git, rev);
        if base.entries.is_empty() { continue; }
        let q = Question { base: vec![&base], head: &head, running: vec![Running { name: "base".into(), tree: &base }], settings: Settings::default() };
        let t = std::time::Instant::now();
        let report = check_with(&q, &memo);
        let ms = t.elapsed().as_millis();
        match report.verdict() { towpath_compat::Verdict::Compatible => ok += 1, towpath_compat::Verdict::NeedsReview => review += 1, _ => bad += 1 }
        if !report.findings.is_empty() {
            println!("{} {:?} {ms}ms", &rev[..9], report.verdict());
            for f in report.findings.iter().take(6) {
                println!("   {:?} {} [{}] {}:{} {} | {}", f.verdict, f.rule, f.object, f.at.path, f.at.line, f.message, f.statement.chars().take(140).collect::<String>());
                if let Some(h) = f.evidence.first().and_then(|e| e.hits.first()) { println!("        {}:{} {}", h.at.path, h.at.line, h.text.chars().take(110).collect::<String>()); }
            }
        }
    }
    println!("steps {} ok {ok} review {review} bad {bad}", ok + review + bad);
}
fn bench(n: usize) {
    let text = |i: usize| match i % 5 {
        0 => format!("CREATE TABLE table_{i} (id bigserial PRIMARY KEY, name text NOT NULL, owner_id bigint REFERENCES table_0 (id), note varchar(200), created_at timestamptz NOT NULL DEFAULT now());\nCREATE INDEX i_{i} ON table_{i} (owner_id);\nCREATE UNIQUE INDEX u_{i} ON table_{i} (name);\n"),
        1 => format!("ALTER TABLE table_{} ADD COLUMN c_{i} integer NOT NULL DEFAULT 0;\n", i - 1),
        2 => format!("ALTER TABLE table_{} ALTER COLUMN note TYPE varchar(300);\nCOMMENT ON TABLE table_{} IS 'x';\n", i - 2, i - 2),
        3 => format!("ALTER TABLE table_{} ADD CONSTRAINT k_{i} CHECK (c_{} >= 0) NOT VALID;\nALTER TABLE table_{} VALIDATE CONSTRAINT k_{i};\n", i - 3, i - 2, i - 3),
        _ => format!("UPDATE table_{} SET note = '' WHERE note IS NULL;\nDROP INDEX i_{};\nCREATE INDEX j_{i} ON table_{} (owner_id, created_at);\n", i - 4, i - 4, i - 4),
    };
    let files: Vec<(String, String)> = (0..n).map(|i| (format!("migrations/{:06}_x.up.sql", i + 1), text(i))).collect();
    let bytes: usize = files.iter().map(|f| f.1.len()).sum();
    for range in [1, 20, n / 2] {
        let base = MemoryTree::new(files[..n - range].to_vec());
        let head = MemoryTree::new(files.to_vec());
        let memo = Memo::default();
        let mut times = vec![];
        for _ in 0..3 {
            let q = Question { base: vec![&base], head: &head, running: vec![], settings: Settings::default() };
            let t = std::time::Instant::now();
            let r = check_with(&q, &memo);
            times.push((t.elapsed(), r.findings.len(), r.verdict()));
        }
        println!("{n} files {bytes} bytes, range {range}: {times:?}");
    }
}
