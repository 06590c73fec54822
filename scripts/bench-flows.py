#!/usr/bin/env python3
"""Passes over many local flows, by Towpath and by the shell script, over equal copies of the same repositories.

    bench-flows.py TOWPATH N...

Every time comes from the kernel (wait4), so it holds the processes' children. Git processes are counted in passes
of their own, because the counting wrapper costs time.
"""
import collections, os, pathlib, shutil, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
ENV = {**os.environ, "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.com", "GIT_COMMITTER_NAME": "Ana",
       "GIT_COMMITTER_EMAIL": "ana@example.com", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
GIT = shutil.which("git")
COMMITS = 50  # in each repository before anything moves


def git(*args, cwd):
    return subprocess.run([GIT, *args], cwd=cwd, env=ENV, check=True, capture_output=True, text=True).stdout.strip()


def template(folder):
    """A bare repository with three branches at one commit, and two later commits that no branch has."""
    work, bare = folder / "work", folder / "template.git"
    work.mkdir()
    git("init", "-q", "-b", "develop", cwd=work)
    for n in range(COMMITS + 2):
        (work / f"file{n % 7}").write_text(f"{n}\n" * 20)
        git("add", "-A", cwd=work)
        git("commit", "-qm", f"Commit {n}", cwd=work)
    first, then, base = (git("rev-parse", f"HEAD~{back}", cwd=work) for back in (1, 0, 2))
    git("init", "-q", "--bare", "template.git", cwd=folder)
    shutil.rmtree(bare / "hooks")
    git("push", "-q", str(bare), *[f"{base}:refs/heads/{b}" for b in ("develop", "staging", "production")],
        f"{then}:refs/keep/later", cwd=work)
    git("gc", "-q", cwd=bare)
    # Loose branches, so that one file written moves one.
    for branch in ("develop", "staging", "production"):
        (bare / "refs/heads" / branch).write_text(base + "\n")
    return bare, (first, then)


def push_to_develop(repositories, commit):
    for repository in repositories:
        (repository / "refs/heads/develop").write_text(commit + "\n")


def tips(repositories, branch):
    return collections.Counter((repository / "refs/heads" / branch).read_text().strip() for repository in repositories)


class Counter:
    """A `git` first on PATH that notes what it was asked."""

    def __init__(self, folder):
        self.dir, self.log = folder / "bin", folder / "asked"
        self.dir.mkdir()
        wrapper = self.dir / "git"
        wrapper.write_text(f'#!/bin/sh\ncase "$1" in -C) w=$3 ;; *) w=$1 ;; esac\n'
                           f'echo "$w" >>{self.log}\nexec {GIT} "$@"\n')
        wrapper.chmod(0o755)

    def env(self):
        self.log.write_text("")
        return {**ENV, "PATH": f"{self.dir}:{ENV['PATH']}"}

    def asked(self):
        return collections.Counter(self.log.read_text().split())


def run(args, env, cwd, log):
    with open(log, "wb") as out:
        begin = time.monotonic()
        process = subprocess.Popen(args, env=env, cwd=cwd, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{args[0]} ended with {process.returncode}:\n{pathlib.Path(log).read_text()[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size(path):
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def flows(towpath, count):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="towpath-bench."))
    try:
        measure(towpath, count, folder)
    finally:
        shutil.rmtree(folder)


def measure(towpath, count, folder):
    bare, commits = template(folder)
    sides = {}
    for side in ("towpath", "script"):
        base = folder / side
        base.mkdir()
        sides[side] = [base / f"repo{n:04}.git" for n in range(count)]
        for repository in sides[side]:
            shutil.copytree(bare, repository)
    config = folder / "towpath.toml"
    environments = "".join(f'[[defaults.environment]]\nname = "{b}"\n' for b in ("develop", "staging", "production"))
    config.write_text('[service]\nstore = "sqlite:towpath.db"\n\n' + environments +
                      "".join(f'\n[[flow]]\nrepository = "{r}"\n' for r in sides["towpath"]))
    listed = "".join(f"{r}\n{folder / 'clones' / r.name}\n" for r in sides["script"])
    (folder / "clones").mkdir()
    (folder / "listed").write_text(listed)
    script = f"xargs -P 4 -n 2 {HERE / 'bench-flows.sh'} < listed"
    commands = {"towpath": [towpath, "run", "--config", str(config)], "script": ["sh", "-c", script]}
    counter = Counter(folder)

    def both(what, counted=None, before=None, check=None):
        for side, command in commands.items():
            if before:
                push_to_develop(sides[side], before)
            load = os.getloadavg()[0]
            env = counter.env() if counted else ENV
            wall, cpu, rss = run(command, env, folder, folder / f"{side}.log")
            if check and (found := tips(sides[side], "staging")) != {check: count}:
                sys.exit(f"{side}: not every flow moved: {found}")
            if counted:
                asked = ", ".join(f"{n} {word}" for word, n in sorted(counter.asked().items()))
                print(f"| {count} | {what} | {side} | | | | | {counter.asked().total()}: {asked} |", flush=True)
            else:
                print(f"| {count} | {what} | {side} | {wall:.2f} | {cpu:.2f} | {rss:.0f} | {load:.1f} | |", flush=True)

    both("first look")
    for _ in range(3 if count <= 200 else 2):
        both("idle")
    both("idle, counted", counted=True)
    both("active, 1 move a flow", before=commits[0], check=commits[0])
    if count <= 200:
        both("active, 2 moves a flow, counted", counted=True, before=commits[1], check=commits[1])
        both("active, 1 move a flow")
        both("idle")
    store = sum(size(f) for f in folder.glob("towpath.db*") if f.is_file())
    cache = folder / "towpath.db.cache"
    print(f"bytes on disk, {count} flows: store {store:,}; mirrors {size(cache):,}; "
          f"clones of the script {size(folder / 'clones'):,}", flush=True)


def main():
    towpath, counts = sys.argv[1], [int(n) for n in sys.argv[2:]]
    print("\n| flows | pass | by | wall s | CPU s (user+sys, children too) | peak RSS MiB | load before | git processes |")
    print("|--:|---|---|--:|--:|--:|--:|---|", flush=True)
    for count in counts:
        flows(str(pathlib.Path(towpath).resolve()), count)


main()
