"""Describes a choice of another member of a team that a person's next question would follow."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.errors import NotPossible
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class ChosenByOther:
    """A provider that another member chose. ``name`` is the member's; ``last_used`` is the provider that this person
    last asked in the thread."""

    name: str
    last_used: str | None = None


class AnotherProvider(NotPossible):
    """A question would go to another provider than before, which the person did not choose. ``title`` and ``what`` are
    the question to them; ``entity`` and ``provider`` are what they agree to."""

    code = "another_provider"
    safe = Text("Nothing was sent; your text stays where it is.")

    def __init__(self, chosen: ChosenByOther, entity: str, provider: tuple[str, str], before: str) -> None:
        name, label = provider
        if chosen.last_used:
            what = Text(
                "{name} chose {label} for this thread. You asked {before} here until now; your question, and the "
                "thread with it, would go to {label}.",
                name=chosen.name,
                label=label,
                before=before,
            )
        else:
            what = Text(
                "{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with "
                "it, would go to {label}.",
                name=chosen.name,
                label=label,
                before=before,
            )
        super().__init__(
            what,
            next_step=Text("Choose a model yourself, or name the provider: --provider {name}.", name=name),
        )
        self.title = Text("Ask {label}?", label=label)
        self.entity = entity
        self.provider = name
