"""The networks of chapter 3-7-1 by their names, at full size and small.

Each is made by a function of `rng` alone, and stands beside the shape (C, H, W) of its pictures.
"""

from functools import partial

from .alexnet import alexnet, alexnet_2012, small_alexnet
from .densenet import densenet, small_densenet
from .googlenet import googlenet, small_googlenet
from .lenet import lenet
from .mobilenet import mobilenet, small_mobilenet
from .resnet import resnet, small_resnet, wide_resnet
from .vgg import small_vgg, vgg

IMAGENET, CIFAR = (3, 224, 224), (3, 32, 32)

FULL = {
    "LeNet-5": (lenet, (1, 32, 32)),
    "AlexNet": (alexnet_2012, (3, 227, 227)),
    "AlexNet, 2014": (alexnet, IMAGENET),
    "VGG-11": (partial(vgg, 11), IMAGENET),
    "VGG-13": (partial(vgg, 13), IMAGENET),
    "VGG-16": (partial(vgg, 16), IMAGENET),
    "VGG-19": (partial(vgg, 19), IMAGENET),
    "GoogLeNet": (googlenet, IMAGENET),
    "ResNet-18": (partial(resnet, 18), IMAGENET),
    "ResNet-34": (partial(resnet, 34), IMAGENET),
    "ResNet-50": (partial(resnet, 50), IMAGENET),
    "ResNet-101": (partial(resnet, 101), IMAGENET),
    "ResNet-152": (partial(resnet, 152), IMAGENET),
    "Wide ResNet-50-2": (partial(wide_resnet, 50), IMAGENET),
    "DenseNet-121": (partial(densenet, 121), IMAGENET),
    "MobileNet": (mobilenet, IMAGENET),
}
SMALL = {
    "small LeNet": (partial(lenet, 3), CIFAR),
    "small AlexNet": (small_alexnet, CIFAR),
    "small VGG": (small_vgg, CIFAR),
    "small VGG, normalised": (partial(small_vgg, norm=True), CIFAR),
    "small GoogLeNet": (small_googlenet, CIFAR),
    "small ResNet-20": (partial(small_resnet, 20), CIFAR),
    "small Wide ResNet-14": (partial(small_resnet, 14, widen=2), CIFAR),
    "small DenseNet": (partial(small_densenet, growth=8), CIFAR),
    "small MobileNet": (small_mobilenet, CIFAR),
}
