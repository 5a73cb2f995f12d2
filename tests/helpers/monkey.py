"""Somebody who types, clicks and presses keys at random in a real window: ``python -m tests.helpers.monkey SEED ACTS``.

What a person cannot undo from inside the window (quit, restore, repair) is left out; all else is played, on a profile
of its own, with nothing outside it to reach. An act stands for about two seconds of a person's time.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest.mock import patch

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.services.asking import ask
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.catalogue import CATALOGUE
from tests.helpers.left_windows import release_mouse
from tests.helpers.things_over import things_without_owner, things_without_row
from tests.helpers.window import play, until

_LEFT_OUT: Final = frozenset(("app.quit", "app.restore", "app.repair"))
_NOT_PRESSED: Final = ("Quit", "Restore", "Repair", "Delete everything")
_WORDS: Final = (
    "hello", "why", "/demo", "/demo markdown", "/demo table", "/demo slow", "**bold", "`code`", "$x^2$", "| a | b |",
    "```", "\u0634\u0643\u0631\u0627", "\u4f60\u597d", "\U0001f469\u200d\U0001f680", "../../etc/passwd",
    "<b>x</b>", "%s %n", "#12", "tag:x", "from:me", "0", "-1", "99999999999", "localhost:1", " ", "a" * 300,
)  # fmt: skip
_KEYS: Final = (
    Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Up, Qt.Key.Key_Down,
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End,
    Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_F2, Qt.Key.Key_F6, Qt.Key.Key_Menu,
    Qt.Key.Key_Slash,
)  # fmt: skip
_MODIFIERS: Final = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip


class _Outside(QObject):
    """Takes what would be opened in another program."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        for scheme in ("http", "https", "file", "mailto"):
            QDesktopServices.setUrlHandler(scheme, self, "open")

    @Slot(QUrl)
    def open(self, _url: QUrl) -> None:
        self.opened += 1

    def close(self) -> None:
        for scheme in ("http", "https", "file", "mailto"):
            QDesktopServices.unsetUrlHandler(scheme)


