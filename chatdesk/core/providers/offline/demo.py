"""Implements the ``/demo`` commands: one for everything that the window must be able to show, faults included."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from chatdesk.core.providers.offline import answers
from chatdesk.core.providers.offline.tour import joined, table
from chatdesk.core.texts import Text

_LONG_SECTIONS = 60


class DemoFault(StrEnum):
    """A fault that a demo shows on purpose."""

    RATE_LIMIT = "rate_limit"
    BROKEN_OFF = "broken_off"
    BUSY_ONCE = "busy_once"


@dataclass(frozen=True, slots=True)
class Demo:
    """The answer to one ``/demo`` command. ``tool_call`` is (name, arguments); ``is_slow`` ignores the speed
    setting."""

    summary: str
    text: str
    reasoning: str = ""
    tool_call: tuple[str, str] | None = None
    fault: DemoFault | None = None
    is_slow: bool = False


def find_demo(question: str) -> Demo | None:
    """Return the demo asked for, the list of all for ``/demo`` alone or an unknown name, None for any other text."""
    words = question.split()
    if not words or words[0].lower() != "/demo":
        return None
    demos = all_demos()
    name = " ".join(words[1:]).lower().removeprefix("error ") if len(words) > 2 else "".join(words[1:]).lower()
    return demos.get(name) or Demo("the list", _list_of(demos, unknown=" ".join(words[1:])))


def all_demos() -> Mapping[str, Demo]:
    """Return every demo under its name."""
    return {
        "long": Demo(Text("a very long answer (some 6,000 words)"), _long_text()),
        "code": Demo(Text("code in several languages"), _CODE),
        "table": Demo(Text("tables, narrow and wide"), _TABLE),
        "math": Demo(Text("formulas"), _MATH),
        "picture": Demo(Text("a picture, which is kept as a file of the answer"), _PICTURE.format(sunset())),
        "markdown": Demo(Text("every kind of Markdown"), _MARKDOWN),
        "slow": Demo(Text("eight pieces a second: time to press Stop"), _SLOW, is_slow=True),
        "429": Demo(Text("too many requests: a wait that is announced, then an error"), "", fault=DemoFault.RATE_LIMIT),
        "busy": Demo(Text("the same wait, then an answer"), _BUSY, fault=DemoFault.BUSY_ONCE),
        "error": Demo(
            Text("the connection breaks in the middle; Continue finishes"), _ERROR, fault=DemoFault.BROKEN_OFF
        ),
        "reasoning": Demo(Text("thoughts before the answer"), _REASONED, reasoning=_REASONING),
        "tool": Demo(Text("a tool call"), _TOOL, tool_call=("get_weather", '{"city": "Reykjavík", "days": 3}')),
    }


def _list_of(demos: Mapping[str, Demo], *, unknown: str) -> str:
    rows = [(f"`/demo {name}`", demo.summary) for name, demo in demos.items()]
    intro = (
        Text("There is no demo called {name}. These exist:", name=answers.quote(unknown))
        if unknown
        else Text("Try one of these:")
    )
    return joined(intro, table([(Text("Command"), Text("What it shows")), *rows]))


def _long_text() -> str:
    paragraph = (
        "A long answer shows whether the text stays where you read it, whether scrolling is smooth, and whether *Stop* "
        "works at any moment. The words repeat, the numbers do not, so that a lost or doubled piece is easy to see. "
        "Scroll up while it is being written: the view must not jump. Press the End key to follow it again."
    )
    sections = ["# A long answer"]
    for number in range(1, _LONG_SECTIONS + 1):
        body = f"## Section {number}\n\n{paragraph} This is paragraph {number} of {_LONG_SECTIONS}."
        if number % 5 == 0:
            body += f'\n\n```python\nsection = {number}\nprint(f"{{section}} of {_LONG_SECTIONS}")\n```'
        if number % 7 == 0:
            body += f"\n\n| Section | Square | Cube |\n|--:|--:|--:|\n| {number} | {number**2} | {number**3} |"
        sections.append(f"{body}\n\n- point {number}.1\n- point {number}.2 with `code` and **weight**")
    return "\n\n".join(sections)


_CODE = """Here is the same task in several languages.

```python
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0

    def distance(self) -> float:
        \"\"\"From the origin.\"\"\"
        return (self.x**2 + self.y**2) ** 0.5


print(f"{Point(3, 4).distance():.2f}")  # 5.00
```

```rust
#[derive(Debug, Clone, Copy)]
struct Point { x: f64, y: f64 }

impl Point {
    fn distance(&self) -> f64 { self.x.hypot(self.y) }
}

fn main() { println!("{:.2}", Point { x: 3.0, y: 4.0 }.distance()); }
```

```sql
SELECT thread_id, COUNT(*) AS messages
FROM messages
WHERE deleted_at IS NULL
GROUP BY thread_id
HAVING COUNT(*) > 10
ORDER BY messages DESC;
```

```json
{"name": "ChatDesk", "values": [1, 2.5, null, true], "nested": {"text": "a \\"quoted\\" word"}}
```

```diff
- print "old"
+ print("new")
```

A fence without a language, and a very long line:

