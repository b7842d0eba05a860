#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_layers.py [--self-test]: reads every #include under src/ against tools/layers.txt.

Our headers are included as "part/file.h" from src/, along the edges of the list; foreign headers only where the list
has them; standard and system headers anywhere. The list itself must have no cycle. Exit 1 and a line per finding."""
import argparse
import pathlib
import re
import sys
import tempfile

from sources import ROOT, cpp_files, includes

PURE = {"query": {"base"}, "privacy": {"base"}, "keys": {"base", "crypto"}}
SYSTEM = re.compile(r"^([a-z_0-9]+|(sys|linux|netinet|arpa|net|asm|bits)/[a-z_0-9/]+\.h|[a-z_0-9]+\.h)$")


class Layers:
    def __init__(self, text):
        self.edges, self.foreign, self.problems = {}, {}, []
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) < 3 or words[0] not in ("part", "header") or words[2] != ":":
                self.problems.append(f"layers.txt:{number}: cannot read {line!r}")
            elif words[0] == "part":
                self.edges[words[1]] = set(words[3:])
            else:
                self.foreign[words[1]] = set(words[3:])
        self._check_edges()

    def _check_edges(self):
        for part, allowed in self.edges.items():
            for other in sorted(allowed - self.edges.keys()):
                self.problems.append(f"layers.txt: {part} may include {other}, which is no part")
            if part in PURE and not allowed <= PURE[part]:
                self.problems.append(f"layers.txt: {part} is pure, it sees {', '.join(sorted(PURE[part]))} only")
            if self._reaches(part, part):
                self.problems.append(f"layers.txt: {part} reaches itself")

    def _reaches(self, start, goal):
        todo, seen = list(self.edges[start]), set()
        while todo:
            part = todo.pop()
            if part == goal:
                return True
            if part not in seen:
                seen.add(part)
                todo += self.edges.get(part, ())
        return False

    def owners(self, header):
        """Who may include this foreign header: None if it is on no line; the longest prefix decides."""
        prefixes = [p for p in self.foreign if header.startswith(p)]
        return self.foreign[max(prefixes, key=len)] if prefixes else None

    def check(self, root, path, number, bracket, header):
        part = path.parts[1]
        owners = self.owners(header)
        if owners is not None:
            if part not in owners:
                return f"{header} is for {', '.join(sorted(owners)) or 'tests'} only"
        elif bracket == '"':
            other = header.split("/")[0]
            if "/" not in header or not (root / "src" / header).exists():
                return f'"{header}" is not a file under src/'
            if other != part and other not in self.edges.get(part, ()):
                return f"{part} may not include {other}"
        elif not SYSTEM.match(header):
            return f"<{header}> is neither a system header nor in layers.txt"
        return None


def findings(root):
    layers = Layers((root / "tools/layers.txt").read_text())
    found = list(layers.problems)
    files = cpp_files(root, "src")
    for path in files:
        if path.parts[1] not in layers.edges:
            found.append(f"{path}: {path.parts[1]} is no part of layers.txt")
            continue
        for number, bracket, header in includes((root / path).read_text()):
            problem = layers.check(root, path, number, bracket, header)
            if problem:
                found.append(f"{path}:{number}: {problem}")
    if not files:
        found.append("no sources found under src/")
    return found


SELF_TESTS = [  # (layers, file, text, what the finding must contain; None: no finding)
    ("part a : b\npart b :", "src/a/x.cc", '#include "b/y.h"\n#include <vector>\n#include <sys/socket.h>', None),
    ("part a :\npart b :", "src/a/x.cc", '#include "b/y.h"', "a may not include b"),
    ("part a :\npart b :", "src/a/x.cc", '// #include "b/y.h"\n/*\n#include "b/y.h"\n*/', None),
    ("part a :\npart b :", "src/a/x.cc", '#include "y.h"', "not a file under src/"),
    ("part a :\npart b :", "src/a/x.cc", '#include "b/none.h"', "not a file under src/"),
    ("part a :\nheader lib/ : b\npart b :", "src/a/x.cc", "#include <lib/z.h>", "for b only"),
    ("part a :\nheader lib/ : b\nheader lib/z : a\npart b :", "src/a/x.cc", "#include <lib/z.h>", None),
    ("part a :\npart b :", "src/a/x.cc", "#include <lib/z.h>", "neither a system header"),
    ("part a :\npart b :", "src/c/x.cc", "", "no part of layers.txt"),
    ("part a : b\npart b : a", "src/a/x.cc", "", "reaches itself"),
    ("part a : c\npart b :", "src/a/x.cc", "", "which is no part"),
    ("part query : b\npart b :\npart a :", "src/a/x.cc", "", "query is pure"),
    ("part a b\npart b :", "src/b/x.cc", "", "cannot read"),
]


def self_test():
    failed = 0
    for layers, name, text, want in SELF_TESTS:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, content in (("tools/layers.txt", layers), ("src/b/y.h", ""), (name, text)):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(content)
            found = findings(root)
        good = not found if want is None else any(want in line for line in found)
        if not good:
            failed += 1
            print(f"self-test: {name} {text!r}: wanted {want!r}, found {found}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true", help="show that each rule can fail, and do no more")
    args = parser.parse_args()
    problems = self_test()
    if args.self_test:
        print(f"{len(SELF_TESTS) - problems} passed, {problems} failed")
        return 1 if problems else 0
    found = findings(ROOT)
    print("\n".join(found) if found else "every include is along an edge of tools/layers.txt")
    return 1 if found or problems else 0


if __name__ == "__main__":
    sys.exit(main())
