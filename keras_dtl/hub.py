"""Artifacts on the Hugging Face hub: fetched and compared with their checksums, or pushed.

Of what a hub holds only the manifest and the ONNX graphs that it lists are fetched; nothing of it
is executed. `HF_ENDPOINT`, `HF_HOME` and `HF_TOKEN` mean what they do everywhere.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from keras_dtl.card import card_of
from keras_dtl.files import FilePath, is_no_room, write_text
from keras_dtl.manifest import FILE_NAME, Manifest, read_manifest, verify_file

SCHEME = "hf://"
CARD = "README.md"
_PART = r"[A-Za-z0-9][\w.-]*"
# `pathlib` makes hf:/ of hf://
_ADDRESS = re.compile(
    rf"hf:/{{1,2}}(?P<repository>{_PART}/{_PART})(?:@(?P<revision>{_PART}(?:/{_PART})*))?"
)


class HubError(OSError):
    """The hub cannot be reached, or holds no such artifact; the message says what to do."""


class Address(NamedTuple):
    """An artifact on the hub."""

    repository: str
    """`OWNER/NAME`."""
    revision: str = "main"
    """Branch, tag or commit."""


def is_address(text: str) -> bool:
    """Whether a text names something on the hub, rightly or wrongly.

    Args:
        text: A path, a name or an address.
    """
    return text.startswith("hf:/")


def parse_address(text: str) -> Address:
    """Return what `hf://OWNER/NAME[@REVISION]` names.

    Args:
        text: The address.

    Raises:
        ValueError: It is none.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or ".." in text:
        raise ValueError(
            f"{text!r} is no address of the hub; expected hf://OWNER/NAME or "
            "hf://OWNER/NAME@REVISION, the latter a branch, a tag or a commit."
        )
    return Address(match["repository"], match["revision"] or "main")


def fetch_artifact(text: str) -> Path:
    """Fetch what a conversion needs of an artifact, unless it was fetched before.

    Files lie below `HF_HOME`, a folder for each commit. Without a network the commit is taken
    that the revision was when it was last asked for.

    Args:
        text: `hf://OWNER/NAME[@REVISION]`.

    Returns:
        The folder of the artifact.

    Raises:
        ValueError: It is no address.
        HubError: The hub cannot be reached, or holds no such artifact.
        ManifestError: The manifest is damaged, or a file differs from its checksum.
    """
    address = parse_address(text)
    place = _library().constants.HF_HOME
    root = Path(place) / "keras_dtl" / address.repository.replace("/", "--")
    commit = _commit_of(address, root)
    folder = root / "commits" / commit
    _download(address, commit, FILE_NAME, folder)
    manifest = read_manifest(folder)
    for name in graphs_of(manifest):
        _download(address, commit, name, folder)
        verify_file(folder, manifest, name)
    return folder


def graphs_of(manifest: Manifest) -> list[str]:
    """Return the files of an artifact that a conversion reads.

    Args:
        manifest: The `Manifest`.
    """
    return sorted(name for name in manifest.files if name.endswith(".onnx"))


def _commit_of(address: Address, root: Path) -> str:
    """Return the commit that a revision is, by the hub or as last heard of it."""
    heard = root / "revisions" / address.revision
    try:
        commit = _library().HfApi().model_info(address.repository, revision=address.revision).sha
    # Its errors, and those of its clients of HTTP, have no base class but Exception.
    except Exception as error:
        if _is_answer(error) or not heard.is_file():
            raise _hub_error(address, error) from error
        return heard.read_text(encoding="utf-8")
    if not re.fullmatch("[0-9a-f]{7,64}", str(commit)):
        raise HubError(f"The hub names no commit of {address.repository}: {commit!r}.")
    write_text(heard, commit)
    return commit


def _download(address, commit, name, folder):
    if (folder / name).is_file():
        return
    try:
        _library().hf_hub_download(address.repository, name, revision=commit, local_dir=folder)
    except Exception as error:  # as above
        if is_no_room(error):
            raise
        raise _hub_error(address, error) from error


def _is_answer(error: Exception) -> bool:
    """Whether the hub itself answered, be it that it has no such thing."""
    return getattr(error, "response", None) is not None


def _hub_error(address: Address, error: Exception) -> HubError:
    return HubError(
        f"{SCHEME}{address.repository}@{address.revision} cannot be fetched: {_reason(error)}. "
        "Look at owner, name and revision, at the network, and, if it is private, at HF_TOKEN."
    )


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
    except ImportError as error:
        raise HubError(
            'Addresses of the hub need huggingface_hub: pip install -e ".[hub]" in a checkout, or '
            "pip install huggingface_hub."
        ) from error
    return huggingface_hub


def contents_of(folder: FilePath, repository: str, licence: str | None = None) -> dict[str, Any]:
    """Return what `push_artifact` uploads: `{name: path, or bytes of the card}`.

    Args:
        folder: The artifact, whose files are compared with their checksums.
        repository: `OWNER/NAME`.
        licence: Its identifier at the hub, such as `"apache-2.0"`, for the card.

    Raises:
        ManifestError: It is no artifact, or one that is damaged.
        ValueError: The repository is not named `OWNER/NAME`.
    """
    address = parse_address(f"{SCHEME}{repository}")
    manifest, folder = read_manifest(folder), Path(folder)
    found: dict[str, Any] = {name: verify_file(folder, manifest, name) for name in manifest.files}
    found[FILE_NAME] = folder / FILE_NAME
    if (folder / CARD).is_file():  # it brings its own, with the pictures beside it
        pictures = (path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
        return {**found, CARD: folder / CARD, **{path.name: path for path in pictures}}
    card = card_of(manifest, folder, f"{SCHEME}{address.repository}", licence=licence)
    return {**found, CARD: card.encode()}


def push_artifact(
    folder: FilePath,
    repository: str,
    *,
    private: bool = False,
    revision: str = "main",
    licence: str | None = None,
) -> str:
    """Upload an artifact in one commit, with a card made from its manifest.

    Args:
        folder: The artifact.
        repository: `OWNER/NAME`, which is made where it does not exist.
        private: Whether a repository that is made can be seen by its owner alone.
        revision: The branch.
        licence: Its identifier at the hub, such as `"apache-2.0"`, for the card.

    Returns:
        The address of the commit, `hf://OWNER/NAME@COMMIT`.

    Raises:
        ManifestError: It is no artifact, or one that is damaged.
        HubError: The hub refuses it, or cannot be reached.
    """
    library, contents = _library(), contents_of(folder, repository, licence)
    operations = [
        library.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
        for name, content in contents.items()
    ]
    api, words = library.HfApi(), f"{Path(folder).resolve().name}, by keras-dtl push"
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.create_commit(repository, operations, commit_message=words, revision=revision)
    except Exception as error:  # as above
        raise HubError(
            f"{repository} cannot be pushed: {_reason(error)}. Look at the network; log in "
            "with `hf auth login`, or set HF_TOKEN to a token that may write."
        ) from error
    return f"{SCHEME}{repository}@{commit.oid}"
