"""PyTorch and Keras, where they are installed; the book can be read and run without them."""

from .available import (
    import_keras,
    import_torch,
    keras_available,
    torch_available,
    torchvision_available,
)

__all__ = [
    "import_keras",
    "import_torch",
    "keras_available",
    "torch_available",
    "torchvision_available",
]
