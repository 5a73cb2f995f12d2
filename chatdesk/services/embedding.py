"""Has texts of a project's files embedded by a provider: within the limits, and with a line in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.direct_questions import Asker, DirectQuestions
from chatdesk.core.clock import Clock
from chatdesk.core.domain.usage import Usage
from chatdesk.core.events import EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.base import EmbeddingRequest
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.offline.provider import OFFLINE_NAME
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.settings.presets import address_of
from chatdesk.core.storage.usage.events import UsageRepository


class ProviderEmbedder:
    """Asks the providers of the moment; implements ``Embedder`` of ``core/knowledge/provider_vectors.py``."""

    def __init__(
        self,
        providers: Callable[[], ProviderRegistry],
        accounts: AccountBook,
        chat: ChatService,
        usage: UsageRepository,
        bus: EventBus,
    ) -> None:
        self._providers = providers
        self._accounts = accounts
        self._chat = chat
        self._usage = usage
        self._bus = bus

    async def vectors(self, provider: str, model: str, texts: Sequence[str]) -> tuple[bytes, ...]:
        """Return a vector for each text. Raises ``ChatDeskError``."""
        asker = Asker("files of projects", new_id(), lambda _spent: None)
        questions = DirectQuestions(asker, self._chat, self._providers(), self._usage, self._bus, Clock())
        return (await questions.embed(provider, EmbeddingRequest(model, texts))).vectors

    def cost_usd(self, provider: str, model: str, tokens: int) -> float | None:
        """Return the price of so many tokens; None where it is unknown."""
        return self._chat.context.models.cost_of(provider, model, Usage(tokens, is_estimated=True))

    def offers(self) -> tuple[tuple[str, str], ...]:
        """Return the providers that can be asked, by id and name."""
        return tuple((each.name, each.label) for each in self._providers().all() if each.name != OFFLINE_NAME)

    def is_on_this_computer(self, provider: str) -> bool:
        """Return whether the provider's server runs on this computer. Raises ``NotPossible`` for an unknown one."""
        self._providers().get(provider)
        found = (each.profile for each in self._accounts.accounts if each.profile.id == provider)
        return any(Endpoint.of(address_of(profile)).is_on_this_machine for profile in found)
