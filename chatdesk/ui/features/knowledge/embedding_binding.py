"""Controls the choice of what makes the vectors of a project's files."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.knowledge.embedding_words import cost_sentences
from chatdesk.core.knowledge.provider_vectors import ProviderVectors
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.knowledge.embedding_dialog import EmbeddingDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext


class EmbeddingBinding(Controller):
    """Controller of ``ProviderVectors`` for one project after the other."""

    def __init__(self, context: WindowContext, embeddings: ProviderVectors) -> None:
        super().__init__(context)
        self._embeddings = embeddings
        self.dialog: EmbeddingDialog | None = None

    async def open(self, project_id: str, parent: QWidget) -> None:
        """Open the dialog with what the project has now."""
        status = await self._embeddings.status(project_id)
        if not isValid(parent) or not parent.isVisible():
            return
        dialog = self.dialog = EmbeddingDialog(self._panes.theme, self._embeddings.offers(), status, parent)
        dialog.chosen.connect(lambda provider, model: self._use(dialog, project_id, provider, model))
        dialog.open()

    @in_task("choose what makes the vectors")
    async def _use(self, dialog: EmbeddingDialog, project_id: str, provider: str, model: str) -> None:
        dialog.set_busy(True)
        try:
            with dialog.saying_failure():
                if not provider:
                    await self._embeddings.use_own(project_id)
                elif not await self._is_agreed(dialog, project_id, provider, model):
                    return
                else:
                    await self._embeddings.choose(project_id, provider, model)
                if dialog.is_open:
                    dialog.accept()
        finally:
            if dialog.is_open:
                dialog.set_busy(False)

    async def _is_agreed(self, dialog: EmbeddingDialog, project_id: str, provider: str, model: str) -> bool:
        """Show the cost of the choice and what it sends, and return whether the person wants it."""
        cost = await self._embeddings.cost(project_id, provider, model)
        question = ConfirmDialog(
            self._panes.theme,
            tr("Send the files of the project to {provider}?", provider=cost.label),
            " ".join(map(shown, cost_sentences(cost))),
            yes_text=tr("Send and use"),
            parent=dialog,
        )
        return await question.ask()
