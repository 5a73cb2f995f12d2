"""Names files for code that is saved or opened.

Only the ending depends on the language of the fence, and only by this table: nothing in a message becomes part of a
path.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_ENDINGS: Final = MappingProxyType(
    {
        "py": ("python", "python3", "py", "pycon"),
        "js": ("javascript", "js", "node", "jsx"),
        "ts": ("typescript", "ts", "tsx"),
        "json": ("json", "jsonc", "json5"),
        "html": ("html", "htm", "xhtml"),
        "css": ("css", "scss", "less"),
        "md": ("markdown", "md"),
        "sh": ("bash", "sh", "shell", "zsh", "console", "fish"),
        "ps1": ("powershell", "ps1", "pwsh"),
        "sql": ("sql", "postgresql", "postgres", "mysql", "sqlite", "plpgsql"),
        "c": ("c",),
        "h": ("h",),
        "cpp": ("cpp", "c++", "cxx"),
        "cs": ("csharp", "cs", "c#"),
        "java": ("java",),
        "kt": ("kotlin", "kt"),
        "swift": ("swift",),
        "go": ("go", "golang"),
        "rs": ("rust", "rs"),
        "rb": ("ruby", "rb"),
        "php": ("php",),
        "pl": ("perl", "pl"),
        "lua": ("lua",),
        "r": ("r",),
        "scala": ("scala",),
        "hs": ("haskell", "hs"),
        "xml": ("xml",),
        "svg": ("svg",),
        "yaml": ("yaml", "yml"),
        "toml": ("toml",),
        "ini": ("ini", "cfg", "conf"),
        "csv": ("csv",),
        "tsv": ("tsv",),
        "tex": ("tex", "latex"),
        "diff": ("diff", "patch"),
        "mmd": ("mermaid",),
        "qml": ("qml",),
    }
)
_BY_LANGUAGE: Final = MappingProxyType({name: ending for ending, names in _ENDINGS.items() for name in names})


def suggested_name(language: str) -> str:
    """Return ``code.py`` for Python, and ``code.txt`` for a language that is not known."""
    return f"code.{_BY_LANGUAGE.get(language.strip().lower(), 'txt')}"


def language_of(file_name: str) -> str:
    """Return the language of a file by the ending of its name; an empty string for an ending that is not known."""
    names = _ENDINGS.get(file_name.rpartition(".")[2].lower())
    return names[0] if names is not None else ""
