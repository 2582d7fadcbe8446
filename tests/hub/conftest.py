"""Real packages and models, fetched and built once and kept where CLARY_CACHE or ~/.cache/clary says."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from clary.hub import catalogue, packages, textmodel

SENTIMENT = "clary-tc-minilm-l6-v2-amazon-reviews"
EMBEDDING = "clary-tcembedding-minilm-l6-v2"


@pytest.fixture(scope="session")
def cache() -> Path:
    return packages.default_cache()


def unpacked(model_id: str, cache: Path, folder: Path) -> Path:
    with tarfile.open(catalogue.materialise(model_id, cache)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def sentiment_folder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(SENTIMENT, cache, tmp_path_factory.mktemp("sentiment"))


@pytest.fixture(scope="session")
def sentiment(sentiment_folder: Path) -> textmodel.TextModel:
    return textmodel.load(sentiment_folder)


@pytest.fixture(scope="session")
def embedder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> textmodel.TextModel:
    return textmodel.load(unpacked(EMBEDDING, cache, tmp_path_factory.mktemp("embedding")))
