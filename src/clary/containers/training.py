"""Script mode: the SM_* contract of SageMaker's training toolkit, then the user's script in our place.

Standard library only, and replaced by the script (exec), so that it costs next to nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

OWN = frozenset(
    {
        "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region", "sagemaker_container_log_level", "sagemaker_job_name",
        "default_user_module_name", "_tuning_objective_metric", "sagemaker_s3_output",
    }
)  # fmt: skip
"""Hyperparameters that are the toolkit's own: the script does not get them."""
DEFAULT_LOG_LEVEL = 20


def main() -> None:
    root = Path(os.environ.get("CLARY_ML_ROOT", "/opt/ml"))
    code = root / "code"
    contract = variables(root, dict(os.environ))
    environment = {**os.environ, **contract}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(code), environment.get("PYTHONPATH", ""))))
    script = contract["SM_USER_ENTRY_POINT"]
    argv = command(code, script, json.loads(contract["SM_USER_ARGS"]))
    os.chdir(code)
    print(f"Invoking script with the following command: {' '.join(argv)}", flush=True)
    os.execve(argv[0], argv, environment)  # noqa: S606 - the user's script as it is


def command(code: Path, script: str, arguments: list[str]) -> list[str]:
    """A shell script is run as it is, a package's module by -m, any other .py by its name."""
    if script.endswith(".sh") or not script.endswith(".py"):
        (code / script).chmod(0o755)
        return ["/bin/sh", "-c", f'./{script} "$@"', script, *arguments]
    if (code / "setup.py").exists():
        return [sys.executable, "-m", script.removesuffix(".py").replace("/", "."), *arguments]
    return [sys.executable, script, *arguments]


def variables(root: Path, environment: dict[str, str]) -> dict[str, str]:
    """The SM_* variables that the toolkit (sagemaker-training 5) sets for a script."""
    training = training_environment(root, environment)
    hyperparameters: dict[str, Any] = training["hyperparameters"]
    found = {
        "hosts": training["hosts"],
        "network_interface_name": training["network_interface_name"],
        "hps": hyperparameters,
        "user_entry_point": training["user_entry_point"],
        "framework_params": training["additional_framework_parameters"],
        "resource_config": training["resource_config"],
        "input_data_config": training["input_data_config"],
        "output_data_dir": training["output_data_dir"],
        "channels": sorted(training["channel_input_dirs"]),
        "training_env": training,
        "user_args": arguments(hyperparameters),
    }
    for name in (
        "current_host", "current_instance_type", "current_instance_group", "current_instance_group_hosts",
        "instance_groups", "instance_groups_dict", "distribution_instance_groups", "is_hetero",
        "module_name", "log_level", "framework_module", "input_dir", "input_config_dir", "output_dir",
        "num_cpus", "num_gpus", "num_neurons", "model_dir", "module_dir", "output_intermediate_dir",
    ):  # fmt: skip
        found[name] = training[name]
    found |= {f"channel_{name}": path for name, path in training["channel_input_dirs"].items()}
    found |= {f"hp_{name}": value for name, value in hyperparameters.items()}
    return {f"SM_{name.upper()}": _text(value) for name, value in found.items()}


def training_environment(root: Path, environment: dict[str, str]) -> dict[str, Any]:
    """What SM_TRAINING_ENV holds; paths as the script sees them."""
    config = root / "input" / "config"
    everything = {k: _decoded(v) for k, v in _read(config / "hyperparameters.json").items()}
    resources, channels = _read(config / "resourceconfig.json"), _read(config / "inputdataconfig.json")
    own = {k: v for k, v in everything.items() if k in OWN or k.startswith("sagemaker_")}
    script = str(own["sagemaker_program"])
    return {
        "additional_framework_parameters": {k: v for k, v in own.items() if k not in OWN},
        "channel_input_dirs": {name: str(root / "input" / "data" / name) for name in channels},
        "hyperparameters": {k: v for k, v in everything.items() if k not in own},
        "input_config_dir": str(config),
        "input_data_config": channels,
        "input_dir": str(root / "input"),
        "job_name": environment.get("TRAINING_JOB_NAME", ""),
        "framework_module": None,
        "log_level": own.get("sagemaker_container_log_level", DEFAULT_LOG_LEVEL),
        "model_dir": str(root / "model"),
        "module_dir": str(own.get("sagemaker_submit_directory", root / "code")),
        "module_name": script.removesuffix(".py"),
        "num_cpus": int(environment.get("CLARY_CPUS", os.cpu_count() or 1)),
        "num_gpus": gpus(),
        "num_neurons": 0,
        "output_data_dir": str(root / "output" / "data"),
        "output_dir": str(root / "output"),
        "output_intermediate_dir": str(root / "output" / "intermediate"),
        "user_entry_point": script,
        "resource_config": resources,
        **_hosts(resources),
    }


def _hosts(resources: dict[str, Any]) -> dict[str, Any]:
    groups = resources.get("instance_groups", [])
    current = resources.get("current_group_name", "homogeneousCluster")
    own: list[str] = next((group["hosts"] for group in groups if group["instance_group_name"] == current), [])
    return {
        "current_host": resources["current_host"],
        "current_instance_group": current,
        "current_instance_group_hosts": own,
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": resources["hosts"],
        "distribution_instance_groups": [],
        "hosts": resources["hosts"],
        "instance_groups": [group["instance_group_name"] for group in groups],
        "instance_groups_dict": {group["instance_group_name"]: group for group in groups},
        "is_hetero": len(groups) > 1,
        "is_master": resources["current_host"] == resources["hosts"][0],
        "master_hostname": resources["hosts"][0],
        "network_interface_name": resources.get("network_interface_name", "eth0"),
    }


def arguments(hyperparameters: dict[str, Any]) -> list[str]:
    """Command line in the order of names: `--name value`, `-n value` for a name of one letter."""
    found = []
    for name, value in sorted(hyperparameters.items()):
        found += [f"--{name}" if len(name) > 1 else f"-{name}", _argument(value)]
    return found


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={inner}" for name, inner in sorted(value.items()))
    return "" if value is None else str(value)


def gpus() -> int:
    """NVIDIA devices that are here."""
    return sum(path.name.removeprefix("nvidia").isdigit() for path in Path("/dev").glob("nvidia[0-9]*"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _decoded(value: Any) -> Any:
    """Hyperparameters are strings; the SDK writes them as JSON, others plainly."""
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
