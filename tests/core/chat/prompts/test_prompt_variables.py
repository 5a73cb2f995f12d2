"""Templates with variables: what is read, what is asked for, what is told, and that nothing is lost or grows."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.chat.prompts.prompt_variables import (
    BUILT_IN,
    LONGEST_RESULT,
    LONGEST_VALUE,
    MOST_FIELDS,
    Field,
    expand,
    expand_system_prompt,
    read_template,
)

NOW = datetime(2026, 11, 21, 19, 5, 9)


def expanded(text: str, **values: str) -> str:
    return expand(read_template(text), values, NOW).text


def told(text: str, *, is_system: bool = False) -> list[str]:
    return [problem.sentence for problem in read_template(text, is_system=is_system).problems]


def test_built_in_variables_take_their_values() -> None:
    text = "{{date}} {{ TIME }} {{Clipboard}}|{{selection}}|{{project}}|{{model}}|{{thread}}"
    values = {"clipboard": "c", "selection": "s", "project": "p", "model": "m", "thread": "t"}
    assert expanded(text, **values) == "2026-11-21 19:05 c|s|p|m|t"
    assert told(text) == []
    assert read_template(text).fields == ()
    assert read_template(text).needs("clipboard")
    assert not read_template("{{topic}}").needs("topic")


def test_dates_and_times_are_written_as_one_says() -> None:
    assert expanded("{{date:%d.%m.%y}}, {{time:%H h %M}}, {{date:100%% %Y}}") == "21.11.26, 19 h 05, 100% 2026"


@pytest.mark.parametrize(
    "written", ["{{date:}}", "{{date:tomorrow}}", "{{date:%Q}}", "{{date:%}}", "{{time:%H\tx}}", "{{date|a|b}}"]
)
def test_a_bad_way_to_write_a_date_has_words_and_stays_as_it_is(written: str) -> None:
    assert expanded(f"a {written} b") == f"a {written} b"
    (sentence,) = told(f"a {written} b")
    assert sentence.startswith("Line 1, column 3: This format is not known.")
    assert "such as" in sentence or "as in" in sentence


def test_a_missing_value_is_empty() -> None:
    assert expanded("[{{clipboard}}]") == "[]"


def test_fields_are_asked_for_once_with_default_and_choices() -> None:
    text = "{{Topic}} {{topic:cats: and dogs}} {{tone| formal |casual||formal}} {{target language}} {{größe}}"
    assert read_template(text).fields == (
        Field("topic", "Topic", "cats: and dogs"),
        Field("tone", "tone", "", ("formal", "casual")),
        Field("target language", "target language"),
        Field("grösse", "größe"),
    )
    assert told(text) == []
    assert expanded(text, topic="X", tone="formal", grösse="L") == "X X formal  L"


def test_what_a_variable_brings_is_not_read_for_variables() -> None:
    assert expanded("{{topic}} {{clipboard}}", topic="{{clipboard}}", clipboard="{{date}}") == "{{clipboard}} {{date}}"


def test_braces_can_be_written() -> None:
    assert expanded(r"\{{date}} and {{date}}") == "{{date}} and 2026-11-21"
    assert told(r"\{{ }} \{{") == []


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{{ }}", "needs a name"),
        ("{{}}", "needs a name"),
        ("{{:x}}", "needs a name"),
        ("{{open", "are not closed"),
        ("{{open {{date}}", "are not closed"),
        ("{{two\nlines}}", "are not closed"),
        ("{{a.b}}", "begins with a letter"),
        ("{{1st}}", "begins with a letter"),
        ("{{" + "n" * 41 + "}}", "at most 40 characters"),
        ("{{tone|}}", "choices"),
        ("{{tone|" + "|".join(map(str, range(31))) + "}}", "choices"),
        ("{{clipboard:x}}", "takes nothing after its name"),
    ],
)
def test_malformed_variables_have_words_and_stay_as_they_are(written: str, says: str) -> None:
    sentences = told(f"x\ny {written}")
    assert len(sentences) == 1
    assert sentences[0].startswith("Line 2, column 3: ")
    assert says in sentences[0]
    assert expanded(written).replace("2026-11-21", "{{date}}") == written


@pytest.mark.parametrize(("typed", "meant"), [("clipbord", "clipboard"), ("dates", "date"), ("threads", "thread")])
def test_a_near_miss_asks_whether_another_was_meant(typed: str, meant: str) -> None:
    (sentence,) = told(f"{{{{{typed}}}}}")
    assert f"Did you mean {{{{{meant}}}}}?" in sentence
    assert [field.name for field in read_template(f"{{{{{typed}}}}}").fields] == [typed]


def test_own_fields_are_no_near_misses() -> None:
    for name in ("topic", "tone", "language", "text", "goal", "audience", "question"):
        assert told(f"{{{{{name}}}}}") == []


def test_a_template_asks_for_so_many_fields_and_no_more() -> None:
    template = read_template(" ".join(f"{{{{field {letter}}}}}" for letter in "abcdefghijklmnopqrstuvwxyz"))
    assert len(template.fields) == MOST_FIELDS
    assert all("at most" in problem.text for problem in template.problems)
    assert "{{field z}}" in expand(template, {}, NOW).text


def test_in_a_system_prompt_only_what_is_known_without_a_person_means_something() -> None:
    text = "{{date}} {{time}} {{project}} {{model}} {{clipboard}} {{topic}} {{dat}}"
    assert expand_system_prompt(text, {"project": "P", "model": "M"}, NOW) == (
        "2026-11-21 19:05 P M {{clipboard}} {{topic}} {{dat}}"
    )
    clipboard, topic, near = told(text, is_system=True)
    assert "{{clipboard}} means nothing in a system prompt" in clipboard
    assert "{{topic}} is not known in a system prompt" in topic
    assert "Did you mean {{date}}?" in near
    assert expand_system_prompt("plain", {}, NOW) == "plain"


def test_a_huge_value_is_cut_and_said() -> None:
    made = expand(read_template("{{clipboard}}!"), {"clipboard": "x" * 50_000_000}, NOW)
    assert made.text == "x" * LONGEST_VALUE + "!"
    assert made.notes == ("{{clipboard}} has 50,000,000 characters; the first 100,000 were inserted.",)


def test_many_huge_values_do_not_grow_without_end() -> None:
    made = expand(read_template("{{clipboard}}" * 5_000), {"clipboard": "x" * LONGEST_VALUE}, NOW)
    assert len(made.text) == LONGEST_RESULT
    assert made.notes == ("The text was cut after 1,000,000 characters.",)


@pytest.mark.parametrize(
    "text", ["{{" * 50_000, "{{a}}" * 20_000, "{{ab" * 25_000 + "}}", r"\{{" * 33_000, "{{é.}}" * 16_000]
)
@pytest.mark.parametrize("is_system", [False, True])
def test_reading_takes_bounded_time_and_tells_a_bounded_number_of_problems(text: str, is_system: bool) -> None:
    began = time.process_time()
    template = read_template(text, is_system=is_system)
    assert time.process_time() - began < 2.0
    assert len(template.problems) <= 20


@given(st.text(st.sampled_from("{}\\ab:|\n %dY") | st.characters(), max_size=80))
def test_text_without_variables_comes_out_as_it_went_in(text: str) -> None:
    template = read_template(text)
    written = "".join(piece if isinstance(piece, str) else piece.written for piece in template.pieces)
    assert written == text.replace(r"\{{", "{{")
    expand(template, {}, NOW)


@given(st.text(max_size=60), st.sampled_from(BUILT_IN[2:]))
def test_values_come_out_to_the_letter(value: str, name: str) -> None:
    assert expanded(f"<{{{{{name}}}}}>", **{name: value}) == f"<{value}>"
