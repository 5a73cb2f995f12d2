"""Diagrams of every kind that Mermaid has and models write, with a label of a test's in four places."""

from __future__ import annotations

from typing import Final

_SOURCES: Final = {
    "flowchart": """flowchart TD
 A["<a>"] -->|"<b>"| B("<c>")
 B --> C{"<d>"}
 subgraph S ["<b>"]
 D["<a>"]
 end
""",
    "sequence": """sequenceDiagram
 participant A as <a>
 participant B as <b>
 A->>B: <c>
 Note over A,B: <d>
 B-->>A: <a>
 loop <b>
 A->>B: <c>
 end
""",
    "class": """classDiagram
 class A["<a>"] {
 +String name
 +run() void
 }
 class B["<b>"]
 A <|-- B : <c>
 A "1" --> "*" B : <d>
""",
    "state": """stateDiagram-v2
 s1 : <a>
 s2 : <b>
 [*] --> s1
 s1 --> s2 : <c>
 s2 --> [*]
 note right of s2 : <d>
""",
    "er": """erDiagram
 "<a>" ||--o{ "<b>" : "<c>"
 "<a>" {
 string name "<d>"
 int number
 }
""",
    "mindmap": """mindmap
 root(("<a>"))
  x["<b>"]
   y("<c>")
  z["<d>"]
""",
    "pie": """pie showData title <a>
 "<b>" : 40
 "<c>" : 35
 "<d>" : 25
""",
    "gantt": """gantt
 title <a>
 dateFormat YYYY-MM-DD
 section <b>
 <c> :a1, 2024-01-01, 30d
 <d> :after a1, 20d
""",
    "timeline": """timeline
 title <a>
 section <d>
 2002 : <b>
 2004 : <c> : <d>
""",
    "quadrant": """quadrantChart
 title "<a>"
 x-axis "<b>" --> "<c>"
 y-axis "<d>" --> "<a>"
 quadrant-1 "<b>"
 quadrant-2 "<c>"
 quadrant-3 "<d>"
 quadrant-4 "<a>"
 "<b>": [0.3, 0.6]
 "<c>": [0.45, 0.23]
""",
    "sankey": """sankey-beta

"<a>","<b>",124
"<a>","<c>",60
"<b>","<d>",30
""",
    "xychart": """xychart-beta
 title "<a>"
 x-axis ["<b>", "<c>", "<d>"]
 y-axis "<a>" 4000 --> 11000
 bar [5000, 6000, 7500]
 line [5000, 6000, 7500]
""",
    "journey": """journey
 title <a>
 section <b>
 <c>: 5: Me
 <d>: 3: Me, Cat
""",
    "gitgraph": """gitGraph
 commit id: "<a>"
 branch develop
 commit id: "<b>" tag: "<c>"
 checkout main
 merge develop id: "<d>"
""",
    "kanban": """kanban
  c1["<a>"]
    t1["<b>"]
    t2["<c>"]
  c2["<d>"]
    t3["<a>"]
""",
}
KINDS: Final = tuple(_SOURCES)


def diagram(kind: str, word: str) -> str:
    """Return a diagram of ``kind`` whose labels are ``word``, and ``word`` with a letter after it."""
    source = _SOURCES[kind]
    for place, label in zip("abcd", (word, f"{word} B", f"{word} C", f"{word} D"), strict=True):
        source = source.replace(f"<{place}>", label)
    return source
