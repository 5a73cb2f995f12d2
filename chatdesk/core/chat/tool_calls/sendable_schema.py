"""Writes the schema of a tool's arguments in a form that a vendor accepts. Pure.

A vendor refuses the whole request for one unsupported schema, and each supports others. A rewritten schema accepts
everything that the tool's own does, and perhaps more: the server still checks its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from chatdesk.core.domain.provider_profile import Dialect

_Schema = dict[str, Any]
_DEEPEST: Final = 40
_MOST_PLACES: Final = 5_000
_TYPES: Final = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
# Types of programming languages that authors of tools write.
_OTHER_TYPES: Final = {
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "dict": "object",
    "map": "object",
    "none": "null",
}
# References to parts that stay in place when a schema is rewritten.
_STAYS: Final = re.compile(r"#(/(\$defs|definitions)/[^/]+)?")
_BRANCHES: Final = ("anyOf", "oneOf")
_ONE: Final = ("items", "contains", "not", "if", "then", "else", "propertyNames", "contentSchema")
_ONE_OR_BOOLEAN: Final = ("additionalProperties", "unevaluatedProperties", "unevaluatedItems")
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_LISTED: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
# Meant for readers of a whole document; some vendors refuse versions that they do not know.
_OF_DOCUMENTS: Final = frozenset(("$schema", "$id", "id", "$comment", "$vocabulary", "additionalItems"))
_KINDS: Final[dict[str, type]] = {**dict.fromkeys(_NAMED, Mapping), **dict.fromkeys(_LISTED, list)}
_REFUSED_AT_TOP: Final = ("anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref")
_WORDS: Final = ("title", "description", "format", "pattern")
_BOUNDS: Final = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def sendable_schema(schema: Mapping[str, Any], dialect: Dialect) -> _Schema | None:
    """Return the schema of a tool's arguments in a form that the vendor accepts; None if there is no such form."""
    writer = _Writer(schema, dialect)
    top = _folded(writer.resolved(schema), writer)
    kinds = _types(top.get("type"))
    if kinds and "object" not in kinds:
        return None
    written = writer.write({**top, "type": "object"})
    properties = written.setdefault("properties", {})
    if dialect.property_names:
        refused = {name for name in properties if not re.fullmatch(dialect.property_names, name)}
        if not refused.isdisjoint(written.get("required", ())):
            return None
        written["properties"] = {name: each for name, each in properties.items() if name not in refused}
    return written


