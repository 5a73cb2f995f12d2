"""What vendors want back with a call, as they send it, as the content of a call's part has it."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.tools import KEPT
from chatdesk.core.providers.base import Kept

_ORIGIN: Final = "https://vendor.example chat"
_SIGNATURE: Final = {"extra_content": {"google": {"thought_signature": "c2ln+/=="}}}
_ENCRYPTED: Final = {"type": "reasoning.encrypted", "data": "gAAAA" * 20_000, "index": 0, "format": None}
_ITEM: Final = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA-_" * 50}
_BLOCK: Final = {"type": "thinking", "thinking": "as \u202e it\u2028 came\u200b \x07", "signature": "Eq0B/+="}

KEPT_SAMPLES: Final = {
    "signature of a call": Kept(_ORIGIN, _SIGNATURE),
    "thought beside calls": Kept(_ORIGIN, {}, ({"reasoning_content": ""},)),
    "long reasoning details": Kept(_ORIGIN, {}, ({"reasoning_details": [_ENCRYPTED]},)),
    "encrypted item": Kept(_ORIGIN, {}, (_ITEM,)),
    "signed blocks": Kept(_ORIGIN, {}, (_BLOCK, {"type": "redacted_thinking", "data": "b64"})),
}


def call_content(kept: Kept) -> dict[str, str]:
    """Return the content of a finished call with what its vendor wants back."""
    return {"name": "look", "arguments": "{}", "call_id": "c1", "status": "done", KEPT: kept.as_content()}
