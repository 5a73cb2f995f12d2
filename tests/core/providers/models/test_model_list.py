"""What servers say of their models, in the ways in which they really say it."""

from __future__ import annotations

import json

import pytest

from chatdesk.core.domain.model_info import Price
from chatdesk.core.domain.provider_check import ListedModel
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.models.model_list import LocalServer, local_server, read_models
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from tests.helpers.fault_server import Exchange, FaultServer, SeenRequest

OPENROUTER = {
    "id": "maker/seer",
    "name": "Maker: Seer",
    "context_length": 128_000,
    "architecture": {
        "modality": "text+image->text",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
    },
    "pricing": {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000125", "image": "0"},
    "top_provider": {"context_length": 128_000, "max_completion_tokens": 16_384},
}


def _body(*rows: object, **more: object) -> bytes:
    return json.dumps({"object": "list", "data": list(rows), **more}).encode()


def _read(*rows: object, **more: object) -> tuple[ListedModel, ...]:
    return read_models(_body(*rows, **more), is_openai=False)


@pytest.mark.parametrize(
    ("row", "sees"),
    [
        (OPENROUTER, True),
        ({"id": "a", "architecture": {"modality": "text+image->text"}}, True),
        ({"id": "a", "architecture": {"modality": "text->text"}}, False),
        ({"id": "a", "capabilities": {"completion_chat": True, "vision": True}}, True),
        ({"id": "a", "capabilities": {"completion_chat": True, "vision": False}}, False),
        ({"id": "a", "capabilities": ["completion", "multimodal"]}, True),
        ({"id": "a", "capabilities": ["completion", "tools"]}, False),
        ({"id": "a", "capabilities": {"image_input": {"supported": True}}}, True),
        ({"id": "a", "supports_image_in": True}, True),
        ({"id": "a", "type": "vlm"}, True),
        ({"id": "a", "capabilities": {"tools": True}}, None),
        ({"id": "a"}, None),
        ({"id": "a", "capabilities": 7, "architecture": "x", "vision": "yes"}, None),
    ],
)
def test_whether_a_model_sees_images_is_read_where_the_server_says_it(row: object, sees: bool | None) -> None:
    assert [each.sees_images for each in _read(row)] == [sees]


def test_prices_and_sizes_are_read() -> None:
    (model,) = _read(OPENROUTER)
    assert model.price == Price(input=2.5, cached_input=1.25, output=10.0)
    assert (model.context_window, model.largest_answer) == (128_000, 16_384)
    (each,) = _read({"id": "a", "pricing": {"input": 0.2, "output": 0.6}})
    assert each.price == Price(0.2, 0.2, 0.6)
    (loaded,) = _read({"id": "a", "loaded_context_length": 4096, "max_context_length": 131_072})
    assert loaded.context_window == 4096


@pytest.mark.parametrize(
    "pricing", [{"prompt": "-1", "completion": "-1"}, {"prompt": "x"}, {"input": 0, "output": 0}, {"input": True}, 3]
)
def test_a_price_that_is_none_is_not_believed(pricing: object) -> None:
    assert _read({"id": "a", "pricing": pricing})[0].price is None


@pytest.mark.parametrize(
    "row",
    [
        {"id": "nomic-embed-text:latest"},
        {"id": "text-embedding-3-small"},
        {"id": "BAAI/bge-m3"},
        {"id": "intfloat/multilingual-e5-large"},
        {"id": "all-minilm:l6-v2"},
        {"id": "stable-diffusion-xl"},
        {"id": "black-forest-labs/FLUX.1-dev"},
        {"id": "dall-e-3"},
        {"id": "whisper-large-v3"},
        {"id": "cohere/rerank-v3"},
        {"id": "a", "type": "embeddings"},
        {"id": "a", "type": "image"},
        {"id": "a", "task": "feature-extraction"},
        {"id": "a", "architecture": {"output_modalities": ["image"]}},
        {"id": "a", "capabilities": ["embedding"]},
        {"id": "a", "capabilities": {"completion_chat": False, "embeddings": True}},
    ],
)
def test_a_model_that_does_not_chat_is_left_out(row: object) -> None:
    assert [each.id for each in _read(row, {"id": "chats"})] == ["chats"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "embedded-systems-helper"},
        {"id": "gemini-2.5-flash-image", "architecture": {"output_modalities": ["image", "text"]}},
        {"id": "e5-chat", "type": "chat"},
        {"id": "my-embed", "capabilities": ["completion"]},
        {"id": "gpt-4o-search-preview"},
        {"id": "imagenette-tutor"},
    ],
)
def test_a_model_that_chats_stays(row: dict[str, object]) -> None:
    assert [each.id for each in _read(row)] == [row["id"]]


