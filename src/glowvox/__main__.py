"""`python -m glowvox` is the command `glowvox`."""

import sys

from glowvox.cli.main import main

sys.exit(main())