class Monkey:
    """Acts in the window of ``application``; ``counts`` says what it did, ``last`` what it did at the end."""

    def __init__(self, application: WindowApplication, seed: int) -> None:
        self._application = application
        self._random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.last: list[str] = []
        self._acts: tuple[tuple[int, Callable[[], str]], ...] = (
            (22, self._type),
            (22, self._press_key),
            (12, self._press_shortcut),
            (14, self._trigger),
            (18, self._click_button),
            (8, self._click_anywhere),
            (5, self._scroll),
            (4, self._paste),
            (2, self._resize),
            (4, self._ask),
        )

    async def act(self, times: int) -> None:
        """Do ``times`` things, one after the other, with short pauses. Qt does them between its events and not this
        task, as with a person: some open a loop of their own, which ends with a later act."""
        for _ in range(times):
            QTimer.singleShot(0, self._act_once)
            await asyncio.sleep(self._random.choice((0, 0, 0, 0.005, 0.02, 0.1)))
            for chat in self._application.chats.shown():
                assert not (unknown := things_without_row(chat)), f"nobody knows what these belong to: {unknown}"

    def _act_once(self) -> None:
        weights = [weight for weight, _ in self._acts]
        _, what = self._random.choices(self._acts, weights)[0]
        done = what()
        self.counts[what.__name__.lstrip("_")] += 1
        self.last = [*self.last[-30:], done]

    async def leave_everything(self) -> None:
        """Close every popup and dialog as a person would, so that the window can be used again."""
        release_mouse()
        for _ in range(40):
            QTimer.singleShot(0, self._leave_one)
            await asyncio.sleep(0.01)

    def left_over(self) -> set[str]:
        """Return what is still shown over a thread though what it belongs to is gone."""
        return {name for chat in self._application.chats.shown() for name in things_without_owner(chat)}

    def _leave_one(self) -> None:
        target = self._target()
        if target is not self._application.panes.window:
            QTest.keyClick(target, Qt.Key.Key_Escape)

    def _target(self) -> QWidget:
        popup = QApplication.activePopupWidget()
        modal = QApplication.activeModalWidget()
        return popup or modal or QApplication.activeWindow() or self._application.panes.window

    def _focus(self) -> QWidget:
        return QApplication.activePopupWidget() or QApplication.focusWidget() or self._target()

    def _type(self) -> str:
        text = self._random.choice(_WORDS)
        for character in text:
            _press(self._focus(), character)
        return f"type {text[:20]!r}"

    def _press_key(self) -> str:
        key, modifier = self._random.choice(_KEYS), self._random.choice(_MODIFIERS)
        QTest.keyClick(self._focus(), key, modifier)
        return f"{modifier.name} {key.name}"

    def _press_shortcut(self) -> str:
        command = self._random.choice([each for each in CATALOGUE if each.shortcuts and each.id not in _LEFT_OUT])
        keys = QKeySequence(command.shortcuts[0])
        QTest.keySequence(self._focus(), keys)
        return f"keys {keys.toString()}"

    def _trigger(self) -> str:
        if self._target() is not self._application.panes.window:
            return self._press_key()
        command = self._random.choice([each for each in CATALOGUE if each.id not in _LEFT_OUT])
        self._application.panes.commands.trigger(command.id)
        return command.id

    def _click_button(self) -> str:
        found = [
            button
            for button in self._target().findChildren(QAbstractButton)
            if button.isVisible()
            and button.isEnabled()
            and not (button.accessibleName() or button.text()).startswith(_NOT_PRESSED)
        ]
        if not found:
            return self._press_key()
        button = self._random.choice(found)
        name = button.accessibleName() or button.text()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return f"click {name!r}"

    def _click_anywhere(self) -> str:
        target = self._target()
        place = QPoint(self._random.randrange(max(1, target.width())), self._random.randrange(max(1, target.height())))
        widget = target.childAt(place) or target
        button = self._random.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton))
        if isinstance(widget, QAbstractButton) and (widget.accessibleName() or widget.text()).startswith(_NOT_PRESSED):
            return "nothing"
        inside = widget.mapFrom(target, place)
        if self._random.random() < 0.2:
            QTest.mouseDClick(widget, button, pos=inside)
        else:
            QTest.mouseClick(widget, button, pos=inside)
        return f"{button.name} at {place.x()}, {place.y()} on {type(widget).__name__}"

    def _scroll(self) -> str:
        target = self._target()
        place = QPointF(target.width() * self._random.random(), target.height() * self._random.random())
        steps = QPoint(0, self._random.choice((-960, -120, 120, 960)))
        widget = target.childAt(place.toPoint()) or target
        event = QWheelEvent(
            QPointF(widget.mapFrom(target, place.toPoint())),
            target.mapToGlobal(place),
            QPoint(),
            steps,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
        return f"scroll {steps.y()}"

    def _paste(self) -> str:
        QGuiApplication.clipboard().setText("\n".join(self._random.choices(_WORDS, k=self._random.randrange(1, 40))))
        QTest.keySequence(self._focus(), QKeySequence(QKeySequence.StandardKey.Paste))
        return "paste"

    def _resize(self) -> str:
        width, height = self._random.randrange(500, 1_700), self._random.randrange(400, 1_000)
        self._application.panes.window.resize(width, height)
        return f"resize {width} x {height}"

    def _ask(self) -> str:
        if self._target() is not self._application.panes.window:
            return self._press_key()
        editor = self._application.panes.composer.editor
        editor.setFocus()
        for character in self._random.choice(_WORDS):
            _press(editor, character)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        return "ask"


def _press(widget: QWidget, character: str) -> None:
    """A key of any script; Qt's own helper knows those of ASCII only."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(widget, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, character))


def wreak(folder: Path, seed: int, acts: int, *, timeout_s: float = 100) -> list[str]:
    """Let somebody loose on a new profile in ``folder``; returns what went wrong, nothing when all is well."""
    paths = AppPaths.find(folder / "profile")
    wrong: list[str] = []
    last: list[str] = []

    async def script(application: WindowApplication) -> None:
        outside = _Outside()
        monkey = Monkey(application, seed)
        last_words = "Is everybody still here?"
        try:
            services = await application.services()
            await monkey.act(acts)
            await monkey.leave_everything()
            await until(lambda: not monkey.left_over())
            # Whatever was done, the services answer and a message can be written.
            async for _ in ask(services, last_words, provider="offline"):
                pass
        finally:
            last.extend(monkey.last)
            outside.close()

    before = Path.cwd()
    os.chdir(folder)  # where a file dialog saves
    try:
        # Qt's own file dialog renames and deletes: what is around the profile is nobody's toy.
        with patch.object(QFileDialog, "open", lambda dialog, *_slot: dialog.reject()):
            play(paths, script, timeout_s=timeout_s)
    except BaseException as error:  # noqa: BLE001 - it is what is looked for
        wrong.append(repr(error))
    finally:
        os.chdir(before)
    for report in sorted(paths.crash_dir.glob("*")) if paths.crash_dir.exists() else []:
        wrong.append(report.read_text(encoding="utf-8", errors="replace")[:3_000])
    return [*wrong, *last] if wrong else []


def main() -> int:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    QApplication.instance() or QApplication(sys.argv[:1])
    seed, acts = int(sys.argv[1]), int(sys.argv[2])
    faulthandler.dump_traceback_later(acts, exit=True)
    with tempfile.TemporaryDirectory() as folder:
        wrong = wreak(Path(folder), seed, acts, timeout_s=acts)
    outcome = "something" if wrong else "nothing"
    sys.stdout.write("\n".join((*wrong, f"seed {seed}: {acts:,} acts, {outcome} went wrong\n")))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
