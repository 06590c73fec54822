//! What a move hangs on may use the reserve, whoever asks it.
//!
//! What is read again right before a move is read by the code that reads it at any other time. Whether it may use what
//! is kept for acting is known at the beginning of the reading only, so the task carries it.

use std::future::Future;

tokio::task_local! {
    static URGENT: ();
}

/// Does that, with every call that it makes in this task free to use the reserve.
pub async fn urgently<T>(work: impl Future<Output = T>) -> T {
    URGENT.scope((), work).await
}

/// Whether a move hangs on what this task asks now.
pub(super) fn is_urgent() -> bool {
    URGENT.try_with(|()| ()).is_ok()
}
