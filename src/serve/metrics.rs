//! What the service counts, in the words of Prometheus.
//!
//! Instants are exported, never ages: whoever asks knows the time. No label holds a commit, a
//! person or anything else without bound. What a metric means is in its help text and nowhere else.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use towpath_core::model::{Flow, Instant, IntentRow, Ledger, MoveKind, Plan, Until};

use crate::forge::client::Client;

/// Labels of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Edge {
    flow: String,
    environment: String,
}

/// Labels of an edge's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EdgeVerdict {
    flow: String,
    environment: String,
    verdict: &'static str,
}

/// Labels of a move.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Move {
    flow: String,
    environment: String,
    kind: &'static str,
    result: &'static str,
}

/// Labels of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TickLabels {
    result: &'static str,
}

/// Labels of a call of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HookLabels {
    source: &'static str,
    result: &'static str,
}

/// Labels of calls of a forge's API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    forge: String,
    operation: &'static str,
    code: String,
}

/// Labels of what a forge allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AllowanceLabels {
    forge: String,
    account: String,
    resource: String,
}

/// Labels of what sinks are told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NoticeLabels {
    sink: String,
    result: &'static str,
}

/// Labels of a sink.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SinkLabel {
    sink: String,
}

/// Every metric, and the registry that prints them.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    ticks: Family<TickLabels, Counter>,
    tick_duration: Histogram,
    last_good: Gauge<f64, AtomicU64>,
    flows: Gauge<i64, AtomicI64>,
    failing: Gauge<i64, AtomicI64>,
    waiting_flows: Gauge<i64, AtomicI64>,
    moves: Family<Move, Counter>,
    verdict: Family<EdgeVerdict, Gauge>,
    waiting: Family<Edge, Gauge>,
    oldest: Family<Edge, Gauge<f64, AtomicU64>>,
    behind: Family<Edge, Gauge>,
    stopped: Family<Edge, Gauge>,
    stop_ends: Family<Edge, Gauge<f64, AtomicU64>>,
    outbox: Family<FlowLabel, Gauge>,
    hooks: Family<HookLabels, Counter>,
    made_room: Counter,
    reload_good: Gauge<i64, AtomicI64>,
    reload_at: Gauge<f64, AtomicU64>,
    heartbeats: Family<TickLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    allowance: Family<AllowanceLabels, Gauge>,
    allowance_left: Family<AllowanceLabels, Gauge>,
    notices: Family<NoticeLabels, Counter>,
    given_up: Family<SinkLabel, Gauge>,
}

/// Labels of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FlowLabel {
    flow: String,
}

/// How many bytes of metrics are held ready; enough for some hundred flows without growing.
const TEXT_START: usize = 64 * 1024;

/// Seconds since 1970, as Prometheus counts.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era are far below 2^53")]
fn seconds(at: Instant) -> f64 {
    at.0 as f64 / 1_000.0
}

impl Default for Metrics {
    fn default() -> Self {
        let made = Self {
            registry: Mutex::new(Registry::with_prefix("towpath")),
            ticks: Family::default(),
            // 5 ms to 80 s.
            tick_duration: Histogram::new(exponential_buckets(0.005, 2.0, 15)),
            last_good: Gauge::default(),
            flows: Gauge::default(),
            failing: Gauge::default(),
            waiting_flows: Gauge::default(),
            moves: Family::default(),
            verdict: Family::default(),
            waiting: Family::default(),
            oldest: Family::default(),
            behind: Family::default(),
            stopped: Family::default(),
            stop_ends: Family::default(),
            outbox: Family::default(),
            hooks: Family::default(),
            made_room: Counter::default(),
            reload_good: Gauge::default(),
            reload_at: Gauge::default(),
            heartbeats: Family::default(),
            calls: Family::default(),
            allowance: Family::default(),
            allowance_left: Family::default(),
            notices: Family::default(),
            given_up: Family::default(),
        };
        made.reload_good.set(1);
        made.register();
        made
    }
}

impl Metrics {
    /// So many notices of a sink came to that.
    pub fn notices(&self, sink: &str, result: &'static str, times: u64) {
        self.notices.get_or_create(&NoticeLabels { sink: sink.to_owned(), result }).inc_by(times);
    }

