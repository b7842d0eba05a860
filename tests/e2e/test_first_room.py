# SPDX-License-Identifier: Apache-2.0
"""docs/first-room.md, as it stands: its commands are taken from the page and run, in one shell and one Python session."""

import os
import re
import socket
import subprocess
import sys

from server import BINARY, ROOT

BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script_of(page, folder):
    """One bash script. Python blocks are one session: none of the shell stands between them."""
    kinds = [kind for kind, _ in BLOCK.findall(page)]
    first, last = kinds.index("python"), len(kinds) - 1 - kinds[::-1].index("python")
    assert set(kinds[first:last + 1]) == {"python"}
    session = folder / "session.py"
    session.write_text("\n".join(text for kind, text in BLOCK.findall(page) if kind == "python"))
    parts = [text for kind, text in BLOCK.findall(page)]
    return "\n".join(["set -euo pipefail", *parts[:first], f'"{sys.executable}" "{session}"', *parts[last + 1:]])


def test_the_page_works(tmp_path):
    page = (ROOT / "docs" / "first-room.md").read_text()
    # The set-up is done, the built program stands for the wrapper, which would build again, and the port is free.
    for line in ("./glovebox setup demo\n", "source build/deps/venv/bin/activate\n"):
        assert page.count(line) == 1
        page = page.replace(line, "")
    page = page.replace("./glovebox ", f'"{BINARY}" ').replace("127.0.0.1:8080", f"127.0.0.1:{free_port()}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABRICKS_")}
    done = subprocess.run(["bash", "-c", script_of(page, tmp_path)], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
                          env={**environment, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CleanRoomStatusEnum.ACTIVE" in done.stdout and "RELEASED results.run_" in done.stdout
    released = re.findall(r"^\['(\w+)', '(\d+)', ", done.stdout, re.MULTILINE)
    assert [segment for segment, _ in released] == ["budget", "premium", "standard"]
    assert all(int(people) >= 50 for _, people in released)
    assert "VALID" in done.stdout and "INVALID" not in done.stdout
    [exported] = tmp_path.glob("*/by_segment.parquet")
    assert exported.read_bytes()[:4] == b"PAR1"
