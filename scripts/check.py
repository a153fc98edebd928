"""`keras-dtl check` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["check", *sys.argv[1:]]))
