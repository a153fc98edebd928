"""`keras-dtl adapt` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["adapt", *sys.argv[1:]]))
