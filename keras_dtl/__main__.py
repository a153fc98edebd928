"""`python -m keras_dtl` is `keras-dtl`."""

import sys

from keras_dtl.cli.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
