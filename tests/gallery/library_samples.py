"""Projects, tags, marks and the trash: the switcher, its dialogs, and the sidebar's other views."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.library import DeletedMessage
from chatdesk.core.domain.thread import Project, Question, Tag
from chatdesk.ui.features.chat.deleted_messages import DeletedMessagesDialog
from chatdesk.ui.features.chat.jump_to_date import JumpToDateDialog
from chatdesk.ui.features.inspector.questions_tab import QuestionsTab
from chatdesk.ui.features.library.library_binding import MoveThreadsDialog
from chatdesk.ui.features.library.project import ProjectDialog
from chatdesk.ui.features.library.project_chooser import ChooserEntry
from chatdesk.ui.features.library.project_menu import ProjectMenu
from chatdesk.ui.features.library.tags import TagListDialog, ThreadTagsDialog
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import PROJECT_COLOURS
from tests.gallery.sidebar_samples import NOW, build_sidebar, make_thread

_NOW_MS = int(NOW.timestamp() * 1000)
_MODELS = [("openai", "OpenAI", [("gpt-4o", "GPT-4o"), ("gpt-4o-mini", "GPT-4o mini")])]
_TAGS = [Tag("a", "reading", 0, 12), Tag("b", "to do", 0, 1), Tag("c", "資料", 0, 3)]


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    marked = build_sidebar(theme)
    marked.thread_list.marks.set([make_thread(number, "").id for number in (3, 4, 5)])
    tagged = build_sidebar(
        theme,
        [
            make_thread(1, "A thread with one tag", tags=("reading",)),
            make_thread(2, "A thread with three tags and a long title", tags=("reading", "to do", "資料")),
            make_thread(3, "Pinned and tagged", pinned_at=1, tags=("to do",)),
        ],
    )
    everything = build_sidebar(theme)
    everything.set_project(None)
    everything.set_order(by_name=True)
    everything.reload()
    trash = _trash(theme)
    for sidebar in (marked, tagged, everything, trash):
        sidebar.resize(264, 620)
    project = Project("p", "Research", PROJECT_COLOURS["Indigo"], "", "openai", "gpt-4o", 0, None)
    menu = ProjectMenu(theme, _entries(), everything, is_under_drag=False)
    menu.resize(280, 360)
    edit = ProjectDialog(theme, project, models=_MODELS, has_system_prompt=True)
    edit.setProperty("focusOn", "colour-Indigo")
    deleted = (
        DeletedMessage(
            "m1", "t1", "Trip plan: Lisbon, 4 days", "Which days are the museums closed?", True, 1_763_000_000_000, 2
        ),
        DeletedMessage(
            "m2", "t2", "Regex for durations", "Use a named group for each unit.", False, 1_762_900_000_000, 1
        ),
    )
    return [
        ("deleted-messages", DeletedMessagesDialog(theme, deleted)),
        ("deleted-messages-none", DeletedMessagesDialog(theme, ())),
        ("questions", _questions(theme)),
        (
            "jump-to-date",
            JumpToDateDialog(theme, first_ms=_NOW_MS - 90 * 86_400_000, last_ms=_NOW_MS, current_ms=_NOW_MS),
        ),
        ("library-marked", marked),
        ("library-tags", tagged),
        ("library-by-name", everything),
        ("library-trash", trash),
        ("project-menu", menu),
        ("project-new", ProjectDialog(theme, None, models=_MODELS)),
        ("project-edit", edit),
        ("project-last", ProjectDialog(theme, project, models=_MODELS, is_last=True)),
        ("thread-tags", ThreadTagsDialog(theme, "3 threads", _TAGS, counts={"a": 3, "b": 1}, total=3)),
        ("tag-list", TagListDialog(theme, _TAGS)),
        ("tag-list-empty", TagListDialog(theme, [])),
        ("move-threads", MoveThreadsDialog(theme, "Explain the WAL checkpoint stall", _entries()[1:4])),
    ]


def _trash(theme: Theme) -> Sidebar:
    now = round(NOW.timestamp() * 1000)
    day = 24 * 3600 * 1000
    threads = [
        make_thread(number, title, ago=timedelta(days=40 + number), deleted_at=now - age * day)
        for number, (title, age) in enumerate((("Deleted just now", 0), ("Last week", 6), ("Nearly gone", 29)))
    ]
    sidebar = build_sidebar(theme, threads)
    sidebar.set_view("trash")
    return sidebar


def _entries() -> list[ChooserEntry]:
    return [
        ChooserEntry("command", "All projects", "all", icon_name="folder"),
        *(
            ChooserEntry("project", name, name, PROJECT_COLOURS[colour], is_current=name == "Research")
            for name, colour in (("Research", "Teal"), ("Home", "Orange"), ("日本語", "Purple"))
        ),
        ChooserEntry("command", "New project…", "new", icon_name="plus"),
        ChooserEntry("heading", "Archived"),
        ChooserEntry("project", "An old project with quite a long name", "old", "#5B7DB1"),
        ChooserEntry("heading", "In the trash"),
        ChooserEntry("command", "Mistake", "restore:m", icon_name="trash-2", hint="Restore"),
    ]


def _questions(theme: Theme) -> QuestionsTab:
    texts = (
        "How do I back up a live SQLite database?",
        "And while it is being written to?",
        "資料の復元はどうしますか",
        "",
    )
    tab = QuestionsTab(theme)
    tab.resize(320, 480)
    tab.reset(position=2)
    questions = [Question(f"m{at}", 2 * at, _NOW_MS - (9 - at) * 3_600_000, text) for at, text in enumerate(texts * 4)]
    tab.add(questions, is_last=True)
    return tab
