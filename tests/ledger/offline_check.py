#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent check of an evidence bundle: Python's standard library and the openssl command, nothing of the product.

    python3 offline_check.py BUNDLE [PIN]        exit 0 valid, 1 invalid
    BUNDLE=path [PIN=hash] pytest offline_check.py

BUNDLE is a folder or a tar archive; PIN is the SHA-256 of entry 0 as noted elsewhere. Checked: the manifests, entry 0
against the origin, the tree against the entries and every tile, the signature of the log and the cosignature of
every collaborator, and the signature of every statement by a key that the log names.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TILE = 256


class Invalid(Exception):
    pass


def need(condition, message):
    if not condition:
        raise Invalid(message)


def sha256(data):
    return hashlib.sha256(data).digest()


def b64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 is not canonical")
    return data


def root_of(hashes):
    """RFC 6962 with a stack: equal neighbours merge, what is left over merges from the right."""
    stack = []
    for value in hashes:
        size = 1
        while stack and stack[-1][1] == size:
            value = sha256(b"\x01" + stack.pop()[0] + value)
            size *= 2
        stack.append((value, size))
    if not stack:
        return sha256(b"")
    value = stack.pop()[0]
    while stack:
        value = sha256(b"\x01" + stack.pop()[0] + value)
    return value


def ed25519_verifies(public_key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + public_key)
        (at / "message").write_bytes(message)
        (at / "signature").write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", at / "key", "-rawin"]
        result = subprocess.run(
            [*command, "-in", at / "message", "-sigfile", at / "signature"], capture_output=True, check=False
        )
        return result.returncode == 0


def parse_vkey(text):
    name, key_id, key = text.split("+", 2)
    key = b64(key)
    need(len(key) == 33, "a verifier key has a wrong length")
    need(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "the id of a verifier key is wrong")
    return name, bytes.fromhex(key_id), key[0], key[1:]


def read_bundle(path):
    path = Path(path)
    if path.is_dir():
        return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    with tarfile.open(path) as archive:
        members = [m for m in archive.getmembers() if m.isfile()]
        return {m.name.split("/", 1)[1]: archive.extractfile(m).read() for m in members}


def check_manifests(files):
    listed = {}
    for name, covered in (
        ("manifest-sha256.txt", {f for f in files if f.startswith("data/")}),
        ("tagmanifest-sha256.txt", {"bagit.txt", "bag-info.txt", "manifest-sha256.txt"}),
    ):
        listed = dict(reversed(line.split("  ", 1)) for line in files[name].decode().splitlines())
        need(set(listed) == covered, f"{name} does not list the files that are there")
        for path, digest in listed.items():
            need(sha256(files[path]).hex() == digest, f"{path} is not what {name} says")


def tile_name(number, width):
    text = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03d}/{text}"
    return text if width == TILE else f"{text}.p/{width}"


