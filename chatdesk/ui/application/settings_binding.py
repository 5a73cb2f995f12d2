"""Settings: what the dialog shows, what a change does at once, and where it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from PySide6.QtCore import QObject, Signal

from chatdesk.ui.application.model_menu import ModelMenu
from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.commands.keys import keys_of_text, text_of_keys
from chatdesk.ui.transcript.accessible_narration import ReadAloud

if TYPE_CHECKING:
    from chatdesk.core.providers.registry import ProviderRegistry
    from chatdesk.core.settings.schema import Settings
    from chatdesk.core.settings.store import SettingsStore
    from chatdesk.ui.application.panes import Panes

# What a choice of movement means for the theme; anything else follows the system.
_REDUCED: Final[Mapping[str, bool]] = {"none": True, "full": False}


class SettingsBinding(QObject):
    """Owns the settings in force in this window. ``dialogMade`` and ``dataPageMade``: the dialog is about to open, so
    that others fill its pages (``SettingsDialog.fill_page``)."""

    dialogMade = Signal(object)  # SettingsDialog
    dataPageMade = Signal(object)  # DataPage

    def __init__(
        self,
        panes: Panes,
        settings: Settings,
        store: SettingsStore,
        models: ModelMenu,
        handle: ServiceHandle,
        tasks: AsyncTasks,
    ) -> None:
        super().__init__()
        self._panes = panes
        self._settings = settings
        self._store = store
        self._models = models
        self._handle = handle
        self._tasks = tasks
        self._saving = asyncio.Lock()
        self._offer = ""
        panes.theme.changed.connect(self._on_theme_changed)
        panes.commands.use_keys({name: keys_of_text(text) for name, text in settings.shortcuts.items()})
        panes.commands.keysChanged.connect(self._on_commands_keys_changed)

    def apply(self) -> None:
        """Give the settings to the panes."""
        composer = self._panes.composer
        composer.set_send_on_enter(self._settings.send_on_enter)
        composer.set_size_limit(self._settings.max_message_bytes)
        self._panes.transcript.set_plain_questions(self._settings.plain_user_messages)
        self._panes.transcript.set_reading(cast(ReadAloud, self._settings.read_answers))
        self._panes.theme.set_motion_reduced(_REDUCED.get(self._settings.motion))
        services = self._handle.now()
        if services is not None:
            is_offline = services.providers.default()[0] == "offline"
            self._panes.empty_state.set_sub_text((is_offline and self._offer) or _who_answers(services.providers))

    @property
    def current(self) -> Settings:
        return self._settings

    def change(self, **values: Any) -> None:
        """Take over what a person decided outside the dialog, and keep it."""
        self._settings = replace(self._settings, **values)
        self._tasks.start(self._save(values), "save settings")

    def open(self, page: str = "") -> None:
        """The dialog, at ``page`` when one is named."""
        from chatdesk.ui.dialogs.settings import SettingsDialog

        services = self._handle.now()
        values: dict[str, Any] = {
            "theme": self._panes.theme.preference,
            "text_scale": self._panes.theme.scale,
            "motion": self._settings.motion,
            "read_answers": self._settings.read_answers,
            "send_on_enter": self._settings.send_on_enter,
            "plain_user_messages": self._settings.plain_user_messages,
            "delete_messages": self._settings.delete_messages,
            "send_when_back": self._settings.send_when_back,
            "answers_on_close": self._settings.answers_on_close,
            "trash_days": self._settings.trash_days,
            "model_titles": self._settings.model_titles,
            "summaries": self._settings.summaries,
            "background_tokens_per_day": self._settings.background_tokens_per_day,
            "rate_limit": self._settings.rate_limit,
            "team_notifications": self._settings.team_notifications,
            "backups_daily": self._settings.backups_daily,
            "backups_weekly": self._settings.backups_weekly,
            "provider": self._settings.provider,
            "offline_speed_tokens_per_s": self._settings.offline_speed_tokens_per_s,
            "openai_model": self._settings.openai_model,
        }
        providers: dict[str, str] = {}
        if services is not None:
            values["backup_dir"] = services.paths.backup_dir
            providers = {each.profile.id: each.profile.label for each in services.accounts.accounts}
        fixed = self._store.load().from_environment
        dialog = SettingsDialog(self._panes.theme, values, fixed=fixed, providers=providers, parent=self._panes.window)
        dialog.applied.connect(self._on_dialog_applied)
        if dialog.data_page is not None:
            self.dataPageMade.emit(dialog.data_page)
        dialog.shortcutsRequested.connect(lambda: self._panes.commands.trigger("app.shortcuts"))
        self.dialogMade.emit(dialog)
        if page:
            dialog.show_page(page)
        dialog.open()

    def offer(self, sentence: str) -> None:
        """What the empty thread says as long as only the offline model answers."""
        self._offer = sentence
        self.apply()

    def providers_changed(self) -> None:
        """Others answer than before, or other models are there."""
        self.apply()
        self._models.fill()

    def _on_commands_keys_changed(self) -> None:
        own = {name: text_of_keys(keys) for name, keys in self._panes.commands.own_keys().items()}
        self._settings = replace(self._settings, shortcuts=own)
        self._tasks.start(self._save({"shortcuts": own}), "save settings")

    def _on_theme_changed(self) -> None:
        """A command or a key changed the look; the system changing its colours changes no setting."""
        theme = self._panes.theme
        look = {"theme": theme.preference, "text_scale": theme.scale}
        changes: dict[str, Any] = {
            name: value for name, value in look.items() if getattr(self._settings, name) != value
        }
        if changes:
            self._settings = replace(self._settings, **changes)
            self._tasks.start(self._save(changes), "save settings")

    def _on_dialog_applied(self, changes: Mapping[str, Any]) -> None:
        theme = self._panes.theme
        known = {name: value for name, value in changes.items() if hasattr(self._settings, name)}
        wanted = replace(self._settings, **known)
        theme.set_preference(wanted.theme)  # type: ignore[arg-type]
        theme.set_scale(wanted.text_scale)
        self._settings = wanted
        self.apply()
        self._tasks.start(self._keep(known), "save settings")

    async def _keep(self, changes: Mapping[str, Any]) -> None:
        services = await self._handle.services()
        await services.apply_settings(self._settings)
        self.apply()
        self._models.fill()
        await self._save(changes)

    async def _save(self, changes: Mapping[str, Any]) -> None:
        async with self._saving:  # two at once would each write the file without the other's change
            await asyncio.to_thread(self._store.save, changes)


def _who_answers(providers: ProviderRegistry) -> str:
    provider, model = providers.default()
    if providers.lacks_key(provider):
        return (
            f"{providers.get(provider).label} has no key yet, so it cannot answer. Put it into Settings, Providers, or "
            "choose the offline model at the top."
        )
    if provider == "offline":
        return "The offline model answers, without network or account. Add a provider in Settings, Providers."
    return f"{model or 'The server'} answers. Choose another model at the top."
