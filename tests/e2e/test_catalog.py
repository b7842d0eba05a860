# SPDX-License-Identifier: Apache-2.0
"""An organisation sets up its side: catalog, files, tables, governance, rights. The client is the real SDK."""

import datetime
import hashlib
import hmac
import io

import pytest
from conftest import rows, run_sql
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceAlreadyExists
from databricks.sdk.service import catalog, iam, sql
from databricks.sdk.service.workspace import AclPermission

PEOPLE = "person_id,name,born,height,consent\n" + "".join(
    f"{i},{'PERSON ' + str(i)},{datetime.date(1980, 1, 1) + datetime.timedelta(days=i)},{150 + i % 50},{'yes' if i % 5 else 'no'}\n"
    for i in range(1, 201))


def upload(client, schema, text=PEOPLE, name="people.csv"):
    """A volume with one file in it; the file's path."""
    catalog_name, schema_name = schema.split(".")
    client.volumes.create(catalog_name, schema_name, "landing", catalog.VolumeType.MANAGED)
    path = f"/Volumes/{catalog_name}/{schema_name}/landing/{name}"
    client.files.upload(path, io.BytesIO(text.encode()), overwrite=True)
    return path


@pytest.fixture
def people(insurer, schema):
    """Full name of a table that was loaded from a file."""
    path = upload(insurer, schema)
    answer = run_sql(insurer, f"CREATE TABLE {schema}.people AS SELECT * FROM read_files('{path}', format => 'csv', header => true)")
    assert answer.status.state == sql.StatementState.SUCCEEDED, answer.status
    return f"{schema}.people"


def test_me_and_metastore(site, insurer):
    _, organisation, _ = site
    me = insurer.current_user.me()
    assert me.user_name == "ann@insurer.example" and me.active
    assert "admins" in [group.display for group in me.groups]
    assert insurer.get_workspace_id() == organisation.workspace_id
    summary = insurer.metastores.summary()
    assert summary.global_metastore_id == organisation.global_metastore_id
    assert summary.metastore_id == organisation.metastore_id
    assignment = insurer.metastores.current()
    assert (assignment.workspace_id, assignment.metastore_id) == (organisation.workspace_id, organisation.metastore_id)


def test_catalog_tree(insurer):
    made = insurer.catalogs.create(name="Tree", comment="for the tree")
    assert made.name == "Tree" and made.owner == "ann@insurer.example" and made.comment == "for the tree"
    assert "Tree" in [each.name for each in insurer.catalogs.list()]
    insurer.schemas.create(name="one", catalog_name="tree")
    assert {each.name for each in insurer.schemas.list(catalog_name="Tree")} == {"default", "one"}
    with pytest.raises(ResourceAlreadyExists, match="'Tree'"):
        insurer.catalogs.create(name="TREE")
    assert insurer.catalogs.update("tree", comment="changed").comment == "changed"
    assert insurer.schemas.get("TREE.ONE").full_name == "Tree.one"
    with pytest.raises(BadRequest, match="not empty"):
        insurer.catalogs.delete("Tree")
    insurer.catalogs.delete("Tree", force=True)
    with pytest.raises(NotFound):
        insurer.catalogs.get("Tree")


def test_lists_come_in_pages(insurer, schema):
    catalog_name = schema.split(".")[0]
    for i in range(5):
        insurer.schemas.create(name=f"p{i}", catalog_name=catalog_name)
    listed = [each.name for each in insurer.schemas.list(catalog_name=catalog_name, max_results=2)]
    assert listed == sorted(listed) and set(listed) == {"default", "s", "p0", "p1", "p2", "p3", "p4"}
    first = insurer.api_client.do("GET", "/api/2.1/unity-catalog/schemas", query={"catalog_name": catalog_name, "max_results": 2})
    assert len(first["schemas"]) == 2 and first["next_page_token"]


