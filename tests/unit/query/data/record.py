#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""record.py < STATEMENTS: adds what DuckDB's parser says about statements (one JSON string a line, as duckdb_ast_test
prints the missing ones) to duckdb_trees.txt. Each line there is the statement as a JSON string, a tab, and the answer of
json_serialize_sql, byte by byte. Needs the Python package duckdb 1.5.5."""
import json
import pathlib
import sys

import duckdb

FILE = pathlib.Path(__file__).with_name("duckdb_trees.txt")


def main():
    known = dict(line.split("\t", 1) for line in FILE.read_text().splitlines()) if FILE.exists() else {}
    connection = duckdb.connect()
    for line in sys.stdin.read().splitlines():
        statement = json.loads(line)
        answer = connection.execute("select json_serialize_sql(?)", [statement]).fetchone()[0]
        known[json.dumps(statement)] = answer
    FILE.write_text("".join(f"{statement}\t{known[statement]}\n" for statement in sorted(known)))


if __name__ == "__main__":
    main()
