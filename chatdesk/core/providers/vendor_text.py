"""Turns a server's text about its failure into a short plain one that is safe to show: no markup, no control or
invisible characters, no keys, at most 300 characters. The text is found in whatever form a server writes its errors."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from http import HTTPStatus
from itertools import islice

from chatdesk.core.domain.echoed_secrets import HIDDEN, EchoedSecrets
from chatdesk.core.texts import shortened

MAX_LENGTH = 300
_MAX_READ = 20_000
_MOST_FAILURES = 1000
_BETWEEN = re.compile(r"[^\s,\[\]]")
_DECODER = json.JSONDecoder()
_CODES = ("code", "type", "status", "error_code", "status_code")
# From the outermost form inwards; the first that has words counts.
_WORDS = (
    "error",
    "errors",
    "message",
    "detail",
    "details",
    "msg",
    "error_message",
    "error_msg",
    "status_msg",
    "description",
    "title",
)
# Words that stand for a status, beside which others may say more.
_PHRASES = frozenset(each.phrase.lower() for each in HTTPStatus)
# Fields that also occur in messages that report no failure, and the kinds of such messages.
_OF_NEWS = frozenset(("description", "title"))
_HARMLESS = r"(?i)(?!.*(?:err|fail|fault|except|invalid|denied|limit|exceed|unavail|abort|not_|missing|bad))"
_NAME = re.compile(rf"{_HARMLESS}[a-z][a-z0-9_.-]{{0,40}}")
# The kinds and states of what gateways tell between the pieces of an answer, with words about it.
_NEWS = re.compile(
    rf"{_HARMLESS}(?:[a-z]+[_.-])?(?:status|state|info|notice|notification|progress|heart_?beat|keep_?alive|ping|pong|"
    r"meta_?data|log|debug|trace|event|step|title|warning|queued?|pending|waiting|processing|in_?progress|running|"
    r"loading|thinking|searching|started|done|ok|success(?:ful)?|completed?|finished)(?:[_.-](?:update|message|event))?"
)
_GOOD_CODE = re.compile(r"0|2\d\d")
_ANSWER = ("choices", "delta")
_DEEPEST, _MOST_ERRORS = 6, 5
_ERROR_NAME = re.compile(r"(?i)err|errors?|fault|err_?(?:msg|code|message)|error_\w+|\w*exception")
_DEEPEST_ERROR = 2
_MOST_FIELDS = 20

# The forms of keys at vendors that quote them in error texts. The key in use is also removed by value.
_KEY_PATTERNS = re.compile(
    r"(?i:bearer|basic)\s+[\w.~+/=-]{6,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|AIza|ghp|key|api|tok)[-_A-Za-z0-9*.]{12,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"
    r"|\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])(?![0-9a-f]{8}-[0-9a-f]{4}-)[A-Za-z0-9_-]{32,}"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and without anything that looks like a key."""
    known = [secret for secret in secrets if len(secret) >= 4]
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return _KEY_PATTERNS.sub(HIDDEN, EchoedSecrets(known).hide(text))


