from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.core.context.catalogue import UNKNOWN, Figures, ModelCatalogue
from chatdesk.core.domain.model_info import Ability, ModelOverrides, Price
from chatdesk.core.domain.usage import Usage
from chatdesk.core.paths import resources_dir

SHIPPED = resources_dir() / "models.json"


@pytest.fixture(scope="module")
def catalogue() -> ModelCatalogue:
    return ModelCatalogue.of_files(SHIPPED)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("gpt-4o", "GPT-4o"),
        ("GPT-4o", "GPT-4o"),
        ("openai/gpt-4o-mini", "GPT-4o mini"),
        ("gpt-4o-2024-08-06", "GPT-4o"),
        ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5"),
        ("claude-fable-5.1", "Claude Fable 5.1"),
        ("gpt-4.1-2025-04-14", "GPT-4.1"),
        ("meta-llama/Llama-3.1-70B-Instruct", "Llama 3.1"),
        ("llama3.1:8b", "Llama 3.1"),
        ("gpt-4o-audio-preview", "GPT-4o"),
    ],
)
def test_a_model_is_found_by_every_name_it_goes_by(catalogue: ModelCatalogue, name: str, label: str) -> None:
    found = catalogue.find("openai", name)
    assert (found.label, found.id, found.is_known) == (label, name, True)


@pytest.mark.parametrize("name", ["gpt-4.5-preview", "gpt", "llama", "something-else", "", "gpt-4ox"])
def test_an_unknown_model_has_the_stated_defaults(catalogue: ModelCatalogue, name: str) -> None:
    found = catalogue.find("openai", name)
    assert not found.is_known
    assert (found.context_window, found.largest_answer) == (UNKNOWN.context_window, UNKNOWN.largest_answer)
    assert found.price is None


def test_every_shipped_model_leaves_room_for_a_question(catalogue: ModelCatalogue) -> None:
    rows = json.loads(SHIPPED.read_text("utf-8"))["models"]
    assert len(rows) >= 40
    known = {ability.value for ability in Ability}
    for row in rows:
        found = catalogue.find("any", row["id"])
        assert found.label == row["label"]
        assert 0 < found.largest_answer < found.context_window
        assert set(row["abilities"]) <= known
        if "price" in row:
            assert found.price is not None
            assert found.price.cached_input <= found.price.input <= found.price.output


@pytest.mark.parametrize(
    ("name", "is_priced"),
    [
        ("gpt-4o", True),
        ("openai/gpt-4o-2024-08-06", True),
        ("claude-sonnet-4-5-20250929", True),
        ("gemini-3.1-pro-preview", True),
        ("gpt-4o-audio-preview", False),
        ("gpt-4o-some-other-2025-01-01", False),
        ("claude-opus-4-9", False),
        ("gpt-4o:mine", False),
        ("deepseek-r1:8b", False),
        ("unknown", False),
    ],
)
def test_only_a_model_that_is_known_itself_has_a_price(catalogue: ModelCatalogue, name: str, is_priced: bool) -> None:
    assert (catalogue.find("openai", name).price is not None) is is_priced


def test_prices_say_when_and_where_they_were_checked() -> None:
    document = json.loads(SHIPPED.read_text("utf-8"))
    assert document["prices"]["checked"] >= "2026-11-21"
    assert document["prices"]["source"]


