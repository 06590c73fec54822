"""The steps of the campaign `emulate`: what people do, what Towpath is to do then, and what the emulator has in the end.

A step that raises nothing has passed. One whose emulator lacks what it needs raises `Impossible`, after it has seen that
nothing moved and that the emulator did answer so.
"""

import json
import time

import common
from emulate_place import SECRET
from emulate_round import Failed, Impossible


def need(holds, *words):
    if not holds:
        raise Failed(" ".join(str(word) for word in words)[:600])


def answered(exchanges, method, part, status):
    """Whether the emulator answered Towpath so: without that, nothing is called impossible."""
    return any(e["who"] == "towpath-bot" and e["method"] == method and part in e["path"] and e["status"] == status
               for e in exchanges)


def impossible(exchanges, method, part, status, words):
    need(answered(exchanges, method, part, status), "the emulator no longer answers", method, part, "with", status)
    raise Impossible(words)


def as_it_is(on):
    """The first round: what the emulator lacks moves nothing, and is named."""
    first = on.push("one")
    on.green(first)

    def statuses(seen):
        staging, _ = on.look()
        need(on.tip("staging") == on.root, "staging moved although the checks could not be read")
        need("404" in staging, staging)
        impossible(seen(), "GET", f"/commits/{first}/statuses", 404, "no commit statuses (404)")

    def rules(seen):
        said = on.towpath("doctor")
        need("rules of `master`" in said and "404" in said, said)
        impossible(seen(), "GET", "/rules/branches/master", 404, "no rules of branches (404)")

    on.step("a green commit enters staging", statuses)
    on.step("doctor reads the rules of a branch", rules)


def checks(on):
    """A commit enters staging when its check runs are green."""
    one = on.push("one")

    def doctor(seen):
        on.look()
        said = on.towpath("doctor")
        need("nothing that the forge shows Towpath is in its way" in said, said)

    def stays(prepare, *words):
        def act(seen):
            prepare()
            staging, _ = on.look()
            need(on.tip("staging") == on.root, "staging moved")
            need(all(word in staging for word in words), words, staging)
        return act

    def green(seen):
        on.check(one, "test")
        on.look()
        need(on.tip("staging") == one and on.emulated("staging") == one, on.tip("staging"), on.emulated("staging"))
        need(on.front.says(one, "staging")[0] == "success", on.front.says(one, "staging"))

    on.step("doctor finds nothing in the way", doctor)
    on.step("no check run: waits, and names the check", stays(lambda: None, "build"))
    on.step("one check in progress: waits", stays(lambda: on.check(one, "build", None), "build"))
    on.step("one check failed: blocks", stays(lambda: on.check(one, "build", "failure"), "build", "red"))
    on.step("run again and green, the other still missing: waits", stays(lambda: on.check(one, "build"), "test"))
    on.step("both green: staging is moved to that commit", green)
    return one