class _Writer:
    def __init__(self, root: Mapping[str, Any], dialect: Dialect) -> None:
        self._root = root
        self._words = dialect.schema_words
        self._refused_words = dialect.refused_words | _OF_DOCUMENTS
        self._formats = dialect.formats
        self._places = 0

    def write(self, schema: Any, depth: int = 0, followed: frozenset[str] = frozenset()) -> _Schema:
        """Return a schema and all within it as the vendor takes them. ``followed`` are the references that led here."""
        self._places += 1
        if not isinstance(schema, Mapping) or depth > _DEEPEST or self._places > _MOST_PLACES:
            return {}
        found = self._without_reference(schema, followed)
        if found is None:
            return {}
        schema, followed = found
        if isinstance(schema.get("items"), list):  # tuples before JSON Schema 2020-12
            more = schema.get("additionalItems")
            schema = {**schema, "prefixItems": schema["items"], "items": more if isinstance(more, Mapping) else {}}
        written = {
            word: self._value(word, value, depth + 1, followed)
            for word, value in schema.items()
            if word not in self._refused_words and isinstance(value, _KINDS.get(word, object))
        }
        _correct_words(written)
        return written if self._words is None else self._in_words(written, self._words)

    def _value(self, word: str, value: Any, depth: int, followed: frozenset[str]) -> Any:
        """Return the value of a word of a schema, with the schemas in it as the vendor takes them."""
        if word in _NAMED:
            return {
                str(name): self.write(each, depth, followed)
                for name, each in value.items()
                if isinstance(each, Mapping | bool) and (each is not False or word != "properties")
            }
        if word in _LISTED:
            return [self.write(each, depth, followed) for each in value]
        if word in _ONE or (word in _ONE_OR_BOOLEAN and not isinstance(value, bool)):
            return self.write(value, depth, followed)
        return value

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        """Return a schema with what its references lead to in their place."""
        followed: set[str] = set()
        while isinstance(schema, Mapping) and isinstance(at := schema.get("$ref"), str):
            if at in followed:
                break
            followed.add(at)
            rest = {word: value for word, value in schema.items() if word != "$ref"}
            target = self._target(at)
            schema = {**target, **rest} if isinstance(target, Mapping) else rest
        return schema if isinstance(schema, Mapping) else {}

    def _without_reference(
        self, schema: Mapping[str, Any], followed: frozenset[str]
    ) -> tuple[Mapping[str, Any], frozenset[str]] | None:
        """Return a schema without a reference that the vendor does not take; None where it leads to itself."""
        while (at := schema.get("$ref")) is not None:
            target = self._target(at)
            if isinstance(target, Mapping) and self._takes("$ref") and _STAYS.fullmatch(at):
                break
            rest = {word: value for word, value in schema.items() if word != "$ref"}
            if isinstance(target, Mapping) and at in followed:
                return None
            schema = {**target, **rest} if isinstance(target, Mapping) else rest
            followed |= {str(at)}
        return schema, followed

    def _takes(self, word: str) -> bool:
        return self._words is None or word in self._words

    def _target(self, at: Any) -> Any:
        """Return the schema that a reference within this one names; None where it leads elsewhere."""
        if not isinstance(at, str) or not at.startswith("#"):
            return None
        found: Any = self._root
        for written in filter(None, at[1:].split("/")):
            step = written.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found

    def _in_words(self, schema: _Schema, words: frozenset[str]) -> _Schema:
        """Return a schema in the words that a vendor knows, with others of the same meaning where there are any."""
        if "const" in schema and "const" not in words:
            schema.setdefault("enum", [schema["const"]])
        if "oneOf" in schema and "oneOf" not in words:
            schema.setdefault("anyOf", schema["oneOf"])
        if "allOf" in schema and "allOf" not in words:
            schema = _merged(schema, schema["allOf"])
        if "nullable" in words:
            _write_types_apart(schema)
            schema = _alternatives_alone(schema)
        if isinstance(enum := schema.get("enum"), list) and "const" not in words:
            values = [each for each in enum if each is not None]
            are_words = all(isinstance(each, str) and each for each in values)  # an empty one is refused
            if values and are_words and schema.get("type", "string") == "string":
                schema |= {"type": "string", "enum": values}
            else:
                del schema["enum"]
        if isinstance(required := schema.get("required"), list):
            schema["required"] = [name for name in required if name in schema.get("properties", {})]
        if self._formats is not None and schema.get("format") not in self._formats:
            schema.pop("format", None)
        if not schema.get("properties"):
            schema.pop("properties", None)
        return {word: value for word, value in schema.items() if word in words and value not in ([], None)}


