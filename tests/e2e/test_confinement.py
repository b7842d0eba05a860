# SPDX-License-Identifier: Apache-2.0
"""A server whose kernel has no barriers for workers, and one that an ordinary user started."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest
from conftest import rows, run_sql
from databricks.sdk.service.sql import StatementState
from server import BINARY, Server, create_organisation

WITHOUT = (sys.executable, str(pathlib.Path(__file__).with_name("without_barriers.py")))


@pytest.fixture()
def data(tmp_path, _no_credentials_of_the_machine):
    return tmp_path / "data"


def test_without_barriers_nothing_runs(data):
    organisation = create_organisation(data, "Insurer", "ann@insurer.example")
    server = Server(data, launcher=WITHOUT)
    try:
        assert "workers cannot be confined" in server.log()
        done = run_sql(server.client(organisation.token), "SELECT 1 AS one")
        assert done.status.state == StatementState.FAILED
        assert "cannot confine its workers" in done.status.error.message
    finally:
        assert server.stop() == 0


def test_unless_told_otherwise(data):
    organisation = create_organisation(data, "Insurer", "ann@insurer.example")
    server = Server(data, "--allow-unconfined-workers", launcher=WITHOUT)
    try:
        assert "workers are not confined" in server.log()
        assert rows(server.client(organisation.token), "SELECT 1 AS one") == [["1"]]
    finally:
        assert server.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_has_the_same_server(_no_credentials_of_the_machine):
    home = pathlib.Path(tempfile.mkdtemp())  # pytest's own are closed to others
    organisation = create_organisation(home / "data", "Insurer", "ann@insurer.example")
    nobody = 65534
    for path in [home, *home.rglob("*")]:
        os.chown(path, nobody, nobody)
    for parent in [*home.parents, *BINARY.parents]:
        if (parent.stat().st_mode & 0o005) != 0o005:
            pytest.skip(f"{parent} is closed to ordinary users")
    setpriv = shutil.which("setpriv")
    launcher = (setpriv, f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", "--inh-caps=-all")
    server = Server(home / "data", launcher=launcher)
    try:
        assert pathlib.Path(f"/proc/{server.process.pid}").stat().st_uid == nobody
        assert rows(server.client(organisation.token), "SELECT 1 + 1 AS two") == [["2"]]
        assert "cannot be confined" not in server.log()
    finally:
        assert server.stop() == 0
        shutil.rmtree(home)
