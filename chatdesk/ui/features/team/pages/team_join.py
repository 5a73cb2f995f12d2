"""Shows *Join a workspace*: an invitation is pasted or opened, described, and accepted only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QTextOption
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from chatdesk.core.domain.sharing.team_setup import CodeKind, InvitationView
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.file_dialogs import ask_for_file
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.team.pages.team_keep import KeepInFile
from chatdesk.ui.features.team.pages.team_text import ROLE_NAMES, WHO_CAN_READ, address_words, day
from chatdesk.ui.local_forms import within_sentence
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.local_files import only_path_in
from chatdesk.ui.widgets.words import with_commas

# Decodes an invitation without a server; raises ``InvalidInput``.
ReadInvitation = Callable[[str], InvitationView]
INVITATION_ENDING: Final = ".chatdesk-invite"
_FILTER: Final = Text("Invitations (*{ending});;All files (*)", ending=INVITATION_ENDING)
_WIDTH_PX: Final = 580
_MOST_BYTES: Final = 64 * 1024
_LONGEST_NAME: Final = 80
_RESTS_MS: Final = 600  # without a key, before a code's content is announced


class JoinWorkspaceDialog(TaskPanel):
    """A dialog that joins a workspace. ``joinRequested`` has the invitation, the person's name, the passphrase (empty
    where none is asked for), and whether a way without encryption was agreed to."""

    joinRequested = Signal(str, str, str, bool)

    def __init__(
        self,
        theme: Theme,
        read_invitation: ReadInvitation,
        *,
        text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, tr("Join a workspace"), object_name="teamJoinDialog", width_px=_WIDTH_PX, parent=parent)
        self._read_invitation = read_invitation
        self._view: InvitationView | None = None
        self.setAcceptDrops(True)
        self.code = TextField(theme, name=tr("Invitation"), object_name="teamCode", most=_MOST_BYTES, is_one_value=True)
        self.code.setPlaceholderText("chatdesk-join:…")
        self.code.setFont(theme.font("code"))
        self.code.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.code.setAcceptDrops(False)  # the dialog takes the file, wherever it is let go
        self.code.setFixedHeight(round(84 * max(1.0, theme.scale)))
        self.open_button = push_button(tr("Open file…"), "teamOpenFile", self.choose_file)
        self.about = plain_label("", "text", wraps=True, name="teamAbout")
        self.my_name = QLineEdit()
        self.my_name.setObjectName("teamMyName")
        self.my_name.setMaxLength(_LONGEST_NAME)
        self.passphrase = QLineEdit()
        self.passphrase.setObjectName("teamPassphrase")
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.unencrypted = QCheckBox(tr("Join anyway: nothing is encrypted on the way"))
        self.unencrypted.setObjectName("teamUnencrypted")
        self.body.addWidget(
            plain_label(tr("Paste the code or link that you were given, or open its file."), "text", wraps=True)
        )
        self.body.addWidget(self.code)
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(self.about)
        self._name_row = self._row(tr("Your name, as the others see it"), self.my_name)
        self._passphrase_row = self._row(tr("Passphrase that was shown beside the code"), self.passphrase)
        self.body.addWidget(self.unencrypted)
        self.keep = KeepInFile()
        self.body.addWidget(self.keep)
        self.reading = plain_label(shown(WHO_CAN_READ), "muted", wraps=True)
        self.body.addWidget(self.reading)
        self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.join_button = self.add_button(push_button(tr("Join"), "teamJoin", self._join, is_primary=True))
        self._announcing = QTimer(self, interval=_RESTS_MS, singleShot=True)
        self._announcing.timeout.connect(lambda: announce(self, self.about.text()))
        self.code.textChanged.connect(self._on_code_changed)
        self.code.entered.connect(self._go_further)
        for field in (self.my_name, self.passphrase):
            field.textChanged.connect(self._refresh)
            field.returnPressed.connect(self._go_further)
        self.unencrypted.toggled.connect(self._refresh)
        self._refresh()
        self.code.setFocus()
        if text:
            self.fill_in_text(text)

    def fill_in_text(self, text: str) -> None:
        """Fill in the text of an invitation that was not typed, such as one from a link."""
        self.code.show_written(text.strip())
        (self.passphrase if self._needs_passphrase else self.my_name).setFocus()

    def fill_in_file(self, path: Path) -> None:
        text = read_file(path)
        if text is None:
            name = visible_controls(path.name)
            self.show_problem(tr("{name} cannot be read. Nothing was sent. Ask for the code as text.", name=name))
        else:
            self.fill_in_text(text)

    def go_on(self) -> None:
        """Try again with the present fields."""
        self.end_busy()
        self.keep.hide()
        self._join()

    def choose_file(self) -> None:
        ask_for_file(self, tr("Open an invitation"), self.fill_in_file, kinds=shown(_FILTER))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if only_path_in(data) or data.hasText():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        data = event.mimeData()
        path = only_path_in(data)
        if path:
            self.fill_in_file(Path(path))
        elif data.hasText():
            self.fill_in_text(data.text()[:_MOST_BYTES])
        event.acceptProposedAction()

    @property
    def _needs_passphrase(self) -> bool:
        return self._view is not None and self._view.needs_passphrase

    def _row(self, words: str, field: QLineEdit) -> QWidget:
        label = plain_label(words, "text", wraps=True)
        label.setBuddy(field)
        field.setAccessibleName(words)
        self.body.addWidget(label)
        self.body.addWidget(field)
        return label

    def _on_code_changed(self) -> None:
        text = self.code.written().strip()
        self._view, words = None, ""
        self.show_problem("")
        if text:
            try:
                self._view = self._read_invitation(text)
                words = view_words(self._view)
            except ChatDeskError as error:
                words = shown(error.sentence)
        self.about.setText(words)
        self.about.setProperty("isDanger", bool(text) and (self._view is None or self._view.is_expired))
        self.about.style().unpolish(self.about)
        self.about.style().polish(self.about)
        self._announcing.start()
        if self._view is not None and self._view.member_name and not self.my_name.text():
            self.my_name.setText(self._view.member_name)
        self._refresh()

    def _refresh(self) -> None:
        view = self._view
        is_usable = view is not None and not view.is_expired
        wants_name = view is not None and view.kind is CodeKind.MEMBER
        is_open = view is not None and view.is_unencrypted
        for widget, is_shown in (
            (self._name_row, wants_name),
            (self.my_name, wants_name),
            (self._passphrase_row, self._needs_passphrase),
            (self.passphrase, self._needs_passphrase),
            (self.unencrypted, is_open),
            (self.reading, is_usable),
        ):
            widget.setVisible(is_shown)
        is_filled = (
            bool(self.passphrase.text().strip()) if self._needs_passphrase else bool(self.my_name.text().strip())
        )
        if not self.is_busy:
            self.join_button.setEnabled(is_usable and is_filled and (not is_open or self.unencrypted.isChecked()))

    def show_problem(self, sentence: str) -> None:
        super().show_problem(sentence)
        if sentence:
            self._refresh()

    def _go_further(self) -> None:
        """Go to the next empty field on Enter, and join if there is none. Opening the dialog never joins: a link opens
        it while a person may be typing in the window."""
        if self._announcing.isActive():
            self._announcing.stop()
            announce(self, self.about.text())
        for field in (self.my_name, self.passphrase):
            if field.isVisible() and not field.text().strip():
                field.setFocus()
                return
        if self.unencrypted.isVisible() and not self.unencrypted.isChecked():
            self.unencrypted.setFocus()
        elif not self.is_unread:
            self._join()

    def _join(self) -> None:
        if not self.join_button.isEnabled() or self.is_busy:
            return
        self.show_busy(tr("Joining the workspace…"))
        self.joinRequested.emit(
            self.code.written().strip(),
            self.my_name.text().strip(),
            self.passphrase.text().strip() if self._needs_passphrase else "",
            self.unencrypted.isVisible() and self.unencrypted.isChecked(),
        )


def view_words(view: InvitationView) -> str:
    """Return sentences on an invitation, to be read before anything is sent."""
    if view.kind is CodeKind.COMPUTER:
        words = [
            tr(
                "Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.",
                workspace=view.workspace_name,
            )
        ]
    else:
        workspace, name = view.workspace_name, view.invited_by
        if name:
            words = [tr("You are invited by {name} to “{workspace}”.", name=name, workspace=workspace)]
        else:
            words = [tr("You are invited to “{workspace}”.", workspace=workspace)]
    if view.address is not None:
        words.append(tr("The database is {address}.", address=address_words(view.address)))
    if view.projects:
        projects = with_commas(f"{name} ({within_sentence(shown(ROLE_NAMES[role]))})" for name, role in view.projects)
        words.append(tr("Projects: {projects}.", projects=projects))
    if view.is_expired:
        words.append(tr("It expired on {day}. Ask for a new one.", day=day(view.expires_at)))
    else:
        until = day(view.expires_at)
        if view.kind is CodeKind.COMPUTER:
            words.append(tr("It can be used until {day}.", day=until))
        else:
            words.append(tr("It can be used once, until {day}.", day=until))
    if view.is_unencrypted:
        words.append(
            tr(
                "The way to this server is not encrypted: anyone on the way can read and change everything. That is "
                "fine for a server on this computer or a network that only you use."
            )
        )
    return " ".join(words)


def read_file(path: Path) -> str | None:
    """Return the text of an invitation's file, or None when its size is wrong or it cannot be read."""
    try:
        return read_small_file(path, _MOST_BYTES).decode("utf-8")
    except (OSError, ValueError):
        return None
