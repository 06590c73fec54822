//! Has questions of the gate answered by a process of their own, within limits, and remembers the answers.
//!
//! A question whose answer did not come (the process was ended, took too long, wrote nonsense) could not be
//! read: it is told so, and is not asked again for a while. Those behind it are asked of a new process.
//!
//! Not here: what that process does (`question`), and what a missing answer means for a move (the core).

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Semaphore;
use towpath_compat::{CompatReport, Finding, Verdict};
use towpath_core::text::one_line;

use super::question::{Answer, Bounds, Question, Unanswered};

/// How long one question may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the process may use. The largest history known to us needs less than a tenth of the memory.
const BOUNDS: Bounds = Bounds { memory: 2 << 30, processor: 300 };

/// No longer answer is read, in bytes.
const ANSWER_MAX: usize = 16 << 20;

/// How many questions one process answers.
const QUESTIONS_MAX: usize = 32;

/// How many such processes there are at once, whatever the number of flows.
const AT_ONCE: usize = 2;

/// How many answers are remembered.
const KNOWN_MAX: usize = 2_048;

/// For how long a question that could not be answered is not asked again, in milliseconds.
const REST_MS: i64 = 600_000;

/// No more of an answer's findings are kept; that there are more is, in the last of them.
const FINDINGS_MAX: usize = 200;

/// Asks and remembers.
#[derive(Debug)]
pub struct Checker {
    program: PathBuf,
    deadline: Duration,
    bounds: Bounds,
    seats: Semaphore,
    known: Mutex<Known>,
}

/// An answer, or why there is none.
pub type Told = Result<CompatReport, Unanswered>;

#[derive(Debug, Default)]
struct Known {
    answers: BTreeMap<(PathBuf, Question), (Told, i64)>,
    /// Oldest first.
    order: VecDeque<(PathBuf, Question)>,
}

impl Known {
    fn find(&self, key: &(PathBuf, Question), now: i64) -> Option<Told> {
        let (told, at) = self.answers.get(key)?;
        (told.is_ok() || (0..REST_MS).contains(&now.saturating_sub(*at))).then(|| told.clone())
    }

    fn keep(&mut self, key: (PathBuf, Question), told: Told, now: i64) {
        if self.answers.insert(key.clone(), (told, now)).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > KNOWN_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}

impl Checker {
    /// Asks this very program.
    pub fn this_program() -> Self {
        // On Linux the file may have been replaced since: what runs is asked, not what is installed now.
        let own = Path::new("/proc/self/exe");
        let program = if own.exists() { own.to_owned() } else { std::env::current_exe().unwrap_or_default() };
        Self::of(program)
    }

    /// Asks that program, which has to be `towpath`.
    pub fn of(program: PathBuf) -> Self {
        Self::with(program, DEADLINE, BOUNDS)
    }

    /// The same with other limits, for tests.
    pub fn with(program: PathBuf, deadline: Duration, bounds: Bounds) -> Self {
        Self { program, deadline, bounds, seats: Semaphore::new(AT_ONCE), known: Mutex::default() }
    }

    /// The answers, in the order of the questions. `now` is in milliseconds of a clock that no setting of the
    /// wall changes.
    pub async fn ask(&self, mirror: &Path, questions: &[Question], now: i64) -> Vec<Told> {
        let key = |question: &Question| (mirror.to_owned(), question.clone());
        let mut told: Vec<Option<Told>> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            questions.iter().map(|question| known.find(&key(question), now)).collect()
        };
        let open: Vec<usize> = (0..questions.len()).filter(|at| told[*at].is_none()).collect();
        let mut rest = open.as_slice();
        while !rest.is_empty() {
            let Ok(seat) = self.seats.acquire().await else { break };
            let batch: Vec<&Question> = rest.iter().take(QUESTIONS_MAX).map(|at| &questions[*at]).collect();
            let answers = self.batch(mirror, &batch).await;
            drop(seat);
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for (at, answer) in rest.iter().zip(&answers) {
                known.keep(key(&questions[*at]), answer.clone(), now);
                told[*at] = Some(answer.clone());
            }
            rest = &rest[answers.len().max(1).min(rest.len())..];
        }
        told.into_iter().map(|told| told.unwrap_or_else(|| Err(Unanswered::passing("it was not asked")))).collect()
    }

    /// Asks one process; at least one question is told of, and where that one has no answer, it is the last.
    async fn batch(&self, mirror: &Path, questions: &[&Question]) -> Vec<Told> {
        let mut told = Vec::new();
        let mut process = match Process::start(&self.program, mirror, self.bounds, questions) {
            Ok(process) => process,
            Err(error) => return vec![Err(Unanswered::passing(format!("it could not be started: {error}")))],
        };
        for _ in questions {
            match tokio::time::timeout(self.deadline, process.answer()).await {
                Ok(Ok(Some(Answer::Report(report)))) => told.push(Ok(kept(report))),
                Ok(Ok(Some(Answer::Cannot(why)))) => told.push(Err(why)),
                Ok(Ok(None)) => {
                    told.push(Err(Unanswered::passing(process.end().await)));
                    break;
                }
                Ok(Err(Unread::TooLong)) => {
                    let words = format!("what it found is longer than {} MiB", ANSWER_MAX >> 20);
                    told.push(Err(Unanswered::lasting(words)));
                    break;
                }
                Ok(Err(Unread::Fault(error))) => {
                    told.push(Err(Unanswered::passing(format!("its answer cannot be read: {error}"))));
                    break;
                }
                Err(_) => {
                    let words = format!("it took longer than {} s and was stopped", self.deadline.as_secs());
                    told.push(Err(Unanswered::passing(words)));
                    break;
                }
            }
        }
        told
    }
}

