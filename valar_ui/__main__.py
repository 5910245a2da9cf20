"""`python -m valar_ui …`: the command line."""

import sys

from valar_ui.cli import main

sys.exit(main())
