//! The way of a call: limits, a free place, tries, redirects, the body.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, LOCATION};
use http::{HeaderMap, Method};
use reqwest::Url;
use towpath_core::model::{Instant, Span};

use super::Client;
use super::call::{Answer, Auth, Call};
use super::count::Ended;
use super::etag::{Entry, Key};
use super::fault::{Fault, Hidden, chain, retries};
use super::limits::limited;
use super::stamp::http_date;
use super::urgent::is_urgent;

/// What one exchange came back with, whatever its status.
struct Came {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// Sends it.
    ///
    /// # Errors
    /// If there is no whole answer that says yes.
    pub async fn send(&self, call: &Call, auth: &Auth) -> Result<Answer, Fault> {
        let deadline = call.deadline.unwrap_or(self.0.options.deadline);
        let until = tokio::time::Instant::now() + deadline;
        let Ok(place) = tokio::time::timeout_at(until, self.0.places.acquire()).await else {
            self.0.counts.note(call.operation, Ended::TimedOut);
            // Whoever wanted to change something has to know that it never left.
            return Err(match call.acts {
                true => Fault::NotSent { words: "too many calls to the forge were under way".to_owned() },
                false => Fault::TimedOut { after: span(deadline) },
            });
        };
        let _place = place.map_err(|_| Fault::NotSent { words: "this client was closed".to_owned() })?;
        let mut last = None;
        if let Ok(result) = tokio::time::timeout_at(until, self.tries(call, auth, &mut last)).await {
            return result;
        }
        self.0.counts.note(call.operation, Ended::TimedOut);
        // What an earlier try met says more than that there was no time for another.
        Err(last.unwrap_or(Fault::TimedOut { after: span(deadline) }))
    }

    async fn tries(&self, call: &Call, auth: &Auth, last: &mut Option<Fault>) -> Result<Answer, Fault> {
        let mut pause = self.0.options.backoff;
        let mut left = if call.acts { 1 } else { self.0.options.tries.max(1) };
        loop {
            let fault = match self.once(call, auth).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            left -= 1;
            let again = match &fault {
                Fault::NotSent { .. } | Fault::NoAnswer { .. } => true,
                Fault::Said { status, .. } => retries(*status),
                _ => false,
            };
            if left == 0 || !again {
                return Err(fault);
            }
            *last = Some(fault);
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(4);
        }
    }

    /// One try: where it is sent on within its host, it follows.
    async fn once(&self, call: &Call, auth: &Auth) -> Result<Answer, Fault> {
        let mut url = call.url.clone();
        let redirects_max = self.0.options.redirects;
        for _ in 0..=redirects_max {
            let urgent = call.urgent || is_urgent();
            let taken = self.0.limits.take(&auth.account, call.resource, urgent, self.boottime());
            let _under_way = taken.map_err(|again_in| {
                self.0.counts.note(call.operation, Ended::Held);
                let words = if urgent {
                    "the forge wants no calls until then"
                } else {
                    "what is left of the forge's allowance is kept for acting"
                };
                self.limited(again_in, words.to_owned())
            })?;
            let key = key(call, &url, auth);
            let kept = key.as_ref().and_then(|key| self.0.kept.get(key));
            let came = self.exchange(call, &url, auth, kept.as_deref()).await;
            let came = came.inspect_err(|fault| {
                let ended = match fault {
                    Fault::NotSent { .. } => Ended::NotSent,
                    Fault::TooLarge { .. } => Ended::TooLarge,
                    _ => Ended::NoAnswer,
                };
                self.0.counts.note(call.operation, ended);
            })?;
            self.0.counts.note(call.operation, Ended::Status(came.status));
            match came.status {
                301 | 302 | 303 | 307 | 308 if redirects_max > 0 => url = sent_on(call, &url, &came)?,
                _ => return self.answer(call, auth, came, key, kept),
            }
        }
        Err(Fault::Unreadable {
            words: format!("{}: it is sent on more than {redirects_max} times", call.operation),
        })
    }

