"""Reads JSON and writes its strings with the functions in C that ``json`` calls, without loading ``json``.

``json`` brings ``re`` and ``enum``, which take longer to load than ``chatdesk quick`` has for everything.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without ``typing``, for the same reason
if TYPE_CHECKING:  # a key press waits for this
    from typing import Any

_SPACE = " \t\n\r"

try:
    from _json import encode_basestring_ascii as string_json
    from _json import make_scanner
except ImportError:  # another Python than CPython
    from json import dumps as string_json

    make_scanner = None  # type: ignore[assignment, misc]

__all__ = ["read_json", "string_json"]


def read_json(data: bytes | bytearray) -> Any:
    """Return the value of a JSON text in UTF-8. Raises ``ValueError``, and ``RecursionError`` where it is too deep."""
    text = data.decode().strip(_SPACE)
    if make_scanner is None:
        from json import loads

        return loads(text)
    try:
        value, end = make_scanner(_Options())(text, 0)  # type: ignore[arg-type]
    except StopIteration as error:
        raise ValueError("not JSON") from error
    if end != len(text):
        raise ValueError("more than one value")
    return value


class _Options:
    """The options that a scanner asks for: those of ``json.loads``, but NaN and Infinity are refused."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> float:
        raise ValueError(f"{name} is not JSON")
