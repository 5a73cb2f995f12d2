"""Extracts the text of an error page in HTML. Only servers that fail with such a page need it, so it is imported
then."""

from __future__ import annotations

from html.parser import HTMLParser


def text_of(page: str) -> str:
    """Return the text of ``page``, without its markup, scripts and styles."""
    parser = _TextOnly()
    parser.feed(page)
    parser.close()
    return " ".join(parser.words)


class _TextOnly(HTMLParser):
    """Collects the text of a page, and drops its scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._skipping += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"} and self._skipping:
            self._skipping -= 1

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.words.append(data)
