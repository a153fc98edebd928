"""`keras-dtl study` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["study", *sys.argv[1:]]))
