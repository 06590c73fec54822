#!/usr/bin/env python3
"""The second checker of a soak: judges what happened from records that Towpath does not write, and its export.

    scripts/campaigns/soak_check.py DIR               judges; prints a table; exit code 1 if anything is wrong
    scripts/campaigns/soak_check.py DIR --self-test   forges copies of a good DIR in many ways; each must be found

Written from the design (sections 3, 4, 5), not from Towpath's code or the soak's. It reads:

    repos/*/logs/refs/heads/*   git's own reflogs: each move of a branch, by whom, to the second
    the objects                 by `git rev-list --parents`: what contains what
    journal/*                   what the repositories' own hooks noted: when a push came in, and each move to the
                                microsecond. A reflog line without its journal line is taken to its second
    actions.jsonl               what people did, with the time before and after each act
    export.jsonl                `towpath history --export`: what Towpath says that it did
    status.json, quiet.json     the end

**Times.** A move has two: `lo` and `hi`, certainly not before and certainly not after. With a journal these are
the hooks `prepared` and `committed` (milliseconds apart). Without one they are the reflog's second and the end of that
second: this is the one second of tolerance. An act of a person lies between its `t0` and `t1`. A rule is broken only
if it is for every choice of times within those bounds. An order such as a pause counts from `t1` (it was
acknowledged) until the `t0` of what lifted it.

**The config** may change while it runs; a new one takes effect within GRACE seconds. A move must be right under
some config that was in force between its decision (the intent's `saved`) less that time, and the move.

**The rules**, each by its name in the output:
    records       the reflogs are whole chains that end at the branch; the journal agrees with them
    recorded-once each move by Towpath has exactly one effect with its old and new, each effect its move, each landed
                  intent its effect. A person's move counts as its where Towpath's own push of the very same move had
                  come in before and hung: on the branch the two look alike
    persons       each move that is not Towpath's is one act of a person
    forward       Towpath moves forward only; back only where a person ordered a rollback, to a commit held before
    chain         the commit was on the source's first-parent chain; for later environments the source held it as
                  its tip (unless `candidates = "commits"`, or a person's `promote` named it)
    green         its newest `build` result was green when it was decided
    lagged        the source had had it, without a break, for the lag
    one-border    a pass that moved it into one environment did not move it into the next
    paused        no move after the acknowledgement of a pause or freeze that covers it, until its end, but for what
                  the acknowledgement named as may still land
    held          the same for holds
    rolled-back   nothing that a person took off a target comes back by Towpath before a person lifts that; counted
                  apart is what persons put there and took off again before Towpath can have looked
    window        decided while the window was open
    approved      approved before
    ordered       what passed by `promote` or `override` was ordered by a person
    live          at the end each target is at the newest candidate that may enter, or `status` names a reason that holds
    by-itself     the service got there in the quiet time without the final runs
    sane          no panic; no command died or found the store busy

A move that Towpath made and could not prove after a kill, because a person moved the branch on or back before it was
looked at again, has no effect record and cannot have one; such are counted as `unprovable`, and listed.
"""

import argparse
import collections
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

GRACE = 30_000        # how long a config may take to be in force, and how long a pass under the old one may last
CLOCKS = 50           # milliseconds by which two clock readings of one machine may differ
PUSHES = 60_000       # how long Towpath lets a push take
LOOK = 75_000         # from one scheduled look at a flow to the next, at most
HOOKED = 10_000       # how long after a hook was taken its look may come
ZERO = "0" * 40


class Move:
    """One line of a reflog."""

    def __init__(self, flow, env, branch, old, new, who, secs):
        self.flow, self.env, self.branch = flow, env, branch
        self.old, self.new, self.who = old, new, who
        self.lo, self.hi = secs * 1000, secs * 1000 + 999
        self.received = self.rival = None
        self.mark = "-"
        self.effect = self.intent = None

    def __str__(self):
        at = datetime.datetime.fromtimestamp(self.hi / 1000, datetime.UTC).strftime("%H:%M:%S.%f")[:-3]
        return f"{self.flow} {self.env} {self.old[:9]} -> {self.new[:9]} by {self.who} at {at}"


class Repo:
    """A repository's graph, by plain git."""

    def __init__(self, path, tips):
        self.path = path
        argv = ["git", "-C", str(path), "rev-list", "--parents", "--ignore-missing", *sorted(tips)]
        text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        self.parents = {}
        for line in text.splitlines():
            commit, *parents = line.split()
            self.parents[commit] = parents
        self.above = {}

    def ancestors(self, commit):
        """The commit and all that it contains."""
        found = self.above.get(commit)
        if found is None:
            found, todo = set(), [commit]
            while todo:
                at = todo.pop()
                if at in found:
                    continue
                if at in self.above:
                    found |= self.above[at]
                    continue
                found.add(at)
                todo += self.parents.get(at, [])
            self.above[commit] = found
        return found

    def contains(self, a, b):
        return b in self.ancestors(a)

    def chain(self, commit):
        """The first parents, newest first."""
        found = []
        while commit:
            found.append(commit)
            commit = (self.parents.get(commit) or [None])[0]
        return found


def seconds(text):
    """A duration such as 1h30m, in milliseconds."""
    units = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
    return sum(int(n) * units[u] for n, u in re.findall(r"(\d+)(ms|min|[smhdw])", text))


class Policy:
    """What one version of the config says of one environment."""

    def __init__(self, env, source, first):
        gates = env.get("gates", {})
        self.source, self.first = source, first
        self.candidates = env.get("candidates", "commits" if first else "tips")
        self.checks = (gates.get("ci") or {}).get("checks", [])
        lag = gates.get("lag")
        self.lag = seconds(lag["for"] if isinstance(lag, dict) else lag) if lag else 0
        self.deny = (gates.get("window") or {}).get("deny", [])
        self.approvals = (gates.get("approvals") or {}).get("required", 0)

    def is_open(self, at):
        """At a time in milliseconds. Reads the form `Mon-Sun HH:MM-HH:MM`, in UTC, and dates."""
        when = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
        for text in self.deny:
            found = re.fullmatch(r"Mon-Sun (\d\d):(\d\d)-(\d\d):(\d\d)", text)
            if found:
                a, b, c, d = map(int, found.groups())
                if a * 60 + b <= when.hour * 60 + when.minute < c * 60 + d:
                    return False
            elif not re.fullmatch(r"\d{4}-\d\d-\d\d", text) or text == when.strftime("%Y-%m-%d"):
                raise SystemExit(f"soak_check: this window is not understood: {text}")
        return True

    def closes_within(self, a, b):
        return any(not self.is_open(at) for at in [*range(int(a), int(b), 1000), int(b)])


