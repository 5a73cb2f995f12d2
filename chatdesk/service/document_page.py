"""Shows an OpenAPI document as one page without scripts, so that a strict policy holds and nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; --code: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 1rem 0 0.3rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.4rem 0; padding: 0.4rem 0.8rem; }
summary { cursor: pointer; }
.method { display: inline-block; width: 4.5rem; font: 600 0.85rem ui-monospace, monospace; }
code, pre { font: 0.85rem ui-monospace, monospace; }
pre { background: var(--code); padding: 0.6rem; border-radius: 6px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: 0.3rem 0.6rem 0.3rem 0; text-align: left; vertical-align: top; }
.quiet { color: var(--quiet); }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# The policy of the page: its own style and nothing else.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def page_of(document: dict[str, Any]) -> str:
    """Return the page that shows a document."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        group = path.removeprefix("/api/v1").strip("/").split("/")[0]
        groups.setdefault(group, []).extend(_operation(path, method, each) for method, each in methods.items())
    operations = "".join(f"<h2>{escape(name)}</h2>{''.join(each)}" for name, each in groups.items())
    forms = "".join(_form(name, each) for name, each in document["components"]["schemas"].items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} {escape(info['version'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])} "
        '<a href="/api/v1/openapi.json">The document as JSON</a>.</p>'
        f"<main>{operations}<h2>Forms</h2>{forms}</main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(_parameter(each) for each in operation["parameters"])
    parameters = f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""
    body = operation.get("requestBody")
    sent = f"<h3>Body</h3>{_contents(body['content'])}" if body else ""
    answers = "".join(_answer(status, each) for status, each in operation["responses"].items())
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{method.upper()}</span>'
        f'<code>{escape(path)}</code> <span class="quiet">{escape(operation["summary"])}</span></summary>'
        f"<p>{escape(operation['description'])}</p>{parameters}{sent}<h3>Answers</h3><table>{answers}</table></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    about = parameter.get("description") or _short(parameter["schema"])
    needed = "needed" if parameter.get("required") else ""
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td class='quiet'>{parameter['in']} {needed}</td>"
        f"<td>{escape(about)}</td></tr>"
    )


def _answer(status: str, response: dict[str, Any]) -> str:
    reference = response.get("$ref")
    if reference:
        form = "OpenAIError" if reference.endswith("/OpenAIError") else "Problem"
        about = f'<a href="#{form}">{form}</a>'
    else:
        about = escape(response["description"]) + _contents(response.get("content", {}))
    return f"<tr><td>{status}</td><td>{about}</td></tr>"


def _contents(content: dict[str, Any]) -> str:
    return " ".join(_content(media_type, each.get("schema", {})) for media_type, each in content.items())


def _content(media_type: str, schema: dict[str, Any]) -> str:
    reference = schema.get("$ref", "")
    if not reference:
        return f" <code>{escape(media_type)}</code>"
    name = escape(reference.rsplit("/", 1)[-1])
    return f' <a href="#{name}">{name}</a>'


def _form(name: str, schema: dict[str, Any]) -> str:
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    rows = "".join(_field(field, each, schema.get("required", ())) for field, each in properties.items())
    # The id is inside, because a browser opens a ``details`` only for a target within it.
    about = f'<p id="{escape(name)}">{escape(schema.get("description", ""))}</p>'
    return f"<details><summary>{escape(name)}</summary>{about}<table>{rows}</table></details>"


def _field(name: str, schema: dict[str, Any], required: Iterable[str]) -> str:
    needed = "needed" if name in required else ""
    return (
        f"<tr><td><code>{escape(name)}</code></td><td class='quiet'>{needed}</td><td>{escape(_short(schema))}</td></tr>"
    )


def _short(schema: dict[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(_short(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_short(schema.get('items', {}))}"
    if "const" in schema:
        return json.dumps(schema["const"])
    return str(schema.get("description") or schema.get("type", "anything"))
