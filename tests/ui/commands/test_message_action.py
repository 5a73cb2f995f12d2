"""The catalogue of actions on messages: what a message in each state offers, and that the rows fit together."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.message import ContextMark, Message, Role, Status
from chatdesk.core.paths import resources_dir
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS, QUICK_ACTIONS
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import SharedWith
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.menu import build_menu
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from tests.ui.transcript.conftest import make_message

BRANCH_AND_CONTEXT = (
    "Branch into a new thread|-|Pin into the context|Exclude from the context|Start the context here|-|Delete"
)
COPYING = "Copy|Copy as Markdown|Copy as plain text|Copy as rich text|Copy link|Quote|-|"
QUESTION = make_message(0, "q", role=Role.USER)
ANSWER = make_message(1, "a")


def test_each_row_has_a_name_of_its_own_an_icon_that_is_there_and_a_command_that_is_known() -> None:
    rows = (*MESSAGE_ACTIONS, *QUICK_ACTIONS)
    assert len({each.name for each in rows}) == len(rows)
    icons = {each.icon for each in rows if each.icon}
    assert {name for name in icons if not (resources_dir() / "icons" / f"{name}.svg").is_file()} == set()
    assert {each.command for each in rows if each.command} <= {command.id for command in CATALOGUE}


# What a message offers, by its state, besides copying.
ROWS: Final = (
    (
        MessageEntry(QUESTION),
        f"Edit|{BRANCH_AND_CONTEXT}",
    ),
    (
        MessageEntry(replace(QUESTION, context_mark=ContextMark.EXCLUDED), SharedWith(str)),
        (
            "Edit|Branch into a new thread|-|Pin into the context|Include in the context again"
            "|Start the context here|-|Delete|Erase for everyone…"
        ),
    ),
    (
        MessageEntry(ANSWER),
        (
            "Regenerate|Regenerate with another model…|Edit answer|-|Shorter|Longer|-|Branch into a new thread|-"
            "|Pin into the context|Exclude from the context|Start the context here|-|Delete"
        ),
    ),
    (
        MessageEntry(
            replace(
                ANSWER,
                status=Status.STOPPED,
                version_index=2,
                version_count=2,
                context_mark=ContextMark.PINNED,
            )
        ),
        (
            "Regenerate|Regenerate with another model…|Continue|Edit answer|-|Shorter|Longer|-|Previous version"
            "|(Next version)|Compare versions|Branch into a new thread|-|Unpin from the context"
            "|Exclude from the context|Start the context here|-|Delete"
        ),
    ),
    (
        MessageEntry(replace(ANSWER, status=Status.STREAMING)),
        (
            "(Regenerate)|(Regenerate with another model…)|(Edit answer)|-|(Shorter)|(Longer)|-"
            "|(Branch into a new thread)|-|(Pin into the context)|(Exclude from the context)"
            "|(Start the context here)|-|(Delete)"
        ),
    ),
    (
        MessageEntry(make_message(1, "tool", role=Role.TOOL)),
        (
            "Regenerate|Regenerate with another model…|Branch into a new thread|-|Pin into the context"
            "|Exclude from the context|Start the context here|-|Delete"
        ),
    ),
)
KNOWN: Final = {row for _entry, wanted in ROWS for row in (COPYING + wanted).split("|")}


def _known_rows(menu: str) -> str:
    """The menu without rows that the table does not name: an action may be added without naming it in each state."""
    known = "|".join(row for row in menu.split("|") if row in KNOWN)
    return re.sub(r"(\|-)+", "|-", known)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    ROWS,
    ids=["question", "excluded and shared", "answer", "stopped with versions", "being written", "tool"],
)
def test_a_message_has_the_rows_of_its_state(theme: Theme, qtbot: QtBot, entry: MessageEntry, wanted: str) -> None:
    assert _known_rows(menu_of(theme, qtbot, entry)) == COPYING + wanted


def test_the_last_question_offers_to_be_answered(theme: Theme, qtbot: QtBot) -> None:
    entry = MessageEntry(QUESTION)
    entry.set_end(True, quick=QUICK_ACTIONS)
    assert "-|Answer|Answer with another model…|Edit|Branch" in menu_of(theme, qtbot, entry)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (QUESTION, ["copy", "edit", "branch", "pin", "more"]),
        (replace(ANSWER, context_mark=ContextMark.PINNED), ["copy", "regenerate", "branch", "unpin", "more"]),
        (replace(ANSWER, status=Status.STREAMING), []),
    ],
    ids=["question", "pinned answer", "being written"],
)
def test_a_message_has_the_tools_of_its_state(message: Message, wanted: list[str]) -> None:
    footer = next(item for item in MessageEntry(message).items if isinstance(item, FooterItem))
    assert [tool.action for tool in footer.tools] == wanted


@pytest.fixture
def theme() -> Theme:
    return Theme(QApplication.instance())  # type: ignore[arg-type]


def menu_of(theme: Theme, qtbot: QtBot, entry: MessageEntry) -> str:
    """Return the texts of the menu; a line is a dash, and what cannot be done is in brackets."""
    parent = QWidget()
    qtbot.addWidget(parent)
    menu = build_menu(
        parent, entry, TranscriptStyle(theme), has_selection=False, starts_later=False, do=lambda _name: None
    )
    return "|".join(
        "-" if each.isSeparator() else each.text() if each.isEnabled() else f"({each.text()})"
        for each in menu.actions()
    )
