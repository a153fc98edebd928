"""`keras-dtl train` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["train", *sys.argv[1:]]))
