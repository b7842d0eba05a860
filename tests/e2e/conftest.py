# SPDX-License-Identifier: Apache-2.0
"""A running server with two organisations, and clients of theirs."""

import itertools
import os
import pathlib
import re
import selectors
import subprocess
import tempfile
import time

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GLOVEBOX_BINARY", ROOT / "build" / "dev" / "glovebox"))
READY = re.compile(r"^glovebox is ready on (https?://\S+)$")
READY_SECONDS = 20


def run_glovebox(*arguments, **options):
    """One command to its end."""
    command = [str(BINARY), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


class Organisation:
    """What `glovebox organisation create` printed."""

    def __init__(self, output):
        self.fields = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in output.splitlines())
        self.name = self.fields["organisation"]
        self.metastore_id = self.fields["organisation id"]
        self.global_metastore_id = self.fields["global metastore id"]
        self.workspace_id = int(self.fields["workspace id"])
        self.admin = self.fields["principal"]
        self.token = self.fields["token"]


def create_organisation(data, name, admin):
    done = run_glovebox("organisation", "create", name, "--admin", admin, "--data", data)
    assert done.returncode == 0, done.stderr
    return Organisation(done.stdout)


class Server:
    """`glovebox serve` on a free port; its log is kept."""

    def __init__(self, data, *arguments, environment=None):
        self.data = pathlib.Path(data)
        self.log_path = self.data.with_name(self.data.name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--data", str(data), "--listen", "127.0.0.1:0", *arguments],
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, **(environment or {})})
        self.url = self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(max(0, deadline - time.monotonic())):
                line = self.process.stdout.readline().decode()
                if not line:
                    break
                match = READY.match(line.strip())
                if match:
                    return match.group(1)
        self.process.kill()
        raise AssertionError("the server did not get ready:\n" + self.log())

    def log(self):
        return self.log_path.read_text()

    def client(self, token, **options):
        return WorkspaceClient(config=Config(host=self.url, token=token, auth_type="pat", retry_timeout_seconds=20, **options))

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=40)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=40)


@pytest.fixture(scope="session")
def _no_credentials_of_the_machine():
    """The SDK reads DATABRICKS_* and ~/.databrickscfg; a test must not."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("DATABRICKS_"):
                patch.delenv(name)
        patch.setenv("HOME", home)
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


def run_sql(client, statement, **options):
    """The statement's answer, once it has ended."""
    answer = client.statement_execution.execute_statement(
        statement=statement, warehouse_id="glovebox", wait_timeout="50s", **options)
    return answer


def rows(client, statement, **options):
    answer = run_sql(client, statement, **options)
    assert answer.status.state.value == "SUCCEEDED", answer.status
    return answer.result.data_array or []
