"""Finds sentences of the source that are plain strings, which no language can translate.

A plain string is right where only a program or a model reads it. These places are known by what they are: the modules
of ``TO_PROGRAMS``, exceptions of Python, logs, and classes that describe tools to models.
"""

from __future__ import annotations

import ast
import builtins
import gc
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.helpers.sentences import ROOT

PACKAGE = ROOT / "chatdesk"
# Modules and packages whose sentences are read by programs, servers, models or developers only.
TO_PROGRAMS = (
    "client/",  # the library for other programs
    "service/",  # answers to other programs, but for ``TO_PEOPLE``
    "core/providers/",  # the words of the demo model, and what vendors are sent
    "core/chat/context/attachment_payloads.py",  # a model
    "core/chat/tool_calls/offered_tools.py",
    "core/chat/tool_calls/results.py",
    "core/context/request_builder.py",
    "core/context/summary_prompt.py",
    "core/context/groups.py",
    "core/tools/built_in.py",
    "core/tools/folder/edits.py",
    "core/tools/folder/reading.py",
    "core/tools/folder/texts.py",
    "core/context/memory_list.py",
    "core/context/held_back.py",
    "core/knowledge/enclosing.py",
    "core/knowledge/probe_texts.py",
    "services/own_chats.py",
    "services/project_files.py",
    "services/project_folder.py",
    "services/web_tools.py",
    "core/tools/host/message_bounds.py",  # a server
    "core/tools/host/mended_answers.py",
    "core/tools/host/requests.py",
    "core/transfer/imports/chatgpt_content.py",  # a part of an imported message
    "core/settings/",  # comments in the file of settings and in the documents
    "core/diagnostics/",  # reports for developers
    "cli/demo_threads.py",  # made-up data
    "ui/transcript/warm_up.py",
    "ui/widgets/empty_state.py",  # what the demo model is asked, which understands English
)
# What of these is read by people all the same.
TO_PEOPLE = (
    "core/providers/failure_texts.py",
    "service/local_service.py",
    "service/page_origins.py",
    "service/tokens.py",
    "services/service_switch.py",
)
_MAKES_TEXT = {"Text", "plural", "tr"}
_TO_DEVELOPERS = {"debug", "info", "warning", "exception", "critical", "compile"}
_SKIPPED = _MAKES_TEXT | _TO_DEVELOPERS
_PARTS_OF_ERRORS = {"what", "safe", "next_step", "safe_without_window"}
# A sentence: it begins like one, has three words, and ends like one.
_SENTENCE = re.compile(r"[^\w{]*[A-Z{][^\n]* [a-z’']{2,}[^\n]*[^\W\d_}”)][”)]?[.:!?…][^\w{]*")
_STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|DROP|PRAGMA|GRANT|REVOKE|ALTER)\b")


def plain_sentences() -> list[str]:
    """Return the place and the words of each sentence for people that is a plain string."""
    return [
        f"{path.relative_to(ROOT)}:{line} {words}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not is_for_programs(path.relative_to(PACKAGE).as_posix())
        for line, words in _found_in(tree_of(path))
    ]


def sentences_in(source: str) -> list[tuple[int, str]]:
    """Return the line and the words of each plain sentence of a module that speaks to people."""
    return _found_in(ast.parse(source))


def _found_in(tree: ast.Module) -> list[tuple[int, str]]:
    own = {
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and "ChatDeskError" in map(_name, node.bases)
    }
    return sorted({*_sentences(tree), *_in_errors(tree, _error_classes() | own)})


def is_for_programs(module: str) -> bool:
    """Return whether the sentences of a module, named by its path, are read by programs and models only."""
    return module.startswith(TO_PROGRAMS) and module not in TO_PEOPLE


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the tree of a module, which is parsed once a process, and which no collection of garbage walks: with a
    million nodes they would take three quarters of the time."""
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.freeze()
        gc.enable()


@cache
def _error_classes() -> frozenset[str]:
    """Return the names of all errors of ChatDesk and of the process that hosts tool servers."""
    found = {"ChatDeskError", "HostFailure"}
    classes = [node for path in PACKAGE.rglob("*.py") for node in tree_of(path).body if isinstance(node, ast.ClassDef)]
    while new := {each.name for each in classes if found & {_name(base) for base in each.bases}} - found:
        found |= new
    return frozenset(found)


def _in_errors(node: ast.AST, errors: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield the plain strings of several words that an error is made with, or has as its own."""
    for each in ast.walk(node):
        given: list[ast.AST] = []
        if isinstance(each, ast.Call):
            given = [keyword.value for keyword in each.keywords if keyword.arg in _PARTS_OF_ERRORS]
            given += each.args if _name(each.func) in errors else []
        elif isinstance(each, ast.ClassDef) and each.name in errors:
            given = [
                part.value
                for part in each.body
                if isinstance(part, ast.Assign) and _PARTS_OF_ERRORS & {_name(target) for target in part.targets}
            ]
        for value in given:
            yield from ((line, words) for line, words in _strings(value) if " " in words.strip())


def _sentences(node: ast.AST) -> Iterator[tuple[int, str]]:
    return (
        (line, words) for line, words in _strings(node) if _SENTENCE.fullmatch(words) and not _STATEMENT.match(words)
    )


def _strings(root: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the strings below a node that are no ``Text``, no documentation and nothing for developers; an f-string as
    its template."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Call) and _name(node.func) in _SKIPPED:
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and hasattr(builtins, _name(node.exc.func)):
            continue
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            pieces = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(pieces)
            nodes += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            nodes += ast.iter_child_nodes(node)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
