"""Image files to pixels within TensorFlow's graph, as `keras_dtl.images` does it."""
