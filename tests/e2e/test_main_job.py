# SPDX-License-Identifier: Apache-2.0
"""The main job through the public API, by the real SDK: two organisations, one governed notebook, one reviewed output.

One story in one test: each step needs the one before it. What must be released is computed here once more, from the rows.
"""

import base64
import collections
import hashlib
import io
import json
import random
import statistics

import pytest
from conftest import create_room, rows, run_glovebox, run_sql
from databricks.sdk.errors import DatabricksError, PermissionDenied
from databricks.sdk.service import catalog, cleanrooms, jobs
from evidence import unpack

MINIMUM = 50
SPORTS = ["judo"] * 400 + ["golf"] * 500 + ["rowing"] * 540 + ["curling"] * 60

NOTEBOOK = """-- Databricks notebook source
-- MAGIC %md
-- MAGIC # Who is tall?
-- COMMAND ----------
CREATE WIDGET TEXT least DEFAULT '160'; -- type: INT
-- COMMAND ----------
CREATE OR REPLACE TABLE by_sport AS
SELECT f.sport, i.sex, COUNT(*) AS people, AVG(i.height) AS height
FROM federation.s.athletes f JOIN insurer.s.customers i ON f.name = i.name
WHERE i.height >= :least
GROUP BY f.sport, i.sex
"""

FEDERATION_RULE = {
    "version": 1, "unit": {"domain": "athlete", "columns": ["name", "born"], "canonical": "nfkc_trim_lower"},
    "min_units": MINIMUM, "membership": "protected", "keys": [["name"]],
    "columns": {"name": {"identity": True, "uses": ["join"], "join_with": ["*.name"]},
                "sport": {"uses": ["dimension", "filter"], "domain": ["judo", "golf", "rowing", "curling"]}}}
INSURER_RULE = {
    "version": 1, "unit": {"domain": "person", "columns": ["name", "born"], "canonical": "nfkc_trim_lower"},
    "min_units": MINIMUM, "membership": "protected", "keys": [["name"]],
    "columns": {"name": {"identity": True, "uses": ["join"], "join_with": ["*.name"]},
                "sex": {"uses": ["dimension", "filter"], "domain": ["m", "f"]},
                "height": {"uses": ["measure", "filter"], "aggregates": ["avg", "sum"], "bounds": [100, 249], "filter_step": 10}}}


def make_people():
    """(name, born, sport, sex, height, is a customer, consents)"""
    chance = random.Random(2016)
    people = []
    for number, sport in enumerate(SPORTS):
        born = f"19{60 + number % 40:02d}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        people.append((f"Person {number}", born, sport, chance.choice("mf"), chance.randrange(150, 200), chance.random() < 0.6,
                       chance.random() < 0.9))
    return people


def expected_rows(people):
    """What plain SQL would give, less the small groups."""
    heights = collections.defaultdict(list)
    for _, _, sport, sex, height, is_customer, consents in people:
        if is_customer and consents:
            heights[sport, sex].append(height)
    return {group: (len(values), statistics.mean(values)) for group, values in heights.items() if len(values) >= MINIMUM}


def set_up(client, name, table, header, lines, statements):
    """Steps 1 and 2: catalog, schema, volume, file, table, secret, governance."""
    client.catalogs.create(name=name)
    client.schemas.create(name="s", catalog_name=name)
    client.volumes.create(name, "s", "landing", catalog.VolumeType.MANAGED)
    path = f"/Volumes/{name}/s/landing/{table}.csv"
    client.files.upload(path, io.BytesIO("\n".join([header, *lines, ""]).encode()))
    client.secrets.create_scope(name)
    client.secrets.put_secret(name, "join", string_value="known to both sides")
    for statement in (
        f"CREATE TABLE {name}.s.{table} AS SELECT * FROM read_files('{path}', format => 'csv', header => true)",
        f"CREATE FUNCTION {name}.s.token(name STRING, born DATE) RETURN "
        f"hmac_sha256(secret('{name}', 'join'), concat(lower(trim(name)), '|', CAST(born AS STRING)))",
        f"ALTER TABLE {name}.s.{table} ALTER COLUMN name SET MASK {name}.s.token USING COLUMNS (born)",
        *statements,
    ):
        answer = run_sql(client, statement)
        assert answer.status.state.value == "SUCCEEDED", (statement, answer.status)


