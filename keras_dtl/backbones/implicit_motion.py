"""Networks between motion of a few seconds and one code: motion as a function of code and time.

Reference: Cervantes, Sekikawa, Sato & Shinoda, "Implicit Neural Representations for Variable
Length Human Motion Generation", ECCV 2022. Differs from the paper: its decoder is a transformer,
and each clip has a code of its own that is learnt with the weights; here an encoder finds it.
"""

import keras
from keras import layers

from keras_dtl.layers import TimeGate


def _activate(x):
    return layers.LeakyReLU(negative_slope=0.2)(x)


def implicit_encoder(num_features, frames, units=256, code=64):
    """Return a network from motion `(frames, features)` to one code of the whole.

    Args:
        num_features: Numbers of a frame, 1 or more.
        frames: Of the motion, 2 or more.
        units: Of each layer.
        code: Numbers of the code.
    """
    motion = keras.Input((frames, num_features), name="motion")
    x = _activate(layers.Conv1D(units, 7, padding="same")(motion))
    x = TimeGate(2 * units, frames)(layers.Concatenate()([motion, x]))
    x = layers.GlobalAveragePooling1D()(x)
    y = _activate(layers.Dense(units)(x))
    codes = layers.Dense(code)(layers.Concatenate()([x, y]))
    return keras.Model(motion, codes, name="encoder")


def implicit_decoder(num_features, frames, units=256, code=64):
    """Return a network from a code that is repeated, `(frames, code)`, to motion.

    All frames are made at once, from the code and their place in time.

    Args:
        num_features: Numbers of a frame, 1 or more.
        frames: Of the motion, 2 or more.
        units: Of each layer.
        code: Numbers of the code, with those that say its class.
    """
    codes = keras.Input((frames, code), name="codes")
    x = _activate(layers.Dense(units)(codes))
    x = TimeGate(2 * units, frames)(layers.Concatenate()([codes, x]))
    y = _activate(layers.Dense(units)(x))
    y = _activate(layers.Conv1D(units, 5, padding="same")(y))
    motion = layers.Dense(num_features)(layers.Concatenate()([x, y]))
    return keras.Model(codes, motion, name="decoder")
