import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_dtl")
class SmoothFrames(keras.layers.Layer):
    """Take the trembling out of what a trained network makes: a mean with the frames beside.

        y_t = (x_(t-1) + weight * x_t + x_(t+1)) / (weight + 2),  at both ends x repeated

    In training frames stay as they are: a network that is judged behind a filter learns to undo
    it. A weight of 4 is the smoothing of a cubic B-spline, which straight lines pass unchanged;
    what changes from frame to frame is left with a third.

    Args:
        weight: Of the frame itself, 2 or more; with less, fast changes would change their sign.

    Call arguments:
        inputs: Tensor `(batch, time, channels)`.
        training: Whether the network learns.

    Output shape: as the input.
    """

    def __init__(self, weight=4.0, **kwargs):
        super().__init__(**kwargs)
        if not weight >= 2:
            raise ValueError(f"`weight` must be 2 or more. Received: {weight}")
        self.weight = weight

    def call(self, inputs, training=False):
        return inputs if training else mean_with_neighbours(inputs, self.weight)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


def mean_with_neighbours(frames, weight):
    """Return each frame in a mean with those beside it; at both ends the frame itself repeats.

    Args:
        frames: Tensor `(batch, time, channels)`.
        weight: Of the frame itself, where those beside weigh 1.
    """
    before = ops.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    after = ops.concatenate([frames[:, 1:], frames[:, -1:]], axis=1)
    return (before + weight * frames + after) / (weight + 2)
