"""Adds inline rules to markdown-it: math, footnote marks, tags, and emphasis beside CJK letters.

Every search is bounded, so that no text makes one quadratic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_inline import StateInline, image, link, strikethrough
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from chatdesk.core.rendering.address_rule import bare_url_rule
from chatdesk.core.rendering.block_rules import BARE_ENVIRONMENTS
from chatdesk.core.rendering.footnotes import is_expected, note_key
from chatdesk.core.rendering.markdown_spans import CJK, MAX_MATH_CHARS, is_punctuation
from chatdesk.core.rendering.picture_data import IMAGE

# The letters that each rule can begin at; everything between them is text.
_LETTERS: Final = {
    "text": "", "newline": "\n", "chat_math": "$\\", "escape": "\\", "backticks": "`", "strikethrough": "~",
    "emphasis": "*_", "chat_footnote_ref": "[", "link": "[", "image": "!", "autolink": "<", "html_inline": "<",
    "entity": "&", "chat_bare_url": ":",
}  # fmt: skip
MAX_TAG_CHARS = 2000
_MAX_DOLLARS_TRIED = 4
STYLE_TAG = re.compile(r"</?(?:sub|sup|kbd|b|strong|mark|i|em|u|s)>|<br ?/?>", re.IGNORECASE)
_LAST_BRACKET = -1  # a key in the parser's cache, whose own keys are positions

# A sum of money before words: "$5 and 6$" is none of our formulas.
_MONEY = re.compile(
    r"\d[\d.,]*(?:[kKmMbB]|\s?[-–]\s?\d[\d.,]*)?"
    r"(?:\s+(?!\\)[A-Za-z]{2,}|[,;]\s|\s*$(?<=\s)|\s?/\s?(?:[A-Za-z]{4,}|"
    r"[kKMGTP]i?[Bb]|1?[kKM]|yr|mo|mth|wk|day|hr|h|min|sec|s|kg|lb|oz|km|mi|gal|unit)(?![A-Za-z0-9^_(\\{]))"
)
# An ending that a formula takes in running text: "the $n$th term", "the $x_i$s", "le $n$e".
_ENDING = re.compile(r"(?:t(?:hs?|e[mnrs]?)|st|nd|rd|s|es|e|i?eme?s?)(?![A-Za-z0-9$])")
# Brackets in a sentence, escaped as citations are, hold a formula when something in them is written as only TeX is,
# or when there are blanks inside them.
_TEX_SIGN = re.compile(r"\\[A-Za-z,;:!]|[\^{}]|(?<![A-Za-z])[A-Za-z]_|[\w)]\s*[=<>+]\s*[\w(-]")
_ENVIRONMENT = re.compile(rf"\\begin{{({'|'.join(map(re.escape, BARE_ENVIRONMENTS))})}}")


def install_inline_rules(md: MarkdownIt) -> None:
    """Add the rules to ``md``, which starts from the commonmark preset."""
    ruler = md.inline.ruler
    ruler.at("strikethrough", strike_rule)
    ruler.at("emphasis", emphasis_rule)
    ruler.before("escape", "chat_math", math_rule)
    ruler.before("link", "chat_footnote_ref", footnote_mark_rule)
    ruler.at("link", link_rule)
    ruler.at("image", image_rule)
    ruler.at("html_inline", tag_rule)
    ruler.push("chat_bare_url", bare_url_rule)
    _ask_by_letter(md)


def _ask_by_letter(md: MarkdownIt) -> None:
    """Have each rule asked at the letters that it begins with. markdown-it asks each at every sign that begins any."""
    rules: dict[str, list[Callable[[StateInline, bool], bool]]] = {}
    for name, rule in zip(md.inline.ruler.get_active_rules(), md.inline.ruler.getRules(""), strict=True):
        for letter in _LETTERS[name]:
            rules.setdefault(letter, []).append(rule)
    find_letter = re.compile(f"[{re.escape(''.join(rules))}]").search
    deepest = md.options["maxNesting"]

    def tokenize(state: StateInline) -> None:
        source, end = state.src, state.posMax
        while state.pos < end:
            at = state.pos
            for rule in rules.get(source[at], ()) if state.level < deepest else ():
                if rule(state, False):
                    break
            else:
                found = find_letter(source, at + 1, end)
                state.pos = found.start() if found is not None else end
                state.append_pending(source[at : state.pos])
        if state.pending:
            state.pushPending()

    md.inline.tokenize = tokenize  # type: ignore[method-assign]


def math_rule(state: StateInline, silent: bool) -> bool:
    source, at = state.src, state.pos
    if source[at] == "$":
        found = _dollar_math(source, at, state.posMax)
    elif source[at] == "\\" and source[at + 1 : at + 2] in ("(", "["):
        found = _bracket_math(source, at, state.posMax)
    elif source.startswith("\\begin{", at):
        found = _bare_environment(source, at, state.posMax)
    else:
        return False
    if found is None:
        return False
    content, end = found
    if not silent:
        token = state.push("chat_math", "span", 0)
        token.content = content
    state.pos = end
    return True


def _dollar_math(source: str, at: int, end: int) -> tuple[str, int] | None:
    limit = min(end, at + MAX_MATH_CHARS)
    if source.startswith("$$", at):
        close = source.find("$$", at + 2, limit)
        content = source[at + 2 : close].strip() if close >= 0 else ""
        return (content, close + 2) if content and "`" not in content else None
    before = source[at - 1] if at else " "
    is_in_word = before.isalnum() and CJK.match(before) is None
    if is_in_word or before == "$" or at + 1 >= end or source[at + 1].isspace():
        return None
    close = at
    for _ in range(_MAX_DOLLARS_TRIED):
        close = source.find("$", close + 1, limit)
        if close < 0:
            return None
        if source[close - 1] == "\\":
            continue
        content = source[at + 1 : close]
        after = source[close + 1] if close + 1 < end else " "
        if _open_braces(content) > 0:  # as in \text{if $x$ then}
            continue
        if source[close - 1].isspace() or after == "$" or _goes_on(source, close, content):
            if not after.isspace():
                return None  # the next dollar sign begins the formula: "$500/mo, $n$ seats"
            continue
        if not content or "`" in content or "\n\n" in content or _MONEY.match(content) is not None:
            return None
        return content, close + 1
    return None


def _open_braces(content: str) -> int:
    bare = content.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    return bare.count("{") - bare.count("}")


def _goes_on(source: str, close: int, content: str) -> bool:
    """Return whether the dollar at ``close`` is inside a word, as that of a shell's variable does."""
    after = source[close + 1 : close + 2]
    if not after.isascii() or not after.isalnum():
        return False
    return _ENDING.match(source, close + 1) is None or not (content[-1].isalnum() or content[-1] in "})'!|")