def test_a_file_becomes_a_table(insurer, people):
    info = insurer.tables.get(people)
    assert [column.name for column in info.columns] == ["person_id", "name", "born", "height", "consent"]
    assert info.columns[0].type_name == catalog.ColumnTypeName.LONG
    assert info.columns[2].type_name == catalog.ColumnTypeName.DATE
    assert info.table_type == catalog.TableType.MANAGED and info.storage_location is None
    assert insurer.tables.exists(people).table_exists
    assert not insurer.tables.exists(people + "x").table_exists
    assert rows(insurer, f"SELECT count(*), min(born), max(height) FROM {people}") == [["200", "1980-01-02", "199"]]
    catalog_name, schema_name, _ = people.split(".")
    assert [each.full_name for each in insurer.tables.list(catalog_name, schema_name)] == [people]
    insurer.tables.delete(people)
    assert not insurer.tables.exists(people).table_exists


def test_files(insurer, schema):
    path = upload(insurer, schema)
    folder = path.rsplit("/", 1)[0]
    assert insurer.files.download(path).contents.read().decode() == PEOPLE
    metadata = insurer.files.get_metadata(path)
    assert metadata.content_length == len(PEOPLE)
    with pytest.raises(ResourceAlreadyExists):
        insurer.files.upload(path, io.BytesIO(b"x"), overwrite=False)
    assert insurer.files.download(path).contents.read().decode() == PEOPLE
    odd = folder + "/a folder/ünï #1?.csv"
    insurer.files.upload(odd, io.BytesIO(b"1,2\n"))
    assert insurer.files.download(odd).contents.read() == b"1,2\n"
    insurer.files.create_directory(folder + "/empty")
    listed = {entry.name: entry.is_directory for entry in insurer.files.list_directory_contents(folder, page_size=1)}
    assert listed == {"a folder": True, "empty": True, "people.csv": False}
    insurer.files.get_directory_metadata(folder + "/empty")
    with pytest.raises(NotFound):
        insurer.files.get_directory_metadata(path)
    with pytest.raises(BadRequest, match="not empty"):
        insurer.files.delete_directory(folder + "/a folder")
    insurer.files.delete_directory(folder + "/empty")
    insurer.files.delete(path)
    with pytest.raises(NotFound):
        insurer.files.download(path)


def test_a_large_file_goes_up_and_down_in_the_ways_that_the_client_has(insurer, schema, tmp_path):
    folder = upload(insurer, schema).rsplit("/", 1)[0]
    content = bytes(range(256)) * (60 * 4096)  # 60 MiB: the client asks for an upload in parts
    insurer.files.upload(folder + "/large.bin", io.BytesIO(content))
    target = tmp_path / "large.bin"
    insurer.files.download_to(folder + "/large.bin", str(target))
    assert target.read_bytes() == content
    response = insurer.api_client.do("GET", f"/api/2.0/fs/files{folder}/large.bin", headers={"Range": "bytes=255-257"}, raw=True)
    assert response["contents"].read() == content[255:258]


def test_statements(insurer, people):
    assert rows(insurer, f"SELECT name FROM {people} WHERE person_id = :id", parameters=[
        sql.StatementParameterListItem(name="id", value="7", type="BIGINT")]) == [["PERSON 7"]]
    catalog_name, schema_name, table = people.split(".")
    assert rows(insurer, f"SELECT count(*) FROM {table}", catalog=catalog_name, schema=schema_name) == [["200"]]
    answer = run_sql(insurer, "SELECT 1 AS i, 'x' AS s, 1.50 AS d, CAST(NULL AS INT) AS n, true AS b, DATE '2026-01-02' AS t")
    assert answer.result.data_array == [["1", "x", "1.50", None, "true", "2026-01-02"]]
    names = [(column.name, column.type_name.value) for column in answer.manifest.schema.columns]
    assert names == [("i", "INT"), ("s", "STRING"), ("d", "DECIMAL"), ("n", "INT"), ("b", "BOOLEAN"), ("t", "DATE")]
    wrote = run_sql(insurer, f"CREATE TABLE {catalog_name}.{schema_name}.copy AS SELECT * FROM {people}")
    assert wrote.result.data_array == [["200", "200"]]


