"""The convolutions of VGG19: the features in which style and content are measured."""

import warnings

import keras
import numpy as np
from keras import layers, ops

from keras_dtl.files import FilePath, atomic_path

CONVOLUTIONS = (2, 2, 4, 4, 4)  # in each of the five blocks
LAYERS = tuple(
    f"conv{block}_{number}"
    for block, count in enumerate(CONVOLUTIONS, start=1)
    for number in range(1, count + 1)
)
STYLE_AND_CONTENT = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1")
IMAGENET_MEAN = (123.68, 116.779, 103.939)  # red, green, blue
POOLINGS = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def vgg19_features(
    outputs=STYLE_AND_CONTENT,
    weights: FilePath | None = "imagenet",
    pooling="average",
    name="vgg19_features",
):
    """Return VGG19 up to the deepest of the asked layers, as a frozen network of features.

    Layers are named as in the papers on style: `conv4_2` is the second convolution of the
    fourth block, after its ReLU. The mean of ImageNet is subtracted inside.

    Reference: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015; average pooling after Gatys, Ecker & Bethge, CVPR 2016.

    Args:
        outputs: Names of the layers whose features are returned, of `conv1_1` to `conv5_4`.
        weights: `"imagenet"` to take those of `keras.applications.VGG19`, which are downloaded
            once; a path of a Keras file (`.weights.h5`, `.h5`, `.keras`) of that model, with or
            without its top, or of an `.npz` that `save_vgg19` writes; or `None` for random ones.
        pooling: `"average"`, which Gatys et al. found to give smoother pictures, or `"max"`, as
            the network was trained.
        name: Name of the model.

    Returns:
        A functional Keras model from RGB images `(batch, height, width, 3)`, float in 0..255 of
        any size from 16 pixels on, to a dictionary of features by layer name.

    Raises:
        ValueError: A layer or pooling is unknown, or the weights are those of another network.
        OSError: The weights are missing, or cannot be downloaded.
    """
    _check(outputs, pooling)
    image = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1.0, offset=[-value for value in IMAGENET_MEAN], name="centred")(image)
    features, depth = {}, max(LAYERS.index(output) for output in outputs)
    for layer in LAYERS[: depth + 1]:
        if layer.endswith("_1") and layer != "conv1_1":
            x = POOLINGS[pooling](2, name=f"pool{int(layer[4]) - 1}")(x)
        filters = 64 * 2 ** min(int(layer[4]) - 1, 3)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=layer)(x)
        features[layer] = x
    network = keras.Model(image, {output: features[output] for output in outputs}, name=name)
    network.trainable = False
    if weights is not None:
        _set_convolutions(network, _read(weights), weights)
    return network


def normalize_activations(network, images):
    """Rescale the filters so that each has a mean activation of 1, as Gatys et al. did.

    The mean is taken over images and positions. ReLU and pooling pass a positive factor on, so
    a factor on each filter, undone in the layer above, leaves what the network computes as it
    was but for these factors. Style is then measured alike in all layers and filters. Keep the
    result with `save_vgg19`.

    Reference: Gatys, Ecker & Bethge, CVPR 2016, section 2.

    Args:
        network: What `vgg19_features` returned. It is changed in place.
        images: Iterable of natural images `(height, width, 3)` in 0..255; some hundred give
            means within a few percent.

    Raises:
        ValueError: There are none, or one is scaled to 0..1.
    """
    names = [layer for layer in LAYERS if layer in _layer_names(network)]
    inner = keras.Model(network.inputs, [network.get_layer(name).output for name in names])
    means, count = [0.0] * len(names), 0
    for image in images:
        _check_pixels(image)
        maps = inner(ops.cast(image, "float32")[None], training=False)
        if not isinstance(maps, (list, tuple)):
            maps = [maps]
        count += 1
        means = [
            mean + ops.convert_to_numpy(ops.mean(x, (0, 1, 2)))
            for mean, x in zip(means, maps, strict=True)
        ]
    if not count:
        raise ValueError("normalize_activations needs at least one image. Received: none.")
    # A filter that is never active has no mean to divide by, and matters to nobody.
    means = [np.where(mean > 0, mean / count, 1.0).astype("float32") for mean in means]
    below = np.ones(3, "float32")
    for name, mean in zip(names, means, strict=True):
        layer = network.get_layer(name)
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * below[:, None] / mean, bias / mean])
        below = mean


