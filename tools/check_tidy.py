#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_tidy.py [--self-test]: rules of this code base that no compiler knows. Exit 1 and a line per finding.

Sizes (functions of 70 lines, files of 600), banned words and calls with the only files that may have them, what the pure
parts must not touch, SPDX and #pragma once, a README in every part, no header that nobody includes."""
import argparse
import pathlib
import re
import sys
import tempfile

from sources import ROOT, blank, cpp_files, includes

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
PURE_PARTS = ("query", "privacy", "keys")
PURE_BANNED_HEADERS = re.compile(
    r"^(fstream|iostream|filesystem|thread|random|ctime|future|unistd\.h|fcntl\.h|sys/.*|netinet/.*"
    r"|base/(file|log)\.h)$")

# (what it looks like in code, the paths under src/ that may have it, why not elsewhere)
BANNED = [
    (r"\bco_(await|yield|return)\b", (), "g++ 12 miscompiles coroutines"),
    (r"\b(mt19937(_64)?|random_device|minstd_rand0?|default_random_engine)\b|\b(std::)?s?rand\(", ("base/random",),
     "randomness comes from base/random.h"),
    (r"\bsteady_clock\b", ("base/clock", "http/", "engine/worker/"), "time comes from base/clock.h; only timers of I/O are their own"),
    (r"\b(system|high_resolution|utc)_clock\b|\bgettimeofday\(|\bclock_gettime\(|\btime\((nullptr|NULL|0|&)",
     ("base/clock",), "time comes from base/clock.h"),
    (r"\bstd::(cout|cerr|clog)\b|\b(std::)?f?printf\(|\b(std::)?f?puts\(", ("base/log", "base/assert", "cli/", "app/"),
     "output is the log's, or the command line's"),
    (r"\b(std::|secure_)?getenv\(", ("cli/", "app/", "base/kill_point"), "the environment is read by the command line only"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|alloca|system|popen|tmpnam|mktemp)\(", (),
     "there is a safe way"),
    (r"(?<!operator )\bnew\s+[A-Za-z_(:]", ("engine/duckdb/",), "values, then std::make_unique (or unique_ptr<T>(new T) for a private one)"),
    (r"(?<!= )\bdelete\b\s*(\[\])?\s*[A-Za-z_(*]", ("engine/duckdb/",), "owners are unique_ptr"),
    (r"\b(malloc|calloc|realloc)\(", ("engine/duckdb/",), "values, then std::make_unique"),
    (r"(?<!static_)(?<![A-Z_])\bassert\(", (), "GB_ASSERT holds in every build"),
    (r"\bthrow\b", (), "errors are values (base/result.h)"),
    (r"\bsleep_(for|until)\(|\bu?sleep\(", ("cli/",), "wait for the event, not for time"),
    (r"\bstd::regex\b", (), "its time and stack depend on the input"),
    (r"\bconst_cast\b", (), "ask for what you need"),
    (r"\bdynamic_pointer_cast\b|\bstd::shared_ptr<void>", (), "say the type"),
]
BANNED = [(re.compile(pattern), owners, why) for pattern, owners, why in BANNED]
# Bounds on what comes from outside are in one place; a bound that a format or a library fixes stays where it is used.
BOUNDED_PARTS = ("api", "app", "catalog", "cli", "http", "room", "statement")
BOUND = re.compile(r"\bconstexpr\b[^=;]*\bk\w+(Max|PageSize|AtOnce)\s*=(?!.*\blimits::)")
FIXED_BOUNDS = {"kProcessIdBytesMax", "kDaysMax", "kNamePartsMax", "kShownBytesMax"}
OWNED_NEW = re.compile(r"unique_ptr<[^;]*>\s*(\w+\s*)?[({]\s*new\b")
UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
NAKED_NOLINT = re.compile(r"NOLINT(NEXTLINE|BEGIN|END)?(?!\w)(?!\([a-z0-9.,\- ]+\))")
TYPE_SCOPE = re.compile(r"(^|\s)(namespace|class|struct|union|enum|extern)\b")


def functions(code):
    """(first line, last line) of each outermost body in code without comments and literals."""
    stack, out = [], []
    start, line, previous_was_body = 0, 1, False
    for position, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            head = code[start:position].strip()
            inside = any(kind == "body" for kind, _ in stack)
            stack.append(("nested" if inside else _kind(head, previous_was_body), line))
            start = position + 1
        elif char == "}" and stack:
            kind, first = stack.pop()
            if kind == "body":
                out.append((first, line))
            previous_was_body = kind == "body"
            start = position + 1
        elif char == ";" and not any(kind == "body" for kind, _ in stack):
            start, previous_was_body = position + 1, False
    return out


