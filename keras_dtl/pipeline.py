"""How every `tf.data` pipeline of this package runs."""


def pipeline_options():
    """Return the `tf.data.Options` of all data sets: one order, and one copy of the images."""
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    # Rewriting the graph would copy every captured image, and gains nothing here.
    options.experimental_optimization.apply_default_optimizations = False
    # No files to share out: with several workers each takes its share of the batches.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
