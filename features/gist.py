"""GIST, the global image descriptor of older papers, which needs no weights."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import fft

from features.extractors import Extractor, register_extractor

if TYPE_CHECKING:
    from PIL import Image

N_SCALES = 4
N_ORIENTATIONS = 8
N_BLOCKS = 4

#: Side of the grey image, and of the image with its mirrored margins (pixels).
SIDE = 128
_MARGIN = 16
_PADDED = SIDE + 2 * _MARGIN

#: Centre frequency of the finest scale (cycles per pixel) and the ratio between scales.
FINEST = 0.3
RATIO = 1.85

#: Sharpness of the filters: radial, relative to the centre frequency, and angular.
_RADIAL = 3.5
_ANGULAR = 2 * np.pi

#: The prefilter's low pass has gain 1/2 at this frequency (cycles per image side).
_PREFILTER_CUTOFF = 4.0

#: Samples per side of a filter's response, finest scale first (see `Gist`).
_SAMPLES = (100, 60, 40, 30)


class FilterBank(NamedTuple):
    """The filters of one scale, each on the m x m frequencies that hold nearly all of it.

    Attributes
    ----------
    index : (8, m, m) array of int
        Positions of those frequencies in the flattened spectrum of the padded image.
    gain : (8, m, m) array of complex64
        Transfer function there, with the phase that puts each sample of the response into the
        middle of the pixels it stands for.
    """

    index: np.ndarray
    gain: np.ndarray


@register_extractor("gist")
class Gist(Extractor):
    """GIST: energies of 32 Gabor filters on a 4 x 4 grid, 512-d; needs no weights.

    The image is converted to grey, resized to 128 x 128 and normalised in local contrast
    (:func:`even_contrast`).  Filter (s, o) has the transfer function ::

        G(f, theta) = exp(-3.5 (f / f_s - 1)^2 - 2 pi (theta - theta_o)^2)

    over radial frequency f and angle theta, with f_s = 0.3 / 1.85^s cycles per pixel and
    theta_o = o pi / 8, the angle of the filter's wave vector, from the x axis (columns) towards
    the y axis (rows, downwards).  Only one of the two lobes is kept, so the modulus of the
    response is the local energy whatever the phase.  Value ``((s * 8 + o) * 4 + row) * 4 + column``
    is the mean modulus in that block.

    The modulus does not change when the lobe is moved to zero frequency, and there the response
    is smooth.  So each filter is applied to a small window of the spectrum around its centre and
    its response sampled on a coarse grid, which is several times faster than full-size inverse
    transforms and alters the values by half a per cent or less on average.

    References
    ----------
    A. Oliva, A. Torralba, "Modeling the shape of the scene: a holistic representation of the
    spatial envelope", International Journal of Computer Vision 42(3), 2001.
    """

    n_features = N_SCALES * N_ORIENTATIONS * N_BLOCKS**2
    #: Raise it when the vectors change.
    version = "1"

    @cached_property
    def identity(self) -> dict[str, str]:
        """With the size of the image that the filters see."""
        return {**super().identity, "transform": f"grey {SIDE} x {SIDE}, margin {_MARGIN}"}

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Grey levels 0 to 255, shape (128, 128), uint8."""
        from PIL import Image

        return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))

    def extract(self, batch: np.ndarray) -> np.ndarray:
        """Descriptors of k grey images, (k, 128, 128) to (k, 512) float32."""
        vectors = np.empty((len(batch), self.n_features), np.float32)
        # One image at a time keeps memory independent of the batch.
        for vector, grey in zip(vectors, batch, strict=True):
            spectrum = fft.fft2(even_contrast(grey)).ravel()
            responses = (fft.ifft2(spectrum[bank.index] * bank.gain) for bank in self._banks)
            vector[:] = np.concatenate([block_means(np.abs(r)).ravel() for r in responses])
        return vectors

    @cached_property
    def _banks(self) -> list[FilterBank]:
        return [filter_bank(FINEST / RATIO**s, samples) for s, samples in enumerate(_SAMPLES)]


