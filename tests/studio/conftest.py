"""A real browser, and a page of the Studio that is signed in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield found
        found.close()


def link(clary: Any) -> str:
    command = [sys.executable, "-m", "clary.cli", "link", "--home", str(clary.home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clary.environment)
    return done.stdout.strip()


@pytest.fixture
def page(browser: Browser, clary: Any) -> Iterator[Page]:
    """A signed-in page; what went wrong in the browser, or went elsewhere, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = context.new_page()
    problems: list[str] = []
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((clary.url, "data:", "blob:"))
            else problems.append(f"left the house: {request.url}")
        ),
    )
    found.goto(link(clary))
    expect(found.get_by_role("heading", name="Home")).to_be_visible()
    yield found
    context.close()
    assert problems == []
