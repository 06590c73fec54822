#!/usr/bin/env python3
"""Seeds of the fuzz targets, out of the labelled cases that may be looked at (never those kept aside).

    fuzz-seeds.py DIR    writes DIR/sql, DIR/evidence, DIR/trees; `scripts/fuzz seeds` calls it and chooses
"""
import hashlib, pathlib, re, sys

TUNE = pathlib.Path(__file__).resolve().parent.parent / "crates/compat/tests/cases/tune"
NAMES = re.compile(r"ALTER TABLE (?:IF EXISTS |ONLY )*[`\"\[]?(\w+)\W+(?:DROP|RENAME|ALTER|ADD)(?: COLUMN)?(?: IF EXISTS)? [`\"\[]?(\w+)", re.I)


def sections(text):
    """The head of a case, and its parts: (kind, path, text)."""
    head, *parts = re.split(r"^=== ", text, flags=re.M)
    for part in parts:
        mark, _, body = part.partition("\n")
        kind, _, path = mark.partition(" ")
        yield kind, path, body


def main(folder):
    written = {}

    def write(target, name, text):
        data = text.encode("utf-8")
        digest = hashlib.sha1(data).hexdigest()[:12]  # libFuzzer names what it chooses so
        if (target, digest) in written:
            return
        written[target, digest] = name
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / f"{name}-{digest}").write_bytes(data)

    for file in sorted(TUNE.rglob("*")):
        if not file.is_file():
            continue
        text = file.read_bytes().decode("utf-8")
        name = f"{file.parent.name}-{file.stem}"
        keys = dict(re.findall(r"^(\w+): (.*)$", text.partition("\n=== ")[0], flags=re.M))
        head = "".join(f"{key}: {keys[key]}\n" for key in ("framework", "dialect", "schema") if key in keys)
        parts = [part for part in sections(text) if part[0] in ("base", "head", "gone", "running")]
        whole = head + "".join(f"=== {kind} {path}\n{body}" for kind, path, body in parts)
        write("trees", name, whole)
        for _, path, body in parts:
            if path.endswith((".sql", ".psql")):
                write("sql", name, keys.get("dialect", "postgres") + "\n" + body)
        code = [part for part in parts if part[0] == "running"]
        found = NAMES.findall("".join(body for kind, _, body in parts if kind == "head"))
        if code:
            table, column = found[0] if found else ("users", "nick_name")
            files = "".join(f"=== {kind} {path}\n{body}" for kind, path, body in code)
            write("evidence", name, f"table: {table}\ncolumn: {column}\n{files}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
