import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_dtl")
class ImagePool(keras.layers.Layer):
    """Keeps generated images and hands out old ones for new, so that a discriminator remembers.

    While there is room, images are stored and returned as they are. Then each goes by the toss
    of a coin: it is returned, or it takes the place of a stored one, which is returned instead.
    Images, their number and the state of the random generator are weights on the device, saved
    with the model: a resumed training sees the same images.

    Reference: Shrivastava et al., "Learning from Simulated and Unsupervised Images through
    Adversarial Training", CVPR 2017; Zhu et al., ICCV 2017, section 4, keep 50.

    Args:
        size: How many images are kept; 0 returns every image as it is.
        image_shape: `(height, width, channels)`.
        seed: Of the random generator.

    Call arguments:
        images: Floating tensor `(batch, height, width, channels)`.

    Output shape: that of the input. No gradient passes.

    Under `tf.distribute` each replica has a pool of its own, of the images that it generated, so
    that a training of several remembers more images, of fewer steps each.
    """

    per_replica = True

    def __init__(self, size, image_shape, seed=None, **kwargs):
        super().__init__(**kwargs)
        if size < 0 or (size and None in image_shape):
            raise ValueError(
                "An image pool needs a `size` of 0 or more and a full `image_shape`. "
                f"Received: size={size}, image_shape={tuple(image_shape)}"
            )
        self.size = size
        self.image_shape = tuple(image_shape)
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)
        if size:
            self.images = self._state("images", (size, *self.image_shape), "float32")
            self.count = self._state("count", (), "int32")
        self.built = True

    def _state(self, name, shape, dtype):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            autocast=False,
        )

    def call(self, images):
        images = tf.stop_gradient(images)
        if not self.size:
            return images
        batch = tf.shape(images)[:1]
        keep = keras.random.uniform(batch, seed=self.random) < 0.5
        places = keras.random.randint(batch, 0, self.size, seed=self.random)
        return tf.map_fn(
            lambda entry: self._exchange(*entry),
            (tf.cast(images, "float32"), keep, places),
            fn_output_signature="float32",
            parallel_iterations=1,  # the pool changes from one image to the next
        )

    def _exchange(self, image, keep, place):
        count = tf.convert_to_tensor(self.count)
        filling = count < self.size
        place = tf.where(filling, count, place)
        old = tf.gather(self.images.value, place)
        stored = tf.where(filling | ~keep, image, old)
        self.images.value.scatter_update(tf.IndexedSlices(stored, place))
        self.count.assign(tf.minimum(count + 1, self.size))
        return tf.where(filling | keep, image, old)

    def compute_output_spec(self, images):
        return keras.KerasTensor(images.shape, dtype="float32")

    def get_config(self):
        config = {"size": self.size, "image_shape": self.image_shape, "seed": self.seed}
        return {**super().get_config(), **config}
