"""The dialogs of team sync by keyboard: Enter presses what is focused, and the focus is never lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.sync.errors import TeamUnreachable
from chatdesk.core.sync.members import administering
from chatdesk.ui.features.team.pages import team_join
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.features.team.pages.team_table import ActionTable, TableRow
from chatdesk.ui.features.team.team_desk import run_in_dialog
from chatdesk.ui.theme.theme import Theme
from tests.gallery import team_samples as samples
from tests.helpers.team_widgets import choose_role

Show = Callable[[QWidget], QWidget]
ENTER = Qt.Key.Key_Return


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def shown(widget: QWidget) -> QWidget:
        widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(widget)
        widget.show()
        return widget

    return shown


def test_a_workspace_is_made_without_a_mouse(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address, my_name="Ana")
    show(dialog)
    QTest.keyClicks(dialog.address.string, "postgresql://owner:secret@db.example.org/team")
    dialog.check_button.setFocus()
    with qtbot.waitSignal(dialog.checkRequested):
        QTest.keyClick(dialog.focusWidget(), ENTER)
    dialog.show_checks(samples.CHECKS[:2])
    assert dialog.focusWidget() is dialog.next_button
    QTest.keyClick(dialog.focusWidget(), ENTER)
    assert dialog.focusWidget() is dialog.name
    QTest.keyClicks(dialog.name, "Blue team")
    with qtbot.waitSignal(dialog.setUpRequested):
        QTest.keyClick(dialog.focusWidget(), ENTER)
    dialog.show_problem("The disk of the team's server is full.")
    assert dialog.focusWidget() is dialog.name, "the focus is where it was"
    dialog.show_done("Blue team")
    assert dialog.focusWidget() is dialog.close_button


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_a_workspace_is_joined_with_enter(theme: Theme, show: Show, qtbot: QtBot, key: Qt.Key) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(dialog)
    dialog.code.insertPlainText("chatdesk-join:member")
    dialog.my_name.clear()
    QTest.keyClick(dialog.code, key)
    assert dialog.code.toPlainText() == "chatdesk-join:member", "no line is added"
    assert dialog.focusWidget() is dialog.my_name
    QTest.keyClicks(dialog.my_name, "Chi")
    dialog.code.setFocus()
    qtbot.waitUntil(lambda: not dialog.is_unread)
    with qtbot.waitSignal(dialog.joinRequested) as asked:
        QTest.keyClick(dialog.code, key)
    assert asked.args[:2] == ["chatdesk-join:member", "Chi"]


@pytest.mark.parametrize(("code", "field"), [("sealed", "teamPassphrase"), ("open", "teamUnencrypted")])
def test_enter_goes_to_what_is_still_needed(theme: Theme, show: Show, code: str, field: str) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation, text=f"chatdesk-join:{code}")
    show(dialog)
    QTest.keyClick(dialog.code, ENTER)
    assert dialog.focusWidget().objectName() == field
    assert not dialog.is_busy


def test_enter_in_an_unusable_code_joins_nothing_and_shift_begins_a_line(theme: Theme, show: Show) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(dialog)
    QTest.keyClicks(dialog.code, "garbage")
    QTest.keyClick(dialog.code, ENTER)
    assert (dialog.code.toPlainText(), dialog.is_busy) == ("garbage", False)
    QTest.keyClick(dialog.code, ENTER, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.code.toPlainText() == "garbage\n"


def test_what_a_code_says_is_announced_once_typing_rests_or_enter_is_pressed(
    theme: Theme, show: Show, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(team_join, "announce", lambda _widget, text: said.append(text))
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(dialog)
    QTest.keyClicks(dialog.code, "garbage")
    assert said == []
    qtbot.waitUntil(lambda: said == [dialog.about.text()])
    QTest.keyClicks(dialog.code, "more")
    QTest.keyClick(dialog.code, ENTER)
    assert said == [dialog.about.text()] * 2
    assert not any(each.isActive() for each in dialog.findChildren(QTimer)), "nor later"


def test_the_result_of_a_check_is_in_view(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)
    dialog.address.show_address(samples.ADDRESS, "x")
    dialog.show_checks(samples.CHECKS * 2)
    bar = dialog.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() > 0)
    failed = dialog.findChild(QLabel, "teamCheck_3")
    assert failed is not None
    qtbot.waitUntil(lambda: failed.visibleRegion().boundingRect().height() == failed.height())
    dialog.show_checks(samples.CHECKS[:2])
    dialog.next_button.click()
    qtbot.waitUntil(lambda: not bar.maximum())  # the page of names is short


def test_the_focus_stays_on_the_page_when_the_first_workspace_comes(theme: Theme, show: Show) -> None:
    page = TeamPage(theme)
    show(page)
    create = page.findChild(QPushButton, "teamCreate")
    assert create is not None
    create.setFocus()
    page.show_workspaces([samples.workspace_view()], now_ms=samples.NOW)
    assert page.focusWidget() is page.findChild(QPushButton, "teamDetails_w1")


def test_an_unexpected_failure_leaves_the_dialog_usable(theme: Theme, show: Show) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)
    dialog.address.show_address(samples.ADDRESS, "x")
    dialog.check_button.click()

    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # the window says it
        asyncio.run(run_in_dialog(dialog, work))
    assert not dialog.is_busy
    assert dialog.check_button.isEnabled()


def test_an_invitation_is_offered_for_as_long_as_it_may_be_good(theme: Theme, show: Show) -> None:
    dialog = InviteDialog(theme, "Blue team", ())
    show(dialog)
    assert dialog.days.maximum() == administering.LONGEST_DAYS


def test_a_password_is_asked_for_where_it_helps(theme: Theme, show: Show) -> None:
    page = TeamPage(theme)
    page.show_workspaces([samples.workspace_view()], now_ms=samples.NOW)
    show(page)
    enter = page.findChild(QPushButton, "teamPasswordEnter")
    assert enter is not None
    for code, helps in (("team_login_refused", True), ("team_login_closed", False), ("team_password_missing", True)):
        page.show_status(replace(samples.REFUSED, code=code))
        assert enter.isVisible() is helps, code


def test_long_names_leave_room_for_what_is_said_of_them(theme: Theme, show: Show) -> None:
    table = ActionTable(
        theme, ("Project", "Role and state"), name="Shared projects", object_name="t", action="…", wide=1
    )
    table.resize(500, 300)
    show(table)
    table.show_rows([TableRow("a", ("A project with a name " * 20, "Editor, 3 changes wait"))])
    for width in (500, 360):
        table.resize(width, 300)
        widths = [table.table.columnWidth(column) for column in (0, 1)]
        assert sum(widths) <= width
        assert min(widths) >= width // 2 - 20


def test_what_was_asked_for_is_not_said_to_be_tried_again_by_itself(theme: Theme, show: Show) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)

    async def work() -> None:
        raise TeamUnreachable

    asyncio.run(run_in_dialog(dialog, work))
    assert "cannot be reached" in dialog.problem.text()
    assert dialog.problem.text().endswith("Try again in a while.")


def _many(count: int) -> list[tuple[str, str, tuple[TeamRole, ...]]]:
    return [(f"p{each}", f"Project {each}", tuple(TeamRole)) for each in range(count)]


def test_two_hundred_projects_cost_an_invitation_no_more_widgets_than_five(theme: Theme, show: Show) -> None:
    few, many = (InviteDialog(theme, "Blue team", _many(count)) for count in (5, 200))
    show(few)
    show(many)
    assert len(many.findChildren(QWidget)) == len(few.findChildren(QWidget))


def test_of_many_projects_a_role_is_chosen_by_keyboard(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = InviteDialog(theme, "Blue team", _many(200), chosen="p7")
    show(dialog)
    assert dialog.roles.roles() == {"p7": TeamRole.EDITOR}, "the one that it was opened for comes first"
    QTest.keyClicks(dialog.name, "Chi")
    rows = dialog.roles
    assert rows.table.texts()[0] == ("Project 7", "Editor")
    rows.table.setFocus()
    QTest.keyClick(rows.table, Qt.Key.Key_Down)
    QTest.keyClick(rows.table, ENTER)
    assert dialog.focusWidget() is rows.box
    assert rows.box.accessibleName() == "Role in Project 0"
    QTest.keyClick(rows.box, Qt.Key.Key_Down)
    assert rows.table.texts()[1] == ("Project 0", "Viewer")
    QTest.keyClick(rows.table, Qt.Key.Key_Up)
    assert rows.box.currentText() == "Editor"
    with qtbot.waitSignal(dialog.inviteRequested) as asked:
        dialog.invite_button.click()
    assert asked.args == ["Chi", {"p7": TeamRole.EDITOR, "p0": TeamRole.VIEWER}, 7]


def test_a_role_that_cannot_be_changed_is_only_said(theme: Theme, show: Show, qtbot: QtBot) -> None:
    admin = replace(samples.RESEARCH, role=TeamRole.ADMIN)
    roles = (TeamRole.VIEWER, TeamRole.OWNER, None)
    others = [
        replace(samples.BEN, id=f"m{place}", name=f"Member {place}", roles={} if role is None else {"p1": role})
        for place, role in enumerate(roles, start=2)
    ]
    dialog = SharedProjectDialog(
        theme, "Research", admin, [samples.ANA, *others], me="m1", workspace_name="Blue team", kept_days=None
    )
    show(dialog)
    rows = dialog.roles
    assert rows.table.currentIndex().row() == 1, "the first that can be changed"
    assert [row[1] for row in rows.table.texts()] == ["Admin", "Viewer", "Owner", "No access"]
    rows.select("m3")  # an admin does not take an owner's role
    assert (rows.box.isEnabled(), rows.box.currentText()) == (False, "Owner")
    with qtbot.waitSignal(dialog.roleRequested) as asked:
        choose_role(rows, "m4", 2)
    assert asked.args == ["m4", TeamRole.EDITOR]
    assert rows.role("m4") is TeamRole.EDITOR
    dialog.show_roles(others)  # the server said no
    assert rows.role("m4") is None
    assert rows.table.texts()[3][1] == "No access"
    assert rows.box.currentText() == "No access"
