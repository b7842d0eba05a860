# SPDX-License-Identifier: Apache-2.0
"""How the demo tells: sections, paragraphs, who sees what, tables."""

import os
import sys
import textwrap

WIDTH = 100
WITHHELD = "·"


class Story:
    def __init__(self, out=sys.stdout):
        self._out = out
        self._styled = out.isatty() and "NO_COLOR" not in os.environ
        self._sections = 0

    def _style(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._styled else text

    def line(self, text=""):
        self._out.write(text.rstrip() + "\n")
        self._out.flush()

    def title(self, text, subtitle):
        self.line()
        self.line(self._style("1", text))
        self.line(subtitle)

    def section(self, text):
        self._sections += 1
        self.line()
        self.line(self._style("1", f"{self._sections}  {text}"))
        self.line("-" * WIDTH)

    def tell(self, text):
        for line in textwrap.wrap(" ".join(text.split()), WIDTH):
            self.line(line)

    def says(self, who, text):
        """What somebody does, sees or is told; the name stands in a column of its own."""
        lines = textwrap.wrap(" ".join(text.split()), WIDTH - 14)
        for number, line in enumerate(lines):
            self.line(self._style("36", f"  {who if number == 0 else '':<12}") + line)

    def code(self, text):
        for line in text.strip("\n").splitlines():
            self.line("    " + self._style("2", line))

    def table(self, columns, rows, numbers=(), indent=4):
        """Aligned text; a cell that is None shows as withheld, columns in `numbers` are flush right."""
        cells = [[WITHHELD if value is None else str(value) for value in row] for row in rows]
        widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
        right = [name in numbers for name in columns]

        def laid_out(row):
            return " " * indent + "  ".join(
                text.rjust(width) if flush else text.ljust(width) for text, width, flush in zip(row, widths, right, strict=True))

        self.line(laid_out(columns))
        self.line(" " * indent + "  ".join("-" * width for width in widths))
        for row in cells:
            self.line(laid_out(row))
