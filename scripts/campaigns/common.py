"""What the measuring campaigns share: repositories, a running service, signed hooks, figures from /proc.

Not used by the soak and its checker, which stand for themselves.
"""

import hashlib
import hmac
import http.client
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

SECRET = "the secret of the campaigns"
TICK = os.sysconf("SC_CLK_TCK")
GIT_ENV = {
    **os.environ,
    "GIT_AUTHOR_NAME": "ana", "GIT_AUTHOR_EMAIL": "ana@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "ana", "GIT_COMMITTER_EMAIL": "ana@example.com", "GIT_COMMITTER_DATE": "1700000000 +0000",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
}


def git(repo, *argv, data=None):
    done = subprocess.run(["git", "-C", str(repo), *argv], input=data, env=GIT_ENV, text=True, check=True,
                          capture_output=True)
    return done.stdout.strip()


def fresh(path):
    path = Path(path).resolve()
    if path.exists() and any(path.iterdir()):
        raise SystemExit(f"{path} is not empty")
    path.mkdir(parents=True, exist_ok=True)
    return path


def chain(repo, count, words):
    """So many commits on each other, none on a branch; oldest first. The same words give the same commits."""
    marks = []
    stream = ["blob\nmark :1\ndata 2\nx\n"]
    for n in range(count):
        text = f"{words} {n}"
        stream.append(f"commit refs/heads/new\nmark :{n + 2}\ncommitter ana <ana@example.com> {1_700_000_000 + n} +0000\n"
                      f"data {len(text)}\n{text}\n" + (f"from :{n + 1}\n" if n else "")
                      + f"M 100644 :1 file-{n % 7}-{n}\n")
        marks.append(n + 2)
    where = Path(repo) / "marks"
    git(repo, "fast-import", "--quiet", f"--export-marks={where}", data="".join(stream))
    found = dict(line.split() for line in where.read_text().splitlines())
    where.unlink()
    git(repo, "update-ref", "-d", "refs/heads/new")
    return [found[f":{n}"] for n in marks]


def template(dir, commits, at):
    """A bare repository with `commits` commits, and three branches at the `at`th."""
    repo = dir / "template.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "develop", str(repo)], env=GIT_ENV, check=True)
    for key in ["gc.auto", "receive.autogc"]:
        git(repo, "config", key, "0")
    shutil.rmtree(repo / "hooks", ignore_errors=True)
    ids = chain(repo, commits, "commit")
    for branch in ["develop", "staging", "production"]:
        git(repo, "update-ref", f"refs/heads/{branch}", ids[at])
    # So that nothing is lost, and copies are small.
    git(repo, "update-ref", "refs/keep/all", ids[-1])
    git(repo, "repack", "-adq")
    return repo, ids


def flow(name, repository, staging="", production='gates.lag = "1d"'):
    return (f'[[flow]]\nname = "{name}"\nrepository = "{repository}"\n[[flow.environment]]\nname = "develop"\n'
            f'[[flow.environment]]\nname = "staging"\n{staging}\n[[flow.environment]]\nname = "production"\n{production}\n')


def config(dir, flows, look):
    (dir / "secret").write_text(SECRET)
    head = f'[service]\nlook = "{look}"\nwebhook_secrets = [{{ file = "secret" }}]\n\n'
    (dir / "towpath.toml").write_text(head + "\n".join(flows))


def sign(body, key=SECRET, at=None):
    at = int(time.time()) if at is None else at
    return f"t={at},v1=" + hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


class Service:
    """A `towpath serve`."""

    def __init__(self, binary, dir, env=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = dir / "serve.log"
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self.child = subprocess.Popen([str(binary), "serve", "--listen", f"127.0.0.1:{self.port}", "--log", "json"],
                                          cwd=dir, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        self.ready = None
        while self.ready is None:
            if self.child.poll() is not None or time.monotonic() - self.began > 120:
                raise SystemExit(f"serve does not start, see {self.log}")
            try:
                if self.get("/readyz")[0] == 200:
                    self.ready = time.monotonic() - self.began
            except OSError:
                time.sleep(0.002)

    def get(self, path):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("GET", path)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        return answer.status, text

    def metric(self, name):
        """The sum of a metric over the labels that begin so."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name):
                total += float(line.rpartition(" ")[2])
        return total

    def looked(self):
        return self.metric("towpath_ticks_total{")

    def wait_looked(self, count, limit=600):
        until = time.monotonic() + limit
        while self.looked() < count:
            if time.monotonic() > until:
                raise SystemExit(f"serve has looked {self.looked():.0f} times, {count} awaited")
            time.sleep(0.05)

    def hook(self, flow, body):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("POST", f"/hooks/git/{flow}", body, {"Towpath-Signature": sign(body)})
        status = line.getresponse().status
        line.close()
        if status != 202:
            raise SystemExit(f"a good hook was answered {status}")

    def cpu(self):
        """CPU seconds: its own, and those of its children that have ended."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        return own / TICK, children / TICK

    def memory(self):
        """RSS and its peak, in MiB."""
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        return [int(text.partition(key)[2].split()[0]) / 1024 for key in ["VmRSS:", "VmHWM:"]]

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(timeout=90)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def has_debug_info(binary):
    """Whether the program has a section of debug information; a release build of ours has none. The name of the
    section alone proves nothing: std's own backtraces carry it as a text."""
    data = Path(binary).read_bytes()
    sections, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    table, = struct.unpack_from("<Q", data, sections + names * size + 0x18)
    for at in range(count):
        name, = struct.unpack_from("<I", data, sections + at * size)
        if data.startswith(b".debug_info\0", table + name):
            return True
    return False


def machine(binary):
    version = subprocess.run([str(binary), "--version"], capture_output=True, text=True).stdout.strip()
    git_version = subprocess.run(["git", "--version"], capture_output=True, text=True).stdout.strip()
    kind = "a debug build, NOT for figures to record:" if has_debug_info(binary) else "binary"
    return (f"machine: {os.cpu_count()} CPUs, Linux {platform.release()}, {git_version}; {kind} {binary} ({version}); "
            f"load average before: {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
