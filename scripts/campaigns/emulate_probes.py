"""What the emulator does otherwise than GitHub, asked of it directly and without Towpath.

Each probe says what GitHub does, and where that is written; its answer is what the emulator did. A probe whose emulator
does as GitHub is "gone", and the campaign says so: the scenario then has a step to gain.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from emulate_place import PATH, TOKENS, call

PROBES = []


def probe(endpoint, github):
    """Of a function that answers what the emulator did, or nothing if that is what GitHub does."""
    def keep(function):
        PROBES.append((endpoint, github, function))
        return function
    return keep


def run(on):
    """Every probe: endpoint, what the emulator did (nothing: as GitHub), what GitHub does."""
    return [(endpoint, function(on), github) for endpoint, github, function in PROBES]


def said(on, method, path, body=None, who="olga", **more):
    status, headers, content = call(on.emulator.port, method, path, TOKENS.get(who, who), body, more.get("headers"))
    return status, headers, json.loads(content) if content else None


def repo(on, method, path, body=None, who="olga", **more):
    return said(on, method, f"/repos/{PATH}{path}", body, who, **more)


def opened(on, name, base="master"):
    """A request from a branch of its own with one commit."""
    commit = on.commit(on.tip(base), name)
    on.set(f"probe/{name}", commit)
    status, _, pull = repo(on, "POST", "/pulls", {"head": f"probe/{name}", "base": base, "title": name})
    assert status == 201, pull
    return pull["number"], commit


@probe("GET /repos/{o}/{r}/commits/{sha}/statuses", "200 with a list (description: repos/list-commit-statuses-for-ref)")
def statuses(on):
    status, _, _ = repo(on, "GET", f"/commits/{on.tip('develop')}/statuses")
    return f"{status}" if status != 200 else None


@probe("POST /repos/{o}/{r}/statuses/{sha}", "201 (description: repos/create-commit-status)")
def create_status(on):
    status, _, _ = repo(on, "POST", f"/statuses/{on.tip('develop')}", {"state": "success", "context": "x"})
    return f"{status}" if status != 201 else None


@probe("GET /repos/{o}/{r}/rules/branches/{branch}", "200 with a list (description: repos/get-branch-rules)")
def rules(on):
    status, _, _ = repo(on, "GET", "/rules/branches/develop")
    return f"{status}" if status != 200 else None


@probe("POST /graphql", "200 (docs.github.com/en/graphql)")
def graphql(on):
    status, _, _ = said(on, "POST", "/graphql", {"query": "{ viewer { login } }"})
    return f"{status}" if status != 200 else None


@probe("POST /repos/{o}/{r}/git/refs/{ref} and a request from that branch",
       "the head of an open request follows its branch (webhook: pull_request, `synchronize`)")
def head_follows(on):
    number, first = opened(on, "head")
    on.set("probe/head", on.commit(first, "more"))
    head = repo(on, "GET", f"/pulls/{number}")[2]["head"]["sha"]
    return "head.sha stays where it was when the request was opened" if head == first else None


@probe("PUT /repos/{o}/{r}/pulls/{n}/merge, after the base has moved",
       "merges into the base as it is (docs: about pull request merges, `--no-ff`)")
def merges_onto_tip(on):
    on.set("probe/base", on.tip("master"))
    number, _ = opened(on, "onto", "probe/base")
    moved = on.commit(on.tip("probe/base"), "meanwhile")
    on.set("probe/base", moved)
    status, _, merged = repo(on, "PUT", f"/pulls/{number}/merge", {})
    assert status == 200, merged
    parents = [p["sha"] for p in repo(on, "GET", f"/git/commits/{merged['sha']}")[2]["parents"]]
    return None if moved in parents else "the base as it was at the opening is the parent: what came since is lost"


@probe("GET /repos/{o}/{r}/pulls/{n}, when the base contains its head",
       "merged by itself, a little later (basho/bors@0ed0fa8; GitHub calls it an indirect merge)")
def merged_by_move(on):
    on.set("probe/still", on.tip("master"))
    number, head = opened(on, "moved", "probe/still")
    on.set("probe/still", head)
    return "stays open" if repo(on, "GET", f"/pulls/{number}")[2]["state"] == "open" else None


@probe("POST /repos/{o}/{r}/pulls, with one open from there to there", "422, `A pull request already exists` (422 described in pulls/create)")
def second_request(on):
    opened(on, "twice")
    status, _, _ = repo(on, "POST", "/pulls", {"head": "probe/twice", "base": "master", "title": "again"})
    return f"{status}: a second one" if status == 201 else None


@probe("PUT /repos/{o}/{r}/pulls/{n}/merge, with another `sha`", "409 (description: pulls/merge)")
def merge_sha(on):
    number, _ = opened(on, "pinned")
    status, _, _ = repo(on, "PUT", f"/pulls/{number}/merge", {"sha": "0" * 40})
    return f"{status}" if status != 409 else None


@probe("PUT /repos/{o}/{r}/pulls/{n}/merge, of a request that cannot be merged", "405 (description: pulls/merge)")
def merge_refused(on):
    number, _ = opened(on, "closed")
    repo(on, "PATCH", f"/pulls/{number}", {"state": "closed"})
    status, _, _ = repo(on, "PUT", f"/pulls/{number}/merge", {})
    return f"{status}" if status != 405 else None


@probe("POST /repos/{o}/{r}/pulls/{n}/reviews, APPROVE by its author", "422, `Can not approve your own pull request` (hubtty/hubtty#33)")
def own_approval(on):
    number, _ = opened(on, "own")
    status, _, _ = repo(on, "POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    return f"{status}: approved" if status != 422 else None


@probe("GET /repos/{o}/{r}/collaborators/{user}/permission, of somebody who may push",
       "`write` (description: repos/get-collaborator-permission-level, one of admin, write, read, none)")
def permission(on):
    word = repo(on, "GET", "/collaborators/bo/permission")[2]["permission"]
    return f"`{word}`" if word != "write" else None


@probe("GET /repos/{o}/{r}/collaborators/{user}/permission, of a stranger to a public repository", "200, `read` (aws-ia/cloudformation-github-resource-providers#14)")
def permission_of_stranger(on):
    status, _, _ = repo(on, "GET", "/collaborators/eve/permission")
    return f"{status}" if status != 200 else None


@probe("any, with a token that does not exist", "401, `Bad credentials` (docs: troubleshooting the REST API)")
def bad_token(on):
    status, _, _ = repo(on, "GET", "", who="no-such-token")
    login = said(on, "GET", "/user", who="no-such-token")
    return f"{status}, and GET /user says {login[0]} {(login[2] or {}).get('login')}" if status != 401 else None


@probe("any GET, with If-None-Match", "304 where nothing changed (docs: use conditional requests)")
def etag(on):
    tag = repo(on, "GET", "")[1].get("ETag")
    if tag is None:
        return "no ETag"
    return None if repo(on, "GET", "", headers={"If-None-Match": tag})[0] == 304 else "an ETag, and never 304"


@probe("GET /repos/{o}/{r}/commits/{sha}/check-runs, per_page", "at most that many, and a Link to the rest")
def check_pages(on):
    commit = on.tip("develop")
    for name in ["p1", "p2", "p3"]:
        repo(on, "POST", "/check-runs", {"name": name, "head_sha": commit, "status": "queued"})
    found = repo(on, "GET", f"/commits/{commit}/check-runs?per_page=2")[2]["check_runs"]
    return f"all {len(found)} of them at once" if len(found) > 2 else None


@probe("POST /repos/{o}/{r}/check-runs", "`app` is the App that made it (description: check-run)")
def app_of_run(on):
    made = repo(on, "POST", "/check-runs", {"name": "x", "head_sha": on.tip("develop"), "status": "queued"})[2]
    return "`app` is null, and persons may make them" if made["app"] is None else None


@probe("PATCH /repos/{o}/{r}/pulls/{n}, `draft`", "there is no such field (description: pulls/update); GraphQL alone ends a draft")
def draft(on):
    number, _ = opened(on, "draft")
    return "obeyed" if repo(on, "PATCH", f"/pulls/{number}", {"draft": True})[2]["draft"] else None


@probe("GET /repos/{o}/{r}/issues/{n}, of a request", "200, each request is an issue, too (description: issues/get)")
def issue_of_request(on):
    number, _ = opened(on, "issue")
    status, _, _ = repo(on, "GET", f"/issues/{number}")
    return f"{status}" if status != 200 else None


class Listener(BaseHTTPRequestHandler):
    """Keeps what webhooks bring."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers), json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_):
        pass


