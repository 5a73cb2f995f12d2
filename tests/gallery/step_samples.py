"""What shows a step of the design where no other sample does. It is drawn by earlier commits, too, so it takes the
sidebar, the window and the transcript as they were then."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.theme.theme import Theme
from tests.gallery.pairs import drawn
from tests.gallery.palette_samples import build_palette, sample_groups
from tests.gallery.transcript_samples import build_view
from tests.gallery.window_samples import build_window

# So many that the menu is whole on a small screen.
_OFFERED = (
    *(f"thread.{name}" for name in ("rename", "pin", "archive", "move", "tags", "parameters")),
    *("go.find", "go.outline", "message.compare", "thread.export", "thread.delete", "thread.erase"),
)
_SHADE = 90  # of 255
_SETTLED_MS = 100
_EDGE_PX = 16


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    focused = build_window(theme)
    focused.setProperty("focusOn", "transcript")
    return [
        ("step-frame", focused),
        ("step-menu", _menu_of_thread(theme)),
        ("step-calls", _calls(theme)),
        ("step-edges", _edges(theme)),
    ]


def _commands(window: QWidget) -> CommandRegistry:
    commands = CommandRegistry(window, CATALOGUE)
    for command_id in _OFFERED:
        commands.bind(command_id, lambda: None)
    return commands


def _menu_of_thread(theme: Theme) -> QMenu:
    """The menu of the open thread, as its header opens it."""
    window = build_window(theme)
    window.set_commands(_commands(window))
    menu = max(window.pane.header.findChildren(QMenu), key=lambda each: len(each.actions()))
    menu.setProperty("ofWindow", window)  # which it ends with
    menu.aboutToShow.emit()
    return menu


def _calls(theme: Theme) -> QWidget:
    """Finished calls of three tools below a question, and the answer."""
    called = (
        ("time", "current_time", '{"place": "Vienna"}'),
        ("chatdesk-web", "search_web", '{"query": "trams in Vienna"}'),
        ("chatdesk-folder", "read_file", '{"path": "notes/plan.md"}'),
    )
    parts: list[Part] = []
    for place, (server, tool, arguments) in enumerate(called):
        said = {"server": "Time", "server_id": server, "tool": tool, "status": "done", "arguments": arguments}
        call_id, result = f"c{place}", {"text": "12:41", "status": "done"}
        parts.append(Part(f"a{place}", "m1", 2 * place, PartType.TOOL_CALL, said, tool_call_id=call_id))
        parts.append(
            Part(
                f"b{place}",
                "m1",
                2 * place + 1,
                PartType.TOOL_RESULT,
                result,
                tool_call_id=call_id,
                tool_duration_ms=600,
            )
        )
    parts.append(Part("t", "m1", 6, PartType.TEXT, {"text": "Yes: it leaves at 12:58."}))
    asked = Part("q", "m0", 0, PartType.TEXT, {"text": "Will I catch the tram?"})
    messages = [
        Message("m0", "sample", None, Role.USER, Status.COMPLETE, 0, 0, (asked,)),
        Message("m1", "sample", "m0", Role.ASSISTANT, Status.COMPLETE, 1, 0, tuple(parts), model="gpt-4o"),
    ]
    view = build_view(theme, messages, {})
    view.resize(1016, 360)
    return view


def _edges(theme: Theme) -> QLabel:
    """What lies over the window: a toast and a menu, and the palette over the shaded window."""
    window = build_window(theme)
    window.show_toast("Moved to the trash", "Undo")
    picture = drawn(window)
    menu, palette = _menu_of_thread(theme), build_palette(theme, _commands(window), "checkpoint", sample_groups())
    painter = QPainter(picture)
    painter.fillRect(0, 0, picture.width() // 2, picture.height(), QColor(0, 0, 0, _SHADE))
    for widget, top_px in ((palette, 90), (menu, 60)):
        widget.show()
        QTest.qWait(_SETTLED_MS)
        left_px = _EDGE_PX if widget is palette else picture.width() - widget.width() - _EDGE_PX
        painter.drawPixmap(QPoint(left_px, top_px), widget.grab())
        widget.close()
    painter.end()
    label = QLabel()
    label.setPixmap(picture)
    label.resize(picture.size())
    return label