def _bracket_math(source: str, at: int, end: int) -> tuple[str, int] | None:
    closing = "\\)" if source[at + 1] == "(" else "\\]"
    close = source.find(closing, at + 2, min(end, at + MAX_MATH_CHARS))
    while close > 0 and source[close - 1] == "\\" and source[close - 2] != "\\":
        close = source.find(closing, close + 1, min(end, at + MAX_MATH_CHARS))
    inside = source[at + 2 : close] if close >= 0 else ""
    content = inside.strip()
    if not content or "`" in content:
        return None
    # Escaped brackets around punctuation are no formula.
    if closing == "\\)":
        is_formula = any(character.isalnum() for character in content)
    else:
        is_formula = _TEX_SIGN.search(content) is not None or (
            inside[0] == inside[-1] == " " and any(character.isalnum() for character in content)
        )
    return (content, close + 2) if is_formula else None


def _bare_environment(source: str, at: int, end: int) -> tuple[str, int] | None:
    opening = _ENVIRONMENT.match(source, at, end)
    if opening is None:
        return None
    closing = f"\\end{{{opening[1]}}}"
    close = source.find(closing, opening.end(), min(end, at + MAX_MATH_CHARS))
    if close < 0 or not source[opening.end() : close].strip():
        return None
    return source[at : close + len(closing)], close + len(closing)


def footnote_mark_rule(state: StateInline, silent: bool) -> bool:
    """Parse ``[^label]`` if that footnote is defined, or will be; unknown labels are recorded for the stream."""
    source, at = state.src, state.pos
    if not source.startswith("[^", at):
        return False
    end = source.find("]", at + 2, min(state.posMax, at + 102))
    label = source[at + 2 : end] if end >= 0 else ""
    if not label or any(character in label for character in " \n[`"):
        return False
    label = note_key(label)
    if ":" + label not in state.env["footnotes"]["refs"]:
        state.env["missed"].add("^" + label)
        if not (state.env["is_live"] and is_expected(label)):
            return False
    if not silent:
        token = state.push("chat_footnote_ref", "", 0)
        token.content = label
    state.pos = end + 1
    return True


