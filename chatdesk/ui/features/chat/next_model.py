"""The model that the next question goes to: of the open thread, or the one that a person chose for new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.ui.features.chat.compared_models import ComparedModels
from chatdesk.ui.features.chat.thread_binding import ThreadBinding

if TYPE_CHECKING:
    from chatdesk.services.groups import ModelServices
    from chatdesk.ui.features.settings.settings_binding import SettingsBinding
    from chatdesk.ui.window.window_context import WindowContext


class NextModel(QObject):
    """``changed``: ``chosen`` is another. The header shows who answers next."""

    changed = Signal()

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, settings: SettingsBinding, models: ModelServices
    ) -> None:
        super().__init__(context.panes.window)
        self._panes = context.panes
        self._threads = threads
        self._settings = settings
        self._models = models
        self._open_thread = context.open_thread
        self._tasks = context.tasks
        self._model: tuple[str, str] | None = None
        self.comparisons = ComparedModels()
        self.comparisons.changed.connect(self.show)
        settings.modelOfNewThreadsChanged.connect(self.forget)

    @property
    def chosen(self) -> tuple[str, str] | None:
        """The provider and model that a person chose for new threads; None to follow the settings."""
        return self._model

    def remember(self, chosen: tuple[str, str] | None) -> None:
        """Restore the model that was chosen before this start. It is ignored when its provider is gone or the settings
        name another model for new threads."""
        settings = self._settings.current
        is_named = settings.provider != "auto" or bool(settings.openai_model)
        if chosen is not None and not is_named and self._models.providers.has(chosen[0]):
            self._model = chosen
            self.show()

    def forget(self) -> None:
        """Let new threads begin with the model of the settings again."""
        self._model = None
        self.show()
        self.changed.emit()

    def choose(self, provider: str, model: str) -> None:
        """Use this model for the open thread and for the next new one."""
        self._model = (provider, model)
        self.compare(())
        self.show()
        self.changed.emit()
        thread = self._threads.open_thread
        if thread is not None and (thread.provider, thread.model) != self._model:
            self._tasks.start(self._set_model(thread.id, provider, model), "set model")

    async def _set_model(self, thread_id: str, provider: str, model: str) -> None:
        await self._open_thread.chat_of(thread_id).set_thread_model(thread_id, provider, model)

    @property
    def answering(self) -> tuple[str | None, str | None]:
        """(provider, model) of the next answer; None: the default one."""
        thread = self._threads.open_thread
        return (thread.provider, thread.model) if thread is not None else self._model or (None, None)

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """The models that the next question of the open thread goes to at once; empty when one model answers."""
        return self.comparisons.of(self._threads.thread_id)

    def compare(self, models: Sequence[tuple[str, str]]) -> None:
        """Ask these in the open thread from now on; none: one model answers."""
        self.comparisons.choose(self._threads.thread_id, models)

    def show(self, *_changed: object) -> None:
        """Show in the header the model that the next question goes to."""
        header = self._panes.header
        if self._model is not None and not self._models.providers.has(self._model[0]):
            self._model = None  # its provider was removed meanwhile
        compared = self.compared
        header.set_compared(compared)
        if compared:
            header.set_current("", f"Comparing {len(compared)} models")
        else:
            header.set_current(*self.resolved())

    def resolved(self) -> tuple[str, str]:
        """(provider, model) that the next question goes to; the model is empty as long as it is not known."""
        return self._models.providers.resolve(*self._wanted())

    def _wanted(self) -> tuple[str | None, str | None]:
        """Return the model of the open thread, or for a new one the person's choice, else its project's."""
        thread, project = self._threads.open_thread, self._threads.new_project
        if thread is not None:
            return thread.provider, thread.model
        if self._model is not None:
            return self._model
        return (None, None) if project is None else (project.provider, project.model)