def _check_pixels(image):
    values = np.asarray(image)
    is_scaled = values.dtype.kind == "f" and (values.min() < 0 or values.max() <= 1)
    if values.ndim != 3 or values.shape[2] != 3 or is_scaled or values.max() >= 512:
        raise ValueError(
            "normalize_activations takes images (height, width, 3) in 0..255. Received: "
            f"{values.dtype} of shape {values.shape} in {values.min():.3g}..{values.max():.3g}."
        )


def save_vgg19(network, path):
    """Write the convolutions of a network of `vgg19_features` to an `.npz`, to be read again.

    Arrays are named as in `keras.applications`, `block1_conv1/kernel`, for BGR images.

    Args:
        network: What `vgg19_features` returned.
        path: Of the file to write, which should end in `.npz`.
    """
    arrays = {}
    for name in LAYERS:
        if name in _layer_names(network):
            kernel, bias = network.get_layer(name).get_weights()
            arrays[f"{_keras_name(name)}/kernel"] = _reversed_channels(name, kernel)
            arrays[f"{_keras_name(name)}/bias"] = bias
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def _check(outputs, pooling):
    unknown = [output for output in outputs if output not in LAYERS]
    if unknown or not outputs:
        raise ValueError(
            f"`outputs` must name layers of VGG19, {LAYERS[0]} to {LAYERS[-1]}. "
            f"Received: {unknown or outputs!r}"
        )
    if pooling not in POOLINGS:
        raise ValueError(f"`pooling` must be one of {sorted(POOLINGS)}. Received: {pooling!r}")


def _layer_names(network):
    return {layer.name for layer in network.layers}


def _keras_name(layer):
    """Return `conv4_2` as `keras.applications` names it: `block4_conv2`."""
    return f"block{layer[4]}_conv{layer[6]}"


def _reversed_channels(layer, kernel):
    # Published weights expect BGR; turning the first kernel spares turning every image.
    return kernel[:, :, ::-1] if layer == LAYERS[0] else kernel


def _set_convolutions(network, arrays, source):
    for name in LAYERS:
        if name not in _layer_names(network):
            continue
        layer, found = network.get_layer(name), []
        for part, weight in zip(("kernel", "bias"), layer.weights, strict=True):
            array = arrays.get(f"{_keras_name(name)}/{part}")
            if array is None or array.shape != tuple(weight.shape):
                shape = "nothing" if array is None else f"an array of shape {array.shape}"
                raise ValueError(
                    f"{source} does not hold the weights of VGG19: {_keras_name(name)}/{part} must "
                    f"have shape {tuple(weight.shape)}. Received: {shape}. {_WEIGHTS}"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"{source}: {_keras_name(name)}/{part} has values that are NaN.")
            found.append(array.astype("float32"))
        layer.set_weights([_reversed_channels(name, found[0]), found[1]])


_WEIGHTS = (
    'Give "imagenet", a file of keras.applications.VGG19 (.weights.h5, .h5, .keras), or an .npz '
    "with arrays called block1_conv1/kernel, block1_conv1/bias and so on."
)


def _read(weights):
    """Return `{block1_conv1/kernel: array, ...}` of a file or of the published weights."""
    if str(weights) == "imagenet":
        return _load_published()
    try:
        with open(weights, "rb") as file:
            archive = file.read(4)
    except OSError as error:
        raise type(error)(
            f"The weights of VGG19 cannot be read: {weights}: {error.strerror}. {_WEIGHTS}"
        ) from error
    if str(weights).endswith(".npz") and archive.startswith(b"PK"):
        with np.load(weights, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    return _keras_file(weights)


def _load_published():
    try:
        network = keras.applications.VGG19(weights="imagenet", include_top=False)
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        raise OSError(
            "The ImageNet weights of VGG19 could not be downloaded, and are not in Keras' cache "
            f"({error}). Go online once, or pass a file of them as `weights` (--weights). "
            f"{_WEIGHTS}"
        ) from error
    return _arrays(network)


def _keras_file(path):
    errors = []
    for top in (False, True):
        network = keras.applications.VGG19(weights=None, include_top=top)
        try:
            with warnings.catch_warnings():
                # Keras only warns where it leaves a part of the model as it was.
                warnings.simplefilter("error", UserWarning)
                network.load_weights(path)
            return _arrays(network)
        except (OSError, KeyError, ValueError, UserWarning) as error:
            errors.append(str(error).splitlines()[0])
    raise ValueError(f"{path} does not hold the weights of VGG19: {errors[0]} {_WEIGHTS}")


def _arrays(network):
    arrays = {}
    for layer in network.layers:
        if layer.name.startswith("block") and layer.weights:
            kernel, bias = layer.get_weights()
            arrays |= {f"{layer.name}/kernel": kernel, f"{layer.name}/bias": bias}
    return arrays
