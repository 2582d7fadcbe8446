"""A real PostgreSQL, from the system's package: a cluster of its own in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from running import free_port

USER, PASSWORD = "clary", "s3cret/w@rd"
"""A password that has to be quoted in a URL."""
START_SECONDS = 30


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian does not put them on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


@dataclass
class Postgres:
    """One cluster, durable as by default (fsync on), on a free port and a unix socket."""

    bin: Path
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="clary-postgres-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _databases: int = 0

    def create(self) -> None:
        if os.getuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(self.folder, "postgres", "postgres")
        password = self.folder / "password"
        password.write_text(PASSWORD)
        options = ["-U", USER, f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
        subprocess.run(
            [*self._as_user(), self.bin / "initdb", "-D", self.folder / "data", *options, "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
        )
        self.start()

    def start(self) -> None:
        """Also after a kill, whose last processes may still be on their way out."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                self._launch()
            if self.ask("postgres", "SELECT 1") == "1":
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start:\n" + (self.folder / "log").read_text())

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def remove(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """The name of a new, empty database, in which text is ordered as in a dictionary (a, A, b)."""
        self._databases += 1
        name = f"records{self._databases}"
        order = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
        made = self.ask("postgres", f"CREATE DATABASE {name} {order}")
        # Before PostgreSQL 15 a database has the order of its system.
        if made is None:
            made = self.ask("postgres", f"CREATE DATABASE {name}")
        assert made is not None
        return name

    def ask(self, database: str, sql: str) -> str | None:
        """psql's bare answer; None where there is none."""
        found = subprocess.run(
            [self.bin / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql],
            env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER,
                 "PGPASSWORD": PASSWORD, "PGDATABASE": database, "PGCONNECT_TIMEOUT": "5"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return found.stdout.strip() if found.returncode == 0 else None

    def _launch(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._as_user(), self.bin / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
            )

    def _as_user(self) -> list[str]:
        if os.getuid() != 0:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env", "--"]