def plain_excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the gist of ``text`` for a person; empty if there is none."""
    text = text[:_MAX_READ]
    if re.search(r"<[a-zA-Z!/]", text):
        text = text_of(text)
    text = "".join(_visible(character) for character in text)
    return shortened(redact(" ".join(text.split()), secrets), MAX_LENGTH)


def _visible(character: str) -> str:
    """Controls become spaces; invisible, direction-changing, private and half characters vanish."""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Co", "Cs", "Cn"} else character


def stated_error(document: Mapping[str, object]) -> object:
    """Return the error in a field that vendors have for it, also beside a piece of an answer; false where there is
    none."""
    of_groq, of_minimax = document.get("x_groq"), document.get("base_resp")
    if isinstance(of_minimax, Mapping) and of_minimax.get("status_code"):
        return of_minimax
    error = document.get("error") or (isinstance(of_groq, Mapping) and of_groq.get("error"))
    if isinstance(error, Mapping):
        return error if any(error.values()) else None
    is_said = " " in str(error).strip() and str(error).lower() not in _PHRASES
    if not error or isinstance(error, list) or is_said:
        return error
    # A bare code, mark or status has its words beside it.
    return {name: each for name, each in document.items() if name not in _ANSWER and not isinstance(each, Mapping)}


def error_in(document: object) -> object:
    """Return the error described by a document that is not part of an answer; None if it describes none."""
    if isinstance(document, list):
        return document if any(error_in(each) for each in document[:_MOST_ERRORS]) else None
    if not isinstance(document, Mapping):
        return None
    stated = stated_error(document)
    if stated:
        return stated
    is_marked = "error" in (document.get("object"), document.get("type")) or document.get("success") is False
    has_code = any(isinstance(document.get(name), str | int) for name in _CODES)
    has_words = any(isinstance(document.get(name), str) for name in _WORDS)
    is_failure = bool((has_code and has_words) or document.get("detail")) and not is_news(document)
    return document if is_marked or is_failure or _names_error(document) else None


def is_news(document: Mapping[str, object]) -> bool:
    """Return whether all codes of a document mark it as harmless, such as a gateway's news: a title of the chat, a step
    of a search. An unknown kind is harmless if it has nothing but a title beside it."""
    codes = {name: str(document[name]) for name in _CODES if isinstance(document.get(name), str | int)}
    words = {name for name in _WORDS if isinstance(document.get(name), str)}
    if words <= _OF_NEWS and list(codes) == ["type"] and _NAME.fullmatch(codes["type"]):
        return True
    return bool(codes) and all(_NEWS.fullmatch(each) or _GOOD_CODE.fullmatch(each) for each in codes.values())


def _names_error(document: Mapping[str, object], *, deep: int = 0) -> bool:
    """Return whether a field is named after an error and filled, here or in an object around it."""
    if any(value and _ERROR_NAME.fullmatch(name) for name, value in document.items()):
        return True
    inner = (value for value in document.values() if isinstance(value, Mapping) and deep < _DEEPEST_ERROR)
    return any(_names_error(each, deep=deep + 1) for each in inner)


def code_and_text(body: object, *, deep: int = 0) -> tuple[str, str]:
    """Return the vendor's code and words, from the many forms in which servers send them; each may be empty."""
    if isinstance(body, str):
        return "", body
    if deep > _DEEPEST:
        return "", ""
    if isinstance(body, list):
        found = [code_and_text(each, deep=deep + 1) for each in body[:_MOST_ERRORS]]
        codes, texts = ([each[place] for each in found if each[place]] for place in (0, 1))
        return next(iter(codes), ""), "; ".join(texts)
    if not isinstance(body, Mapping):
        return "", ""
    code = next((str(body[name]) for name in _CODES if isinstance(body.get(name), str | int) and body[name]), "")
    text = phrase = ""
    for name in _WORDS:
        inner_code, text = code_and_text(body.get(name), deep=deep + 1)
        code = (inner_code or code) if text else (code or inner_code)
        if text and text.lower() not in _PHRASES:
            break
        phrase, text = phrase or text, ""
    text = text or phrase
    if not deep and " " not in text.strip():
        text = ": ".join(filter(None, (text, "; ".join(words_in(body)[:_MOST_ERRORS]))))
    raw = body.get("metadata")  # a gateway quotes the upstream error here
    behind = raw.get("raw") if isinstance(raw, Mapping) else None
    more = code_and_text(_unpacked(behind), deep=deep + 1)[1] if behind else ""
    place = body.get("loc")
    if text and isinstance(place, list):
        named = ".".join(str(each) for each in place if each != "body")
        text = f"{named}: {text}" if named else text
    return code[:200], ": ".join(each for each in (text, more) if each)[:_MAX_READ]


def words_in(value: object, *, but: Collection[str] = (), deep: int = 0) -> list[str]:
    """Return all texts of several words in an error or an unknown object, at any depth, except in the fields
    ``but``."""
    if isinstance(value, str):
        return [value] if " " in value.strip() else []
    if isinstance(value, Mapping):
        value = [each for name, each in value.items() if name not in but]
    held = value if isinstance(value, list) else ()
    found = (words_in(each, but=but, deep=deep + 1) for each in islice(held, _MOST_FIELDS) if deep < _DEEPEST)
    return [each for inner in found for each in inner]


def documents_in(text: str, *, is_strict: bool = False) -> Iterator[object]:
    """Yield the JSON documents in a text: it is one, they follow each other, also in a list that was cut, or some of
    its lines are. A line may name what it is, as fields do. ``is_strict`` raises ``ValueError`` at anything else."""
    whole = _unpacked(text)
    if not isinstance(whole, str):
        yield whole
        return
    place, failures = 0, 0
    if is_strict and "{" not in text:
        raise ValueError("no object")
    while (start := _BETWEEN.search(text, place)) and failures < _MOST_FAILURES:
        place = start.start()
        try:
            if text[place] != "{":
                raise ValueError("no object")
            found, place = _DECODER.raw_decode(text, place)
            yield found
        except (ValueError, RecursionError):
            if is_strict:
                raise
            failures += 1
            end = text.find("\n", place) % (len(text) + 1)
            name, _, rest = text[place:end].partition(":")
            place = end + 1
            inner = _unpacked(rest.strip())
            if name.strip() == "error" and not isinstance(inner, str):
                yield {"error": inner}


def _unpacked(text: object) -> object:
    """Return the JSON in a text, or the text."""
    try:
        return json.loads(text) if isinstance(text, str) and text.lstrip().startswith(("{", "[")) else text
    except (ValueError, RecursionError):
        return text


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
