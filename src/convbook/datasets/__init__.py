"""Images to learn from: `mnist()` and `cifar10()`.

Each gives an `ImageSet` of 5,000 training and 1,000 test images that come with the package; with
`full=True`, all images, from the original files.
"""

from .imageset import ImageSet
from .loaders import cifar10, mnist

__all__ = ["ImageSet", "cifar10", "mnist"]