def came(on):
    """What the webhook of a push brings: headers, payload."""
    with HTTPServer(("127.0.0.1", 0), Listener) as listener:
        listener.came = []
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        config = {"url": f"http://127.0.0.1:{listener.server_address[1]}/", "secret": "s"}
        hook = repo(on, "POST", "/hooks", {"config": config, "events": ["push"]})[2]
        on.set("probe/hook", on.tip("develop"))
        on.set("probe/hook", on.commit(on.tip("probe/hook"), "pushed"))
        for _ in range(100):
            pushes = [(head, body) for head, body in listener.came if head["X-GitHub-Event"] == "push"]
            if pushes:
                break
            time.sleep(0.05)
        listener.shutdown()
    repo(on, "DELETE", f"/hooks/{hook['id']}")
    return pushes[0]


@probe("webhooks, X-GitHub-Delivery", "a GUID (docs: webhook events and payloads, delivery headers)")
def delivery_id(on):
    id = came(on)[0]["X-GitHub-Delivery"]
    return f"a number, `{id}`, counted from 1 at each start" if id.isdigit() else None


@probe("webhooks, payload of push", "`commits`, `created`, `deleted`, `forced`, `head_commit`, `pusher` (webhook: push)")
def push_payload(on):
    payload = came(on)[1]
    lacks = [key for key in ["commits", "created", "deleted", "forced", "head_commit", "pusher"] if key not in payload]
    return f"lacks {', '.join(lacks)}" if lacks else None
