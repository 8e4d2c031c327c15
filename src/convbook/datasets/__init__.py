"""Images to learn from: `mnist()`, `cifar10()`, and slices through hearts, `heart()`.

The first two give an `ImageSet` of 5,000 training and 1,000 test images that come with the package;
with `full=True`, all images, from the original files. `heart()` gives a `HeartSet` of drawn hearts,
and with `folder=` real ones.
"""

from .hearts import HeartSet
from .imageset import ImageSet
from .loaders import cifar10, heart, mnist

__all__ = ["HeartSet", "ImageSet", "cifar10", "heart", "mnist"]
