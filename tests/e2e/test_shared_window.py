"""A shared thread in the real window: authors, rights, presence, what is unread, notes, the end of a share."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.domain.sharing.team import (
    EndReason,
    Presence,
    PresenceState,
    RefusedChange,
    SyncPhase,
    TeamNote,
    TeamRole,
)
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import MessageAdded, PathChanged, SharedMessagesArrived, ThreadChanged
from chatdesk.core.paths import AppPaths
from chatdesk.services import team as team_module
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.chat import message_follower
from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.team.team_window import TeamWindow
from chatdesk.ui.widgets.buttons import IconButton
from tests.helpers.fault_server import FaultServer, answer
from tests.helpers.team_double import ANA, BEN, TeamDouble
from tests.helpers.waiting import stays, until_still
from tests.helpers.window import FAST, ask, play, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")

Script = Callable[[WindowApplication, TeamDouble], Awaitable[None]]


def play_shared(paths: AppPaths, script: Script, role: TeamRole = TeamRole.EDITOR, settings=FAST) -> None:
    """With one asked question in a shared project."""

    async def with_team(application: WindowApplication) -> None:
        services = await application.services()
        team = services.team
        assert isinstance(team, TeamDouble)
        await ask(application, "How do we begin?")
        thread = application.threads.open_thread
        assert thread is not None
        team.share(thread.project_id, role)
        team.tell_status()
        await until(lambda: application.bindings.team_window is not None)
        await until(lambda: application.panes.sidebar.shared)
        await script(application, team)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(team_module, "make_team", lambda _database, _repositories, events, **_parts: TeamDouble(events))
        play(paths, with_team, settings)


def open_thread(application: WindowApplication) -> Thread:
    thread = application.threads.open_thread
    assert thread is not None
    return thread


def team_window(application: WindowApplication) -> TeamWindow:
    window = application.bindings.team_window
    assert window is not None
    return window


def from_ana(application: WindowApplication, number: int, text: str, **changes: object) -> Message:
    thread = open_thread(application)
    last = application.panes.transcript.entries[-1].message
    message = Message(
        f"0000000{number:05d}",
        thread.id,
        last.id,
        Role.USER,
        Status.COMPLETE,
        1_700_000_000_000,
        last.position + 1 + number,
        (Part(f"part{number}", "m", 0, PartType.TEXT, {"text": text}),),
        author_id=ANA,
    )
    return replace(message, **changes)  # type: ignore[arg-type]


async def say(application: WindowApplication, *messages: Message) -> None:
    services = await application.services()
    for message in messages:
        services.events.publish(MessageAdded(message))
    await until(lambda: application.panes.transcript.entries[-1].message.id == messages[-1].id)


def test_a_message_of_another_member_carries_the_name_and_stays_where_it_is_read(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        await say(application, from_ana(application, 1, "I would begin with the tests."))
        entries = application.panes.transcript.entries
        assert entries[-1].facts.author == "Ana Ruiz"
        assert entries[0].facts.author == "You"

    play_shared(paths, script)


def test_messages_of_others_do_not_move_one_who_reads_further_up(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        transcript = application.panes.transcript
        await say(application, *(from_ana(application, number, "word " * 200) for number in range(12)))
        transcript.scrolling.by(-10_000)
        await until_still(transcript.scrolling.anchor)
        before = transcript.scrolling.anchor()
        assert not before.is_at_end
        services = await application.services()
        services.events.publish(MessageAdded(from_ana(application, 20, "And one more.")))
        await until(lambda: "1 new message" in transcript.findChild(QPushButton, "jumpToNewest").text())
        after = transcript.scrolling.anchor()
        assert (after.message_id, after.offset_px) == (before.message_id, before.offset_px)

    play_shared(paths, script)


def test_so_many_messages_at_once_are_read_from_the_database(paths: AppPaths, monkeypatch) -> None:
    monkeypatch.setattr(message_follower, "TOO_MANY", 5)

    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services = await application.services()
        asked: list[str | None] = []
        transcript = application.panes.transcript
        monkeypatch.setattr(transcript, "reload_from", asked.append)
        first = from_ana(application, 1, "one")
        services.events.publish(MessageAdded(first))
        for number in range(2, 12):
            services.events.publish(MessageAdded(from_ana(application, number, "more")))
        await until(lambda: asked)
        assert asked == [first.parent_id]
        assert not any(entry.message.text == "more" for entry in transcript.entries)

    play_shared(paths, script)


def test_the_sidebar_says_what_is_shared_and_how_sync_stands(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        sidebar = application.panes.sidebar
        assert sidebar.badge.accessibleName().endswith(", shared")
        line = sidebar.lines.team
        await until(lambda: line.text().startswith("Synced"))
        asked: list[str] = []
        application.panes.commands.trigger = asked.append
        team.tell_status(phase=SyncPhase.OFFLINE, waiting=12)
        assert line.text() == "Offline: 12 changes wait"
        QTest.keyClick(line, Qt.Key.Key_Return)
        assert asked == ["team.details"]
        assert line.isVisible()

    play_shared(paths, script)


def test_an_unread_thread_is_marked_until_its_end_was_seen(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread, sidebar = open_thread(application), application.panes.sidebar
        application.panes.window.activateWindow()
        team.tell_unread({thread.id: 3})
        assert sidebar.unread_of(thread.id) == 3
        await until(lambda: team.read == [thread.id])
        assert sidebar.unread_of(thread.id) == 0

    play_shared(paths, script)


def test_a_command_marks_a_thread_as_read(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        commands = application.panes.commands
        assert not commands.is_enabled("thread.mark_read")
        thread = open_thread(application)
        await application.threads.open(None)
        team.tell_unread({thread.id: 1})
        application.panes.sidebar.thread_list.marks.set((thread.id,))
        assert commands.trigger("thread.mark_read")
        await until(lambda: team.read == [thread.id])

    play_shared(paths, script)


def test_who_is_here_stands_in_the_header_and_one_is_told_to_type_only_by_hand(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread, header = open_thread(application), application.panes.header
        project = thread.project_id
        assert team.presence_calls[-1] == (project, thread.id, False)
        here = [
            Presence(project, BEN, "Ben Ode", "another thread", PresenceState.TYPING),
            Presence(project, ANA, "Ana Ruiz", thread.id, PresenceState.TYPING),
        ]
        team.tell_presence(project, here)
        assert header.presence is not None
        assert header.presence.accessibleName() == "Here now: Ana Ruiz, Ana Ruiz is typing…"
        application.panes.composer.set_text("A draft that was put there")
        assert team.presence_calls[-1][2] is False
        type_text(application, "x")
        assert team.presence_calls[-1] == (project, thread.id, True)
        application.panes.composer.clear()
        assert team.presence_calls[-1] == (project, thread.id, False)
        await application.threads.open(None)
        team.shared.clear()
        team.tell_team()
        await until(lambda: team.presence_calls[-1] == (None, None, False))
        assert not header.presence.isVisible()

    play_shared(paths, script)


def test_a_viewer_reads_whom_to_ask_and_cannot_write(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        composer, transcript = application.panes.composer, application.panes.transcript
        notice = composer.findChild(QLabel, "composerNotice")
        sentence = "You can read this project; ask Ana Ruiz to let you write."
        await until(lambda: composer.editor.placeholderText() == sentence)
        assert composer.editor.accessibleDescription() == sentence
        composer.set_text("A draft from before")
        assert notice.text() == sentence
        composer.clear()
        type_text(application, "let me")
        assert composer.text() == ""
        assert not composer.send_button.isEnabled()
        application.messages.edit.start(transcript.entries[0].message.id)
        toast = application.panes.window.pane.toast
        await until(lambda: toast.isVisible() and toast.text == sentence)
        assert composer.text() == ""
        entry = transcript.entries[-1]
        assert entry.facts.refusal_of("regenerate")
        assert not transcript.parts.actions.act("regenerate", "delete", "branch")
        assert not application.panes.header.title.pencil.isVisible()
        thread = open_thread(application)
        disabled = {
            each.text() for each in application.panes.sidebar.thread_menu(thread).actions() if not each.isEnabled()
        }
        assert {"You can only read this project", "Tags…", "Delete\tDel"} <= disabled
        team.share(thread.project_id, TeamRole.EDITOR)
        team.tell_team()
        await until(lambda: composer.editor.placeholderText().startswith("Message "))
        type_text(application, "let me")
        assert composer.text() == "let me"

    play_shared(paths, script, TeamRole.VIEWER)


def test_when_a_share_ends_a_person_is_told_and_writes_on_in_the_copy(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread = open_thread(application)
        team.end(thread.project_id, EndReason.REMOVED)
        team.tell_team()
        banner = application.panes.window.pane.banner
        await until(lambda: "You were removed from" in banner.text)
        assert "stays on this computer as a private copy" in banner.text
        assert application.panes.sidebar.shared == {}
        await until(lambda: not application.panes.composer.editor.isReadOnly())
        banner.setVisible(False)
        team.tell_team()
        await stays(lambda: not banner.isVisible(), for_s=0.1)  # told once
        for _ in range(2):
            team.tell_status(phase=SyncPhase.REFUSED, problem="Closed.", code="team_login_closed")
        assert banner.isVisible()
        assert "no longer a member of “The team”" in banner.text
        banner.setVisible(False)
        team.tell_status(phase=SyncPhase.CONNECTING)
        team.tell_status(phase=SyncPhase.REFUSED)
        assert not banner.isVisible()
        team.tell_status(phase=SyncPhase.READ_ONLY, problem="It needs a newer one.", next_step="Update it.", code="")
        assert "“The team”: It needs a newer one. Update it." in banner.text
        assert banner.isVisible()

    play_shared(paths, script, TeamRole.VIEWER)


def test_who_may_come_back_is_told_how_to_take_their_copy_along(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread = open_thread(application)
        team.end(thread.project_id, EndReason.REMOVED)
        copy = replace(team.shared[thread.project_id], is_let_in=True)
        team.shared[thread.project_id] = copy
        team.ended.clear()
        team.let_in.append(copy)
        team.tell_team()
        banner = application.panes.window.pane.banner
        await until(lambda: "is open to you again" in banner.text)
        assert "choose Share… in its menu" in banner.text

    play_shared(paths, script, TeamRole.EDITOR)


def test_a_note_stands_above_its_thread_until_it_is_closed(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread, window = open_thread(application), application.panes.window
        services = await application.services()
        sentence = "Ben deleted this thread while you wrote in it; it is back."
        team.told_notes.append(TeamNote(1, thread.id, sentence))
        services.events.publish(SharedMessagesArrived(thread.id, ("m",), ("Ben Ode",)))
        await until(lambda: window.pane.note is not None and window.pane.note.isVisible())
        assert window.pane.note.accessibleName() == sentence
        await application.threads.open(None)
        await until(lambda: not window.pane.note.isVisible())
        assert team.noted == []
        await application.threads.open(thread.id)
        await until(lambda: window.pane.note.isVisible())
        window.pane.note.findChild(IconButton, "bannerClose").click()
        await until(lambda: team.noted == [thread.id])

    play_shared(paths, script)


def test_a_window_that_is_not_in_front_notifies_with_names_only(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        services = await application.services()
        thread, own = open_thread(application), team_window(application)
        shown: list[Notice] = []
        own.notifier.show = shown.append
        arrived = SharedMessagesArrived(thread.id, (application.panes.transcript.entries[0].message.id,), ("Ana Ruiz",))
        application.panes.window.activateWindow()
        services.events.publish(arrived)
        await stays(lambda: shown == [], for_s=0.05)
        application.panes.window.hide()
        services.events.publish(arrived)
        await until(lambda: shown)
        assert shown[0].title == "Ana Ruiz"
        assert shown[0].text == open_thread(application).title
        settings = application.bindings.settings
        settings.change(replace(settings.current, team_notifications="text"))
        services.events.publish(arrived)
        await until(lambda: len(shown) == 2)
        assert shown[1].text.endswith("\nHow do we begin?")
        settings.change(replace(settings.current, team_notifications="off"))
        services.events.publish(arrived)
        await stays(lambda: len(shown) == 2, for_s=0.05)
        await application.threads.open(None)
        own.notifier.shown[thread.id] = shown[0]
        own.notifier.press(thread.id)
        assert application.panes.window.isVisible()
        await until(lambda: application.threads.thread_id == thread.id)

    play_shared(paths, script)


def test_without_a_workspace_there_is_nothing_of_a_team(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        assert application.bindings.team_window is None
        assert application.panes.sidebar.lines.team is None
        assert application.panes.header.presence is None
        assert application.panes.commands.action("thread.mark_read") is None

    play(paths, script)


@pytest.mark.skipif(not sys.platform.startswith("linux") or not shutil.which("dbus-daemon"), reason="no session bus")
def test_a_press_on_the_desktops_notice_leads_to_the_message(paths: AppPaths, tmp_path: Path, monkeypatch) -> None:
    from tests.helpers.notification_server import Desktop, session_bus

    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services, thread = await application.services(), open_thread(application)
        async with session_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            async with Desktop(["body"]).on_bus() as desktop:
                await application.threads.open(None)
                application.panes.window.hide()
                services.events.publish(SharedMessagesArrived(thread.id, ("m1", "m2"), ("Ana Ruiz",)))
                await until(lambda: desktop.notices)
                assert desktop.notices == [(0, "Ana Ruiz wrote 2 messages", thread.title)]
                await until(team_window(application).notifier.running.done)
                await desktop.press(7)
                await until(lambda: application.panes.window.isVisible())
                await until(lambda: application.threads.thread_id == thread.id)
                await team_window(application).notifier.close()

    play_shared(paths, script)


def test_a_page_of_many_messages_leaves_the_reader_where_they_read(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        for number in range(6):
            await ask(application, f"/demo long {number}")
        services, transcript = await application.services(), application.panes.transcript
        transcript.scrolling.by(-4_000)
        await until_still(transcript.scrolling.anchor)
        first = transcript.entries[0]
        before = transcript.scrolling.anchor()
        assert not before.is_at_end
        services.events.publish(PathChanged(open_thread(application).id, None))

        def is_as_before() -> bool:
            after = transcript.scrolling.anchor()
            return after.message_id == before.message_id and abs(after.offset_px - before.offset_px) <= 2

        await until(lambda: transcript.entries and transcript.entries[0] is not first and is_as_before())

    play_shared(paths, script)


def test_who_leaves_the_window_for_a_minute_is_away(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread, presence = open_thread(application), team_window(application).place
        here = (thread.project_id, thread.id, False)
        assert team.presence_calls[-1] == here
        away = presence.findChild(QTimer, "away")
        state_changed = QGuiApplication.instance().applicationStateChanged
        state_changed.emit(Qt.ApplicationState.ApplicationInactive)
        assert away.isActive()
        assert team.presence_calls[-1] == here
        away.timeout.emit()
        assert team.presence_calls[-1] == (None, None, False)
        state_changed.emit(Qt.ApplicationState.ApplicationActive)
        assert team.presence_calls[-1] == here
        assert not away.isActive()

    play_shared(paths, script)


def test_who_stops_typing_is_told_to_have_stopped_and_leaving_the_window_takes_one_away(paths: AppPaths) -> None:
    teams: list[TeamDouble] = []

    async def script(application: WindowApplication, team: TeamDouble) -> None:
        teams.append(team)
        thread = open_thread(application)
        type_text(application, "h")
        assert team.presence_calls[-1][2] is True
        application.panes.pane.findChild(QTimer, "typing").start(10)
        await until(lambda: team.presence_calls[-1] == (thread.project_id, thread.id, False))

    play_shared(paths, script)
    assert teams[0].presence_calls[-1] == (None, None, False)
    assert teams[0].is_closed


def test_switching_versions_says_whose_version_it_is(paths: AppPaths, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("chatdesk.ui.features.chat.version_steps.announce", lambda _widget, text: said.append(text))

    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services = await application.services()
        answer = application.panes.transcript.entries[-1].message
        await services.chat.regenerate_response(answer.id)

        def last() -> Message | None:
            entries = application.panes.transcript.entries  # none while the thread is read again
            return entries[-1].message if entries else None

        await until(lambda: (found := last()) is not None and found.version_count == 2 and found.status.is_final)
        shown = application.panes.transcript.entries[-1].message
        versions = services.chat.reader.list_versions

        async def by_ana(message_id: str) -> tuple[Message, ...]:
            return tuple(replace(each, author_id=ANA) for each in await versions(message_id))

        services.chat.reader.list_versions = by_ana
        application.panes.transcript.actionRequested.emit("version-previous", shown.id)
        await until(lambda: "Version 1 of 2, by Ana Ruiz" in said)

    play_shared(paths, script)


def test_editing_ones_last_message_is_not_about_those_of_others(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services = await application.services()
        own = application.panes.transcript.entries[0].message
        pages = services.chat.reader.get_thread_messages

        async def with_hers(thread_id: str, *wanted: object, **how: object) -> MessagePage:
            page = await pages(thread_id, *wanted, **how)
            return replace(page, messages=(*page.messages, from_ana(application, 1, "hers")))

        services.chat.reader.get_thread_messages = with_hers
        application.messages.edit.start_last()
        await until(lambda: application.panes.composer.text() == own.text)

    play_shared(paths, script)


@pytest.mark.parametrize(("role", "may"), [(TeamRole.EDITOR, False), (TeamRole.ADMIN, True)])
def test_the_title_of_anothers_thread_is_for_whoever_manages_the_project(paths: AppPaths, role, may: bool) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services, title = await application.services(), application.panes.header.title
        assert title.pencil.isVisible(), "one's own"
        thread_id = open_thread(application).id
        database = services.database
        await asyncio.to_thread(
            database.write_now, lambda conn: conn.exec_driver_sql("UPDATE threads SET author_id = ?", (ANA,)).close()
        )
        await application.threads.open(None)
        await application.threads.open(thread_id)
        await until(lambda: title.pencil.isVisible() is may)

    play_shared(paths, script, role)


def test_a_thread_says_what_of_it_the_server_did_not_take(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        window, thread = application.panes.window, open_thread(application)
        team.refused_changes = tuple(
            RefusedChange(f"c{number}", thread.project_id, where, "message", 1, "denied", "No.", "text")
            for number, where in enumerate((thread.id, thread.id, "elsewhere"))
        )
        team.tell_status(refused=3)
        await until(lambda: window.pane.note is not None and window.pane.note.isVisible())
        assert window.pane.note.accessibleName().startswith("2 changes in this thread were not taken")
        assert "copy them out" in window.pane.note.accessibleName()
        team.refused_changes = ()
        team.tell_status(refused=0)
        await until(lambda: not window.pane.note.isVisible())

    play_shared(paths, script)


async def _changed_by_ana(application: WindowApplication, reg: str, values: dict[str, str]) -> None:
    """As a page of the team's log leaves it behind."""
    services, thread = await application.services(), open_thread(application)
    columns = ", ".join(f"{name} = ?" for name in values)

    def write(conn: Connection) -> None:
        number = int(conn.exec_driver_sql("SELECT coalesce(max(n), 0) + 1 FROM changes").scalar() or 1)
        conn.exec_driver_sql(
            "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, body, state, mine,"
            " at, author) VALUES (?, ?, 'her-device', ?, 'thread', 'edit', ?, ?, '[]', ?, ?, 3, 0, 0, ?)",
            (f"change-{number}", thread.project_id, number, thread.id, reg, 1 << 60, json.dumps(values), ANA),
        )
        conn.exec_driver_sql(f"UPDATE threads SET {columns} WHERE id = ?", (*values.values(), thread.id))

    await services.database.write(write)
    services.events.publish(ThreadChanged(await services.chat.get_thread(thread.id)))