    /// How many notices of each sink were given up lately.
    pub fn given_up<'s>(&self, sinks: impl Iterator<Item = &'s str>, counts: &BTreeMap<String, u64>) {
        self.given_up.clear();
        let counts = counts.iter().map(|(sink, count)| (sink.as_str(), *count));
        for (sink, count) in sinks.map(|sink| (sink, 0)).chain(counts) {
            let labels = SinkLabel { sink: sink.to_owned() };
            self.given_up.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// The one list of names and meanings.
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let r = &mut *registry;
        r.register("build", "Which build runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        r.register("ticks", "Passes over a flow, by how they ended: good, leased (another process had it), unreachable (its remote told nothing), fault (the store failed), panic", self.ticks.clone());
        r.register_with_unit(
            "tick_duration",
            "How long a pass over a flow took",
            Unit::Seconds,
            self.tick_duration.clone(),
        );
        r.register_with_unit(
            "last_good_tick_timestamp",
            "When a pass last ended well",
            Unit::Seconds,
            self.last_good.clone(),
        );
        r.register("flows", "Flows in the config", self.flows.clone());
        r.register(
            "flows_failing",
            "Flows whose last pass failed; they are looked at more and more rarely",
            self.failing.clone(),
        );
        r.register("flows_in_line", "Flows that wait for their pass", self.waiting_flows.clone());
        r.register("moves", "Moves that were begun, by how they ended", self.moves.clone());
        r.register(
            "edge_verdict",
            "1 for the verdict that the edge into an environment has now, else 0",
            self.verdict.clone(),
        );
        r.register("edge_waiting_commits", "Commits that an environment lacks and could get", self.waiting.clone());
        r.register_with_unit(
            "edge_oldest_waiting_timestamp",
            "When the oldest commit that an environment lacks came onto its source; absent if it lacks none",
            Unit::Seconds,
            self.oldest.clone(),
        );
        r.register(
            "edge_behind_alarm",
            "1 while the oldest commit that an environment lacks has waited longer than its `behind_alarm`, else 0",
            self.behind.clone(),
        );
        r.register(
            "edge_stopped",
            "1 while a pause or freeze covers entry to an environment, else 0",
            self.stopped.clone(),
        );
        r.register_with_unit(
            "edge_stop_ends_timestamp",
            "When the last of those ends; absent if none is in force, or one stands until resumed",
            Unit::Seconds,
            self.stop_ends.clone(),
        );
        r.register("outbox_pending", "Events that were not handed out yet", self.outbox.clone());
        self.register_service(r);
    }

    /// Of the list, what concerns the service and no flow.
    fn register_service(&self, r: &mut Registry) {
        r.register("hooks", "Calls of a hook, by what came of them", self.hooks.clone());
        r.register(
            "connections_closed",
            "Connections that were closed for a newcomer while they waited for their clients, because there were as many as there may be",
            self.made_room.clone(),
        );
        r.register(
            "config_reload_good",
            "1 if the config file is the config in force, 0 if the last reload was refused",
            self.reload_good.clone(),
        );
        r.register_with_unit(
            "config_reload_timestamp",
            "When the config was last reloaded or refused",
            Unit::Seconds,
            self.reload_at.clone(),
        );
        r.register(
            "notices",
            "Notices to sinks, by what came of them: sent, failed (a try), dead (given up)",
            self.notices.clone(),
        );
        r.register(
            "notices_given_up",
            "Notices to sinks that were given up within the last day and not sent again; `towpath outbox` lists them",
            self.given_up.clone(),
        );
        r.register("heartbeats", "Calls of the heartbeat URL, by what came of them", self.heartbeats.clone());
        r.register(
            "forge_requests",
            "Calls of a forge's API, by operation and HTTP status, or why there is none; since the config was read",
            self.calls.clone(),
        );
        r.register(
            "forge_rate_limit",
            "How many calls a forge allows an account in a window, by the forge's own headers",
            self.allowance.clone(),
        );
        r.register("forge_rate_limit_remaining", "How many of them are left", self.allowance_left.clone());
    }

    /// Everything, in the text format of OpenMetrics.
    pub fn text(&self, forges: &[(String, Client)]) -> String {
        // Under the lock: two who ask at once must not count twice.
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.count_calls(forges);
        let mut out = String::with_capacity(TEXT_START);
        match text::encode(&mut out, &registry) {
            Ok(()) => out,
            // Writing into a text cannot fail; half of the metrics would be a lie.
            Err(_) => String::new(),
        }
    }

    /// What the HTTP layer of each forge has counted. It counts from when the config was read, so a reload
    /// begins anew, as a restart does.
    fn count_calls(&self, forges: &[(String, Client)]) {
        self.calls.clear();
        self.allowance.clear();
        self.allowance_left.clear();
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (forge, client) in forges {
            for counted in client.counted() {
                let (operation, code) = (counted.operation, counted.ended.to_string());
                let labels = CallLabels { forge: forge.clone(), operation, code };
                self.calls.get_or_create(&labels).inc_by(counted.times);
            }
            for budget in client.budgets() {
                let (account, resource) = (budget.account, budget.resource);
                let labels = AllowanceLabels { forge: forge.clone(), account, resource };
                self.allowance.get_or_create(&labels).set(whole(budget.limit));
                self.allowance_left.get_or_create(&labels).set(whole(budget.left));
            }
        }
    }

    /// A pass ended so.
    pub fn tick(&self, result: &'static str, took: Duration, wall: Instant) {
        self.ticks.get_or_create(&TickLabels { result }).inc();
        self.tick_duration.observe(took.as_secs_f64());
        if result == "good" {
            self.last_good.set(seconds(wall));
        }
    }

    /// How the line of flows stands.
    pub fn line(&self, flows: usize, failing: usize, waiting: usize) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.flows.set(number(flows));
        self.failing.set(number(failing));
        self.waiting_flows.set(number(waiting));
    }

    /// A move ended so.
    pub fn moved(&self, row: &IntentRow) {
        let kind = match row.kind {
            MoveKind::FastForward => "fast-forward",
            MoveKind::Rollback => "rollback",
        };
        let labels =
            Move { flow: row.flow.to_string(), environment: row.env.to_string(), kind, result: row.state.word() };
        self.moves.get_or_create(&labels).inc();
    }

    /// What was decided for a flow, and what stands on it.
    pub fn decided(&self, flow: &Flow, plan: &Plan, ledger: &Ledger) {
        for decision in &plan.decisions {
            let labels = Edge { flow: flow.name.to_string(), environment: decision.env.to_string() };
            for verdict in ["pass", "wait", "block"] {
                let is =
                    EdgeVerdict { flow: labels.flow.clone(), environment: labels.environment.clone(), verdict };
                self.verdict.get_or_create(&is).set(i64::from(verdict == decision.verdict.word()));
            }
            self.waiting.get_or_create(&labels).set(i64::from(decision.waiting));
            match decision.oldest.as_ref() {
                Some(oldest) => {
                    self.oldest.get_or_create(&labels).set(seconds(oldest.since));
                }
                None => {
                    self.oldest.remove(&labels);
                }
            }
            let behind = ledger.behind.contains_key(&decision.env);
            self.behind.get_or_create(&labels).set(i64::from(behind));
            let standing =
                || ledger.standing.pauses.iter().filter(|p| p.stands_on(&flow.name, &decision.env, plan.now.wall));
            self.stopped.get_or_create(&labels).set(i64::from(standing().next().is_some()));
            let ends = standing().map(|pause| match pause.until {
                Until::At(at) => Some(at),
                Until::Resumed => None,
            });
            // Of several the last counts; one without an end has none.
            match ends.collect::<Option<Vec<Instant>>>().and_then(|ends| ends.into_iter().max()) {
                Some(last) => {
                    self.stop_ends.get_or_create(&labels).set(seconds(last));
                }
                None => {
                    self.stop_ends.remove(&labels);
                }
            }
        }
        let pending = i64::try_from(ledger.outbox.len()).unwrap_or(i64::MAX);
        self.outbox.get_or_create(&FlowLabel { flow: flow.name.to_string() }).set(pending);
    }

    /// A flow or an environment is no longer configured: what was said of it is withdrawn.
    pub fn forget(&self, flow: &Flow) {
        for environment in &flow.environments {
            let labels = Edge { flow: flow.name.to_string(), environment: environment.name.to_string() };
            for verdict in ["pass", "wait", "block"] {
                let is =
                    EdgeVerdict { flow: labels.flow.clone(), environment: labels.environment.clone(), verdict };
                self.verdict.remove(&is);
            }
            self.waiting.remove(&labels);
            self.oldest.remove(&labels);
            self.behind.remove(&labels);
            self.stopped.remove(&labels);
            self.stop_ends.remove(&labels);
        }
        self.outbox.remove(&FlowLabel { flow: flow.name.to_string() });
    }

    /// A hook was called.
    pub fn hook(&self, source: &'static str, result: &'static str) {
        self.hooks.get_or_create(&HookLabels { source, result }).inc();
    }

    /// A connection was closed for another.
    pub fn made_room(&self) {
        self.made_room.inc();
    }

    /// The config was reloaded, or refused.
    pub fn reloaded(&self, good: bool, at: Instant) {
        self.reload_good.set(i64::from(good));
        self.reload_at.set(seconds(at));
    }

    /// The heartbeat was called.
    pub fn heartbeat(&self, result: &'static str) {
        self.heartbeats.get_or_create(&TickLabels { result }).inc();
    }
}
