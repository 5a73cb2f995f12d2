"""Saves and tests a provider wherever one is edited: in the form, in its row, on the first screen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.chat.provider_setup.provider_service import ProviderService
from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.theme.theme import Theme

# The place for new keys, None if no choice was needed, and the passphrase of the key file.
ChosenPlace = tuple[KeyPlace | None, str]
_NO_CHOICE: ChosenPlace = (None, "")


class ProviderEditing:
    """Saves and tests providers for whoever shows them."""

    def __init__(self, theme: Theme, service: ProviderService) -> None:
        self._theme = theme
        self.service = service

    async def save(
        self, profile: ProviderProfile, key: str = "", place: ChosenPlace = _NO_CHOICE, *, parent: QWidget
    ) -> ProviderProfile | None:
        """Save a provider and its key. Before a key goes to another server than the one it was given for, or
        unencrypted, the person is asked over ``parent``; None: they refused, and nothing was saved."""
        if place[0] is not None:
            await self.service.keys.choose_place(place[0], passphrase=place[1])
        try:
            return await self.service.save(profile, key=key)
        except KeyNotAgreed as asked:
            if not await self.is_agreed(asked, parent=parent):
                return None
        return await self.service.save(profile, key=key, is_agreed=True)

    async def is_agreed(self, asked: KeyNotAgreed, *, parent: QWidget) -> bool:
        """Return whether the person wants a key to go there."""
        return await agreement_dialog(self._theme, asked, parent=parent if isValid(parent) else None).ask()

    async def test(
        self, profile: ProviderProfile, key: str, show: Callable[[StepResult], object]
    ) -> dict[Step, StepResult]:
        """Test a provider with a key, empty for the stored one. Show each step as it begins and ends, and return how
        they ended."""
        ended: dict[Step, StepResult] = {}
        async with aclosing(self.service.test(profile, key=key)) as results:
            async for result in results:
                show(result)
                if result.state is not StepState.RUNNING:
                    ended[result.step] = result
        return ended


def agreement_dialog(theme: Theme, asked: KeyNotAgreed, *, parent: QWidget | None = None) -> ConfirmDialog:
    return ConfirmDialog(
        theme,
        shown(asked.title),
        tr("{what} Agree only if you made this change yourself and trust that server.", what=asked.what),
        yes_text=tr("Send it there"),
        is_dangerous=True,
        parent=parent,
    )
