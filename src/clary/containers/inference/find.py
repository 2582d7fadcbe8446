"""Which of the kinds of model lies in the root, and only that one's libraries loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clary.containers.inference import names
from clary.containers.inference.invocation import CannotServe, Served

OPT_ML = "/opt/ml"


def load(root: Path, environment: Mapping[str, str]) -> Served:
    """The model of `<root>/model`, with its script if there is one; CannotServe says what is missing."""
    model_dir = root / "model"
    program = script(root, environment)
    if program is not None:
        from clary.containers.inference import script as scripts

        return scripts.serve(program, model_dir)
    if (model_dir / names.TEXT).is_file():
        from clary.containers.inference import text

        return text.serve(model_dir)
    if (model_dir / names.XGBOOST).is_file():
        from clary.containers.inference import booster

        return booster.serve(model_dir / names.XGBOOST)
    for name in names.SKLEARN:
        if (model_dir / name).is_file():
            from clary.containers.inference import estimator

            return estimator.serve(model_dir / name)
    raise CannotServe(
        f"The model archive has none of code/{names.SCRIPT}, {names.XGBOOST}, {', '.join(names.SKLEARN)}, "
        f"{names.TEXT}, and SAGEMAKER_PROGRAM is not set. It has: {_content(model_dir)}"
    )


def script(root: Path, environment: Mapping[str, str]) -> Path | None:
    """The inference script that the environment or the archive names; None where there is none."""
    program = environment.get("SAGEMAKER_PROGRAM")
    folder = code_folder(root, environment)
    if program:
        return folder / program
    return folder / names.SCRIPT if (folder / names.SCRIPT).is_file() else None


def code_folder(root: Path, environment: Mapping[str, str]) -> Path:
    """`<root>/code` for an S3 source archive (unpacked there by the server), else a folder of the model."""
    submitted = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    if submitted.startswith("s3://"):
        return root / "code"
    if submitted.startswith(OPT_ML + "/"):
        return root / submitted.removeprefix(OPT_ML + "/")
    if submitted:
        return Path(submitted)
    return root / "model" / "code"


def _content(folder: Path) -> str:
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return (", ".join(found[:10]) or "nothing") + more
