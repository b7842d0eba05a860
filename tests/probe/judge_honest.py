#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge_honest.py honest|attack FILE.jsonl DATA_DIR [--level N] [--project DIR]

Runs FILE through `./glovebox probe` in the project's folder (default: this one) and judges every line on its own.
honest: the answer must equal the line's oracle on the raw tables (DuckDB, Python package `duckdb` 1.5.5).
attack: the `statement` lines of adversarial-sql.jsonl: refused where they must be; outcome and number of rows must not depend on one person
        (what was released is probed again on tables in which one person is changed).
Ends with 'N passed, M failed'; exit 1 if any failed."""
import argparse, csv, datetime, decimal, json, math, pathlib, random, shutil, subprocess, sys, tempfile
import duckdb

TYPES = {
    "crm": "user_id varchar,email varchar,phone varchar,zip varchar,region varchar,segment varchar,age integer,dob date,income integer,dx varchar,created date",
    "tx": "user_id varchar,sku varchar,amt integer,ts timestamp",
    "my": "row_no integer,user_id varchar,email varchar,grp varchar,score integer"}

def probe(project, file, data, history=False):
    cmd = ["./glovebox", "probe", str(file), "--data", str(data)] + (["--history"] if history else [])
    p = subprocess.run(cmd, cwd=project, capture_output=True, text=True, timeout=1500)
    out = {}
    for line in p.stdout.splitlines():
        if line.startswith("{"):
            r = json.loads(line)
            out[r["id"]] = r
    if not out:
        print(p.stdout[-800:], p.stderr[-800:])
    return out

def canon(v):
    if v is None: return None
    if isinstance(v, bool): return float(v)
    if isinstance(v, (int, float, decimal.Decimal)): return float(v)
    if isinstance(v, (datetime.datetime, datetime.date)): v = str(v)
    s = str(v).replace("T", " ")
    try: return float(s)
    except ValueError: pass
    return s[:10] if s.endswith(" 00:00:00") or s.endswith(" 00:00:00.000000") else s.rstrip("Z")

def same(a, b, tol):
    if a is None or b is None: return a is b
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=tol, abs_tol=1e-9)
    return a == b

def key(row): return [("" if v is None else f"{v:.6g}" if isinstance(v, float) else v) for v in row]

def honest(a, lines, db):
    got = probe(a.project, a.file, a.data)
    bad = []
    for c in lines:
        r = got.get(c["id"])
        want = [[canon(v) for v in row] for row in db.sql(c["oracle"]).fetchall()]
        if r is None or r["outcome"] != "released":
            bad.append((c["id"], "no answer" if r is None else f"{r['outcome']} {r.get('code')} {r.get('rule')}")); continue
        have = [[canon(v) for v in row] for row in r["rows"]]
        if c.get("empty_ok") and not [row for row in have if any(v is not None for v in row)]: continue
        if not c.get("ordered"): want.sort(key=key); have.sort(key=key)
        tol = c.get("tol", 1e-9)
        if c.get("may_withhold"):
            flat = lambda rows: {tuple(key([v])[0] if v is not None else "" for v in row) for row in rows}
            extra = [h for h in have if not any(all(x is None or same(x, y, tol) for x, y in zip(h, w)) for w in want)]
            if extra or len(have) < max(1, len(want) // 2): bad.append((c["id"], f"rows that are not honest: {extra[:2]}; {len(have)} of {len(want)}"))
            continue
        if len(want) != len(have) or any(len(x) != len(y) or not all(same(p, q, tol) for p, q in zip(x, y)) for x, y in zip(want, have)):
            bad.append((c["id"], f"want {want[:2]} ({len(want)}) have {have[:2]} ({len(have)})"))
    return bad

def attack(a, lines, _):
    base = probe(a.project, a.file, a.data)
    released = [c for c in lines if base.get(c["id"], {}).get("outcome") == "released"]
    missing = [(c["id"], "no answer") for c in lines if c["id"] not in base]
    bad = list(missing)
    failed = [c["id"] for c in lines if base.get(c["id"], {}).get("outcome") == "failed"]
    bad += [(i, "outcome 'failed': neither refused by name nor answered") for i in failed]
    must = [c for c in released if c.get("expect") == "refused"]
    bad += [(c["id"], f"released, must be refused: {c['sql'][:90]}") for c in must]
    if released:
        with tempfile.TemporaryDirectory() as t:
            sub = pathlib.Path(t) / "again.jsonl"
            sub.write_text("".join(json.dumps(c) + "\n" for c in released))
            people = [r["user_id"] for r in csv.DictReader(open(pathlib.Path(a.data) / "crm.csv"))]
            rng = random.Random(a.seed)
            special = [r["user_id"] for r in csv.DictReader(open(pathlib.Path(a.data) / "crm.csv")) if r["dx"] == "rare" or r["segment"] == "private"][:2]
            for n, victim in enumerate(special + rng.sample(people, a.victims)):
                d = pathlib.Path(t) / f"d{n}"; d.mkdir()
                for name in TYPES:
                    rows = list(csv.DictReader(open(pathlib.Path(a.data) / f"{name}.csv")))
                    with open(d / f"{name}.csv", "w", newline="") as f:
                        w = csv.DictWriter(f, rows[0].keys(), lineterminator="\n"); w.writeheader()
                        for r in rows:
                            if r["user_id"] == victim and name == "tx": r["amt"] = str(int(r["amt"]) + 777)
                            if r["user_id"] == victim and name == "crm": r["dx"] = "flu" if r["dx"] != "flu" else "none"
                            w.writerow(r)
                other = probe(a.project, sub, d)
                for c in released:
                    x, y = base[c["id"]], other.get(c["id"], {})
                    if y.get("outcome") != x["outcome"]:
                        bad.append((c["id"], f"outcome depends on {victim}"))
                    elif len(x["rows"]) != len(y["rows"]):
                        bad.append((c["id"], f"number of rows depends on {victim}: look at it"))
    print("released:", [c["id"] for c in released])
    return bad

def main():
    p = argparse.ArgumentParser()
    p.add_argument("mode", choices=["honest", "attack"]); p.add_argument("file"); p.add_argument("data")
    p.add_argument("--level", type=int, default=9); p.add_argument("--project", default=".")
    p.add_argument("--victims", type=int, default=2); p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    a.file, a.data = pathlib.Path(a.file).resolve(), pathlib.Path(a.data).resolve()
    lines = [json.loads(l) for l in open(a.file)]
    lines = [c for c in lines if c.get("level", 1) <= a.level and (a.mode == "honest" or c.get("kind", "statement") == "statement")]
    db = duckdb.connect()
    for t, s in TYPES.items():
        db.sql(f"create table {t}({s})"); db.sql(f"copy {t} from '{a.data}/{t}.csv' (header true)")
    bad = (honest if a.mode == "honest" else attack)(a, lines, db)
    for b in bad: print("FELL SHORT", *b)
    ids = {b[0] for b in bad}
    print(f"{len(lines) - len(ids)} passed, {len(ids)} failed")
    sys.exit(1 if bad else 0)

main()
