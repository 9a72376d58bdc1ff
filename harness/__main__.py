"""`python -m harness` is the `preflight` command."""

import sys

from harness.cli import main

sys.exit(main())
