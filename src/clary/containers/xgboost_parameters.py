"""SageMaker's XGBoost hyperparameters: which there are, and what each may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[str], Any]


class UserError(Exception):
    """What the user can mend; the text names the hyperparameter or the channel."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`parameters` are XGBoost's own, `settings` those of the algorithm around it."""

    parameters: dict[str, Any]
    settings: dict[str, Any]


def _whole(low: int | None = None, high: int | None = None) -> Check:
    def check(text: str) -> Any:
        try:
            value = int(text)
        except ValueError:
            raise UserError(f"must be a whole number, not {text!r}") from None
        return _between(value, low, high)

    return check


def _number(low: float | None = None, high: float | None = None, above: float | None = None) -> Check:
    def check(text: str) -> Any:
        try:
            value = float(text)
        except ValueError:
            raise UserError(f"must be a number, not {text!r}") from None
        if above is not None and not value > above:
            raise UserError(f"must be above {above}, not {text}")
        return _between(value, low, high)

    return check


def _between(value: Any, low: float | None, high: float | None) -> Any:
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        limits = (
            f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        )
        raise UserError(f"must be {limits}, not {value}")
    return value


def _one_of(*choices: str) -> Check:
    def check(text: str) -> str:
        if text not in choices:
            raise UserError(f"must be one of {', '.join(choices)}; not {text!r}")
        return text

    return check


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.strip("[]").replace('"', "").replace("'", "").split(",") if item]


def _as_it_is(text: str) -> str:
    return text


_FRACTION = _number(high=1, above=0)
OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax",
    "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror",
    "reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie",
    "reg:absoluteerror", "reg:quantileerror", "survival:aft", "survival:cox",
)  # fmt: skip
SETTINGS: dict[str, Check] = {
    "num_round": _whole(1),
    "early_stopping_rounds": _whole(1),
    "csv_weights": _whole(0, 1),
}
PARAMETERS: dict[str, Check] = {
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "verbosity": _whole(0, 3),
    "nthread": _whole(1),
    "eta": _number(0, 1),
    "gamma": _number(0),
    "max_depth": _whole(0),
    "min_child_weight": _number(0),
    "max_delta_step": _number(0),
    "subsample": _FRACTION,
    "sampling_method": _one_of("uniform", "gradient_based"),
    "colsample_bytree": _FRACTION,
    "colsample_bylevel": _FRACTION,
    "colsample_bynode": _FRACTION,
    "lambda": _number(0),
    "alpha": _number(0),
    "tree_method": _one_of("auto", "exact", "approx", "hist"),
    "scale_pos_weight": _number(above=0),
    "updater": _as_it_is,
    "refresh_leaf": _whole(0, 1),
    "process_type": _one_of("default", "update"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "max_leaves": _whole(0),
    "max_bin": _whole(2),
    "monotone_constraints": _as_it_is,
    "interaction_constraints": _as_it_is,
    "sample_type": _one_of("uniform", "weighted"),
    "normalize_type": _one_of("tree", "forest"),
    "rate_drop": _number(0, 1),
    "one_drop": _whole(0, 1),
    "skip_drop": _number(0, 1),
    "tweedie_variance_power": _number(1, 2),
    "objective": _one_of(*OBJECTIVES),
    "num_class": _whole(2),
    "base_score": _number(),
    "eval_metric": _list,
    "seed": _whole(-(2**31), 2**31 - 1),
    "num_parallel_tree": _whole(1),
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _number(),
    "max_cat_to_onehot": _whole(1),
    "max_cat_threshold": _whole(1),
    "quantile_alpha": _number(0, 1),
}
REPLACED = {
    "predictor": "this release of XGBoost chooses it by itself",
    "sketch_eps": "use max_bin",
    "dsplit": "one host has all the data",
    "lambda_bias": "XGBoost has dropped it",
    "single_precision_histogram": "XGBoost has dropped it",
    "deterministic_histogram": "XGBoost has dropped it",
    "silent": "use verbosity",
    "_kfold": "cross validation inside a job is not built; train on folds of your own",
    "_num_cv_round": "cross validation inside a job is not built; train on folds of your own",
    "save_model_on_termination": "not built",
    "use_dask_gpu_training": "not built",
}
_SDK = ("sagemaker_", "_tuning_objective_metric")


def validate(given: Mapping[str, str]) -> Wanted:
    """Parse a job's hyperparameters; UserError naming the one that is missing, unknown or out of range."""
    settings: dict[str, Any] = {"early_stopping_rounds": None, "csv_weights": 0}
    parameters: dict[str, Any] = {}
    for name, text in given.items():
        if name.startswith(_SDK):
            continue
        value = _checked(name, _plain(text))
        (settings if name in SETTINGS else parameters)[name] = value
    if "num_round" not in settings:
        raise UserError("Hyperparameter num_round is required: the number of boosting rounds")
    _check_together(parameters)
    return Wanted(parameters, settings)


def _checked(name: str, text: str) -> Any:
    if name in REPLACED:
        raise UserError(f"Hyperparameter {name} is not taken: {REPLACED[name]}")
    check = SETTINGS.get(name) or PARAMETERS.get(name)
    if check is None:
        known = ", ".join(sorted([*SETTINGS, *PARAMETERS]))
        raise UserError(f"Hyperparameter {name} is unknown. The built-in XGBoost knows: {known}")
    try:
        return check(text)
    except UserError as error:
        raise UserError(f"Hyperparameter {name} {error}") from None


def _check_together(parameters: dict[str, Any]) -> None:
    multi = str(parameters.get("objective", "")).startswith("multi:")
    if multi and "num_class" not in parameters:
        raise UserError(f"Hyperparameter num_class is required for objective {parameters['objective']}")
    if parameters.get("objective") == "reg:linear":
        parameters["objective"] = "reg:squarederror"  # the same under its name of today


def _plain(text: str) -> str:
    """The SDK writes some strings as JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str) else text
