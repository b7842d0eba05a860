#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutate.py [--seconds N] [--seed S] [--show] [PLACE...]: do the unit tests notice when the code is wrong?

Changes one place of a part's sources at a time (a bound moved by one, a guard that never holds, an error that is not passed
on, ...), runs the part's unit tests, and names the mutants that survived them. PLACE is a part, FILE or FILE:LINE. It is a
sample, in an order that differs between commits or by --seed, and stops when the time, which does not count the first
build, is up; every part gets as much of it. Mutants that do not compile do not count. Survivors are failures where a part
kills a smaller share than PARTS asks for: some mutants are no different from the original. Works on a copy of the sources
in build/mutation. --show names the killed ones too."""
import argparse
import collections
import contextlib
import fcntl
import hashlib
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from sources import ROOT, blank, cpp_files

# The share of its mutants that a part's tests kill, as it was measured. A sample may have fewer, by so many deviations.
# Much of what query does is tested by scenarios, which take too long for this.
PARTS = {"base": 0.8, "crypto": 0.95, "ledger": 0.7, "privacy": 0.95, "query": 0.6}
DEVIATIONS = 3
WORK = ROOT / "build" / "mutation"
TREE, BUILD = WORK / "tree", WORK / "build"
COPIED = ["src", "tests", "cmake", "CMakeLists.txt", "CMakePresets.json", "tools/layers.txt"]
# A mutant may loop, or fill the memory or the disk.
MEMORY_MAX, FILE_MAX, CPU_SECONDS_MAX = 4 << 30, 1 << 30, 600
SLOWER_BY = 10

# What stands there, with spaces around what could be a template's bracket or a reference, and what comes instead.
RULES = [(re.compile(pattern), instead) for pattern, instead in [
    (r"(?<= )<(?=\s)", "<="), (r"(?<= )<=(?=\s)", "<"), (r"(?<= )>(?=\s)", ">="), (r"(?<= )>=(?=\s)", ">"),
    (r"(?<= )==(?=\s)", "!="), (r"(?<= )!=(?=\s)", "=="), (r"(?<= )&&(?=\s)", "||"), (r"(?<= )\|\|(?=\s)", "&&"),
    (r" [+-] 1\b(?![.'])", ""), (r"(?<= )\+(?= 1\b)", "-"), (r"(?<= )-(?= 1\b)", "+"), (r"(?<= )\+=(?= [\w.>-]+;)", "-="),
    (r"\breturn true;", "return false;"), (r"\breturn false;", "return true;"), (r"\b(?:continue|break);", ";"),
    (r"(?<=[( ])!(?=[\w(])", ""), (r"(?<=\bif \()(?=[^;{]*\{)", "false && "), (r"\bGB_RETURN_IF_ERROR(?=\()", "(void)")]]
NOT_THERE = re.compile(r"^\s*(?:#|template\b|static_assert\b|using\b)|\boperator\b|->\s*decltype")

Mutant = collections.namedtuple("Mutant", "part path line start end instead")


def without_asserts(code):
    """Our own invariants never fail: a mutant there shows nothing."""
    for match in re.finditer(r"\bGB_ASSERT\(", code):
        end, depth = match.end(), 1
        while depth > 0 and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        code = code[:match.start()] + re.sub(r"[^\n]", " ", code[match.start():end]) + code[end:]
    return code


def mutants_of(part, path, text):
    out, start = [], 0
    code = without_asserts(blank(text))
    for number, line in enumerate(code.splitlines(keepends=True), 1):
        if not NOT_THERE.search(line):
            for pattern, instead in RULES:
                for match in pattern.finditer(line):
                    out.append(Mutant(part, path, number, start + match.start(), start + match.end(), instead))
        start += len(line)
    return out


def sampled(mutants, seed):
    """In an order that the seed decides, the files in turn."""
    files = collections.defaultdict(list)
    for mutant in sorted(mutants, key=lambda m: hashlib.sha256(f"{seed} {m}".encode()).digest()):
        files[mutant.path].append(mutant)
    turns = sorted((turn, place, mutant) for place, of_file in enumerate(files.values()) for turn, mutant in enumerate(of_file))
    return [mutant for _, _, mutant in turns]


def copy_sources():
    """The sources as they are, written only where they differ so that what was built stays built."""
    wanted = set()
    for name in COPIED:
        source = ROOT / name
        for path in [source] if source.is_file() else filter(pathlib.Path.is_file, source.rglob("*")):
            target = TREE / path.relative_to(ROOT)
            wanted.add(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_file() or target.read_bytes() != path.read_bytes():
                shutil.copy(path, target)
    for path in [path for path in TREE.rglob("*") if path.is_file() and path not in wanted]:
        path.unlink()


def limit():
    for kind, most in [(resource.RLIMIT_AS, MEMORY_MAX), (resource.RLIMIT_FSIZE, FILE_MAX), (resource.RLIMIT_CORE, 0),
                       (resource.RLIMIT_CPU, CPU_SECONDS_MAX)]:
        hard = resource.getrlimit(kind)[1]  # stays: there are tests that set limits, and lift them
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def run(command, seconds=None, preexec=None, **variables):
    """(exit status or None when the time was up, output); nothing of it runs on."""
    with subprocess.Popen(command, cwd=TREE, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=preexec) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
            return process.returncode, output.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def build(*parts, **variables):
    jobs = str(len(os.sched_getaffinity(0)))
    return run(["ninja", "-C", str(BUILD), "-j", jobs, *(f"{part}_test" for part in parts)], **variables)


def tests_pass(part, seconds, *options):
    command = [str(BUILD / f"{part}_test"), "--gtest_brief=1", *options]
    with tempfile.TemporaryDirectory(dir=WORK, ignore_cleanup_errors=True) as temporary:
        status, output = run(command, seconds, limit, TMPDIR=temporary, TEST_TMPDIR=temporary)
    return status == 0, output


def prepare(parts):
    """Builds the copy and runs its tests; the seconds that each part's take, None after it said what is wrong."""
    cache = BUILD / "CMakeCache.txt"
    if cache.is_file() and f"CMAKE_HOME_DIRECTORY:INTERNAL={TREE}\n" not in cache.read_text():
        shutil.rmtree(BUILD)  # of a checkout in another place
    # As quick to compile as to run; a warning about a mutant is no reason not to try it.
    flags = ["-DCMAKE_CXX_FLAGS=-O1 -w", "-DGLOVEBOX_WERROR=OFF", f"-DGLOVEBOX_DUCKDB_DIR={ROOT}/build/deps/duckdb"]
    status, output = run(["cmake", "--preset", "dev", "-B", str(BUILD), *flags])
    if status == 0:
        status, output = build(*parts)
    if status != 0:
        print(f"{output[-4000:]}\nthe sources do not build as they are")
        return None
    seconds = {}
    for part in parts:
        start = time.monotonic()
        passes, output = tests_pass(part, CPU_SECONDS_MAX)
        seconds[part] = time.monotonic() - start
        if not passes:
            print(f"{output[-4000:]}\n{part}_test fails before anything is changed")
            return None
    return seconds