def first_request(on, one):
    """A request is opened, waits for a writer's word, and is merged by a person."""

    def opened(seen):
        _, production = on.look()
        [pull] = on.pulls()
        need(pull["head"]["sha"] == one and pull["head"]["ref"] == "towpath/checkout/production", pull["head"])
        need(pull["base"]["ref"] == "master" and pull["user"]["login"] == "towpath-bot", pull["base"]["ref"])
        need([user["login"] for user in pull["requested_reviewers"]] == ["ana"], pull["requested_reviewers"])
        need([label["name"] for label in pull["labels"]] == ["promotion"], pull["labels"])
        need("Add one" in pull["body"], pull["body"])
        need(len(on.ours(1)) == 1, on.ours(1))
        need("approval" in production, production)

    def nothing_more(seen):
        on.look()
        wrote = [(e["method"], e["path"]) for e in seen() if e["who"] == "towpath-bot" and e["method"] != "GET"]
        need(not wrote, "written again:", wrote)

    def stranger(seen):
        on.review("eve", 1, "APPROVE")
        _, production = on.look()
        need(on.tip("master") == on.root and "0 of 1" in production, production)

    def objection(seen):
        on.review("olga", 1, "REQUEST_CHANGES")
        _, production = on.look()
        need(on.tip("master") == on.root and "olga" in production, production)

    def dismissed(seen):
        [review] = [r for r in on.api("ana", "GET", "/pulls/1/reviews") if r["state"] == "CHANGES_REQUESTED"]
        on.api("ana", "PUT", f"/pulls/1/reviews/{review['id']}/dismissals", {"message": "talked about"}, 200)
        _, production = on.look()
        need("olga" not in production and "0 of 1" in production, production)

    def collaborator(seen):
        on.review("bo", 1, "APPROVE")
        _, production = on.look()
        if "0 of 1" in production:
            came = [json.loads(e["response"]) for e in seen() if e["path"].endswith("/collaborators/bo/permission")]
            need(came and came[-1]["permission"] == "push", came)
            raise Impossible("`permission` is `push`, a word that GitHub's has not")
        need("bo" in production, production)

    def fast_forward(seen):
        on.review("ana", 1, "APPROVE")
        _, production = on.look()
        need(on.tip("master") == on.root and on.emulated("master") == on.root, "master moved", production)
        need("404" in production and on.pulls(), production)
        impossible(seen(), "POST", "/graphql", 404, "no GraphQL (404), so no `updateRefs`")

    def by_a_person(seen):
        merged = on.api("olga", "PUT", "/pulls/1/merge", {"merge_method": "merge"}, 200)
        need(on.tip("master") == merged["sha"] == on.emulated("master"), on.tip("master"), merged)
        _, production = on.look()
        need("up to date" in production, production)
        need(on.front.says(one, "production")[0] == "success", on.front.says(one, "production"))
        need("over" in on.ours(1)[0] and len(on.ours(1)) == 1, on.ours(1))
        need(not on.pulls(), "another request")

    on.step("a request is opened: head, base, words, reviewer, label, one comment", opened)
    on.step("the next look opens and writes nothing", nothing_more)
    on.step("an approval of a stranger does not count", stranger)
    on.step("a member wants changes: blocks, by name", objection)
    on.step("that review is dismissed: waits for an approval", dismissed)
    on.step("an approval of a collaborator with write access counts", collaborator)
    on.step("approved: master is fast-forwarded by the API", fast_forward)
    on.step("a person merges: recorded, the commit is in production, the comment says over", by_a_person)


def later_requests(on):
    """Merged by Towpath with a merge commit; closed, reopened, a draft; a newer commit while it is open."""

    def staged(name):
        commit = on.push(name)
        on.green(commit)
        on.look()
        need(on.tip("staging") == commit, "staging is at", on.tip("staging"))
        on.look()
        [pull] = on.pulls()
        need(pull["head"]["sha"] == commit, pull["head"])
        return commit, pull["number"]

    def is_merged(commit, before, number):
        made = on.tip("master")
        parents = common.git(on.repo, "rev-list", "--parents", "-n1", made).split()[1:]
        need(parents == [before, commit] and on.emulated("master") == made, made, parents)
        pull = on.api("ana", "GET", f"/pulls/{number}")
        need(pull["merged"] and pull["merged_by"]["login"] == "towpath-bot", pull["merged"], pull["merged_by"])
        need(on.front.says(commit, "production")[0] == "success", on.front.says(commit, "production"))

    def by_towpath(seen):
        before = on.tip("master")
        two, number = staged("two")
        on.review("ana", number, "APPROVE")
        on.look()
        is_merged(two, before, number)
        sent = [json.loads(e["request"]) for e in seen() if e["path"].endswith("/merge") and e["method"] == "PUT"]
        need(sent == [{"sha": two, "merge_method": "merge"}], sent)

    def closed(seen):
        _, number = staged("three")
        on.api("olga", "PATCH", f"/pulls/{number}", {"state": "closed"}, 200)
        for _ in range(2):
            _, production = on.look()
            need("olga" in production and "closed" in production and not on.pulls(), production)

    def reopened(seen):
        number = on.pulls("closed")[0]["number"]
        on.api("olga", "PATCH", f"/pulls/{number}", {"state": "open"}, 200)
        _, production = on.look()
        need("0 of 1" in production and len(on.pulls()) == 1, production)

    def draft(seen):
        [pull] = on.pulls()
        before = on.tip("master")
        on.api("ana", "PATCH", f"/pulls/{pull['number']}", {"draft": True}, 200)
        on.review("ana", pull["number"], "APPROVE")
        _, production = on.look()
        need(on.tip("master") == before and "draft" in production, production)
        on.api("ana", "PATCH", f"/pulls/{pull['number']}", {"draft": False}, 200)
        on.look()
        is_merged(pull["head"]["sha"], before, pull["number"])

    def newer(seen):
        four, number = staged("four")
        five = on.push("five")
        on.green(five)
        on.look()
        on.look()
        need(on.tip("staging") == five and on.tip("towpath/checkout/production") == five, "the branch did not follow")
        before = on.tip("master")
        # Approved is what the emulator shows; the branch has something else.
        on.review("ana", number, "APPROVE")
        _, production = on.look()
        need(on.tip("master") == before, "master moved")
        head = on.api("ana", "GET", f"/pulls/{number}")["head"]["sha"]
        need(head == four, "the emulator's head follows now")
        raise Impossible("the head of a request stays where it was at its opening")

    def again(seen):
        [pull] = on.pulls()
        on.api("olga", "PATCH", f"/pulls/{pull['number']}", {"state": "closed"}, 200)
        on.look()
        on.towpath("retry", "checkout", "production")
        on.look()
        [new] = on.pulls()
        need(new["number"] > pull["number"] and new["head"]["sha"] == on.tip("staging"), new["head"])

    def pages(seen):
        [pull] = on.pulls()
        before = on.tip("master")
        for n in range(105):
            on.review("eve", pull["number"], "COMMENT")
        on.review("ana", pull["number"], "APPROVE")
        on.look()
        need(any("page=2" in e["query"] and e["path"].endswith("/reviews") for e in seen()), "no second page was asked for")
        is_merged(pull["head"]["sha"], before, pull["number"])

    def many_checks(seen):
        six = on.push("six")
        on.green(six)
        for n in range(120):
            on.check(six, f"job {n}")
        on.look()
        need(on.tip("staging") == six, on.tip("staging"))

    on.step("approved: Towpath merges, with a merge commit pinned to the head", by_towpath)
    on.step("a person closes a request: blocks, by name, and opens no other", closed)
    on.step("reopened: goes on", reopened)
    on.step("a draft is not merged, though approved; ready, it is", draft)
    on.step("the head of a request follows a newer commit until it is approved", newer)
    on.step("closed, and `retry`: another request, of the newest", again)
    on.step("an approval on the second page of reviews counts", pages)
    on.step("checks behind the hundredth count", many_checks)


