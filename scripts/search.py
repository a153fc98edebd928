"""`keras-dtl search` from a checkout."""

import sys

from keras_dtl.cli.__main__ import main

sys.exit(main(["search", *sys.argv[1:]]))
