"""What methods share that bring images into -1..1 themselves."""

from keras_dtl.methods.base import Method
from keras_dtl.methods.inputs import check_asked


class ScalingMethod(Method):
    """A method that takes images in 0..255 and scales them by itself."""

    def leave_out(self, *names):
        """Keep terms that the arguments take away out of the logs, where they would read 0.0."""
        for name in names:
            self.trackers.pop(name)

    def predict(self, x, *args, **kwargs):
        """See `keras.Model.predict`.

        Raises:
            ValueError: When images were scaled before, which is done here.
        """
        check_asked(x)
        return super().predict(x, *args, **kwargs)
