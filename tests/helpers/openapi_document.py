"""The file `docs/openapi.json`, made from the declarations: ``python -m tests.helpers.openapi_document --write``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from chatdesk.service.endpoints import ENDPOINTS
from chatdesk.service.openapi import document_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def text() -> str:
    """The document, as the repository has it."""
    return json.dumps(document_of(ENDPOINTS), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__" and "--write" in sys.argv:
    DOCUMENT.write_text(text(), encoding="utf-8")
