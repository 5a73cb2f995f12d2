"""Makes quotations of the words of another member of a team."""

from __future__ import annotations

from typing import Final

from chatdesk.core.texts import Text, shown

# The author's name once the author is unknown.
NOBODY: Final = Text("Another member")


def quotation(text: str, *, author: str, source: str) -> str:
    """Return ``text`` as a quotation in Markdown, below its author and ``source``, the link to where it is."""
    return quoted(f"{author or shown(NOBODY)} ({source}):\n\n{text}")


def quoted(text: str) -> str:
    """Return the lines of ``text`` as part of a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def quoted_line(text: str, *, author: str, longest: int = 0) -> str:
    """Return a title or a name as a quotation, with its author behind it; the text is cut where both are longer than
    ``longest``."""
    behind = f" ({author or shown(NOBODY)})"
    return (text[: max(1, longest - len(behind))].rstrip() if longest else text) + behind


def link_to(thread_id: str, message_id: str = "") -> str:
    """Return the link to a message, or to the thread."""
    return f"chatdesk://thread/{thread_id}" + (f"?message={message_id}" if message_id else "")
