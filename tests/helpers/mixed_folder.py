"""Makes a folder of 300 mixed files as a person has one: documents of every kind that ChatDesk reads, texts in several
encodings, pictures, damaged files and scans; ten of them answer a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.helpers import documents

FILES: Final = 300
#: Those that nothing can be read from; they stand in the list, with the reason.
UNREADABLE: Final = ("broken/cut.pdf", "broken/empty.docx", "broken/locked.pdf", "broken/noise.dat", "broken/scan.pdf")
LISTED_NOT: Final = ("pictures/holiday.jpg", "pictures/archive.zip")  # kinds that no text is in
_NAMES: Final = ("Amber", "Birch", "Cedar", "Dahlia", "Elder", "Fennel", "Ginger", "Hazel", "Iris", "Juniper")
_TOPICS: Final = ("harvest", "bridge", "telescope", "orchestra", "glacier", "printer", "ferry", "quarry", "kiln")


@dataclass(frozen=True, slots=True)
class Fact:
    """A question, the file that answers it, and the words of the answer."""

    question: str
    path: str
    answer: str


FACTS: Final = (
    Fact("Which deposit does the rental agreement of the boathouse ask for?", "facts/agreement.pdf", "1,850 euros"),
    Fact("Who repairs the lighthouse lamp of the northern pier?", "facts/lamp.docx", "Marta Olsen"),
    Fact("When does the pottery exhibition open its doors?", "facts/exhibition.pptx", "on 14 March at noon"),
    Fact("What does the budget give for the beekeeping hives?", "facts/budget.xlsx", "7,310 crowns"),
    Fact("How long must the sourdough for rye loaves rest?", "facts/bread.odt", "nineteen hours"),
    Fact("Which melody does the clockmaker hear in the tower?", "facts/novel.epub", "the waltz of the swallows"),
    Fact("Which gate does the delayed shuttle to Reykjavik leave from?", "facts/shuttle.eml", "from gate C17"),
    Fact("Which colour must the emergency valve of the boiler have?", "facts/boiler.html", "bright violet"),
    Fact("How many retries does the satellite uplink make?", "facts/uplink.py", "UPLINK_RETRIES = 23"),
    Fact("Wie heißt die Brücke über den Mühlgraben?", "facts/brücke.txt", "Königin-Luise-Steg"),
)


def make_mixed_folder(folder: Path) -> None:
    """Write the files."""
    files: dict[str, bytes] = {**_facts(), **_broken()}
    makers = tuple(_MAKERS.items())
    for number in range(FILES - len(files)):
        ending, make = makers[number % len(makers)]
        name, topic = _NAMES[number % len(_NAMES)], _TOPICS[number % len(_TOPICS)]
        files[f"{topic}/{name} {number}.{ending}"] = make(
            f"{name} {topic} {number}", f"Note {number} of {name} about the {topic}: nothing was decided."
        )
    assert len(files) == FILES
    for path, data in files.items():
        whole = folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(data)


def _html(title: str, text: str) -> bytes:
    return f"<html><title>{title}</title><body><h1>{title}</h1><p>{text}</p></body></html>".encode()


def _docx(title: str, text: str) -> bytes:
    return documents.docx_of(documents.word_paragraph(title, "Heading1") + documents.word_paragraph(text))


_MAKERS: Final[dict[str, Callable[[str, str], bytes]]] = {
    "md": lambda title, text: f"# {title}\n\n{text}\n".encode(),
    "txt": lambda title, text: f"{title}\n\n{text} Größe, naïve.\n".encode("cp1252"),
    "text": lambda title, text: f"{title}\n\n{text} Žluťoučký kůň.\n".encode("utf-16"),
    "csv": lambda title, text: f"name;note\n{title};{text}\n".encode(),
    "py": lambda title, text: f'def note() -> str:\n    """{title}"""\n    return "{text}"\n'.encode(),
    "json": lambda title, text: f'{{"title": "{title}", "note": "{text}"}}'.encode(),
    "pdf": lambda title, text: documents.pdf(f"{title}\n{text}"),
    "docx": _docx,
    "pptx": lambda title, text: documents.pptx([documents.slide(title, text)]),
    "xlsx": lambda title, text: documents.xlsx({"Notes": documents.sheet_rows([["Title", "Note"], [title, text]])}),
    "odt": lambda title, text: documents.odt(f"<text:h>{title}</text:h><text:p>{text}</text:p>"),
    "epub": lambda title, text: documents.epub(f"<h1>{title}</h1><p>{text}</p>"),
    "eml": documents.eml,
    "html": _html,
}


def _facts() -> dict[str, bytes]:
    rows = [["Post", "Amount"], ["beekeeping hives", "7,310 crowns"], ["garden fence", "412 crowns"]]
    return {
        "facts/agreement.pdf": documents.pdf(
            "Rental agreement of the boathouse\nThe boathouse is let for a year.",
            "Deposit\nThe rental agreement of the boathouse asks for a deposit of 1,850 euros.",
        ),
        "facts/lamp.docx": _docx("Lighthouse", "The lighthouse lamp of the northern pier is repaired by Marta Olsen."),
        "facts/exhibition.pptx": documents.pptx(
            [
                documents.slide("Welcome", "An evening of clay."),
                documents.slide("Dates", "The pottery exhibition opens its doors on 14 March at noon."),
            ]
        ),
        "facts/budget.xlsx": documents.xlsx({"Budget": documents.sheet_rows(rows)}),
        "facts/bread.odt": documents.odt(
            "<text:h>Rye loaves</text:h><text:p>The sourdough for rye loaves must rest nineteen hours.</text:p>"
        ),
        "facts/novel.epub": documents.epub(
            "<h1>One</h1><p>It rained in the town.</p>",
            "<h1>Two</h1><p>In the tower the clockmaker hears a melody: the waltz of the swallows.</p>",
        ),
        "facts/shuttle.eml": documents.eml(
            "Delayed shuttle", "The delayed shuttle to Reykjavik leaves from gate C17 tonight."
        ),
        "facts/boiler.html": _html("Boiler", "The emergency valve of the boiler must have the colour bright violet."),
        "facts/uplink.py": b"# The retries that the satellite uplink makes before it gives up.\nUPLINK_RETRIES = 23\n",
        "facts/brücke.txt": "Die Brücke über den Mühlgraben heißt Königin-Luise-Steg.\n".encode("cp1252"),
    }


def _broken() -> dict[str, bytes]:
    whole = documents.pdf("Words that nobody reads")
    return {
        "broken/cut.pdf": whole[:200],
        "broken/empty.docx": b"",
        "broken/locked.pdf": documents.pdf("Hidden words", password="secret"),
        "broken/noise.dat": bytes(range(256)) * 8,
        "broken/scan.pdf": documents.scanned_pdf(2),
        **dict.fromkeys(LISTED_NOT, b"\xff\xd8\xff not a picture"),
    }