def hooks(on):
    """The emulator's own deliveries wake the service."""
    on.service = common.Service(on.binary, on.dir)
    on.service.wait_looked(1)
    taken = 'towpath_hooks_total{source="forge",result="taken"}'

    def hook(secret):
        url = f"http://127.0.0.1:{on.service.port}/hooks/emulated"
        events = ["push", "status", "check_run", "check_suite", "pull_request", "pull_request_review"]
        config = {"url": url, "secret": secret, "content_type": "json"}
        return on.api("olga", "POST", "/hooks", {"config": config, "events": events}, 201)["id"]

    def until(what, holds):
        for _ in range(400):
            if holds():
                return
            time.sleep(0.05)
        raise Failed(what, "not within 20 s")

    def deliveries(id):
        return on.api("olga", "GET", f"/hooks/{id}/deliveries", query="?per_page=100")

    def forged(seen):
        id = hook("another secret")
        seven = on.push("seven")
        on.green(seven)
        until("deliveries", lambda: len(deliveries(id)) >= 3)
        need({d["status_code"] for d in deliveries(id)} == {401}, deliveries(id))
        need(on.tip("staging") != seven, "a forged hook woke it")
        on.api("olga", "DELETE", f"/hooks/{id}", None, 204)

    def woken(seen):
        id = hook(SECRET)
        eight = on.push("eight")
        on.green(eight)
        until("a move", lambda: on.tip("staging") == eight)
        until("deliveries", lambda: len(deliveries(id)) >= 3)
        need({d["status_code"] for d in deliveries(id)} == {202}, {d["status_code"] for d in deliveries(id)})
        need(on.service.metric(taken) >= 3, on.service.metric("towpath_hooks_total{"))

    def review(seen):
        # No look comes by itself: the hook of the push to staging has opened it.
        until("a request", on.pulls)
        [pull] = on.pulls()
        before = on.tip("master")
        on.review("ana", pull["number"], "APPROVE")
        until("a merge", lambda: on.tip("master") != before)
        need(on.api("ana", "GET", f"/pulls/{pull['number']}")["merged"], "not merged there")

    on.step("hooks signed with another secret: 401, and nothing moves", forged)
    on.step("push and check run: 202, and staging moves without a look", woken)
    on.step("an approval: 202, and the request is merged without a look", review)


def same(on):
    def act(seen):
        on.service.stop()
        on.service = None
        emulated, git = on.front.mirror.refs(), on.front.mirror.heads()
        need(emulated == git, emulated, git)
        need("up to date" in on.towpath("status"), on.towpath("status"))
    on.step("in the end git and the emulator have the same branches", act)


def whole(on):
    """The second round."""
    first_request(on, checks(on))
    later_requests(on)
    hooks(on)
    same(on)
