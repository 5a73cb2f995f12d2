"""Finds in a message the fact that a person asks to be remembered: "remember that …", in several languages."""

from __future__ import annotations

import re
from typing import Final

from chatdesk.core.domain.memory import LONGEST_MEMORY
from chatdesk.core.hidden_characters import clean_line

_LONGEST_LEAD: Final = 60
# Japanese says it at the end of the sentence, so no beginning tells.
_LEADS: Final = re.compile(
    r"(?:(?:please,?\s+)?remember\s+that\b[,:]?\s*"
    r"|(?:bitte\s+)?merke?\s+dir(?:\s+bitte)?(?:,\s*(?=dass\b)|\s+(?=dass\b)|:\s*)"
    r"|(?:s['’]il\s+\w+\s+pla[iî]t,?\s+)?(?:souviens-toi|souvenez-vous|retiens|retenez)\s+qu(?:e\s+|['’]\s*)"
    r"|(?:por\s+favor,?\s+)?recuerd[ae]\s+que\s+"
    r"|(?:por\s+favor,?\s+)?(?:lembre-se|lembra-te)\s+(?:de\s+)?que\s+"
    r"|[请請]?[记記]住[，,：:]?\s*"
    r"|(?:من\s+فضلك[،,]?\s+)?تذكر\s+(?=أن))",
    re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"(\w*)[.!?…]+\s+(\S)|[。！？]\s*(\S)")
_SHORT: Final = 3  # letters of a title such as "Mrs.", after which a capital begins no sentence


def fact_to_remember(text: str) -> str:
    """Return the fact of a message that is one sentence beginning with "remember that"; empty for any other."""
    said = text.strip()
    if len(said) > LONGEST_MEMORY + _LONGEST_LEAD or "\n" in said:
        return ""
    line = clean_line(said)
    lead = _LEADS.match(line)
    if lead is None or line.endswith(("?", "？", "؟")):
        return ""
    fact = line[lead.end() :].strip()
    is_one = not any(_ends(found) for found in _SENTENCE_END.finditer(fact))
    return fact if is_one and any(map(str.isalnum, fact)) and len(fact) <= LONGEST_MEMORY else ""


def _ends(found: re.Match[str]) -> bool:
    """Return whether a sentence ends here, rather than the short form of a word."""
    word, following = found[1], found[2]
    if following is None:
        return True
    is_title = len(word) <= _SHORT and word[:1].isupper() and found[0][len(word)] == "."
    return not is_title and not following.islower()
