"""Weights of the published PyTorch networks of pix2pix and CycleGAN, put into ours."""

import re
from collections.abc import Iterator

import keras
import numpy as np

from keras_dtl.backbones.resnet_generator import resnet_generator
from keras_dtl.backbones.torch_file import TorchFileError, read_torch_file
from keras_dtl.backbones.unet import unet
from keras_dtl.files import FilePath
from keras_dtl.layers import InstanceNormalization

Group = dict[str, np.ndarray]
"""Arrays of one layer by the last part of their names."""
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
_NORMALIZATIONS = (keras.layers.BatchNormalization, InstanceNormalization)
_STATISTICS = ("running_mean", "running_var")


def load_torch_weights(network: keras.Model, path: FilePath) -> None:
    """Put the weights of a published PyTorch network into one of ours of the same layout.

    The file is read without executing anything of it, and without PyTorch. Layers are matched in
    the order in which data passes them. A bias before a normalisation, which ours lack, is left
    out where the normalisation takes it away again, and goes into the statistics of a batch
    normalisation.

    Args:
        network: Of `unet`, `resnet_generator` or `patch_discriminator`, with the same `filters`,
            depth and normalisation as the file's.
        path: What `torch.save(network.state_dict(), path)` wrote, such as `latest_net_G.pth`.

    Raises:
        TorchFileError: The file holds something else than weights, or those of another network.
        OSError: It cannot be read.
    """
    groups = _groups(read_torch_file(path))
    try:
        values = list(_matched(network, groups))
    except TorchFileError as error:
        raise TorchFileError(f"{path} does not fit {network.name}: {error}") from error
    for layer, weights in values:
        layer.set_weights(weights)


def torch_generator(path: FilePath, input_shape: tuple | None = None) -> keras.Model:
    """Return the generator whose weights a file of PyTorch holds, of the layout that they tell.

    Published are U-Nets (pix2pix) and ResNet generators (CycleGAN, pix2pix) of several depths,
    with batch or instance normalisation.

    Args:
        path: Such as `latest_net_G.pth`.
        input_shape: `(height, width, channels)` of images in -1..1; by default any size that the
            network takes.

    Returns:
        A functional Keras model from images to images in -1..1.

    Raises:
        TorchFileError: It holds something else than such weights.
        OSError: It cannot be read.
    """
    groups = _groups(read_torch_file(path))
    kernels = [group["weight"] for group in groups if group.get("weight", np.empty(0)).ndim == 4]
    has_batch = any("weight" in group and "running_var" in group for group in groups)
    if not kernels:
        raise TorchFileError(f"{path} holds no convolutions. Expected those of a generator.")
    filters, channels, side, _ = kernels[0].shape
    settings = {
        "input_shape": input_shape or (None, None, channels),
        "filters": filters,
        "normalization": "batch" if has_batch else "instance",
    }
    if side == 7:
        blocks = (len(kernels) - 6) // 2
        network = resnet_generator(output_channels=len(kernels[-1]), blocks=blocks, **settings)
    elif side == 4:
        depth = len(kernels) // 2
        network = unet(output_channels=kernels[-1].shape[1], depth=depth, **settings)
    else:
        raise TorchFileError(
            f"{path} begins with a convolution of {side}x{side}; that of a published generator has "
            "4x4 (U-Net) or 7x7 (ResNet). Build the network and call load_torch_weights."
        )
    load_torch_weights(network, path)
    return network


def _groups(arrays: dict[str, np.ndarray]) -> list[Group]:
    """Return the arrays of each layer, in the order of the file, which is that of the data."""
    found = {}
    for name, array in arrays.items():
        place, _, part = re.sub(r"^module\.", "", name).rpartition(".")
        if part != "num_batches_tracked":
            found.setdefault(place, {})[part] = array
    return list(found.values())


def _matched(network: keras.Model, groups: list[Group]) -> Iterator[tuple]:
    """Yield layers and their weights, in Keras' order."""
    left, bias = list(groups), None
    for layer in network.layers:
        if isinstance(layer, _CONVOLUTIONS):
            group = _next(left, 4, layer)
            bias = None if layer.use_bias else group.get("bias")
            yield layer, _convolution(layer, group)
        elif isinstance(layer, _NORMALIZATIONS):
            group = left.pop(0) if left and _is_normalization(left[0]) else {}
            yield layer, _normalization(layer, group, bias)
    if left:
        raise TorchFileError(f"the file holds {len(left)} more layers than the network.")


def _next(left: list[Group], dimensions: int, layer: keras.Layer) -> Group:
    if not left or left[0].get("weight", np.empty(0)).ndim != dimensions:
        shape = left[0].get("weight", np.empty(0)).shape if left else "nothing"
        raise TorchFileError(f"{layer.name} needs a kernel, and the file has {shape} there.")
    return left.pop(0)


def _is_normalization(group: Group) -> bool:
    return group.get("weight", next(iter(group.values()))).ndim == 1


def _convolution(layer, group: Group) -> list[np.ndarray]:
    # (out, in, rows, columns), of the transposed one (in, out, ...), to Keras' order
    kernel = _checked(layer, group["weight"].transpose(2, 3, 1, 0), layer.kernel)
    if not layer.use_bias:
        return [kernel]
    # Networks with batch normalisation were published without any bias.
    zeros = np.zeros(layer.bias.shape, "float32")
    return [kernel, _checked(layer, group.get("bias", zeros), layer.bias)]


def _normalization(layer, group: Group, bias: np.ndarray | None) -> list[np.ndarray]:
    if isinstance(layer, InstanceNormalization):  # without weights, as published
        if "weight" in group:
            raise TorchFileError(
                f"{layer.name} is an instance normalisation, and the file has weights of a batch "
                "normalisation there. Build the network with normalization='batch'."
            )
        return []
    missing = {"weight", "bias", *_STATISTICS} - group.keys()
    if missing:
        raise TorchFileError(
            f"{layer.name} is a batch normalisation, for which the file lacks {sorted(missing)}. "
            "Build the network with normalization='instance'."
        )
    mean = group["running_mean"] - (0 if bias is None else bias)
    values = (group["weight"], group["bias"], mean, group["running_var"])
    weights = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    return [_checked(layer, *pair) for pair in zip(values, weights, strict=True)]


def _checked(layer, value: np.ndarray, weight) -> np.ndarray:
    if value.shape != tuple(weight.shape):
        raise TorchFileError(
            f"{layer.name} has {weight.name} of shape {tuple(weight.shape)}, the file "
            f"{value.shape}. Build the network with the file's `filters`, depth and channels."
        )
    return value.astype("float32")