def native(client, method, path, body=None, raw=False):
    answer = client.api_client.do(method, "/api/glovebox/v1/rooms/study" + path, body=body, raw=raw)
    return answer["contents"].read() if raw else answer


def publish(client, name, local_name):
    return client.clean_room_assets.create("study", cleanrooms.CleanRoomAsset(
        name=name, asset_type=cleanrooms.CleanRoomAssetAssetType.TABLE,
        table_local_details=cleanrooms.CleanRoomAssetTableLocalDetails(local_name=local_name)))


def upload_notebook(client, name, source):
    """Its etag."""
    asset = client.clean_room_assets.create("study", cleanrooms.CleanRoomAsset(
        name=name, asset_type=cleanrooms.CleanRoomAssetAssetType.NOTEBOOK_FILE, notebook=cleanrooms.CleanRoomAssetNotebook(
            notebook_content=base64.b64encode(source.encode()).decode(), runner_collaborator_aliases=["federation"])))
    return asset.notebook.etag


def approve(client, name, etag):
    return client.clean_room_assets.create_clean_room_asset_review(
        "study", cleanrooms.CleanRoomAssetAssetType.NOTEBOOK_FILE, name, notebook_review=cleanrooms.NotebookVersionReview(
            etag=etag, review_state=cleanrooms.CleanRoomNotebookReviewNotebookReviewState.APPROVED, comment="read it"))


def run(client, name, etag, **parameters):
    return client.jobs.submit(run_name=name, tasks=[jobs.SubmitTask(
        task_key="t", clean_rooms_notebook_task=jobs.CleanRoomsNotebookTask(
            clean_room_name="study", notebook_name=name, etag=etag, notebook_base_parameters=parameters or None))]).result()


def flip_a_byte(archive, target):
    """A copy of the bundle with one byte of an entry changed."""
    content = archive.read_bytes()
    assert b'"run.authorized"' in content
    target.write_bytes(content.replace(b'"run.authorized"', b'"run.autHorized"', 1))


