"""`python -m clary.cli`."""

import sys

from clary.cli import main

sys.exit(main())
