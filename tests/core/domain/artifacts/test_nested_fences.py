"""A file of Markdown in an answer is one block of code, whatever fences are in it."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.artifacts.code_blocks import fenced_code
from chatdesk.core.rendering.answers.thoughts import StreamingAnswer, parse_answer
from chatdesk.core.rendering.blocks import CodeBlock, Paragraph
from chatdesk.core.rendering.markdown import parse_markdown

INNER = "# Read me\n\n```bash\nmake\n```\n\nand\n\n```json\n{}\n```"
LANGUAGES = ["markdown", "md", "mdx", "text", "Markdown"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("marker", ["```", "````", "~~~"])
def test_inner_fences_stay_within_the_outer_one(language: str, marker: str) -> None:
    inner = INNER.replace("```", marker)
    text = f"Here:\n\n{marker}{language}\n{inner}\n{marker}\n\nThe end."
    for blocks in (parse_answer(text), _streamed(text, 1), _streamed(text, 7)):
        assert [type(each) for each in blocks] == [Paragraph, CodeBlock, Paragraph]
        code = blocks[1]
        assert isinstance(code, CodeBlock) and code.text.rstrip("\n") == inner and code.language == language
        assert text.split("\n")[blocks[2].at.first_line] == "The end."
    (found,) = fenced_code(text)
    assert found.text.rstrip("\n") == inner, "an artifact is the same block"


@pytest.mark.parametrize("margin", ["  ", "   ", "    ", "     ", "\t"])
@pytest.mark.parametrize("item", ["- Here:", "1. Here:", "* a\n* b", "1. a\n   - b"])
def test_inner_fences_stay_within_an_outer_one_of_a_list(item: str, margin: str) -> None:
    text = f"{item}\n\n" + "".join(f"{margin}{each}\n" for each in ["```markdown", *INNER.split("\n"), "```"])
    for blocks in (parse_answer(text), _streamed(text, 1), _streamed(text, 7)):
        assert [each.text.rstrip("\n") for each in blocks if isinstance(each, CodeBlock)] == [INNER]


@pytest.mark.parametrize(
    "text",
    [
        "```markdown\n# A\n```\n\ntext\n\n```bash\nmake\n```",
        "````markdown\n```bash\nmake\n```\n````\n\nend",
        "```python\n'''\n```\n\nend",
        "```markdown\n```bash\nno end\n```\n\nend",
        "```bash\ncat <<E\n```markdown\nE\n```\nend",
        "    ```markdown\n    ```bash\n",
        "- a\n\ntext\n\n    ```markdown\n    ```bash\n    make\n    ```\n    ```\n",
        "```markdown\n1. a\n\n    ```\n```\n\nend",
        "1.5 a\n**b**\n\n    ```markdown\n    ```bash\n    ```\n    ```\n",
        "```markdown\nnever ends",
    ],
)
def test_other_fences_stay_what_they_are(text: str) -> None:
    assert parse_answer(text) == parse_markdown(text)
    assert _streamed(text, 1) == _streamed(text, 1000) == parse_answer(text)


def _streamed(text: str, size: int) -> tuple[object, ...]:
    parser = StreamingAnswer()
    for at in range(0, len(text), size):
        parser.append(text[at : at + size])
    parser.finish()
    return parser.blocks
