"""A client that makes, tags and deletes models and endpoint configurations, and keeps what it was told."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from survival.ledger import Ledger

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAMES = [f"record-{number}" for number in range(5)]


@dataclass(frozen=True)
class Kept:
    """What a model or a configuration was made with, and its tags."""

    value: str
    tags: tuple[tuple[str, str], ...] = ()


class RecordClient:
    """Two nouns under names of its own."""

    def __init__(self, sagemaker: Any, role: str) -> None:
        self._sagemaker, self._role = sagemaker, role
        self._ledger: Ledger[Kept] = Ledger()
        self._sagemaker.create_model(
            ModelName="base", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=role
        )

    def step(self, chance: random.Random) -> None:
        key = f"{chance.choice(['Model', 'EndpointConfig'])}/{chance.choice(NAMES)}"
        present = self._ledger.known.get(key)
        if present is None:
            self._create(key, chance)
        else:
            chance.choice([self._delete, self._tag, self._untag, self._create_again])(key, chance)

    def _create(self, key: str, chance: random.Random) -> None:
        kind, _, name = key.partition("/")
        made = Kept(str(chance.randrange(10**6)), (("first", str(chance.random())),))
        with self._ledger.write({key: made}):
            self._make(kind, name, made)

    def _make(self, kind: str, name: str, made: Kept) -> None:
        tags = [{"Key": k, "Value": v} for k, v in made.tags]
        if kind == "Model":
            container = {"Image": IMAGE, "Environment": {"VALUE": made.value}}
            self._sagemaker.create_model(
                ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self._role, Tags=tags
            )
        else:
            variant = {
                "VariantName": f"v{made.value}",
                "ModelName": "base",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
            self._sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[variant], Tags=tags
            )

    def _create_again(self, key: str, chance: random.Random) -> None:
        kind, _, name = key.partition("/")
        with self._ledger.write({}):
            try:
                self._make(kind, name, Kept("1"))
            except ClientError as error:
                assert "already existing" in str(error)
            else:
                raise AssertionError(f"{key} was made twice")

    def _delete(self, key: str, chance: random.Random) -> None:
        kind, _, name = key.partition("/")
        with self._ledger.write({key: None}):
            if kind == "Model":
                self._sagemaker.delete_model(ModelName=name)
            else:
                self._sagemaker.delete_endpoint_config(EndpointConfigName=name)

    def _tag(self, key: str, chance: random.Random) -> None:
        present = self._ledger.there()[key]
        added = {"first": str(chance.random()), f"ünï{chance.randrange(3)}": "wert ü"}
        tags = tuple(sorted((dict(present.tags) | added).items()))
        with self._ledger.write({key: replace(present, tags=tags)}):
            written = [{"Key": k, "Value": v} for k, v in added.items()]
            self._sagemaker.add_tags(ResourceArn=self._arn(key), Tags=written)

    def _untag(self, key: str, chance: random.Random) -> None:
        present = self._ledger.there()[key]
        with self._ledger.write({key: replace(present, tags=present.tags[1:])}):
            keys = [present.tags[0][0]] if present.tags else ["nothing"]
            self._sagemaker.delete_tags(ResourceArn=self._arn(key), TagKeys=keys)

    def _arn(self, key: str) -> str:
        kind, _, name = key.partition("/")
        path = "model" if kind == "Model" else "endpoint-config"
        account = self._role.split(":")[4]
        return f"arn:aws:sagemaker:us-east-1:{account}:{path}/{name}"

    def check(self, everything: bool = False) -> None:
        for kind in ("Model", "EndpointConfig"):
            for name in NAMES:
                self._ledger.settle(f"{kind}/{name}", self._fetch(kind, name))
            listed = {f"{kind}/{name}" for name in self._listed(kind)}
            assert listed == {key for key in self._ledger.there() if key.startswith(f"{kind}/")}

    def _fetch(self, kind: str, name: str) -> Kept | None:
        try:
            if kind == "Model":
                found = self._sagemaker.describe_model(ModelName=name)
                value = found["PrimaryContainer"]["Environment"]["VALUE"]
            else:
                found = self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
                value = found["ProductionVariants"][0]["VariantName"][1:]
        except ClientError as error:
            assert "Could not find" in str(error)
            return None
        tags = self._sagemaker.list_tags(ResourceArn=found[f"{kind}Arn"])["Tags"]
        return Kept(value, tuple((tag["Key"], tag["Value"]) for tag in tags))

    def _listed(self, kind: str) -> list[str]:
        operation = "list_models" if kind == "Model" else "list_endpoint_configs"
        pages = self._sagemaker.get_paginator(operation).paginate(
            NameContains="record-", PaginationConfig={"PageSize": 2}
        )
        return [item[f"{kind}Name"] for page in pages for item in page[f"{kind}s"]]