def canonical(value):
    """RFC 8785, of what certificates hold: no doubles, member names in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(value):
    return hashlib.sha256(canonical(value)).hexdigest()


def exchange_certificate(archive, folder, old, new):
    """A copy of the bundle, as a folder, with another certificate in the place of one: the entry names it, the manifests fit."""
    unpack(archive, folder)
    [bag] = folder.iterdir()
    blob = bag / "data/blobs/sha256" / digest_of(old)[:2] / digest_of(old)
    assert blob.read_bytes() == canonical(old)
    blob.unlink()
    blob = bag / "data/blobs/sha256" / digest_of(new)[:2] / digest_of(new)
    blob.parent.mkdir(exist_ok=True)
    blob.write_bytes(canonical(new))
    for tile in (bag / "data/log/tile/entries").rglob("*"):
        if tile.is_file():
            tile.write_bytes(tile.read_bytes().replace(digest_of(old).encode(), digest_of(new).encode()))
    for manifest, names in (("manifest-sha256.txt", [path for path in bag.rglob("data/**/*") if path.is_file()]),
                            ("tagmanifest-sha256.txt", [bag / name for name in ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")])):
        lines = {str(path.relative_to(bag)): hashlib.sha256(path.read_bytes()).hexdigest() for path in names}
        (bag / manifest).write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(lines.items())))
    return bag


def test_the_main_job(site, insurer, federation, tmp_path):
    people = make_people()
    set_up(federation, "sports", "athletes", "name,born,sport",
           [f"{name},{born},{sport}" for name, born, sport, *_ in people], [])
    set_up(insurer, "health", "customers", "name,born,sex,height,consent",
           [f"  {name.upper()} ,{born},{sex},{height},{'yes' if consents else 'no'}"
            for name, born, _, sex, height, is_customer, consents in people if is_customer],
           ["CREATE FUNCTION health.s.consented(consent STRING) RETURN consent = 'yes'",
            "ALTER TABLE health.s.customers SET ROW FILTER health.s.consented ON (consent)"])

    # Step 3: the room is there for both, and ACTIVE once both have published.
    created = create_room(site, federation, "study", "height by sport")
    assert created.response.name == "study"
    publish(federation, "federation.s.athletes", "sports.s.athletes")
    assert federation.clean_rooms.get("study").status == cleanrooms.CleanRoomStatusEnum.PROVISIONING
    assert "study" in [room.name for room in insurer.clean_rooms.list()]
    publish(insurer, "insurer.s.customers", "health.s.customers")
    assert created.result().status == cleanrooms.CleanRoomStatusEnum.ACTIVE
    granted = federation.grants.update("CLEAN_ROOM", "study", changes=[catalog.PermissionsChange(
        principal="account users", add=[catalog.Privilege.EXECUTE_CLEAN_ROOM_TASK])])
    assert [each.principal for each in granted.privilege_assignments] == ["account users"]
    seen = federation.clean_room_assets.get("study", cleanrooms.CleanRoomAssetAssetType.TABLE, "insurer.s.customers")
    assert seen.table_local_details is None

    # Step 4: analysis rules.
    native(federation, "PUT", "/assets/federation.s.athletes/rule", FEDERATION_RULE)
    assert native(insurer, "PUT", "/assets/insurer.s.customers/rule", INSURER_RULE)["rule"]["min_units"] == MINIMUM
    with pytest.raises(DatabricksError):
        native(federation, "PUT", "/assets/insurer.s.customers/rule", {**INSURER_RULE, "min_units": 10})
    federation.clean_rooms.create_output_catalog("study", cleanrooms.CleanRoomOutputCatalog(catalog_name="study_output"))

    # Step 5: nothing runs before it is approved, and nothing but what is approved.
    etag = upload_notebook(federation, "heights.sql", NOTEBOOK)
    with pytest.raises(DatabricksError, match="approved|approval|review"):
        run(federation, "heights.sql", etag, least="150")
    with pytest.raises(DatabricksError):
        approve(federation, "heights.sql", etag)  # one's own
    approve(insurer, "heights.sql", etag)
    with pytest.raises(DatabricksError):
        run(federation, "heights.sql", "another-etag", least="150")
    with pytest.raises(DatabricksError):
        run(insurer, "heights.sql", etag, least="150")  # not the runner

    # Step 6: the run, and what it withholds.
    done = run(federation, "heights.sql", etag, least="150")
    assert done.state.result_state == jobs.RunResultState.SUCCESS, done.state
    output = federation.jobs.get_run_output(done.tasks[0].run_id).clean_rooms_notebook_output
    schema = f"{output.output_schema_info.catalog_name}.{output.output_schema_info.schema_name}"
    released = {(sport, sex): (int(count), float(height))
                for sport, sex, count, height in rows(federation, f"SELECT sport, sex, people, height FROM {schema}.by_sport")}
    expected = expected_rows(people)
    assert {group for group, _ in expected.items()} == set(released) and not any(sport == "curling" for sport, _ in released)
    for group, (count, height) in expected.items():
        assert released[group] == (count, pytest.approx(height, rel=1e-9)), group
    assert output.output_schema_info.expiration_time > done.end_time
    certificate = native(federation, "GET", f"/runs/{done.run_id}/certificate")
    assert certificate == native(insurer, "GET", f"/runs/{done.run_id}/certificate")
    assert [column["name"] for column in certificate["outputs"][0]["columns"]] == ["sport", "sex", "people", "height"]
    assert digest_of({name: value for name, value in certificate.items() if name != "plan"}) == certificate["plan"]
    for side in (federation, insurer):  # each can compute it again
        planned = native(side, "POST", "/notebooks/heights.sql/plan", {"parameters": {"least": "150"}})
        assert planned["certificate"] == certificate
        assert planned["outputs"][0]["columns"] == [{"name": column["name"], "type": column["type"]}
                                                    for column in certificate["outputs"][0]["columns"]]
    assert native(insurer, "POST", "/notebooks/heights.sql/plan", {})["certificate"]["plan"] != certificate["plan"]
    with pytest.raises(DatabricksError, match="least"):
        native(insurer, "POST", "/notebooks/heights.sql/plan", {"parameters": {"least": "tall"}})
    with pytest.raises(DatabricksError, match="runner"):
        native(insurer, "POST", "/notebooks/heights.sql/plan", {"runner": "insurer"})

    # Step 7: released by the contract; exported by who may.
    [listed] = native(federation, "GET", "/outputs")["outputs"]
    assert listed["state"] == "RELEASED" and listed["row_count"] == len(expected)
    export = native(federation, "POST", f"/outputs/{listed['output_id']}/exports")
    content = native(federation, "GET", f"/exports/{export['export_id']}/content", raw=True)
    assert content[:4] == b"PAR1" and len(content) == export["byte_count"]
    with pytest.raises(PermissionDenied):
        native(insurer, "POST", f"/outputs/{listed['output_id']}/exports")
    with pytest.raises(DatabricksError):
        native(insurer, "GET", f"/outputs/{listed['output_id']}/rows")
    failed = run_sql(insurer, f"SELECT * FROM {schema}.by_sport")
    assert failed.status.state.value == "FAILED"

    # Step 8: each side proves it alone; a changed byte is found, and the entry named.
    archive = tmp_path / "evidence.tar"
    archive.write_bytes(native(insurer, "GET", "/evidence", raw=True))
    ledger = native(federation, "GET", "/ledger")
    verified = run_glovebox("audit", "verify", archive, "--pin", ledger["room_sha256"], "--min-size", ledger["size"])
    assert verified.returncode in (0, 2) and "VALID" in verified.stdout, verified.stdout + verified.stderr
    replanned = run_glovebox("audit", "replan", archive, "--pin", ledger["room_sha256"], "--min-size", ledger["size"])
    assert replanned.returncode == verified.returncode, replanned.stdout + replanned.stderr
    assert f"run {done.run_id}: the certificate is what code, rules and schemas give" in replanned.stdout
    other = native(insurer, "POST", "/notebooks/heights.sql/plan", {"parameters": {"least": "160"}})["certificate"]
    [completed] = [item["entry"] for item in native(federation, "GET", "/ledger/entries")["entries"] if item["entry"]["type"] == "run.completed"]
    exchanged = exchange_certificate(archive, tmp_path / "exchanged", certificate, other)
    for command in ("verify", "replan"):  # nothing is computed of a bundle that is not valid
        found = run_glovebox("audit", command, exchanged, "--pin", ledger["room_sha256"])
        assert found.returncode == 1 and f"entry {completed['seq']}" in found.stdout and "manifest" not in found.stdout, found.stdout
    flip_a_byte(archive, tmp_path / "flipped.tar")
    found = run_glovebox("audit", "verify", tmp_path / "flipped.tar", "--pin", ledger["room_sha256"])
    assert found.returncode == 1 and "entry" in found.stdout, found.stdout
    assert "Person" not in archive.read_bytes().decode(errors="replace")

    # What the other side is told of a plan depends on no row of the runner's, the runner itself hears of its own.
    replaced = run_sql(federation, "CREATE OR REPLACE TABLE sports.s.athletes AS SELECT * FROM "
                       "read_files('/Volumes/sports/s/landing/athletes.csv', format => 'csv', header => true) LIMIT 3")
    assert replaced.status.state.value == "SUCCEEDED", replaced.status
    planned = native(insurer, "POST", "/notebooks/heights.sql/plan", {"parameters": {"least": "150"}})["certificate"]
    assert {name for name in certificate if planned[name] != certificate[name]} == {"inputs", "plan"}
    with pytest.raises(DatabricksError) as refused:
        native(federation, "POST", "/notebooks/heights.sql/plan", {"parameters": {"least": "150"}})
    assert refused.value.get_error_info()[0].reason == "P9", refused.value


@pytest.mark.parametrize("name,sql,rule", [
    ("rows", "SELECT i.name, i.height FROM insurer.s.customers i", "P1|P4|P8"),
    ("weights", "SELECT SUM(i.height * f.row_no) AS s FROM federation.s.athletes f JOIN insurer.s.customers i ON f.name = i.name", "P"),
    ("unknown", "SELECT i.consent FROM insurer.s.customers i", ""),
])
def test_attacks_are_refused_before_they_can_be_approved(federation, name, sql, rule):
    """Needs the room of the main job."""
    refused = None
    try:
        etag = upload_notebook(federation, f"attack-{name}.sql", "-- Databricks notebook source\n" + sql)
        native(federation, "POST", f"/notebooks/attack-{name}.sql/plan", {"etag": etag})
    except DatabricksError as error:
        refused = error
    assert refused is not None, "the attack has a plan"
    reason = refused.get_error_info()
    assert reason is not None and (not rule or any(reason[0].reason.startswith(each) for each in rule.split("|"))), refused
