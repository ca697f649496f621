"""Networks on features and on images."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.sparse import csr_array
from torchvision import models

from features.backbones import Backbone
from features.pixels import SIDE, ImageArray, Pixels, side_for, squares
from features.tags import TagMatrix
from methods.deep import network as network_module
from methods.deep.network import (
    FeatureDropout,
    HashNetwork,
    dense,
    finished,
    head_inputs,
    make_network,
)
from methods.deep.recipe import Recipe
from methods.deep.training import make_optimizer, seeded
from methods.deep.views import mean_output_of_views
from methods.labels.ksh.gradient import GradientKSH
from methods.tags.binary_tag import BinaryTag
from methods.tags.wp.wp import WPKSH
from methods.tags.wsdhq.wsdhq import WSDHQ
from methods.unsupervised.deepbit import DeepBit
from methods.unsupervised.itq import ITQ


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A state dict of SqueezeNet with random weights."""
    path = tmp_path_factory.mktemp("weights") / "squeezenet1_1.pth"
    with seeded(0):
        torch.save(models.squeezenet1_1(weights=None).state_dict(), path)
    return path


@pytest.fixture
def small_squares(monkeypatch):
    """The backbone looks at 64 x 64 pixels, which takes a tenth of the time."""
    monkeypatch.setattr(Backbone, "crop_size", 64)


