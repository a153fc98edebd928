"""Where an artifact lies: a path, a name, or an address at a hub.

Standard library only, as long as no hub is asked.
"""

import os
from pathlib import Path

from keras_dtl import hub
from keras_dtl.files import FilePath, readable_name
from keras_dtl.manifest import FILE_NAME, ManifestError

PUBLISHED = Path("exported")
"""Where trainings publish, below the current folder."""
PACKAGE = Path(__file__).parent
PACKAGED = (PACKAGE / "exported", PACKAGE.parent / "exported")
"""Where the artifacts lie that come with the package: in a wheel, and in a checkout."""
NAMES = ("starry-night",)
"""The artifacts that come with the package."""


def find_artifact(address: FilePath) -> Path:
    """Return the folder of an artifact.

    Args:
        address: A path; a name, looked for in `exported/` and then among those that come with
            the package, such as `"starry-night"`; or `"hf://OWNER/NAME[@REVISION]"`.

    Raises:
        ManifestError: A name is that of no artifact, or what a hub holds is damaged.
        OSError: A hub cannot be reached, or holds no such artifact.
    """
    if not isinstance(address, (str, os.PathLike)):
        raise ManifestError(
            "An artifact is given by its folder, its name, or hf://OWNER/NAME. Received: "
            f"{type(address).__name__}."
        )
    text = os.fspath(address)
    if hub.is_address(text):
        return hub.fetch_artifact(text)
    path = Path(text)
    if path.exists() or len(path.parts) != 1:
        return path
    packaged = PACKAGED if text in NAMES else ()
    for folder in (PUBLISHED, *packaged):
        if (folder / path / FILE_NAME).is_file():
            return folder / path
    raise ManifestError(
        f"{readable_name(text)} is not an artifact: there is no such folder, here or in "
        f"{PUBLISHED}. With the package comes {', '.join(NAMES)}. Give one of these names, a "
        "folder that export_model or `keras-dtl export` wrote, or hf://OWNER/NAME."
    )
