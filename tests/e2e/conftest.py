# SPDX-License-Identifier: Apache-2.0
"""A running server with two organisations, and clients of theirs."""

import itertools
import pathlib
import sys
import tempfile

import pytest
import requests
from databricks.sdk.service import cleanrooms

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "demo"))

import documented  # noqa: E402
from server import Server, create_organisation, forget_credentials_of_the_machine, run_glovebox  # noqa: E402, F401


@pytest.fixture(scope="session")
def _no_credentials_of_the_machine():
    """The SDK reads DATABRICKS_* and ~/.databrickscfg; a test must not."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        forget_credentials_of_the_machine()
        patch.setenv("HOME", home)
        yield


@pytest.fixture(scope="session", autouse=True)
def _answers_are_as_documented():
    """Every answer that a client of these tests gets, Databricks' own client included, is compared with api/openapi.yaml."""
    send = requests.Session.send

    def checked_send(session, request, **options):
        answer = send(session, request, **options)
        documented.check(answer)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", checked_send)
        yield


@pytest.fixture(scope="session")
def site(tmp_path_factory, _no_credentials_of_the_machine):
    """(server, insurer, federation), for all tests that do not stop the server."""
    data = tmp_path_factory.mktemp("site") / "data"
    insurer = create_organisation(data, "Insurer", "ann@insurer.example")
    federation = create_organisation(data, "Federation", "fred@federation.example")
    server = Server(data)
    yield server, insurer, federation
    code = server.stop()
    assert code == 0, server.log()


@pytest.fixture(scope="session")
def server(site):
    return site[0]


@pytest.fixture(scope="session")
def insurer(site):
    """Client of the insurer's admin."""
    return site[0].client(site[1].token)


@pytest.fixture(scope="session")
def federation(site):
    """Client of the federation's admin."""
    return site[0].client(site[2].token)


_numbers = itertools.count(1)


@pytest.fixture
def schema(insurer):
    """A schema of the insurer's that no other test uses: "catalog.schema"."""
    catalog = f"cat{next(_numbers)}"
    insurer.catalogs.create(name=catalog)
    insurer.schemas.create(name="s", catalog_name=catalog)
    return f"{catalog}.s"


def create_room(site, federation, name, comment=None):
    """A room of the two organisations of the site, made by the federation: the SDK's waiter for its being active."""
    _, insurer, creator = site
    return federation.clean_rooms.create(cleanrooms.CleanRoom(
        name=name, comment=comment, remote_detailed_info=cleanrooms.CleanRoomRemoteDetail(
            cloud_vendor="aws", region="us-west-2", collaborators=[
                cleanrooms.CleanRoomCollaborator(
                    collaborator_alias="federation", global_metastore_id=creator.global_metastore_id),
                cleanrooms.CleanRoomCollaborator(
                    collaborator_alias="insurer", global_metastore_id=insurer.global_metastore_id,
                    invite_recipient_email=insurer.admin, invite_recipient_workspace_id=insurer.workspace_id)])))


def run_sql(client, statement, **options):
    """The statement's answer, once it has ended."""
    answer = client.statement_execution.execute_statement(
        statement=statement, warehouse_id="glovebox", wait_timeout="50s", **options)
    return answer


def rows(client, statement, **options):
    answer = run_sql(client, statement, **options)
    assert answer.status.state.value == "SUCCEEDED", answer.status
    return answer.result.data_array or []