```
$ grep --recursive --line-number --include='*.py' 'a rather long pattern that makes this line wide' . | sort
```

And `inline code with ``backticks`` inside`."""

_TABLE = """A narrow table:

| Fruit | Price | In season |
|:--|--:|:-:|
| Apple | 1.20 | ✓ |
| Pear | 2.35 | ✓ |
| Cherry | 11.90 | – |

A wide one, with **bold**, `code` and a pipe \\| in a cell:

| Name | Language | Licence | First release | Platform | Remarks |
|:--|:--|:--|--:|:--|:--|
| SQLite | C | public domain | 2000 | everywhere | the most used database there is |
| PostgreSQL | C | PostgreSQL | 1996 | servers | **row-level security**, `LISTEN`/`NOTIFY` |
| Qt | C++ | LGPL | 1995 | desktop, mobile | this window is made with it |
| Python | C | PSF | 1991 | everywhere | a \\| b means *a or b* |"""

_MATH = r"""The roots of a quadratic equation $ax^2 + bx + c = 0$:

$$
x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
$$

Euler's identity, $e^{i\pi} + 1 = 0$, joins five numbers. The Gaussian integral:

$$
\int_{-\infty}^{\infty} e^{-x^2} \, dx = \sqrt{\pi}
$$

A matrix and its determinant:

$$
\begin{vmatrix} a & b \\ c & d \end{vmatrix} = ad - bc
$$

Prices such as $5 and $10 are not formulas."""

_MARKDOWN = """# Heading 1
## Heading 2
### Heading 3

A paragraph with *emphasis*, **strong emphasis**, ***both***, ~~struck out~~, `code`, a [link](https://example.org) and
a footnote[^1].

- a list
  - inside a list
    1. with numbers
    2. inside
- [ ] a task
- [x] a task that is done

> A quotation
>
> > inside a quotation

| Table | Cell |
|:--|--:|
| left | right |

---

```text
a fence
```

<b>raw HTML is shown as text</b>, and an image is not loaded: ![picture](https://example.org/picture.png)

Scripts: العربية, עברית, 中文, 日本語, हिन्दी, 👩‍👩‍👧‍👦, é = e\N{COMBINING ACUTE ACCENT}.

[^1]: This is the footnote."""

_PICTURE = """Models that draw send their pictures in the answer. This one was drawn here, without a network:

{}

It is a file of this answer: open, save or copy it by its buttons. It goes with exports and branches."""

_SLOW = """This answer takes its time: one small piece after the other, eight in each second, whatever speed is set. \
There is enough of it to press *Stop* in the middle, to close the window, to switch to another thread and back, \
or to watch how the view follows the end of the text. After *Stop*, the part that arrived is kept; *Continue* goes on \
exactly where it stopped. **That was all.**"""

_BUSY = "The server was busy at first; the window said so and waited. Here is the answer: **patience pays**."

_ERROR = """This answer breaks off in the middle, as if the network had gone. What you can read until then is kept, \
the reason stands below it, and *Continue* brings the rest:

1. the text before the break is unchanged,
2. the text after it follows without a gap,
3. nothing is there twice.

You have reached the end, so everything works."""

_REASONING = """The question is which of two boxes is heavier. Let me call them A and B. A holds three books of 400 g, \
so 1.2 kg. B holds one book of 700 g and a lamp of 600 g, so 1.3 kg. Let me check the sum: 700 + 600 = 1300. Yes, B is \
heavier, by 100 g."""

_REASONED = """**Box B is heavier**, by 100 g.

| Box | Contents | Weight |
|:--|:--|--:|
| A | 3 books of 400 g | 1.2 kg |
| B | a book of 700 g and a lamp of 600 g | 1.3 kg |"""

_TOOL = "Let me look up the weather for you."


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WIDTH, _HEIGHT, _HORIZON = 480, 300, 190
_SUN = (240, 168, 46)  # x, y and radius
_SKY = ((38, 52, 96), (244, 158, 96))
_SEA = ((196, 116, 92), (16, 40, 66))


@cache
def sunset() -> str:
    """Return the picture as Markdown."""
    rows = b"".join(b"\0" + _row(y) for y in range(_HEIGHT))
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return f"![A sunset over the sea](data:image/png;base64,{base64.b64encode(_SIGNATURE + chunks).decode()})"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _row(y: int) -> bytes:
    """Return a row of pixels: sky or sea, and in its middle the sun or its light on the water."""
    if y < _HORIZON:
        ground, light = _between(*_SKY, y // 6 * 6 / _HORIZON), bytes((255, 226, 158))
        half = round(math.sqrt(max(0, _SUN[2] ** 2 - (y - _SUN[1]) ** 2)))
    else:
        depth = (y - _HORIZON) // 5
        ground, light = _between(*_SEA, depth * 5 / (_HEIGHT - _HORIZON)), bytes((250, 196, 134))
        half = (40 - depth) * (depth % 2 == 0)
    left = _SUN[0] - half
    return ground * left + light * (2 * half) + ground * (_WIDTH - left - 2 * half)


def _between(first: tuple[int, ...], second: tuple[int, ...], share: float) -> bytes:
    return bytes(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
