# SPDX-License-Identifier: Apache-2.0
"""Whether answers of the server are as api/openapi.yaml says."""

import functools
import re
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from server import ROOT

DOCUMENT = "urn:glovebox:openapi"


@functools.cache
def _document():
    document = yaml.safe_load((ROOT / "api" / "openapi.yaml").read_text())
    return document, Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(document))


def _pointer(*parts):
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@functools.cache
def _validator(pointer):
    return Draft202012Validator({"$ref": f"{DOCUMENT}#{pointer}"}, registry=_document()[1], format_checker=FormatChecker())


@functools.cache
def _pattern(path):
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path)))


def _find(path):
    for candidate in _document()[0]["paths"]:
        if _pattern(candidate).fullmatch(path):
            return candidate
    return None


def _schema_of(path, method, status, kind):
    """The pointer to the schema of an answer, or None for one that is no JSON."""
    responses = _document()[0]["paths"][path][method]["responses"]
    key = str(status) if str(status) in responses else "default"
    assert key in responses and (key != "default" or status >= 400), f"{method} {path}: {status} is not documented"
    place = ("paths", path, method, "responses", key)
    response = responses[key]
    if "$ref" in response:
        place = tuple(response["$ref"].removeprefix("#/").split("/"))
        response = _document()[0]["components"]["responses"][place[-1]]
    content = response.get("content", {})
    assert kind in content or not content, f"{method} {path}: {status} is {kind}, documented are {sorted(content)}"
    return _pointer(*place, "content", kind, "schema") if kind == "application/json" and content else None


def check(answer):
    """Asserts that an answer of the native API is one that the document allows. Others pass."""
    path = _find(urlsplit(answer.request.url).path)
    method = answer.request.method.lower()
    if path is None or method not in _document()[0]["paths"][path]:
        return
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    pointer = _schema_of(path, method, answer.status_code, kind)
    if pointer is not None:
        errors = [f"{error.json_path}: {error.message}" for error in _validator(pointer).iter_errors(answer.json())]
        assert not errors, f"{method} {path}: {answer.status_code} is not as api/openapi.yaml says: {errors}"
