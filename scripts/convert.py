"""`keras-dtl convert` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["convert", *sys.argv[1:]]))
