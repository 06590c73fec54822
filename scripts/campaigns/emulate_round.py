"""One round of the campaign `emulate`: an emulator, a repository, a store, what people do there, and the rows of results.

Not here: the steps (`emulate_steps.py`).
"""

import json
import subprocess

import common
from emulate_place import PATH, SECRET, TOKENS, Emulator, Front, call

FLOW = f"""[[flow]]
name = "checkout"
repository = "emulated:{PATH}"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
gates.ci = {{ checks = ["build", "test"] }}
[[flow.environment]]
name = "production"
branch = "master"
via = "merge-request"
request = {{ reviewers = ["ana"], labels = ["promotion"] }}
gates.ci = {{ checks = "required" }}
gates.approvals = {{ required = 1, authors = "allow" }}
"""


class Failed(Exception):
    """Something is not as it has to be."""


class Impossible(Exception):
    """The emulator lacks what this step needs; nothing happened that should not."""


class Round:
    """One emulator, one repository, one store."""

    def __init__(self, name, binary, packages, dir, filled):
        self.name, self.binary, self.dir, self.rows, self.service = name, binary, dir, [], None
        dir.mkdir()
        self.repo = dir / "git" / f"{PATH}.git"
        self.repo.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "develop", str(self.repo)], env=common.GIT_ENV, check=True)
        common.git(self.repo, "config", "http.receivepack", "true")
        self.root = self.commit(None, "README")
        for branch in ["develop", "staging", "master"]:
            common.git(self.repo, "update-ref", f"refs/heads/{branch}", self.root)
        self.emulator = Emulator(packages, dir)
        self.front = Front(self.emulator, self.repo, filled)
        try:
            self.seed()
        except BaseException:
            self.stop()
            raise

    def seed(self):
        """The branches on the emulator, a collaborator, a protected branch; and the config."""
        self.front.mirror.to_emulator()
        self.api("olga", "PUT", "/collaborators/bo", {"permission": "push"}, 201)
        protection = {"required_status_checks": {"strict": False, "contexts": ["build", "test"]}, "enforce_admins": True,
                      "required_pull_request_reviews": {"required_approving_review_count": 1}, "restrictions": None}
        self.api("olga", "PUT", "/branches/master/protection", protection, 200)
        (self.dir / "token").write_text(TOKENS["towpath-bot"])
        (self.dir / "secret").write_text(SECRET)
        (self.dir / "towpath.toml").write_text(
            '[service]\nlook = "0 0 1 1 *"\n[forge.emulated]\nkind = "github"\n'
            f'url = "http://127.0.0.1:{self.front.port}"\ntoken = {{ file = "token" }}\n'
            f'webhook_secrets = [{{ file = "secret" }}]\n{FLOW}')

    def stop(self):
        if self.service:
            self.service.stop()
        self.emulator.stop()
        self.front.shutdown()

    # What people do.

    def commit(self, parent, name):
        blob = common.git(self.repo, "hash-object", "-w", "--stdin", data=name)
        old = common.git(self.repo, "ls-tree", parent) + "\n" if parent else ""
        tree = common.git(self.repo, "mktree", data=f"{old}100644 blob {blob}\t{name}\n")
        return common.git(self.repo, "commit-tree", tree, *(["-p", parent] if parent else []), "-m", f"Add {name}")

    def set(self, branch, commit):
        common.git(self.repo, "update-ref", f"refs/heads/{branch}", commit)
        self.front.mirror.to_emulator()

    def push(self, name):
        self.set("develop", self.commit(self.tip("develop"), name))
        return self.tip("develop")

    def api(self, who, method, path, body=None, expect=None, query=""):
        """A person's or CI's call, through the front: its answer."""
        status, _, content = call(self.front.port, method, f"/api/v3/repos/{PATH}{path}{query}", TOKENS[who], body)
        if expect is not None and status != expect:
            raise Failed(f"the emulator answers {method} {path} with {status}: {content[:200]!r}")
        return json.loads(content) if content else None

    def check(self, commit, name, conclusion="success"):
        how = {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
        self.api("olga", "POST", "/check-runs", {"name": name, "head_sha": commit, **how}, 201)

    def green(self, commit):
        for name in ["build", "test"]:
            self.check(commit, name)

    def review(self, who, number, event):
        self.api(who, "POST", f"/pulls/{number}/reviews", {"event": event, "body": event.lower()}, 201)

    # What there is.

    def tip(self, branch):
        return common.git(self.repo, "rev-parse", f"refs/heads/{branch}")

    def emulated(self, branch):
        return self.front.mirror.refs().get(f"refs/heads/{branch}")

    def pulls(self, state="open"):
        return self.api("ana", "GET", "/pulls", query=f"?state={state}&per_page=100", expect=200)

    def ours(self, number):
        """Towpath's comments under a request."""
        comments = self.api("ana", "GET", f"/issues/{number}/comments", query="?per_page=100", expect=200)
        return [c["body"] for c in comments if c["user"]["login"] == "towpath-bot"]

    def towpath(self, *argv):
        done = subprocess.run([str(self.binary), *argv], cwd=self.dir, capture_output=True, text=True, timeout=120)
        with (self.dir / "towpath.log").open("a") as log:
            log.write(f"$ towpath {' '.join(argv)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        return done.stdout + done.stderr

    def look(self):
        self.towpath("run")
        return self.towpath("explain", "checkout", "staging"), self.towpath("explain", "checkout", "production")

    # The rows.

    def step(self, name, act):
        """Runs a step and keeps its row. A step that could not be made does not end the others."""
        began = len(self.front.exchanges)
        try:
            act(lambda: self.front.exchanges[began:])
            result = "passed"
        except Impossible as why:
            result = f"impossible: {why}"
        except (Failed, AssertionError, KeyError, IndexError, TypeError, ValueError) as why:
            result = f"FAILED: {type(why).__name__}: {why}"
        filled = sorted({e["filled"] for e in self.front.exchanges[began:] if e["filled"]})
        self.rows.append((name, result, ", ".join(filled)))
        print(f"  {self.name}: {name}: {result}", flush=True)
