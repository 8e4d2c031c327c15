"""Live figures: ipywidgets in Jupyter, and the same figures without a kernel on a static page."""

from .answer import AnswerGrid
from .channel import ChannelExplorer
from .conv_gradient import ConvGradientExplorer
from .convolution import ConvolutionExplorer
from .gradient_check import GradientCheckFigure
from .im2col import Im2colExplorer
from .pool_gradient import PoolGradientExplorer
from .pooling import PoolingExplorer

__all__ = [
    "AnswerGrid",
    "ChannelExplorer",
    "ConvGradientExplorer",
    "ConvolutionExplorer",
    "GradientCheckFigure",
    "Im2colExplorer",
    "PoolGradientExplorer",
    "PoolingExplorer",
]
