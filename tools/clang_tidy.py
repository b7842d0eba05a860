#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang_tidy.py [--all] [--seconds N] [--analyzer] [--fix] BUILD_FOLDER: clang-tidy-19 over changed C++ files.

Changed means: against the branch point with origin, or, when that is this very commit, in the last commits; with what is not
committed. A header stands for a source that includes it. Files that were clean with the same text, headers and
configuration are not checked again. --fix mends includes and const, in the sources only. When the time is up, what is left is counted and named, and is no failure."""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import time

from sources import ROOT, cpp_files, includes

LAST_COMMITS = 3
# The flags of C libraries are enums whose values are joined; the order of a struct's members is for its reader.
NOT_ANALYZED = ["clang-analyzer-optin.core.EnumCastOutOfRange", "clang-analyzer-optin.performance.Padding"]


def git(*args):
    run = subprocess.run(["git", "-C", str(ROOT), *args], capture_output=True, text=True, check=False)
    return run.stdout.split("\n")[:-1] if run.returncode == 0 else []


def base_commit():
    head = git("rev-parse", "HEAD")
    for upstream in ("origin/HEAD", "origin/main"):
        base = git("merge-base", "HEAD", upstream)
        if base and base != head:
            return base[0]
    history = git("rev-list", "--first-parent", f"--max-count={LAST_COMMITS + 1}", "HEAD")
    return history[-1] if len(history) > LAST_COMMITS else None


def changed_paths():
    base = base_commit()
    if base is None:
        return None  # everything is new
    return git("diff", "--name-only", base) + git("ls-files", "--others", "--exclude-standard")


def spelling(header):
    """how it is included"""
    return "/".join(header.parts[1:] if header.parts[0] == "src" else header.parts)


def sources_for(paths, sources, texts):
    chosen = set()
    for path in map(pathlib.Path, paths):
        if path in texts and path.suffix == ".cc":
            chosen.add(path)
        elif path in texts:
            users = [s for s in sources if any(h == spelling(path) for _, _, h in includes(texts[s]))]
            twin = path.with_suffix(".cc")
            chosen.update([twin] if twin in users else users[:1])
    return sorted(chosen)


class Checker:
    def __init__(self, build, extra, texts, deadline):
        self.command = ["clang-tidy-19", "-p", build, "--quiet", *extra]
        self.texts, self.deadline = texts, deadline
        self.shared = (ROOT / ".clang-tidy").read_bytes() + repr(extra).encode()
        self.headers = {spelling(p): p for p in texts if p.suffix == ".h"}
        self.included = {}
        self.cache = ROOT / "build" / "clang-tidy"
        self.cache.mkdir(parents=True, exist_ok=True)

    def reached(self, path):
        """the project's headers that the file includes, directly or through others"""
        found, todo = set(), [path]
        while todo:
            one = todo.pop()
            if one not in self.included:
                self.included[one] = {self.headers[h] for _, _, h in includes(self.texts[one]) if h in self.headers}
            todo += self.included[one] - found
            found |= self.included[one]
        return found

    def check(self, path):
        """(path, what it found; None: not looked at, time is up)"""
        digest = hashlib.sha256(self.shared)
        for part in [path, *sorted(self.reached(path))]:
            digest.update(f"\0{part}\0{self.texts[part]}".encode())
        key = digest.hexdigest()
        if (self.cache / key).exists():
            return path, ""
        left = self.deadline - time.monotonic()
        if left <= 0:
            return path, None
        try:
            run = subprocess.run([*self.command, str(ROOT / path)], capture_output=True, text=True, timeout=left, check=False)
        except subprocess.TimeoutExpired:
            return path, None
        found = "\n".join(line for line in run.stdout.splitlines() if re.search(r": (warning|error):", line))
        if run.returncode != 0 and not found:
            found = run.stdout + run.stderr
        if not found:
            (self.cache / key).touch()
        return path, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--analyzer", action="store_true", help="clang's static analyzer instead, over the product")
    parser.add_argument("--fix", action="store_true", help="add and remove includes, add const, where clang-tidy knows how")
    parser.add_argument("--seconds", type=float, default=1e6)
    parser.add_argument("build", help="a folder with compile_commands.json made for clang")
    args = parser.parse_args()
    sources = [p for p in cpp_files(ROOT, "src", "tests") if p.suffix == ".cc"]
    texts = {p: (ROOT / p).read_text() for p in cpp_files(ROOT, "src", "tests")}
    compiled = (pathlib.Path(args.build) / "compile_commands.json").read_text()
    # The tests' macros would take most of the analyzer's time.
    sources = [s for s in sources if f'"{ROOT / s}"' in compiled and not (args.analyzer and s.parts[0] == "tests")]
    changed = None if args.all else changed_paths()
    chosen = sources if changed is None else [s for s in sources_for(changed, sources, texts) if s in sources]
    chosen = chosen or [s for s in sources if s.parts[:2] == ("src", "base")]
    extra = [f"--checks=-*,clang-analyzer-*,-{',-'.join(NOT_ANALYZED)}"] if args.analyzer else []
    if args.fix:
        extra = ["--checks=-*,misc-include-cleaner,misc-const-correctness", "--fix", "--format-style=file", "--header-filter=^$"]
    checker = Checker(args.build, extra, texts, time.monotonic() + args.seconds)
    # An order that differs between commits, so that a limit on time does not leave out the same files each time.
    salt = "".join(git("rev-parse", "HEAD"))
    chosen.sort(key=lambda p: hashlib.sha256(f"{salt}{p}".encode()).digest())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(checker.check, chosen))
    left = [str(p) for p, found in results if found is None]
    bad = [found for _, found in results if found]
    print("\n".join(bad).replace(f"{ROOT}/", ""))
    if left:
        print(f"not looked at, the time was up: {len(left)} files ({', '.join(left[:5])}, ...)")
    print(f"{len(results) - len(left) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


sys.exit(main())
