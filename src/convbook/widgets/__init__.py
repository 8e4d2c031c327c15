"""Live figures: ipywidgets in Jupyter, and the same figures without a kernel on a static page."""

from .anchors import AnchorExplorer
from .anomaly import AnomalyExplorer
from .answer import AnswerGrid
from .architecture import ArchitectureExplorer
from .augmentation import AugmentationExplorer
from .channel import ChannelExplorer
from .code import CodeExplorer
from .colour_explorer import ColourExplorer
from .confusion import ConfusionExplorer
from .conv_gradient import ConvGradientExplorer
from .convolution import ConvolutionExplorer
from .device_time import DeviceTimeExplorer
from .digit_forge import DigitForge
from .digit_playground import DigitPlayground
from .gan_lab import GanLab
from .gradient_check import GradientCheckFigure
from .gradient_flow import GradientFlowExplorer
from .grid import GridExplorer
from .heart_explorer import HeartExplorer
from .im2col import Im2colExplorer
from .one_shot import OneShotExplorer
from .pool_gradient import PoolGradientExplorer
from .pooling import PoolingExplorer
from .roi import RoiExplorer
from .signal import SignalExplorer
from .slices import SlicesExplorer
from .training_explorer import TrainingExplorer
from .transpose import TransposeExplorer
from .unpool import UnpoolExplorer
from .video import VideoExplorer

__all__ = [
    "AnchorExplorer",
    "AnomalyExplorer",
    "AnswerGrid",
    "ArchitectureExplorer",
    "AugmentationExplorer",
    "ChannelExplorer",
    "CodeExplorer",
    "ColourExplorer",
    "ConfusionExplorer",
    "ConvGradientExplorer",
    "ConvolutionExplorer",
    "DeviceTimeExplorer",
    "DigitForge",
    "DigitPlayground",
    "GanLab",
    "GradientCheckFigure",
    "GradientFlowExplorer",
    "GridExplorer",
    "HeartExplorer",
    "Im2colExplorer",
    "OneShotExplorer",
    "PoolGradientExplorer",
    "PoolingExplorer",
    "RoiExplorer",
    "SignalExplorer",
    "SlicesExplorer",
    "TrainingExplorer",
    "TransposeExplorer",
    "UnpoolExplorer",
    "VideoExplorer",
]
