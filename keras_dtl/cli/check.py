"""Say what a data set would be taken for, without training.

keras-dtl check photos/
keras-dtl check folder:photos
keras-dtl check paired:facades
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from keras_dtl.cli.command import SUCCESS


@dataclass(frozen=True)
class Check:
    """Say what a folder, an archive or a named data set would be taken for, without training.

    Splits, classes, counts, sizes, files that are left out, the share of void; of motion the
    skeletons, the axis that is up and the rate. Training tells the same before it begins. The
    exit status is 0 when it can be used, 2 when it cannot.
    """

    data: Positional[Annotated[str, arg(metavar="DATA")]]
    """A path, or a name as for --source and --target: folder:PATH, paired:PATH, mnist."""
    kind: Literal["folder", "paired", "segmentation", "npz", "bvh"] | None = None
    """What it is, where its content does not tell."""


def main(arguments: Check) -> int:
    """Print what the data set is taken for; return the exit status."""
    from keras_dtl.data.inspection import describe

    for line in describe(arguments.data, arguments.kind, thorough=True):
        print(line)
    return SUCCESS
