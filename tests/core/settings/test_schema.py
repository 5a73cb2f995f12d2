from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

import chatdesk
from chatdesk.core.settings.schema import PAGES, InvalidValue, Setting, Settings, all_settings

BY_NAME = {setting.name: setting for setting in all_settings()}


def test_every_field_is_declared_with_key_help_and_variable() -> None:
    assert [setting.name for setting in all_settings()] == [each.name for each in fields(Settings)]
    assert len({setting.key for setting in all_settings()}) == len(all_settings())
    assert len({setting.env for setting in all_settings()}) == len(all_settings())
    for setting in all_settings():
        assert setting.key.count(".") == 1
        assert setting.help.endswith(".")


def test_every_setting_has_a_place_and_words_in_the_window() -> None:
    for setting in all_settings():
        shown = setting.shown
        assert shown.page in PAGES
        assert shown.title[0].isupper() and not shown.title.endswith(".")
        assert setting.help not in (shown.title, shown.hint), "the window has words of its own"
        assert len(shown.hint) <= 80 and shown.hint.count(". ") <= 1
        assert not shown.hidden or not shown.hidden[0].isupper(), "the reason continues a sentence: it is in …"
        assert not (shown.hidden and (shown.section or shown.unit or shown.empty)), "words of a row that there is not"
        if not shown.hidden and setting.kind in (int, float) and not setting.choices:
            assert shown.unit
            assert setting.minimum != 0 or shown.empty, "what 0 means"
        if setting.choices and setting.kind is str:
            assert all(setting.checked(value) == value for value in setting.choices)


@pytest.mark.parametrize("setting", [each for each in all_settings() if each.trial], ids=lambda setting: setting.name)
def test_what_is_tried_out_is_off_at_first_has_an_owner_and_is_decided_in_time(setting: Setting) -> None:
    assert setting.trial is not None
    assert setting.default is False and not setting.shown.hidden
    assert setting.trial.owner
    assert date.today() <= setting.trial.until, "decide: remove the switch, with the feature or without its trial"


def test_instructions_have_lines_and_other_texts_have_one() -> None:
    assert BY_NAME["system_prompt"].checked("Be brief.\n\tIn English.") == "Be brief.\n\tIn English."
    for name, text in (("system_prompt", "bell\x07"), ("openai_model", "two\nlines")):
        with pytest.raises(InvalidValue):
            BY_NAME[name].checked(text)


def test_an_open_choice_takes_other_values_and_a_closed_one_does_not() -> None:
    assert BY_NAME["summary_cron"].checked("0 4 * * 1") == "0 4 * * 1"
    with pytest.raises(InvalidValue):
        BY_NAME["log_level"].checked("loud")


def test_a_default_is_valid_and_reads_back_from_its_own_text() -> None:
    for setting in all_settings():
        assert setting.checked(setting.default) == setting.default
        assert getattr(Settings(), setting.name) == setting.default
        if not isinstance(setting.default, dict):
            assert setting.parsed(str(setting.default)) == setting.default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "purple"),
        ("theme", 3),
        ("theme", "light\n"),
        ("text_scale", 9),
        ("text_scale", 0.1),
        ("text_scale", "1"),
        ("text_scale", float("nan")),
        ("text_scale", True),
        ("send_on_enter", 1),
        ("trash_days", 1.5),
        ("openai_base_url", "ftp://example.org"),
        ("openai_base_url", "https://"),
        ("task_model", "gpt-5.4-mini"),
        ("image_model", "Open AI/model"),
        ("openai_base_url", "https://[bad"),
        ("openai_base_url", "https://example.org:99999"),
        ("openai_base_url", "https://me:secret@example.org"),
        ("openai_headers", "X: y"),
        ("openai_headers", {"X Y": "z"}),
        ("openai_headers", {"X": "a\r\nEvil: b"}),
        ("openai_headers", {"X": 1}),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=r"\w"):
        BY_NAME[name].checked(value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("send_on_enter", "No", False),
        ("send_on_enter", "1", True),
        ("trash_days", " 7 ", 7),
        ("text_scale", "1.25", 1.25),
        ("openai_headers", "X-Team: blue\nX-Two: a: b", {"X-Team": "blue", "X-Two": "a: b"}),
        ("openai_base_url", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("task_model", "router/meta/llama-3:free", "router/meta/llama-3:free"),
    ],
)
def test_variables_are_read_as_their_type(name: str, text: str, value: object) -> None:
    assert BY_NAME[name].parsed(text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("send_on_enter", "perhaps"), ("trash_days", "soon"), ("openai_headers", "X")]
)
def test_a_variable_that_makes_no_sense_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidValue):
        BY_NAME[name].parsed(text)


def test_numbers_keep_the_type_of_the_setting() -> None:
    assert type(BY_NAME["text_scale"].checked(1)) is float
    assert type(BY_NAME["trash_days"].checked(30.0)) is int


def test_every_setting_is_read_somewhere() -> None:
    """A setting that nothing reads would be a promise to a person."""
    paths = Path(chatdesk.__file__).parent.rglob("*.py")
    readers = (path for path in paths if not path.name.endswith(("schema.py", "_settings.py")))
    sources = "\n".join(path.read_text("utf-8") for path in readers)
    assert [name for name in BY_NAME if not re.search(rf"\.{name}\b", sources)] == []