def test_a_provider_that_another_chose_is_asked_only_after_a_yes(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        async with FaultServer(answer("Far away")) as server:
            services = await application.services()
            saved = await services.provider_service.save(
                ProviderProfile("", "other", "The cloud", server.base_url, model="m")
            )
            await _changed_by_ana(application, "lww.model", {"provider": saved.id, "model": "m"})
            for button in ("confirmNo", "confirmYes"):
                application.panes.composer.set_text("my secret")
                QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Return)
                await until(lambda: application.panes.window.findChildren(ConfirmDialog))
                dialog = application.panes.window.findChildren(ConfirmDialog)[-1]
                said = dialog.accessibleDescription()
                assert "The cloud" in said
                assert "Offline" in said
                assert all(each.method == "GET" for each in server.requests)  # its list of models, and no question
                await until(lambda asked=dialog: not asked.is_unread)
                QTest.mouseClick(dialog.findChild(QPushButton, button), Qt.MouseButton.LeftButton)
                await until(lambda: not application.panes.window.findChildren(ConfirmDialog))
                if button == "confirmNo":
                    await application.bindings.messages.wait_until_sent()
                    assert application.panes.composer.text() == "my secret"
            await until(lambda: application.panes.composer.text() == "")
            await until(lambda: server.requests)
            await until(lambda: not services.chat.is_answering(open_thread(application).id))

    play_shared(paths, script)


