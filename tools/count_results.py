#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count_results.py FOLDER: reads the JUnit XML files of GoogleTest and pytest in it, names what failed, and ends with
'N passed, M failed'. A file that cannot be read, left by a program that died, is a failure."""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    passed, failed = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is None and case.get("status") != "notrun" and case.get("result") != "skipped":
            passed += 1
    return passed, failed


def main():
    passed, failed = 0, []
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.xml")):
        try:
            more, bad = count(path)
        except ElementTree.ParseError:
            more, bad = 0, [f"{path.name}: the program died"]
        passed += more
        failed += bad
    for name in failed:
        print("failed:", name)
    print(f"{passed} passed, {len(failed)} failed")


main()
