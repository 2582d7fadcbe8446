"""The AWS profile `clary`: one section in each of AWS's two files; nobody else's is touched."""

from __future__ import annotations

import os
import re
from pathlib import Path

from clary.backends.durable import write_private
from clary.backends.identity import Root
from clary.settings import Settings

PROFILE = "clary"


def write_profile(settings: Settings, root: Root) -> str:
    """Write or renew the profile; says in a sentence what was done. Another home's profile stays."""
    config = _file("AWS_CONFIG_FILE", "config")
    credentials = _file("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    mark = f"# Clary's home: {settings.home}"
    present = _section(_read(config), f"profile {PROFILE}")
    if present is not None and mark not in present:
        return (
            f"The AWS profile `{PROFILE}` in {config} is another home's and was left alone: "
            f'use eval "$(clary env --home {settings.home})"'
        )
    _put(credentials, PROFILE, _credentials(mark, root))
    _put(config, f"profile {PROFILE}", _config(mark, settings))
    return f"AWS clients reach it with AWS_PROFILE={PROFILE}"


def _credentials(mark: str, root: Root) -> str:
    keys = {"aws_access_key_id": root.access_key_id, "aws_secret_access_key": root.secret_access_key}
    return f"{mark}\n" + "".join(f"{name} = {value}\n" for name, value in keys.items())


def _config(mark: str, settings: Settings) -> str:
    return (
        f"{mark}\nregion = {settings.region}\nendpoint_url = {settings.url}\n"
        "s3 =\n    addressing_style = path\n    signature_version = s3v4\n"
    )


def _file(variable: str, name: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / ".aws" / name).expanduser()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"^\[\s*{re.escape(name)}\s*\]\s*\n(?P<body>(?:(?!\[).*(?:\n|\Z))*)", re.MULTILINE)


def _section(text: str, name: str) -> str | None:
    found = _pattern(name).search(text)
    return found["body"] if found else None


def _put(path: Path, name: str, body: str) -> None:
    text = _read(path)
    section = f"[{name}]\n{body}"
    found = _pattern(name).search(text)
    if found:
        changed = (
            text[: found.start()] + section + ("\n" if text[found.end() :] else "") + text[found.end() :]
        )
    else:
        changed = text + (
            "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        )
        changed += section
    if changed != text:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path.resolve(), changed)
