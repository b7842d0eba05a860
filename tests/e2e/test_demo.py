# SPDX-License-Identifier: Apache-2.0
"""The steps of the demo on the real records, checked against DuckDB on the same files; and what goes wrong in a room."""

import base64
import os
import re
import subprocess
import sys

import collaboration as steps
import duckdb
import evidence
import pytest
from databricks.sdk.errors import BadRequest, DatabricksError, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service import cleanrooms
from native import Native, Refused
from server import ROOT, SAMPLES, Server, create_organisation

MINIMUM = 50

# What plain SQL gives on the matched people, with the two thresholds that both rules ask for.
MATCHED = """SELECT a.sport, c.sex, CAST(c.date_of_birth AS DATE) AS born, TRY_CAST(c.height AS DOUBLE) AS height,
       TRY_CAST(c.weight AS DOUBLE) AS weight
FROM athletes a JOIN customers c ON lower(trim(a.name)) = lower(trim(c.name)) AND a.date_of_birth = c.date_of_birth
WHERE c.consent = 'yes'"""
MEASURES = f"""count(*) AS people, CASE WHEN count(height) >= {MINIMUM} THEN avg(height) END AS height,
       CASE WHEN count(weight) >= {MINIMUM} THEN avg(weight) END AS weight"""
BY_SPORT = f"""SELECT sport, sex, {MEASURES} FROM matched GROUP BY sport, sex HAVING count(*) >= {MINIMUM} AND
       (SELECT count(*) FROM athletes a WHERE a.sport = matched.sport) - (SELECT count(*) FROM matched m WHERE m.sport = matched.sport)
       >= {MINIMUM} ORDER BY ALL"""
BY_DECADE = f"SELECT sex, year(born) // 10 * 10 AS born, {MEASURES} FROM matched GROUP BY ALL HAVING count(*) >= {MINIMUM} ORDER BY ALL"


@pytest.fixture(scope="module")
def world(tmp_path_factory, _no_credentials_of_the_machine):
    """(collaboration whose main run has ended, the run, an organisation that is not in the room)"""
    data = tmp_path_factory.mktemp("demo") / "data"
    federation = create_organisation(data, "Sports Federation", steps.FEDERATION_ADMIN)
    insurer = create_organisation(data, "Health Insurer", steps.INSURER_ADMIN)
    stranger = create_organisation(data, "Stranger", "sue@stranger.example")
    server = Server(data)
    collaboration = steps.Collaboration(server, federation, insurer, SAMPLES)
    for step in (collaboration.set_up, collaboration.govern, collaboration.create_room, collaboration.publish_athletes,
                 collaboration.publish_customers, collaboration.set_rules):
        step()
    run = collaboration.approved_run(steps.NOTEBOOK)
    yield collaboration, run, steps.Party(server, stranger.token)
    assert server.stop() == 0, server.log()


@pytest.fixture(scope="module")
def plain(world, tmp_path_factory):
    """DuckDB on the two files."""
    folder = tmp_path_factory.mktemp("plain")
    database = duckdb.connect()
    for name, content in (("athletes", world[0].files.athletes), ("customers", world[0].files.customers)):
        (folder / f"{name}.csv").write_bytes(content)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{folder}/{name}.csv', all_varchar = true)")
    database.execute(f"CREATE TABLE matched AS {MATCHED}")
    return database


@pytest.mark.parametrize("output,query", [("by_sport", BY_SPORT), ("by_decade", BY_DECADE)])
def test_what_is_released_is_what_plain_sql_gives(world, plain, output, query):
    collaboration, run, _ = world
    assert run.state.result_state.value == "SUCCESS", run.state.state_message
    columns, released = collaboration.table(run, output)
    expected = plain.execute(query).fetchall()
    assert len(expected) > 5 and len(released) == len(expected)
    for row, wanted in zip(released, expected, strict=True):
        for column, value, plain_value in zip(columns, row, wanted, strict=True):
            if column in ("height", "weight") and plain_value is not None:
                assert float(value) == pytest.approx(plain_value, rel=1e-9), (row, wanted)
            else:
                assert value == (None if plain_value is None else str(plain_value)), (row, wanted)