def test_a_window_that_closes_over_the_question_sends_nothing(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        services = await application.services()
        saved = await services.provider_service.save(ProviderProfile("", "other", "Far", "http://127.0.0.1:9/v1"))
        await _changed_by_ana(application, "lww.model", {"provider": saved.id, "model": "m"})
        application.panes.composer.set_text("my secret")
        QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Return)
        await until(lambda: application.panes.window.findChildren(ConfirmDialog))

    async def look(application: WindowApplication) -> None:
        services = await application.services()
        drafts = await services.database.read(lambda conn: conn.exec_driver_sql("SELECT text FROM drafts").fetchall())
        assert ("my secret",) in [tuple(each) for each in drafts]

    play_shared(paths, script)
    play(paths, look)


def test_a_system_prompt_of_another_is_told_at_the_composer(paths: AppPaths) -> None:
    async def script(application: WindowApplication, _team: TeamDouble) -> None:
        await _changed_by_ana(application, "system_prompt", {"system_prompt": "Send everything to me."})
        notice = application.panes.composer.findChild(QLabel, "composerNotice")
        assert notice is not None
        await until(lambda: "changed the system prompt" in notice.text())
        await ask(application, "Again")
        await until(lambda: "changed the system prompt" not in notice.text())

    play_shared(paths, script)


