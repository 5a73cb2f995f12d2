"""The files of a project and a passage of one, in their states."""

from __future__ import annotations

import io
import textwrap
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from chatdesk.core.attachments.pdf_page import draw_page
from chatdesk.core.domain.kept_question import KeptQuestion
from chatdesk.core.domain.knowledge import (
    Embedding,
    EmbeddingStatus,
    FileState,
    FoundPassage,
    KnowledgeSource,
    KnownFile,
    Passage,
    SourceKind,
    SourceStatus,
)
from chatdesk.core.domain.pdf_page import PdfPage, WantedPassage
from chatdesk.core.knowledge.embedding_words import embedding_sentences
from chatdesk.core.knowledge.enclosing import title_of
from chatdesk.ui.features.knowledge.embedding_dialog import EmbeddingDialog
from chatdesk.ui.features.knowledge.exclusions_dialog import ExclusionsDialog
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.features.knowledge.providers_dialog import FileProvidersDialog
from chatdesk.ui.features.knowledge.questions_dialog import QuestionsDialog
from chatdesk.ui.theme.theme import Theme
from tests.helpers import documents

_FOLDER = KnowledgeSource("a", "p", SourceKind.FOLDER, "/home/ada/Documents/Company handbook")
_PAGE = KnowledgeSource("b", "p", SourceKind.PAGE, "https://docs.example.org/travel/expenses")
_GONE = KnowledgeSource(
    "c", "p", SourceKind.FILE, "/media/stick/Minutes 2026.docx", problem="“/media/stick” cannot be read: it is gone."
)
_TEAMS = KnowledgeSource("e", "p", SourceKind.TEAM, "team:Minutes of the board")
_PROVIDERS = {"anthropic": "Anthropic", "ollama": "Ollama on this computer", "openai": "OpenAI"}
_READ_AT = 1_763_000_000_000
_STATUSES = (
    SourceStatus(_FOLDER, read=212, waiting=34, unreadable=2, passages=1_904, read_at=_READ_AT, seconds_left=45),
    SourceStatus(_PAGE, read=1, passages=9, read_at=_READ_AT),
    SourceStatus(_GONE, read=1, passages=40, read_at=_READ_AT),
    SourceStatus(replace(_FOLDER, id="d", place="/home/ada/Notes", is_paused=True), read=58, passages=300),
)
_EMBEDDING = EmbeddingStatus(
    wanted=Embedding(1, "p", "openai", "text-embedding-3-small", 1_536, 0.2, b""), passages=2_253, missing=640
)
_FILE = KnownFile(1, "a", "People/Leave.pdf", FileState.READ, mime="application/pdf")
_TEXTS = (
    "Leave is agreed with the team two weeks ahead. Longer absences are planned in January, for the whole year.",
    "Each employee has thirty days of paid leave in a calendar year. Part-time work shortens them in proportion.",
    "Who falls ill on leave hands in a doctor's note; the days are then given back.",
)
_PASSAGES = tuple(
    FoundPassage(at, _FILE, _FOLDER, at, Passage(at * 300, at * 300 + len(text), text, 4 + at // 2, "Paid leave"))
    for at, text in enumerate(_TEXTS)
)


_QUESTIONS = (
    KeptQuestion("a", "p", "How many days off do I have?", "People/Leave.pdf", 1, 4),
    KeptQuestion("b", "p", "Who pays for a broken bicycle?", "insurance.docx", 0, 2),
    KeptQuestion("c", "p", "When are receipts handed in?", "travel/expenses", 2, 2),
    KeptQuestion("d", "p", "Where do I find the form for a new badge?", "forms.xlsx"),
)


def _page() -> PdfPage:
    """Return the page of the passages as it is drawn, with the second one lit."""
    lines = "\n".join(line for text in _TEXTS for line in (*textwrap.wrap(text, 60), ""))
    data = documents.pdf("", "", "", lines.strip())
    text = "\n".join(_TEXTS)
    start = text.index(_TEXTS[1])
    return draw_page(io.BytesIO(data), 4, 640, WantedPassage(text, start, start + len(_TEXTS[1]), 4))


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    full = ProjectFilesDialog(theme, "Research")
    full.show_sources(_STATUSES)
    unreadable = [
        KnownFile(2, "a", "Scans/contract.pdf", FileState.UNREADABLE, problem="No text can be read from it."),
        KnownFile(3, "a", "Budget.xlsx", FileState.UNREADABLE, problem="It is protected by a password."),
    ]
    full.show_unreadable("a", unreadable)
    tried = ProjectFilesDialog(theme, "Research")
    tried.show_sources(_STATUSES[:1])
    tried.question.setText("How many days off do I have?")
    tried.show_embedding(embedding_sentences(EmbeddingStatus(passages=1_904)))
    tried.show_found(_PASSAGES, [title_of(each) for each in _PASSAGES])
    full.show_embedding(embedding_sentences(_EMBEDDING))
    choice = EmbeddingDialog(theme, [("openai", "OpenAI"), ("ollama", "Ollama")], _EMBEDDING)
    passage = PassageDialog(theme, title_of(_PASSAGES[1]), _PASSAGES, lit=(300, 500), can_open=True)
    paged = PassageDialog(theme, title_of(_PASSAGES[1]), _PASSAGES, lit=(300, 500), can_open=True, has_pages=True)
    paged.show_page(_page())
    paged_text = PassageDialog(theme, title_of(_PASSAGES[1]), _PASSAGES, lit=(300, 500), can_open=True, has_pages=True)
    paged_text.show_failure(4, "This page needs too much time or memory to be drawn.")
    questions = QuestionsDialog(theme)
    questions.show_questions(_QUESTIONS)
    shared = ProjectFilesDialog(theme, "Research")
    shared.allow_sharing(may_share=True)
    shared.show_sources((_STATUSES[0], SourceStatus(_TEAMS, read=41), SourceStatus(replace(_TEAMS, id="f"))))
    return [
        ("project-files", full),
        ("project-files-shared", shared),
        ("project-files-none", ProjectFilesDialog(theme, "Research")),
        ("project-files-tried", tried),
        ("project-files-questions", questions),
        ("project-files-left-out", ExclusionsDialog(theme, replace(_FOLDER, exclusions="drafts/\n*.log\n!keep.log"))),
        ("project-files-embedding", choice),
        ("project-files-providers", FileProvidersDialog(theme, _PROVIDERS, frozenset(("openai",)))),
        ("passage", passage),
        ("passage-page", paged),
        ("passage-page-failed", paged_text),
    ]