def _correct_words(schema: _Schema) -> None:
    """Correct words that are not JSON Schema, or that an older version of it wrote differently."""
    kinds = _types(schema.pop("type", None))
    if kinds:
        schema["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "array" in kinds:
        schema.setdefault("items", {})
    required = schema.pop("required", None)
    if isinstance(required, list) and all(isinstance(each, str) for each in required) and required:
        schema["required"] = list(dict.fromkeys(required))
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        del schema["enum"]
    for word in _LISTED:
        if not schema.get(word, True):
            del schema[word]
    for word in _WORDS:
        if word in schema and not isinstance(schema[word], str):
            del schema[word]
    for exclusive, inclusive in _BOUNDS:
        is_exclusive = schema.get(exclusive)
        if isinstance(is_exclusive, bool):  # a flag before JSON Schema draft 6
            del schema[exclusive]
            if is_exclusive and inclusive in schema:
                schema[exclusive] = schema.pop(inclusive)


def _types(kind: Any) -> list[str]:
    """Return the types that a schema allows; an empty list if it allows all types or names an unknown one."""
    named = [str(each).lower() for each in (kind if isinstance(kind, list) else [kind]) if isinstance(each, str)]
    found = [_OTHER_TYPES.get(each, each) for each in named]
    return list(dict.fromkeys(found)) if found and _TYPES.issuperset(found) else []


def _write_types_apart(schema: _Schema) -> None:
    """Write a list of types as ``nullable`` and alternatives of one type each."""
    kinds = schema.get("type")
    if kinds == "null":
        del schema["type"]
        schema["nullable"] = True
    if not isinstance(kinds, list):
        return
    rest = [each for each in kinds if each != "null"]
    if len(rest) < len(kinds):
        schema["nullable"] = True
    if len(rest) == 1:
        schema["type"] = rest[0]
        return
    del schema["type"]
    items = schema.pop("items", {})
    alternatives = [{"type": each, **({"items": items} if each == "array" else {})} for each in rest]
    schema.setdefault("anyOf", alternatives)


def _alternatives_alone(schema: _Schema) -> _Schema:
    """Return a schema with nothing beside its alternatives, none of which is null."""
    branches = schema.get("anyOf")
    if not isinstance(branches, list):
        return schema
    is_nullable = schema.get("nullable") or {"nullable": True} in branches
    more = {"nullable": True} if is_nullable else {}
    rest = [{**more, **each} for each in branches if each != {"nullable": True}]
    if len(rest) == 1:
        return {**{word: value for word, value in schema.items() if word != "anyOf"}, **rest[0]}
    about = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [{**about, **each} for each in rest]} if rest else more


def _folded(schema: Mapping[str, Any], writer: _Writer) -> _Schema:
    """Return the schema of all arguments without alternatives at its top: their properties are its own."""
    folded = _merged(schema, [writer.resolved(each) for each in _listed(schema.get("allOf"))])
    for word in _BRANCHES:
        branches = [_folded(writer.resolved(each), writer) for each in _listed(schema.get(word))]
        branches = [each for each in branches if "object" in (_types(each.get("type")) or ["object"])]
        own = _properties(folded)
        offered: dict[str, list[Any]] = {}
        for branch in branches:
            for name, each in _properties(branch).items():
                if name not in own and each not in offered.setdefault(name, []):
                    offered[name].append(each)
        folded["properties"] = own | {
            name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in offered.items()
        }
        if branches:
            needed = set.intersection(*(set(_required(each)) for each in branches))
            folded["required"] = [*_required(folded), *sorted(needed)]
            folded = _opened(folded)
    return {word: value for word, value in folded.items() if word not in _REFUSED_AT_TOP}


def _merged(schema: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> _Schema:
    """Return a schema with the properties of ``others``, all of which hold beside it."""
    merged = dict(schema)
    for other in others:
        properties = {**_properties(other), **_properties(merged)}
        required = [*_required(merged), *_required(other)]
        merged = {**other, **merged}
        merged |= {"properties": properties} if properties else {}
        merged |= {"required": list(dict.fromkeys(required))} if required else {}
        merged = _opened(merged)
    merged.pop("allOf", None)
    return merged


def _opened(schema: _Schema) -> _Schema:
    """Return a schema that does not refuse the properties that only others name."""
    return {word: value for word, value in schema.items() if word != "additionalProperties" or value is not False}


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = schema.get("properties")
    return dict(found) if isinstance(found, Mapping) else {}


def _required(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("required")
    return [each for each in found if isinstance(each, str)] if isinstance(found, Sequence) else []


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
