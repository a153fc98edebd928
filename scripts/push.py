"""`keras-dtl push` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["push", *sys.argv[1:]]))
