"""JSON of any size and any state, one piece at a time."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.transfer.imports.json_steps import DEEPEST, Damaged, decode_in_steps
from chatdesk.core.transfer.imports.json_stream import JsonStream, NotJson, Parts, Piece
from tests.helpers.examples import examples

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)


def pieces(data: bytes, **options: object) -> list[Piece]:
    return list(JsonStream(io.BytesIO(data), **options).pieces())  # type: ignore[arg-type]


class _Dripping:
    """Gives few bytes at a time, so that everything is met in halves."""

    def __init__(self, data: bytes, size: int) -> None:
        self._file = io.BytesIO(data)
        self._size = size

    def read(self, _size: int, /) -> bytes:
        return self._file.read(self._size)


@given(values=st.lists(_VALUES, max_size=8), is_ascii=st.booleans(), size=st.integers(1, 50))
@settings(max_examples=examples(150), deadline=None)
def test_every_element_comes_as_python_reads_it(values: list[object], is_ascii: bool, size: int) -> None:
    data = json.dumps(values, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    found = list(JsonStream(_Dripping(data, size)).pieces())
    assert [piece.value for piece in found] == json.loads(data)
    assert not any(piece.problem for piece in found)


@given(value=_VALUES)
@settings(max_examples=examples(200), deadline=None)
def test_decoding_in_steps_gives_what_python_gives(value: object) -> None:
    assert decode_in_steps(json.dumps(value, indent=1)) == json.loads(json.dumps(value))


@given(values=st.lists(_VALUES, min_size=1, max_size=4), size=st.integers(1, 40))
@settings(max_examples=examples(100), deadline=None)
def test_large_pieces_come_as_small_ones_do(values: list[object], size: int) -> None:
    data = json.dumps([[value] for value in values]).encode()
    found = list(JsonStream(_Dripping(data, size), at_once=1).pieces())
    assert [piece.value for piece in found] == [[value] for value in values]


def test_members_of_an_object_and_elements_of_its_named_arrays_come_in_turn() -> None:
    data = b'{"format": "x", "threads": [{"a": 1}, {"b": 2}], "other": [1, 2], "last": {"c": [3]}}'
    found = pieces(data, streamed=frozenset({"threads"}))
    assert [(piece.key, piece.value, piece.is_element) for piece in found] == [
        ("format", "x", False),
        ("threads", {"a": 1}, True),
        ("threads", {"b": 2}, True),
        ("other", [1, 2], False),
        ("last", {"c": [3]}, False),
    ]


@pytest.mark.parametrize("data", [b"", b"   ", b"hello", b'"text"', b"12", b"\x00\x00", b"PK\x03\x04", b"\xff\xfe"])
def test_text_other_than_a_document_is_refused(data: bytes) -> None:
    with pytest.raises(NotJson):
        pieces(data)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b'[{"a": 1}, {"b": 2', [{"a": 1}]),
        (b'[{"a": 1}, {"b": "x', [{"a": 1}]),
        (b'[{"a": 1}, ', [{"a": 1}]),
        (b'[{"a": 1}', [{"a": 1}]),
    ],
)
def test_a_document_that_is_cut_off_gives_what_is_whole(data: bytes, kept: list[object]) -> None:
    found = pieces(data)
    assert [piece.value for piece in found if not piece.problem] == kept
    assert found[-1].problem == "It is cut off."
    assert found[-1].is_end


def test_reading_goes_on_behind_a_damaged_piece() -> None:
    found = pieces(b'[{"a": 1}, {"b": 2,, "c"}, {"d": nonsense}, {"e": 5}]')
    assert [piece.value for piece in found if not piece.problem] == [{"a": 1}, {"e": 5}]
    assert [piece.problem for piece in found] == ["", "It is damaged.", "It is damaged.", ""]


def test_reading_goes_on_behind_a_piece_that_is_too_large() -> None:
    large = json.dumps({"text": 'x\\"' * 5_000})
    data = f'[{large}, {{"a": 1}}, "{"y" * 5_000}", 2]'.encode()
    for at_once in (100, 100_000):
        found = pieces(data, largest=1_000, at_once=at_once)
        assert [piece.value for piece in found] == [None, {"a": 1}, None, 2]
        assert "larger than" in found[0].problem


def test_depth_does_not_hurt() -> None:
    deep = b"[" * 3_000 + b"]" * 3_000
    bottomless = b"[" * (DEEPEST + 10) + b"]" * (DEEPEST + 10)
    found = pieces(b'[{"a": 1}, ' + deep + b", " + bottomless + b', {"b": 2}]')
    assert [piece.problem for piece in found] == ["", "", f"It is nested {DEEPEST + 10:,} levels deep.", ""]
    level, value = 0, found[1].value
    while value:
        level, value = level + 1, value[0]
    assert level == 2_999


def test_numbers_and_words_that_python_refuses_cost_only_themselves() -> None:
    found = pieces(
        b"[NaN, Infinity, -Infinity, " + b"9" * 5_000 + b', {"a": ' + b"9" * 5_000 + b"}, 1e999, 7, maybe, 8]"
    )
    assert [piece.value for piece in found][:5] == [None, None, None, None, {"a": None}]
    assert [piece.value for piece in found][6:] == [7, None, 8]
    assert found[7].problem == "It is not JSON."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_all_encodings_of_json_are_read(encoding: str) -> None:
    found = pieces('[{"a": "é日本"}]'.encode(encoding))
    assert found[0].value == {"a": "é日本"}


def test_foreign_bytes_are_replaced_and_told() -> None:
    stream = JsonStream(io.BytesIO('[{"a": "é"}, {"b": "ü"}]'.encode("latin-1")))
    assert [piece.value for piece in stream.pieces()] == [{"a": "\ufffd"}, {"b": "\ufffd"}]
    assert stream.has_foreign_bytes


def test_lone_surrogates_are_passed_on() -> None:
    assert pieces(b'[{"a": "\\ud83d"}]')[0].value == {"a": "\ud83d"}


def _endless_string(size: int) -> Iterator[bytes]:
    yield b'[{"a": 1}, {"text": "'
    for _ in range(size // 65_536):
        yield b"x" * 65_536
    yield b'"}, {"b": 2}]'


class _Generated:
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int, /) -> bytes:
        return next(self._pieces, b"")


def test_memory_is_bounded_by_the_largest_piece_that_is_allowed() -> None:
    tracemalloc.start()
    try:
        stream = JsonStream(_Generated(_endless_string(64 * 1024 * 1024)), largest=1024 * 1024)
        found = list(stream.pieces())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [piece.value for piece in found] == [{"a": 1}, None, {"b": 2}]
    assert peak < 12 * 1024 * 1024


def test_random_damage_never_raises_anything_else() -> None:
    chance = random.Random(7)
    data = json.dumps([{"a": [1, 2.5, "text", None], "b": {"c": "d" * 50}} for _ in range(20)]).encode()
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            broken[chance.randrange(len(broken))] = chance.choice(b'[]{}",:\\x0\xff')
        try:
            pieces(bytes(broken))
        except NotJson:
            continue


@pytest.mark.parametrize("text", ["", "{", '{"a"}', '{"a": 1,}', "[1 2]", '"\\x"', "nul", "{1: 2}", "[1}", '{"a": 1]'])
def test_text_that_is_not_json_is_damaged(text: str) -> None:
    with pytest.raises(Damaged):
        decode_in_steps(text)


def _in_parts(data: bytes, **options: Any) -> list[Piece]:
    parts = Parts("messages", lambda index, value: (index, value), 10_000)
    stream = JsonStream(
        _Dripping(data, 50), streamed=frozenset(["threads"]), parts=lambda: parts, at_once=64, **options
    )
    return list(stream.pieces())


_LONG = {"id": "a", "messages": [{"n": number, "t": "x" * 30} for number in range(50)], "end": [1, 2]}


def test_items_of_a_large_element_are_taken_one_by_one_and_those_of_a_small_one_stay() -> None:
    document = {"threads": [{"messages": [1]}, _LONG, {"messages": [], "id": "y" * 99}], "after": 1}
    found = _in_parts(json.dumps(document).encode())
    assert [piece.problem for piece in found] == [""] * 4
    assert found[0].value == {"messages": [1]}
    assert found[1].value == _LONG | {"messages": list(enumerate(_LONG["messages"]))}
    assert found[2].value == {"messages": [], "id": "y" * 99}
    assert (found[3].key, found[3].value) == ("after", 1)


@given(values=st.lists(_VALUES, max_size=6), rest=_VALUES, size=st.integers(1, 40))
@settings(max_examples=examples(100), deadline=None)
def test_an_element_in_parts_is_what_it_is_whole(values: list[object], rest: object, size: int) -> None:
    element = {"messages": values, "rest": rest, "pad": "p" * 99}
    data = json.dumps({"threads": [element, element]}).encode("utf-8", "surrogatepass")
    parts = Parts("messages", lambda _index, value: value)
    stream = JsonStream(_Dripping(data, size), streamed=frozenset(["threads"]), parts=lambda: parts, at_once=64)
    assert [piece.value for piece in stream.pieces()] == json.loads(data)["threads"]


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        (_LONG | {"messages": [*_LONG["messages"], "y" * 10_000]}, "is larger than"),
        (_LONG | {"around": "y" * 5_000}, "is larger than"),
        (_LONG | {"messages": [{"deep": "y" * 5_000}]}, "is larger than"),
    ],
)
def test_an_element_that_is_too_large_in_all_is_passed_over(element: object, problem: str) -> None:
    document = {"threads": [element, {"id": "next"}]}
    found = _in_parts(json.dumps(document).encode(), largest=4_000)
    assert problem in found[0].problem
    assert found[0].value is None
    assert found[1].value == {"id": "next"}


def test_an_element_in_parts_that_is_cut_off_says_so_wherever_it_is_cut() -> None:
    data = json.dumps({"threads": [_LONG]}).encode()
    for end in range(data.index(b"{", 1) + 70, len(data) - 3):
        last = _in_parts(data[:end])[-1]
        assert last.is_end, end
        assert last.problem in ("It is cut off.", "It is not JSON.")


def test_memory_of_an_element_in_parts_is_what_is_kept_of_it() -> None:
    message = json.dumps({"text": "x" * 1_000, "more": ["y" * 1_000] * 8})
    data = f'{{"threads": [{{"messages": [{", ".join([message] * 3_000)}]}}]}}'.encode()
    parts = Parts("messages", lambda index, _value: index)
    tracemalloc.start()
    (found,) = pieces(data, streamed=frozenset(["threads"]), parts=lambda: parts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.value == {"messages": list(range(3_000))}
    assert peak < len(data) / 5
