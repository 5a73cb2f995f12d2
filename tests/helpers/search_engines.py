"""Answers of search engines, in the forms in which they come."""

from __future__ import annotations

import json
from typing import Any

from chatdesk.core.tools.web_search.choice import SearchEngine
from tests.helpers.site import Answer, sent

PAGES = (
    ("Tide tables for Harwich", "https://www.tides.example/harwich", "High water at 12:41 & 00:58."),
    ("How tides are predicted", "https://ntslf.example/theory?a=1&b=2", "From harmonic constants."),
)


def searxng(*pages: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "query": "tides",
        "number_of_results": 0,
        "results": [
            {
                "url": url,
                "title": title,
                "content": text,
                "publishedDate": None,
                "thumbnail": "",
                "engine": "duckduckgo",
                "template": "default.html",
                "parsed_url": ["https", url.partition("//")[2].partition("/")[0], "/", "", "", ""],
                "img_src": "",
                "priority": "",
                "engines": ["duckduckgo", "brave"],
                "positions": [1, 3],
                "score": 2.6,
                "category": "general",
            }
            for title, url, text in pages
        ],
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": ["tide times"],
        "unresponsive_engines": [["google", "timeout"]],
    }


def _marked(text: str) -> str:
    """Brave marks the words that were looked for, and writes HTML."""
    first, blank, rest = text.replace("&", "&amp;").partition(" ")
    return f"<strong>{first}</strong>{blank}{rest}"


def brave(*pages: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "type": "search",
        "query": {"original": "tides", "more_results_available": True},
        "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}]},
        "web": {
            "type": "search",
            "results": [
                {
                    "type": "search_result",
                    "title": title,
                    "url": url,
                    "is_source_local": False,
                    "description": _marked(text),
                    "profile": {"name": "Tides", "url": url},
                    "language": "en",
                    "family_friendly": True,
                    "meta_url": {"scheme": "https", "hostname": url.partition("//")[2].partition("/")[0]},
                }
                for title, url, text in pages
            ],
            "family_friendly": True,
        },
    }


def tavily(*pages: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "query": "tides",
        "follow_up_questions": None,
        "answer": None,
        "images": [],
        "results": [
            {"url": url, "title": title, "content": text, "score": 0.93, "raw_content": None}
            for title, url, text in pages
        ],
        "response_time": 1.09,
        "request_id": "0a1b",
    }


FORMS = {SearchEngine.SEARXNG: searxng, SearchEngine.BRAVE: brave, SearchEngine.TAVILY: tavily}
PATHS = {SearchEngine.SEARXNG: "/search", SearchEngine.BRAVE: "/res/v1/web/search", SearchEngine.TAVILY: "/search"}

# What they answer to a key that they do not know, with the status.
REFUSALS: dict[SearchEngine, tuple[int, Any]] = {
    SearchEngine.BRAVE: (
        422,
        {"type": "ErrorResponse", "error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "status": 422}, "time": 1},
    ),
    SearchEngine.TAVILY: (401, {"detail": {"error": "Unauthorized: missing or invalid API key."}}),
}


def answered(data: Any, *, status: int = 200) -> Answer:
    return sent(json.dumps(data).encode(), "application/json", status=status)