class Run:
    """All that a soak left."""

    def __init__(self, dir):
        self.dir = dir
        self.acts = [json.loads(line) for line in (dir / "actions.jsonl").read_text().splitlines()]
        self.export = [json.loads(line) for line in (dir / "export.jsonl").read_text().splitlines()]
        self.status = json.loads((dir / "status.json").read_text())
        self.quiet = json.loads((dir / "quiet.json").read_text())
        self.bad = collections.defaultdict(list)
        self.notes = collections.defaultdict(list)
        self.counts = {}
        self.read_configs()
        self.read_repos()
        self.read_export()

    def of(self, *kinds, good=True):
        return [a for a in self.acts if a["act"] in kinds and (not good or a.get("rc", 0) == 0)]

    def read_configs(self):
        self.configs = []  # (from, until, {(flow, env): Policy})
        acts = [a for a in self.acts if a["act"] == "config" and a["good"]]
        self.flows = {}    # name -> (repository, [(env, branch)])
        for at, act in enumerate(acts):
            policies = {}
            for flow in tomllib.loads(act["text"])["flow"]:
                envs = flow["environment"]
                self.flows[flow["name"]] = (flow["repository"], [(e["name"], e.get("branch", e["name"])) for e in envs])
                for n, env in enumerate(envs[1:]):
                    policies[flow["name"], env["name"]] = Policy(env, envs[n]["name"], n == 0)
            until = acts[at + 1]["t1"] + GRACE if at + 1 < len(acts) else float("inf")
            self.configs.append((act["t0"], until, policies))

    def policies(self, flow, env, a, b):
        """Those that may have been in force at some time between a and b."""
        return [p[flow, env] for begin, end, p in self.configs if begin <= b and end >= a and (flow, env) in p]

    def read_repos(self):
        self.moves = {}   # (flow, env) -> [Move]
        self.repos = {}
        self.paths = {}
        self.tips = {}
        persons = {a["person"] for a in self.acts if a.get("person")}
        persons |= {p for a in self.of("begin") for p in a["people"]}
        self.persons = persons
        for flow, (where, envs) in self.flows.items():
            # A repository over HTTP is one of those in `repos`, too.
            path = self.dir / "repos" / where.rpartition("/")[2]
            self.paths[flow] = path
            tips = set()
            for env, branch in envs:
                rows = []
                for line in (path / "logs/refs/heads" / branch).read_text().splitlines():
                    ids, _, _ = line.partition("\t")
                    old, new, rest = ids.split(" ", 2)
                    who = rest.partition(" <")[0]
                    rows.append(Move(flow, env, branch, old, new, who, int(rest.split()[-2])))
                tip = subprocess.run(["git", "-C", str(path), "rev-parse", f"refs/heads/{branch}"], check=True,
                                     capture_output=True, text=True).stdout.strip()
                self.moves[flow, env] = rows
                self.tips[flow, env] = tip
                tips |= {m.old for m in rows} | {m.new for m in rows}
                for a, b in zip(rows, rows[1:]):
                    if a.new != b.old:
                        self.bad["records"].append(f"{b}: the line before ends at {a.new[:9]}")
                if not rows or rows[-1].new != tip:
                    self.bad["records"].append(f"{flow} {env}: the branch is at {tip[:9]}, its reflog elsewhere")
            tips.discard(ZERO)
            self.repos[flow] = Repo(path, tips)
            self.read_journal(flow, path.name.removesuffix(".git"), envs)

    def read_journal(self, flow, name, envs):
        file = self.dir / "journal" / name
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        by = collections.defaultdict(list)
        for at, state, old, new, ref, who in lines:
            by[ref.removeprefix("refs/heads/")].append((round(float(at) * 1000, 3), state, old, new, who))
        for env, branch in envs:
            rows, n = by[branch], 0
            untimed = []
            for move in self.moves[flow, env]:
                # In order: the next `committed` with this new, near the reflog's second.
                found = next((k for k in range(n, len(rows)) if rows[k][1] == "committed" and rows[k][3] == move.new
                              and abs(rows[k][0] - move.lo) < 3000), None)
                if found is None:
                    untimed.append(move)
                    continue
                before = [r for r in rows[n:found] if r[3] == move.new]
                prepared = [r[0] for r in before if r[1] == "prepared"]
                received = [r[0] for r in before if r[1] == "received" and r[4] == rows[found][4]]
                if prepared:
                    move.lo, move.hi, move.mark = prepared[-1], rows[found][0], rows[found][4]
                move.received = received[-1] if received else None
                # The very same move of somebody else's that has come in and not yet happened.
                move.rival = next((r[0] for r in before if r[1] == "received" and r[4] != rows[found][4]
                                   and r[2] == move.old), None)
                n = found + 1
            committed = sum(1 for r in rows if r[1] == "committed")
            if committed != len(self.moves[flow, env]) - len(untimed):
                self.bad["records"].append(f"{flow} {env}: {committed} moves in the journal, {len(self.moves[flow, env])} "
                                           "in the reflog, and they do not pair")
            self.notes["moves timed by the reflog's second alone"] += untimed

    def read_export(self):
        self.intents, self.effects, self.rewound = {}, collections.defaultdict(list), []
        for line in self.export:
            row = line["row"]
            if line["what"] == "intent":
                self.intents[row["id"]] = row
            elif line["what"] == "effect":
                self.effects[line["flow"], row["env"]].append(row)
            elif line["what"] == "event" and "rewound" in row["event"]:
                event = row["event"]["rewound"]
                self.rewound.append((line["flow"], row["env"], event["lost"], event["kept"], row["at"]["wall"]))

    def targets(self):
        return [(flow, env) for flow, (_, envs) in self.flows.items() for env, _ in envs[1:]]

    def source(self, flow, env):
        envs = [e for e, _ in self.flows[flow][1]]
        return envs[envs.index(env) - 1]

    def ours(self, forward=True):
        """Towpath's moves with an effect."""
        for key in self.targets():
            for move in self.moves[key][1:]:
                if move.effect and (not forward or move.effect["kind"] == "fast-forward"):
                    yield move

    # Records ------------------------------------------------------------------------------------

    def check_persons(self):
        acts = collections.defaultdict(list)
        for act in self.acts:
            if act.get("person"):
                acts[act["flow"], act["branch"], act["new"]].append(act)
        for flow, (_, envs) in self.flows.items():
            for env, branch in envs:
                for move in self.moves[flow, env][1:]:
                    if move.who not in self.persons:
                        if env == envs[0][0]:
                            self.bad["persons"].append(f"{move}: nobody did this, and Towpath never moves the first branch")
                        continue
                    mine = acts[flow, branch, move.new]
                    fits = [a for a in mine if a["t0"] - CLOCKS <= move.hi and move.lo <= a["t1"] + CLOCKS
                            and a["person"] == move.who]
                    if fits:
                        mine.remove(fits[0])
                        move.act = fits[0]
                    else:
                        self.bad["persons"].append(f"{move}: no act of a person fits")
        for left in acts.values():
            for act in left:
                if act["rc"] == 0 and act["old"] != act["new"]:
                    # Somebody else may have moved it to the same commit first; then git had nothing to do.
                    env = next(e for e, b in self.flows[act["flow"]][1] if b == act["branch"])
                    there = any(m.new == act["new"] and m.lo <= act["t1"] for m in self.moves[act["flow"], env])
                    if not there:
                        self.bad["persons"].append(f"act {act['n']} says it moved {act['flow']} {act['branch']} to "
                                                   f"{act['new'][:9]}, and the reflog does not know of it")

    def check_recorded(self):
        for key in self.targets():
            mine = [m for m in self.moves[key][1:] if m.who not in self.persons]
            effects = list(self.effects[key])
            for move in mine:
                fits = [e for e in effects if e["old"] == move.old and e["new"] == move.new
                        and e["at"]["wall"] >= move.lo - CLOCKS]
                # One effect before the next such move.
                if fits:
                    move.effect = fits[0]
                    move.intent = self.intents.get(fits[0]["intent"])
                    effects.remove(fits[0])
                elif not self.unprovable(move):
                    self.bad["recorded-once"].append(f"{move}: no effect is recorded")
            for effect in effects:
                # While its own push had come in and hung, a person made the very same move: on the branch the two
                # look alike, and Towpath believes the branch alone.
                alike = [m for m in self.moves[key][1:] if m.who in self.persons and m.rival
                         and (m.old, m.new) == (effect["old"], effect["new"]) and m.lo - CLOCKS <= effect["at"]["wall"]]
                if alike:
                    alike[0].rival = None
                    self.notes["made by a person while Towpath's own such push hung"].append(alike[0])
                    continue
                self.bad["recorded-once"].append(f"{key[0]} {key[1]} {effect['old'][:9]} -> {effect['new'][:9]}: effect of "
                                                 f"{effect['intent']} is recorded, and the branch did not so move")
            for effect in self.effects[key]:
                intent = self.intents.get(effect["intent"])
                if intent is None or any(intent[k] != effect[k] for k in ["env", "kind", "old", "new"]):
                    self.bad["recorded-once"].append(f"{key}: effect of {effect['intent']} has no such intent")
                elif intent["state"] != "landed" and not effect["late"]:
                    self.bad["recorded-once"].append(f"{key}: effect of {effect['intent']}, which is {intent['state']}")
        named = collections.Counter(e["intent"] for rows in self.effects.values() for e in rows)
        for intent, row in self.intents.items():
            if row["state"] == "landed" and named[intent] != 1:
                self.bad["recorded-once"].append(f"intent {intent} landed and has {named[intent]} effects")
            if row["state"] in ("saved", "pushing"):
                self.bad["recorded-once"].append(f"intent {intent} is still {row['state']} at the end")

    def unprovable(self, move):
        """Made by Towpath, which was killed before it looked again, and then a person moved the branch."""
        rows = self.moves[move.flow, move.env]
        after = rows[rows.index(move) + 1:]
        intents = [i for i in self.intents.values() if i["flow"] == move.flow and i["env"] == move.env
                   and i["old"] == move.old and i["new"] == move.new and i["state"] != "landed"
                   and i["saved"]["wall"] <= move.hi + CLOCKS]
        killed = [a for a in self.acts if (a["act"] == "kill" or a["act"] == "run" and a["rc"] == -9)
                  and any(i["saved"]["wall"] <= a["t1"] for i in intents)
                  and a["t0"] >= move.lo - PUSHES]
        if intents and killed and after and after[0].who in self.persons:
            self.notes["unprovable"].append(f"{move}; then {after[0]}")
            return True
        return False

    # Direction and place ------------------------------------------------------------------------

    def check_forward(self):
        for move in self.ours(forward=False):
            repo = self.repos[move.flow]
            if move.effect["kind"] == "fast-forward":
                if move.new == move.old or not repo.contains(move.new, move.old):
                    self.bad["forward"].append(f"{move}: this is not forward")
                continue
            ordered = [a for a in self.acts if a["act"] == "rollback" and a["flow"] == move.flow and a["env"] == move.env
                       and a["t0"] <= move.hi]
            rows = self.moves[move.flow, move.env]
            held = {m.new for m in rows[:rows.index(move)]}
            if not ordered or move.new not in held or not repo.contains(move.old, move.new):
                self.bad["forward"].append(f"{move}: a rollback that nobody ordered, or to a commit never held")

    def held_between(self, flow, env, a, b):
        """The tips of a branch at some time between a and b."""
        rows = self.moves[flow, env]
        found = []
        for at, move in enumerate(rows):
            end = rows[at + 1].hi if at + 1 < len(rows) else float("inf")
            if move.lo <= b and end >= a:
                found.append(move.new)
        return found

    def check_chain(self):
        for move in self.ours():
            repo, source = self.repos[move.flow], self.source(move.flow, move.env)
            saved = move.intent["saved"]["wall"] - CLOCKS
            tips = self.held_between(move.flow, source, saved, move.hi)
            chains = [set(repo.chain(tip)) for tip in tips]
            if not any(move.new in chain for chain in chains):
                self.bad["chain"].append(f"{move}: not on the first-parent chain of {source} between decision and move")
            policies = self.policies(move.flow, move.env, saved, move.hi)
            # `promote FLOW ENV to SHA` may name any commit of the chain.
            if all(p.candidates == "tips" for p in policies) and not move.intent["promote"]:
                rows = self.moves[move.flow, source]
                if not any(m.new == move.new and m.lo <= move.hi for m in rows):
                    self.bad["chain"].append(f"{move}: {source} never held it as its tip")

    # CI -----------------------------------------------------------------------------------------

    def index_reports(self):
        self.reports = collections.defaultdict(list)
        for act in self.of("report"):
            self.reports[act["flow"], act["commit"], act["check"]].append(act)

    def green(self, flow, commit, check, source, a, b):
        """Whether the check may have been green at some time between a and b."""
        rows = self.reports[flow, commit, check]
        times = [a, b] + [t for r in rows for t in (r["t0"], r["t1"]) if a <= t <= b]
        return any(self.green_at(rows, source, t) for t in times)

    def green_at(self, rows, source, at):
        certain, maybe = {}, collections.defaultdict(set)
        for row in sorted(rows, key=lambda r: r["t1"]):
            ref = row["ref"] or source
            if row["t1"] < at:
                certain[ref] = row
        for row in rows:
            ref = row["ref"] or source
            # Two acts at once may have come in either order.
            last = certain.get(ref)
            if row["t0"] <= at and (row["t1"] >= at or last is None or row["t1"] >= last["t0"]):
                maybe[ref].add(row["state"])
        states = {ref: {row["state"]} | maybe[ref] for ref, row in certain.items()}
        for ref, found in maybe.items():
            states.setdefault(ref, found | {"none"})
        if not any("success" in found for found in states.values()):
            return False
        return source not in states or bool(states[source] & {"success", "none"})

    def excused(self, move, gate):
        """Whether a person's override or promote lets it pass that gate; checks that it was ordered."""
        intent = move.intent
        if gate in ("lag", "quiet", "window", "schedule", "pause") and intent["promote"]:
            return True
        if intent["overrides"]:
            acts = [a for a in self.of("override") if a["flow"] == move.flow and a["env"] == move.env
                    and a["commit"] == move.new and a["gate"] == gate and a["t0"] <= move.hi <= a["t1"] + 3_660_000]
            return bool(acts)
        return False

    def check_ordered(self):
        spent = set()
        for move in self.ours():
            if move.intent["promote"]:
                # One order, one move.
                acts = [a for a in self.of("promote") if a["flow"] == move.flow and a["env"] == move.env
                        and a["t0"] <= move.hi <= a["t1"] + 3_660_000]
                if not acts or move.intent["promote"] in spent:
                    self.bad["ordered"].append(f"{move}: by an order to promote that nobody gave, or that was spent")
                spent.add(move.intent["promote"])
            if move.intent["overrides"]:
                acts = [a for a in self.of("override") if a["flow"] == move.flow and a["env"] == move.env
                        and a["commit"] == move.new]
                if not acts:
                    self.bad["ordered"].append(f"{move}: by an override that nobody gave")

    def check_green(self):
        for move in self.ours():
            saved = move.intent["saved"]["wall"] - CLOCKS
            source = dict(self.flows[move.flow][1])[self.source(move.flow, move.env)]
            end = min(move.hi, move.received or move.hi)
            policies = self.policies(move.flow, move.env, saved, move.hi)
            fine = any(all(self.green(move.flow, move.new, check, source, saved, end) for check in p.checks) for p in policies)
            if not fine and not self.excused(move, "ci"):
                self.bad["green"].append(f"{move}: `build` was not green between {saved} and {end}: " + "; ".join(
                    f"{r['state']} {r['t0']}..{r['t1']}" for r in self.reports[move.flow, move.new, "build"]))

    # Time ---------------------------------------------------------------------------------------

    def since(self, flow, env, commit, at):
        """From when, at the earliest, a branch has had a commit without a break until `at`; and the breaks before."""
        repo, begin, breaks = self.repos[flow], None, []
        for move in self.moves[flow, env]:
            if move.lo > at:
                break
            has = repo.contains(move.new, commit)
            if has and begin is None:
                begin = move.lo
            elif not has and begin is not None:
                breaks.append((begin, move.hi))
                begin = None
        return begin, breaks

    def check_lagged(self):
        worst = collections.defaultdict(lambda: float("inf"))
        for move in self.ours():
            saved = move.intent["saved"]["wall"] - CLOCKS
            source = self.source(move.flow, move.env)
            policies = self.policies(move.flow, move.env, saved, move.hi)
            lag = min(p.lag for p in policies)
            begin, breaks = self.since(move.flow, source, move.new, move.hi)
            if begin is None:
                # It left while the push was under way; it was there when it was decided (`chain` sees to that).
                begin, breaks = self.since(move.flow, source, move.new, saved)
                if begin is None:
                    continue
            if not lag or self.excused(move, "lag"):
                continue
            had = move.hi - begin
            if had < lag and breaks:
                # Off and on again between two looks cannot be seen by whoever only looks; where Towpath did see it,
                # it wrote down that the branch was put back.
                off = breaks[-1][1]
                if not any(f == move.flow and e == source and off - CLOCKS <= at <= move.hi for f, e, _, _, at in self.rewound):
                    self.notes["off and on again, not seen by any look"].append(str(move))
                    continue
            if had < lag:
                self.bad["lagged"].append(f"{move}: {source} had had it for {had / 1000:.1f} s, of {lag / 1000:.0f}")
            worst[lag] = min(worst[lag], had - lag)
        self.notes["least time above the lag, ms"] = [f"lag {lag // 1000} s: {value:.0f}" for lag, value in sorted(worst.items())]

    def check_one_border(self):
        for move in self.ours():
            source = self.source(move.flow, move.env)
            before = [e for e in self.effects[move.flow, source] if e["new"] == move.new
                      and e["at"]["wall"] <= move.effect["at"]["wall"]] if (move.flow, source) in self.effects else []
            if before and before[-1]["at"]["wall"] > move.intent["saved"]["wall"]:
                self.bad["one-border"].append(f"{move}: decided before it was recorded in {source}")

    def check_window(self):
        for move in self.ours():
            saved = move.intent["saved"]["wall"]
            policies = self.policies(move.flow, move.env, saved, move.hi)
            if self.excused(move, "window"):
                continue
            # The last check is right before the push comes in.
            begun = move.received or move.lo
            if not any(p.is_open(saved) and any(p.is_open(t) for t in (begun, begun - 5_000)) for p in policies):
                self.bad["window"].append(f"{move}: decided or begun outside the window")

    def check_approved(self):
        for move in self.ours():
            saved = move.intent["saved"]["wall"]
            policies = self.policies(move.flow, move.env, saved, move.hi)
            if all(p.approvals for p in policies) and not self.excused(move, "approvals"):
                acts = [a for a in self.of("approve") if a["flow"] == move.flow and a["env"] == move.env
                        and a["commit"] == move.new and a["t0"] <= (move.received or move.hi)]
                if not acts:
                    self.bad["approved"].append(f"{move}: nobody approved it")

    # Orders -------------------------------------------------------------------------------------

    @staticmethod
    def named(act):
        """What an acknowledgement said may still land."""
        try:
            return {row["id"] for row in json.loads(act["out"]).get("may_still_land", [])}
        except (ValueError, AttributeError):
            return set()

    def lifted(self, kind, words, after, sign):
        """The first act of a kind after a time whose answer has a line with all these words and the sign."""
        for act in self.of(kind):
            if act["t1"] >= after and any(sign in line and all(w in line for w in words)
                                          for line in act["out"].splitlines()):
                return act
        return None

    def covers(self, target, flow, env):
        return target == ["all"] or target in ([flow], [flow, env], [env])

    def check_paused(self):
        count = 0
        for act in self.of("pause", "freeze"):
            begin = act["t1"]
            end = act["t0"] + act["seconds"] * 1000 if act["seconds"] is not None else float("inf")
            lift = self.lifted("resume", [f": {act['reason']}\""], begin, "Lifted")
            if lift:
                end = min(end, lift["t0"])
            named = self.named(act)
            for move in self.ours():
                if self.covers(act["target"], move.flow, move.env) and begin < move.lo and move.hi < end:
                    if move.intent["id"] in named:
                        count += 1
                    elif not (act["act"] == "pause" and self.excused(move, "pause")):
                        self.bad["paused"].append(f"{move}: `{' '.join(act['argv'])}` (act {act['n']}) stood from {begin} "
                                                  f"to {end}; the move began after {move.lo}")
        for flow, env, lost, kept, at in self.rewound:
            end = self.end_of_rewind(flow, env, lost, kept, at, "resume", "Lifted")[0]
            for move in self.ours():
                if (move.flow, move.env) == (flow, env) and at < move.lo and move.hi < end and not self.excused(move, "pause"):
                    named = move.intent["saved"]["wall"] < at
                    self.bad["paused"].append(f"{move}: a person's rollback {lost[:9]} -> {kept[:9]} was seen at {at} and "
                                              f"not resumed{' (the move had been decided before)' if named else ''}")
        self.counts["landed after a pause or hold that named them"] = count

    def end_of_rewind(self, flow, env, lost, kept, at, kind, sign):
        """When a person ended what a person's rollback had brought; and the fix that was named, if any."""
        words = [f"moved from {lost[:9]} to {kept[:9]} by hand"]
        if kind == "resume":
            words.append(flow)
        acts = [a for a in self.of(kind) if a["t1"] >= at and (kind == "resume" or a["flow"] == flow)
                and any(sign in line and all(w in line for w in words) for line in a["out"].splitlines())]
        end, fix = (acts[0]["t0"], acts[0].get("fix")) if acts else (float("inf"), None)
        repo = self.repos[flow]
        for move in self.moves[flow, env]:
            if move.lo > at - CLOCKS and move.who in self.persons and repo.contains(move.new, lost) and move.lo < end:
                return move.lo, None
        return end, fix

    def check_held(self):
        for act in self.of("hold"):
            words = [f"({act['reason']})"]
            free = self.lifted("unhold", words, act["t1"], "is lifted")
            fixed = self.lifted("unhold", words, act["t1"], "now lets candidates pass")
            end = free["t0"] if free else float("inf")
            named = self.named(act)
            for move in self.ours():
                repo = self.repos[move.flow]
                if not self.covers(act["place"], move.flow, move.env) or not act["t1"] < move.lo or not move.hi < end:
                    continue
                if not repo.contains(move.new, act["commit"]) or repo.contains(move.old, act["commit"]):
                    continue
                if fixed and move.hi >= fixed["t0"] and repo.contains(move.new, fixed["fix"]):
                    continue
                if move.intent["id"] in named:
                    self.counts["landed after a pause or hold that named them"] += 1
                else:
                    self.bad["held"].append(f"{move}: contains {act['commit'][:9]}, held by act {act['n']} from {act['t1']} to {end}")

    def unseen(self, flow, env, at):
        """Whether what a person took off a target had come there by a person and gone before anybody could look.

        Whoever only looks cannot know of it. There was a look in between if the service ran for longer than from one
        scheduled look to the next, if a hook was taken, or if a `run` of the flow was made."""
        rows = self.moves[flow, env]
        put, back = rows[at - 1], rows[at]
        seen = any((f, e, lost) == (flow, env, back.old) and seen_at >= back.lo - CLOCKS
                   for f, e, lost, _, seen_at in self.rewound)
        if seen or put.who not in self.persons or back.who not in self.persons:
            return False
        begin, end = put.hi, back.lo
        up, since = 0, None
        for act in self.acts:
            if act["act"] == "start":
                since = act["t1"]
            elif act["act"] in ("kill", "term") and since is not None:
                up += max(0, min(end, act["t0"]) - max(begin, since))
                since = None
        if since is not None:
            up += max(0, end - max(begin, since))
        if up > LOOK:
            return False
        hooks = [a for a in self.of("hook") if a["flow"] == flow and a["status"] == 202 and a["kind"] != "repeated"]
        passes = [a for a in self.of("run") if a["argv"] in (["run"], ["run", flow])]
        return not any(begin < a["t0"] and a["t1"] + HOOKED < end for a in hooks) \
            and not any(begin < a["t0"] and a["t1"] < end for a in passes)

    def check_rolled_back(self):
        """Each move of a target that is not forward takes something away; it stays away until a person lifts that."""
        count = collections.Counter()
        for flow, env in self.targets():
            repo, rows = self.repos[flow], self.moves[flow, env]
            for at, back in enumerate(rows[1:], 1):
                if repo.contains(back.new, back.old):
                    continue
                gone = repo.ancestors(back.old) - repo.ancestors(back.new)
                person = back.who in self.persons
                count[person] += 1
                if self.unseen(flow, env, at):
                    self.notes["put on a target and taken off again by persons, not seen by any look"].append(str(back))
                    continue
                if person:
                    free, fix = self.end_of_rewind(flow, env, back.old, back.new, back.lo, "unhold", "is lifted")
                    half, half_fix = self.end_of_rewind(flow, env, back.old, back.new, back.lo, "unhold", "now lets candidates pass")
                else:
                    acts = [a for a in self.acts if a["act"] == "rollback" and a["flow"] == flow and a["env"] == env
                            and a["t0"] <= back.hi]
                    reason = f"({acts[-1]['reason']})" if acts else "?"
                    free_act = self.lifted("unhold", [reason], back.lo, "is lifted")
                    half_act = self.lifted("unhold", [reason], back.lo, "now lets candidates pass")
                    free = free_act["t0"] if free_act else float("inf")
                    half, half_fix = (half_act["t0"], half_act["fix"]) if half_act else (float("inf"), None)
                    put_back = [m.lo for m in rows[at + 1:] if m.who in self.persons and repo.contains(m.new, back.old)]
                    free = min([free, *put_back])
                for move in rows[at + 1:]:
                    if move.who in self.persons or move.hi >= free:
                        continue
                    brought = repo.ancestors(move.new) - repo.ancestors(move.old)
                    if not brought & gone:
                        continue
                    if move.hi >= half and half_fix and repo.contains(move.new, half_fix):
                        continue
                    self.bad["rolled-back"].append(f"{move}: brings back {len(brought & gone)} commits that {back} took away")
        self.counts["rollbacks by a person's push"] = count[True]
        self.counts["rollbacks by command"] = count[False]

    # The end ------------------------------------------------------------------------------------

    def check_live(self):
        verdicts = {(f["flow"], d["env"]): d for f in self.status["flows"] for d in f["decisions"]}
        standing = {f["flow"]: f["standing"] for f in self.status["flows"]}
        policies = self.configs[-1][2]
        end = self.of("end", good=False)[-1]["t1"]
        arrived = 0
        for flow, env in self.targets():
            repo, policy = self.repos[flow], policies[flow, env]
            source = self.source(flow, env)
            tip, target = self.tips[flow, source], self.tips[flow, env]
            decided = verdicts.get((flow, env))
            verdict = next(iter(decided["decision"]["verdict"])) if decided else "none"
            words = decided["sentence"] if decided else "nothing is decided"
            pauses = [p for p in standing[flow]["pauses"] if p["until"] == "resumed" or p["until"]["at"] > end]
            if standing[flow]["holds"] or pauses:
                self.bad["live"].append(f"{flow}: something still stands: {standing[flow]['holds']} {pauses}")
            if not repo.contains(tip, target):
                # The target has what its source has not: that must be said, and only people can mend it.
                if verdict not in ("block", "wait"):
                    self.bad["live"].append(f"{flow} {env}: has what {source} has not, and status says: {words}")
                self.notes["diverged at the end, and said"].append(words)
                continue
            held = {m.new for m in self.moves[flow, source]}
            expected = target
            for commit in repo.chain(tip):
                if repo.contains(target, commit):
                    break
                if not repo.contains(commit, target) or (policy.candidates == "tips" and commit not in held):
                    continue
                branch = dict(self.flows[flow][1])[source]
                if not all(self.green(flow, commit, check, branch, end, end) for check in policy.checks):
                    continue
                if policy.approvals and not any(a["commit"] == commit and a["env"] == env for a in self.of("approve")
                                                if a["flow"] == flow):
                    continue
                expected = commit
                break
            if expected == target:
                arrived += 1
                if tip == target and verdict != "pass":
                    self.bad["live"].append(f"{flow} {env}: is where its source is, and status says: {words}")
                continue
            self.bad["live"].append(f"{flow} {env}: is at {target[:9]} and should be at {expected[:9]}; status says: {words}")
        self.counts["targets where they should be at the end"] = f"{arrived} of {len(self.targets())}"

    def check_by_itself(self):
        for flow, env in self.targets():
            branch = dict(self.flows[flow][1])[env]
            was = self.quiet["tips"][flow][branch]
            if was != self.tips[flow, env]:
                self.bad["by-itself"].append(f"{flow} {env}: at {was[:9]} after the quiet time, at {self.tips[flow, env][:9]} "
                                             "after the final runs")

    def check_sane(self):
        for log in sorted((self.dir / "logs").glob("*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if "panicked" in line or "mistake in Towpath" in line:
                    self.bad["sane"].append(f"{log.name}: {line[:300]}")
        for act in self.acts:
            rc = act.get("rc", 0)
            text = f"{act.get('err', '')} {act.get('out', '')}"
            if act["act"] == "soak-error":
                self.notes["the soak's own errors"].append(f"{act['what']}: {act['error']}")
            if rc == "timeout" or "panicked" in text or "locked" in text and "database" in text:
                self.bad["sane"].append(f"act {act['n']} {act.get('argv')}: {rc} {text[:300]}")
            if act["act"] in ("term", "kill") and rc not in (0, -9):
                self.bad["sane"].append(f"act {act['n']}: serve ended with {rc} on {act['act']}")

    # The table ----------------------------------------------------------------------------------

    def tally(self):
        count = self.counts
        moves = [m for key in self.targets() for m in self.moves[key][1:]]
        mine = [m for m in moves if m.effect]
        acts = collections.Counter(a["act"] for a in self.acts)
        good = collections.Counter(a["act"] for a in self.acts if a.get("rc") == 0)
        rows = [("flows", len(self.flows))]
        begin, end = self.of("begin", good=False), self.of("end", good=False)
        if begin and end:
            rows += [("minutes of acts; with winding down", f"{begin[0]['minutes']:g}; {(end[0]['t1'] - begin[0]['t0']) / 60_000:.1f}"),
                     ("seed", begin[0]["seed"]), ("CPU seconds in all", end[0].get("cpu"))]
        rows += [
            ("commits pushed to first branches", sum(len(self.repos[f].chain(self.tips[f, e[0][0]])) - 1
                                                     for f, (_, e) in self.flows.items())),
            ("pushes; of them refused", f"{acts['push']}; {acts['push'] - good['push']}"),
            ("CI results", acts["report"]),
            ("moves of targets", len(moves)),
            ("by Towpath, forward", sum(1 for m in mine if m.effect["kind"] == "fast-forward")),
            ("by Towpath, landed when its client had been gone", sum(1 for m in mine if m.received and m.hi - m.received >= PUSHES)),
            ("by Towpath, recorded late", sum(1 for m in mine if m.effect["late"])),
            ("by Towpath, by promote or override", sum(1 for m in mine if m.intent and (m.intent["promote"] or m.intent["overrides"]))),
            ("by persons", sum(1 for m in moves if m.who in self.persons)),
        ]
        rows += [(key, value) for key, value in count.items()]
        rows.append(("reds stepped over", self.reds_stepped_over()))
        for state, n in sorted(collections.Counter(i["state"] for i in self.intents.values()).items()):
            rows.append((f"intents {state}", n))
        rows += [(f"{act} (done; refused)", f"{good[act]}; {acts[act] - good[act]}")
                 for act in ["pause", "freeze", "resume", "hold", "unhold", "promote", "override", "approve", "rollback", "retry"]]
        rows.append(("pushes in doubt that a person settled", sum(1 for a in self.of("retry") if a.get("doubt"))))
        kills = collections.Counter(a["why"] for a in self.acts if a["act"] in ("kill", "term"))
        mid = self.kills_mid_push()
        rows += [("starts of serve", acts["start"]), ("SIGTERM", acts["term"]),
                 ("kill -9 of serve; aimed at a push; after SIGTERM", f"{acts['kill']}; {kills['aimed']}; {kills['impatient']}"),
                 ("kill -9 with a push under way", mid),
                 ("`run` beside; killed", f"{acts['run']}; {sum(1 for a in self.of('run', good=False) if a['rc'] == -9)}"),
                 ("config reloads; broken configs", f"{sum(1 for a in self.of('config') if a['good']) - 1}; "
                                                    f"{sum(1 for a in self.of('config') if not a['good'])}")]
        hooks = collections.Counter((a["kind"], a["status"]) for a in self.of("hook", good=False))
        for (kind, status), n in sorted(hooks.items(), key=str):
            rows.append((f"hooks {kind}, answer {status}", n))
        for kind, n in sorted(collections.Counter(a["kind"] for a in self.of("trouble", good=False)).items()):
            rows.append((f"servers: {kind}", n))
        rows += self.samples()
        return rows

    def reds_stepped_over(self):
        """Moves past which a newer, red commit stayed behind."""
        count = 0
        for move in self.ours():
            repo, source = self.repos[move.flow], self.source(move.flow, move.env)
            tips = self.held_between(move.flow, source, move.lo, move.hi)
            for commit in repo.chain(tips[-1]) if tips else []:
                if commit == move.new:
                    break
                rows = [r for r in self.reports[move.flow, commit, "build"] if r["t1"] <= move.lo]
                if rows and max(rows, key=lambda r: r["t1"])["state"] == "failure":
                    count += 1
                    break
        return count

    def kills_mid_push(self):
        count = 0
        pushing = [(m.received, max(m.hi, m.effect["at"]["wall"] if m.effect else m.hi)) for key in self.targets()
                   for m in self.moves[key] if m.received and m.who not in self.persons]
        for act in self.of("kill", good=False):
            if any(a <= act["t0"] <= b for a, b in pushing):
                count += 1
        return count

    def samples(self):
        file = self.dir / "samples.jsonl"
        if not file.exists():
            return []
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        if not rows:
            return []
        last = [r for r in rows if r["pid"] == rows[-1]["pid"]]
        return [("RSS of serve, MiB: least, most, last", f"{min(r['VmRSS'] for r in rows) // 1024}, "
                                                       f"{max(r['VmHWM'] for r in rows) // 1024}, {rows[-1]['VmRSS'] // 1024}"),
                ("RSS of the last serve, MiB: first, last", f"{last[0]['VmRSS'] // 1024}, {last[-1]['VmRSS'] // 1024}"),
                ("open files of serve, most", max(r["files"] for r in rows)),
                ("store at the end, KiB", rows[-1]["store"] // 1024)]

    RULES = ["persons", "recorded", "forward", "chain", "ordered", "green", "lagged", "one_border", "paused", "held",
             "rolled_back", "window", "approved", "live", "by_itself", "sane"]

    def judge(self):
        self.index_reports()
        for rule in self.RULES:
            getattr(self, f"check_{rule}")()
        return self.bad


def say(run):
    print("| counted | |\n|---|--:|")
    for key, value in run.tally():
        print(f"| {key} | {value} |")
    failed = collections.Counter()
    for act in run.acts:
        if act.get("argv") and act.get("rc", 0) != 0 and act["argv"][0] != "git" and act["act"] != "run":
            try:
                said = json.loads(act["out"])
                text = said.get("error") or said.get("message") or said["problems"][0]["message"]
            except (ValueError, KeyError, TypeError, IndexError):
                text = (act.get("err") or act.get("out") or "").strip()
            words = re.sub(r"`[^`]*`|\b[0-9a-f]{7,40}\b|\d+", "…", text.partition("\n")[0])[:110]
            failed[act["argv"][0], act["rc"], words] += 1
    if failed:
        print("\n| commands that were refused | exit | how often | words |\n|---|--:|--:|---|")
        for (verb, rc, words), n in sorted(failed.items(), key=lambda i: (i[0][0], -i[1])):
            print(f"| {verb} | {rc} | {n} | {words.replace('|', '/')} |")
    for key, rows in run.notes.items():
        if rows:
            print(f"\nNote: {key}: {len(rows)}")
            for row in rows[:20]:
                print(f"  {row}")
    for rule, rows in run.bad.items():
        print(f"\nBROKEN: {rule}: {len(rows)}")
        for row in rows:
            print(f"  {row}")
    if not run.bad:
        print("\nEvery rule holds.")


# The self-test ----------------------------------------------------------------------------------

class Forgery:
    """A copy of a soak's folder that is to be falsified."""

    def __init__(self, run, to):
        if to.exists():
            shutil.rmtree(to)
        # Hard links: files are replaced, never written in place.
        subprocess.run(["cp", "-al", str(run.dir), str(to)], check=True)
        self.dir, self.run = to, run

    def lines(self, name):
        return (self.dir / name).read_text().splitlines()

    def put(self, name, lines):
        path = self.dir / name
        path.unlink()
        path.write_text("".join(f"{line}\n" for line in lines))

    def change(self, name, what):
        self.put(name, [new for line in self.lines(name) for new in what(line)])

    def rows(self, name, what):
        """Changes JSON lines; `what` answers a row, a list of rows, or none."""
        def each(line):
            found = what(json.loads(line))
            found = found if isinstance(found, list) else [] if found is None else [found]
            return [json.dumps(row) for row in found]
        self.change(name, each)

    def reflog(self, move):
        where = self.run.paths[move.flow].relative_to(self.run.dir)
        return f"{where}/logs/refs/heads/{move.branch}", f"{where}/refs/heads/{move.branch}"

    def journal(self, move):
        return "journal/" + self.run.paths[move.flow].name.removesuffix(".git")

    def append_move(self, flow, env, old, new, who, at):
        """A move that never was, in every record of git."""
        branch = dict(self.run.flows[flow][1])[env]
        move = Move(flow, env, branch, old, new, who, at // 1000)
        log, ref = self.reflog(move)
        self.put(log, [*self.lines(log), f"{old} {new} {who} <{who}@x> {at // 1000} +0000\tpush"])
        if (self.dir / ref).exists():
            self.put(ref, [new])
        else:
            (self.dir / ref).write_text(new + "\n")
        name = self.journal(move)
        mark = "-" if who == "root" else who
        self.put(name, [*self.lines(name), *(f"{at / 1000:.6f} {s} {old} {new} refs/heads/{branch} {mark}"
                                             for s in ["prepared", "committed"])])


def self_test(dir):
    good = Run(dir)
    good.judge()
    if good.bad:
        say(good)
        print("\nself-test: it needs a folder in which every rule holds")
        return 1
    ours = [m for m in good.ours() if m.intent and not m.intent["promote"] and not m.intent["overrides"]]
    to = dir.parent / (dir.name + ".forged")
    tests = []

    def test(rule):
        def note(what):
            tests.append((rule, what))
            return what
        return note

    def pick(fits, what):
        found = [m for m in ours if fits(m)]
        if not found:
            raise LookupError(what)
        return found[len(found) // 2]

    def effect_of(move):
        return lambda row: row["what"] == "effect" and row["row"]["intent"] == move.effect["intent"]

    @test("recorded-once")
    def an_effect_is_missing(forged):
        is_it = effect_of(pick(lambda m: True, "a move"))
        forged.rows("export.jsonl", lambda row: None if is_it(row) else row)

    @test("recorded-once")
    def an_effect_is_there_twice(forged):
        is_it = effect_of(pick(lambda m: True, "a move"))
        forged.rows("export.jsonl", lambda row: [row, row] if is_it(row) else row)

    @test("recorded-once")
    def an_effect_names_another_commit(forged):
        is_it = effect_of(pick(lambda m: True, "a move"))
        def swap(row):
            if is_it(row):
                row["row"]["new"] = row["row"]["old"]
            return row
        forged.rows("export.jsonl", swap)

    @test("recorded-once")
    def a_move_without_a_record(forged):
        move = pick(lambda m: good.tips[m.flow, m.env] == m.new, "a last move")
        child = next((c for c, p in good.repos[move.flow].parents.items() if p[:1] == [move.new]), move.old)
        forged.append_move(move.flow, move.env, move.new, child, "root", int(good.acts[-1]["t1"]))

    @test("records")
    def a_reflog_line_is_gone(forged):
        move = pick(lambda m: len(good.moves[m.flow, m.env]) > 3 and m is not good.moves[m.flow, m.env][-1], "a middle move")
        log, _ = forged.reflog(move)
        forged.change(log, lambda line: [] if line.startswith(f"{move.old} {move.new}") else [line])

    @test("records")
    def a_branch_is_elsewhere_than_its_reflog(forged):
        move = pick(lambda m: True, "a move")
        _, ref = forged.reflog(move)
        forged.put(ref, [good.moves[move.flow, move.env][0].new])

    @test("persons")
    def a_person_s_push_was_nobody(forged):
        act = next(a for a in good.of("own-forward", "push") if a["rc"] == 0)
        forged.rows("actions.jsonl", lambda row: None if row["n"] == act["n"] else row)

    def recorded(forged, move, new):
        """A move that never was, with an intent and an effect like those of another."""
        at = int(good.acts[-1]["t1"])
        forged.append_move(move.flow, move.env, move.new, new, "root", at)
        def more(row):
            rows = [row]
            if row["what"] in ("intent", "effect") and row["row"].get("id", row["row"].get("intent")) == move.intent["id"]:
                other = json.loads(json.dumps(row))
                other["row"].update(old=move.new, new=new)
                other["row"]["id" if row["what"] == "intent" else "intent"] = "forged"
                other["row"]["at" if row["what"] == "effect" else "saved"]["wall"] = at + (5 if row["what"] == "effect" else -5)
                rows.append(other)
            return rows
        forged.rows("export.jsonl", more)

    @test("forward")
    def a_recorded_move_goes_back(forged):
        move = pick(lambda m: good.tips[m.flow, m.env] == m.new, "a last move")
        recorded(forged, move, move.old)

    @test("chain")
    def the_commit_was_beside_the_chain(forged):
        def beside(flow):
            return [p[1] for p in good.repos[flow].parents.values() if len(p) > 1]
        move = pick(lambda m: good.tips[m.flow, m.env] == m.new and beside(m.flow), "a last move where there are merges")
        recorded(forged, move, beside(move.flow)[0])

    @test("chain")
    def the_commit_was_never_the_source_s_tip(forged):
        def between(move):
            repo, source = good.repos[move.flow], good.source(move.flow, move.env)
            held = {m.new for m in good.moves[move.flow, source]}
            return [c for c in repo.chain(good.tips[move.flow, source]) if c not in held]
        move = pick(lambda m: good.tips[m.flow, m.env] == m.new and good.configs[-1][2][m.flow, m.env].candidates == "tips"
                    and between(m), "a last move into a third environment with a commit between tips")
        recorded(forged, move, between(move)[0])

    @test("green")
    def a_green_was_red(forged):
        move = pick(lambda m: m.env == good.flows[m.flow][1][1][0], "a move into the second environment")
        def red(row):
            if row["act"] == "report" and row["commit"] == move.new and row["state"] == "success":
                row["state"] = "failure"
            return row
        forged.rows("actions.jsonl", red)

    @test("green")
    def a_red_came_before_the_decision(forged):
        move = pick(lambda m: m.env == good.flows[m.flow][1][1][0], "a move into the second environment")
        saved = move.intent["saved"]["wall"]
        source = dict(good.flows[move.flow][1])[good.source(move.flow, move.env)]
        ref = good.reports[move.flow, move.new, "build"][-1]["ref"] or source
        red = {"n": 0, "act": "report", "t0": saved - 300, "t1": saved - 200, "flow": move.flow, "commit": move.new, "rc": 0,
               "check": "build", "state": "failure", "ref": ref, "argv": ["report"], "out": "", "err": ""}
        forged.put("actions.jsonl", [*forged.lines("actions.jsonl"), json.dumps(red)])

    @test("lagged")
    def a_move_came_early(forged):
        lagged = [m for m in ours if m.env == good.flows[m.flow][1][2][0] and good.policies(m.flow, m.env, 0, m.hi)[-1].lag]
        for move in reversed(lagged):
            source = good.source(move.flow, move.env)
            begin, breaks = good.since(move.flow, source, move.new, move.hi)
            rows = good.moves[move.flow, move.env]
            before = rows[rows.index(move) - 1]
            at = begin + 4_000
            if not breaks and before.hi < at - 3_000:
                break
        else:
            raise LookupError("a lagged move with room before it")
        log, _ = forged.reflog(move)
        forged.change(log, lambda line: [re.sub(r"> \d+", f"> {int(at // 1000)}", line)
                                         if line.startswith(f"{move.old} {move.new}") else line])
        head = f"{move.old} {move.new} refs/heads/{move.branch} {move.mark}"
        forged.change(forged.journal(move), lambda line: [f"{at / 1000:.6f} {line.partition(' ')[2]}" if head in line else line])
        def earlier(row):
            if row["what"] == "effect" and row["row"]["intent"] == move.intent["id"]:
                row["row"]["at"]["wall"] = at + 10
            if row["what"] == "intent" and row["row"]["id"] == move.intent["id"]:
                row["row"]["saved"]["wall"] = at - 10
            return row
        forged.rows("export.jsonl", earlier)

    @test("one-border")
    def both_borders_in_one_pass(forged):
        move = pick(lambda m: m.env == good.flows[m.flow][1][2][0]
                    and any(e["new"] == m.new for e in good.effects[m.flow, good.source(m.flow, m.env)]), "a move onwards")
        effect = next(e for e in good.effects[move.flow, good.source(move.flow, move.env)] if e["new"] == move.new)
        def earlier(row):
            if row["what"] == "intent" and row["row"]["id"] == move.intent["id"]:
                row["row"]["saved"]["wall"] = effect["at"]["wall"] - 50
            return row
        forged.rows("export.jsonl", earlier)

    def order(act, move, **more):
        """An order that stood for two seconds before and after the move."""
        return json.dumps({"n": 0, "act": act, "t0": move.lo - 2100, "t1": move.lo - 2000, "rc": 0, "argv": [act, "forged"],
                           "out": '{"may_still_land": []}', "err": "", "flow": move.flow, "reason": "forged-1", **more})

    @test("paused")
    def a_pause_of_the_edge_stood(forged):
        move = pick(lambda m: True, "a move")
        forged.put("actions.jsonl", [*forged.lines("actions.jsonl"), order("pause", move, target=[move.flow, move.env], seconds=60)])

    @test("paused")
    def a_freeze_of_all_stood(forged):
        move = pick(lambda m: True, "a move")
        forged.put("actions.jsonl", [*forged.lines("actions.jsonl"), order("freeze", move, target=["all"], seconds=4)])

    @test("held")
    def a_hold_stood(forged):
        move = pick(lambda m: True, "a move")
        forged.put("actions.jsonl", [*forged.lines("actions.jsonl"), order("hold", move, place=[move.flow], commit=move.new)])

    def a_return():
        """A rollback of a person, what lifted it, and the move that came after."""
        for flow, env in good.targets():
            repo, rows = good.repos[flow], good.moves[flow, env]
            for at, back in enumerate(rows[1:], 1):
                if repo.contains(back.new, back.old) or good.unseen(flow, env, at):
                    continue
                gone = repo.ancestors(back.old) - repo.ancestors(back.new)
                for move in rows[at + 1:]:
                    if gone & repo.ancestors(move.new):
                        if move.effect:
                            return back, move
                        break
        raise LookupError("something that came back by Towpath")

    @test("rolled-back")
    def nobody_lifted_a_rollback(forged):
        back, _ = a_return()
        forged.rows("actions.jsonl", lambda row: None if row["act"] == "unhold" and row["flow"] == back.flow else row)

    @test("window")
    def the_window_was_closed(forged):
        move = pick(lambda m: good.policies(m.flow, m.env, m.lo, m.hi)[-1].deny, "a move with a window")
        when = datetime.datetime.fromtimestamp(move.intent["saved"]["wall"] / 1000, datetime.UTC)
        after = when + datetime.timedelta(minutes=1)
        if after.day != when.day:
            raise LookupError("a move with a window that was not in the last minute of a day")
        closed = f"Mon-Sun {when:%H:%M}-{after:%H:%M}"
        def close(row):
            if row["act"] == "config" and row["good"]:
                row["text"] = re.sub(r"deny = \[[^]]*\]", f'deny = ["{closed}"]', row["text"])
            return row
        forged.rows("actions.jsonl", close)

    @test("approved")
    def nobody_approved(forged):
        move = pick(lambda m: good.policies(m.flow, m.env, m.lo, m.hi)[-1].approvals, "a move with approvals")
        forged.rows("actions.jsonl", lambda row: None if row["act"] == "approve" and row["commit"] == move.new else row)

    @test("ordered")
    def nobody_promoted(forged):
        if not any(m.intent["promote"] for m in good.ours()):
            raise LookupError("a promoted move")
        forged.rows("actions.jsonl", lambda row: None if row["act"] == "promote" else row)

    @test("live")
    def a_last_move_did_not_happen(forged):
        move = pick(lambda m: m is good.moves[m.flow, m.env][-1], "a last move")
        log, ref = forged.reflog(move)
        forged.put(log, forged.lines(log)[:-1])
        forged.put(ref, [move.old])
        head = f"{move.old} {move.new} refs/heads/{move.branch} {move.mark}"
        forged.change(forged.journal(move), lambda line: [] if head in line else [line])
        is_it = effect_of(move)
        forged.rows("export.jsonl", lambda row: None if is_it(row) or row["what"] == "intent"
                    and row["row"]["id"] == move.intent["id"] else row)

    @test("by-itself")
    def the_final_run_had_to_do_it(forged):
        move = pick(lambda m: m is good.moves[m.flow, m.env][-1], "a last move")
        quiet = json.loads((forged.dir / "quiet.json").read_text())
        quiet["tips"][move.flow][move.branch] = move.old
        forged.put("quiet.json", [json.dumps(quiet)])

    @test("sane")
    def a_pass_panicked(forged):
        log = sorted((dir / "logs").glob("*.log"))[0].name
        forged.put(f"logs/{log}", [*forged.lines(f"logs/{log}"), "thread 'main' panicked at forged"])

    failed = skipped = 0
    print("| forged | must be found as | found |\n|---|---|---|")
    for rule, what in tests:
        forged = Forgery(good, to)
        try:
            what(forged)
        except LookupError as lacks:
            skipped += 1
            print(f"| {what.__name__.replace('_', ' ')} | {rule} | left out: this soak has no {lacks} |")
            continue
        run = Run(forged.dir)
        run.judge()
        found = ", ".join(f"{name} {len(rows)}" for name, rows in run.bad.items()) or "nothing"
        if rule not in run.bad:
            failed += 1
            found = f"**missed**: {found}"
        print(f"| {what.__name__.replace('_', ' ')} | {rule} | {found} |", flush=True)
    shutil.rmtree(to, ignore_errors=True)
    print(f"\nself-test: {len(tests) - failed - skipped} found, {failed} missed, {skipped} left out")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--self-test", action="store_true", help="forge copies of DIR and see that each forgery is found")
    args = parser.parse_args()
    os.environ.update({"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"})
    if args.self_test:
        return self_test(args.dir.resolve())
    run = Run(args.dir.resolve())
    run.judge()
    say(run)
    return 1 if run.bad else 0


if __name__ == "__main__":
    sys.exit(main())
