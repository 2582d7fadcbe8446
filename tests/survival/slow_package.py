"""A Python package that a job asks for, which takes its time to build and needs no index."""

from __future__ import annotations

BACKEND = """
import base64, hashlib, time, zipfile
def build_wheel(folder, settings=None, metadata=None):
    time.sleep({seconds})
    name = "slow_pure-1.0-py3-none-any.whl"
    info = "slow_pure-1.0.dist-info"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("slow_pure.py", "ANSWER = 42")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: slow-pure\\nVersion: 1.0\\n")
        tags = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(info + "/WHEEL", tags)
        wheel.writestr(info + "/RECORD", "")
    return name
"""


def slow_requirements(seconds: float) -> dict[str, str]:
    """A source directory whose installation takes its time, and needs no index."""
    project = '[project]\nname = "slow-pure"\nversion = "1.0"\n[build-system]\nrequires = []\n'
    return {
        "requirements.txt": "./slow\n",
        "slow/pyproject.toml": project + 'build-backend = "backend"\nbackend-path = ["."]\n',
        "slow/backend.py": BACKEND.format(seconds=seconds),
    }
