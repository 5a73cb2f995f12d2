"""The golden answers in ``tests/data/markdown``: each ``.md`` has its blocks beside it in a ``.json``.

``python -m tests.helpers.golden_markdown`` writes the JSON again; read the difference before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path

from chatdesk.core.rendering.markdown import parse_markdown
from tests.helpers.block_outline import Outline, outline_blocks

FOLDER = Path(__file__).parents[1] / "data" / "markdown"


def golden_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.md") if path.stem[:2].isdigit())


def golden_text(name: str) -> str:
    """The answer as it was written, its line ends too."""
    return (FOLDER / f"{name}.md").read_bytes().decode()


def golden_outline(name: str) -> Outline:
    outline: Outline = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return outline


def main() -> None:
    for name in golden_names():
        lines = [json.dumps(block, ensure_ascii=False) for block in outline_blocks(parse_markdown(golden_text(name)))]
        (FOLDER / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
