#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the three tables of the probe room: python3 make_data.py [--seed N] [--people N] [--out DIR]

The same seed always gives the same bytes. The committed files are seed 7, 2,000 people. Other seeds give other
people in the same shape, so a planner that was tuned to these files does not pass on the next ones.
Money and counts are integers; no column needs floating point."""
import argparse, csv, datetime, pathlib, random

REGIONS = ["NORTH", "SOUTH", "EAST", "WEST"]
SEGMENTS = ["budget", "standard", "premium", "private"]
DIAGNOSES = ["none"] * 70 + ["flu"] * 15 + ["asthma"] * 10 + ["diabetes"] * 4 + ["rare"]
SKUS = [f"sku{n:02d}" for n in range(40)]

def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seed", type=int, default=7)
    args.add_argument("--people", type=int, default=2000)
    args.add_argument("--out", default=".")
    a = args.parse_args()
    rng, out = random.Random(a.seed), pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)

    def write(name, header, rows):
        with open(out / name, "w", newline="") as f:
            w = csv.writer(f, lineterminator="\n")
            w.writerow(header)
            w.writerows(rows)

    people = []
    for i in range(a.people):
        born = datetime.date(1940, 1, 1) + datetime.timedelta(days=rng.randrange(23000))
        age = 2026 - born.year
        created = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(900))
        people.append([
            f"u{i:05d}", f"user{i}@example.com", f"+1555{i:07d}", f"{10000 + rng.randrange(300):05d}",
            REGIONS[min(3, int(rng.expovariate(0.9)))], rng.choices(SEGMENTS, [50, 35, 14, 1])[0],
            age, born.isoformat(), 20000 + rng.randrange(90000) if rng.random() > 0.04 else "",
            rng.choice(DIAGNOSES), created.isoformat()])
    write("crm.csv", ["user_id", "email", "phone", "zip", "region", "segment", "age", "dob", "income", "dx", "created"], people)

    tx = []
    for p in people:
        for _ in range(min(60, int(rng.paretovariate(1.1)))):
            day = datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=rng.randrange(300 * 24 * 60))
            tx.append([p[0], rng.choice(SKUS), int(rng.lognormvariate(3.5, 1.0)) + 1, day.strftime("%Y-%m-%d %H:%M:%S")])
    rng.shuffle(tx)
    write("tx.csv", ["user_id", "sku", "amt", "ts"], tx)

    known = rng.sample([p[0] for p in people], a.people * 6 // 10)
    strangers = [f"x{i:05d}" for i in range(a.people // 5)]
    mine = [[u, f"user{int(u[1:])}@example.com" if u[0] == "u" else f"{u}@example.org", rng.choice("ABCD"), rng.randrange(5)]
            for u in known + strangers]
    rng.shuffle(mine)
    write("my.csv", ["row_no", "user_id", "email", "grp", "score"], [[n, *m] for n, m in enumerate(mine)])

main()
