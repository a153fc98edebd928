"""`keras-dtl stylize` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["stylize", *sys.argv[1:]]))
