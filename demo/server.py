# SPDX-License-Identifier: Apache-2.0
"""The built program from outside: one command to its end, and a server on a free port. The demo and the tests use it."""

import os
import pathlib
import re
import selectors
import subprocess
import time

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = pathlib.Path(os.environ.get("GLOVEBOX_BINARY", ROOT / "build" / "dev" / "glovebox"))
SAMPLES = pathlib.Path(os.environ.get("GLOVEBOX_SAMPLES", ROOT / "build" / "deps" / "sample-datasets"))
READY = re.compile(r"^glovebox is ready on (https?://\S+)$")
READY_SECONDS = 20
STOP_SECONDS = 40
COMMAND_SECONDS = 60


class ProgramFailed(Exception):
    """The program did not do what it was started for; the text says what it printed."""


def run_glovebox(*arguments, **options):
    """One command to its end, whatever that is."""
    command = [str(BINARY), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, **options)


def forget_credentials_of_the_machine(environment=os.environ):
    """The SDK reads DATABRICKS_* and ~/.databrickscfg; what is started here must not."""
    for name in [name for name in environment if name.startswith("DATABRICKS_")]:
        del environment[name]
    environment["DATABRICKS_CONFIG_FILE"] = os.devnull


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
    if done.returncode != 0:
        raise ProgramFailed(done.stderr)
    return Organisation(done.stdout)


class Server:
    """`glovebox serve`, on a free port unless one is named; its log is kept beside the data folder."""

    def __init__(self, data, *arguments, environment=None, listen="127.0.0.1:0", launcher=()):
        self.data = pathlib.Path(data)
        self.log_path = self.data.with_name(self.data.name + ".log")
        started = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*launcher, str(BINARY), "serve", "--data", str(data), "--listen", listen, *arguments],
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, **(environment or {})})
        self.url = self._wait_until_ready()
        self.ready_milliseconds = round(1000 * (time.monotonic() - started))

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
        self.process.wait()
        raise ProgramFailed("the server did not get ready:\n" + self.log())

    def log(self):
        return self.log_path.read_text()

    def client(self, token, **options):
        """The unmodified client of Databricks."""
        return WorkspaceClient(config=Config(host=self.url, token=token, auth_type="pat", retry_timeout_seconds=20, **options))

    def stop(self):
        """The exit code of an orderly end."""
        self.process.terminate()
        return self.process.wait(timeout=STOP_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=STOP_SECONDS)