def test_two_lists_of_one_server_are_read_together() -> None:
    (model,) = _read(
        {"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072, "n_ctx": 8192}},
        models=[{"name": "m.gguf", "capabilities": ["completion", "multimodal"]}, {"name": 3}, None],
    )
    assert (model.sees_images, model.context_window, model.label) == (True, 8192, "m.gguf")


def test_servers_with_more_to_tell_are_known_by_the_owner_they_name() -> None:
    assert local_server(_body({"id": "a", "owned_by": "library"})) is LocalServer.OLLAMA
    assert local_server(_body({"id": "a", "owned_by": "organization_owner"})) is LocalServer.LM_STUDIO
    assert local_server(_body({"id": "a", "owned_by": "openai"})) is None
    assert local_server(b"[" * 100_000) is None


async def _list(server: FaultServer) -> tuple[ListedModel, ...]:
    provider = OpenAICompatibleProvider("test", "Test", Endpoint.of(server.base_url, "sk-not-a-key-0000"))
    try:
        return await provider.list_models()
    finally:
        await provider.close()


async def _reply(exchange: Exchange, body: bytes) -> None:
    await exchange.start(content_type="application/json", chunked=False, length=len(body))
    await exchange.send(body)


def _asked(requests: list[SeenRequest]) -> list[str]:
    return [each.json["model"] for each in requests if each.path == "/api/show"]


async def test_ollama_is_asked_what_each_model_can_do() -> None:
    told = {
        "gemma3:4b": {"capabilities": ["completion", "vision"], "parameters": 'stop "<end>"\nnum_ctx    16384'},
        "qwen3:8b": {"capabilities": ["completion", "tools"]},
        "mine": {"capabilities": ["embedding"]},
    }

    async def script(exchange: Exchange) -> None:
        if exchange.request.path == "/api/show":
            await _reply(exchange, json.dumps(told[exchange.request.json["model"]]).encode())
        else:
            await _reply(exchange, _body(*({"id": name, "owned_by": "library"} for name in told)))

    async with FaultServer(script) as server:
        models = await _list(server)
        assert [(each.id, each.sees_images, each.context_window) for each in models] == [
            ("gemma3:4b", True, 16_384),
            ("qwen3:8b", False, None),
        ]
        assert sorted(_asked(server.requests)) == sorted(told)


async def test_lm_studio_says_which_models_see() -> None:
    own = [
        {"id": "seer", "type": "vlm", "loaded_context_length": 8192, "max_context_length": 131_072},
        {"id": "blind", "type": "llm", "max_context_length": 32_768},
        {"id": "vectors", "type": "embeddings"},
    ]

    async def script(exchange: Exchange) -> None:
        is_own = exchange.request.path == "/api/v0/models"
        rows = own if is_own else [{"id": each["id"], "owned_by": "organization_owner"} for each in own]
        await _reply(exchange, _body(*rows))

    async with FaultServer(script) as server:
        models = await _list(server)
        assert [(each.id, each.sees_images, each.context_window) for each in models] == [
            ("seer", True, 8192),
            ("blind", False, 32_768),
        ]


async def test_a_list_is_good_without_the_details() -> None:
    async def script(exchange: Exchange) -> None:
        if exchange.request.path.endswith("/v1/models"):
            await _reply(exchange, _body({"id": "a", "owned_by": "library"}, {"id": "b", "owned_by": "library"}))
        else:
            exchange.reset()

    async with FaultServer(script) as server:
        assert [each.id for each in await _list(server)] == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "draws"),
    [
        ({"id": "a", "architecture": {"output_modalities": ["text", "image"]}}, True),
        ({"id": "a", "architecture": {"modality": "text->text+image"}}, True),
        ({"id": "a", "architecture": {"input_modalities": ["image"], "output_modalities": ["text"]}}, False),
        ({"id": "a", "output_modalities": "image"}, False),
        ({"id": "a"}, False),
    ],
)
def test_whether_a_model_draws_is_read_where_the_server_says_it(row: object, draws: bool) -> None:
    assert [each.draws for each in _read(row)] == [draws]
