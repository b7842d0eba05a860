# SPDX-License-Identifier: Apache-2.0
"""What is wrong gets a clear error, and nothing is lost."""

import io
import json
import select
import socket
import time
import urllib.error
import urllib.request

import pytest
from conftest import rows, run_sql
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, Unauthenticated
from databricks.sdk.service import sql
from server import Server, create_organisation, run_glovebox


def request(server, method, path, token=None, body=None, headers=None):
    """(status, JSON body or None) of one request without the SDK."""
    call = urllib.request.Request(server.url + path, method=method, data=body, headers=headers or {})
    if token is not None:
        call.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(call, timeout=30) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_wrong_token(server):
    with pytest.raises(Unauthenticated, match="token is missing, unknown, expired or revoked"):
        server.client("dapi0000").current_user.me()
    for path in ("/api/2.1/unity-catalog/catalogs", "/api/2.0/fs/files/Volumes/a/b/c/d", "/api/2.0/sql/warehouses"):
        status, body = request(server, "GET", path)
        assert (status, body["error_code"]) == (401, "UNAUTHENTICATED")


def test_a_foreign_organisation_sees_nothing(insurer, federation, schema):
    catalog_name = schema.split(".")[0]
    run_sql(insurer, f"CREATE TABLE {schema}.t AS SELECT 1 AS x")
    assert catalog_name not in [each.name for each in federation.catalogs.list()]
    missing = f"Table '{schema}.t' does not exist"
    for call in (lambda: federation.tables.get(f"{schema}.t"), lambda: federation.tables.delete(f"{schema}.t"),
                 lambda: federation.grants.get("table", f"{schema}.t")):
        with pytest.raises(NotFound, match=missing):
            call()
    with pytest.raises(NotFound):
        federation.schemas.get(schema)
    with pytest.raises(NotFound):
        federation.files.upload(f"/Volumes/{catalog_name}/s/v/f", io.BytesIO(b"x"))
    failed = run_sql(federation, f"SELECT * FROM {schema}.t")
    assert failed.status.state.value == "FAILED"
    never = run_sql(federation, "SELECT * FROM no.such.thing")
    assert failed.status.error.message.replace(f"{schema}.t", "X") == never.status.error.message.replace("no.such.thing", "X")


