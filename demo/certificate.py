# SPDX-License-Identifier: Apache-2.0
"""The plan certificate in words."""


def short(name):
    """"insurer's sex" of "insurer.members.customers.sex", quotes aside."""
    parts = name.replace('"', "").split(".")
    return f"{parts[0]}'s {parts[-1]}"


def key_in_words(key):
    if "own_dimension" in key:
        return short(key["own_dimension"])
    return short(key["dimension"]) + (f" by {key['step']}" if "step" in key else "")


def aggregate_in_words(aggregate):
    measures = [branch["measure"] for branch in aggregate["branches"] if "measure" in branch]
    return aggregate["aggregate"] + (f" of {short(measures[0])}" if measures else "")


def joined(items):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def in_words(certificate):
    """A few sentences for each output."""
    roles = {item["asset"]: item["role"] for item in certificate["inputs"]}
    for output in certificate["outputs"]:
        for index in output["released"]:
            query = certificate["governed"][index]
            population = query["population"]
            tables = joined(f"{table['asset']} ({roles[table['asset']]})" for table in population["tables"])
            keys = joined(f"{short(left)} = {short(right)}" for left, right in population["joins"])
            minimum = joined(f"{units} people of {asset.split('.')[0]}" for asset, units in query["minimum_units"].items())
            yield output["name"], (
                f"Rows of {tables}, joined where {keys}, grouped by {joined(map(key_in_words, query['group_by']))}. "
                f"Released: {joined(map(aggregate_in_words, query['aggregates']))}. "
                f"Every cell holds at least {minimum}; where the federation's own list shapes a group, as many of it must be "
                f"matched, and as many unmatched. Every cell is compared with all that was released before. "
                f"Rules applied: {', '.join(sorted(query['rules'], key=lambda rule: int(rule[1:])))}.")
