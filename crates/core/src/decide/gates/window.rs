//! `gates.window`: entry is open now.

use crate::calendar::Windows;
use crate::model::{Now, Reason, Verdict, Who};

/// Whether entry is open at this instant of the wall.
pub fn judge(windows: &Windows, now: Now) -> Verdict {
    if windows.is_open(now.wall) {
        return Verdict::Pass { why: Reason::WindowOpen { closes: windows.next_closing(now.wall) } };
    }
    let opens = windows.next_opening(now.wall);
    let why = Reason::WindowClosed { opens };
    match opens {
        Some(_) => Verdict::Wait { why, on: Who::Time, until: opens },
        None => Verdict::Block { why, who: Who::Operator },
    }
}
