"""The two networks of pix2pix: a U-Net makes a picture of a picture, a judge looks at patches.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks",
CVPR 2017. `convbook.training.paired` trains both.
"""

from .. import checks
from ..layers import BatchNorm2d, Concat, Container, Conv2d, LeakyReLU, Sequential, Tanh
from ..layers.base import run_backward
from .gan import SLOPE
from .unet import unet


def picture_generator(in_channels=4, out_channels=2, base=12, depth=2, rng=None):
    """Return an untrained U-Net that ends in tanh, from pictures to pictures of the same size.

    It gets no noise: of one picture it makes one answer. (The paper tried noise, and its generator
    learned to ignore it.)

    Parameters
    ----------
    in_channels, out_channels, base, depth, rng
        As in `convbook.models.unet.unet`.

    Returns
    -------
    Sequential
        From (N, in_channels, H, W) to (N, out_channels, H, W), numbers from -1 to 1.
    """
    return Sequential(*unet(in_channels, out_channels, base, depth, rng), Tanh())


class PairDiscriminator(Container):
    """A discriminator that sees a picture and what it was made of, laid one upon the other.

    Parameters
    ----------
    body : Layer
        From (N, channels of both, H, W) to scores; the channels of what it was made of come first.
    """

    def __init__(self, body):
        super().__init__({"body": body, "join": Concat()})
        self.body, self.join = self.children.values()

    def forward(self, picture, origin):
        """Return the scores of pictures (N, C, H, W) that claim to belong to their origins."""
        return self._output(self.body.forward(self.join.forward(origin, picture)))

    def backward(self, dy, need_dx=True):
        """Return the gradients of the picture and of its origin."""
        dx = run_backward(self.body, self._gradient(dy), need_dx=need_dx)
        if not need_dx:
            return None
        d_origin, d_picture = self.join.backward(dx)
        return d_picture, d_origin


def patch_discriminator(
    in_channels=4, out_channels=2, channels=24, halvings=1, rng=None, batch_norm=False
):
    """Return an untrained discriminator that has a score for every patch of a pair of pictures.

    It has convolutions only. So each of its scores sees a part of the picture, and the same
    question is asked everywhere.

    Parameters
    ----------
    in_channels, out_channels : int
        Of the generator: what it is given, and what it makes.
    channels : int
        Of the first convolution.
    halvings : int
        How many convolutions of 4 × 4 with stride 2, the first with `channels` filters, each other
        one with twice as many as the one before it. Behind them stand two convolutions of 3 × 3;
        the last makes the scores. With 1, 2, 3 halvings a patch has 12, 26, 54 pixels each way.
    rng : int or numpy.random.Generator, optional
    batch_norm : bool
        Behind all convolutions but the first and the last, as the paper has it.

    Returns
    -------
    PairDiscriminator
        From pictures (N, out_channels, H, W) and (N, in_channels, H, W) to scores
        (N, 1, H / 2^halvings, W / 2^halvings).
    """
    halvings = checks.integer("halvings", halvings, least=1)
    rng, layers, arriving = checks.generator("rng", rng), [], in_channels + out_channels
    for i in range(halvings + 1):
        wide, normalised = channels * 2**i, batch_norm and i > 0
        size, stride = (4, 2) if i < halvings else (3, 1)
        layers += [
            Conv2d(arriving, wide, size, stride=stride, padding=1, bias=not normalised, rng=rng),
            *([BatchNorm2d(wide)] if normalised else []),
            LeakyReLU(SLOPE),
        ]
        arriving = wide
    return PairDiscriminator(Sequential(*layers, Conv2d(arriving, 1, 3, padding=1, rng=rng)))
