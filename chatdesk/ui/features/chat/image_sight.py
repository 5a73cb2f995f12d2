"""Warns about models that cannot see the images of a message, with buttons that act on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatdesk.core.domain.model_info import ModelRef
from chatdesk.core.texts import plural, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.composer.attachment_chip import NoteAction
from chatdesk.ui.widgets.models.model_picker import ProviderChoices
from chatdesk.ui.widgets.words import listed

SEES: Final = "sees"
IS_BLIND: Final = "isBlind"
ASK_OTHER: Final = "askOther"
_LOOKED_AT = 100  # models of a provider: those that are liked come first


@dataclass(frozen=True, slots=True)
class Sight:
    """A sentence, empty where all is well. ``models`` are those that it speaks of, ``other`` is one that sees."""

    sentence: str = ""
    actions: tuple[NoteAction, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    other: tuple[str, str] | None = None


def check_models(
    services: Services,
    image_model: str,
    asked: Sequence[tuple[str | None, str | None]],
    offered: Sequence[ProviderChoices],
) -> Sight:
    """Check whether models see images. ``asked`` are those that answer, None is the default; ``offered`` are the models
    among which a person can choose."""
    default_provider, default_model = services.providers.default()
    named = [(provider or default_provider, model or default_model) for provider, model in asked]
    infos = {each: services.chat.context.models.info(*each) for each in dict.fromkeys(named)}
    labels = {(provider, model): label for provider, _name, models in offered for model, label in models}
    unknown = tuple(each for each, info in infos.items() if info.sees_images is None)
    blind = tuple(each for each, info in infos.items() if info.sees_images is False)

    def words(models: Sequence[tuple[str, str]]) -> str:
        return listed(labels.get(each) or shown(infos[each].label) or each[1] or tr("this model") for each in models)

    kept = {account.profile.id for account in services.accounts.accounts}
    if not blind:
        if not unknown:
            return Sight()
        sentence = shown(
            plural(
                "It is not known whether {models} see images; they are sent.",
                "It is not known whether {models} sees images; they are sent.",
                len(unknown),
                models=words(unknown),
            )
        )
        is_named = all(provider in kept and model for provider, model in unknown)  # or it is the server's first model
        return Sight(sentence, ((IS_BLIND, tr("Do not send images")),) if is_named else (), unknown)
    other = _seeing_model(services, image_model, offered) if len(infos) == 1 else None
    actions: list[NoteAction] = []
    if other is not None:
        actions.append((ASK_OTHER, tr("Ask {model} instead", model=labels.get(other, other[1]))))
    if all(provider in kept and model for provider, model in blind):
        actions.append((SEES, shown(plural("They can", "It can", len(blind)))))
    return Sight(
        shown(
            plural(
                "{models} cannot see images: only their names are sent.",
                "{models} cannot see images: only their names are sent.",
                len(blind),
                models=words(blind),
            )
        ),
        tuple(actions),
        blind,
        other,
    )


def _seeing_model(services: Services, image_model: str, offered: Sequence[ProviderChoices]) -> tuple[str, str] | None:
    """Return the model that was chosen for images, else the first one offered that sees them."""
    chosen = ModelRef.parse(image_model)
    if chosen is not None and any(
        provider == chosen.provider and any(model == chosen.model for model, _label in models)
        for provider, _name, models in offered
    ):
        return (chosen.provider, chosen.model)
    for provider, _name, choices in offered:
        for model, _label in choices[:_LOOKED_AT]:
            if services.chat.context.models.info(provider, model).sees_images:
                return (provider, model)
    return None
