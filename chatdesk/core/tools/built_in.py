"""Tools that come with ChatDesk. They are offered, asked about and called as those of any server, and run here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatdesk.core.domain.tools import Caller, ServerKind, Tool, ToolHints, ToolResult, ToolServer

#: Gets the arguments as a model wrote them and who calls, and returns text for the model, with files where it has any.
#: Raises errors of ChatDesk.
Run = Callable[[Mapping[str, Any], Caller], Awaitable[str | ToolResult]]


@dataclass(frozen=True, slots=True)
class BuiltInTool:
    """``properties`` is the JSON schema of each argument."""

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]
    run: Run


class BuiltInServer:
    """Tools of one subject, which a person switches on together. ``is_of_project``: they are there in projects that
    have a folder, and reach nothing else."""

    def __init__(self, server_id: str, name: str, tools: Sequence[BuiltInTool], *, is_of_project: bool = False) -> None:
        self.server = ToolServer(server_id, name, ServerKind.BUILT_IN, is_on=False, is_of_project=is_of_project)
        self._tools = {each.name: each for each in tools}

    def tools(self) -> tuple[Tool, ...]:
        return tuple(map(self._described, self._tools.values()))

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
        hints = ToolHints(is_read_only=True, is_destructive=False, is_open_world=False)
        digest = hashlib.sha256(said.encode()).hexdigest()
        return Tool(self.server.id, self.server.name, tool.name, "", tool.description, schema, hints, digest)
