"""Writes the signs that look alike, for the names of a team's members, from the data of Unicode (UTS #39).

python packaging/team/write_look_alikes.py confusables.txt    # https://www.unicode.org/Public/security/
"""

import re
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "migrations" / "team" / "sql" / "0002" / "18_look_alikes.sql"
HEAD = """\
-- Signs of names, and what they look like: the data of Unicode's confusables (UTS #39, version {version}) that NFKD
-- leaves to be compared, without marks. Made by packaging/team/write_look_alikes.py; do not edit.

CREATE TABLE cd.look_alike (
    sign text PRIMARY KEY,
    look text NOT NULL
);

INSERT INTO cd.look_alike (sign, look)
SELECT substr(pair.text, 1, 1), substr(pair.text, 2) FROM unnest(string_to_array(
"""
TAIL = "    , ' ')) AS pair (text);\n"
# As cd.look leaves them out: marks of Latin, Greek, Cyrillic, Hebrew and Arabic, and spaces.
LEFT_OUT = re.compile(
    r"[\s\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    r"\ufe20-\ufe2f]"
)
LONGEST = 120


def main(source: Path) -> None:
    text = source.read_text(encoding="utf-8-sig")
    version = re.search(r"^# Version: (.+)$", text, re.MULTILINE)
    assert version is not None, "no file of confusables"
    looks: dict[str, str] = {}
    for line in text.splitlines():
        sign, _, rest = line.partition("#")[0].partition(";")
        if rest:
            looks[chr(int(sign, 16))] = "".join(chr(int(each, 16)) for each in rest.split(";")[0].split())

    def look(name: str) -> str:
        said = LEFT_OUT.sub("", unicodedata.normalize("NFKD", name))
        shown = "".join(looks.get(sign, sign) for sign in said)
        return shown if shown == name else look(shown)

    pairs = [
        sign + look(sign)
        for sign in sorted(looks)
        if unicodedata.normalize("NFKD", sign) == sign and not LEFT_OUT.match(sign) and look(sign) != sign
    ]
    lines: list[str] = [""]
    for pair in pairs:
        written = "".join(_written(sign) for sign in pair)
        if len(lines[-1]) + len(written) >= LONGEST - len("    U&''"):
            lines.append("")
        lines[-1] += f" {written}" if len(lines) > 1 or lines[-1] else written
    literal = "\n".join(f"    {'U&' if not place else ''}'{line}'" for place, line in enumerate(lines))
    FILE.write_text(HEAD.format(version=version[1]) + literal + "\n" + TAIL, encoding="utf-8")


def _written(sign: str) -> str:
    if sign.isascii() and sign.isalnum():
        return sign
    return f"\\{ord(sign):04X}" if ord(sign) < 0x10000 else f"\\+{ord(sign):06X}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
