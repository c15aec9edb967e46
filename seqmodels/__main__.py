"""`python -m seqmodels`: the command line."""

import sys

from seqmodels.cli import main

if __name__ == "__main__":
    sys.exit(main())
