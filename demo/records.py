# SPDX-License-Identifier: Apache-2.0
"""The two parties' files: real athletes of the 2016 Games, and an insurer's customers, of whom a part is made up.

The federation has every athlete's name and birth date. Of the insurer's customers, about 60 % of the athletes are real
records (birth date, sex, height and weight as they were published); the others, and who consented, come from a fixed
seed, so that every run of the demo has the same people.
"""

import collections
import csv
import datetime
import io
import random
from typing import NamedTuple

SEED = 2016
ATHLETE_SHARE = 0.6
CONSENT_SHARE = 0.9
OTHERS = 9_000
BIRTHS = (datetime.date(1955, 1, 1), datetime.date(2001, 12, 31))
# Mean and standard deviation.
HEIGHTS = {"female": (1.66, 0.065), "male": (1.79, 0.07)}
WEIGHTS = {"female": (66, 11), "male": (81, 13)}

ATHLETE_COLUMNS = ("name", "date_of_birth", "nationality", "sport", "gold", "silver", "bronze")
CUSTOMER_COLUMNS = ("customer_no", "name", "date_of_birth", "sex", "height", "weight", "consent")


class Files(NamedTuple):
    athletes: bytes
    customers: bytes
    athlete_count: int
    customer_count: int
    shared_count: int  # athletes among the customers; nobody in the story is ever told


def read_olympians(folder):
    with open(folder / "olympians.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_exported(name, chance):
    """As a customer system writes names: upper case, padded."""
    return " " * chance.randint(0, 2) + name.upper() + " " * chance.randint(0, 12)


def made_up(athletes, chance):
    """A person who is no athlete: a first and a last name that exist, but not together."""
    first = chance.choice(athletes)["name"].split(" ")[0]
    last = chance.choice(athletes)["name"].split(" ")[-1]
    sex = chance.choice(("female", "male"))
    born = BIRTHS[0] + datetime.timedelta(days=chance.randrange((BIRTHS[1] - BIRTHS[0]).days))
    return {"name": f"{first} {last}", "date_of_birth": born.isoformat(), "sex": sex,
            "height": f"{chance.gauss(*HEIGHTS[sex]):.2f}", "weight": str(round(chance.gauss(*WEIGHTS[sex])))}


def make_customers(athletes):
    chance = random.Random(SEED)
    people = [row for row in athletes if chance.random() < ATHLETE_SHARE]
    shared = len(people)
    known = {(row["name"].lower(), row["date_of_birth"]) for row in athletes}
    while len(people) < shared + OTHERS:
        person = made_up(athletes, chance)
        key = (person["name"].lower(), person["date_of_birth"])
        if key not in known:
            known.add(key)
            people.append(person)
    chance.shuffle(people)
    customers = [{**person, "customer_no": f"C{number:06d}", "name": as_exported(person["name"], chance),
                  "consent": "yes" if chance.random() < CONSENT_SHARE else "no"}
                 for number, person in enumerate(people, start=1)]
    return customers, shared


def to_csv(columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def make_files(samples):
    athletes = read_olympians(samples)
    customers, shared = make_customers(athletes)
    return Files(to_csv(ATHLETE_COLUMNS, athletes), to_csv(CUSTOMER_COLUMNS, customers), len(athletes), len(customers), shared)


class People(NamedTuple):
    matched: int
    unmatched: int


def truth(files):
    """What only somebody with both files can know: by sport and sex, how many athletes are consenting customers."""
    customers = {(row["name"].strip().lower(), row["date_of_birth"]): row
                 for row in csv.DictReader(io.StringIO(files.customers.decode())) if row["consent"] == "yes"}
    matched, sports = collections.Counter(), collections.Counter()
    for row in csv.DictReader(io.StringIO(files.athletes.decode())):
        sports[row["sport"]] += 1
        customer = customers.get((row["name"].lower(), row["date_of_birth"]))
        if customer is not None:
            matched[row["sport"], customer["sex"]] += 1
    total = {sport: matched[sport, "female"] + matched[sport, "male"] for sport in sports}
    return {group: People(people, sports[group[0]] - total[group[0]]) for group, people in sorted(matched.items())}
