"""Networks between images and the two codes that methods of separation keep apart."""

import keras
from keras import layers

from keras_dtl.backbones.convolution import check_normalization, leaky
from keras_dtl.layers import InstanceNormalization, MixtureCode

SMALLEST = 4
"""Side of the maps, in pixels, at which halving ends."""

MOMENTUM = 0.9
"""Of batch normalisation's moving statistics, which must follow within a short training."""


def latent_encoder(
    input_shape,
    content,
    style=0,
    filters=32,
    normalization: str | None = "batch",
    name="latent_encoder",
):
    """Return an encoder of images in -1..1 into a content code and the Gaussian of a style code.

    5x5 convolutions of stride 2 until the maps are small; their channels double.

    Args:
        input_shape: `(height, width, channels)`.
        content: Numbers in the content code.
        style: Numbers in the style code; 0 for an encoder of content alone, as in CGMV.
        filters: Channels of the first map.
        normalization: `"batch"`, `"instance"`, which is the same in training and in use whatever
            images share a batch, or `None`.
        name: Name of the model.

    Returns:
        A functional Keras model to `[content, style mean, style log variance]`, or to the content
        `(batch, content)` where `style` is 0.

    Raises:
        ValueError: When a code has no numbers.
    """
    _check_codes(content=content, **({"style": style} if style else {}))
    image = keras.Input(input_shape, name="image")
    x = _shrunk(image, filters, normalization)
    x = layers.Dense(256, activation="relu")(layers.Flatten()(x))
    code = layers.Dense(content, dtype="float32", name="content")(x)
    if not style:
        return keras.Model(image, code, name=name)
    mean = layers.Dense(style, dtype="float32", name="style_mean")(x)
    spread = layers.Dense(style, dtype="float32", name="style_log_variance")(x)
    return keras.Model(image, [code, mean, spread], name=name)


def latent_decoder(
    output_shape,
    content,
    style,
    filters=32,
    normalization: str | None = "batch",
    modes=0,
    name="latent_decoder",
):
    """Return a generator of images in -1..1 from a content code and a style code.

    The mirror image of `latent_encoder`: 4x4 transposed convolutions of stride 2 with ReLU, after
    Radford et al., "Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks", ICLR 2016.

    Args:
        output_shape: `(height, width, channels)`; both sides a multiple of 4 and alike.
        content, style: Numbers in the codes.
        filters: Channels of the largest map.
        normalization: As for `latent_encoder`.
        modes: Gaussians of the mixture that the content is brought to, for contents that are drawn
            and not read from an image, see `keras_dtl.layers.MixtureCode`; 0 for none.
        name: Name of the model.

    Returns:
        A functional Keras model from `[content, style]` to images.

    Raises:
        ValueError: When a code has no numbers, or no map can be doubled to the side.
    """
    _check_codes(content=content, style=style)
    side, doublings = _smallest_map(output_shape)
    codes = [keras.Input((n,), name=k) for n, k in ((content, "content"), (style, "style"))]
    width = filters * 2 ** (doublings - 1)
    x = [MixtureCode(modes)(codes[0]) if modes else codes[0], codes[1]]
    x = layers.Dense(side * side * width, use_bias=not normalization)(layers.Concatenate()(x))
    x = layers.Reshape((side, side, width))(x)
    x = layers.ReLU()(_normalize(x, normalization))
    for level in range(doublings - 2, -1, -1):
        x = layers.Conv2DTranspose(filters * 2**level, 4, 2, "same", use_bias=not normalization)(x)
        x = layers.ReLU()(_normalize(x, normalization))
    x = layers.Conv2DTranspose(output_shape[-1], 4, 2, "same")(x)
    image = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(codes, image, name=name)


def pair_discriminator(input_shape, kind="concat", filters=32, name="pair_discriminator"):
    """Return a network that judges whether two images show one thing, and are real.

    Args:
        input_shape: `(height, width, channels)` of each image, in -1..1.
        kind: `"concat"`: both are joined along their channels (Chen et al. 2018); `"siamese"`:
            one network sees each, and their features' differences and products are judged, so
            that the order cannot matter.
        filters: Channels of the first map.
        name: Name of the model.

    Returns:
        A functional Keras model from `[first, second]` to logits `(batch, 1)`, without batch
        normalisation, so that gradient penalties may be used.
    """
    if kind not in ("concat", "siamese"):
        raise ValueError(f"`kind` must be 'concat' or 'siamese'. Received: {kind!r}")
    pair = [keras.Input(input_shape, name=name) for name in ("first", "second")]
    if kind == "concat":
        features = layers.Flatten()(_shrunk(layers.Concatenate()(pair), filters))
    else:
        one = keras.Input(input_shape)
        x = layers.Dense(128)(layers.Flatten()(_shrunk(one, filters)))
        tower = keras.Model(one, x, name="tower")
        features = compare(*(tower(image) for image in pair))
    logits = layers.Dense(1, dtype="float32", name="logits")(features)
    return keras.Model(pair, logits, name=name)


def compare(first, second):
    """Return features of two vectors, symbolic, which their order cannot change."""
    apart = layers.Subtract()([first, second])
    parts = [layers.Add()([first, second]), layers.Multiply()([first, second])]
    features = layers.Concatenate()([layers.Multiply()([apart, apart]), *parts])
    return leaky(layers.Dense(128)(features))


def class_discriminator(input_shape, classes, filters=32, name="class_discriminator"):
    """Return a network that judges whether an image is real and of a class.

    By projection (Miyato & Koyama, "cGANs with Projection Discriminator", ICLR 2018): the class
    chooses the weights that its logit gives to the image's features.

    Args:
        input_shape: `(height, width, channels)` of the image, in -1..1.
        classes: Number of classes.
        filters: Channels of the first map.
        name: Name of the model.

    Returns:
        A functional Keras model from `[image, class (batch,)]` to logits `(batch, 1)`.
    """
    image = keras.Input(input_shape, name="image")
    label = keras.Input((), dtype="int32", name="label")
    features = leaky(layers.Dense(128)(layers.Flatten()(_shrunk(image, filters))))
    of_class = layers.Dot(1)([features, layers.Embedding(classes, 128)(label)])
    x = layers.Add()([layers.Dense(1)(features), of_class])
    return keras.Model(
        [image, label], layers.Activation("linear", dtype="float32", name="logits")(x), name=name
    )


def _shrunk(x, filters, normalization=None):
    check_normalization(normalization)
    doublings = _smallest_map(x.shape[1:])[1]
    for level in range(doublings):
        x = layers.Conv2D(filters * 2**level, 5, 2, "same", use_bias=not normalization)(x)
        x = leaky(_normalize(x, normalization))
    return x


def _normalize(x, normalization):
    if normalization == "batch":
        return layers.BatchNormalization(momentum=MOMENTUM)(x)
    return InstanceNormalization()(x) if normalization == "instance" else x


def _smallest_map(shape):
    """Return the side of the smallest map, and how often it is doubled to the image's."""
    height, width = shape[:2]
    side, doublings = height, 0
    while side is not None and side % 2 == 0 and side > SMALLEST:
        side, doublings = side // 2, doublings + 1
    if height != width or not doublings:
        raise ValueError(
            "Images must be square, with a side above 4 that can be halved, such as 28, 32 or 64. "
            f"Received: {tuple(shape)}. Choose another image size (--image-size)."
        )
    return side, doublings


def _check_codes(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(
                f"The {name} code must hold at least one number. Received: {name}={size}."
            )
