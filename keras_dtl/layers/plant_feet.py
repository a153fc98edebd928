import keras
from keras import ops

from keras_dtl.layers.smooth_frames import mean_with_neighbours


@keras.saving.register_keras_serializable("keras_dtl")
class PlantFeet(keras.layers.Layer):
    """Let the root step so that feet slide less while they are down.

    How fast a foot moves over the ground follows from the step of the root, its turn and the
    bones of the leg. A share of what feet that are down move is taken off the root's step, in a
    mean over the frames beside. Bones, height and turn stay as they are, so poses do.

    Motion is that of `keras_dtl.motion.features_of`.

    Reference: Kovar, Schreiner & Gleicher, "Footskate Cleanup for Motion Capture Editing", SCA
    2002, who also bend and stretch the legs, until no foot slides.

    Args:
        legs: `(bones, feet)`, the length of each bone on the way from the root to a foot, in leg
            lengths, and 0 for the others: `Skeleton.legs`.
        share: Of the sliding that is taken away, in 0..1.
        height: In leg lengths: a foot so much higher than the other, or twice as high above the
            lowest place of the clip, is not down.

    Call arguments:
        inputs: Tensor `(batch, time, 3 * bones + 4)`, of two frames or more.

    Output shape: as the input.
    """

    def __init__(self, legs, share=0.6, height=0.02, **kwargs):
        super().__init__(**kwargs)
        if not (0 <= share <= 1 and height > 0):
            raise ValueError(
                f"`share` must be in 0..1 and `height` above 0. Received: {share} and {height}"
            )
        self.legs = [[float(length) for length in row] for row in legs]
        self.share = share
        self.height = height

    def call(self, inputs):
        height, steps, turn = inputs[..., -4:-3], inputs[..., -3:-1], inputs[..., -1:]
        x, y, z = self.feet(inputs[..., :-4])
        # Both ways are seen from where the body faced in the frame before.
        cos, sin = ops.cos(turn), ops.sin(turn)
        side = steps[..., :1] + cos * x + sin * z - _before(x)
        ahead = steps[..., 1:] - sin * x + cos * z - _before(z)
        down = self.down(y + height)
        most, total = ops.max(down, -1, keepdims=True), ops.sum(down, -1, keepdims=True)
        weights = down * most / ops.maximum(total, 1e-6)
        slides = [ops.sum(weights * way, -1, keepdims=True) for way in (side, ahead)]
        slide = ops.concatenate(slides, -1)
        slide = ops.concatenate(
            [slide[:, 1:2], slide[:, 1:]], axis=1
        )  # nothing is before the first
        steps = steps - self.share * mean_with_neighbours(slide, 2.0)
        return ops.concatenate([inputs[..., :-3], steps, turn], -1)

    def feet(self, directions):
        """Return x, y and z of the feet from the root, each `(batch, time, feet)`."""
        directions = ops.reshape(directions, (-1, ops.shape(directions)[1], len(self.legs), 3))
        length = ops.sqrt(ops.sum(ops.square(directions), -1, keepdims=True))
        directions = directions / ops.maximum(length, 1e-6)
        legs = ops.convert_to_tensor(self.legs, directions.dtype)
        return [ops.matmul(directions[..., axis], legs) for axis in range(3)]

    def down(self, heights):
        """Return how much each foot is down in a frame and in the one before, in 0..1."""
        lowest = ops.min(heights, axis=-1, keepdims=True)
        above_other = (heights - lowest) / self.height
        above_ground = (lowest - ops.min(lowest, axis=1, keepdims=True)) / self.height
        down = ops.clip(1 - above_other, 0, 1) * ops.clip(2 - above_ground, 0, 1)
        return ops.minimum(down, _before(down))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"legs": self.legs, "share": self.share, "height": self.height}
        return {**super().get_config(), **own}


def _before(values):
    """Return the values of the frame before; of the first its own."""
    return ops.concatenate([values[:, :1], values[:, :-1]], axis=1)
