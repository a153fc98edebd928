"""Deep transfer learning for TensorFlow and Keras 3, from `fit` to production inference.

Names are loaded when first used, so that converting with a trained model starts in a fraction
of a second and needs no TensorFlow. `__init__.pyi` lists them, for this file as for editors.
"""

from keras_dtl.import_path import forget_current_folder, is_command

if is_command():
    forget_current_folder()
    from keras_dtl.interrupts import stop_command

    stop_command()

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