    async fn exchange(&self, call: &Call, url: &Url, auth: &Auth, kept: Option<&Entry>) -> Result<Came, Fault> {
        let mut request = self.0.http.request(call.method.clone(), url.clone());
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some((name, value)) = &auth.header {
            request = request.header(name, value);
        }
        if let Some(kept) = kept {
            request = request.header(IF_NONE_MATCH, &kept.etag);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        // Words of the network hold no secret, but what they hold is not ours.
        let words = |error: reqwest::Error| auth.hidden.words(&chain(&error.without_url()), 300);
        let mut response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                Fault::NotSent { words: words(error) }
            } else {
                Fault::NoAnswer { words: words(error) }
            }
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes_max = self.0.options.body_max;
        let said = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
        if said.is_some_and(|said| said > bytes_max as u64) {
            return Err(Fault::TooLarge { bytes_max });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Fault::NoAnswer { words: words(error) })? {
            if body.len() + chunk.len() > bytes_max {
                return Err(Fault::TooLarge { bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Came { status, headers, body })
    }

    /// What a whole answer comes to.
    fn answer(
        &self,
        call: &Call,
        auth: &Auth,
        came: Came,
        key: Option<Key>,
        kept: Option<Arc<Entry>>,
    ) -> Result<Answer, Fault> {
        let (status, headers) = (came.status, &came.headers);
        let json = is_json(headers);
        let words = if call.quiet || (200..400).contains(&status) {
            String::new()
        } else {
            auth.hidden.said(status, json, &came.body)
        };
        // A proxy's 503 may come after the forge behind it did what it was asked: of what acts it says nothing.
        let over = limited(status, headers, &words) && (status != 503 || !call.acts || call.delivery);
        let wall = self.0.clock.reading().wall;
        let wait = self.0.limits.learn(&auth.account, call.resource, headers, over, self.boottime(), wall);
        if let Some(again_in) = wait {
            return Err(self.limited(again_in, format!("{status} {words}").trim_end().to_owned()));
        }
        // Of an answer that holds a secret not even a part may stand in what is said of it.
        let hidden = if call.quiet { Hidden::All } else { auth.hidden.clone() };
        let made = |body: Arc<[u8]>, link: Option<String>, json: bool, kept: bool| Answer {
            status: if kept { 200 } else { status },
            date: date(headers),
            total: total(headers),
            headers: headers.clone(),
            kept,
            json,
            link,
            body,
            hidden: hidden.clone(),
            operation: call.operation,
        };
        match (status, kept, key) {
            (304, Some(kept), _) => {
                let link = link(headers).or_else(|| kept.link.clone());
                let total = total(headers).or(kept.total);
                Ok(Answer { total, ..made(Arc::clone(&kept.body), link, kept.json, true) })
            }
            (200..300, _, key) => {
                let (body, link): (Arc<[u8]>, _) = (Arc::from(came.body), link(headers));
                match (key, headers.get(ETAG)) {
                    (Some(key), Some(etag)) if status == 200 && !call.quiet => {
                        let (etag, body, link) = (etag.clone(), Arc::clone(&body), link.clone());
                        let entry = Entry { etag, body, link, total: total(headers), json };
                        self.0.kept.put(key, entry);
                    }
                    (Some(key), _) => self.0.kept.forget(&key),
                    (None, _) => {}
                }
                Ok(made(body, link, json, false))
            }
            (_, _, key) => {
                if let Some(key) = key.filter(|_| status < 500) {
                    self.0.kept.forget(&key);
                }
                Err(Fault::Said { status, words })
            }
        }
    }
}

/// Where the server sends a call on to, if that is on its own host and the method may stay.
fn sent_on(call: &Call, from: &Url, came: &Came) -> Result<Url, Fault> {
    let unreadable = |words: &str| Fault::Unreadable { words: format!("{}: {words}", call.operation) };
    let location = came.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let to = location.and_then(|text| from.join(text).ok());
    let to = to.ok_or_else(|| unreadable("it is sent on, without saying where to"))?;
    if to.origin() != from.origin() {
        let host = to.host_str().unwrap_or("nowhere");
        let host = to.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        return Err(Fault::Elsewhere { host: format!("{}://{host}", to.scheme()) });
    }
    // Browsers make a GET of it; a POST that became a GET would look as if it had been done.
    if call.method != Method::GET && !matches!(came.status, 307 | 308) {
        return Err(Fault::Said {
            status: came.status,
            words: "it is sent on in a way that only reading may follow".to_owned(),
        });
    }
    Ok(to)
}

fn key(call: &Call, url: &Url, auth: &Auth) -> Option<Key> {
    let accept = call.headers.iter().find(|(name, _)| *name == ACCEPT);
    (call.method == Method::GET).then(|| Key {
        fingerprint: auth.fingerprint,
        method: call.method.clone(),
        url: url.as_str().to_owned(),
        accept: accept.map(|(_, value)| value.as_bytes().to_vec()).unwrap_or_default(),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

fn total(headers: &HeaderMap) -> Option<u64> {
    headers.get("x-total-count").and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok())
}

fn link(headers: &HeaderMap) -> Option<String> {
    headers.get(LINK).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn date(headers: &HeaderMap) -> Option<Instant> {
    headers.get(http::header::DATE).and_then(|value| value.to_str().ok()).and_then(http_date)
}

fn span(duration: Duration) -> Span {
    Span::from_ms(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
