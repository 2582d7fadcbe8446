"""How many cores and how much memory a SageMaker instance type stands for."""

from __future__ import annotations

import os
import re

_VCPUS = {
    "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "3xlarge": 12, "4xlarge": 16, "6xlarge": 24,
    "8xlarge": 32, "9xlarge": 36, "10xlarge": 40, "12xlarge": 48, "16xlarge": 64, "18xlarge": 72,
    "24xlarge": 96, "32xlarge": 128, "48xlarge": 192,
}  # fmt: skip
"""vCPUs by size; the sizes mean the same in the m, c, r, t, g and p families of today."""
_OLDER = {"ml.t2.medium": 2, "ml.p2.xlarge": 4, "ml.p2.8xlarge": 32, "ml.p2.16xlarge": 64,
          "ml.p3.2xlarge": 8, "ml.p3.8xlarge": 32, "ml.p3.16xlarge": 64}  # fmt: skip
_GIB_PER_VCPU = {"c": 2, "m": 4, "t": 4, "r": 8, "x": 16}
_FORM = re.compile(r"ml\.([a-z]+)[0-9a-z]*\.([0-9a-z]+)")
DEFAULT_VCPUS = 4


def vcpus(instance_type: str) -> int:
    """vCPUs of an `ml.<family>.<size>`; 4 for a size that is not known."""
    found = _FORM.fullmatch(instance_type)
    return _OLDER.get(instance_type) or (_VCPUS.get(found[2], DEFAULT_VCPUS) if found else DEFAULT_VCPUS)


def job_cores(instance_type: str, most: int) -> int:
    """Cores that a job on such an instance gets: its vCPUs, if there are so many and jobs may use them."""
    return min(vcpus(instance_type), machine_cores(), most)


def memory_mib(instance_type: str) -> int:
    """Memory in MiB: the family's GiB per vCPU (c: 2, m and t: 4, r: 8; others: 8) times its vCPUs."""
    found = _FORM.fullmatch(instance_type)
    return vcpus(instance_type) * _GIB_PER_VCPU.get(found[1] if found else "m", 8) * 1024


def machine_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
