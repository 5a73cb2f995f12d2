"""Prompts and resources of real servers: listed once, within bounds, and used as their servers answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chatdesk.core.domain.tools import ServerKind, ToolFailed, ToolServer
from chatdesk.core.tools.offers import PROMPTS, RESOURCES, ServerPrompt, ServerResource
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.tools_world import processes_with, server, tool_service
from tests.helpers.waiting import until


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncIterator[ToolService]:
    async with tool_service(tmp_path) as made:
        yield made
    await until(lambda: not processes_with(str(tmp_path)))


def _asked(log: Path) -> list[str]:
    return [json.loads(line)[0] for line in log.read_text("utf-8").splitlines()]


async def _prompts(service: ToolService, here: ToolServer) -> list[ServerPrompt]:
    await service.save(here)
    found = await service.offers.list(PROMPTS, here)
    return [each for each in found if isinstance(each, ServerPrompt)]


async def _resource(service: ToolService, title: str, log: Path | None = None) -> ServerResource:
    here = server(log=log)
    await service.save(here)
    found = await service.offers.list(RESOURCES, here)
    return next(each for each in found if isinstance(each, ServerResource) and each.title == title)


async def test_prompts_are_listed_once_and_again_when_their_server_says_so(
    service: ToolService, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    here = server(log=log)
    assert service.offers.known(PROMPTS, here) is None and not processes_with(str(tmp_path))
    review, greeting, *_ = await _prompts(service, here)
    assert (review.title, review.description) == ("Review a text", "Asks for an opinion on a text.")
    assert [(each.name, each.label, each.is_required) for each in review.arguments] == [
        ("subject", "subject", True),
        ("tone", "Tone", False),
    ]
    assert greeting.title == "greeting" and not greeting.arguments
    await service.offers.list(PROMPTS, here)
    assert _asked(log) == ["prompts/list"]
    service.offers.forget(here.id, PROMPTS)
    await service.offers.list(PROMPTS, here)
    assert _asked(log) == ["prompts/list", "prompts/list"]


async def test_names_of_prompts_are_cleaned_and_cut(service: ToolService) -> None:
    hostile = (await _prompts(service, server()))[2]
    assert hostile.title == "Delete [31m all of it" and len(hostile.description) == 400


async def test_long_lists_are_cut(service: ToolService) -> None:
    here = server("many-offers")
    assert len(await _prompts(service, here)) == 200
    assert len(await service.offers.list(RESOURCES, here)) == 500


async def test_a_server_that_offers_nothing_is_not_asked(service: ToolService, tmp_path: Path) -> None:
    here = server("no-offers", log=tmp_path / "log")
    assert not await _prompts(service, here) and not await service.offers.list(RESOURCES, here)


async def test_what_comes_with_chatdesk_offers_nothing(service: ToolService) -> None:
    assert await service.offers.list(PROMPTS, ToolServer("own", "Own", ServerKind.BUILT_IN)) == ()


async def test_a_prompt_is_filled_in_by_its_server(service: ToolService) -> None:
    review, greeting, *_ = await _prompts(service, server())
    used = await service.offers.use(review, {"subject": "WAL", "tone": ""})
    assert used.text == "User: Review WAL.\n\nAssistant: Gladly, plain."
    used = await service.offers.use(greeting, {})
    assert used.text == "Hello⟦U+202E⟧ there."
    assert [(file.name, file.data[:4]) for file in used.files] == [("greeting.png", b"\x89PNG")]


async def test_a_prompt_that_its_server_refuses_says_why(service: ToolService) -> None:
    review, *_ = await _prompts(service, server("exit-in-prompt"))
    with pytest.raises(ToolFailed, match="“Review a text” of Notes failed"):
        await service.offers.use(review, {"subject": "WAL"})


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Notes of today", ["Notes of today.md"]),
        ("picture", ["picture.png"]),
        ("folder", ["a.txt", "c.txt"]),
    ],
)
async def test_a_resource_becomes_files(service: ToolService, title: str, names: list[str]) -> None:
    files = await service.offers.read(await _resource(service, title))
    assert [file.name for file in files] == names and all(file.data for file in files)


async def test_a_file_address_is_read_by_its_server_alone(service: ToolService, tmp_path: Path) -> None:
    log = tmp_path / "log"
    resource = await _resource(service, "../../passwd", log)
    (file,) = await service.offers.read(resource)
    assert (file.name, file.data) == ("passwd.md", b"What the server says it is.")
    assert json.loads(log.read_text("utf-8").splitlines()[-1]) == ["resources/read", {"uri": "file:///etc/passwd"}]


async def test_a_resource_that_is_too_large_is_refused(service: ToolService) -> None:
    with pytest.raises(ToolFailed, match="larger than 20 MB"):
        await service.offers.read(await _resource(service, "large.txt"))
