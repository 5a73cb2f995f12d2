"""The items that can be opened as an artifact: long code, diagrams and files."""

from __future__ import annotations

from collections.abc import Iterable

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.rendering.blocks import CodeBlock

OPEN_ACTION = "open-artifact"


class ArtifactSource:
    """A part of such an item. ``is_alone``: it is shown as an artifact already, whole, and does not offer to be opened
    again."""

    is_alone = False

    @property
    def artifact(self) -> CodeBlock | Attachment | None:
        """The code or file to be opened; None where there is nothing to open."""
        raise NotImplementedError


def artifact_of(item: object) -> CodeBlock | Attachment | None:
    """Return the artifact that an item shows; None where it shows none."""
    return item.artifact if isinstance(item, ArtifactSource) and not item.is_alone else None


def show_alone(items: Iterable[object]) -> None:
    """Show items as the content of an artifact, where nothing else is shown."""
    for item in items:
        if isinstance(item, ArtifactSource):
            item.is_alone = True
