"""Describes the service as OpenAPI 3.1, from the declarations by which its requests are checked and answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final, get_type_hints

from chatdesk import __version__
from chatdesk.service import forms
from chatdesk.service.caller import Scope
from chatdesk.service.carrying_out import KEY
from chatdesk.service.declaration import FILE, Endpoint
from chatdesk.service.problems import MEDIA_TYPE, codes_by_status

_NAME: Final = re.compile(r"{(\w+)}")
_ALWAYS: Final = (400, 401, 403, 408, 421, 429, 431, 500, 503)
_WITH_INPUT: Final = (404, 422)
_OF_WRITES: Final = (409, 507)
_WITH_BODY: Final = (413, 415)
_OF_PROVIDERS: Final = (502,)
_PROBLEM: Final = {
    "type": "object",
    "description": "An error as RFC 9457 has it. The code is the one that the command line gives.",
    "required": ["type", "code", "title", "detail", "status", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "status": {"type": "integer"},
        "request_id": {"type": "string"},
        "fields": {
            "type": "array",
            "description": "The places that do not have the right form, without their values.",
            "items": {
                "type": "object",
                "required": ["place", "what"],
                "properties": {"place": {"type": "string"}, "what": {"type": "string"}},
            },
        },
        "current": {"description": "The version that is there, where If-Match named another."},
        "yours": {"description": "The change that was asked for, where If-Match named another version."},
    },
}
_OPENAI_ERROR: Final = {
    "type": "object",
    "description": "An error as OpenAI writes it.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_HEADERS: Final = {
    "If-None-Match": "An ETag; the answer is 304 where nothing has changed.",
    "If-Match": "An ETag; the answer is 409 where something has changed.",
    "Idempotency-Key": "A name of this request. Repeated within a day, the request makes nothing twice.",
    "Range": "The part of the file that is wanted, such as bytes=0-1023.",
}
_HEADER_FORMS: Final = {"Idempotency-Key": {"pattern": f"^{KEY.pattern}$"}}

# Names from RFC 9110; older versions of Python have others.
_PHRASES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


def document_of(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document for these endpoints."""
    schemas, definitions = forms.schemas_of(dict.fromkeys(_forms_of(endpoints)))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.shown_path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ChatDesk",
            "version": __version__,
            "description": "The local service of ChatDesk: the threads, projects and models of one person.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**dict(sorted(definitions.items())), "Problem": _PROBLEM, "OpenAIError": _OPENAI_ERROR},
            "responses": {
                **{f"Problem{status}": _problem(status, codes) for status, codes in codes_by_status().items()},
                "OpenAIError": _failure("Refused. The form is that of OpenAI.", "application/json", "OpenAIError"),
            },
        },
    }


def answer_form(endpoint: Endpoint) -> Any:
    """Return the form of an endpoint's answer, None where it has none."""
    return None if endpoint.shows is None else get_type_hints(endpoint.shows)["return"]


def statuses_of(endpoint: Endpoint) -> list[int]:
    """Return the statuses of the problems that an endpoint may answer with."""
    has_input = bool(_NAME.search(endpoint.shown_path) or endpoint.query or endpoint.body)
    return sorted(
        {
            *_ALWAYS,
            *(_WITH_INPUT if has_input else ()),
            *(_OF_WRITES if endpoint.writes else ()),
            *(_WITH_BODY if endpoint.writes else ()),
            *(_OF_PROVIDERS if endpoint.scope is Scope.ASK else ()),
            *((416,) if endpoint.has_ranges else ()),
        }
    )


def _forms_of(endpoints: Iterable[Endpoint]) -> Iterable[tuple[Any, Any]]:
    for endpoint in endpoints:
        if endpoint.body is not None and not endpoint.takes_file:
            yield endpoint.body, "validation"
        if endpoint.query is not None:
            yield endpoint.query, "validation"
        if endpoint.shows is not None:
            yield answer_form(endpoint), "serialization"


def _operation(endpoint: Endpoint, schemas: dict[tuple[Any, str], dict[str, Any]]) -> dict[str, Any]:
    name = "_".join(re.findall(r"\w+", endpoint.shown_path.removeprefix("/api/v1")))
    operation: dict[str, Any] = {"operationId": f"{endpoint.method.lower()}_{name}", "summary": endpoint.summary}
    if endpoint.scope is None:
        operation["security"] = [{}, {"token": []}]
        operation["description"] = "On this computer also without a token."
    else:
        operation["description"] = f"Needs the scope “{endpoint.scope}”."
    operation["parameters"] = [*_parameters(endpoint), *(_header(each) for each in _headers(endpoint))]
    if endpoint.body is not None:
        media_type = FILE if endpoint.takes_file else "application/json"
        schema = {} if endpoint.takes_file else schemas[endpoint.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    operation["responses"] = _responses(endpoint, schemas)
    return operation


def _parameters(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    for name in _NAME.findall(endpoint.shown_path):
        form = {"format": "uuid"} if name.endswith("_id") else {"minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", **form}}
    if endpoint.query is not None:
        schema = forms.schema_of(endpoint.query)
        for name, each in schema.get("properties", {}).items():
            is_needed = name in schema.get("required", ())
            yield {"name": name, "in": "query", "required": is_needed, "schema": _without_null(each)}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a query parameter. A query expresses null by leaving the parameter out."""
    kinds: list[dict[str, Any]] = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {name: each for name, each in schema.items() if name not in ("anyOf", "default")} | kinds[0]


def _headers(endpoint: Endpoint) -> Iterable[str]:
    if endpoint.method == "GET" and endpoint.shows is not None:
        yield "If-None-Match"
    if endpoint.guards is not None:
        yield "If-Match"
    if endpoint.takes_key:
        yield "Idempotency-Key"
    if endpoint.has_ranges:
        yield "Range"


def _header(name: str) -> dict[str, Any]:
    schema = {"type": "string", **_HEADER_FORMS.get(name, {})}
    return {"name": name, "in": "header", "description": _HEADERS[name], "schema": schema}


def _responses(endpoint: Endpoint, schemas: dict[tuple[Any, str], dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _phrase(endpoint.status)}
    if endpoint.shows is not None:
        answer["content"] = {"application/json": {"schema": schemas[answer_form(endpoint), "serialization"]}}
    if endpoint.media_type:
        answer.setdefault("content", {})[endpoint.media_type] = {}
    found = {str(endpoint.status): answer}
    if "If-None-Match" in _headers(endpoint):
        found["304"] = {"description": "Nothing has changed."}
    if endpoint.has_ranges:
        found["206"] = {**answer, "description": "The part that was asked for."}
    if endpoint.path.startswith("/v1/"):
        return {**found, "default": {"$ref": "#/components/responses/OpenAIError"}}
    for status in statuses_of(endpoint):
        found[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return found


def _problem(status: int, codes: Iterable[str]) -> dict[str, Any]:
    about = f"{_phrase(status)}. The code is one of: {', '.join(codes)}."
    return _failure(about, MEDIA_TYPE, "Problem")


def _failure(about: str, media_type: str, form: str) -> dict[str, Any]:
    return {
        "description": about,
        "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{form}"}}},
    }


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase
