"""Holds the demo model's texts about itself and ChatDesk: its openings, its invitations, and the tour. A newcomer reads
them first, so they are in the person's language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatdesk.core.texts import Text, is_translated, shown

OPENINGS: Final = (
    Text("I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can."),
    Text("This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing."),
    Text("A good question for a real model! I am the **demo model** and can only show what ChatDesk does."),
)
SAMPLE_OPENINGS: Final = (
    Text("I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:"),
    Text("A real model would answer here. This is what its answer could look like:"),
    Text("I know nothing, but I can show you how such an answer looks in ChatDesk:"),
)
FAREWELL: Final = Text(
    "This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of"
    " models at the top. `/demo` lists what else I can show."
)
HELLO: Final = Text("Hello!")
_TRY: Final = Text("Try one of these with me:")
_REAL_ANSWERS: Final = Text("To get real answers choose *Add provider…* in the list of models at the top.")
_INVITED: Final = (
    (Text("Ask for"), Text("and see")),
    (Text("*a tour*"), Text("what ChatDesk can do")),
    (Text("*code*, *a table*, *a formula*, *a plan*"), Text("how an answer is drawn")),
    ("`/demo long`", Text("a long answer, to scroll and to stop")),
    ("`/demo error`", Text("what happens when a connection breaks")),
    ("`/demo`", Text("everything else")),
)
_ABOUT: Final = Text(
    "I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show"
    " you what ChatDesk does with the answers of a real model."
)
_CODE: Final = """```python
def greet(name: str = "world") -> str:
    return f"Hello, {name}!"
```"""
_MEANS: Final = (
    (Text("What you can do"), Text("How")),
    (Text("Ask again, or another model"), Text("the buttons below an answer, or Ctrl+R")),
    (Text("Change a question"), Text("its pencil; the old version stays")),
    (Text("Try another direction"), Text("*Branch* in the menu of a message")),
    (Text("Ask several models at once"), Text("*Compare models…* in the list of models")),
    (Text("Attach a file or a picture"), Text("drop it on the window, or paste it")),
    (Text("Stop an answer"), Text("Esc")),
)
_CHATS: Final = (
    Text("**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help."),
    Text("Projects, tags, pins and an archive keep order; what was deleted waits in the trash."),
    Text("Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others."),
    Text("The window closes at any time: no word is lost, and an answer can be continued."),
)
_NEXT: Final = (
    Text("Choose *Add provider…* in the list of models at the top, and paste a key."),
    Text("Or start a server on this computer, such as Ollama: it is found by itself."),
    Text("Type `/demo` to see what else I can show."),
)


def invitation() -> str:
    """Return a text on the questions that a newcomer may ask, and on the source of real answers."""
    return joined(_TRY, table(_INVITED), _REAL_ANSWERS)


def tour() -> str:
    """Return the tour: ChatDesk's features for the answers of a real model."""
    return joined(
        _ABOUT,
        heading(Text("Answers")),
        Text("Code has colours, a button to copy it, and scrolls on its own:"),
        _CODE,
        Text("Formulas are drawn, {formula}, and tables are tables:", formula=r"$e^{i\pi} + 1 = 0$"),
        table(_MEANS),
        heading(Text("Your threads")),
        "\n".join(f"- {shown(each)}" for each in _CHATS),
        heading(Text("Next", "steps")),
        "\n".join(f"- [ ] {shown(each)}" for each in _NEXT),
    )


def asks_for(words: str, question: str) -> bool:
    """Return whether a question in small letters has one of ``words``, a list in the language of the program. In
    English nothing is: there patterns look for more than words."""
    return is_translated() and any(
        re.search((r"\b" if word[0].isascii() else "") + re.escape(word), question) is not None
        for word in re.split(r"[,،、，]\s*", shown(words).casefold())
        if word
    )


def joined(*parts: str) -> str:
    """Return Markdown of paragraphs in the language of the program."""
    return "\n\n".join(map(shown, parts))


def heading(text: str) -> str:
    return f"### {shown(text)}"


def table(rows: Sequence[Sequence[str]], line: str = "|:--|:--|") -> str:
    """Return a table as Markdown; ``line`` is the one below its head."""
    head, *others = (f"| {' | '.join(map(shown, row))} |" for row in rows)
    return "\n".join((head, line, *others))
