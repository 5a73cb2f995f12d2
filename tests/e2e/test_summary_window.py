"""In the real window: summaries of an imported thread are asked about, made, and stopped, with what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton

from chatdesk.core.domain.summary import SummaryStage
from chatdesk.core.domain.usage import UsageKind
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.widgets.banner import Banner
from tests.helpers.bulk_data import load_many
from tests.helpers.window import FAST, ask, play, until

SETTINGS = replace(FAST, summary_tokens=20_000)
_PLACES = ("harbour", "quay", "bridge", "lock", "yard", "tower", "market")


def _text(position: int) -> str:
    sentences = (
        f"At the {place} {position * 31 + at} crates were counted by crew {at}." for at, place in enumerate(_PLACES)
    )
    return " ".join(sentences)


async def _opened(application: WindowApplication, messages: int = 1_000) -> str:
    """A thread as it was imported, open, with one question asked in it."""
    services = await application.services()
    (thread,) = await load_many(services.database, threads=1, messages_per_thread=messages, text_of=_text)
    await services.repositories.threads.set_model(thread, "offline", "offline-demo")
    await application.threads.open(thread)
    await ask(application, "And now?")
    return thread


def _bar(application: WindowApplication) -> Banner | None:
    return application.panes.window.findChild(Banner, "summaryBar")


def _is_shown(application: WindowApplication) -> bool:
    bar = _bar(application)
    return bar is not None and bar.isVisible()


def _button(application: WindowApplication, words: str) -> QPushButton:
    bar = _bar(application)
    assert bar is not None
    return next(each for each in bar.findChildren(QPushButton) if each.isVisible() and each.text() == words)


async def _requests(application: WindowApplication, thread: str) -> int:
    report = await (await application.services()).usage.of_thread(thread)
    return sum(row.total.requests for row in report.rows if row.kind == UsageKind.SUMMARY)


def test_it_asks_first_and_leaves_the_thread_alone_until_somebody_agrees(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        thread = await _opened(application)
        await until(lambda: _is_shown(application))
        bar = _bar(application)
        assert bar is not None
        assert "takes about" in bar.text
        assert "requests and" in bar.text
        application.panes.commands.trigger("thread.new")
        await until(lambda: not _is_shown(application))  # it is that thread's question
        await application.threads.open(thread)
        await until(lambda: _is_shown(application))
        await until(lambda: (shown := _bar(application)) is not None and not shown.is_unread)
        QTest.mouseClick(_button(application, "Not now"), Qt.MouseButton.LeftButton)
        await until(lambda: not _is_shown(application))
        await ask(application, "And then?")
        assert await _requests(application, thread) == 0
        assert not _is_shown(application)

    play(AppPaths.find(tmp_path / "profile"), script, SETTINGS)


def test_what_was_agreed_by_key_is_made_and_says_what_it_took(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        thread = await _opened(application)
        await until(lambda: _is_shown(application))
        button = _button(application, "Summarise")
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Space)
        toast = application.panes.window.findChild(QLabel, "toastText")
        assert toast is not None
        await until(lambda: toast.text().startswith("Older messages summarised: "))
        assert f"{await _requests(application, thread)} requests" in toast.text()
        assert not _is_shown(application)

    play(AppPaths.find(tmp_path / "profile"), script, SETTINGS)


@pytest.mark.parametrize("place", ["bar", "tab"])
def test_it_can_be_stopped_while_it_is_made(tmp_path: Path, place: str) -> None:
    slow = replace(SETTINGS, offline_speed_tokens_per_s=300.0)

    async def script(application: WindowApplication) -> None:
        thread = await _opened(application)
        await until(lambda: _is_shown(application))
        summaries = (await application.services()).chat.context.summaries
        if place == "tab":
            application.panes.commands.trigger("view.summary")
            await until(lambda: _in_tab(application, "summaryAgreeButton"))
            _in_tab(application, "summaryAgreeButton")[0].click()
        else:
            _button(application, "Summarise").click()
        await until(lambda: (work := summaries.work_on(thread)) is not None and work.requests)
        work = summaries.work_on(thread)
        assert work is not None
        assert work.stage is SummaryStage.WORKING
        if place == "tab":
            await until(lambda: _in_tab(application, "summaryStopButton"))
            _in_tab(application, "summaryStopButton")[0].click()
        else:
            _button(application, "Stop").click()
        assert summaries.work_on(thread) is None
        kept = len(await summaries.list(thread))
        assert kept >= 1
        await ask(application, "And then?")
        assert len(await summaries.list(thread)) == kept
        assert not _is_shown(application)

    play(AppPaths.find(tmp_path / "profile"), script, slow)


def _in_tab(application: WindowApplication, name: str) -> list[QAbstractButton]:
    return [each for each in application.panes.window.findChildren(QAbstractButton, name) if each.isVisible()]
