"""The URL that says in which S3, and where in it, the objects are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from clary.settings import SettingsError

BUCKET = "clary"
_FORM = "http[s]://[KEY_ID:SECRET@]HOST[:PORT][/BUCKET[/PREFIX]][?region=REGION]"


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint, one bucket and the beginning of every key in it. As text it holds no secret."""

    endpoint: str
    bucket: str
    prefix: str
    region: str
    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)

    def __str__(self) -> str:
        return f"{self.endpoint}/{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def name(self) -> str:
        """The same wherever the S3 has moved to."""
        return f"s3 bucket {self.bucket}/{self.prefix}".rstrip("/")


def read(url: str) -> Place:
    """SettingsError for what has not the form; its text does not repeat the URL, which may hold a secret."""
    try:
        found = urlsplit(url)
        port = f":{found.port}" if found.port else ""
    except ValueError as error:
        raise _unlike("its port is not a number (in a secret, write / as %2F)") from error
    if found.scheme not in ("http", "https") or not found.hostname:
        raise _unlike("it has no scheme http or https, or no host")
    if (found.username is None) != (found.password is None):
        raise _unlike("it names a key without a secret")
    bucket, _, prefix = found.path.strip("/").partition("/")
    host = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    return Place(
        endpoint=f"{found.scheme}://{host}{port}",
        bucket=unquote(bucket) or BUCKET,
        prefix=f"{unquote(prefix)}/" if prefix else "",
        region=_region(found),
        access_key_id=unquote(found.username) if found.username else None,
        secret_access_key=unquote(found.password) if found.password else None,
    )


def _region(found: SplitResult) -> str:
    asked = parse_qs(found.query)
    unknown = asked.keys() - {"region"}
    if unknown or found.fragment:
        raise _unlike(f"{min(unknown, default='#')!r} means nothing in it")
    return asked.get("region", [""])[0]


def _unlike(why: str) -> SettingsError:
    return SettingsError(f"objects must be a URL of the form {_FORM}: {why}")
