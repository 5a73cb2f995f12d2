"""Measures the strength of a passphrase before it guards anything. The gateway to ``zxcvbn``, which takes 40 ms to
load.

Whoever has the sealed file may try as often as they like. Each try takes a good part of a second of one core, and 128
MiB (``sealing``): ten thousand million guesses are centuries for a core, and days for ten thousand of them.
"""

from __future__ import annotations

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Sentences, Text

_FEWEST_GUESSES_LOG10 = 10.0
_MOST_MEASURED = 72  # the library's limit; the rest can only help
_WARNINGS = {
    str(each): each
    for each in (
        Text("Straight rows of keys are easy to guess."),
        Text("Short keyboard patterns are easy to guess."),
        Text('Repeats like "aaa" are easy to guess.'),
        Text('Repeats like "abcabcabc" are only slightly harder to guess than "abc".'),
        Text('Sequences like "abc" or "6543" are easy to guess.'),
        Text("Recent years are easy to guess."),
        Text("Dates are often easy to guess."),
        Text("This is a top-10 common password."),
        Text("This is a top-100 common password."),
        Text("This is a very common password."),
        Text("This is similar to a commonly used password."),
        Text("A word by itself is easy to guess."),
        Text("Names and surnames by themselves are easy to guess."),
        Text("Common names and surnames are easy to guess."),
    )
}
# Placeholder of every field in which a new one is chosen.
NEW_PASSPHRASE = Text("A new passphrase: four words or more")


class PassphraseTooWeak(ChatDeskError):
    code = "passphrase_too_weak"
    what = Text("This passphrase is easy to guess.")
    safe = Text("Nothing was changed.")
    next_step = Text("Four or five words that do not belong together are easy to remember and hard to guess.")


def check_passphrase(passphrase: str) -> None:
    """Check that a passphrase is hard to guess, which takes some milliseconds. Raises ``PassphraseTooWeak``, with the
    reason where ``zxcvbn`` gives one that is known here."""
    if not passphrase:
        raise PassphraseTooWeak(Text("No passphrase was given."))
    if not passphrase.strip():
        raise PassphraseTooWeak(Text("A passphrase of blanks guards nothing."))
    from zxcvbn import zxcvbn

    measured = zxcvbn(passphrase[:_MOST_MEASURED], user_inputs=["chatdesk", "passphrase"])
    if float(measured["guesses_log10"]) >= _FEWEST_GUESSES_LOG10:
        return
    warning = _WARNINGS.get(str(measured["feedback"]["warning"] or ""))
    raise PassphraseTooWeak(Sentences.of(PassphraseTooWeak.what, warning) if warning else None)
