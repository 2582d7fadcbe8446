"""One frozen dataclass of settings, from flags, environment and a file; and where things lie in the home."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from clary.settings.environment import sdk_environment

__all__ = ["Settings", "SettingsError", "load", "sdk_environment"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8180


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Clary lives and listens. From CLARY_HOME, CLARY_HOST, ... and `config.toml` in the home."""

    home: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    region: str = "us-east-1"
    database: str = ""
    """URL of the records, such as postgresql://USER@HOST/NAME; empty means SQLite in the home."""
    objects: str = ""
    """URL of an S3 that keeps the objects; empty means plain files in the home."""
    cpus: int = 0
    """Cores that jobs may use together; 0 means all of this machine's."""
    public_url: str = ""
    """The address that clients use, where it is not http://HOST:PORT (a proxy stands before Clary)."""

    @property
    def url(self) -> str:
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared only
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.home / 'clary.db'}"


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what it should be."""


def load(flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """Flags (None means not given) before environment before file before defaults."""
    home = (
        Path(flags.get("home") or environment.get("CLARY_HOME") or Path.home() / ".clary")
        .expanduser()
        .resolve()
    )
    values: dict[str, Any] = {**_from_file(home / "config.toml"), **_from_environment(environment)}
    values |= {name: value for name, value in flags.items() if value is not None}
    values["home"] = home
    for name in ("port", "cpus"):
        if name in values:
            values[name] = _whole_number(name, values[name])
    if not 0 < values.get("port", DEFAULT_PORT) < 65536:
        raise SettingsError("port must be between 1 and 65535")
    if values.get("cpus", 0) < 0:
        raise SettingsError("cpus must not be below 0; 0 means all of this machine's cores")
    return Settings(**values)


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    unknown = values.keys() - {f.name for f in fields(Settings)} | (values.keys() & {"home"})
    if unknown:
        raise SettingsError(f"{path}: there is no setting {min(unknown)!r}")
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {f.name: f"CLARY_{f.name.upper()}" for f in fields(Settings) if f.name != "home"}
    return {name: environment[variable] for name, variable in names.items() if environment.get(variable)}


def _whole_number(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name} must be a whole number, not {value!r}") from error
