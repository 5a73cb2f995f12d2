"""Describes a choice of another member of a team that a person's next question would follow."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.errors import NotPossible


@dataclass(frozen=True, slots=True)
class ChosenByOther:
    """A provider that another member chose. ``name`` is the member's; ``last_used`` is the provider that this person
    last asked in the thread."""

    name: str
    last_used: str | None = None


class AnotherProvider(NotPossible):
    """A question would go to another provider than before, and it was not the person who chose that. ``title`` and
    ``what`` are what they are asked; ``entity`` and ``provider`` are what they agree to."""

    code = "another_provider"
    safe = "Nothing was sent; your text stays where it is."

    def __init__(self, chosen: ChosenByOther, entity: str, provider: tuple[str, str], before: str) -> None:
        name, label = provider
        since = f"You asked {before} here until now" if chosen.last_used else f"Your own choice is {before}"
        super().__init__(
            f"{chosen.name} chose {label} for this thread. {since}; your question, and the thread with it, would go to "
            f"{label}.",
            next_step=f"Choose a model yourself, or name the provider: --provider {name}.",
        )
        self.title = f"Ask {label}?"
        self.entity = entity
        self.provider = name
