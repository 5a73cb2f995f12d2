"""Names the languages of ChatDesk, and finds the one that a person wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Codes as Qt names catalogues, each with the name that its own speakers read.
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt_BR": "Português (Brasil)",
    "ja": "日本語",
    "zh_CN": "简体中文",
    "ar": "العربية",
}
SYSTEM: Final = "system"
_TRADITIONAL: Final = ("hant", "tw", "hk", "mo")


def chosen_language(setting: str, wanted: Sequence[str]) -> str:
    """Return the code of the language to use: that of the setting, or for ``system`` the first of ``wanted`` that
    ChatDesk has, else English. ``wanted`` are names such as ``de_DE.UTF-8``, ``zh-Hans-CN`` or ``C``."""
    if setting in LANGUAGES:
        return setting
    return next((code for code in map(_code_of, wanted) if code), "en")


def wanted_languages(environ: Mapping[str, str]) -> list[str]:
    """Return the languages that the environment asks for, the most wanted first, by the rules of gettext: without a
    locale, or with that of C, ``LANGUAGE`` is not heeded."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    if locale.partition(".")[0] in ("", "C", "POSIX"):
        return []
    return [*filter(None, environ.get("LANGUAGE", "").split(":")), locale]


def _code_of(name: str) -> str:
    language, *more = name.partition(".")[0].partition("@")[0].replace("-", "_").lower().split("_")
    if language == "zh":
        return "" if any(part in _TRADITIONAL for part in more) else "zh_CN"
    if language == "pt":
        return "pt_BR"
    return language if language in LANGUAGES else ""
