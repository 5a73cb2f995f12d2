"""In a made-up language nothing in the gallery is English, glued together or cut off, however long the words are."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.texts import Text, is_translated
from tests.helpers.pseudo_language import CLOSE, OPEN, cut_off_in, fault_of, sentence_of
from tests.helpers.sentences import ROOT

_TIMEOUT_S = 300
_LEAST_SAMPLES, _LEAST_TEXTS, _LEAST_PAINTED = 250, 8_000, 390
_FAULTS = (
    ("English, not shown in the language", "English, forgotten"),
    ("glued to a sentence", "cut out of a sentence"),
    ("cut off",),
)


@dataclass(frozen=True)
class _Reading:
    faults: tuple[dict[str, str], ...]
    samples: int
    texts: int
    painted: int

    def of_kind(self, *kinds: str) -> list[str]:
        return [f"{each['place']}: {each['text']}" for each in self.faults if each["fault"] in kinds]


def _read() -> _Reading:
    """Return what a process of its own reads in the whole gallery: constants are made there after the language. Its
    words are long, since short ones are cut off nowhere; ``python -m tests.helpers.pseudo_language 0.6`` reads these.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.pseudo_language", "1.4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *faults, counts = map(json.loads, done.stdout.splitlines())
    return _Reading(tuple(faults), counts["samples"], counts["texts"], counts["painted"])


@pytest.mark.long
def test_no_sentence_of_the_whole_gallery_stays_english_is_glued_together_or_cut_off() -> None:
    """One test: with the reading shared by several, each process of a run that played one of them would read all."""
    reading = _read()
    assert reading.samples >= _LEAST_SAMPLES
    assert reading.texts >= _LEAST_TEXTS
    assert reading.painted >= _LEAST_PAINTED
    for kinds in _FAULTS:
        found = reading.of_kind(*kinds)
        assert not found, "\n".join([f"{' or '.join(kinds)}:", *found])


def test_every_fault_has_its_kind() -> None:
    """The search itself: each kind of fault is found, and what is right is not."""
    program, nothing = frozenset(["Left behind here"]), frozenset[str]()
    assert fault_of("Left behind here", program, nothing) == "English, forgotten"
    assert fault_of("Left behind here", program, program) == ""
    assert fault_of(f"{OPEN}2 thread{CLOSE}s", program, nothing) == "glued to a sentence"
    assert fault_of(f"{OPEN}Half of a sen", program, nothing) == "cut out of a sentence"
    assert fault_of(f"Notes: {OPEN}today{CLOSE}, {OPEN}pinned{CLOSE}", program, nothing) == ""


@pytest.mark.parametrize(("factor", "shortest", "longest"), [(1.4, 1.3, 1.5), (0.6, 0.5, 0.8)])
def test_sentences_have_their_length_and_keep_fields_and_tags(factor: float, shortest: float, longest: float) -> None:
    source = "Everything <b>{name}</b> contains stays available; afterwards continue without connection."
    said = sentence_of(source, factor)
    assert "<b>{name}</b>" in said
    assert shortest <= len(said) / len(source) <= longest
    assert sentence_of(", ", factor) == ", "


def test_words_that_have_too_little_room_are_found(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    label, button, box = QLabel("A label of many words"), QPushButton("A button of many words"), QComboBox()
    box.addItem("A box of many words")
    beside = QHBoxLayout()
    for each in (label, button, box):
        each.setFixedWidth(60)
        beside.addWidget(each)
    wrapped = QLabel("A label of many words that wraps where there is no room")
    wrapped.setWordWrap(True)
    column.addLayout(beside)
    column.addWidget(wrapped)
    window.show()
    assert {text for _place, text in cut_off_in(window)} == {label.text(), button.text(), box.currentText()}
    for each in (label, button, box):
        each.setFixedWidth(300)
    qtbot.waitUntil(lambda: not list(cut_off_in(window)))


def test_the_language_is_off_again() -> None:
    assert not is_translated()
    assert str(Text("An English sentence")) == "An English sentence"
