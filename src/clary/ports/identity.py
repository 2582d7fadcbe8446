"""The port to who may call: access keys, temporary credentials, one-time sign-in tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

EXECUTION_ROLE = "ClaryExecutionRole"
STUDIO_ROLE = "ClaryStudio"
"""The roles that every house has from its first start."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who signs: `arn` is a user's, the root's or an assumed role's ARN; `user_id` as STS shows it."""

    arn: str
    user_id: str
    account: str


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key as the signature check needs it."""

    secret: str
    principal: Principal
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires: datetime


class InvalidToken(Exception):
    """A session or sign-in token that is not ours, is used up, or is over its time; the text says which."""


class Identity(Protocol):
    def key(self, access_key_id: str, session_token: str | None) -> Key | None:
        """None for an unknown key; InvalidToken for a temporary key with a wrong token."""

    def assume(self, role_arn: str, session_name: str, seconds: int) -> Credentials:
        """Temporary credentials of a role; they stay valid over a restart of the server."""

    def redeem(self, token: str) -> None:
        """Use up a one-time sign-in token; InvalidToken."""