@pytest.fixture(scope="module")
def images(weights):
    """Twelve items, in reverse order, among twenty images of noise of two brightnesses."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (20, 3, SIDE, SIDE), dtype=np.uint8)
    pixels[::2] += 150
    return ImageArray(pixels, np.arange(12)[::-1], "squeezenet1_1", weights)


def test_features_are_centred_and_scaled_to_a_mean_variance_of_one(features):
    network = make_network(features, lambda width: torch.nn.Identity(), seed=0)
    seen = network(torch.tensor(features, dtype=torch.float32)).numpy()
    assert seen.mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-5)
    assert (seen**2).mean() == pytest.approx(1, abs=1e-5)
    assert network.backbone is None
    assert finished(network).front.mean.dtype == torch.float64


def test_initial_weights_come_from_the_seed(features):
    first, second, other = (
        make_network(features, lambda width: dense(width, 500), seed=seed).head.weight
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    # Glorot: variance 2 / (inputs + outputs).
    assert float(first.detach().var()) == pytest.approx(2 / 510, rel=0.1)


def test_dropout_takes_whole_features_and_keeps_the_mean():
    layer, x = FeatureDropout(0.25), torch.ones(4, 20_000)
    with seeded(0):
        dropped = layer(x)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped == dropped[0]).all()
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(layer.eval()(x), x)


def test_images_are_cut_to_their_middle_square():
    image = Image.new("RGB", (600, 300), "red")
    image.paste("blue", (150, 0, 450, 300))
    pixels = Pixels().prepare(image)
    assert pixels.shape == (3, SIDE, SIDE)
    assert (pixels[2, :, 2:-2] == 255).all()


def test_images_are_stored_larger_for_networks_that_look_at_more():
    assert [side_for(crop) for crop in (224, 240, 256, 257, 299, 384)] == [256] * 3 + [
        294,
        342,
        439,
    ]
    stored = Pixels(294)
    assert stored.prepare(Image.new("RGB", (600, 300))).shape == (3, 294, 294)
    flat = stored.extract(np.arange(2 * 3 * 294 * 294).reshape(2, 3, 294, 294) % 251)
    assert flat.shape == (2, stored.n_features)
    assert squares(flat).shape == (2, 3, 294, 294)
    assert stored.identity != Pixels().identity


def test_items_of_an_image_array_are_its_rows(images):
    assert images.shape == (12, 3, SIDE, SIDE)
    assert (images.read([0, 1]) == images.pixels[[11, 10]]).all()
    assert (images[2:4].read(slice(None)) == images.pixels[[9, 8]]).all()


def test_end_to_end_the_backbone_learns_at_its_own_rate(images):
    network = make_network(images, lambda width: dense(width, 4), seed=0)
    recipe = Recipe(lr=0.2, backbone_lr=0.03)
    new, pretrained = make_optimizer(network, recipe).param_groups
    assert (new["lr"], pretrained["lr"]) == (0.2, 0.03)
    assert {id(p) for p in pretrained["params"]} == {id(p) for p in network.backbone.parameters()}
    assert {id(p) for p in new["params"]} == {id(p) for p in network.head.parameters()}


def test_before_training_the_head_gets_the_features_of_the_extractor(images, weights):
    front = make_network(images, lambda width: torch.nn.Identity(), seed=0).front.eval()
    extractor = Backbone("squeezenet1_1", weights=weights)
    pixels = images.read(slice(0, 4))
    pictures = [Image.fromarray(p.transpose(1, 2, 0)) for p in pixels]
    expected = extractor.extract(np.stack([extractor.prepare(p) for p in pictures]))
    with torch.inference_mode():
        seen = front(torch.from_numpy(pixels))
    features = seen * front.standardise.scale + front.standardise.mean
    assert features.numpy() == pytest.approx(expected, abs=1e-5 * float(np.abs(expected).max()))
    # In the order of the items, and of mean 0 and mean variance 1 over them.
    inputs = head_inputs(HashNetwork(front, torch.nn.Identity()), images)
    assert inputs[:4] == pytest.approx(seen.numpy(), abs=1e-5)
    assert inputs.mean(axis=0) == pytest.approx(np.zeros(512), abs=1e-5)
    assert (inputs**2).mean() == pytest.approx(1, abs=1e-4)


def test_training_sees_random_crops_half_of_them_mirrored(images):
    front = make_network(images, lambda width: torch.nn.Identity(), seed=0).front
    # Each pixel says in which row and column it is.
    where = torch.arange(SIDE, dtype=torch.uint8)
    by_row, by_column = torch.meshgrid(where, where, indexing="ij")
    pixels = torch.stack([by_row, by_column, 0 * by_row])
    middle = front.eval().crops(pixels[None])[0]
    with seeded(0):
        crops = front.train().crops(pixels[None].expand(200, -1, -1, -1))
    assert crops.shape == (200, 3, front.crop, front.crop)
    rows, columns = crops[:, 0, :, 0].int(), crops[:, 1, 0].int()
    mirrored = columns[:, 0] > columns[:, -1]
    assert 60 < mirrored.sum() < 140
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    free = SIDE - front.crop
    for places, in_the_middle in ((rows, middle[0, :, 0]), (columns, middle[1, 0])):
        first = places[:, 0]
        assert torch.equal(places, first[:, None] + torch.arange(front.crop))
        assert (first.min(), first.max()) == (0, free) and len(first.unique()) > free / 2
        assert in_the_middle[0] == free // 2
    assert not torch.equal(rows[:, 0], columns[:, 0])


@pytest.mark.usefixtures("small_squares")
def test_a_method_is_trained_from_the_pixels_on(images):
    tags = (images.rows[:, None] % 2 == np.arange(2)).astype(float)
    hasher = BinaryTag(6, epochs=2, batch_size=6, random_state=0).fit(images, tags=tags)
    before = make_network(images, lambda width: dense(width, 6), seed=0)
    moved = [
        not torch.equal(p, q)
        for p, q in zip(
            hasher.network_.backbone.parameters(), before.backbone.parameters(), strict=True
        )
    ]
    assert any(moved)
    codes = hasher.encode(images)
    assert codes.shape == (12, 6)
    assert (hasher.encode(images[:5]) == codes[:5]).all()


@pytest.mark.usefixtures("small_squares")
def test_a_backbone_without_a_learning_rate_stays_as_it_is(images):
    tags = (images.rows[:, None] % 2 == np.arange(2)).astype(float)
    settings = {"epochs": 1, "batch_size": 6, "backbone_lr": 0.0, "random_state": 0}
    hasher = BinaryTag(6, **settings).fit(images, tags=tags)
    before = make_network(images, lambda width: dense(width, 6), seed=0).backbone
    after = hasher.network_.backbone
    for p, q in zip(before.parameters(), after.parameters(), strict=True):
        assert torch.equal(p, q)


@pytest.mark.usefixtures("small_squares")
@pytest.mark.parametrize("make", [GradientKSH, WPKSH])
def test_kernel_bits_are_trained_from_the_pixels_on_whatever_the_device(images, make, monkeypatch):
    moved = {}

    def to(self, device):
        # As to another device: new tensors, but none of those that are there already.
        for name, buffer in list(self.named_buffers()):
            if id(buffer) not in moved:
                owner, _, last = name.rpartition(".")
                copy = buffer.clone()
                moved[id(copy)] = copy
                setattr(self.get_submodule(owner), last, copy)
        return self

    monkeypatch.setattr(torch.nn.Module, "to", to)
    # Anchors may be more than the images from which the scale of the features is taken.
    monkeypatch.setattr(network_module, "IMAGES_FOR_SCALE", 6)
    labels = images.rows[:, None] % 2 == np.arange(2)
    tags = TagMatrix(csr_array(labels), vectors=np.eye(2, dtype=np.float32))
    hasher = make(6, epochs=1, batch_size=6, random_state=0)
    if make is GradientKSH:
        hasher.set_params(n_anchors=8)
    else:
        monkeypatch.setattr(
            WPKSH, "supervised", lambda self: GradientKSH(6, n_anchors=8, random_state=0)
        )
        hasher.set_params(finetune=False)
    hasher.fit(images, **hasher.supervised_by(tags=tags, labels=labels))
    assert hasher.encode(images).shape == (12, 6)


@pytest.mark.usefixtures("small_squares")
def test_a_quantiser_is_trained_from_the_pixels_on(images):
    tags = (images.rows[:, None] % 2 == np.arange(2)).astype(float)
    tags = TagMatrix(csr_array(tags), vectors=np.eye(2, dtype=np.float32))
    hasher = WSDHQ(6, epochs=3, batch_size=6, random_state=0).fit(images, tags=tags)
    codes = hasher.encode(images)
    assert codes.shape == (12, 1) and codes.dtype == np.uint8
    assert (hasher.encode(images[:5]) == codes[:5]).all()
    assert hasher.encode_queries(images[:2]).shape == (2, 1, 64)
    ten = deepcopy(hasher).set_params(views=10)
    assert not np.allclose(ten.embed(images), hasher.embed(images))
    outputs = mean_output_of_views(hasher.network_, images)
    lengths = np.linalg.norm(outputs, axis=1, keepdims=True)
    assert ten.embed(images) == pytest.approx(outputs / lengths, abs=1e-4)


def test_methods_on_features_refuse_images(images):
    with pytest.raises(ValueError, match="ITQ takes features, not images"):
        ITQ(4).fit(images)


@pytest.mark.usefixtures("small_squares")
def test_images_do_not_limit_the_bits_by_their_colour_channels(images):
    hasher = DeepBit(6, epochs=1, batch_size=6, random_state=0).fit(images)
    assert hasher.encode(images).shape == (12, 6)
