"""Put an artifact on the Hugging Face hub.

keras-dtl push exported/dann OWNER/NAME
"""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from keras_dtl.addresses import find_artifact
from keras_dtl.cli.command import SUCCESS
from keras_dtl.files import readable_name


@dataclass(frozen=True)
class Push:
    """Put an artifact on the Hugging Face hub, in one commit.

    Its files are compared with their checksums first. A card, README.md, is made from the manifest:
    shapes, differences from Keras, measures, settings, checksums. Settings hold the names of data
    sets and folders that the training was given: look at the card with --dry-run.

    Needs the extra [hub], and a token: `hf auth login`, or HF_TOKEN.
    """

    artifact: Positional[Annotated[str, arg(metavar="ARTIFACT")]]
    """Name or folder of the artifact."""
    repository: Positional[Annotated[str, arg(metavar="OWNER/NAME")]]
    """Repository at the hub, which is made where it does not exist."""
    private: bool = False
    """Make a new repository one that its owner alone can see."""
    revision: str = "main"
    """Branch to commit to."""
    licence: str | None = None
    """Identifier of its licence at the hub, such as apache-2.0, for the card. Default: none."""
    dry_run: bool = False
    """Print the card and the files, and upload nothing."""


def main(arguments: Push) -> int:
    """Upload an artifact, or show what would be; return the exit status."""
    from keras_dtl.hub import CARD, contents_of, push_artifact

    folder = find_artifact(arguments.artifact)
    if arguments.dry_run:
        contents = contents_of(folder, arguments.repository, arguments.licence)
        card = contents[CARD]
        print(card.decode() if isinstance(card, bytes) else card.read_text(encoding="utf-8"))
        print(*(f"would upload: {readable_name(name)}" for name in sorted(contents)), sep="\n")
        return SUCCESS
    address = push_artifact(
        folder,
        arguments.repository,
        private=arguments.private,
        revision=arguments.revision,
        licence=arguments.licence,
    )
    print(f"Pushed: {address}. Next: keras-dtl convert {address.partition('@')[0]} INPUT out/")
    return SUCCESS
