"""`python -m clary.containers.inference`: load the model of CLARY_ML_ROOT, then answer on CLARY_SOCKET."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    started = time.monotonic()
    for name in THREADS:
        # Read when the libraries are loaded; more threads than one only cost on a call's few rows.
        os.environ.setdefault(name, "1")
    root = Path(os.environ.get("CLARY_ML_ROOT", "/opt/ml"))
    os.environ.setdefault("SM_MODEL_DIR", str(root / "model"))
    from clary.containers.inference import find, names, serve
    from clary.containers.inference.invocation import CannotServe

    try:
        socket = root / os.environ["CLARY_SOCKET"]
        timeout = float(os.environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60"))
        served = find.load(root, os.environ)
        if (root / names.EXPLAINER).is_file():
            # Only then: the engine takes half a second to import.
            from clary.containers.explainer import explained

            served = explained.load(root, served, timeout)
    except CannotServe as error:
        print(f"CannotServe: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        traceback.print_exc()
        print(serve.describe(error), file=sys.stderr)
        return 1
    gc.collect()
    gc.freeze()
    print(f"[clary] serving a {served.what}, loaded in {time.monotonic() - started:.2f} s", flush=True)
    serve.run(served, socket, timeout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
