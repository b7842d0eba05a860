# SPDX-License-Identifier: Apache-2.0
"""The collaboration of the demo, a method a step, through the public REST API only: the real databricks-sdk where
Databricks has the call, the native API elsewhere. Nothing is printed here; the tests perform the same steps."""

import base64
import functools
import io
import json
import pathlib
import secrets
import time

import records
from databricks.sdk.service import catalog, cleanrooms, jobs, sql
from native import Native

HERE = pathlib.Path(__file__).resolve().parent
ROOM = "fit_for_gold"
ATHLETES = "federation.rio.athletes"
CUSTOMERS = "insurer.members.customers"
OUTPUT_CATALOG = "results"
NOTEBOOK = "body_measures"
SCOPE, KEY = "fit_for_gold", "join_key"
FEDERATION_ADMIN, ANALYST, INTERN = "fred@federation.example", "nina@federation.example", "ole@federation.example"
INSURER_ADMIN, REVIEWER = "ann@insurer.example", "petra@insurer.example"
RUN_SECONDS = 300
POLL_SECONDS = 0.05

TABLE = cleanrooms.CleanRoomAssetAssetType.TABLE
NOTEBOOK_FILE = cleanrooms.CleanRoomAssetAssetType.NOTEBOOK_FILE

LOAD_ATHLETES = """CREATE TABLE federation_data.rio.athletes AS
SELECT name, CAST(date_of_birth AS DATE) AS date_of_birth, nationality, sport,
       CAST(gold AS INT) AS gold, CAST(silver AS INT) AS silver, CAST(bronze AS INT) AS bronze
FROM read_files('/Volumes/federation_data/rio/landing/athletes.csv', format => 'csv', header => true, inferSchema => false)"""

LOAD_CUSTOMERS = """CREATE TABLE insurance.members.customers AS
SELECT customer_no, name, CAST(date_of_birth AS DATE) AS date_of_birth, sex,
       CAST(height AS DOUBLE) AS height, CAST(weight AS DOUBLE) AS weight, consent
FROM read_files('/Volumes/insurance/members/landing/customers.csv', format => 'csv', header => true, inferSchema => false)"""

TOKEN_FUNCTION = """CREATE FUNCTION {schema}.join_token(name STRING, born DATE)
RETURN hmac_sha256(secret('fit_for_gold', 'join_key'), concat(nfkc_trim_lower(name), '|', CAST(born AS STRING)))"""

TOKEN_MASK = "ALTER TABLE {table} ALTER COLUMN name SET MASK {schema}.join_token USING COLUMNS (date_of_birth)"

CONSENT_FUNCTION = "CREATE FUNCTION insurance.members.consented(consent STRING) RETURN consent = 'yes'"
CONSENT_FILTER = "ALTER TABLE insurance.members.customers SET ROW FILTER insurance.members.consented ON (consent)"


class StatementFailed(Exception):
    """A SQL statement did not succeed."""


def execute(client, statement):
    """The rows of a SQL statement that succeeds."""
    answer = client.statement_execution.execute_statement(statement=statement, warehouse_id="glovebox", wait_timeout="50s")
    if answer.status.state != sql.StatementState.SUCCEEDED:
        raise StatementFailed(answer.status.error.message)
    return answer.result.data_array or [] if answer.result else []


def load_rule(name):
    return json.loads((HERE / "rules" / f"{name}.json").read_text())


def load_notebook(name):
    return (HERE / "notebooks" / f"{name}.sql").read_text()


class Party:
    """One person of one organisation: Databricks' client, and the native one."""

    def __init__(self, server, token):
        self.sdk = server.client(token)
        self.native = Native(server.url, token, ROOM)