def tiles(count):
    for number in range((count + TILE - 1) // TILE):
        yield number, min(TILE, count - number * TILE)


def read_entries(files, size):
    entries = []
    for number, width in tiles(size):
        data = files["data/log/tile/entries/" + tile_name(number, width)]
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            need(len(data) >= 2 + length, f"entry {len(entries)}: its tile ends too early")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
        need(not data, f"entry {len(entries) - 1}: there are bytes behind it in its tile")
    return entries


def check_tiles(files, leaves):
    level, hashes = 0, leaves
    while hashes:
        for number, width in tiles(len(hashes)):
            data = files[f"data/log/tile/{level}/" + tile_name(number, width)]
            for i in range(width):
                index = number * TILE + i
                need(data[32 * i : 32 * i + 32] == hashes[index], f"entry {index << 8 * level}: wrong hash, level {level}")
            need(len(data) == 32 * width, "a tile has a wrong length")
        hashes = [root_of(hashes[i * TILE : (i + 1) * TILE]) for i in range(len(hashes) // TILE)]
        level += 1


def check_checkpoint(note, keys):
    """All of `keys` have signed the note's text; the log's key first."""
    at = note.rindex(b"\n\n")
    text = note[: at + 1]
    signatures = {}
    for line in note[at + 2 :].decode().splitlines():
        dash, name, payload = line.split(" ")
        need(dash == "\u2014", "a signature line is malformed")
        payload = b64(payload)
        signatures[name, payload[:4]] = payload[4:]
    for vkey in keys:
        name, key_id, algorithm, public_key = parse_vkey(vkey)
        signature = signatures.get((name, key_id))
        need(signature is not None, f"{name} has not signed the checkpoint")
        message = text
        if algorithm == 4:
            message = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + text
            signature = signature[8:]
        need(ed25519_verifies(public_key, message, signature), f"the signature of {name} does not verify")
    return text


def check_statement(index, entry, keys):
    statement = entry.get("stmt")
    if statement is None:
        return 0
    signature = statement["signatures"][0]
    body = b64(statement["payload"])
    kind = statement["payloadType"].encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    key = keys.get((entry["actor"]["party"], signature["keyid"]))
    need(key is not None, f"entry {index}: nobody knows the key of its statement")
    need(ed25519_verifies(key, message, b64(signature["sig"])), f"entry {index}: its statement does not verify")
    body = json.loads(body)
    data = json.dumps(entry["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    need(body["data_sha256"] == sha256(data).hex(), f"entry {index}: its statement is about other data")
    for member in ("id", "type", "subject"):
        need(body[member] == entry[member], f"entry {index}: its statement is about another {member}")
    need(body.get("room") == entry.get("room"), f"entry {index}: its statement is about another room")
    return 1


def check(path, pin=None):
    files = read_bundle(path)
    note = files["data/log/checkpoint"]
    origin, size, root = note.decode().split("\n")[:3]
    entries = read_entries(files, int(size))
    leaves = [sha256(b"\x00" + entry) for entry in entries]
    check_tiles(files, leaves)
    need(root_of(leaves) == b64(root), "the root of the entries is not the one in the checkpoint")

    room = sha256(entries[0]).hex()
    need(files["data/genesis.json"] == entries[0], "genesis.json is not entry 0")
    need(origin.endswith("/room/" + room), "the origin is not the hash of entry 0")
    need(pin in (None, room), "this is not the pinned room")
    genesis = json.loads(entries[0])["data"]
    need(origin == f"{genesis['host']}/room/{room}", "the origin has another host")

    log_key = b64(genesis["log_key"])
    log_id = sha256(origin.encode() + b"\n" + log_key)[:4].hex()
    witnesses = [party["witness_key"] for party in genesis["collaborators"]]
    log_vkey = f"{origin}+{log_id}+{genesis['log_key']}"
    check_checkpoint(note, [log_vkey, *witnesses])
    need(f"log {log_vkey}\n" in files["data/policy.txt"].decode(), "policy.txt has another log key")

    keys = {}
    for party in genesis["collaborators"]:
        name, key_id, _, public_key = parse_vkey(party["statement_key"])
        keys[party["party"], f"{name}+{key_id.hex()}"] = public_key
    ids, statements = set(), 0
    for index, data in enumerate(entries):
        entry = json.loads(data)
        need(entry["seq"] == index, f"entry {index}: its seq is another")
        need(entry.get("room") == (room if index else None), f"entry {index}: it belongs to another room")
        need(entry["id"] not in ids, f"entry {index}: its id was used before")
        ids.add(entry["id"])
        statements += check_statement(index, entry, keys)
        if entry["type"] == "key.enrolled" and entry["data"]["role"] == "statement":
            name, key_id, _, public_key = parse_vkey(entry["data"]["vkey"])
            keys[entry["actor"]["party"], f"{name}+{key_id.hex()}"] = public_key
    check_manifests(files)
    return {"origin": origin, "entries": len(entries), "statements": statements, "witnesses": len(witnesses)}


def test_bundle():
    """For pytest: the bundle that the environment names. The run that makes bundles sets it."""
    import pytest  # pylint: disable=import-outside-toplevel

    path = os.environ.get("BUNDLE")
    if not path:
        pytest.skip("BUNDLE names no bundle")
    assert check(path, os.environ.get("PIN"))["entries"] > 0


def main(arguments):
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(json.dumps(check(arguments[1], arguments[2] if len(arguments) == 3 else None)))
    except (Invalid, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        print(f"INVALID: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
