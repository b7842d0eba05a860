# SPDX-License-Identifier: Apache-2.0
"""What the checks of tools/ share: where the sources are, and C++ text without its comments and literals."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<tag>[^(\s"]*)\((?:.*?)\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*'", re.S)


def cpp_files(root, *folders):
    """The .h and .cc files under these folders of root, sorted, as paths relative to root."""
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in (".h", ".cc") and path.is_file():
                found.append(path.relative_to(root))
    return sorted(found)


def blank(text, *, comments=True, literals=True):
    """text with comments and the inside of literals blanked; line breaks stay, so that positions keep their lines."""
    def erase(match):
        piece = match.group(0)
        is_comment = piece.startswith("/")
        if (is_comment and not comments) or (not is_comment and not literals):
            return piece
        inner = re.sub(r"[^\n]", " ", piece)
        return inner if is_comment else piece[0] + inner[1:-1] + piece[-1]
    return _TOKEN.sub(erase, text)


def includes(text):
    """(line number, '<' or '"', header) of each #include outside of comments."""
    out = []
    for number, line in enumerate(blank(text, literals=False).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            out.append((number, match.group(1), match.group(2)))
    return out