def _kind(head, after_body):
    if head == "" or head.startswith(","):
        return "body" if after_body else "scope"  # the rest of a constructor's initialisers, or a table's row
    if TYPE_SCOPE.search(head) and not head.endswith(")") and not re.search(r"\)\s*(const|noexcept|override|->.*)$", head):
        return "scope"
    return "body" if "(" in head and not head.endswith(("=", "(", ",")) else "scope"


def check_text(path, text):
    """Rules for every text file of ours."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if UNDONE.search(line):
            yield f"{path}:{number}: something left undone: {line.strip()[:60]}"
        if line.endswith((" ", "\t", "\r")):
            yield f"{path}:{number}: space at the end of the line"
    if text and not text.endswith("\n"):
        yield f"{path}:{len(lines)}: no newline at the end"
    if path.suffix != ".md" and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:2]):
        yield f"{path}:1: the first line (after #!) names the licence: SPDX-License-Identifier: Apache-2.0"
    if path.suffix != ".md" and len(lines) - 1 > FILE_LINES_MAX:
        yield f"{path}: {len(lines) - 1} lines, at most {FILE_LINES_MAX}"


def check_cpp(path, text):
    code = blank(text)
    for number, line in enumerate(text.split("\n"), 1):
        if NAKED_NOLINT.search(line):
            yield f"{path}:{number}: NOLINT names the check that it silences"
    for first, last in functions(code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield f"{path}:{first}: a function of {last - first + 1} lines, at most {FUNCTION_LINES_MAX}"
    if path.suffix == ".h":
        if "#pragma once" not in code:
            yield f"{path}:1: a header has #pragma once"
        if re.search(r"^\s*using namespace\b", code, re.M):
            yield f"{path}: no using namespace in a header"
    if path.parts[0] == "src":
        yield from check_product(path, code, text)


def check_product(path, code, text):
    inside = "/".join(path.parts[1:])
    for number, line in enumerate(code.split("\n"), 1):
        for pattern, owners, why in BANNED:
            match = pattern.search(line)
            if match and not inside.startswith(owners or ("\0",)) and not OWNED_NEW.search(line):
                yield f"{path}:{number}: {match.group(0).strip()}: {why}"
        if path.parts[1] in BOUNDED_PARTS and BOUND.search(line) and not FIXED_BOUNDS & set(re.findall(r"\w+", line)):
            yield f"{path}:{number}: bounds are in base/limits.h"
    for number, _, header in includes(text):
        if path.parts[1] in PURE_PARTS and PURE_BANNED_HEADERS.match(header):
            yield f"{path}:{number}: {path.parts[1]} is pure, it may not include {header}"
        if path.suffix == ".h" and header in ("iostream", "regex"):
            yield f"{path}:{number}: <{header}> is too heavy for a header"


def check_tree(root, files):
    parts = sorted({p.parts[1] for p in files if p.parts[0] == "src" and len(p.parts) > 2})
    for part in parts:
        if not (root / "src" / part / "README.md").is_file():
            yield f"src/{part}: a part says in README.md what it is"
    included = {header for p in files for _, _, header in includes((root / p).read_text())}
    for path in files:
        if path.parts[0] == "src" and path.suffix == ".h" and "/".join(path.parts[1:]) not in included:
            yield f"{path}: nobody includes it"


def findings(root):
    found = []
    cpp = cpp_files(root, "src", "tests", "bench")
    for path in cpp:
        text = (root / path).read_text()
        found += check_text(path, text)
        found += check_cpp(path, text)
    found += check_tree(root, cpp)
    for folder in ("tools", "tests", "cmake", "docs", "src", "bench", "changes"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".sh", ".md", ".cmake") and path.is_file() and "node_modules" not in path.parts:
                found += check_text(path.relative_to(root), path.read_text())
    if not cpp:
        found.append("no sources found")
    return found


HEAD = "// SPDX-License-Identifier: Apache-2.0\n"
LONG_BODY = "  Call();\n" * (FUNCTION_LINES_MAX - 1)
SELF_TESTS = [  # (file, text, what the finding must contain; None: no finding)
    ("src/base/x.cc", HEAD + "int F() { return 1; }\n", None),
    ("src/base/x.cc", "int F() { return 1; }\n", "names the licence"),
    ("src/base/x.cc", HEAD + "int F() { return 1; } \n", "space at the end"),
    ("src/base/x.cc", HEAD + "int F() { return 1; }", "no newline"),
    ("src/base/x.cc", HEAD + "int x = 1;\n" * FILE_LINES_MAX, f"at most {FILE_LINES_MAX}"),
    ("src/base/x.cc", HEAD + "void F() {\n" + LONG_BODY[10:] + "}\n", None),
    ("src/base/x.cc", HEAD + "void F() {\n" + LONG_BODY + "}\n", "a function of 71 lines"),
    ("src/base/x.cc", HEAD + "namespace a {\nclass B {\n  void F() const {\n" + LONG_BODY + "  }\n};\n}\n", "a function of 71"),
    ("src/base/x.cc", HEAD + "B::B(int x) : a_{1}, b_(x) {\n" + LONG_BODY + "}\n", "a function of 71 lines"),
    ("src/base/x.cc", HEAD + "B::B() : a_{1} {\n" + LONG_BODY + "}\n", "a function of 71 lines"),
    ("src/base/x.cc", HEAD + "auto F() -> struct X {\n" + LONG_BODY + "}\n", "a function of 71 lines"),
    ("src/base/x.cc", HEAD + "constexpr int kTable[] = {\n" + LONG_BODY + "};\n", None),
    ("src/base/x.cc", HEAD + "constexpr auto kTable = std::to_array<Row>({\n" + LONG_BODY + "});\n", None),
    ("src/base/x.cc", HEAD + "// an } in a comment\nconst char* a = \"{\";\nvoid F() {}\n" + "int a;\n" * 90, None),
    ("src/base/x.h", HEAD + "int x;\n", "#pragma once"),
    ("src/base/x.h", HEAD + "#pragma once\n", "nobody includes it"),
    ("src/base/x.h", HEAD + "#pragma once\nusing namespace std;\n", "using namespace"),
    ("src/base/x.h", HEAD + "#pragma once\n#include <iostream>\n", "too heavy"),
    ("src/base/x.cc", HEAD + "// TO" + "DO: more\n", "left undone"),
    ("src/base/x.cc", HEAD + "int x;  // NOLINT\n", "NOLINT names"),
    ("src/base/x.cc", HEAD + "int x;  // NOLINT(misc-x)\n", None),
    ("src/base/x.cc", HEAD + "auto x = co_await F();\n", "coroutines"),
    ("src/base/x.cc", HEAD + 'Say("do not co_await");  // std::cout\n', None),
    ("src/base/x.cc", HEAD + "std::mt19937 g;\n", "randomness"),
    ("src/base/random.cc", HEAD + "std::random_device g;\n", None),
    ("src/room/x.cc", HEAD + "auto t = std::chrono::system_clock::now();\n", "base/clock.h"),
    ("src/room/x.cc", HEAD + "std::cout << 1;\n", "output"),
    ("src/room/x.cc", HEAD + 'std::printf("x");\n', "output"),
    ("src/cli/x.cc", HEAD + "std::cout << 1;\n", None),
    ("src/room/x.cc", HEAD + "auto* p = new Room();\n", "make_unique"),
    ("src/room/x.cc", HEAD + "return std::unique_ptr<Room>(new Room());\n", None),
    ("src/room/x.cc", HEAD + "delete p;\n", "unique_ptr"),
    ("src/room/x.cc", HEAD + "Room(const Room&) = delete;\nbool Gone() { return deleted; }\n", None),
    ("src/http/x.cc", HEAD + "auto t = std::chrono::steady_clock::now();\n", None),
    ("src/room/x.cc", HEAD + "auto t = std::chrono::steady_clock::now();\n", "base/clock.h"),
    ("src/room/x.cc", HEAD + "auto t = std::getenv(x);\n", "the environment"),
    ("src/room/x.cc", HEAD + "throw 1;\n", "errors are values"),
    ("src/room/x.cc", HEAD + "assert(x);\n", "GB_ASSERT"),
    ("src/room/x.cc", HEAD + "static_assert(x);\n", None),
    ("src/room/x.cc", HEAD + "std::this_thread::sleep_for(x);\n", "wait for"),
    ("src/query/x.cc", HEAD + "#include <fstream>\n", "is pure"),
    ("src/query/x.cc", HEAD + '#include "base/file.h"\n', "is pure"),
    ("src/room/x.cc", HEAD + "#include <fstream>\n", None),
    ("src/room/x.cc", HEAD + "constexpr std::size_t kThingsMax = 7;\n", "base/limits.h"),
    ("src/room/x.cc", HEAD + "constexpr std::size_t kThingsMax = limits::kOthersMax * 2;\n", None),
    ("src/query/x.cc", HEAD + "constexpr int kDigitsMax = 38;\n", None),
    ("src/noreadme/x.cc", HEAD, "README.md"),
]


def self_test():
    failed = 0
    for name, text, want in SELF_TESTS:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / name).parent.mkdir(parents=True)
            if "noreadme" not in name:
                (root / name).with_name("README.md").write_text("It is.\n")
            (root / name).write_text(text)
            found = findings(root)
        good = not found if want is None else any(want in line for line in found)
        if not good:
            failed += 1
            print(f"self-test: {name} {text[len(HEAD):][:60]!r}: wanted {want!r}, found {found[:3]}")
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
    print("\n".join(found) if found else "nothing to tidy up")
    return 1 if found or problems else 0


if __name__ == "__main__":
    sys.exit(main())
