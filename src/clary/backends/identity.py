"""Who may call, from one key file in the home. Temporary credentials are signed, so they need no table."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.backends.durable import write_private
from clary.ports.identity import EXECUTION_ROLE, Credentials, InvalidToken, Key, Principal

SIGN_IN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Root:
    """The house's own account, made at the first start."""

    account: str
    access_key_id: str
    secret_access_key: str


def open_root(home: Path) -> Root:
    """Read the account's credentials; the first start makes them (mode 0600)."""
    path = home / "credentials.json"
    if not path.exists():
        made = {
            "account": str(secrets.randbelow(9 * 10**11) + 10**11),
            "access_key_id": "AKIA" + base64.b32encode(secrets.token_bytes(10)).decode(),
            "secret_access_key": secrets.token_urlsafe(30),
        }
        write_private(path, json.dumps(made, indent=2) + "\n")
    return Root(**json.loads(path.read_text()))


class LocalIdentity:
    """ports.identity.Identity over `credentials.json`, `key` and `used-tokens` in the home."""

    def __init__(self, home: Path) -> None:
        self.root = open_root(home)
        self._seal = _open_seal(home)
        self._used = home / "used-tokens"
        self._lock = threading.Lock()
        # The owner signs as a session of the execution role, so that the SDK's get_execution_role() works.
        owner = Principal(
            f"arn:aws:sts::{self.root.account}:assumed-role/{EXECUTION_ROLE}/owner",
            f"AROA{_digest(EXECUTION_ROLE)}:owner",
            self.root.account,
        )
        self._root_key = Key(self.root.secret_access_key, owner)

    def key(self, access_key_id: str, session_token: str | None) -> Key | None:
        if hmac.compare_digest(access_key_id, self.root.access_key_id):
            return self._root_key
        if not access_key_id.startswith("ASIA"):
            return None
        if session_token is None:
            raise InvalidToken("A temporary access key needs its session token")
        content = self._open(session_token, "session")
        if content["key"] != access_key_id:
            raise InvalidToken("The session token belongs to another access key")
        principal = Principal(content["arn"], content["id"], self.root.account)
        return Key(self._secret(access_key_id), principal, datetime.fromtimestamp(content["expires"], UTC))

    def assume(self, role_arn: str, session_name: str, seconds: int) -> Credentials:
        access_key_id = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        role = role_arn.rpartition("/")[2]
        expires = int(time.time()) + seconds
        content = {
            "key": access_key_id,
            "arn": f"arn:aws:sts::{self.root.account}:assumed-role/{role}/{session_name}",
            "id": f"AROA{_digest(role)}:{session_name}",
            "expires": expires,
        }
        token = self._close("session", content)
        return Credentials(
            access_key_id, self._secret(access_key_id), token, datetime.fromtimestamp(expires, UTC)
        )

    def sign_in_token(self) -> str:
        """A token for one sign-in to the Studio, good for a day."""
        return self._close(
            "sign-in", {"id": secrets.token_hex(8), "expires": int(time.time()) + SIGN_IN_SECONDS}
        )

    def redeem(self, token: str) -> None:
        content = self._open(token, "sign-in")
        if content["expires"] < time.time():
            raise InvalidToken("The sign-in link is over its time. Run `clary link` for a fresh one")
        with self._lock:
            used = _read_used(self._used)
            if content["id"] in used:
                raise InvalidToken("The sign-in link was used already. Run `clary link` for a fresh one")
            # What is over its time is refused for that, and need not be remembered.
            kept = {id: end for id, end in used.items() if end > time.time()} | {
                content["id"]: content["expires"]
            }
            write_private(self._used, "".join(f"{id} {end}\n" for id, end in kept.items()))

    def _secret(self, access_key_id: str) -> str:
        digest = hmac.digest(self._seal, b"secret:" + access_key_id.encode(), "sha256")
        return base64.b64encode(digest).decode()[:40]

    def _close(self, purpose: str, content: dict[str, Any]) -> str:
        text = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
        return f"{text}.{self._mac(purpose, text)}"

    def _open(self, token: str, purpose: str) -> dict[str, Any]:
        text, _, mac = token.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(purpose, text).encode()):
            raise InvalidToken("The token was not made by this Clary")
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return content

    def _mac(self, purpose: str, text: str) -> str:
        digest = hmac.digest(self._seal, f"{purpose}:{text}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _read_used(path: Path) -> dict[str, int]:
    """Used sign-in tokens and when they would have been over their time."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {id: int(end) for id, _, end in (line.partition(" ") for line in lines) if end}


def _open_seal(home: Path) -> bytes:
    path = home / "key"
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return bytes.fromhex(path.read_text())


def _digest(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:17]