def link_rule(state: StateInline, silent: bool) -> bool:
    return _may_close_bracket(state) and link(state, silent)


def image_rule(state: StateInline, silent: bool) -> bool:
    """Parse an image. An embedded one is matched as a whole: it may have millions of letters."""
    found = IMAGE.match(state.src, state.pos, state.posMax) if state.src.startswith("![", state.pos) else None
    if found is not None:
        if not silent:
            token = state.push("image", "img", 0)
            token.attrs = {"src": found[2], "alt": ""}
            token.content = found[1]
            words = Token("text", "", 0)
            words.content = found[1]
            token.children = [words]
        state.pos = found.end()
        return True
    return _may_close_bracket(state) and image(state, silent)


def _may_close_bracket(state: StateInline) -> bool:
    """Return whether a bracket closes anywhere behind: searching for the end of each of many open ones would be
    slow."""
    last = state.cache.get(_LAST_BRACKET)
    if last is None:
        last = state.cache[_LAST_BRACKET] = state.src.rfind("]")
    return state.pos < last


def tag_rule(state: StateInline, silent: bool) -> bool:
    """Keep an HTML tag unchanged: marks of Markdown and escapes inside it have no meaning. A few tags that only style
    words, and carry no attributes, are read (``SpanBuilder``)."""
    source, at = state.src, state.pos
    if source[at] != "<":
        return False
    limit = min(state.posMax, at + MAX_TAG_CHARS)
    if source.find(">", at, limit) < 0:
        return False
    match = HTML_TAG_RE.match(source, at, limit)
    if match is None:
        return False
    if not silent:
        kind = "chat_tag" if STYLE_TAG.fullmatch(match[0]) is not None else "text"
        state.push(kind, "", 0).content = match[0]
    state.pos = match.end()
    return True


@lru_cache(maxsize=1024)
def _kinds_of(character: str) -> tuple[bool, bool, bool]:
    """Return whether a character is white space, punctuation, and of Chinese, Japanese or Korean."""
    return isWhiteSpace(ord(character)), is_punctuation(character), CJK.match(character) is not None


def strike_rule(state: StateInline, silent: bool) -> bool:
    """Parse one or two tildes as GFM does, but none between letters: ``5~10`` is a range."""
    at = state.pos
    around = state.src[at - 1 : at] + state.src[at + 1 : at + 2]
    return not (len(around) == 2 and around.isalnum()) and strikethrough.tokenize(state, silent)


def emphasis_rule(state: StateInline, silent: bool) -> bool:
    """Parse emphasis as in CommonMark, but let a CJK letter beside ``*`` open and close as white space would:
    Chinese and Japanese have no spaces around words (https://github.com/tats-u/markdown-cjk-friendly)."""
    source, start = state.src, state.pos
    marker = source[start]
    if silent or marker not in "_*":
        return False
    end = start
    while end < state.posMax and source[end] == marker:
        end += 1
    blank_before, punct_before, is_cjk_before = _kinds_of(source[start - 1] if start else " ")
    blank_after, punct_after, is_cjk_after = _kinds_of(source[end] if end < state.posMax else " ")
    if marker == "_":
        is_cjk_before = is_cjk_after = False
    else:
        punct_before = punct_before and not is_cjk_before
        punct_after = punct_after and not is_cjk_after
    left = not blank_after and (not punct_after or blank_before or punct_before or is_cjk_before)
    right = not blank_before and (not punct_before or blank_after or punct_after or is_cjk_after)
    can_open = left and (marker == "*" or not right or punct_before)
    can_close = right and (marker == "*" or not left or punct_after)
    if state.pending:
        state.pushPending()
    length, code, tokens, level = end - start, ord(marker), state.tokens, state.level
    for _ in range(length):
        # Like ``state.push``, without its look for pending text and changed levels each time.
        state.delimiters.append(Delimiter(code, length, len(tokens), -1, can_open, can_close))
        tokens.append(Token("text", "", 0, level=level, content=marker))
        state.tokens_meta.append(None)
    state.pendingLevel = level
    state.pos = end
    return True
