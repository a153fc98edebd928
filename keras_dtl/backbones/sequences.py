"""Networks over motion: convolutional with adaptive instance normalisation, and recurrent."""

import keras
from keras import layers

from keras_dtl.backbones.latent import compare
from keras_dtl.layers import AdaptiveInstanceNormalization, JoinCode, MixtureCode, SmoothFrames


def _convolution(x, filters, width=5, strides=1):
    return layers.Conv1D(filters, width, strides=strides, padding="same")(x)


def _downsample(motion, filters):
    """Return maps of a quarter of the frames."""
    x = _activate(_convolution(motion, filters, 7))
    for _ in range(2):
        x = _activate(_convolution(x, filters, 5, strides=2))
    return x


def _smooth(x):
    return layers.AveragePooling1D(3, strides=1, padding="same")(x)


def _activate(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def content_encoder(num_features, filters=96, content=48, kind="convolutional"):
    """Return a network from motion `(time, features)` to content codes `(time / 4, content)`.

    Without instance normalisation, unlike Aberman et al.: it would take away how far and how fast
    limbs move, which belongs to the action. The recurrent kind keeps the length, as a
    bidirectional GRU.

    Args:
        num_features: Numbers of a frame, 1 or more.
        filters: Channels of the maps; units, of the recurrent kind.
        content: Numbers of a content code.
        kind: `"convolutional"` or `"recurrent"`.
    """
    motion = keras.Input((None, num_features), name="motion")
    if kind == "recurrent":
        x = layers.Bidirectional(layers.GRU(filters, return_sequences=True))(motion)
        codes = layers.Dense(content)(x)
        return keras.Model(motion, codes, name="content_encoder")
    x = _downsample(motion, filters)
    return keras.Model(motion, _convolution(x, content, 3), name="content_encoder")


def style_encoder(num_features, filters=96, style=24, kind="convolutional"):
    """Return a network from motion `(time, features)` of any length to one style code.

    Args:
        num_features: Numbers of a frame, 1 or more.
        filters: Channels of the maps; units, of the recurrent kind.
        style: Numbers of the style code.
        kind: `"convolutional"` or `"recurrent"`.
    """
    motion = keras.Input((None, num_features), name="motion")
    if kind == "recurrent":
        x = layers.GRU(filters)(motion)
    else:
        x = _downsample(motion, filters)
        x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(motion, layers.Dense(style)(x), name="style_encoder")


def motion_decoder(num_features, filters=96, content=48, style=24, kind="convolutional"):
    """Return a network from content codes and a style code to motion.

    Call it with `[content, style]`. The convolutional kind makes 4 frames of each content code.
    What is normalised and given the style is added to what is not, so that sizes come through.
    Frames are averaged with their neighbours where codes become more frames and at the end:
    bodies have mass, and no critic shall be won over by trembling. What trembles even so
    `keras_dtl.layers.SmoothFrames` takes out of what the trained network makes.

    Args:
        num_features: Numbers of a frame, 1 or more.
        filters: Channels of the maps; units, of the recurrent kind.
        content, style: Numbers of a content code and of the style code.
        kind: `"convolutional"` or `"recurrent"`.
    """
    codes, code = keras.Input((None, content), name="content"), keras.Input((style,), name="style")
    if kind == "recurrent":
        x = JoinCode()([codes, code])
        x = layers.GRU(filters, return_sequences=True)(x)
        x = layers.GRU(filters, return_sequences=True)(x)
        motion = layers.Dense(num_features)(x)
        return keras.Model([codes, code], motion, name="decoder")
    x = _convolution(codes, filters, 3)
    for step in range(3):
        x = _smooth(layers.UpSampling1D(2)(x)) if step else x
        y = _activate(AdaptiveInstanceNormalization()([_convolution(x, filters), code]))
        x = layers.Add()([x, y])
    y = _activate(AdaptiveInstanceNormalization()([_convolution(x, filters), code]))
    x = layers.Add()([x, _convolution(y, filters, 3)])
    motion = SmoothFrames()(_smooth(_convolution(x, num_features, 7)))
    return keras.Model([codes, code], motion, name="decoder")


def motion_generator(num_features, frames, filters=96, content=32, style=16, modes=0):
    """Return a generator from a content code and a style code to motion `(frames, features)`.

    Args:
        num_features: Of a frame.
        frames: Of the motion, a multiple of 4.
        filters: Channels of the maps.
        content, style: Numbers in the codes.
        modes: Gaussians of the mixture that the content is brought to, see
            `keras_dtl.layers.MixtureCode`; 0 for none.

    Raises:
        ValueError: When the frames are no multiple of 4.
    """
    if frames < 4 or frames % 4:
        raise ValueError(f"`frames` must be a multiple of 4. Received: {frames}")
    codes = [keras.Input((n,), name=k) for n, k in ((content, "content"), (style, "style"))]
    x = MixtureCode(modes)(codes[0]) if modes else codes[0]
    x = layers.Dense(frames // 4 * filters)(x)
    x = layers.Reshape((frames // 4, filters))(x)
    motion = motion_decoder(num_features, filters, filters, style)([x, codes[1]])
    for _ in range(2):  # no clip that is rebuilt holds it to calm
        motion = _smooth(motion)
    return keras.Model(codes, motion, name="motion_generator")


def motion_pair_discriminator(num_features, filters=96):
    """Return a network that judges whether two motions have one content, and are real.

    One network sees each, so that their order cannot matter, at whatever moment they begin.

    Args:
        num_features: Numbers of a frame, 1 or more.
        filters: Channels of the maps.
    """
    motion = keras.Input((None, num_features))
    x = _downsample(motion, filters)
    pooled = layers.GlobalAveragePooling1D()(_activate(_convolution(x, filters)))
    tower = keras.Model(motion, layers.Dense(128)(pooled), name="tower")
    pair = [keras.Input((None, num_features), name=name) for name in ("first", "second")]
    logits = layers.Dense(1, name="logits")(compare(*(tower(motion) for motion in pair)))
    return keras.Model(pair, logits, name="motion_pair_discriminator")


def motion_classifiers(num_features, num_classes, filters=48, count=1):
    """Return a network from motion `(time, features)` to the logits of several classifiers, a list.

    They share nothing, so that what one alone takes for a class does not please the others.

    Args:
        num_features: Numbers of a frame, 1 or more.
        num_classes: Logits of each, 2 or more.
        filters: Channels of the maps.
        count: How many classifiers, 1 or more.

    Raises:
        ValueError: When `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"`count` must be 1 or more. Received: {count}")
    motion = keras.Input((None, num_features), name="motion")
    answers = []
    for number in range(1, count + 1):
        x = _activate(_convolution(_downsample(motion, filters), filters))
        pooled = layers.GlobalAveragePooling1D()(x)
        answers.append(layers.Dense(num_classes, name=f"classifier_{number}")(pooled))
    return keras.Model(motion, answers, name="classifiers")


def motion_critic(num_features, num_styles, num_actions, filters=96):
    """Return a discriminator of motion that also names its style and its action.

    Outputs a dictionary of logits: `real` `(time / 4, styles + actions)`, one judgement for each
    style and each action; `style` `(styles,)`; `action` `(actions,)`.

    Args:
        num_features: Numbers of a frame, 1 or more.
        num_styles, num_actions: How many there are of each, 1 or more.
        filters: Channels of the maps.
    """
    motion = keras.Input((None, num_features), name="motion")
    x = _downsample(motion, filters)
    pooled = layers.GlobalAveragePooling1D()(_activate(_convolution(x, filters)))
    heads = {
        "real": _convolution(x, num_styles + num_actions, 3),
        "style": layers.Dense(num_styles)(pooled),
        "action": layers.Dense(num_actions)(pooled),
    }
    return keras.Model(motion, heads, name="critic")


def code_classifier(num_inputs, num_classes, hidden=64):
    """Return a classifier of sequences of codes `(time, num_inputs)`: pooled, two dense layers.

    Args:
        num_inputs: Numbers of a code.
        num_classes: Logits, 2 or more.
        hidden: Units of the layers before.
    """
    codes = keras.Input((None, num_inputs), name="codes")
    x = _activate(_convolution(codes, hidden, 3))
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(hidden, activation="relu")(x)
    return keras.Model(codes, layers.Dense(num_classes)(x), name="code_classifier")


def recurrent_encoder(num_features, units=100, code=50):
    """Return a GRU network from motion `(time, features)` to one code of the whole.

    Args:
        num_features: Numbers of a frame, 1 or more.
        units: Of each of the two GRUs.
        code: Numbers of the code.
    """
    motion = keras.Input((None, num_features), name="motion")
    x = layers.GRU(units, return_sequences=True)(motion)
    x = layers.GRU(units)(x)
    return keras.Model(motion, layers.Dense(code)(x), name="encoder")


def recurrent_decoder(num_features, units=100, code=50):
    """Return a GRU network from a code that is repeated, `(time, code)`, to motion.

    Args:
        num_features: Numbers of a frame, 1 or more.
        units: Of each of the two GRUs.
        code: Numbers of the code, with those that say its class.
    """
    codes = keras.Input((None, code), name="codes")
    x = layers.GRU(units, return_sequences=True)(codes)
    x = layers.GRU(units, return_sequences=True)(x)
    return keras.Model(codes, layers.Dense(num_features)(x), name="decoder")
