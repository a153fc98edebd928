"""`keras-dtl evaluate` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["evaluate", *sys.argv[1:]]))
