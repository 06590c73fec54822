//! Answers that are kept, to ask "has it changed?" instead of asking anew.
//!
//! An answer to an unchanged question costs nothing of GitHub's allowance. It is kept by credential,
//! method and URL: what one token was shown, another must not see, and the tag of one is no tag of
//! another. Only whole bodies of GETs that said 200 come here. Tag and body are one value, so an
//! entry that is dropped while its question is under way is still there for its answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// A body larger than this is not kept: it would push out too much.
const BODY_MAX: usize = 1024 * 1024;

/// How many are kept at most, however small.
const COUNT_MAX: usize = 8_192;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) fingerprint: [u8; 32],
    pub(super) method: http::Method,
    pub(super) url: String,
    /// One URL may answer in several forms.
    pub(super) accept: Vec<u8>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) etag: http::HeaderValue,
    pub(super) body: Arc<[u8]>,
    pub(super) link: Option<String>,
    pub(super) total: Option<u64>,
    pub(super) json: bool,
}

/// The least recently used goes first.
#[derive(Debug)]
pub(super) struct Kept {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Key, (u64, Arc<Entry>)>,
    used: BTreeMap<u64, Key>,
    bytes: usize,
    next: u64,
}

impl Kept {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let (at, entry) = state.entries.get_mut(key)?;
        state.used.remove(at);
        *at = state.next;
        state.used.insert(state.next, key.clone());
        state.next += 1;
        Some(Arc::clone(entry))
    }

    /// Keeps it, instead of what was kept under that key.
    pub(super) fn put(&self, key: Key, entry: Entry) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.remove(&key);
        let size = weight(&key, &entry);
        if entry.body.len() > BODY_MAX || size > self.bytes_max {
            return;
        }
        while state.bytes + size > self.bytes_max || state.entries.len() >= COUNT_MAX {
            let Some(oldest) = state.used.first_key_value().map(|(_, key)| key.clone()) else { break };
            state.remove(&oldest);
        }
        let at = state.next;
        state.next += 1;
        state.bytes += size;
        state.used.insert(at, key.clone());
        state.entries.insert(key, (at, Arc::new(entry)));
    }

    /// Forgets what was kept under that key: the forge no longer says it.
    pub(super) fn forget(&self, key: &Key) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    #[cfg(test)]
    fn size(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(state.entries.len(), state.used.len());
        (state.entries.len(), state.bytes)
    }
}

impl State {
    fn remove(&mut self, key: &Key) {
        if let Some((at, entry)) = self.entries.remove(key) {
            self.used.remove(&at);
            self.bytes -= weight(key, &entry);
        }
    }
}

/// Bytes that an entry holds, about.
fn weight(key: &Key, entry: &Entry) -> usize {
    let link = entry.link.as_ref().map_or(0, String::len);
    2 * (key.url.len() + key.accept.len() + 64) + entry.body.len() + entry.etag.len() + link
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str, fingerprint: u8) -> Key {
        Key { fingerprint: [fingerprint; 32], method: http::Method::GET, url: url.to_owned(), accept: Vec::new() }
    }

    fn entry(size: usize) -> Entry {
        let etag = http::HeaderValue::from_static("\"x\"");
        Entry { etag, body: Arc::from(vec![0; size]), link: None, total: None, json: true }
    }

    #[test]
    fn what_was_used_last_stays_and_the_bound_holds() {
        let kept = Kept::new(10_000);
        for n in 0..5 {
            kept.put(key(&format!("u{n}"), 1), entry(2_000));
            // The first is asked for again and again.
            assert!(kept.get(&key("u0", 1)).is_some());
            assert!(kept.size().1 <= 10_000);
        }
        assert!(kept.get(&key("u0", 1)).is_some());
        assert!(kept.get(&key("u1", 1)).is_none());
        assert!(kept.get(&key("u0", 2)).is_none(), "another credential");
        kept.put(key("big", 1), entry(20_000));
        assert!(kept.get(&key("big", 1)).is_none());
        kept.put(key("u0", 1), entry(1));
        kept.forget(&key("u4", 1));
        kept.forget(&key("u4", 1));
        for n in 0..10_000 {
            kept.put(key(&format!("v{n}"), 1), entry(0));
        }
        let (count, bytes) = kept.size();
        assert!(count < 100 && bytes <= 10_000, "{count} {bytes}");
    }
}