class Collaboration:
    """Two organisations on one server. Steps are called in their order."""

    def __init__(self, server, federation, insurer, samples):
        self.server = server
        self.organisations = {"federation": federation, "insurer": insurer}
        self.files = records.make_files(samples)
        self.fred = Party(server, federation.token)
        self.ann = Party(server, insurer.token)
        self.secret = secrets.token_urlsafe(32)

    # Step 1: each on its own: principals, a place, data, grants.

    def set_up(self):
        self.nina = self._person(self.fred, ANALYST, "Nina")
        self.ole = self._person(self.fred, INTERN, "Ole")
        self.petra = self._person(self.ann, REVIEWER, "Petra")
        self._load(self.fred, "federation_data", "rio", "athletes.csv", self.files.athletes, LOAD_ATHLETES)
        self._load(self.ann, "insurance", "members", "customers.csv", self.files.customers, LOAD_CUSTOMERS)
        self._grant_tables(self.ann, "insurance", "insurance.members", "insurance.members.customers", REVIEWER)

    def _person(self, admin, name, display_name):
        admin.sdk.users.create(user_name=name, display_name=display_name)
        token = admin.sdk.token_management.create_obo_token(application_id=name, comment="demo", lifetime_seconds=86400)
        return Party(self.server, token.token_value)

    def _load(self, admin, catalog_name, schema, file_name, content, statement):
        admin.sdk.catalogs.create(name=catalog_name)
        admin.sdk.schemas.create(name=schema, catalog_name=catalog_name)
        admin.sdk.volumes.create(catalog_name, schema, "landing", catalog.VolumeType.MANAGED)
        admin.sdk.files.upload(f"/Volumes/{catalog_name}/{schema}/landing/{file_name}", io.BytesIO(content))
        execute(admin.sdk, statement)

    @staticmethod
    def _grant(admin, kind, full_name, principal, *privileges):
        admin.sdk.grants.update(kind, full_name, changes=[catalog.PermissionsChange(principal=principal, add=list(privileges))])

    def _grant_tables(self, admin, catalog_name, schema, table, principal):
        self._grant(admin, "CATALOG", catalog_name, principal, catalog.Privilege.USE_CATALOG)
        self._grant(admin, "SCHEMA", schema, principal, catalog.Privilege.USE_SCHEMA)
        self._grant(admin, "TABLE", table, principal, catalog.Privilege.SELECT)

    # Step 2: what is true of a table wherever it is read.

    def govern(self):
        for admin, schema, table in ((self.fred, "federation_data.rio", "athletes"), (self.ann, "insurance.members", "customers")):
            admin.sdk.secrets.create_scope(SCOPE)
            admin.sdk.secrets.put_secret(SCOPE, KEY, string_value=self.secret)
            execute(admin.sdk, TOKEN_FUNCTION.format(schema=schema))
            execute(admin.sdk, TOKEN_MASK.format(schema=schema, table=f"{schema}.{table}"))
        execute(self.ann.sdk, CONSENT_FUNCTION)
        execute(self.ann.sdk, CONSENT_FILTER)

    # Step 3: a room, and in it the tables.

    def create_room(self):
        """The room as its creator sees it."""
        insurer = self.organisations["insurer"]
        room = cleanrooms.CleanRoom(name=ROOM, comment="How tall and heavy are athletes?", remote_detailed_info=cleanrooms.CleanRoomRemoteDetail(
            cloud_vendor="local", region="local",
            collaborators=[
                cleanrooms.CleanRoomCollaborator(
                    collaborator_alias="federation", global_metastore_id=self.organisations["federation"].global_metastore_id),
                cleanrooms.CleanRoomCollaborator(
                    collaborator_alias="insurer", global_metastore_id=insurer.global_metastore_id,
                    invite_recipient_email=INSURER_ADMIN, invite_recipient_workspace_id=insurer.workspace_id)]))
        created = self.fred.sdk.clean_rooms.create(room).response
        self.fred.sdk.clean_rooms.create_output_catalog(ROOM, cleanrooms.CleanRoomOutputCatalog(catalog_name=OUTPUT_CATALOG))
        self._grant(self.fred, "CLEAN_ROOM", ROOM, ANALYST, catalog.Privilege.MODIFY_CLEAN_ROOM,
                    catalog.Privilege.EXECUTE_CLEAN_ROOM_TASK)
        self._grant(self.fred, "CLEAN_ROOM", ROOM, INTERN, catalog.Privilege.BROWSE)
        return created

    def publish(self, party, asset, local_name):
        return party.sdk.clean_room_assets.create(ROOM, cleanrooms.CleanRoomAsset(
            name=asset, asset_type=TABLE, table_local_details=cleanrooms.CleanRoomAssetTableLocalDetails(local_name=local_name)))

    def publish_athletes(self):
        return self.publish(self.fred, ATHLETES, "federation_data.rio.athletes")

    def publish_customers(self):
        """The insurer's first act in the room, by which it joins."""
        asset = self.publish(self.ann, CUSTOMERS, "insurance.members.customers")
        self._grant(self.ann, "CLEAN_ROOM", ROOM, REVIEWER, catalog.Privilege.MODIFY_CLEAN_ROOM)
        return asset

    def room_status(self, party):
        return party.sdk.clean_rooms.get(ROOM).status.value

    # Step 4: what may be done with them.

    def set_rules(self):
        return (self.fred.native.set_rule(ATHLETES, load_rule("athletes")),
                self.ann.native.set_rule(CUSTOMERS, load_rule("customers")))

    # Step 5: a notebook, looked at by the other side.

    def submit_notebook(self, name, content=None):
        text = content if content is not None else load_notebook(name)
        asset = cleanrooms.CleanRoomAsset(name=name, asset_type=NOTEBOOK_FILE, notebook=cleanrooms.CleanRoomAssetNotebook(
            notebook_content=base64.b64encode(text.encode()).decode(), runner_collaborator_aliases=["federation"]))
        return self.nina.sdk.clean_room_assets.create(ROOM, asset)

    def read_notebook(self, name):
        """As the reviewer gets it."""
        asset = self.petra.sdk.clean_room_assets.get(ROOM, NOTEBOOK_FILE, name)
        return asset.notebook.etag, base64.b64decode(asset.notebook.notebook_content).decode()

    def approve(self, name):
        etag, _ = self.read_notebook(name)
        return self.petra.sdk.clean_room_assets.create_clean_room_asset_review(
            ROOM, NOTEBOOK_FILE, name, notebook_review=cleanrooms.NotebookVersionReview(
                etag=etag, review_state=cleanrooms.CleanRoomNotebookReviewNotebookReviewState.APPROVED, comment="fine with us"))

    # Step 6: a run.

    def start(self, name, parameters=None, party=None, etag=None):
        """The id of a run that was accepted."""
        task = jobs.SubmitTask(task_key=name, clean_rooms_notebook_task=jobs.CleanRoomsNotebookTask(
            clean_room_name=ROOM, notebook_name=name, etag=etag, notebook_base_parameters=parameters))
        return (party or self.nina).sdk.jobs.submit(run_name=name, tasks=[task]).response.run_id

    def wait(self, run_id):
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            run = self.nina.sdk.jobs.get_run(run_id)
            if run.state.life_cycle_state == jobs.RunLifeCycleState.TERMINATED:
                return run
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run_id} has not ended")
            time.sleep(POLL_SECONDS)

    def run(self, name, parameters=None):
        return self.wait(self.start(name, parameters))

    def approved_run(self, name):
        """Submitted, approved by the other side, run."""
        self.submit_notebook(name)
        self.approve(name)
        return self.run(name)

    def refusal_rule(self, run):
        """The rule by which a run was refused, as the ledger has it for both sides."""
        for entry in self.ann.native.entries():
            if entry["type"] == "run.denied" and entry["subject"]["id"] == str(run.run_id):
                return entry["data"].get("rule")
        return None

    # Step 7: what came out, and who may have it.

    def output_place(self, run):
        return self.nina.sdk.jobs.get_run_output(run.tasks[0].run_id).clean_rooms_notebook_output.output_schema_info

    def outputs(self, run):
        return {output["name"]: output for output in self.nina.native.outputs(run.run_id)}

    def table(self, run, name):
        """Column names and rows of an output, read as any table by its owner."""
        output = self.outputs(run)[name]
        columns = [column["name"] for column in output["columns"]]
        return columns, execute(self.nina.sdk, f"SELECT * FROM {output['table']}")

    def export(self, output):
        """The exported file's bytes."""
        export = self.nina.native.export(output["output_id"])
        return export, self.nina.native.content(export["export_id"])

    # Step 8: what the ledger holds.

    def evidence(self, folder):
        path = pathlib.Path(folder) / "evidence.tar"
        path.write_bytes(self.ann.native.evidence())
        return path

    @functools.cached_property
    def pin(self):
        """The identity of the room, as a party notes it when it joins."""
        return self.ann.native.ledger()["origin"]
