"""Undo acts on what is shown; where it has to act elsewhere, it says where and leads there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QPushButton

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.window import ask, play, until


def toast(application: WindowApplication) -> Toast:
    found = application.panes.window.findChild(Toast)
    assert found is not None
    return found


async def thread_with_answer(application: WindowApplication, question: str) -> str:
    await application.services()
    application.panes.commands.trigger("thread.new")
    await until(lambda: application.threads.thread_id is None)
    await ask(application, question)
    thread_id = application.threads.thread_id
    assert thread_id is not None
    return thread_id


async def delete_last_answer(application: WindowApplication) -> str:
    transcript = application.panes.transcript
    await until(lambda: transcript.entries and not transcript.entries[-1].facts.is_question)
    message_id = transcript.entries[-1].message.id
    application.panes.transcript.actionRequested.emit("delete", message_id)
    await until(lambda: all(each.message.id != message_id for each in transcript.entries))
    return message_id


def test_the_last_change_of_the_shown_thread_is_undone_first(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        first = await thread_with_answer(application, "apples")
        deleted = await delete_last_answer(application)
        await thread_with_answer(application, "bananas")
        await delete_last_answer(application)
        application.threads.open_soon(first)
        await until(lambda: application.threads.thread_id == first)
        application.panes.commands.trigger("edit.undo")
        await until(lambda: any(each.message.id == deleted for each in application.panes.transcript.entries))
        await until(lambda: toast(application).text == "Undone: delete message")
        application.panes.commands.trigger("edit.redo")
        await until(lambda: toast(application).text == "Redone: delete message")
        await until(lambda: all(each.message.id != deleted for each in application.panes.transcript.entries))

    play(AppPaths.find(tmp_path / "data"), script)


def test_an_undo_out_of_sight_says_where_and_leads_there(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        first = await thread_with_answer(application, "apples")
        deleted = await delete_last_answer(application)
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        application.panes.commands.trigger("edit.undo")
        title = application.panes.sidebar.known([first])[0].title
        await until(lambda: toast(application).text == f"Undone in “{title}”: delete message")
        button = toast(application).findChild(QPushButton, "toastAction")
        assert button is not None
        assert button.text() == "Show"
        button.click()
        await until(lambda: application.threads.thread_id == first)
        await until(lambda: any(each.message.id == deleted for each in application.panes.transcript.entries))

    play(AppPaths.find(tmp_path / "data"), script)