def verdict(mutant, test_seconds):
    """'killed', 'survived', or 'not compiled'"""
    path = TREE / mutant.path
    text = path.read_text()
    path.write_text(text[:mutant.start] + mutant.instead + text[mutant.end:])
    try:
        # A compiler cache gives back the original, and keeps no mutants.
        if build(mutant.part, CCACHE_READONLY="1")[0] != 0:
            return "not compiled"
        return "survived" if tests_pass(mutant.part, 5 + SLOWER_BY * test_seconds, "--gtest_fail_fast")[0] else "killed"
    finally:
        path.write_text(text)


def describe(mutant, text):
    first = text.rfind("\n", 0, mutant.start) + 1
    last = text.find("\n", mutant.end)
    after = text[first:mutant.start] + mutant.instead + text[mutant.end:last]
    return f"{mutant.path}:{mutant.line}\n  - {text[first:last].strip()}\n  + {after.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default="", help="the commit if not given")
    parser.add_argument("--show", action="store_true", help="name the killed ones too")
    parser.add_argument("places", nargs="*", metavar="PLACE", help=f"of {', '.join(PARTS)}")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    lock = (WORK / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"mutate: another one works in {WORK}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("mutate: ended"))  # and with it what it started
    copy_sources()
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout
    places = args.places or list(PARTS)
    texts, chosen = {}, []
    for path in (p for p in cpp_files(TREE, "src") if p.suffix == ".cc" and p.parts[1] in PARTS):
        texts[path] = (TREE / path).read_text()
        chosen += [m for m in mutants_of(path.parts[1], path, texts[path])
                   if {m.part, str(path), f"{path}:{m.line}"}.intersection(places)]
    waiting = {part: sampled([m for m in chosen if m.part == part], args.seed or head.strip()) for part in PARTS}
    parts = [part for part in PARTS if waiting[part]]
    if not parts:
        parser.error("there is nothing to change in these places")
    test_seconds = prepare(parts)
    if test_seconds is None:
        print("0 passed, 1 failed")
        return 1

    spent = dict.fromkeys(parts, 0.0)
    verdicts = {part: collections.Counter() for part in parts}
    while sum(spent.values()) < args.seconds and any(waiting.values()):
        part = min((p for p in parts if waiting[p]), key=spent.get)
        mutant, start = waiting[part].pop(0), time.monotonic()
        became = verdict(mutant, test_seconds[part])
        spent[part] += time.monotonic() - start
        verdicts[part][became] += 1
        if args.show or became == "survived":
            print(f"{became}: {describe(mutant, texts[mutant.path])}", flush=True)
    passed = failed = 0
    for part, counts in verdicts.items():
        counted = counts["killed"] + counts["survived"]
        slack = DEVIATIONS * math.sqrt(counted * PARTS[part] * (1 - PARTS[part]))
        good = counted > 0 and counts["killed"] >= counted * PARTS[part] - slack
        print(f"{part}: {counts['killed']} of {counted} mutants killed (at least {counted * PARTS[part] - slack:.0f} are asked "
              f"for), {counts['not compiled']} did not compile, {len(waiting[part])} were not tried, "
              f"{spent[part] / max(counts.total(), 1):.1f} s each")
        passed += counts["killed"]
        failed += 0 if good else max(counts["survived"], 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
