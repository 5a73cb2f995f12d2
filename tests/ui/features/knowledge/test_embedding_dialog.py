"""The choice of what makes the vectors of a project's files, by keys, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.knowledge import Embedding, EmbeddingCost, EmbeddingStatus
from chatdesk.core.knowledge.embedding_words import cost_sentences, embedding_sentences
from chatdesk.ui.features.knowledge.embedding_dialog import EmbeddingDialog
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.theme.theme import Theme

_MODEL = Embedding(1, "p", "openai", "small", 64, 0.2, b"")
_COST = EmbeddingCost("OpenAI", "small", 1_200, 480_000, 19, 0.0096)


def _opened(theme: Theme, qtbot: QtBot, status: EmbeddingStatus) -> tuple[EmbeddingDialog, list[tuple[str, str]]]:
    dialog = EmbeddingDialog(theme, [("openai", "OpenAI"), ("mine", "Mine")], status)
    qtbot.addWidget(dialog)
    chosen: list[tuple[str, str]] = []
    dialog.chosen.connect(lambda provider, model: chosen.append((provider, model)))
    dialog.open()
    qtbot.waitUntil(lambda: not dialog.is_unread)
    return dialog, chosen


def test_a_provider_needs_a_model_and_our_own_vectors_none(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _opened(theme, qtbot, EmbeddingStatus())
    assert dialog.provider.currentText() == "ChatDesk, on this computer" and not dialog.model.isEnabled()
    dialog.use_button.click()
    qtbot.keyClick(dialog.provider, Qt.Key.Key_Down)
    dialog.use_button.click()
    assert chosen == [("", "")] and dialog.problem.text() == "Name the model for embeddings."
    qtbot.keyClicks(dialog.model, " small ")
    qtbot.keyClick(dialog.model, Qt.Key.Key_Return)
    assert chosen[1:] == [("openai", "small")] and not dialog.problem.text()
    dialog.set_busy(True)
    dialog.use_button.click()
    assert len(chosen) == 2
    dialog.set_busy(False)
    assert dialog.model.isEnabled() and dialog.use_button.isEnabled()


def test_what_is_in_use_is_chosen_when_the_dialog_opens(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, EmbeddingStatus(answering=_MODEL, wanted=replace(_MODEL, provider="mine")))
    assert (dialog.provider.currentText(), dialog.model.text()) == ("Mine", "small")
    gone, _ = _opened(theme, qtbot, EmbeddingStatus(answering=replace(_MODEL, provider="removed")))
    assert gone.provider.currentText() == "ChatDesk, on this computer"


def test_the_files_dialog_says_what_makes_the_vectors_and_asks_for_another(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectFilesDialog(theme, "Research")
    qtbot.addWidget(dialog)
    asked: list[bool] = []
    dialog.embeddingRequested.connect(lambda: asked.append(True))
    dialog.show_embedding(embedding_sentences(EmbeddingStatus(answering=_MODEL, passages=9)))
    assert dialog.embedding.text() == "Found by meaning with small of openai."
    dialog.change_button.click()
    assert asked == [True]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (EmbeddingStatus(), "Found by meaning with the vectors that come with ChatDesk."),
        (EmbeddingStatus(wanted=_MODEL, passages=9, missing=5), "4 of 9 passages have vectors of small of openai"),
        (EmbeddingStatus(answering=_MODEL, passages=9, missing=1), "1 passage waits for it."),
        (EmbeddingStatus(answering=replace(_MODEL, problem="It is full.")), "small of openai. It is full."),
        (EmbeddingStatus(answering=_MODEL, fallback="It is off."), "come with ChatDesk: It is off."),
    ],
)
def test_the_state_of_the_vectors_is_said_in_words(status: EmbeddingStatus, words: str) -> None:
    assert words in " ".join(embedding_sentences(status))


def test_the_cost_is_said_with_its_price_where_that_is_known() -> None:
    said = " ".join(cost_sentences(_COST))
    for words in ("go to OpenAI", "leave this computer", "1,200 passages", "480,000 tokens", "19 requests", "$0.01"):
        assert words in said
    assert "The price of small is not known." in " ".join(cost_sentences(replace(_COST, usd=None)))
    near = " ".join(cost_sentences(replace(_COST, is_on_this_computer=True, usd=0.0)))
    assert "a server on this computer" in near and "leave" not in near and "$" not in near
