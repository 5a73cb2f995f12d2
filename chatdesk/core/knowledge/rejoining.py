"""Makes the passages of a Markdown text readable one by one: a table or a block of code that goes on in the next one
begins there anew. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_RULE: Final = re.compile(r"\|[ :|-]*-[ :|-]*\|\s*\Z")
_LONGEST_FENCE: Final = 40


def readable_each(texts: Iterable[str]) -> Iterator[str]:
    """Yield the passages of a text, which follow on each other, so that each can be shown by itself."""
    fence = head = ""
    for text in texts:
        lines = text.split("\n")
        is_row = lines[0].startswith("|") and not (len(lines) > 1 and _RULE.match(lines[1]))
        if fence:
            yield f"{fence}\n{text}"
        elif is_row and head:
            yield f"{head}\n{text}"
        else:
            yield text
        before = ""
        for line in lines:
            mark = _FENCE.match(line)
            if mark and not fence:
                fence = line.strip()[:_LONGEST_FENCE]
            elif mark and fence and line.strip().startswith(fence[:3]) and not mark[2].strip():
                fence = ""
            elif not fence and _RULE.match(line) and before.startswith("|"):
                head = f"{before}\n{line}"
            elif not fence and not line.startswith("|"):
                head = ""
            before = line
