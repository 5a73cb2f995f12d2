"""Implements the tools with which a model finds passages in the files of a project, and reads on from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.domain.tools import PROJECT_FILES_SERVER, Caller, ToolResult, ToolSource
from chatdesk.core.errors import InvalidInput
from chatdesk.core.knowledge.enclosing import quoted, title_of
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.links import link_to_passage
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool

_MOST_FOUND: Final = 8
_LONGEST_QUESTION: Final = 1_000
_READ_ON: Final = 6
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}

_FORBIDDEN: Final = ToolResult("The person does not send the files of this project to you.", is_error=True)


def project_files(knowledge: KnowledgeService) -> BuiltInServer:
    """Return the server of these tools. A call reaches the project of the thread that makes it, and no other."""
    tools = _FileTools(knowledge)
    return BuiltInServer(
        PROJECT_FILES_SERVER,
        Text("Files of the project"),
        (
            BuiltInTool(
                "search_project_files",
                Text("Search the files of the project"),
                "Find passages in the files of the project, by words and by meaning. Results are numbered: cite them in"
                " the answer as [1], [2].",
                {"question": {**_TEXT, "description": "what to look for, as a question or as words"}},
                ("question",),
                tools.search,
            ),
            BuiltInTool(
                "read_project_file",
                Text("Read on in a file of the project"),
                "Read the passages of a file from one that was found: give its id.",
                {"passage": {**_TEXT, "description": "id of a passage, as search_project_files returned it"}},
                ("passage",),
                tools.read,
            ),
        ),
    )


class _FileTools:
    def __init__(self, knowledge: KnowledgeService) -> None:
        self._knowledge = knowledge

    async def search(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        question = arguments.get("question")
        if not isinstance(question, str) or not question.strip() or len(question) > _LONGEST_QUESTION:
            raise InvalidInput("“question” is to be a short text.", safe="Nothing was read.", next_step="")
        if await self._is_forbidden(caller):
            return _FORBIDDEN
        found = await self._knowledge.search(caller.project_id, question, limit=_MOST_FOUND)
        sources = tuple(
            ToolSource(
                title_of(each),
                link_to_passage(each.source.id, each.file.path, each.passage.start, each.passage.end),
                f"(passage {each.file.id}.{each.position})\n{quoted(each.passage.text)}",
            )
            for each in found
        )
        size = sum(len(each.text.encode("utf-8", "replace")) for each in sources)
        return ToolResult("" if sources else "Nothing was found.", sources=sources, size_bytes=size)

    async def _is_forbidden(self, caller: Caller) -> bool:
        denied = await self._knowledge.choices.denied(caller.project_id)
        return caller.provider in denied or bool(denied and not caller.provider)

    async def read(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        file_id, _, position = str(arguments.get("passage", "")).partition(".")
        if not (file_id.isdecimal() and position.isdecimal() and len(file_id) + len(position) < 18):
            raise InvalidInput("“passage” is to be an id such as 12.3.", safe="Nothing was read.", next_step="")
        if await self._is_forbidden(caller):
            return _FORBIDDEN
        first = int(position)
        found = await self._knowledge.around(int(file_id), first, first + _READ_ON - 1)
        if not found or found[0].source.project_id != caller.project_id:
            return ToolResult("There is no such passage in the files of this project.", is_error=True)
        text = "\n\n".join(quoted(each.passage.text) for each in found)
        place = found[0]
        link = link_to_passage(place.source.id, place.file.path, place.passage.start, found[-1].passage.end)
        more = f"\n[The file goes on: read passage {file_id}.{first + _READ_ON}.]" if len(found) == _READ_ON else ""
        return ToolResult("", sources=(ToolSource(title_of(place), link, text + more),), size_bytes=len(text.encode()))
