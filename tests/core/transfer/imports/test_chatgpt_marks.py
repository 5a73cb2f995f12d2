"""ChatGPT's marks for citations, names, links and widgets: no words are lost, whatever a mark is and wherever."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatdesk.core.domain.message import PartType
from chatdesk.core.transfer.imports.chatgpt import read_conversation
from chatdesk.core.transfer.imports.chatgpt_marks import Marks
from tests.helpers.export_samples import START_S, chatgpt, node

# kind: arguments, and the words in them
KINDS = {
    "cite": (["turn0search3", "turn0search8"], []),
    "filecite": (["turn0file0", "L1-L5"], []),
    "i": (["turn0image1", "turn0image2"], []),
    "finance": (["turn0finance0"], []),
    "entity": (['["people", "Ada Muster", 0]'], ["Ada Muster"]),
    "product_entity": (['["turn0product3","Red Chair"]'], ["Red Chair"]),
    "products": (['{"selections":[["turn0product1","Chair"],["turn0product2","Blue Sofa"]]}'], ["Chair", "Blue Sofa"]),
    "image_group": (['{"layout":"bento","query":["old iron","new iron"],"num_per_query":1}'], ["old iron", "new iron"]),
    "url": (["The manual", "turn0search1"], ["The manual"]),
    "link_title": (["The manual", "turn0search1"], ["The manual"]),
    "navlist": (["More on iron", "turn0news1,turn0news2"], ["More on iron"]),
    "video": (["How to solder", "turn0youtube1"], ["How to solder"]),
    "genui": (['{"widget":{"content":"E = mc2"}}'], ["E = mc2"]),
    "not_yet_known": (["Plain words", '{"odd":["Hidden words"]}'], ["Plain words", "Hidden words"]),
}  # fmt: skip
POSITIONS = {
    "middle": "Before {} after.",
    "end": "Before {}.",
    "start": "{} after.",
    "twice": "First {}, then {} again.",
    "nested": "Before \ue200outer\ue202Around {} it\ue201 after.",
    "highlighted": "Before \ue203{}\ue204 after.",
    "in a list": "- one {}\n- two",
    "long": "words " * 40_000 + "{} after.",
}


def _message(*references: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"content_references": list(references)}}


def _mark(kind: str) -> str:
    return "\ue200" + "\ue202".join([kind, *KINDS[kind][0]]) + "\ue201"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["no references", "empty", "without alt", "cut"])
def test_a_mark_that_cannot_be_resolved_leaves_its_words(kind: str, state: str) -> None:
    for frame in POSITIONS.values():
        mark = _mark(kind)
        references: list[dict[str, Any]] = []
        if state == "empty":
            references = [{"matched_text": mark, "alt": ""}]
        elif state == "without alt":
            references = [{"matched_text": mark, "alt": None, "type": kind}]
        elif state == "cut":
            mark = mark[:-1]
        marks = Marks(_message(*references))
        text = marks.readable(frame.format(*[mark] * 2))
        assert all(text.count(words) >= frame.count("{}") for words in KINDS[kind][1])
        assert all(word in text for word in ("First", "Before", "Around", "after", "again", "one") if word in frame)
        assert not any("\ue200" <= each <= "\ue206" for each in text)
        if state != "cut":
            assert "  " not in text and " ." not in text and "turn0" not in text
            assert bool(marks.without_words) is not bool(KINDS[kind][1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_mark_shows_what_its_reference_says_each_time_it_stands_there(kind: str) -> None:
    for frame in POSITIONS.values():
        mark = _mark(kind)
        text = Marks(_message({"matched_text": mark, "alt": "The shown"})).readable(frame.format(*[mark] * 2))
        assert text.count("The shown") == frame.count("{}")
        assert "  " not in text


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ({"alt": "([A](https://a.test))"}, "Known ([A](https://a.test))."),
        ({"name": "Ada"}, "KnownAda."),
        ({"items": [{"title": "A", "url": "https://a.test/"}]}, "Known ([A](https://a.test/))."),
        ({"items": [{"title": "A", "url": "javascript:x"}, "odd"]}, "Known."),
        ({"alt": 5}, "Known."),
    ],
)
def test_a_reference_without_a_text_shows_its_name_or_its_pages(reference: dict[str, Any], shown: str) -> None:
    mark = _mark("cite")
    assert Marks(_message({"matched_text": mark, **reference})).readable(f"Known{mark}.") == shown


def test_equal_marks_with_references_of_their_own_show_each_its_own() -> None:
    mark = _mark("cite")
    marks = Marks(_message(*({"matched_text": mark, "alt": f"([{n}](https://a.test))"} for n in "AB")))
    text = marks.readable(f"One{mark}. Two{mark}. Three{mark}.")
    assert [text.count(f"[{n}]") for n in "AB"] == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "\ue200" * 50_000 + "some words" + "\ue201" * 50_000,
        "\ue200x\ue202" + "[" * 10_000 + "words\ue201",
        "\ue201\ue202words\ue206",
    ],
)
def test_hostile_marks_leave_their_words(text: str) -> None:
    assert "words" in Marks({}).readable(text)


def test_one_long_link_does_not_stand_for_many_marks() -> None:
    mark = _mark("cite")
    text = Marks(_message({"matched_text": mark, "alt": "a" * 100_000})).readable(mark * 10_000)
    assert len(text) < 200_000


@pytest.mark.parametrize("content", [
    {"content_type": "thoughts", "thoughts": [{"summary": "Look", "content": "at " + _mark("entity")}]},
    {"content_type": "reasoning_recap", "content": _mark("entity")},
    {"content_type": "text", "parts": [_mark("entity")]},
    {"content_type": "multimodal_text", "parts": [{"text": _mark("entity")}]},
    {"content_type": "unheard_of", "text": _mark("entity")},
])  # fmt: skip
def test_marks_are_read_in_every_kind_of_content_and_counted(content: dict[str, Any]) -> None:
    nodes = [node("q", None, "user", "Hello", at=START_S), node("a", "q", "assistant", content=content)]
    nodes.append(node("b", "a", "assistant", f"Also {_mark('cite')}."))
    thread = read_conversation(json.loads(json.dumps(chatgpt("c", nodes))), 0)
    texts = [str(part.content["text"]) for message in thread.messages for part in message.parts]
    assert "Ada Muster" in texts[1]
    assert texts[2] == "Also."
    assert thread.marks_left_out == 1
    assert [part.type for part in thread.messages[0].parts] == [PartType.TEXT]
