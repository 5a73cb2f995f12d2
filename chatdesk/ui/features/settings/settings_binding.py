"""Controls the settings dialog: fills it, applies changes at once, and stores them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from PySide6.QtCore import Signal

from chatdesk.core.chat.task_set import uninterruptible
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.settings.schema import Settings, Value, all_settings
from chatdesk.core.settings.store import SettingsStore, changed_settings
from chatdesk.services.services import Services
from chatdesk.ui.commands.command_keys import keys_of_text, text_of_keys
from chatdesk.ui.features.settings.model_menu import ModelMenu
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.shortcuts_editor import ShortcutsEditor
from chatdesk.ui.transcript.speech.narration import ReadAloud
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

# Reduced motion by the choice of movement; other choices follow the system.
_REDUCED: Final[Mapping[str, bool]] = {"none": True, "full": False}


class SettingsBinding(Controller):
    """Owns the settings in force in this window. ``dialogMade`` and ``dataPageMade``: the dialog is about to open, so
    that others fill its pages (``SettingsDialog.fill_page``)."""

    dialogMade = Signal(object)  # SettingsDialog
    dataPageMade = Signal(object)  # DataPage
    modelOfNewThreadsChanged = Signal()
    applied = Signal()  # those in force have changed, or are read for the first time

    def __init__(
        self,
        context: WindowContext,
        settings: Settings,
        store: SettingsStore,
        models: ModelMenu,
        *,
        services: Services,
        backup_dir: Path,
        apply_settings: Callable[[Settings], Awaitable[None]],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._settings = settings
        self._store = store
        self._models = models
        self._services = services
        self._backup_dir = backup_dir
        self._apply_settings = apply_settings
        self._saving = asyncio.Lock()
        self._dialog: SettingsDialog | None = None  # while it is shown
        panes.theme.changed.connect(self._on_theme_changed)
        panes.registry.keys.use({name: keys_of_text(text) for name, text in settings.shortcuts.items()})
        panes.registry.keys.changed.connect(self._on_commands_keys_changed)

    def apply(self) -> None:
        """Apply the settings to the panes; other chats follow ``applied``."""
        self.apply_to(self._panes)
        self._panes.theme.motion.set_reduced(_REDUCED.get(self._settings.motion))
        self.applied.emit()

    def apply_to(self, panes: Panes) -> None:
        """Apply the settings to the parts of a chat."""
        panes.composer.set_send_on_enter(self._settings.send_on_enter)
        panes.composer.set_size_limit(self._settings.max_message_bytes)
        panes.transcript.set_plain_questions(self._settings.plain_user_messages)
        panes.transcript.set_reading(cast("ReadAloud", self._settings.read_answers))

    def own_keys(self) -> dict[str, tuple[str, ...]]:
        """Return the keys of commands that a person chose."""
        return self._panes.registry.keys.own()

    @property
    def current(self) -> Settings:
        return self._settings

    def change(self, settings: Settings) -> None:
        """Apply settings that a person changed, here and in the services, and save them. Make them with
        ``dataclasses.replace`` from ``current``."""
        changes = changed_settings(self._settings, settings)
        self._settings = settings
        if changes:
            self.apply()
            self._tasks.start(self._save(changes), "save settings")  # first, as the window may close any time now
            self._tasks.start(self._use(settings), "use settings")

    async def use(self, settings: Settings) -> None:
        """Change settings as ``change`` does, and return when the services use them."""
        self.change(settings)
        await self._apply_settings(settings)

    def fixed(self) -> frozenset[str]:
        """Return the names of the settings that environment variables decide. It reads the file of the settings."""
        return self._store.load().from_environment

    def open(self, page: str = "") -> None:
        """Open the dialog, at ``page`` when one is named."""
        dialog = self._dialog or self._make()
        if page:
            dialog.show_page(page)
        if self._dialog is None:
            self._dialog = dialog
            dialog.open()

    def _make(self) -> SettingsDialog:
        values: dict[str, Any] = {each.name: getattr(self._settings, each.name) for each in all_settings()}
        values |= {"theme": self._panes.theme.preference, "text_scale": self._panes.theme.scale}
        values["backup_dir"] = self._backup_dir
        choices = {"provider": _choices_of_provider([each.profile for each in self._services.accounts.accounts])}
        fixed = self.fixed()
        dialog = SettingsDialog(
            self._panes.theme,
            values,
            fixed=fixed,
            choices=choices,
            models=self._panes.header.models,
            parent=self._panes.window,
        )
        dialog.applied.connect(self._on_dialog_applied)
        dialog.dataPageMade.connect(self.dataPageMade)
        dialog.finished.connect(self._on_dialog_finished)
        self.dialogMade.emit(dialog)
        dialog.fill_page("Shortcuts", lambda: ShortcutsEditor(self._panes.theme, self._panes.registry))
        return dialog

    def providers_changed(self) -> None:
        """Update the choices, because providers or models have changed."""
        self.apply()
        self._models.fill()

    def _on_commands_keys_changed(self) -> None:
        own = {name: text_of_keys(keys) for name, keys in self._panes.registry.keys.own().items()}
        self._save_look(replace(self._settings, shortcuts=own))

    def _on_theme_changed(self) -> None:
        """Store a look that was chosen; a change of the system's colours changes no setting."""
        theme = self._panes.theme
        self._save_look(replace(self._settings, theme=theme.preference, text_scale=theme.scale))

    def _save_look(self, settings: Settings) -> None:
        """Save settings that the window has applied already and that nothing else uses."""
        changes = changed_settings(self._settings, settings)
        self._settings = settings
        if changes:
            self._tasks.start(self._save(changes), "save settings")

    def _on_dialog_finished(self) -> None:
        self._dialog = None

    def _on_dialog_applied(self, changes: Mapping[str, Any]) -> None:
        if not changes.keys().isdisjoint(("provider", "openai_model")):
            self.modelOfNewThreadsChanged.emit()
        theme = self._panes.theme
        known = {name: value for name, value in changes.items() if hasattr(self._settings, name)}
        wanted = replace(self._settings, **known)
        theme.set_preference(wanted.theme)  # type: ignore[arg-type]
        theme.set_scale(wanted.text_scale)
        self.change(wanted)

    async def _use(self, settings: Settings) -> None:
        await self._apply_settings(settings)
        self._models.fill()

    @uninterruptible  # closing the window now must not lose a change
    async def _save(self, changes: Mapping[str, Value]) -> None:
        async with self._saving:  # two at once would each write the file without the other's change
            await asyncio.to_thread(self._store.save, changes)


def _choices_of_provider(profiles: Sequence[ProviderProfile]) -> dict[str, str]:
    """Return the labels of the providers that can be chosen for new threads, by id."""
    offered = next(each for each in all_settings() if each.name == "provider").choices
    return {**offered, **{each.id: each.label for each in profiles}}
