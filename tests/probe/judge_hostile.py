#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge_hostile.py FILE.jsonl [DATA_DIR] [--level N] [--project DIR]

Runs FILE (format of `hostile.jsonl`, README.md) through `./glovebox probe` in the project's folder (default: this one) and judges every case on its own.
refused: the statement, or at least one of the steps, is refused. withheld, either: if it was answered, the answers are put into tables
r1, r2, ... and `decode` must not give what `secret` gives on the raw tables. `failed` is a failure; a refusal is accepted for `withheld` too, but is listed: P10 wants those answered without the cell.
r<i> is the answer of step i, own-table steps ({"my": ...}) counted; a step without an answer is an empty table with the columns of the plain query.
On data other than seed 7 a case whose secret gives nothing is skipped. Cases marked `limit` are listed apart and never fail.
Prints a line per failing case, then 'N passed, M failed'; exit 1 if any failed. Python package `duckdb` 1.5.5."""
import argparse, filecmp, json, math, pathlib, subprocess, sys
import duckdb

HERE = pathlib.Path(__file__).resolve().parent
ROOM = HERE
TYPES = {
    "crm": "user_id varchar,email varchar,phone varchar,zip varchar,region varchar,segment varchar,age integer,dob date,income integer,dx varchar,created date",
    "tx": "user_id varchar,sku varchar,amt integer,ts timestamp",
    "my": "row_no integer,user_id varchar,email varchar,grp varchar,score integer"}

def raw(data):
    db = duckdb.connect()
    for t, s in TYPES.items():
        db.execute(f"create table {t}({s})"); db.execute(f"copy {t} from '{data}/{t}.csv' (header true)")
    db.execute("set enable_external_access=false")
    return db

def probe(project, file, data):
    p = subprocess.run(["./glovebox", "probe", str(file), "--data", str(data)], cwd=project, capture_output=True, text=True, timeout=3000)
    out = {}
    for line in p.stdout.splitlines():
        if line.startswith("{"):
            r = json.loads(line); out[r["id"]] = r
    if not out: print(p.stdout[-800:], p.stderr[-800:])
    return out

def values(rows):
    """All values that are not NULL, in a canonical form; order does not matter."""
    out = []
    for v in (v for row in rows for v in row if v is not None):
        try:
            f = float(v)
            if math.isnan(f): continue
            out.append(int(v) if not isinstance(v, (str, float)) and int(v) == v else int(str(v)) if str(v).lstrip("-").isdigit() else f)
        except (TypeError, ValueError, OverflowError): out.append(str(v))
    return sorted(out, key=str)

def same(a, b):
    return len(a) == len(b) and all(x == y or (isinstance(x, float) or isinstance(y, float)) and not isinstance(x, str) and not isinstance(y, str)
                                    and math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in zip(a, b))

def shape(db, sql):
    try: return [(r[0], r[1]) for r in db.execute("describe " + sql).fetchall()]
    except duckdb.Error: return []

def quote(s): return '"' + str(s).replace('"', '""') + '"'

def table(db, name, cols, plain, rows, own_names):
    types = [t for _, t in plain] if len(plain) == len(cols) else ["varchar"] * len(cols)
    names = cols if own_names or len(plain) != len(cols) else [n for n, _ in plain]
    seen, unique = {}, []
    for n in names:
        k = str(n).lower(); seen[k] = seen.get(k, 0) + 1
        unique.append(n if seen[k] == 1 else f"{n}_{seen[k]}")
    for attempt in (types, ["varchar"] * len(cols)):
        db.execute(f"create or replace table {name}({', '.join(f'{quote(n)} {t}' for n, t in zip(unique, attempt))})")
        try:
            for row in rows:
                db.execute(f"insert into {name} values({', '.join(f'cast(? as {t})' for t in attempt)})",
                           [json.dumps(v) if isinstance(v, (list, dict)) else v for v in row])
            return
        except duckdb.Error: continue

def decode(case, plains, answers):
    for own_names in (True, False):
        db = duckdb.connect(); db.execute("set enable_external_access=false")
        for i, (plain, a) in enumerate(zip(plains, answers), 1):
            rows = a.get("rows") or []
            cols = a.get("columns") if rows else [n for n, _ in plain]
            table(db, f"r{i}", cols or ["nothing"], plain, rows, own_names)
        try: return values(db.execute(case["decode"]).fetchall()), None
        except duckdb.Error as e: err = str(e).splitlines()[0]
    return [], err

def judge(case, res, db):
    """(problem or None, note or None)"""
    steps = case.get("steps") or [case["sql"]]
    if res is None: return "no answer", None
    answers = res.get("results", [res]) if "steps" in case else [res]
    if len(answers) != len(steps):                                     # a probe that answers statements only
        it = iter(answers); answers = [{} if isinstance(s, dict) else next(it, {"outcome": "missing"}) for s in steps]
    asked = [a for s, a in zip(steps, answers) if not isinstance(s, dict)]
    what = [a.get("outcome") for a in asked]
    strange = [o for o in what if o not in ("released", "refused")]
    if strange: return f"outcome {strange[0]!r}: neither refused by name nor answered", None
    refused = "refused" in [a.get("outcome") for a in answers]
    if case["expect"] == "refused" and not refused: return f"answered, must be refused ({case['rule']}): {what}", None
    note = "refused, an answer without the cell was expected" if case["expect"] == "withheld" and refused else None
    if "decode" not in case or what == ["refused"]: return None, note
    secret = values(db.execute(case["secret"]).fetchall())
    if not secret: return "secret gives nothing", None
    got, err = decode(case, [[] if isinstance(s, dict) else shape(db, s) for s in steps], answers)
    if err: return f"decode does not run on the answers: {err}", note
    return (f"LEAK: decode gives {got[:4]}, the secret ({case['rule']})" if same(got, secret) else None), note

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file"); p.add_argument("data", nargs="?", default=str(ROOM))
    p.add_argument("--project", default="."); p.add_argument("--level", type=int, default=2)
    a = p.parse_args()
    file, data = pathlib.Path(a.file).resolve(), pathlib.Path(a.data).resolve()
    seed7 = all((ROOM / f"{t}.csv").exists() and filecmp.cmp(ROOM / f"{t}.csv", data / f"{t}.csv", shallow=False) for t in TYPES)
    cases = [json.loads(l) for l in open(file, encoding="utf-8") if l.strip()]
    cases = [c for c in cases if c.get("level", 1) <= a.level]
    db, got = raw(data), probe(a.project, file, data)
    passed = failed = 0
    skipped, notes, opened = [], [], {"leaks": [], "holds": []}
    for c in cases:
        if not seed7 and "secret" in c and not values(db.execute(c["secret"]).fetchall()):
            skipped.append(c["id"]); continue
        bad, note = judge(c, got.get(c["id"]), db)
        if c.get("limit"): opened["leaks" if bad else "holds"].append(c["id"]); continue
        if note: notes.append(c["id"])
        if bad: failed += 1; print("FELL SHORT", c["id"], f"[{c['cls']}]", bad, "|", c["leak"][:110])
        else: passed += 1
    if notes: print("refused although 'withheld' is expected:", *notes)
    if skipped: print("skipped, the data has nobody to find:", *skipped)
    for k, v in opened.items():
        if v: print(f"limit, {k}:", *v)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)

main()
