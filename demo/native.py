# SPDX-License-Identifier: Apache-2.0
"""Client of the native API, for what Databricks has not: plain HTTP and JSON."""

import requests

TIMEOUT_SECONDS = 60


class Refused(Exception):
    """The server said no: its status, error code and message."""

    def __init__(self, answer):
        body = answer.json()
        self.status = answer.status_code
        self.code = body["error_code"]
        self.message = body["message"]
        super().__init__(f"{self.code}: {self.message}")


class Native:
    def __init__(self, url, token, room):
        self._base = f"{url}/api/glovebox/v1/rooms/{room}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def _send(self, method, path, **options):
        answer = self._session.request(method, self._base + path, timeout=TIMEOUT_SECONDS, **options)
        if not answer.ok:
            raise Refused(answer)
        return answer

    def room(self):
        return self._send("GET", "").json()

    def set_rule(self, asset, rule):
        return self._send("PUT", f"/assets/{asset}/rule", json=rule).json()

    def rule(self, asset):
        return self._send("GET", f"/assets/{asset}/rule").json()

    def plan(self, notebook, parameters=None):
        """What a run with these parameters would release, by schemas and rules alone."""
        return self._send("POST", f"/notebooks/{notebook}/plan", json={"parameters": parameters or {}}).json()

    def contract(self, notebook):
        return self._send("GET", f"/notebooks/{notebook}/contract").json()

    def certificate(self, run_id):
        return self._send("GET", f"/runs/{run_id}/certificate").json()

    def outputs(self, run_id):
        return self._send("GET", "/outputs", params={"run_id": run_id}).json()["outputs"]

    def rows(self, output_id):
        return self._send("GET", f"/outputs/{output_id}/rows").json()

    def export(self, output_id):
        return self._send("POST", f"/outputs/{output_id}/exports").json()

    def content(self, export_id):
        return self._send("GET", f"/exports/{export_id}/content").content

    def ledger(self):
        return self._send("GET", "/ledger").json()

    def entries(self):
        return [item["entry"] for item in self._send("GET", "/ledger/entries").json()["entries"]]

    def evidence(self):
        return self._send("GET", "/evidence").content
