"""Checks requests against the forms that endpoints declare, and writes answers: the door to Pydantic.

Forms are dataclasses. Those of requests are closed and strict: an unknown field, or a number in quotation marks, is an
error that names the place and never repeats the value.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from chatdesk.service.errors import InvalidRequest

_MOST_FIELDS: Final = 20
#: ``__pydantic_config__`` of the form of a body.
BODY: Final = ConfigDict(extra="forbid", strict=True, str_max_length=16 * 1024 * 1024)
#: ``__pydantic_config__`` of the form of a query, where all values arrive as text.
QUERY: Final = ConfigDict(extra="forbid", str_max_length=2_000)


@cache
def adapter_of(form: Any) -> TypeAdapter[Any]:
    """Return what checks and writes values of a form; made once."""
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


def _invalid(error: ValidationError) -> InvalidRequest:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidRequest(
        tuple(
            (".".join(str(step) for step in each["loc"])[:100] or "body", each["msg"]) for each in found[:_MOST_FIELDS]
        )
    )