def test_a_long_result_comes_in_chunks(insurer, schema):
    path = upload(insurer, schema, "i\n" + "".join(f"{i}\n" for i in range(5000)), "numbers.csv")
    answer = run_sql(insurer, f"SELECT i FROM read_files('{path}', format => 'csv', header => true) ORDER BY i")
    assert answer.status.state == sql.StatementState.SUCCEEDED, answer.status
    assert answer.manifest.total_row_count == 5000 and answer.manifest.total_chunk_count == 3
    data, part = [], answer.result
    while True:
        data += part.data_array
        if part.next_chunk_index is None:
            break
        part = insurer.statement_execution.get_statement_result_chunk_n(answer.statement_id, part.next_chunk_index)
    assert data == [[str(i)] for i in range(5000)]
    with pytest.raises(NotFound, match="chunk"):
        insurer.statement_execution.get_statement_result_chunk_n(answer.statement_id, 3)


def test_a_chunk_of_wide_rows_has_fewer(insurer, schema):
    columns, count = 200, 1500  # 100,000 cells a chunk
    path = upload(insurer, schema, "i\n" + "".join(f"{i}\n" for i in range(count)), "wide.csv")
    wide = ", ".join(f"i + {k} AS c{k}" for k in range(columns))
    answer = run_sql(insurer, f"SELECT {wide} FROM read_files('{path}', format => 'csv', header => true) ORDER BY i")
    assert answer.status.state == sql.StatementState.SUCCEEDED, answer.status
    assert [chunk.row_count for chunk in answer.manifest.chunks] == [500, 500, 500]
    assert (answer.result.row_count, answer.result.next_chunk_index) == (500, 1)
    last = insurer.statement_execution.get_statement_result_chunk_n(answer.statement_id, 2)
    assert (last.row_offset, last.row_count, last.next_chunk_index) == (1000, 500, None)
    assert last.data_array[-1] == [str(count - 1 + k) for k in range(columns)]


def test_a_statement_can_be_left_and_come_back_to(insurer, federation):
    started = insurer.statement_execution.execute_statement(statement="SELECT 42", warehouse_id="w", wait_timeout="0s")
    for _ in range(600):
        answer = insurer.statement_execution.get_statement(started.statement_id)
        if answer.status.state not in (sql.StatementState.PENDING, sql.StatementState.RUNNING):
            break
    assert answer.result.data_array == [["42"]]
    insurer.statement_execution.cancel_execution(started.statement_id)
    assert insurer.statement_execution.get_statement(started.statement_id).status.state == sql.StatementState.SUCCEEDED
    with pytest.raises(NotFound):
        federation.statement_execution.get_statement(started.statement_id)
    assert [warehouse.state.value for warehouse in insurer.warehouses.list()] == ["RUNNING"]


