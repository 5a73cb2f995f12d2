"""Finds in a question a sentence in which a person says something lasting about themselves, to propose it as a memory.

By rule alone: no model is asked. What begins like none of these is never proposed.
"""

from __future__ import annotations

import re
from typing import Final

from chatdesk.core.hidden_characters import clean_line

# Longer questions carry other people's texts.
_LONGEST_QUESTION: Final = 600
_LONGEST_FACT: Final = 160
_SENTENCE: Final = re.compile(r"[^.!?…。！？؟\n]+(?:\.(?=\S)[^.!?…。！？؟\n]*)*[.!?…。！？؟]*")
_ASKS: Final = re.compile(r"[?？؟]\s*$")
_NAME: Final = r"(?-i:[^\W\d_a-z])"
_LEADS: Final = re.compile(
    r"(?:"
    rf"my name is\b|call me {_NAME}|i live in\b|i (?:always |generally |usually )?prefer (?!not\b|to not\b)"
    r"|i work (?:as|at|for)\b|i['’]?a?m allergic to\b"
    r"|ich heiße\b|mein name ist\b|ich (?:wohne|lebe) in\b|ich bevorzuge\b"  # codespell:ignore
    rf"|nenne? mich (?:bitte )?{_NAME}"
    r"|ich arbeite (?:als|bei)\b|ich bin allergisch\b"  # codespell:ignore
    rf"|je m['’]appelle\b|mon nom est\b|appelle[sz]?-moi {_NAME}|j['’]habite\b|je préfère\b"  # codespell:ignore
    r"|je travaille (?:comme|chez)\b"
    r"|me llamo\b|mi nombre es\b|ll[aá]mame\b|vivo en\b|prefiero\b|trabajo (?:como|en)\b"  # codespell:ignore
    r"|(?:eu )?me chamo\b|chamo-me\b|(?:o )?meu nome é\b"  # codespell:ignore
    r"|(?:eu )?(?:moro|vivo) em\b|(?:eu )?prefiro\b|(?:eu )?trabalho como\b"
    r"|我叫|我的名字[是叫]|请?叫我|我住在|我(?:更喜欢|偏好)"
    r"|私の名前は|(?:私は)?\S{1,20}に住んでい|\S{1,20}と呼んでください"
    r"|اسمي\s|نادني\s|(?:أعيش|أسكن) في\s|أفضل\s"
    r")",
    re.IGNORECASE,
)


def fact_to_propose(text: str) -> str:
    """Return the first sentence of a question that says something lasting about the person; empty for none."""
    said = text.strip()
    if len(said) > _LONGEST_QUESTION or "`" in said:
        return ""
    for line in said.splitlines():
        if line.lstrip().startswith((">", "-", "*", "“", '"')):  # quoted or listed: perhaps somebody else's words
            continue
        for found in _SENTENCE.finditer(line):
            sentence = clean_line(found[0]).strip()
            if len(sentence) <= _LONGEST_FACT and _LEADS.match(sentence) and not _ASKS.search(sentence):
                return sentence.rstrip(".!…。！ ")
    return ""
