"""Turns source code into coloured runs, with Pygments.

Lexers are quadratic on hostile text, and some are not even interruptible between tokens: call this in a process that
may be killed (``drawing_process``). The time limit here is only checked between tokens.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from chatdesk.core.rendering.blocks import CodeRun

if TYPE_CHECKING:  # loaded only by the process that does this work
    from pygments.lexer import Lexer

MAX_CODE_CHARACTERS = 20_000
BUDGET_S = 0.3

# Token type prefixes, the most exact first.
_KINDS = (
    ("Comment.Preproc", "keyword"),
    ("Comment", "comment"),
    ("Keyword.Type", "type"),
    ("Keyword", "keyword"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Literal.Date", "number"),
    ("Name.Function", "function"),
    ("Name.Class", "type"),
    ("Name.Builtin", "function"),
    ("Name.Exception", "type"),
    ("Name.Decorator", "function"),
    ("Name.Namespace", "type"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "name"),
    ("Name.Constant", "number"),
    ("Name.Variable", "name"),
    ("Name", "plain"),
    ("Operator.Word", "keyword"),
    ("Operator", "operator"),
    ("Punctuation", "plain"),
    ("Generic.Inserted", "inserted"),
    ("Generic.Deleted", "deleted"),
    ("Generic.Heading", "keyword"),
    ("Generic.Subheading", "function"),
    ("Generic.Prompt", "operator"),
    ("Generic.Error", "deleted"),
)


def plain_run(length: int) -> tuple[CodeRun, ...]:
    return (CodeRun(length, "plain"),) if length else ()


def extend_runs(runs: tuple[CodeRun, ...], added: int) -> tuple[CodeRun, ...]:
    """Return ``runs`` for a text that grew by ``added`` characters, which are plain until they are coloured."""
    if not added:
        return runs
    if runs and runs[-1].kind == "plain":
        return (*runs[:-1], CodeRun(runs[-1].length + added, "plain"))
    return (*runs, CodeRun(added, "plain"))


def is_highlightable(language: str, code: str) -> bool:
    return bool(language and code) and len(code) <= MAX_CODE_CHARACTERS


# Names that models write on fences, with the names of their lexers.
_ALIASES = {
    "patch": "diff",
    "svg": "xml",
    "xhtml": "html",
    "jsonc": "json",
    "json5": "json",
    "jsonl": "json",
    "ndjson": "json",
    "mjs": "javascript",
    "cjs": "javascript",
    "mts": "typescript",
    "cts": "typescript",
    "golang": "go",
    "plist": "xml",
    "rss": "xml",
    "conf": "ini",
    "env": "bash",
    "dotenv": "bash",
    "ansi": "text",
}
_HEADS_OF_FILES = ("--- ", "+++ ")


@cache
def find_lexer(language: str) -> Lexer | None:
    """Return the lexer that a fence names, or None; it is never guessed."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        name = language.strip("{}.").lower()
        return get_lexer_by_name(_ALIASES.get(name, name))
    except (ClassNotFound, ValueError):
        return None


@cache
def _kind_of(token_type: Any) -> str:
    name = str(token_type).removeprefix("Token.")
    return next((kind for prefix, kind in _KINDS if name == prefix or name.startswith(prefix + ".")), "plain")


def _names_a_file(code: str, at: int) -> bool:
    """Return whether the line at ``at`` is one of the two that are above the changes of a file."""
    if code.startswith("--- ", at):
        return code.startswith("+++ ", code.find("\n", at) + 1)
    return code.startswith("--- ", code.rfind("\n", 0, max(0, at - 1)) + 1)


def highlight(language: str, code: str, *, budget: float = BUDGET_S) -> tuple[CodeRun, ...]:
    """Return runs that cover ``code`` exactly; code beyond the time limit (``budget`` seconds) is plain. Empty for an
    unknown language or code over ``MAX_CODE_CHARACTERS``."""
    lexer = find_lexer(language) if is_highlightable(language, code) else None
    if lexer is None:
        return ()
    ends_at = time.perf_counter() + budget
    runs: list[CodeRun] = []
    kind, start, done = "plain", 0, 0
    # Many lexers want the last line to end; the added newline is cut off again.
    for index, token_type, value in lexer.get_tokens_unprocessed(code + "\n"):
        if index < done:  # a lexer that goes back would break the cover
            return ()
        found = _kind_of(token_type)
        if found in ("deleted", "inserted") and value.startswith(_HEADS_OF_FILES) and _names_a_file(code, index):
            found = "keyword"
        if found != kind or index > done:
            if done > start:
                runs.append(CodeRun(done - start, kind))
            if index > done:
                runs.append(CodeRun(index - done, "plain"))
            kind, start = found, index
        done = index + len(value)
        if time.perf_counter() > ends_at:
            break
    done = min(done, len(code))
    if done > start:
        runs.append(CodeRun(done - start, kind))
    covered = sum(run.length for run in runs)
    return extend_runs(tuple(runs), len(code) - covered) if covered <= len(code) else ()