def test_governance_at_the_source(insurer, people):
    schema = people.rsplit(".", 1)[0]
    clear = dict(rows(insurer, f"SELECT person_id, lower(trim(name)) || '|' || CAST(born AS STRING) FROM {people}"))
    insurer.secrets.create_scope("gov" + schema.split(".")[0])
    scope = "gov" + schema.split(".")[0]
    insurer.secrets.put_secret(scope, "join", string_value="a secret of both sides")
    for statement in (
        f"CREATE FUNCTION {schema}.consented(consent STRING) RETURN consent = 'yes'",
        f"ALTER TABLE {people} SET ROW FILTER {schema}.consented ON (consent)",
        f"CREATE FUNCTION {schema}.token(name STRING, born DATE) RETURN "
        f"hmac_sha256(secret('{scope}', 'join'), concat(lower(trim(name)), '|', CAST(born AS STRING)))",
        f"ALTER TABLE {people} ALTER COLUMN name SET MASK {schema}.token USING COLUMNS (born)",
    ):
        answer = run_sql(insurer, statement)
        assert answer.status.state == sql.StatementState.SUCCEEDED, (statement, answer.status)
    info = insurer.tables.get(people)
    assert info.row_filter.function_name == f"{schema}.consented"
    assert info.row_filter.input_column_names == ["consent"]
    mask = next(column.mask for column in info.columns if column.name == "name")
    assert (mask.function_name, mask.using_column_names) == (f"{schema}.token", ["born"])
    # Whoever may SELECT reads the masked values, the owner too; the key itself is for nobody's statement.
    masked = rows(insurer, f"SELECT person_id, name FROM {people}")
    assert len(masked) == 160
    for person, token in masked:
        assert token == hmac.new(b"a secret of both sides", clear[person].encode(), hashlib.sha256).hexdigest()
    failed = run_sql(insurer, f"SELECT {schema}.token('ann', DATE '1990-01-01')")
    assert failed.status.state == sql.StatementState.FAILED and "hmac_sha256" in failed.status.error.message
    assert run_sql(insurer, f"ALTER TABLE {people} ALTER COLUMN name DROP MASK").status.state == sql.StatementState.SUCCEEDED
    assert rows(insurer, f"SELECT count(*) FROM {people}") == [["160"]]
    function = insurer.functions.get(f"{schema}.consented")
    assert function.input_params.parameters[0].name == "consent"
    with pytest.raises(BadRequest, match="row filter"):
        insurer.functions.delete(f"{schema}.consented")


def test_functions_by_rest(insurer, schema):
    catalog_name, schema_name = schema.split(".")
    parameter = catalog.FunctionParameterInfo(name="x", type_text="bigint", type_name=catalog.ColumnTypeName.LONG, position=0)
    made = insurer.functions.create(catalog.CreateFunction(
        name="twice", catalog_name=catalog_name, schema_name=schema_name,
        input_params=catalog.FunctionParameterInfos(parameters=[parameter]), data_type=catalog.ColumnTypeName.LONG,
        full_data_type="BIGINT", routine_body=catalog.CreateFunctionRoutineBody.SQL, routine_definition="x * 2",
        parameter_style=catalog.CreateFunctionParameterStyle.S, is_deterministic=True,
        sql_data_access=catalog.CreateFunctionSqlDataAccess.NO_SQL, is_null_call=False,
        security_type=catalog.CreateFunctionSecurityType.DEFINER, specific_name="twice"))
    assert made.full_name == f"{schema}.twice"
    assert rows(insurer, "SELECT twice(21)", catalog=catalog_name, schema=schema_name) == [["42"]]
    assert rows(insurer, f"SELECT {schema}.twice(4)") == [["8"]]
    assert [each.name for each in insurer.functions.list(catalog_name, schema_name)] == ["twice"]
    insurer.functions.delete(f"{schema}.twice")
    assert list(insurer.functions.list(catalog_name, schema_name)) == []


