//! The terminal: frames drawn over one another where there is one, plain lines elsewhere.
//!
//! No alternate screen: the last frame stays where it can be scrolled back to. What was changed of
//! the terminal is put back when this is dropped. Not here: what a frame holds (`view`).

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::Notify;

use super::scene::Scene;
use super::stage::Told;
use super::text::wrap;
use super::view::{self, Paint, Size};
use towpath_core::explain::Mark;

/// Hides the cursor, and lets nothing wrap: a character that is wider than was thought must not
/// push the frame down.
const BEGIN: &str = "\u{1b}[?25l\u{1b}[?7l";

/// Puts both back.
const END: &str = "\u{1b}[?7h\u{1b}[?25h";

/// One frame at once, where the terminal knows how; others ignore it.
const SYNC: (&str, &str) = ("\u{1b}[?2026h", "\u{1b}[?2026l");

/// How wide lines of text are where there are no frames; a pipe has no width.
const LINE: usize = 100;

/// Where the demo is shown.
#[derive(Debug)]
pub enum Screen {
    /// A terminal that frames are drawn on.
    Frames(Frames),
    /// Anything else.
    Lines,
}

/// What is known of the terminal.
#[derive(Debug)]
pub struct Frames {
    paint: Paint,
    /// How many lines the last frame had, and for which size.
    drawn: Option<(usize, Size)>,
    /// How the keyboard was before.
    keyboard: Option<Termios>,
}

impl Screen {
    /// Frames if standard output is a terminal that can, and is large enough; lines else.
    pub fn open(frames_wanted: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let large = size().is_some_and(|size| size.columns >= view::COLUMNS_MIN && size.rows >= view::ROWS_MIN);
        if !frames_wanted || dumb || !large || !io::stdout().is_terminal() {
            return Self::Lines;
        }
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let paint = if plain { Paint::Plain } else { Paint::Colour };
        let keyboard = quiet_keyboard();
        let _ = write(BEGIN);
        Self::Frames(Frames { paint, drawn: None, keyboard })
    }

    /// Whether anything has to be drawn between two changes.
    pub const fn moves(&self) -> bool {
        matches!(self, Self::Frames(_))
    }

    /// Draws the scene, over the one before. Nothing where lines are printed.
    ///
    /// # Errors
    /// If nobody is there to see it any more.
    pub fn draw(&mut self, scene: &Scene) -> io::Result<()> {
        let Self::Frames(frames) = self else { return Ok(()) };
        let Some(size) = size() else { return Ok(()) };
        let lines = view::frame(scene, size, frames.paint);
        let mut text = String::from(SYNC.0);
        match frames.drawn {
            Some((count, before)) if before == size => text.push_str(&format!("\u{1b}[{count}A\r")),
            // The terminal has broken the old lines anew; nobody knows where they begin.
            Some(_) => text.push_str("\u{1b}[2J\u{1b}[H"),
            None => {}
        }
        for line in &lines {
            text.push_str("\u{1b}[2K");
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\u{1b}[J");
        text.push_str(SYNC.1);
        frames.drawn = Some((lines.len(), size));
        write(&text)
    }

    /// Prints what the watcher is told. Nothing where frames are drawn.
    ///
    /// # Errors
    /// If nobody is there to read it any more.
    pub fn say(&self, at: &str, say: &str) -> io::Result<()> {
        if self.moves() || say.is_empty() {
            return Ok(());
        }
        let lines = wrap(say, LINE - 7, usize::MAX);
        let text: String = lines
            .iter()
            .enumerate()
            .map(|(row, line)| format!("{}  {line}\n", if row == 0 { at } else { "     " }))
            .collect();
        write(&format!("\n{text}"))
    }

    /// Prints what happened. Nothing where frames are drawn.
    ///
    /// # Errors
    /// If nobody is there to read it any more.
    pub fn tell(&self, told: &[Told]) -> io::Result<()> {
        if self.moves() {
            return Ok(());
        }
        let line = |told: &Told| match (told.under, told.mark) {
            (true, _) => format!("         {}\n", told.text),
            (false, Mark::Note) => format!("       - {}\n", told.text),
            (false, mark) => format!("       {} {}\n", mark.sign(), told.text),
        };
        write(&told.iter().map(line).collect::<String>())
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        let _ = write(END);
        if let Some(before) = &self.keyboard {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Prints a text as it is.
///
/// # Errors
/// If nobody is there to read it any more.
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The size of the terminal, if standard output is one.
fn size() -> Option<Size> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(Size { columns: usize::from(size.ws_col), rows: usize::from(size.ws_row) })
}

/// Keys come one by one and are not shown; Ctrl-C stays what it is. Returns how it was.
fn quiet_keyboard() -> Option<Termios> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return None;
    }
    let before = tcgetattr(&stdin).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &quiet).ok()?;
    Some(before)
}

/// Tells when `q` is pressed. The thread that reads ends with the program.
pub fn q_pressed(screen: &Screen) -> Arc<Notify> {
    let pressed = Arc::new(Notify::new());
    if let Screen::Frames(Frames { keyboard: Some(_), .. }) = screen {
        let tell = pressed.clone();
        std::thread::spawn(move || {
            let mut key = [0];
            while io::stdin().lock().read(&mut key).is_ok_and(|count| count > 0) {
                if matches!(key[0], b'q' | b'Q') {
                    tell.notify_one();
                    return;
                }
            }
        });
    }
    pressed
}
