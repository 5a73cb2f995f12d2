"""A shared thread: authors, versions, files on their way, who is here, what is unread, how sync stands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.texts import tr
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.features.library.project_chooser import ChooserEntry, ProjectChooser
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import SharedWith
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.main_window import MainWindow
from tests.gallery.sidebar_samples import build_sidebar, make_thread
from tests.gallery.transcript_samples import build_view

ANA, BEN = "member-ana", "member-ben"
NAMES = {ANA: "Ana Ruiz", BEN: "Ben Ode"}
PEOPLE = ("Ana Ruiz", "Ben Ode")


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    mirrored = build_window(theme)
    mirrored.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return [
        ("shared window", build_window(theme)),
        ("shared window right-to-left", mirrored),
        ("shared window read-only", build_window(theme, can_write=False)),
        ("shared header crowded", _crowded(theme)),
        ("shared sidebar offline", _sidebar(theme, "Offline: 12 changes wait", "offline")),
        ("shared sidebar refused", _sidebar(theme, "Refused: 3 changes", "refused")),
        ("shared projects", _projects(theme)),
    ]


def build_window(theme: Theme, *, can_write: bool = True) -> MainWindow:
    """The whole window with a shared thread in it."""
    header, composer = ThreadHeader(theme), Composer(theme)
    header.set_title("Row-level security for team projects", is_editable=can_write)
    header.set_current("openai", "gpt-5")
    header.set_people(PEOPLE, PEOPLE[:1])
    composer.set_placeholder(tr("Type a message"))
    if not can_write:
        composer.set_refusal("You can read this project; ask Ana Ruiz to let you write.")
    sidebar = _sidebar(theme, "Synced 14:02", "calm")
    window = MainWindow(theme, sidebar=sidebar, header=header, empty_state=EmptyState(theme), composer=composer)
    window.pane.set_transcript(_transcript(theme, can_write=can_write))
    window.pane.show_transcript(True)
    window.pane.show_note("Ben deleted this thread while you wrote in it; it is back.", lambda: None)
    if not can_write:
        window.show_banner(
            "You were removed from “Research”. Everything in it stays on this computer as a private copy.",
            is_danger=False,
        )
    return window


def _transcript(theme: Theme, *, can_write: bool) -> TranscriptView:
    fetched, missing = _file("measurements.csv", "text/csv", "1"), _file("plan.pdf", "application/pdf", "2")
    messages = [
        _message(0, Role.USER, "Who may read a shared project, and who decides?"),
        _message(1, Role.ASSISTANT, "Its members; owners and administrators decide.", version_index=2, version_count=3),
        _message(2, Role.USER, "And what of those who left?", author_id=ANA),
        _message(3, Role.ASSISTANT, "They keep what they had.", author_id=ANA, version_index=2, version_count=2),
        _message(4, Role.USER, "Here is what I measured.", author_id=BEN, more=(fetched, missing)),
        _message(5, Role.ASSISTANT, "", author_id=BEN, status=Status.STOPPED),
    ]
    view = build_view(theme, messages, {})
    view.set_file_states(lambda sha256: "fetching" if sha256.startswith("1") else "missing")
    view.conversation.set_shared(SharedWith(NAMES.__getitem__, can_write=can_write))
    return view


def _message(number: int, role: Role, text: str, *, more: tuple[Part, ...] = (), **changes: object) -> Message:
    parts = (Part(f"p{number}", f"m{number}", 0, PartType.TEXT, {"text": text}), *more)
    fields: dict[str, object] = {
        "id": f"m{number}",
        "thread_id": "sample",
        "parent_id": f"m{number - 1}" if number else None,
        "role": role,
        "status": Status.COMPLETE,
        "created_at": 1_763_734_920_000 + number * 60_000,
        "position": number,
        "parts": parts,
        "model": "gpt-5" if role is Role.ASSISTANT else None,
    }
    return Message(**(fields | changes))  # type: ignore[arg-type]


def _file(name: str, mime: str, digit: str) -> Part:
    content = {"name": name, "mime": mime, "sha256": digit * 64, "size_bytes": 48_213}
    return Part(f"file-{name}", "m4", int(digit), PartType.FILE, content)


def _sidebar(theme: Theme, status: str, tone: str) -> Sidebar:
    sidebar = build_sidebar(theme)
    sidebar.set_shared_projects({"project": "shared"})
    sidebar.rows.set_unread({make_thread(3, "").id: 3, make_thread(5, "").id: 120, make_thread(2, "").id: 1})
    sidebar.lines.show_team(status, tone=tone, tip=f"The team: {status}")
    sidebar.resize(264, 820)
    return sidebar


def _crowded(theme: Theme) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    for count in (1, 4, 9):
        header = ThreadHeader(theme)
        header.set_title("A title that is much too long to stand beside all of the people who are here")
        header.set_current("openai", "gpt-5")
        names = [f"Member {chr(65 + number)}" for number in range(count)]
        header.set_people(names, names[: count // 4])
        column.addWidget(header)
    page.resize(820, 200)
    return page


def _projects(theme: Theme) -> QWidget:
    chooser = ProjectChooser(
        theme,
        [
            ChooserEntry("project", "Research", "a", "#0B7A75", is_current=True, shared="shared by you"),
            ChooserEntry("project", "A project with a long name that others share", "b", shared="shared"),
            ChooserEntry("project", "Mine alone", "c", "#B0459A"),
        ],
    )
    chooser.resize(280, 200)
    return chooser
