"""`python -m clary.containers.clarify`: run the analysis of one processing job."""

from __future__ import annotations

import sys

from clary.containers.clarify.job import main

sys.exit(main())
