"""Schemas of tools as vendors take them: what each is known to refuse, at every depth, and nothing that was allowed
is forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatdesk.core.chat.tool_calls.sendable_schema import sendable_schema
from chatdesk.core.domain.provider_profile import PLAIN
from chatdesk.core.settings.presets import PRESETS

_DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_NODE = {"type": "object", "properties": {"a": {"type": "integer"}, "next": {"$ref": "#/$defs/N"}}}
# Schemas of arguments as servers send them.
_TOPS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "dialect": {"$schema": _DRAFT_7, "$id": "https://example.org/x"},
    "no-properties": {"type": "object"},
    "properties-null": {"type": "object", "properties": None, "required": None},
    "type-list": {"type": ["object", "null"], "properties": {"a": {"type": "string"}}},
    "upper": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    "any-required": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
        "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
    },
    "one-of-objects": {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a", "b"]},
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ]
    },
    "all-of": {
        "allOf": [{"$ref": "#/$defs/P"}, {"properties": {"b": {"type": "number"}}, "required": ["b"]}],
        "$defs": {"P": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
        "additionalProperties": False,
    },
    "reference": {"$ref": "#/definitions/Args", "definitions": {"Args": {"type": "object", "properties": {"a": {}}}}},
    "reference-to-itself": {"$ref": "#"},
    "reference-to-alternative": {
        "anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}],
        "properties": {"b": {"$ref": "#/anyOf/0"}},
    },
    "not": {"type": "object", "properties": {"a": {}}, "not": {"required": ["a", "b"]}},
    "enum": {"type": "object", "enum": [{"a": 1}, {"a": "x"}]},
    "const": {"const": {"a": 1}},
    "recursive": {
        "type": "object",
        "$defs": {"N": _NODE},
        "properties": {"a": {"$ref": "#/$defs/N"}},
        "required": ["a"],
    },
    "closed": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    "required-unknown": {"type": "object", "properties": {"a": {}}, "required": ["b"]},
    "empty-lists": {"type": "object", "properties": {"a": {"enum": [], "anyOf": []}}, "required": [], "allOf": []},
}
# Schemas of one argument.
_PLACES: dict[str, Any] = {
    "array": {"type": "array"},
    "array-or-null": {"type": ["array", "null"]},
    "tuple": {"type": "array", "items": [{"type": "string"}, {"type": "array"}], "additionalItems": {"type": "array"}},
    "array-of-anything": {"type": "array", "items": True},
    "object": {"type": "object"},
    "true": True,
    "types": {"type": ["string", "integer", "null"], "description": "either"},
    "integer-or-null": {"type": ["integer", "null"], "minimum": 1},
    "unknown-type": {"type": "any"},
    "other-type": {"type": "int"},
    "const": {"const": "x"},
    "const-number": {"const": 5},
    "enum-numbers": {"type": "integer", "enum": [1, 5]},
    "enum-mixed": {"enum": ["x", 5, None]},
    "enum-with-nothing": {"type": "string", "enum": ["", "x"]},
    "enum-or-null": {"type": ["string", "null"], "enum": ["x", None]},
    "optional": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "A"},
    "one-of": {"oneOf": [{"type": "string", "minLength": 3}, {"type": "integer"}]},
    "all-of": {"allOf": [{"type": "object", "properties": {"b": {}}}, {"required": ["b"]}]},
    "format": {"type": "string", "format": "uri"},
    "bounds": {"type": "number", "exclusiveMinimum": 1, "multipleOf": 2},
    "old-bounds": {"type": "number", "minimum": 1, "exclusiveMinimum": True},
    "pattern": {"type": "string", "pattern": "x+"},
    "old-required": {"type": "string", "required": True},
    "odd-words": {"type": "string", "description": 5, "title": None, "format": [], "x-order": 1, "examples": ["x"]},
    "names": {"type": "object", "patternProperties": {"^b": {"type": "array"}}, "propertyNames": {"minLength": 1}},
    "condition": {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "array"}},
    "elsewhere": {"$ref": "urn:example:other"},
    "nowhere": {"$ref": "#/$defs/Missing"},
}


def _schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from _TOPS.items()
    for name, place in _PLACES.items():
        yield f"property {name}", {"type": "object", "properties": {"a": place}, "required": ["a"]}
        yield f"items {name}", {"type": "object", "properties": {"a": {"type": "array", "items": place}}}
        yield f"branch {name}", {"type": "object", "properties": {"a": {"anyOf": [place, {"type": "boolean"}]}}}
        yield f"below {name}", {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": place}}}}
        yield (
            f"definition {name}",
            {"type": "object", "properties": {"a": {"$ref": "#/$defs/D"}}, "$defs": {"D": place}},
        )


_SCHEMAS = dict(_schemas())
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    5,
    2.5,
    "",
    "x",
    "xxx",
    "https://example.org",
    [],
    ["x"],
    [[]],
    [1, []],
    {},
    {"b": 1},
)
_ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"id": "1"},
    {"name": "n"},
    *({"a": value} for value in _VALUES),
    *({"a": [value]} for value in _VALUES),
    *({"a": {"b": value}} for value in _VALUES),
    *({"a": one, "b": other} for one, other in product(("x", 1, {}), (1, "x", {"a": "x"}))),
    {"a": {"a": 1, "next": {"a": 2, "next": {"a": 3}}}},
]


def _all(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, Mapping):
        yield schema
        for word, value in schema.items():
            if word in ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"):
                for each in value.values():
                    yield from _all(each)
            elif word in ("anyOf", "oneOf", "allOf", "prefixItems"):
                for each in value:
                    yield from _all(each)
            elif word in ("items", "additionalProperties", "not", "if", "then", "else", "contains"):
                yield from _all(value)


def _refusals(vendor: str, schema: Mapping[str, Any] | None) -> list[str]:
    """What a vendor would answer to a schema, as far as is known."""
    if schema is None:
        return []
    Draft202012Validator.check_schema(schema)
    said = [] if schema.get("type") == "object" else ["type must be object"]
    said += [] if isinstance(schema.get("properties"), Mapping) else ["object schema missing properties"]
    said += [f"{word} at the top" for word in ("anyOf", "oneOf", "allOf", "enum", "not", "$ref") if word in schema]
    for each in _all(schema):
        kinds = each.get("type", [])
        if "array" in ([kinds] if isinstance(kinds, str) else kinds) and not isinstance(each.get("items"), Mapping):
            said.append("array schema missing items")
        if "$ref" in each and not re.fullmatch(r"#(/(\$defs|definitions)/\w+)?", each["$ref"]):
            said.append(f"unknown reference {each['$ref']}")
        dialect = PRESETS[vendor].dialect
        if dialect.schema_words is not None:
            said += [f"unknown name {word}" for word in each if word not in dialect.schema_words and each is not schema]
        if vendor == "gemini":
            said += _refusals_of_gemini(each)
        if vendor in ("llama-cpp", "jan") and "pattern" in each:
            said.append("pattern")
    return said


def _refusals_of_gemini(schema: Mapping[str, Any]) -> list[str]:
    said = [] if isinstance(schema.get("type", ""), str) else ["type is no list"]
    said += [] if "anyOf" not in schema or len(schema) == 1 else ["fields beside any_of"]
    if "enum" in schema and not (schema.get("type") == "string" and all(isinstance(v, str) for v in schema["enum"])):
        said.append("enum of other than strings")
    if "" in schema.get("enum", ()):
        said.append("enum[0]: cannot be empty")
    said += [
        f"{name} is not defined" for name in schema.get("required", ()) if name not in schema.get("properties", {})
    ]
    return said


@pytest.mark.parametrize("vendor", PRESETS)
def test_a_vendor_takes_the_schema_of_every_tool(vendor: str) -> None:
    refused: dict[str, list[str]] = {}
    for name, schema in _SCHEMAS.items():
        written = sendable_schema(schema, PRESETS[vendor].dialect)
        assert written is not None, name
        refused[name] = _refusals(vendor, written)
    assert not any(refused.values()), {name: said for name, said in refused.items() if said}


def _accepts(schema: Draft202012Validator, arguments: Mapping[str, Any]) -> bool:
    try:
        return bool(schema.is_valid(arguments))
    except Exception:  # noqa: BLE001 - no JSON Schema, which says nothing of what is accepted
        return False


def test_no_argument_is_forbidden_that_the_tool_takes() -> None:
    for name in _SCHEMAS:
        own = Draft202012Validator(_SCHEMAS[name])
        taken = [each for each in _ARGUMENTS if _accepts(own, each)]
        for vendor in ("openai", "gemini", "llama-cpp"):
            written = _with_null(sendable_schema(_SCHEMAS[name], PRESETS[vendor].dialect))
            sent = Draft202012Validator(written)
            assert [each for each in taken if not sent.is_valid(each)] == [], (name, vendor, written)


def _with_null(schema: Any) -> Any:
    """``nullable`` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_with_null(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    rest = {word: _with_null(value) for word, value in schema.items() if word != "nullable"}
    return {"anyOf": [rest, {"type": "null"}]} if schema.get("nullable") is True else rest


@pytest.mark.parametrize(
    "schema",
    [_SCHEMAS["closed"], _SCHEMAS["recursive"], {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}],
)
def test_a_valid_schema_is_unchanged(schema: dict[str, Any]) -> None:
    assert sendable_schema(schema, PLAIN) == schema


@pytest.mark.parametrize(
    "schema",
    [{"type": "string"}, {"type": ["array", "null"]}, {"$ref": "#/$defs/A", "$defs": {"A": {"type": "array"}}}],
)
def test_an_invalid_schema_of_arguments_is_none(schema: dict[str, Any]) -> None:
    assert sendable_schema(schema, PLAIN) is None


def test_an_argument_whose_name_a_vendor_refuses_costs_its_tool_where_it_is_needed() -> None:
    dialect = PRESETS["anthropic"].dialect
    schema = {"type": "object", "properties": {"größe": {}, "a": {}}}
    assert sendable_schema(schema, dialect) == {"type": "object", "properties": {"a": {}}}
    assert sendable_schema({**schema, "required": ["größe"]}, dialect) is None


def test_a_schema_that_grows_without_end_is_cut() -> None:
    deep: dict[str, Any] = {}
    for _level in range(500):
        deep = {"type": "object", "properties": {"a": deep}}
    assert sendable_schema(deep, PLAIN) is not None
    names = [f"D{number}" for number in range(30)]
    twice = {
        name: {"type": "object", "properties": {side: {"$ref": f"#/$defs/D{number + 1}"} for side in "lr"}}
        for number, name in enumerate(names)
    }
    assert sendable_schema({"$ref": "#/$defs/D0", "$defs": twice}, PRESETS["gemini"].dialect) is not None