/// What of a report is remembered: what a gate tells of it.
fn kept(mut report: CompatReport) -> CompatReport {
    // The worst stay, and the order does not change what they say.
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let cut = report.findings.split_off(report.findings.len().min(FINDINGS_MAX));
    if let Some(worst) = cut.into_iter().next().filter(|finding| finding.verdict != Verdict::Compatible) {
        // Without a content it cannot be accepted: nobody has seen what it stands for.
        let message = format!("more than {FINDINGS_MAX} findings; the others are not kept");
        report.findings.push(Finding { message, blob: String::new(), ..worst });
    }
    for finding in &mut report.findings {
        finding.statement = String::new();
        finding.advice = String::new();
        for evidence in &mut finding.evidence {
            evidence.forms = Vec::new();
            evidence.hits.truncate(1);
        }
    }
    report
}

/// Why an answer that came is none.
enum Unread {
    TooLong,
    Fault(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Fault(error)
    }
}

struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &Path, mirror: &Path, bounds: Bounds, questions: &[&Question]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["check-migrations", "--questions", "--repo"]).arg(mirror);
        // It needs nothing of ours, and what a repository holds must not find our secrets.
        command.env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no input and output"));
        };
        let mut lines = serde_json::to_vec(&bounds)?;
        for question in questions {
            lines.push(b'\n');
            lines.extend(serde_json::to_vec(question)?);
        }
        lines.push(b'\n');
        // Beside the reading: it may answer before it has read everything. What cannot be written is seen
        // there as an answer that does not come.
        tokio::spawn(async move {
            let _ = input.write_all(&lines).await;
        });
        Ok(Self { child, output: BufReader::new(output) })
    }

    /// The next answer; none when there are no more.
    async fn answer(&mut self) -> Result<Option<Answer>, Unread> {
        let mut line = Vec::new();
        let most = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
        (&mut self.output).take(most).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() >= ANSWER_MAX {
            return Err(Unread::TooLong);
        }
        Ok(Some(serde_json::from_slice(&line).map_err(io::Error::from)?))
    }

    /// How it ended that did not answer, in words.
    async fn end(mut self) -> String {
        let mut said = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = tokio::time::timeout(Duration::from_secs(2), stderr.take(8_192).read_to_end(&mut said)).await;
        }
        let status = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let how = match status {
            Ok(Ok(status)) => ended(status),
            Ok(Err(_)) | Err(_) => "it was stopped".to_owned(),
        };
        if last.is_empty() { how } else { format!("{how}: {}", one_line(last, 200)) }
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (_, Some(24)) => "it needed more processor time than it may".to_owned(),
        (_, Some(6)) => "it gave up, perhaps for want of memory (signal 6)".to_owned(),
        (_, Some(signal)) => format!("it was ended by signal {signal}"),
        (code, None) => format!("it ended with exit code {}", code.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use towpath_compat::Place;

    use super::*;

    fn report(many: usize, verdict: Verdict) -> CompatReport {
        let finding = |n: usize| Finding {
            rule: "drop-column".to_owned(),
            verdict,
            at: Place { path: "db/2.sql".to_owned(), line: 1 },
            migration: "2".to_owned(),
            blob: "ab12".to_owned(),
            object: format!("users.c{n}"),
            statement: String::new(),
            message: "drops a column".to_owned(),
            before: None,
            after: None,
            evidence: Vec::new(),
            grade: None,
            advice: String::new(),
            accepted_by: None,
        };
        CompatReport { migrations: 1, findings: (0..many).map(finding).collect() }
    }

    #[test]
    fn what_is_cut_off_stands_and_cannot_be_accepted() {
        let bare = |many, verdict| {
            let findings = kept(report(many, verdict)).findings;
            (findings.len(), findings.iter().filter(|finding| finding.blob.is_empty()).count())
        };
        for verdict in [Verdict::Incompatible, Verdict::NeedsReview] {
            assert_eq!(bare(FINDINGS_MAX, verdict), (FINDINGS_MAX, 0));
            assert_eq!(bare(FINDINGS_MAX + 1, verdict), (FINDINGS_MAX + 1, 1));
            assert_eq!(bare(FINDINGS_MAX * 3, verdict), (FINDINGS_MAX + 1, 1));
        }
        assert_eq!(bare(FINDINGS_MAX * 3, Verdict::Compatible), (FINDINGS_MAX, 0));
    }
}
