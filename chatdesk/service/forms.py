"""Checks requests against the forms that endpoints declare, and writes answers: the gateway to Pydantic.

Forms are dataclasses. Those of requests are closed and strict: an unknown field, or a number in quotation marks, is an
error that names the place and never repeats the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from chatdesk.service.errors import InvalidRequest

_MOST_FIELDS: Final = 20
# ``__pydantic_config__`` of the form of a body.
BODY: Final = ConfigDict(extra="forbid", strict=True, str_max_length=16 * 1024 * 1024)
# ``__pydantic_config__`` of a form that leaves out the fields that it does not know.
OPEN: Final = ConfigDict(extra="ignore", strict=True, str_max_length=16 * 1024 * 1024)
# ``__pydantic_config__`` of the form of a query, where all values arrive as text.
QUERY: Final = ConfigDict(extra="forbid", str_max_length=2_000)


def described(text: str, *, at_least: int | None = None, at_most: int | None = None) -> Any:
    """Return the description in the annotation of a field for readers of its schema, with the bounds of a number."""
    return Field(description=text, ge=at_least, le=at_most)


@dataclass(frozen=True, slots=True)
class Only:
    """An annotation of a field that takes one value alone. ``Literal`` takes what Python calls equal to it, so 0 for
    false and 1.0 for 1."""

    value: bool | int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        def checked(found: object) -> object:
            if found != self.value:
                raise PydanticCustomError("only", "Input should be {value}", {"value": json.dumps(self.value)})
            return found

        return core_schema.no_info_after_validator_function(checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "const": self.value}


@cache
def adapter_of(form: Any) -> TypeAdapter[Any]:
    """Return the adapter that checks and writes values of a form; made once."""
    return TypeAdapter(form)


def checked_query(form: Any, values: dict[str, str]) -> Any:
    """Return the query of a request as its form. Raises ``InvalidRequest``."""
    try:
        return adapter_of(form).validate_python(values)
    except ValidationError as error:
        raise _invalid(error) from None


def checked_body(form: Any, body: bytes) -> Any:
    """Return the body of a request as its form. Raises ``InvalidRequest``."""
    try:
        return adapter_of(form).validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def as_json(value: Any) -> bytes:
    """Return an answer as JSON."""
    return adapter_of(value.__class__).dump_json(value)


def schema_of(form: Any) -> dict[str, Any]:
    """Return the JSON schema of a form that is read."""
    return adapter_of(form).json_schema()


def schemas_of(
    forms: Iterable[tuple[Any, Literal["validation", "serialization"]]],
) -> tuple[dict[tuple[Any, str], dict[str, Any]], dict[str, Any]]:
    """Return the JSON schema of each form, read or written, and the definitions that these refer to."""
    wanted = [(form, mode, adapter_of(form)) for form, mode in forms]
    found, shared = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")
    return {(form, mode): schema for (form, mode), schema in found.items()}, shared.get("$defs", {})


def _invalid(error: ValidationError) -> InvalidRequest:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidRequest(
        tuple(
            (".".join(str(step) for step in each["loc"])[:100] or "body", each["msg"]) for each in found[:_MOST_FIELDS]
        )
    )


def only_change(body: Any) -> tuple[str, Any]:
    """Return the name and value of the one field that is set. Raises ``InvalidRequest`` for none and for several."""
    found = [(each.name, getattr(body, each.name)) for each in fields(body) if getattr(body, each.name) is not None]
    if len(found) != 1:
        raise InvalidRequest((("body", f"Exactly one of {', '.join(each.name for each in fields(body))}"),))
    return found[0]