def test_small_groups_are_there_and_were_withheld(world, plain):
    collaboration, run, _ = world
    groups = {(sport, sex): people for sport, sex, people in plain.execute("SELECT sport, sex, count(*) FROM matched GROUP BY ALL").fetchall()}
    released = {(row[0], row[1]) for row in collaboration.table(run, "by_sport")[1]}
    assert any(people < MINIMUM for people in groups.values()) and released < set(groups)
    assert ("boxing", "male") in released  # people are enough, weights are not


def test_the_same_question_is_answered_alike(world):
    collaboration, run, _ = world
    again = collaboration.run(steps.NOTEBOOK)
    assert again.run_id != run.run_id
    for output in ("by_sport", "by_decade"):
        assert collaboration.table(again, output) == collaboration.table(run, output)
        assert collaboration.outputs(again)[output]["sha256"] == collaboration.outputs(run)[output]["sha256"]


def test_attacks(world):
    collaboration, run, _ = world
    for name, rule in (("rows", "P8"), ("weighted_sum", "P5")):
        refused = collaboration.approved_run(name)
        assert refused.state.result_state.value == "FAILED"
        assert f"rule {rule}, line 2, column" in refused.state.state_message
        assert collaboration.refusal_rule(refused) == rule
        assert collaboration.outputs(refused) == {}
    answered = collaboration.approved_run("without_the_youngest")
    before = {(row[0], row[1]): int(row[2]) for row in collaboration.table(run, "by_sport")[1]}
    after = {(row[0], row[1]): int(row[2]) for row in collaboration.table(answered, "without_the_youngest")[1]}
    assert after and len(after) < len(before)
    assert all(before[group] - people >= MINIMUM for group, people in after.items() if group in before)


def test_a_refusal_names_the_cell(world):
    collaboration, _, _ = world
    good, bad = "SELECT COUNT(*) AS n FROM insurer.members.customers", "SELECT customer_no\nFROM insurer.members.customers"
    collaboration.submit_notebook("two_cells", f"-- Databricks notebook source\n{good}\n\n-- COMMAND ----------\n\n{bad}\n")
    with pytest.raises(Refused, match="SQL cell 2, line 1, column 8"):
        collaboration.petra.native.plan("two_cells")


def test_stale_etag(world):
    collaboration, _, _ = world
    first = collaboration.submit_notebook("edited", "-- Databricks notebook source\nSELECT COUNT(*) AS n FROM insurer.members.customers").notebook.etag
    edited = base64.b64encode(b"-- Databricks notebook source\nSELECT COUNT(*) AS people FROM insurer.members.customers").decode()
    second = collaboration.nina.sdk.clean_room_assets.update(
        steps.ROOM, steps.NOTEBOOK_FILE, "edited", cleanrooms.CleanRoomAsset(
            name="edited", asset_type=steps.NOTEBOOK_FILE, notebook=cleanrooms.CleanRoomAssetNotebook(notebook_content=edited))).notebook.etag
    assert first != second
    review = cleanrooms.NotebookVersionReview(etag=first, review_state=cleanrooms.CleanRoomNotebookReviewNotebookReviewState.APPROVED)
    with pytest.raises(DatabricksError, match="etag is not that of its latest version"):
        collaboration.petra.sdk.clean_room_assets.create_clean_room_asset_review(steps.ROOM, steps.NOTEBOOK_FILE, "edited", notebook_review=review)
    collaboration.approve("edited")
    with pytest.raises(DatabricksError, match="etag is not that of its latest version"):
        collaboration.start("edited", etag=first)
    assert collaboration.wait(collaboration.start("edited", etag=second)).state.result_state.value == "SUCCESS"


def test_unknown_things(world):
    collaboration, run, _ = world
    with pytest.raises(NotFound, match="does not exist"):
        collaboration.nina.sdk.clean_room_assets.get(steps.ROOM, steps.TABLE, "insurer.members.nothing")
    with pytest.raises(NotFound, match="does not exist"):
        collaboration.petra.sdk.clean_room_assets.get(steps.ROOM, steps.NOTEBOOK_FILE, "nothing")
    with pytest.raises(NotFound):
        collaboration.publish(collaboration.ann, "insurer.members.nothing", "insurance.members.nothing")
    with pytest.raises(Refused, match="NOT_FOUND|RESOURCE_DOES_NOT_EXIST"):
        collaboration.ann.native.set_rule("insurer.members.nothing", steps.load_rule("customers"))
    with pytest.raises(Refused, match="NOT_FOUND|RESOURCE_DOES_NOT_EXIST"):
        collaboration.nina.native.export("01a00000-0000-7000-8000-000000000000")
    with pytest.raises((BadRequest, NotFound), match="does not exist"):
        collaboration.nina.sdk.jobs.get_run(run.run_id + 100_000)
    with pytest.raises(InvalidParameterValue, match="declares no parameter"):
        collaboration.start(steps.NOTEBOOK, {"nothing": "1"})


