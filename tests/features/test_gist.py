"""GIST: filters, blocks, prefilter, and agreement with full-size transforms."""

import numpy as np
import pytest
from PIL import Image

from features.gist import FINEST, RATIO, SIDE, Gist, even_contrast

MARGIN = 16


def grating(frequency, angle, phase=0.0, amplitude=60.0):
    """Grey waves whose wave vector has that length (cycles per pixel) and angle."""
    y, x = np.mgrid[:SIDE, :SIDE]
    along = x * np.cos(angle) + y * np.sin(angle)
    wave = 128 + amplitude * np.sin(2 * np.pi * frequency * along + phase)
    return np.rint(wave).astype(np.uint8)


def describe(*images):
    """Descriptors as (k, scale, orientation, row, column)."""
    return Gist().extract(np.stack(images)).reshape(len(images), 4, 8, 4, 4)


def full_size_descriptor(grey):
    """The same formula with inverse transforms of the whole padded image, in float64."""
    side = SIDE + 2 * MARGIN
    spectrum = np.fft.fft2(even_contrast(grey).astype(np.float64))
    frequency = np.fft.fftfreq(side)
    radius = np.hypot(frequency[:, None], frequency)
    theta = np.arctan2(frequency[:, None], frequency)
    values = []
    for scale in range(4):
        for orientation in range(8):
            turn = theta - orientation * np.pi / 8
            turn = (turn + np.pi) % (2 * np.pi) - np.pi
            centre = 0.3 / 1.85**scale
            gain = np.exp(-3.5 * (radius / centre - 1) ** 2 - 2 * np.pi * turn**2)
            gain[0, 0] = 0
            energy = np.abs(np.fft.ifft2(spectrum * gain))[MARGIN:-MARGIN, MARGIN:-MARGIN]
            values.append(energy.reshape(4, 32, 4, 32).mean(axis=(1, 3)))
    return np.array(values).reshape(4, 8, 4, 4)


def photo_like(seed):
    """Noise with the 1/f spectrum of photographs, grey levels 0 to 255."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((SIDE, SIDE)))
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    image = np.fft.ifft2(spectrum / np.maximum(radius, 1 / SIDE)).real
    image = (image - image.min()) / np.ptp(image)
    return np.rint(255 * image).astype(np.uint8)


@pytest.mark.parametrize("scale", range(4))
@pytest.mark.parametrize("orientation", range(8))
def test_grating_lights_up_its_own_filter(scale, orientation):
    wave = grating(FINEST / RATIO**scale, orientation * np.pi / 8)
    energy = describe(wave)[0].mean(axis=(2, 3))
    assert np.unravel_index(energy.argmax(), energy.shape) == (scale, orientation)


def test_windows_agree_with_full_size_transforms():
    images = [photo_like(seed) for seed in range(3)]
    wanted = np.stack([full_size_descriptor(image) for image in images])
    # Block by block and scale by scale; the mean difference is far below that between images.
    error = np.abs(describe(*images) - wanted)
    scale_mean = wanted.mean(axis=(0, 2, 3, 4), keepdims=True)
    assert (error / scale_mean).mean() < 0.005
    assert (error / scale_mean).max() < 0.06


def test_constant_image_is_all_but_zero():
    flat = describe(*(np.full((SIDE, SIDE), grey, np.uint8) for grey in (0, 77, 255)))
    assert np.isfinite(flat).all()
    assert flat.max() < 1e-3 * describe(photo_like(0)).mean()


def test_pattern_in_one_block_lights_that_block():
    image = np.full((SIDE, SIDE), 128, np.uint8)
    image[32:64, 64:96] = grating(FINEST, 0)[32:64, 64:96]
    energy = describe(image)[0][0, 0]
    assert np.unravel_index(energy.argmax(), energy.shape) == (1, 2)
    # Blocks that do not touch it get next to nothing.
    assert energy[3].max() < 0.05 * energy[1, 2]


def test_phase_does_not_matter_and_orientation_does():
    first, shifted, turned = describe(
        grating(0.1, 0.6), grating(0.1, 0.6, phase=np.pi / 2), grating(0.1, 0.6 + np.pi / 2)
    )
    assert np.linalg.norm(first - shifted) < 0.1 * np.linalg.norm(first)
    assert np.linalg.norm(first - turned) > 0.8 * np.linalg.norm(first)


def test_prefilter_takes_out_brightness_and_most_of_the_contrast():
    image = photo_like(1).astype(float)
    bright, dim = even_contrast(image), even_contrast(image / 2)
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert np.corrcoef(bright[inner].ravel(), dim[inner].ravel())[0, 1] > 0.97
    a, b = describe(np.rint(image).astype(np.uint8), np.rint(image / 2).astype(np.uint8))
    assert np.linalg.norm(a - b) < 0.15 * np.linalg.norm(a)


def test_low_pass_has_half_gain_at_four_cycles():
    from features.gist import low_pass

    # 5 cycles per padded image of 160 pixels are 4 per 128.
    wave = np.cos(2 * np.pi * 5 * np.arange(160) / 160) * np.ones((160, 1))
    np.testing.assert_allclose(low_pass(wave.astype(np.float32)), wave / 2, atol=1e-5)


def test_batch_equals_item_by_item_and_repeats_exactly():
    images = np.stack([photo_like(seed) for seed in range(4)])
    gist = Gist()
    together = gist.extract(images)
    assert together.shape == (4, 512)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(
        together, np.vstack([Gist().extract(images[[i]]) for i in range(4)])
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (640, 480)])
def test_any_size_is_resized(size):
    prepared = Gist().prepare(Image.new("RGB", size, (10, 200, 30)))
    assert prepared.shape == (SIDE, SIDE)
    assert prepared.dtype == np.uint8
    assert np.ptp(prepared) == 0
