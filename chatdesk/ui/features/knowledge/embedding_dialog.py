"""Implements the choice of who makes the vectors of a project's files: ChatDesk itself, or a model of a provider."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from chatdesk.core.domain.knowledge import EmbeddingStatus
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_WIDTH_PX = 520


class EmbeddingDialog(FormPanel):
    """A dialog for that choice. ``chosen(provider, model)`` has empty texts for our own vectors; the cost of a provider
    is told after it. ``offers`` are the providers, by id and name."""

    chosen = Signal(str, str)

    def __init__(
        self,
        theme: Theme,
        offers: Sequence[tuple[str, str]],
        status: EmbeddingStatus,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, tr("Find by meaning with"), object_name="embeddingDialog", width_px=_WIDTH_PX, parent=parent
        )
        self.add_text(
            tr(
                "The vectors that come with ChatDesk are made on this computer and know English best. A model for"
                " embeddings of a provider knows more languages, and gets the texts of the files."
            )
        )
        self.provider = named(ChoiceBox(), "embeddingProvider", tr("Who makes the vectors"))
        self.provider.addItem(tr("ChatDesk, on this computer"), "")
        for name, label in offers:
            self.provider.addItem(shown(label), name)
        self.model = named(QLineEdit(), "embeddingModel", tr("Model for embeddings"))
        self.model.setPlaceholderText("text-embedding-3-small")
        newest = status.wanted or status.answering
        if newest is not None:
            self.provider.setCurrentIndex(max(self.provider.findData(newest.provider), 0))
            self.model.setText(newest.model)
        form = QFormLayout()
        form.addRow(tr("Vectors by"), self.provider)
        form.addRow(tr("Model"), self.model)
        self.body.addLayout(form)
        self.add_button(push_button(tr("Cancel"), "embeddingCancel", self.reject))
        self.use_button = self.add_button(
            push_button(tr("Use"), "embeddingUse", self._use, is_primary=True, is_default=True)
        )
        self.provider.currentIndexChanged.connect(self._on_provider_current_index_changed)
        self._on_provider_current_index_changed()
        self.provider.setFocus()

    def set_busy(self, is_busy: bool) -> None:
        """Let nothing be chosen while a server is tried."""
        for each in (self.provider, self.model, self.use_button):
            each.setEnabled(not is_busy)
        if not is_busy:
            self._on_provider_current_index_changed()

    def _on_provider_current_index_changed(self) -> None:
        self.model.setEnabled(bool(self.provider.currentData()))

    def _use(self) -> None:
        provider, model = str(self.provider.currentData() or ""), self.model.text().strip()
        if provider and not model:
            self.show_problem(tr("Name the model for embeddings."))
            self.model.setFocus()
            return
        self.show_problem("")
        self.chosen.emit(provider, model if provider else "")