def test_ones_own_file_may_leave_out_the_cached_price_or_take_a_price_away(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    rows = [{"id": "gpt-4o", "price": None}, {"id": "mine", "price": {"input": 1, "output": 2}}]
    own.write_text(json.dumps({"models": [*rows, {"id": "odd", "price": {"input": True, "output": 2}}]}), "utf-8")
    catalogue = ModelCatalogue.of_files(SHIPPED, own)
    assert catalogue.find("openai", "gpt-4o").price is None
    assert catalogue.find("openai", "mine").price == Price(1, 1, 2)
    assert catalogue.find("openai", "odd").price is None


def test_a_reasoning_model_has_no_temperature(catalogue: ModelCatalogue) -> None:
    assert catalogue.find("openai", "gpt-5").has(Ability.REASONING)
    assert not catalogue.find("openai", "gpt-5").has(Ability.TEMPERATURE)
    assert catalogue.find("openai", "gpt-4o").has(Ability.TEMPERATURE)


def test_a_servers_list_overrides_the_catalogue(catalogue: ModelCatalogue) -> None:
    mine = ModelCatalogue.of_files(SHIPPED)
    mine.add_listed("server", "llama3.1:8b", Figures(context_window=4_096))
    found = mine.find("server", "llama3.1:8b")
    assert (found.context_window, found.largest_answer, found.label) == (4_096, 2_048, "Llama 3.1")
    assert mine.find("other", "llama3.1:8b").context_window == 131_072


def test_a_file_of_ones_own_comes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "models.json"
    own.write_text(
        json.dumps(
            {
                "defaults": {"context_window": 8_000, "largest_answer": 1_000},
                "models": [
                    {"id": "gpt-4o", "context_window": 64_000},
                    {"id": "mine", "aliases": ["my-model"], "price": {"input": 1, "cached_input": 1, "output": 2}},
                ],
            }
        ),
        "utf-8",
    )
    catalogue = ModelCatalogue.of_files(SHIPPED, own)
    assert catalogue.find("openai", "gpt-4o").context_window == 64_000
    assert catalogue.find("openai", "gpt-4o").largest_answer == 16_384
    assert catalogue.find("x", "my-model").price == Price(1, 1, 2)
    assert catalogue.find("x", "my-model").context_window == 8_000
    assert catalogue.find("x", "unknown").context_window == 8_000


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"models": 3}',
        '{"models": [1, {}, {"id": 7}]}',
        '{"models": [{"id": "gpt-4o", "context_window": -1, "largest_answer": true, "abilities": 4, "label": 1}]}',
        '{"models": [{"id": "gpt-4o", "abilities": ["images", 7, "flying"], "price": {"input": "free"}}]}',
    ],
)
def test_a_damaged_file_stops_nothing(tmp_path: Path, text: str) -> None:
    own = tmp_path / "models.json"
    own.write_text(text, "utf-8")
    assert (
        ModelCatalogue.of_files(SHIPPED, own, tmp_path / "missing.json").find("x", "gpt-4o").context_window == 128_000
    )


def test_the_cost_of_a_request() -> None:
    price = Price(input=2.0, cached_input=0.5, output=8.0)
    assert price.cost(Usage(1_000_000, 500_000)) == 6.0
    assert price.cost(Usage(1_000_000, cached_tokens=400_000)) == pytest.approx(1.4)


def test_what_a_person_says_comes_before_list_and_catalogue() -> None:
    catalogue = ModelCatalogue.of_files(SHIPPED)
    catalogue.add_listed("box", "swift", Figures(8_000, sees_images=False, price=Price(1.0, 1.0, 2.0)))
    assert catalogue.find("box", "swift").sees_images is False
    catalogue.use_overrides(
        {"box": {"swift": ModelOverrides(sees_images=True, context_window=64_000, output_price=3.0)}}
    )
    found = catalogue.find("box", "swift")
    assert (found.sees_images, found.context_window, found.price) == (True, 64_000, Price(1.0, 1.0, 3.0))
    assert catalogue.find("other", "swift").context_window == UNKNOWN.context_window
    catalogue.use_overrides({})
    assert catalogue.find("box", "swift").context_window == 8_000


def test_a_models_sight_of_images_is_unknown_until_it_is_set() -> None:
    catalogue = ModelCatalogue.of_files(SHIPPED)
    assert catalogue.find("box", "nobodys-model").sees_images is None
    assert catalogue.find("openai", "gpt-4o").sees_images is True
    assert catalogue.find("openai", "gpt-oss-20b").sees_images is False
    catalogue.add_listed("box", "nobodys-model", Figures(sees_images=True))
    assert catalogue.find("box", "nobodys-model").has(Ability.IMAGES)


@pytest.mark.parametrize(
    "name", ["qwen2.5-vl-7b", "qwen3-vl:8b", "llava:13b", "llama3.2-vision:11b", "phi-3-vision-128k"]
)
def test_a_name_that_says_so_is_believed_to_see(name: str) -> None:
    assert ModelCatalogue.of_files(SHIPPED).find("box", name).sees_images is True


@pytest.mark.parametrize("name", ["visionary", "provision-7b", "vlad"])
def test_a_name_that_only_sounds_so_is_not(name: str) -> None:
    assert ModelCatalogue.of_files(SHIPPED).find("box", name).sees_images is None
