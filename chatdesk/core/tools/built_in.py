"""Tools that come with ChatDesk. They are offered, asked about and called as those of any server, and run here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatdesk.core.domain.tools import Caller, ServerKind, Tool, ToolHints, ToolResult, ToolServer
from chatdesk.core.texts import Text

# Gets the arguments as a model wrote them and who calls, and returns text for the model, with files where it has any.
# Raises errors of ChatDesk.
Run = Callable[[Mapping[str, Any], Caller], Awaitable[str | ToolResult]]


@dataclass(frozen=True, slots=True)
class BuiltInTool:
    """A tool that comes with ChatDesk. ``title`` says to people what it does, ``description`` to models; ``properties``
    is the JSON schema of each argument. ``goes_to`` says to which server arguments are sent, for a tool that reaches
    the open network; ``is_there``: it can be used as things are. One that ``only_proposes`` tells the model nothing and
    changes nothing: the person decides about what it proposes, and is not asked before."""

    name: str
    title: Text
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    run: Run
    goes_to: Callable[[Mapping[str, Any]], str] | None = None
    is_there: Callable[[], bool] = lambda: True
    only_proposes: bool = False


class BuiltInServer:
    """Tools of one subject, which a person switches on together. ``is_of_project``: they exist in projects that have a
    folder, and reach nothing else. ``close`` aborts running calls."""

    def __init__(
        self,
        server_id: str,
        name: Text,
        tools: Sequence[BuiltInTool],
        *,
        is_of_project: bool = False,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.close = close
        self.server = ToolServer(server_id, name, ServerKind.BUILT_IN, is_on=False, is_of_project=is_of_project)
        self._tools = {each.name: each for each in tools}

    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._described(each) for each in self._tools.values() if each.is_there())

    def only_proposes(self, name: str) -> bool:
        """Return whether a tool does nothing but propose something to the person."""
        tool = self._tools.get(name)
        return tool is not None and tool.only_proposes

    def goes_to(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Return the server to which the arguments of a tool are sent; empty where it reaches nothing outside."""
        tool = self._tools.get(name)
        return tool.goes_to(arguments) if tool is not None and tool.goes_to is not None else ""

    async def call(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Run a tool. Raises errors of ChatDesk."""
        tool = self._tools.get(name)
        if tool is None:
            return ToolResult("There is no such tool.", is_error=True)
        text = await tool.run(arguments, caller)
        if isinstance(text, ToolResult):
            return text
        return ToolResult(text, size_bytes=len(text.encode("utf-8", "replace")))

    def _described(self, tool: BuiltInTool) -> Tool:
        schema = {"type": "object", "properties": dict(tool.properties), "required": list(tool.required)}
        said = json.dumps([tool.name, tool.description, schema], sort_keys=True)
        hints = ToolHints(is_read_only=True, is_destructive=False, is_open_world=tool.goes_to is not None)
        digest = hashlib.sha256(said.encode()).hexdigest()
        return Tool(self.server.id, self.server.name, tool.name, tool.title, tool.description, schema, hints, digest)
