"""`keras-dtl export` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["export", *sys.argv[1:]]))
