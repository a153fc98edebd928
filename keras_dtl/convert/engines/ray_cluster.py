"""Workers on the nodes of a Ray cluster.

Ray actors, not Ray Data: a data set of Ray is read and written by its tasks, which would need the
folders at the same path on every node; it gives up on a block as a whole where one image kills its
worker; and what an interrupted one has written nobody can tell. Here files go to the actors as
bytes and come back as bytes, so that the journal, the order of a table and whole files are the
business of one process, as without Ray, and nodes need no disk in common, not even for the
artifact. keras_dtl and onnxruntime must be installed on each.
"""

import atexit
import contextlib
import dataclasses
import logging
import os
import shutil
import socket
import sys
import tempfile
import typing
from pathlib import Path

from keras_dtl.convert.engines.worker import Setup, Worker, WorkerLost
from keras_dtl.convert.options import FILES, ConversionError
from keras_dtl.convert.runtimes.graphs import files_of
from keras_dtl.files import read_regular
from keras_dtl.import_path import PACKAGE, environment, safe_path
from keras_dtl.manifest import read_manifest, verify_file

_CLUSTER_OF_MACHINE = Path("/tmp/ray/ray_current_cluster")
_SECONDS_TO_ANSWER = 5
_SECONDS_TO_START = 600  # that a cluster without a free place may take to find one


def ray_workers(setup: Setup) -> "list[RayWorker]":
    """Return the workers of a conversion: one for each core of the cluster, or for each GPU.

    Args:
        setup: The `Setup` of each.

    Raises:
        ConversionError: Ray is not installed, there is no such cluster, or it has no place.
    """
    ray = connect(setup.options.address)
    kind = "GPU" if setup.session.device in ("cuda", "tensorrt") else "CPU"
    share = setup.session.threads or 1 if kind == "CPU" else 1
    places = int(ray.cluster_resources().get(kind, 0) // share)
    if not places:
        raise ConversionError(
            f"The Ray cluster has no place for a worker, which takes {share} {kind}; it has "
            f"{ray.cluster_resources()}. Choose another device or fewer threads."
        )
    resources = {"num_cpus": share} if kind == "CPU" else {"num_gpus": 1}
    # An actor that is lost gets a new one by this package, with what it was doing.
    actor = ray.remote(max_restarts=0, **resources)(ClusterWorker)
    contents = ray.put(contents_of(setup))
    count = min(setup.options.workers or places, places)
    return [RayWorker(ray, actor, contents) for _ in range(count)]


def connect(address: str | None, log_to_driver: bool = False):
    """Return the module `ray`, connected to a cluster.

    Args:
        address: Of the cluster, or None for one that is started on this machine.
        log_to_driver: Whether what actors print appears here.

    Raises:
        ConversionError: Ray is not installed, or there is no such cluster.
    """
    if not address and "ray" not in sys.modules and not _belongs_to_cluster():
        # What Ray opens for this machine alone listens on the loopback address alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if address or _belongs_to_cluster():
        _show_token()
    try:
        import ray
    except ImportError as error:
        raise ConversionError(
            'The engine ray needs Ray: `pip install "keras_dtl[ray]"`, here and on the nodes.'
        ) from error
    if ray.is_initialized():
        return ray
    if not address and not os.environ.get("RAY_ADDRESS"):
        _check_cluster_of_machine()
    try:
        with _neutral_place():
            ray.init(address=address, log_to_driver=log_to_driver, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise ConversionError(
            f"There is no Ray cluster at {address or 'this machine'} that lets this user in: "
            f"{error}. Start one by `ray start --head`, or leave the address out for this machine "
            "alone. A cluster of another machine may want its token: copy it to ~/.ray/auth_token."
        ) from error
    return ray


def _show_token():
    """Have Ray show the token of this user, which it does not do unasked.

    The first cluster of one machine makes a token, and every later one that is started by this
    user wants it. A cluster that wants none does not mind.
    """
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray/auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or file.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # which Ray reads when it is imported


def _belongs_to_cluster():
    """Whether `ray.init()` without an address finds a cluster instead of beginning one."""
    return bool(os.environ.get("RAY_ADDRESS")) or _CLUSTER_OF_MACHINE.exists()


def _check_cluster_of_machine():
    """Refuse a cluster that has ended without `ray stop`, for which Ray would wait for minutes."""
    with contextlib.suppress(FileNotFoundError):
        named = _CLUSTER_OF_MACHINE.read_text("utf-8").strip()
        host, _, port = named.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_SECONDS_TO_ANSWER).close()
        except (OSError, ValueError) as error:
            raise ConversionError(
                f"The Ray cluster of this machine, {named!r} in {_CLUSTER_OF_MACHINE}, does not "
                "answer. Call `ray stop`, which forgets it, or name a cluster by its address."
            ) from error


@contextlib.contextmanager
def _neutral_place():
    """Be in a folder that holds nothing but the way to this package.

    Ray puts the current folder, and that of the script that was started, first on the path of its
    workers; neither is what images lie in.
    """
    folder = tempfile.mkdtemp(prefix="keras_dtl.")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / "keras_dtl").symlink_to(PACKAGE)
    place, paths, named = os.getcwd(), sys.path[:], os.environ.get("PYTHONPATH")  # noqa: PTH109
    _name_paths(environment().get("PYTHONPATH"))
    sys.path[:] = safe_path()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        sys.path[:] = paths
        _name_paths(named)


