# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of the server: nothing acknowledged is lost, the ledger verifies, the work goes on.

Two ways: GB_KILL_AT lets the server kill itself at a named place, between a durable record and what follows from it; and a
kill from outside at moments spread over a run. Each test begins with the same stopped server: a room with an approved
notebook and a released run.
"""

import os
import pathlib
import shutil
import signal
import time

import collaboration as steps
import evidence
import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from server import SAMPLES, Server, create_organisation, forget_credentials_of_the_machine

OTHER = "-- Databricks notebook source\nCREATE OR REPLACE TABLE people AS SELECT c.sex, COUNT(*) AS people\nFROM insurer.members.customers AS c GROUP BY c.sex\n"
ROUNDS = int(os.environ.get("GLOVEBOX_CRASH_ROUNDS", "5"))
LONGEST_WAIT = 0.9  # seconds; a run takes less
PATIENCE_SECONDS = 120


class Impatient(Server):
    """Its clients do not try again for a server that is dead."""

    def client(self, token, **options):
        return WorkspaceClient(config=Config(host=self.url, token=token, auth_type="pat", retry_timeout_seconds=1,
                                             http_timeout_seconds=PATIENCE_SECONDS, **options))

    def died(self):
        return self.process.wait(timeout=PATIENCE_SECONDS) == -signal.SIGKILL


class Site:
    """The data folder at the start of a test, and the collaboration on whatever server runs on it."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.snapshot = folder / "snapshot"
        federation = create_organisation(self.data, "Sports Federation", steps.FEDERATION_ADMIN)
        insurer = create_organisation(self.data, "Health Insurer", steps.INSURER_ADMIN)
        server = Impatient(self.data)
        c = steps.Collaboration(server, federation, insurer, SAMPLES)
        for step in (c.set_up, c.govern, c.create_room, c.publish_athletes, c.publish_customers, c.set_rules):
            step()
        self.run_id = c.approved_run(steps.NOTEBOOK).run_id
        c.submit_notebook("other", OTHER)
        self.collaboration = c
        self.pin = c.pin
        self.entries = c.ann.native.entries()
        self.released = self.released_now()
        assert server.stop() == 0
        shutil.copytree(self.data, self.snapshot, symlinks=True)

    def restore(self):
        shutil.rmtree(self.data)
        shutil.copytree(self.snapshot, self.data, symlinks=True)

    def start(self, kill_at=None):
        server = Impatient(self.data, environment={"GB_KILL_AT": kill_at} if kill_at else None)
        self.collaboration.server = server
        for name in ("fred", "nina", "ole", "ann", "petra"):
            party = getattr(self.collaboration, name)
            setattr(self.collaboration, name, steps.Party(server, party.sdk.config.token))
        return server

    def released_now(self):
        """What is released of the first run, as its runner gets it."""
        c = self.collaboration
        run = c.nina.sdk.jobs.get_run(self.run_id)
        return {name: (output["sha256"], c.table(run, name)) for name, output in c.outputs(run).items()}

    def check(self, folder):
        """Nothing of the beginning is lost, and the evidence verifies. Returns the ledger's entries since then."""
        c = self.collaboration
        entries = c.ann.native.entries()
        assert entries[:len(self.entries)] == self.entries
        assert self.released_now() == self.released
        report = evidence.verify(c.evidence(folder), self.pin, len(entries))
        assert report.exit_code == 0, report.text
        return entries[len(self.entries):]

    def go_on(self, folder):
        """The whole way once more: approve, run, export, verify."""
        c = self.collaboration
        c.approve("other")
        run = c.run("other")
        assert run.state.result_state.value == "SUCCESS", run.state.state_message
        _, content = c.export(c.outputs(run)["people"])
        assert content[:4] == b"PAR1"
        again = c.run(steps.NOTEBOOK)
        assert {name: c.table(again, name) for name in self.released} == {name: table for name, (_, table) in self.released.items()}
        self.check(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    forget_credentials_of_the_machine()
    return Site(tmp_path_factory.mktemp("crash"))


@pytest.fixture
def site(made):
    made.restore()
    yield made
    process = made.collaboration.server.process
    if process.poll() is None:
        process.kill()
        process.wait()


def until_it_dies(server, act):
    """The act, whose server dies on the way; whether it was acknowledged all the same."""
    try:
        act()
        acknowledged = True
    except (OSError, requests.RequestException, TimeoutError):
        acknowledged = False
    assert server.died(), server.log()
    return acknowledged


def types(entries):
    return [entry["type"] for entry in entries]


@pytest.mark.parametrize("point", ["ledger.before_append", "ledger.after_write", "ledger.after_append", "ledger.after_tiles"])
def test_killed_while_an_approval_is_recorded(site, tmp_path, point):
    server = site.start(kill_at=point)
    acknowledged = until_it_dies(server, lambda: site.collaboration.approve("other"))
    assert server.process.returncode == -signal.SIGKILL
    site.start()
    recorded = types(site.check(tmp_path))
    assert recorded in ([], ["approval.granted"])
    assert not acknowledged or recorded
    if point in ("ledger.after_append", "ledger.after_tiles"):
        assert recorded == ["approval.granted"]  # durable before it took effect, so it takes effect
    notebook = site.collaboration.petra.sdk.clean_room_assets.get(steps.ROOM, steps.NOTEBOOK_FILE, "other").notebook
    assert (notebook.review_state.value == "APPROVED") == (recorded == ["approval.granted"])
    site.go_on(tmp_path)


@pytest.mark.parametrize("point,end", [
    ("room.run_authorized", "FAILED"),      # authorised on the ledger, nothing computed
    ("room.release_recorded", "SUCCESS"),   # released: what was computed is not computed again
    ("room.run_completed", "SUCCESS"),      # on the ledger, but not yet in the store
])
def test_killed_during_a_run(site, tmp_path, point, end):
    server = site.start()
    site.collaboration.approve("other")
    assert server.stop() == 0
    server = site.start(kill_at=point)
    run_ids = []

    def run():
        run_ids.append(site.collaboration.start("other"))
        site.collaboration.wait(run_ids[0])

    until_it_dies(server, run)
    site.start()
    ended = site.collaboration.wait(run_ids[0])
    assert ended.state.result_state.value == end, ended.state
    recorded = types(site.check(tmp_path))
    assert recorded.count("run.requested") == 1 and recorded.count("run.completed") == (end == "SUCCESS")
    assert recorded.count("run.failed") == (end == "FAILED")
    if end == "SUCCESS":
        columns, rows = site.collaboration.table(ended, "people")
        assert columns == ["sex", "people"] and len(rows) == 2
        again = site.collaboration.wait(site.collaboration.start("other"))
        assert again.state.state_message == f"The answer of run {ended.run_id}, from the record."
        assert site.collaboration.table(again, "people") == (columns, rows)
    else:
        assert site.collaboration.outputs(ended) == {} and "run again" in ended.state.state_message
    site.go_on(tmp_path)


def test_killed_during_an_export(site, tmp_path):
    server = site.start(kill_at="room.export_requested")
    output = site.collaboration.outputs(site.collaboration.nina.sdk.jobs.get_run(site.run_id))["by_sport"]
    assert not until_it_dies(server, lambda: site.collaboration.export(output))
    site.start()
    recorded = types(site.check(tmp_path))
    assert recorded == ["export.requested", "export.released"]  # asked for durably, so it is finished at the start
    export, content = site.collaboration.export(output)
    assert export["sha256"] == output["sha256"] and len(content) == output["byte_count"]
    site.go_on(tmp_path)


@pytest.mark.parametrize("moment", range(ROUNDS))
def test_killed_from_outside_at_some_moment_of_a_run(site, tmp_path, moment):
    server = site.start()
    site.collaboration.approve("other")
    run_id = site.collaboration.start("other")
    time.sleep(LONGEST_WAIT * moment / ROUNDS)  # the moments are what differs; none of them may matter
    server.kill()
    site.start()
    ended = site.collaboration.wait(run_id)
    recorded = types(site.check(tmp_path))
    assert recorded[:2] == ["approval.granted", "run.requested"]
    assert ended.state.result_state.value in ("SUCCESS", "FAILED")
    assert ("people" in site.collaboration.outputs(ended)) == (ended.state.result_state.value == "SUCCESS")
    site.go_on(tmp_path)


def test_killed_while_a_table_is_loaded(site, tmp_path):
    """Either the table is there with all of its rows, or it is not there."""
    server = site.start()
    c = site.collaboration
    c.fred.sdk.statement_execution.execute_statement(
        statement=steps.LOAD_ATHLETES.replace("rio.athletes", "rio.again"), warehouse_id="glovebox", wait_timeout="0s")
    server.kill()
    site.start()
    if site.collaboration.fred.sdk.tables.exists("federation_data.rio.again").table_exists:
        counted = steps.execute(site.collaboration.fred.sdk, "SELECT COUNT(*) FROM federation_data.rio.again")
        assert counted == [[str(site.collaboration.files.athlete_count)]]
    left = [path for path in pathlib.Path(site.data).rglob("*") if path.name.endswith((".tmp", ".partial"))]
    assert left == []
    site.go_on(tmp_path)
