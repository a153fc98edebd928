import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class TimeGate(keras.layers.Layer):
    """Multiply each frame of a sequence by learnt waves: numbers become courses in time.

        y[t] = (W x[t] + b) * (V [sin(pi k t / frames), cos(pi k t / frames)] + c),  k = 1..waves

    So a code that is repeated along time can be decoded to any course of no more than `waves`
    half turns, all frames at once.

    Args:
        units: Numbers of a frame of the output.
        frames: The most frames of a sequence, 2 or more.
        waves: How many frequencies, 1 or more.

    Call arguments:
        sequence: Tensor `(batch, time, numbers)`, time up to `frames`.

    Output shape: `(batch, time, units)`.

    Raises:
        ValueError: When a sequence is longer than `frames`.
    """

    def __init__(self, units, frames, waves=24, **kwargs):
        super().__init__(**kwargs)
        if frames < 2 or waves < 1:
            raise ValueError(
                f"`frames` must be 2 or more and `waves` 1 or more. Received: {frames} and {waves}"
            )
        self.units = units
        self.frames = frames
        self.waves = waves
        self.values = keras.layers.Dense(units, dtype=self.dtype_policy, name="values")
        self.courses = keras.layers.Dense(units, dtype=self.dtype_policy, name="courses")
        angles = np.pi * np.outer(np.arange(frames), np.arange(1, waves + 1)) / frames
        self._table = np.concatenate([np.sin(angles), np.cos(angles)], 1).astype("float32")

    def build(self, input_shape):
        self.values.build(input_shape)
        self.courses.build((None, self.frames, 2 * self.waves))
        self.built = True

    def call(self, sequence):
        if sequence.shape[1] is not None and sequence.shape[1] > self.frames:
            raise ValueError(
                f"Sequences have up to {self.frames} frames here, those that were learnt. "
                f"Received: {sequence.shape[1]}"
            )
        # Of a longer one, whose length is not known before, the product fails.
        table = ops.convert_to_tensor(self._table, self.compute_dtype)
        return self.values(sequence) * self.courses(table[None, : ops.shape(sequence)[1]])

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], self.units)

    def get_config(self):
        config = {"units": self.units, "frames": self.frames, "waves": self.waves}
        return {**super().get_config(), **config}
