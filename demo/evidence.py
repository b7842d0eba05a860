# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle: verified by the program, and changed by a byte."""

import pathlib
import tarfile
from typing import NamedTuple

import server

ENTRIES_PER_TILE = 256


class Report(NamedTuple):
    exit_code: int
    text: str


def verify(bundle, pin, entries):
    """`glovebox audit verify`: against the identity that was noted, and the number of entries that there must be."""
    done = server.run_glovebox("audit", "verify", bundle, "--pin", pin, "--min-size", entries)
    return Report(done.returncode, done.stdout + done.stderr)


def replan(bundle, pin, entries):
    """`glovebox audit replan`: the same, and the plan certificate of every run computed again."""
    done = server.run_glovebox("audit", "replan", bundle, "--pin", pin, "--min-size", entries)
    return Report(done.returncode, done.stdout + done.stderr)


def lines_about(report, entry):
    return [line for line in report.splitlines() if f"entry {entry}" in line]


def _tile_of(folder, entry):
    tiles = sorted(path for path in folder.glob("**/log/tile/entries/**/*") if path.is_file())
    number, place = divmod(entry, ENTRIES_PER_TILE)
    return tiles[number], place


def unpack(bundle, folder):
    """The files of a bundle."""
    # tarfile's own filter came with Python 3.11.4; Debian 12 has 3.11.2.
    with tarfile.open(bundle) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            path = (folder / member.name).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise ValueError(f"{member.name} is outside the bundle")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tar.extractfile(member).read())


def flip_a_byte(bundle, entry, work):
    """A copy of the bundle, as a folder, in which a byte of one entry's text is another."""
    unpack(bundle, work)
    tile, place = _tile_of(work, entry)
    content = bytearray(tile.read_bytes())
    offset = 0
    for _ in range(place):
        offset += 2 + int.from_bytes(content[offset:offset + 2], "big")
    size = int.from_bytes(content[offset:offset + 2], "big")
    content[offset + 2 + size // 2] ^= 1
    tile.write_bytes(content)
    folders = list(work.iterdir())
    return folders[0] if len(folders) == 1 and folders[0].is_dir() else pathlib.Path(work)