def test_malformed_requests(site):
    server, insurer, _ = site
    for body, code in ((b"{", "MALFORMED_REQUEST"), (b'{"name":"a","name":"b"}', "MALFORMED_REQUEST"), (b"[]", "MALFORMED_REQUEST"),
                       (b'{"name":7}', "INVALID_PARAMETER_VALUE"), (b"{}", "INVALID_PARAMETER_VALUE"), (b"\xff", "MALFORMED_REQUEST")):
        status, answer = request(server, "POST", "/api/2.1/unity-catalog/catalogs", insurer.token, body)
        assert (status, answer["error_code"]) == (400, code), body
        assert answer["message"] and answer["details"][1]["request_id"]
    status, answer = request(server, "GET", "/api/2.1/unity-catalog/nothing", insurer.token)
    assert (status, answer["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    status, answer = request(server, "PUT", "/api/2.1/unity-catalog/catalogs", insurer.token, b"")
    assert (status, answer["error_code"]) == (405, "METHOD_NOT_ALLOWED")


def test_oversized_body(site):
    server, insurer, _ = site
    body = b'{"name":"' + b"x" * (17 << 20) + b'"}'
    status, answer = request(server, "POST", "/api/2.1/unity-catalog/catalogs", insurer.token, body)
    assert (status, answer["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
    status, answer = request(server, "POST", "/api/2.1/unity-catalog/catalogs", "dapi0000", body)
    assert (status, answer["error_code"]) == (401, "UNAUTHENTICATED")
    status, answer = request(server, "POST", "/api/2.1/unity-catalog/catalogs", insurer.token, b'{"name":"a b"}')
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_bad_names_and_parameters(insurer, schema):
    for name in ("", "a.b", "a b", "a/b", "x" * 256):
        with pytest.raises(InvalidParameterValue):
            insurer.catalogs.create(name=name)
    with pytest.raises(InvalidParameterValue, match="page"):
        insurer.api_client.do("GET", "/api/2.1/unity-catalog/catalogs", query={"page_token": "!"})
    with pytest.raises(InvalidParameterValue, match="securable"):
        insurer.grants.get("planet", "earth")
    with pytest.raises(BadRequest, match="not supported"):
        insurer.catalogs.create(name="remote", storage_root="s3://bucket")
    with pytest.raises(BadRequest):
        insurer.files.upload("/Volumes/" + schema.replace(".", "/"), io.BytesIO(b"x"))
    with pytest.raises((BadRequest, NotFound)):
        insurer.api_client.do("GET", "/api/2.0/fs/files/Volumes/a/b/c/..%2F..%2Fetc/passwd")


@pytest.mark.parametrize("statement,code,place", [
    ("SELEC 1", "SQL_SYNTAX_ERROR", "line 1, column 1"),
    ("SELECT 1,\n       FROM", "SQL_SYNTAX_ERROR", "line 2"),
    ("SELECT nothing", "SQL_UNKNOWN_NAME", "line 1, column 8"),
    ("SELECT * FROM\n  no.such.thing", "SQL_UNKNOWN_NAME", "line 2, column 3"),
    ("SELECT 1 + 'x'", "RUN_FAILED", ""),
    ("SELECT CAST('abc' AS INT)", "INVALID_PARAMETER_VALUE", "line 1, column 8"),
    ("SELECT 1; SELECT 2", "NOT_SUPPORTED", "line 1, column 9"),
    ("CREATE VIEW v AS SELECT 1", "NOT_SUPPORTED", "line 1, column 8"),
    ("SELECT * FROM read_csv('/etc/passwd')", "NOT_SUPPORTED", "line 1, column 15"),
    ("SELECT * FROM '/etc/passwd'", "SQL_UNKNOWN_NAME", "line 1, column 15"),
    ("SELECT * FROM duckdb_settings()", "NOT_SUPPORTED", "line 1, column 15"),
    ("SELECT getenv('HOME')", "NOT_SUPPORTED", "line 1, column 8"),
    ("COPY (SELECT 1) TO '/tmp/x'", "NOT_SUPPORTED", "line 1, column 1"),
    ("INSTALL httpfs", "NOT_SUPPORTED", "line 1, column 1"),
    ("ATTACH '/tmp/x' AS y", "NOT_SUPPORTED", "line 1, column 1"),
    ("SET threads = 1", "NOT_SUPPORTED", "line 1, column 1"),
    ("", "SQL_SYNTAX_ERROR", "line 1, column 1"),
])
def test_sql_errors(insurer, statement, code, place):
    answer = run_sql(insurer, statement)
    assert answer.status.state.value == "FAILED", statement
    message = answer.status.error.message
    assert message.startswith(f"[{code}] ") and place in message and "root:" not in message, message


def test_missing_file(insurer, schema):
    catalog_name, schema_name = schema.split(".")
    with pytest.raises(NotFound):
        insurer.files.download(f"/Volumes/{catalog_name}/{schema_name}/v/nothing.csv")
    failed = run_sql(insurer, f"CREATE TABLE {schema}.t AS SELECT * FROM read_files('/Volumes/{catalog_name}/{schema_name}/v/nothing.csv')")
    assert failed.status.state.value == "FAILED" and "does not exist" in failed.status.error.message
    assert not insurer.tables.exists(f"{schema}.t").table_exists


def test_wrong_file(insurer, schema):
    catalog_name, schema_name = schema.split(".")
    run_sql(insurer, f"CREATE VOLUME {schema}.v")
    path = f"/Volumes/{catalog_name}/{schema_name}/v/broken.csv"
    for content, place in ((b"a,b\n1,2\n3\n", " (line 3, column b: columns are missing); check"), (b"a,b\n1\n2,3,4,5\n\"", "; check")):
        insurer.files.upload(path, io.BytesIO(content), overwrite=True)
        failed = run_sql(insurer, f"CREATE TABLE {schema}.t AS SELECT * FROM read_files('{path}', format => 'csv', header => true)")
        assert failed.status.state.value == "FAILED"
        assert f"the file {path} cannot be read in this format{place} " in failed.status.error.message, failed
    assert not insurer.tables.exists(f"{schema}.t").table_exists


def test_a_cast_that_fails(insurer, schema):
    """Databricks' meaning of CAST: an error at its place, no table, and none of the values in the message."""
    catalog_name, schema_name = schema.split(".")
    run_sql(insurer, f"CREATE VOLUME {schema}.v")
    path = f"/Volumes/{catalog_name}/{schema_name}/v/ages.csv"
    insurer.files.upload(path, io.BytesIO(b"id,age\n1,30\n2,unknown4111\n"))
    read = f"FROM read_files('{path}', format => 'csv', header => true, inferSchema => false)"
    failed = run_sql(insurer, f"CREATE TABLE {schema}.t AS\nSELECT id, CAST(age AS INT) AS age {read}")
    message = failed.status.error.message
    assert failed.status.state.value == "FAILED" and message.startswith("[INVALID_PARAMETER_VALUE] "), failed
    assert "line 2, column 12" in message and "TRY_CAST" in message and "4111" not in message, message
    assert not insurer.tables.exists(f"{schema}.t").table_exists
    answer = run_sql(insurer, f"SELECT sum(TRY_CAST(age AS INT)) AS total, count(TRY_CAST(age AS INT)) AS known {read}")
    assert answer.result.data_array == [["30", "1"]], answer


def start_upload(server, token, path):
    """A connection that has sent the beginning of a large file and says no more."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"PUT /api/2.0/fs/files{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                       f"Content-Length: {8 << 20}\r\n\r\n".encode() + bytes(64 << 10))
    return connection


def test_slow_uploads_leave_the_server_to_others(site, insurer, schema):
    server, organisation, _ = site
    catalog_name, schema_name = schema.split(".")
    run_sql(insurer, f"CREATE VOLUME {schema}.v")
    connections = {start_upload(server, organisation.token, f"/Volumes/{catalog_name}/{schema_name}/v/{number}") for number in range(24)}
    try:
        refused = set()
        while len(refused) < 22:  # all but the two that one organisation may have
            readable, _, _ = select.select(list(connections - refused), [], [], 30)
            assert readable, f"{len(refused)} were refused"
            for connection in readable:
                assert connection.recv(64).startswith(b"HTTP/1.1 429 ")
                refused.add(connection)
        assert request(server, "GET", "/health/ready") == (200, {"status": "ready"})
        assert catalog_name in [each.name for each in insurer.catalogs.list()]
    finally:
        for connection in connections:
            connection.close()


def test_wait_timeout(insurer):
    for wait in ("1s", "51s", "ten", "5"):
        with pytest.raises(InvalidParameterValue, match="wait_timeout"):
            insurer.statement_execution.execute_statement(statement="SELECT 1", warehouse_id="w", wait_timeout=wait)


def test_parameters_are_bounded(insurer):
    def ask(*sizes):
        parameters = [sql.StatementParameterListItem(name=f"p{i}", value="x" * size) for i, size in enumerate(sizes)]
        text = "SELECT " + ", ".join(f"length(:p{i})" for i in range(len(sizes)))
        return insurer.statement_execution.execute_statement(statement=text, warehouse_id="w", parameters=parameters)

    half = 128 << 10
    assert ask(half, half - 100).result.data_array == [[str(half), str(half - 100)]]
    with pytest.raises(InvalidParameterValue, match="bytes together"):
        ask(half, half)
    with pytest.raises(InvalidParameterValue, match="at most"):
        ask(*[1] * 65)


def test_a_statement_that_nobody_waits_for_is_canceled(insurer):
    """on_wait_timeout CANCEL ends the engine's work too; CONTINUE leaves it."""
    ten = ", ".join(f"({i})" for i in range(10))
    many = ", ".join(f"t AS t{i}" for i in range(12))
    endless = f"WITH t AS (SELECT * FROM (VALUES {ten}) AS v(x)) SELECT sum(t0.x * t11.x) FROM {many}"
    answer = insurer.statement_execution.execute_statement(
        statement=endless, warehouse_id="w", wait_timeout="5s", on_wait_timeout=sql.ExecuteStatementRequestOnWaitTimeout.CANCEL)
    assert answer.status.state == sql.StatementState.CANCELED, answer.status
    left = insurer.statement_execution.execute_statement(statement=endless, warehouse_id="w", wait_timeout="5s")
    assert left.status.state == sql.StatementState.RUNNING, left.status
    insurer.statement_execution.cancel_execution(left.statement_id)
    for _ in range(100):
        state = insurer.statement_execution.get_statement(left.statement_id).status.state
        if state != sql.StatementState.RUNNING:
            break
        time.sleep(0.1)
    assert state == sql.StatementState.CANCELED


def test_oauth_says_that_there_is_none(server):
    status, answer = request(server, "POST", "/oidc/v1/token", body=b"grant_type=client_credentials")
    assert status == 400 and answer["error"] == "unsupported_grant_type" and "personal access token" in answer["error_description"]


def test_health(server):
    assert request(server, "GET", "/health/live") == (200, {"status": "live"})
    assert request(server, "GET", "/health/ready") == (200, {"status": "ready"})


def test_metrics_have_an_address_of_their_own(tmp_path):
    """Behind a reverse proxy everybody is local: where requests for others come in, there are no counters for anybody."""
    server = Server(tmp_path / "data", "--metrics-listen", "127.0.0.1:0")
    try:
        lines = iter(lambda: server.process.stdout.readline().decode().strip(), "")
        url = next(line.removeprefix("metrics: ") for line in lines if line.startswith("metrics: "))
        with urllib.request.urlopen(url, timeout=30) as response:
            text = response.read()
        assert b'glovebox_responses_total{class="2xx"}' in text and b"glovebox_output_reviews_due_soon 0" in text
        status, answer = request(server, "GET", "/metrics")
        assert (status, answer["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.replace("/metrics", "/api/2.0/preview/scim/v2/Me"), timeout=30)
    finally:
        assert server.stop() == 0


def test_no_metrics_unless_asked_for(server):
    status, answer = request(server, "GET", "/metrics")
    assert (status, answer["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


def test_taken_port(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_glovebox("serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and "another program uses this port" in done.stderr


def test_second_server_on_the_folder(server):
    for arguments in (("serve", "--listen", "127.0.0.1:0"), ("organisation", "create", "X", "--admin", "x@x.example")):
        done = run_glovebox(*arguments, "--data", server.data)
        assert done.returncode == 1
        assert "in use by another glovebox process" in done.stderr and str(server.data) in done.stderr


def test_wrong_arguments(tmp_path):
    for arguments in ((), ("nothing",), ("serve", "--listen", "nowhere:99999"), ("organisation", "create"), ("audit", "verify")):
        done = run_glovebox(*arguments)
        assert done.returncode == 3, (arguments, done)
        assert done.stdout == "" or "Usage" in done.stdout
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run_glovebox("serve", "--data", blocked / "data")
    assert done.returncode == 1 and "data folder" in done.stderr


def test_a_restart_keeps_everything(tmp_path, _no_credentials_of_the_machine):
    data = tmp_path / "data"
    organisation = create_organisation(data, "Insurer", "ann@insurer.example")
    server = Server(data)
    client = server.client(organisation.token)
    client.catalogs.create(name="c")
    assert run_sql(client, "CREATE TABLE c.default.t AS SELECT 7 AS x").status.state.value == "SUCCEEDED"
    server.kill()
    server = Server(data)
    try:
        assert rows(server.client(organisation.token), "SELECT x FROM c.default.t") == [["7"]]
        done = run_glovebox("token", "create", "--organisation", "Insurer", "--user", "ann@insurer.example", "--data", data)
        assert done.returncode == 1 and "in use" in done.stderr
    finally:
        assert server.stop() == 0
    done = run_glovebox("token", "create", "--organisation", "insurer", "--user", "ann@insurer.example", "--days", "1", "--data", data)
    assert done.returncode == 0, done.stderr
    server = Server(data)
    try:
        token = next(line.split()[-1] for line in done.stdout.splitlines() if line.startswith("token"))
        assert server.client(token).current_user.me().user_name == "ann@insurer.example"
    finally:
        server.stop()


def test_help_lists_every_command():
    done = run_glovebox("--help")
    assert done.returncode == 0
    for command in ("serve", "organisation", "token", "audit", "errors", "version"):
        assert command in done.stdout
        assert run_glovebox(command, "--help").returncode == 0
    assert "UNAUTHENTICATED" in run_glovebox("errors").stdout