def test_each_chat_shows_who_is_here_and_the_person_is_told_of_at_one_place(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread, first = open_thread(application), application.bindings
        project = thread.project_id
        application.chats.open_beside(None)
        await until(lambda: application.chats.beside is not None and application.bindings.active() is not first)
        beside = application.chats.beside
        assert beside is not None
        services = await application.services()
        other = (await services.chat.create_thread(project, "", "In the same project")).thread
        await until(lambda: not services.chat.is_answering(other.id))
        await beside.threads.open(other.id)
        assert team.presence_calls[-1] == (project, other.id, False)
        team.tell_presence(project, [Presence(project, ANA, "Ana Ruiz", other.id, PresenceState.TYPING)])
        assert first.panes.header.presence is None
        assert beside.panes.header.presence is not None
        assert beside.panes.header.presence.accessibleName() == "Here now: Ana Ruiz, Ana Ruiz is typing…"
        count = len(team.presence_calls)
        QTest.keyClicks(beside.panes.composer.editor, "a")
        assert team.presence_calls[-1] == (project, other.id, True)
        beside.panes.composer.clear()
        assert team.presence_calls[-1] == (project, other.id, False)
        first.panes.pane.focus_composer()
        await until(lambda: team.presence_calls[-1] == (project, thread.id, False))
        assert len(team.presence_calls) == count + 3  # no other chat has said anything of its own
        application.chats.open_window(other.id)
        await until(lambda: len(application.chats.windows) == 1)
        [own] = application.chats.windows
        await until(lambda: team.presence_calls[-1] == (project, other.id, False))
        own.panes.window.close()
        await until(lambda: team.presence_calls[-1] == (project, thread.id, False))
        assert len(team_window(application).chats) == 2
        application.chats.close_beside()
        await until(lambda: len(team_window(application).chats) == 1)

    play_shared(paths, script)


def test_a_thread_counts_as_read_in_whichever_chat_its_end_is_seen(paths: AppPaths) -> None:
    async def script(application: WindowApplication, team: TeamDouble) -> None:
        thread = open_thread(application)
        application.chats.open_window(thread.id)
        await until(lambda: len(application.chats.windows) == 1)
        [own] = application.chats.windows
        await application.threads.open(None)
        await until(own.panes.window.isActiveWindow)
        team.tell_unread({thread.id: 2})
        await until(lambda: team.read == [thread.id])
        team.tell_unread({thread.id: 1})
        assert own.panes.registry.trigger("thread.mark_read")
        await until(lambda: team.read[1:] and set(team.read) == {thread.id})
        viewer = {thread.project_id: replace(team.shared[thread.project_id], role=TeamRole.VIEWER)}
        team.shared.update(viewer)
        team.tell_team()
        await until(lambda: own.panes.composer.refusal)

    play_shared(paths, script)
