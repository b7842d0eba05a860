# SPDX-License-Identifier: Apache-2.0
"""The same plan, parameters and versions are answered from the record, bit for bit, by the real SDK."""

import base64
import hashlib
import io
import random

from conftest import create_room, run_sql
from databricks.sdk.service import catalog, cleanrooms, jobs

ROOM = "costs"
NOTEBOOK = """-- Databricks notebook source
CREATE WIDGET TEXT least DEFAULT '0'; -- type: INT
-- COMMAND ----------
CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.by_sex') AS
SELECT sex, COUNT(*) AS people, SUM(cost) AS cost, AVG(cost) AS mean, STDDEV(cost) AS spread
FROM insurer.s.costs WHERE age >= :least GROUP BY sex
"""
RULE = {
    "version": 1, "unit": {"domain": "person", "columns": ["name"], "canonical": "nfkc_trim_lower"}, "min_units": 50,
    "columns": {"sex": {"uses": ["dimension"], "domain": ["m", "f"]},
                "age": {"uses": ["filter"], "filter_step": 10},
                "cost": {"uses": ["measure"], "aggregates": ["sum", "avg", "stddev"], "bounds": [0, 1000]}}}

STRANGE = {"version": 1, "outputs": [{"name": "another", "columns": [{"name": "sex"}]}]}


def native(client, method, path, body=None, raw=False):
    answer = client.api_client.do(method, f"/api/glovebox/v1/rooms/{ROOM}" + path, body=body, raw=raw)
    return answer["contents"].read() if raw else answer


def write_table(client, number):
    chance = random.Random(number)
    path = f"/Volumes/billing/s/landing/costs{number}.csv"
    lines = [f"Person {each},{chance.choice('mf')},{chance.randrange(90)},{chance.random() * 1000!r}" for each in range(20000)]
    client.files.upload(path, io.BytesIO("\n".join(["name,sex,age,cost", *lines, ""]).encode()))
    answer = run_sql(client, "CREATE OR REPLACE TABLE billing.s.costs AS SELECT name, sex, age, CAST(cost AS DOUBLE) AS cost FROM "
                             f"read_files('{path}', format => 'csv', header => true)")
    assert answer.status.state.value == "SUCCEEDED", answer.status


def approve(client, etag):
    client.clean_room_assets.create_clean_room_asset_review(
        ROOM, cleanrooms.CleanRoomAssetAssetType.NOTEBOOK_FILE, "costs.sql", notebook_review=cleanrooms.NotebookVersionReview(
            etag=etag, review_state=cleanrooms.CleanRoomNotebookReviewNotebookReviewState.APPROVED, comment="read it"))


def run(client, etag, least):
    """(the ended run, its output)"""
    done = client.jobs.submit(run_name="costs", tasks=[jobs.SubmitTask(
        task_key="t", clean_rooms_notebook_task=jobs.CleanRoomsNotebookTask(
            clean_room_name=ROOM, notebook_name="costs.sql", etag=etag, notebook_base_parameters={"least": least}))]).result()
    assert done.state.result_state == jobs.RunResultState.SUCCESS, done.state
    [output] = [each for each in native(client, "GET", "/outputs")["outputs"] if each["run_id"] == done.run_id]
    return done, output


def released(client, output):
    export = native(client, "POST", f"/outputs/{output['output_id']}/exports")
    content = native(client, "GET", f"/exports/{export['export_id']}/content", raw=True)
    assert hashlib.sha256(content).hexdigest() == export["sha256"]
    return content, native(client, "GET", f"/outputs/{output['output_id']}/rows")["rows"]


def test_a_repeated_run_is_answered_from_the_record(site, insurer, federation):
    insurer.catalogs.create(name="billing")
    insurer.schemas.create(name="s", catalog_name="billing")
    insurer.volumes.create("billing", "s", "landing", catalog.VolumeType.MANAGED)
    write_table(insurer, 1)
    create_room(site, federation, ROOM)
    insurer.clean_room_assets.create(ROOM, cleanrooms.CleanRoomAsset(
        name="insurer.s.costs", asset_type=cleanrooms.CleanRoomAssetAssetType.TABLE,
        table_local_details=cleanrooms.CleanRoomAssetTableLocalDetails(local_name="billing.s.costs")))
    native(insurer, "PUT", "/assets/insurer.s.costs/rule", RULE)
    federation.clean_rooms.create_output_catalog(ROOM, cleanrooms.CleanRoomOutputCatalog(catalog_name="costs_output"))
    federation.clean_room_assets.create(ROOM, cleanrooms.CleanRoomAsset(
        name="costs.sql", asset_type=cleanrooms.CleanRoomAssetAssetType.NOTEBOOK_FILE, notebook=cleanrooms.CleanRoomAssetNotebook(
            notebook_content=base64.b64encode(NOTEBOOK.encode()).decode(), runner_collaborator_aliases=["federation"])))

    # The contract names no output of this notebook: each one waits for a person. The first is rejected, the second approved.
    etag = native(federation, "PUT", "/notebooks/costs.sql/contract", {"contract": STRANGE})["etag"]
    approve(insurer, etag)
    first, rejected = run(federation, etag, "0")
    native(insurer, "POST", f"/outputs/{rejected['output_id']}/review", {"decision": "REJECTED"})
    second, waiting = run(federation, etag, "0")
    assert waiting["state"] == "PENDING_REVIEW" and second.state.state_message == f"The answer of run {first.run_id}, from the record."
    native(insurer, "POST", f"/outputs/{waiting['output_id']}/review", {"decision": "APPROVED"})
    answer = released(federation, waiting)
    assert len(answer[1]) == 2 and all(value is not None for row in answer[1] for value in row)

    # With another contract it is released by itself; the answer is the same.
    etag = native(federation, "PUT", "/notebooks/costs.sql/contract", {"contract": None})["etag"]
    approve(insurer, etag)
    third, output = run(federation, etag, "0")
    assert output["state"] == "RELEASED" and released(federation, output) == answer
    assert native(insurer, "GET", f"/runs/{third.run_id}/certificate") == native(insurer, "GET", f"/runs/{first.run_id}/certificate")
    completed = [each["entry"] for each in native(insurer, "GET", "/ledger/entries")["entries"] if each["entry"]["type"] == "run.completed"]
    assert [each["data"].get("repeats") for each in completed] == [None, str(first.run_id), str(first.run_id)]

    # Another parameter, and another version of the table, are computed.
    other, output = run(federation, etag, "50")
    assert not other.state.state_message and released(federation, output) != answer
    write_table(insurer, 2)
    newer, output = run(federation, etag, "0")
    assert not newer.state.state_message and released(federation, output) != answer
