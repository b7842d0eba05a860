# SPDX-License-Identifier: Apache-2.0
"""The check of answers finds what is wrong: one that finds nothing would be worth nothing."""

import json

import documented
import pytest
import requests

EXPORT = {
    "export_id": "01a207c3-cf25-7300-81e6-acd5fd81900b", "output_id": "01a207c3-cf25-7300-81e6-acd5fd81900c", "run_id": 1,
    "state": "RELEASED", "sha256": "00", "byte_count": 1, "format": "PARQUET", "requested_by": "ann",
    "created_at": "2026-01-01T00:00:00Z"}


def answer(method, path, status, body, kind="application/json"):
    made = requests.Response()
    made.request = requests.Request(method, "http://127.0.0.1" + path).prepare()
    made.status_code = status
    made.headers["Content-Type"] = kind
    made._content = json.dumps(body).encode()
    return made


def test_answers_as_documented_pass():
    documented.check(answer("GET", "/api/glovebox/v1/rooms/r/exports", 200, {"exports": [EXPORT]}))
    documented.check(answer("GET", "/api/glovebox/v1/rooms/r/exports", 404, {"error_code": "X", "message": "", "details": []}))
    documented.check(answer("GET", "/api/2.0/clean-rooms", 200, {"anything": 1}))


@pytest.mark.parametrize("status,body,kind", [
    (200, {"exports": [{**EXPORT, "rows": []}]}, "application/json"),
    (200, {"exports": [{**EXPORT, "state": "OPEN"}]}, "application/json"),
    (200, {"exports": [{**EXPORT, "export_id": "1"}]}, "application/json"),
    (200, {}, "application/json"),
    (200, {"exports": []}, "text/html"),
    (201, {"exports": []}, "application/json"),
    (404, {"message": "no"}, "application/json"),
])
def test_others_do_not(status, body, kind):
    with pytest.raises(AssertionError):
        documented.check(answer("GET", "/api/glovebox/v1/rooms/r/exports", status, body, kind))
