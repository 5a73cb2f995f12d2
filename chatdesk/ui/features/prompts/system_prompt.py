"""Shows the system prompt of a thread or of its project: which one is sent, its size, and warnings about it.

Unlike the library it is stored only by *Save*, and applies to answers from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QMenu, QPushButton, QRadioButton, QWidget

from chatdesk.core.domain.prompt import LONGEST_TEXT, PromptHead, PromptSize, PromptSource, SystemPrompts
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, FontRole

_WIDTH_PX, _HEIGHT_PX = 640, 540
_SETTLE_MS = 150
_RADIO_PX, _DOT_PX = 16, 6
_LONGEST_LABEL = 48
_NAMES: Final = {
    PromptSource.THREAD: Text("System prompt of this thread"),
    PromptSource.PROJECT: Text("System prompt of the project"),
}


class SystemPromptDialog(FormPanel):
    """A dialog for the system prompts of a thread and its project. ``saveRequested`` carries what changed by
    ``PromptSource``; ``close_saved`` or ``show_failure`` answers it."""

    saveRequested = Signal(object)
    libraryRequested = Signal(str)  # the id of the prompt that was chosen
    keepRequested = Signal(str)
    edited = Signal(str)

    def __init__(
        self, theme: Theme, prompts: SystemPrompts, *, source: PromptSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme, tr("System prompt"), object_name="systemPromptDialog", size_px=(_WIDTH_PX, _HEIGHT_PX), parent=parent
        )
        self._prompts = prompts
        self._texts = {each: prompts.of(each) for each in _NAMES}
        self.source = source
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(lambda: self.edited.emit(self.text_field.written()))
        self._build()
        self._show_source(source)
        self.text_field.setFocus()

    def show_library(self, heads: Sequence[PromptHead]) -> None:
        menu = self._library
        menu.clear()
        for head in heads:
            action = menu.addAction(head.name[:_LONGEST_LABEL].replace("&", "&&"))
            action.triggered.connect(lambda _is_checked=False, prompt_id=head.id: self.libraryRequested.emit(prompt_id))
        self.choose_button.setEnabled(bool(heads))

    def use_text(self, text: str) -> None:
        """Replace the text; Ctrl+Z restores it."""
        self.text_field.replace_written(text)
        self.text_field.setFocus()

    def show_size(self, size: PromptSize) -> None:
        text = " ".join(map(shown, _size_words(size)))
        self._show_notice(self._size, text, is_danger=not size.has_room)

    def show_problems(self, sentences: Sequence[str]) -> None:
        self._problems.setText("\n".join(sentences))
        self._problems.setVisible(bool(sentences))

    def show_notice(self, sentence: str) -> None:
        self._show_notice(self._notice, sentence, is_danger=False)
        announce(self, sentence)

    def show_failure(self, sentence: str) -> None:
        """Show that storing failed; the text stays in the field."""
        self.save_button.setEnabled(True)
        self._show_notice(self._notice, sentence, is_danger=True)
        announce(self, sentence)

    def close_saved(self) -> None:
        self.accept()

    def unsaved(self) -> object:
        return self._changes()

    def _build(self) -> None:
        hint = tr(
            "Sent before the messages with every question. {{date}}, {{time}}, {{project}} and"
            " {{model}} are filled in each time."
        )
        self.add_text(hint)
        self.body.addLayout(self._sources())
        self.text_field = TextField(
            self.theme, name=tr("System prompt"), object_name="systemPromptText", most=LONGEST_TEXT
        )
        self.text_field.textChanged.connect(self._on_text_changed)
        self.body.addWidget(self.text_field, 1)
        self._counts = self._line("systemPromptCounts", "text")
        self._size = self._line("systemPromptSize", "muted")
        self._problems = self._line("systemPromptProblems", "text")
        self._problems.setProperty("isDanger", True)
        self._problems.hide()
        self._notice = self._line("systemPromptNotice", "muted")
        self._library = QMenu(self)
        round_corners(self._library, self.theme.tokens.radius.row)
        self._library.setAccessibleName(tr("System prompts of the library"))
        self.choose_button = QPushButton(tr("From the library"))
        self.choose_button.setObjectName("systemPromptChoose")
        self.choose_button.setAutoDefault(False)
        self.choose_button.setEnabled(False)
        self.choose_button.setProperty("hasMenu", True)
        self.choose_button.setMenu(self._library)
        self.add_button(self.choose_button, is_first=True)
        self.keep_button = push_button(tr("Save to the library"), "systemPromptKeep", self._keep)
        self.add_button(self.keep_button, is_first=True)
        self.add_button(push_button(tr("Cancel"), "systemPromptCancel", super().reject))
        self.save_button = self.add_button(push_button(tr("Save"), "systemPromptSave", self._save, is_primary=True))
        self._dress()

    def _sources(self) -> QHBoxLayout:
        """Return the row that chooses between the thread's prompt and the project's."""
        self.choice = QButtonGroup(self)
        self.thread_button = QRadioButton(tr("This thread"))
        self.project_button = QRadioButton(tr("Project {name}", name=self._prompts.project_name).replace("&", "&&"))
        sources = QHBoxLayout()
        sources.setSpacing(18)
        for button, source in (
            (self.thread_button, PromptSource.THREAD),
            (self.project_button, PromptSource.PROJECT),
        ):
            button.setObjectName(f"systemPrompt_{source.value}")
            button.setAccessibleName(shown(_NAMES[source]))
            button.setChecked(source is self.source)
            button.clicked.connect(lambda _is_checked=False, source=source: self._show_source(source))
            self.choice.addButton(button)
            sources.addWidget(button)
        sources.addStretch(1)
        is_of_thread = self._prompts.thread_id is not None or self.source is PromptSource.THREAD
        self.thread_button.setVisible(is_of_thread)
        return sources

    def _line(self, object_name: str, role: FontRole) -> QLabel:
        """Add a line below the text, for facts about it."""
        label = plain_label("", role, wraps=True, name=object_name)
        self.body.addWidget(label)
        return label

    def _dress(self) -> None:
        tokens = self.theme.tokens
        side, dot = round(_RADIO_PX * max(1.0, self.theme.scale)), round(_DOT_PX * max(1.0, self.theme.scale))
        ring = (side - dot) // 2
        self.setStyleSheet(
            f"QRadioButton {{ color: {tokens.text}; spacing: 8px; padding: 3px 8px 3px 4px;"
            f" border: {FOCUS_RING_PX}px solid transparent; border-radius: {tokens.radius.row}px; }}"
            f"QRadioButton:focus {{ border-color: {tokens.accent}; }}"
            f"QRadioButton::indicator {{ width: {side - 2}px; height: {side - 2}px; border: 1px solid {tokens.muted};"
            f" border-radius: {side // 2}px; background: {tokens.card}; }}"
            f"QRadioButton::indicator:checked {{ width: {side - 2 * ring}px; height: {side - 2 * ring}px;"
            f" border: {ring}px solid {tokens.accent}; }}"
        )

    def _show_source(self, source: PromptSource) -> None:
        """Show the prompt of the thread or of the project; changes to the other one are kept until *Save* or the
        end."""
        self.source = source
        self.text_field.blockSignals(True)
        self.text_field.show_written(self._texts[source])
        self.text_field.blockSignals(False)
        self._texts[source] = self.text_field.written()
        self.text_field.setAccessibleName(shown(_NAMES[source]))
        self._show_state()
        self.edited.emit(self.text_field.written())

    def _on_text_changed(self) -> None:
        self._texts[self.source] = self.text_field.written()
        self._settle.start()
        self._show_state()

    def _show_state(self) -> None:
        self.keep_button.setEnabled(bool(self._texts[self.source].strip()))
        self._counts.setText(self._which_counts())
        self._show_notice(self._notice, "", is_danger=False)

    def _which_counts(self) -> str:
        """Return a sentence on which prompt will be sent after *Save*."""
        own, wider = (bool(self._texts[source].strip()) for source in (PromptSource.THREAD, PromptSource.PROJECT))
        has_default = bool(self._prompts.default.strip())
        if self.source is PromptSource.PROJECT:
            if wider:
                return tr("Sent in every thread of the project that has none of its own.")
            if has_default:
                return tr("The project has none: in threads without their own, the default from the settings is sent.")
            return tr("The project has none: in threads without their own, no system prompt is sent.")
        if own:
            return tr("This thread's own system prompt is sent.")
        if wider:
            return tr("This thread has none: the project's is sent.")
        if has_default:
            return tr("Neither thread nor project has one: the default from the settings is sent.")
        return tr("Neither thread nor project has one: no system prompt is sent.")

    def _changes(self) -> dict[PromptSource, str]:
        return {
            source: text for source, text in self._texts.items() if _plain(text) != _plain(self._prompts.of(source))
        }

    def _save(self) -> None:
        changes = self._changes()
        if not changes:
            self.accept()
            return
        self.save_button.setEnabled(False)
        self.saveRequested.emit(changes)

    def _keep(self) -> None:
        self.keepRequested.emit(self.text_field.written())

    @staticmethod
    def _show_notice(label: QWidget, text: str, *, is_danger: bool) -> None:
        label.setProperty("isDanger", is_danger)
        label.style().unpolish(label)
        label.style().polish(label)
        label.setProperty("text", text)


def _plain(text: str) -> str:
    """Return the text with the line ends that the field gives back."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2029", "\n").replace("\u2028", "\n")


def _size_words(size: PromptSize) -> tuple[Text, ...]:
    if size.has_room and size.is_estimate:
        return (
            plural(
                "About {count} tokens of the {window} that the model can read go to it in every request.",
                "About {count} token of the {window} that the model can read go to it in every request.",
                size.tokens,
                window=size.window,
            ),
        )
    if size.has_room:
        return (
            plural(
                "{count} tokens of the {window} that the model can read go to it in every request.",
                "{count} token of the {window} that the model can read go to it in every request.",
                size.tokens,
                window=size.window,
            ),
        )
    next_step = Text("Shorten it, or choose a model with a larger window.")
    if size.is_estimate:
        what = plural(
            "About {count} tokens: it leaves no room for a message in the {window} that the model can read.",
            "About {count} token: it leaves no room for a message in the {window} that the model can read.",
            size.tokens,
            window=size.window,
        )
    else:
        what = plural(
            "{count} tokens: it leaves no room for a message in the {window} that the model can read.",
            "{count} token: it leaves no room for a message in the {window} that the model can read.",
            size.tokens,
            window=size.window,
        )
    return what, next_step