def test_wrong_rules(world):
    collaboration, _, _ = world
    rule = steps.load_rule("customers")
    for change, message in (({"min_units": 3}, "min_units"), ({"membership": "secret"}, "membership"), ({"column_rules": {}}, "column_rules"),
                            ({"keys": [["sex"]]}, "not unique")):
        with pytest.raises(Refused, match=message):
            collaboration.ann.native.set_rule(steps.CUSTOMERS, {**rule, **change})
    with pytest.raises(Refused, match="PERMISSION_DENIED"):
        collaboration.fred.native.set_rule(steps.CUSTOMERS, rule)
    assert collaboration.ann.native.rule(steps.CUSTOMERS)["rule"] == rule


def test_a_stranger_sees_no_room(world):
    collaboration, run, stranger = world
    assert list(stranger.sdk.clean_rooms.list()) == []
    for call in (lambda: stranger.sdk.clean_rooms.get(steps.ROOM), lambda: list(stranger.sdk.clean_room_assets.list(steps.ROOM)),
                 lambda: collaboration.start(steps.NOTEBOOK, party=stranger)):
        with pytest.raises(NotFound, match=f"'{steps.ROOM}' does not exist"):
            call()
    for call in (stranger.native.room, stranger.native.evidence, stranger.native.entries, lambda: stranger.native.certificate(run.run_id)):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.status == 404
    with pytest.raises(DatabricksError, match="does not exist"):
        stranger.sdk.jobs.get_run(run.run_id)


def test_colleagues_and_the_other_side(world):
    collaboration, run, _ = world
    output = collaboration.outputs(run)["by_sport"]
    for party in (collaboration.ole, collaboration.ann):
        with pytest.raises(Refused, match="PERMISSION_DENIED"):
            party.native.export(output["output_id"])
        with pytest.raises(Refused, match="PERMISSION_DENIED"):
            party.native.rows(output["output_id"])
        with pytest.raises(steps.StatementFailed):
            steps.execute(party.sdk, f"SELECT * FROM {output['table']}")
    with pytest.raises(PermissionDenied):
        collaboration.start(steps.NOTEBOOK, party=collaboration.ole)
    with pytest.raises(DatabricksError, match="not among the runners"):
        collaboration.start(steps.NOTEBOOK, party=collaboration.ann)
    wrong = Native(collaboration.server.url, "dapi0000", steps.ROOM)
    with pytest.raises(Refused, match="UNAUTHENTICATED"):
        wrong.room()


def test_evidence(world, tmp_path):
    """After all of the above."""
    collaboration, _, _ = world
    entries = collaboration.ann.native.entries()
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    bundle = collaboration.evidence(tmp_path)
    report = evidence.verify(bundle, collaboration.pin, len(entries))
    assert report.exit_code == 0 and report.text.startswith("VALID\n"), report.text
    assert evidence.verify(bundle, collaboration.pin, len(entries) + 1).exit_code == 1
    assert evidence.verify(bundle, "glovebox/room/" + "0" * 64, len(entries)).exit_code == 1
    for entry in (0, len(entries) // 2, len(entries) - 1):
        folder = tmp_path / str(entry)
        report = evidence.verify(evidence.flip_a_byte(bundle, entry, folder), collaboration.pin, len(entries))
        assert report.exit_code == 1 and evidence.lines_about(report.text, entry), report.text
    names = [row["name"] for row in steps.records.read_olympians(SAMPLES)][:200]
    text = bundle.read_bytes().decode(errors="replace").lower() + collaboration.server.log().lower()
    assert not any(name.lower() in text for name in names) and collaboration.secret.lower() not in text


def told():
    done = subprocess.run([sys.executable, str(ROOT / "demo" / "demo.py")], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def test_the_story_ends_well():
    text = told()
    for words in ("Refused: The latest version", "released both", "by_decade", "VALID", "INVALID", "error: entry",
                  "rule P8", "rule P5", "Done in"):
        assert words in text, words
    assert re.search(r"ready in \d+ ms", text)
    assert max(len(line) for line in text.splitlines()) < 160