def _name_paths(value):
    if value is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = value


def contents_of(setup: Setup) -> tuple[Setup, dict[str, bytes], dict[str, bytes]]:
    """Return what goes to a node: the setup, and the files that it names.

    Args:
        setup: A `Setup`.

    Returns:
        The setup, the files of the artifact by relative path, and those that options name.
    """
    options = {name: getattr(setup.options, name) for name in FILES}
    named = {name: read_regular(path) for name, path in options.items() if path}
    return setup, _files(setup), named


def _files(setup):
    """Return what a worker needs of the artifact, as bytes by relative path."""
    folder = Path(setup.artifact)
    manifest = read_manifest(folder)
    graphs = {manifest.onnx_file, *(record["file"] for record in manifest.precisions.values())}
    graphs |= {(manifest.tiling or {}).get("file")} - {None}
    for records in manifest.runtimes.values():
        graphs.update(file for record in records.values() for file in files_of(record["file"]))
    files = {name: verify_file(folder, manifest, name).read_bytes() for name in sorted(graphs)}
    return {"manifest.json": read_regular(folder / "manifest.json"), **files}


class ClusterWorker:
    """A `Worker` whose files came through the cluster.

    Args:
        contents: What `contents_of` returned.
    """

    def __init__(self, contents: tuple):
        setup, files, named = contents
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        for name, data in files.items():
            _write(root / "artifact" / name, data)
        for name, data in named.items():
            _write(root / name, data)
        options = dataclasses.replace(setup.options, **{name: str(root / name) for name in named})
        artifact = str(root / "artifact")
        self.worker = Worker(dataclasses.replace(setup, artifact=artifact, options=options))

    def ready(self) -> int:
        return os.getpid()

    def convert(self, files: list[tuple[str, bytes]]) -> tuple[list, float]:
        return self.worker.convert(files)


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class RayWorker:
    """One actor of the cluster, and another one where that is lost.

    Args:
        ray: The module.
        actor: The class of actors.
        contents: Reference to what they are made of.
    """

    def __init__(self, ray: typing.Any, actor: typing.Any, contents: typing.Any):
        self.ray = ray
        self.class_of_actors = actor
        self.contents = contents
        self.actor = None

    def start(self) -> None:
        """Begin the actor.

        Raises:
            WorkerLost: The actor has gone, or its node.
            ConversionError: The cluster had no place for it.
        """
        self.actor = self.class_of_actors.remote(self.contents)
        try:
            self.ray.get(self.actor.ready.remote(), timeout=_SECONDS_TO_START)
        except self.ray.exceptions.GetTimeoutError as error:
            raise ConversionError(
                f"The Ray cluster had no place for a worker in {_SECONDS_TO_START} seconds; it has "
                f"{self.ray.cluster_resources()}. Call again with nodes; what is done is kept."
            ) from error
        except self.ray.exceptions.RayError as error:
            raise WorkerLost(f"{type(error).__name__}: {str(error).strip()}") from error

    def convert(self, files: list[tuple[str, bytes]]) -> tuple[list, float]:
        """Do what `Worker.convert` does.

        Args:
            files: Pairs of a name and the bytes of the file.

        Raises:
            WorkerLost: The actor has gone, or its node.
        """
        try:
            return self.ray.get(self.actor.convert.remote(files))
        except self.ray.exceptions.RayTaskError:
            raise  # a defect, not a loss
        except self.ray.exceptions.RayError as error:
            raise WorkerLost(type(error).__name__) from error

    def stop(self) -> None:
        if self.actor is not None:
            with contextlib.suppress(self.ray.exceptions.RayError):
                self.ray.kill(self.actor)
            self.actor = None