def even_contrast(grey: np.ndarray) -> np.ndarray:
    """Normalise local contrast: logarithm, minus local mean, divided by local deviation.

    With ``z = log(1 + grey)`` and the Gaussian low pass ``L`` whose gain is 1/2 at 4 cycles per
    image side: ``h = z - L z`` and the result is ``h / (0.2 + sqrt(L h^2))``.

    Parameters
    ----------
    grey : (128, 128) array
        Grey levels 0 to 255.

    Returns
    -------
    (160, 160) array of float32
        With margins of 16 pixels mirrored at the image's border.
    """
    z = np.pad(np.log1p(grey.astype(np.float32)), _MARGIN, mode="symmetric")
    high = z - low_pass(z)
    return high / (0.2 + np.sqrt(np.maximum(low_pass(high**2), 0)))


def filter_bank(frequency: float, samples: int) -> FilterBank:
    """The eight filters of one scale on windows of `samples` x `samples` frequencies.

    Parameters
    ----------
    frequency : float
        Centre frequency, cycles per pixel.
    samples : int
        Side m of the windows, at most the padded image's side.
    """
    angle = np.pi / N_ORIENTATIONS * np.arange(N_ORIENTATIONS)
    offsets = np.arange(samples) - samples // 2
    row, column = (
        wrapped(np.rint(_PADDED * frequency * centre).astype(int)[:, None] + offsets)
        for centre in (np.sin(angle), np.cos(angle))
    )
    row, column, angle = row[:, :, None], column[:, None, :], angle[:, None, None]
    y, x = row / _PADDED, column / _PADDED
    radius = np.hypot(x, y)
    turn = np.angle(np.exp(1j * (np.arctan2(y, x) - angle)))
    gain = np.exp(-_RADIAL * (radius / frequency - 1) ** 2 - _ANGULAR * turn**2)
    gain[radius == 0] = 0
    half_step = (_PADDED / samples - 1) / 2
    phase = np.exp(2j * np.pi * half_step * (y + x))
    # The inverse transform of m x m samples divides by m^2 instead of the padded image's size.
    scale = (samples / _PADDED) ** 2
    index = row % _PADDED * _PADDED + column % _PADDED
    return FilterBank(index, (scale * gain * phase).astype(np.complex64))


def wrapped(k: np.ndarray) -> np.ndarray:
    """Frequency numbers brought to the range that the transform of the padded image covers."""
    return (k + _PADDED // 2) % _PADDED - _PADDED // 2


def block_means(energy: np.ndarray) -> np.ndarray:
    """Means over the 4 x 4 blocks of the image inside its margins.

    Parameters
    ----------
    energy : (k, m, m) array
        Samples over the padded image.

    Returns
    -------
    (k, 4, 4) array
    """
    return _MEANS[energy.shape[-1]] @ energy @ _MEANS[energy.shape[-1]].T


def _block_matrix(samples: int) -> np.ndarray:
    """(4, m): averages m samples over each block and ignores the margins."""
    margin, block = samples * _MARGIN // _PADDED, samples * SIDE // (_PADDED * N_BLOCKS)
    means = np.zeros((N_BLOCKS, samples), np.float32)
    for b in range(N_BLOCKS):
        means[b, margin + b * block : margin + (b + 1) * block] = 1 / block
    return means


_MEANS = {samples: _block_matrix(samples) for samples in _SAMPLES}


def _low_pass_gain() -> np.ndarray:
    rows = fft.fftfreq(_PADDED)[:, None]
    columns = fft.rfftfreq(_PADDED)
    gain = 0.5 ** ((rows**2 + columns**2) * (SIDE / _PREFILTER_CUTOFF) ** 2)
    return gain.astype(np.float32)


_LOW_PASS_GAIN = _low_pass_gain()


def low_pass(z: np.ndarray) -> np.ndarray:
    return fft.irfft2(fft.rfft2(z) * _LOW_PASS_GAIN, s=z.shape)