def test_rights(site, insurer, people):
    server = site[0]
    catalog_name, schema_name, _ = people.split(".")
    name = f"uma-{catalog_name}@insurer.example"
    user = insurer.users.create(user_name=name, display_name="Uma")
    group = insurer.groups.create(display_name=f"analysts-{catalog_name}", members=[iam.ComplexValue(value=user.id)])
    token = insurer.token_management.create_obo_token(application_id=name, comment="for the test", lifetime_seconds=3600)
    uma = server.client(token.token_value)
    assert uma.current_user.me().user_name == name
    assert f"analysts-{catalog_name}" in [each.display for each in uma.current_user.me().groups]
    with pytest.raises(NotFound):
        uma.tables.get(people)
    assert people not in [each.full_name for each in uma.catalogs.list()]
    failed = run_sql(uma, f"SELECT * FROM {people}")
    assert failed.status.state == sql.StatementState.FAILED and "there is no table" in failed.status.error.message
    changes = [
        (catalog.SecurableType.CATALOG, catalog_name, catalog.Privilege.USE_CATALOG),
        (catalog.SecurableType.SCHEMA, f"{catalog_name}.{schema_name}", catalog.Privilege.USE_SCHEMA),
        (catalog.SecurableType.TABLE, people, catalog.Privilege.SELECT),
    ]
    for kind, full_name, privilege in changes:
        insurer.grants.update(kind.value, full_name,
                              changes=[catalog.PermissionsChange(principal=group.display_name, add=[privilege])])
    assert rows(uma, f"SELECT count(*) FROM {people}") == [["200"]]
    granted = insurer.grants.get("SecurableType.TABLE", people)
    assert [(each.principal, each.privileges) for each in granted.privilege_assignments] == [
        (group.display_name, [catalog.Privilege.SELECT])]
    effective = uma.grants.get_effective("table", people, principal=group.display_name)
    assert catalog.Privilege.SELECT in [each.privilege for each in effective.privilege_assignments[0].privileges]
    with pytest.raises(PermissionDenied):
        uma.grants.update("table", people, changes=[catalog.PermissionsChange(principal=name, add=[catalog.Privilege.MODIFY])])
    with pytest.raises(PermissionDenied):
        uma.tables.delete(people)
    insurer.groups.patch(group.id, operations=[
        iam.Patch(op=iam.PatchOp.REMOVE, path=f'members[value eq "{user.id}"]')])
    with pytest.raises(NotFound):
        uma.tables.get(people)
    insurer.users.patch(user.id, operations=[iam.Patch(op=iam.PatchOp.REPLACE, path="active", value="false")])
    with pytest.raises(Exception, match="token is missing, unknown, expired or revoked"):
        uma.current_user.me()


def test_principals(insurer):
    service = insurer.service_principals.create(display_name="nightly")
    assert service.application_id and service.display_name == "nightly"
    assert insurer.service_principals.get(service.id).application_id == service.application_id
    assert [each.id for each in insurer.service_principals.list(filter='displayName eq "nightly"')] == [service.id]
    assert "ann@insurer.example" in [each.user_name for each in insurer.users.list()]
    assert [each.display_name for each in insurer.groups.list(filter='displayName eq "admins"')] == ["admins"]
    insurer.service_principals.delete(service.id)
    with pytest.raises(NotFound):
        insurer.service_principals.get(service.id)


def test_tokens(site, insurer):
    server = site[0]
    made = insurer.tokens.create(comment="mine", lifetime_seconds=600)
    other = server.client(made.token_value)
    assert other.current_user.me().user_name == "ann@insurer.example"
    listed = {each.token_id: each for each in insurer.tokens.list()}
    assert listed[made.token_info.token_id].comment == "mine"
    insurer.tokens.delete(made.token_info.token_id)
    with pytest.raises(Exception, match="token is missing, unknown, expired or revoked"):
        other.current_user.me()
    assert made.token_value not in server.log()


def test_secrets_never_come_out(insurer):
    insurer.secrets.create_scope("vault")
    insurer.secrets.put_secret("vault", "key", string_value="sesame")
    insurer.secrets.put_secret("vault", "bytes", bytes_value="c2VzYW1l")
    assert "vault" in [scope.name for scope in insurer.secrets.list_scopes()]
    assert {secret.key for secret in insurer.secrets.list_secrets("vault")} == {"key", "bytes"}
    with pytest.raises(PermissionDenied, match="never handed out"):
        insurer.secrets.get_secret("vault", "key")
    failed = run_sql(insurer, "SELECT secret('vault', 'key')")
    assert failed.status.state == sql.StatementState.FAILED and "sesame" not in str(failed.as_dict())
    insurer.secrets.put_acl("vault", "account users", AclPermission.READ)
    assert ("account users", AclPermission.READ) in [
        (acl.principal, acl.permission) for acl in insurer.secrets.list_acls("vault")]
    insurer.secrets.delete_secret("vault", "bytes")
    insurer.secrets.delete_scope("vault")
    assert "vault" not in [scope.name for scope in insurer.secrets.list_scopes()]
