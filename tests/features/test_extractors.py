"""Extractors: networks without heads, weights, identities, messages; and odd image files."""

import hashlib
import importlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from features import Extractor
from features.backbones import (
    Backbone,
    build_model,
    classifier_names,
    load_weights,
    middle,
    without_head,
)
from features.cache import cached_features
from features.errors import FeatureError
from features.gist import Gist
from features.images import FileImages, to_rgb

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "data"
WEIGHTS = SHARED / "weights" / "squeezenet1_0.pth"


def photo(seed=0, size=(192, 128)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def squeezenet_file(tmp_path_factory):
    """State dict of a SqueezeNet with random weights."""
    import torch

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pth"
    torch.save(build_model("squeezenet1_0", 224).state_dict(), path)
    return path


# Names


def test_names_are_those_of_torchvision():
    from torchvision import models

    assert sorted(classifier_names()) == sorted(models.list_models(module=models))


@pytest.mark.parametrize(
    "name",
    [
        "alexnet-fc7",
        "vgg16-fc7",
        "vgg19_bn-fc7",
        "alexnet",
        "resnet50",
        "squeezenet1_0",
        "vit_b_16",
    ],
)
def test_classifiers_and_their_second_layers_have_names(name):
    assert name in Backbone.names()


def test_only_networks_with_such_a_layer_have_fc7():
    assert not {"resnet50-fc7", "squeezenet1_0-fc7", "alexnet-fc8", ""} & set(Backbone.names())


def test_extractors_need_neither_torch_nor_the_benchmark(squeezenet_file):
    script = (
        "import sys; from pathlib import Path\n"
        "from features import *\n"
        "from features.backbones import Backbone\n"
        "from features.gist import Gist\n"
        "assert 'vgg16-fc7' in Backbone.names()\n"
        "e = Backbone('squeezenet1_0', weights=Path(sys.argv[1]))\n"
        "assert e.identity['weights'].startswith('sha256:')\n"
        "assert Gist().identity['weights'] == 'none'\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'numba', 'methods'} & set(sys.modules)\n"
        "own = {m for m in sys.modules if m.startswith('benchmark.')} - {'benchmark.errors'}\n"
        "heavy |= own\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", script, str(squeezenet_file)]
    assert subprocess.run(command, cwd=ROOT).returncode == 0


# Identities


class Means(Extractor):
    """Mean of each channel."""

    n_features = 3

    def prepare(self, image):
        return np.asarray(image, dtype=np.float32)

    def extract(self, batch):
        return batch.mean(axis=(1, 2))


def test_an_identity_names_the_weights_and_the_version(tmp_path):
    (tmp_path / "weights").write_bytes(b"one")
    means = Means()
    means.name, means.version, means.weights = "means", "3", tmp_path / "weights"
    digest = hashlib.sha256(b"one").hexdigest()
    assert means.identity == {"extractor": "means", "weights": f"sha256:{digest}", "version": "3"}


def test_without_a_version_the_source_file_is_the_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = "from features.gist import Gist\nclass Mine(Gist):\n    version = None\n"
    versions = []
    for n, text in enumerate((code, code, f"{code}    n_features = 7\n")):
        (tmp_path / f"versions_{n}.py").write_text(text)
        module = importlib.import_module(f"versions_{n}")
        versions.append(module.Mine().identity["version"])
    assert versions[0] == versions[1] != versions[2]


def test_a_class_in_no_file_needs_a_version():
    mine = type("Mine", (Means,), {"__module__": "in no file", "name": "mine"})
    with pytest.raises(FeatureError, match="mine: the source of Mine is in no file"):
        _ = mine().identity
    assert type("Mine", (mine,), {"version": "1"})().identity["version"] == "1"


# Networks


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("alexnet", 256),
        ("convnext_tiny", 768),
        ("densenet121", 1024),
        ("efficientnet_b0", 1280),
        ("googlenet", 1024),
        ("inception_v3", 2048),
        ("maxvit_t", 512),
        ("mnasnet0_5", 1280),
        ("mobilenet_v2", 1280),
        ("mobilenet_v3_small", 576),
        ("resnet18", 512),
        ("resnet50", 2048),
        ("shufflenet_v2_x0_5", 1024),
        ("squeezenet1_0", 512),
        ("swin_t", 768),
        ("vgg11", 512),
        ("vit_b_32", 768),
    ],
)
def test_every_family_loses_its_head(name, width):
    import torch

    size = 299 if name == "inception_v3" else 224
    # Shapes only: nothing is computed on this device.
    with torch.device("meta"):
        network = without_head(build_model(name, size), "").eval()
        assert network(torch.zeros(2, 3, size, size)).shape == (2, width)


def test_pooled_features_are_the_mean_of_the_last_map():
    import torch

    torch.manual_seed(0)
    x = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        squeezenet = build_model("squeezenet1_0", 224).eval()
        wanted = squeezenet.features(x).mean((2, 3))
        torch.testing.assert_close(without_head(squeezenet, "")(x), wanted)
        resnet = build_model("resnet18", 224).eval()
        logits = resnet(x)
        pooled = without_head(build_model("resnet18", 224).eval(), "")
        pooled.load_state_dict(resnet.state_dict(), strict=False)
        torch.testing.assert_close(resnet.fc(pooled(x)), logits)


@pytest.mark.parametrize("name", ["alexnet", "vgg11"])
def test_fc7_is_the_second_layer_after_relu_and_gives_the_logits(name):
    import torch

    torch.manual_seed(0)
    x = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        model = build_model(name, 224).eval()
        last = model.classifier[-1]
        logits = model(x)
        fc7 = without_head(model, "fc7")(x)
        assert fc7.shape == (2, 4096)
        assert (fc7 >= 0).all()
        assert (fc7 == 0).any()
        torch.testing.assert_close(last(fc7), logits)


def test_extraction_is_the_plain_torchvision_computation(squeezenet_file):
    import torch
    from torchvision import transforms as T

    images = [photo(0), photo(1, (300, 200)), photo(2, (100, 400))] * 7
    extractor = Backbone("squeezenet1_0", weights=squeezenet_file)
    X = extractor.extract(np.stack([extractor.prepare(image) for image in images]))
    assert X.shape == (21, extractor.n_features) == (21, 512)
    assert X.dtype == np.float32
    plain = T.Compose(
        [
            T.Resize(256),
            T.CenterCrop(224),
            T.ToTensor(),
            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    model = build_model("squeezenet1_0", 224).eval()
    model.load_state_dict(torch.load(squeezenet_file, weights_only=True))
    with torch.inference_mode():
        wanted = torch.stack([model.features(plain(i)[None]).mean((2, 3))[0] for i in images[:3]])
    np.testing.assert_allclose(X, np.tile(wanted.numpy(), (7, 1)), atol=1e-4)


def test_identity_changes_with_the_weights(squeezenet_file, tmp_path):
    import torch

    state = torch.load(squeezenet_file, weights_only=True)
    state["classifier.1.bias"][0] += 1
    torch.save(state, tmp_path / "other.pth")
    one, other, default = (
        Backbone("squeezenet1_0", weights=path).identity
        for path in (squeezenet_file, tmp_path / "other.pth", None)
    )
    assert len({one["weights"], other["weights"], default["weights"]}) == 3
    assert one.keys() == {"extractor", "weights", "transform", "version"}


# Weights


def test_weights_of_another_network_name_the_first_keys(squeezenet_file):
    extractor = Backbone("resnet18", weights=squeezenet_file)
    with pytest.raises(FeatureError, match=r"conv1\.weight is missing") as caught:
        _ = extractor.n_features
    assert squeezenet_file.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_are_told():
    network = build_model("squeezenet1_0", 224)
    state = build_model("squeezenet1_0", 224).state_dict()
    state["classifier.1.weight"] = state["classifier.1.weight"][:10]
    with pytest.raises(FeatureError, match=r"classifier\.1\.weight has shape \(10, 512, 1, 1\)"):
        load_weights(network, state, "file.pth")


def test_old_densenet_names_are_understood():
    state = build_model("densenet121", 224).state_dict()
    old = {}
    for key, value in state.items():
        for part in ("norm1", "norm2", "conv1", "conv2"):
            if "denselayer" in key:
                key = key.replace(f".{part}.", f".{part[:-1]}.{part[-1]}.")
        if not key.endswith("num_batches_tracked"):
            old[key] = value
    assert any(".norm.1." in key for key in old)
    load_weights(build_model("densenet121", 224), old, "densenet.pth")


def write_text(path):
    path.write_text("no weights at all")


def write_nothing(path):
    path.write_bytes(b"")


def write_model(path):
    import torch

    torch.save(torch.nn.Linear(2, 2), path)


def write_checkpoint(path):
    import torch

    torch.save({"epoch": 3, "state_dict": {}}, path)


@pytest.mark.parametrize("write", [write_text, write_nothing, write_model, write_checkpoint])
def test_files_that_are_no_state_dict(tmp_path, write):
    path = tmp_path / "bad.pth"
    write(path)
    with pytest.raises(FeatureError, match=r"bad\.pth.*save one with torch\.save") as caught:
        _ = Backbone("squeezenet1_0", weights=path).n_features
    assert "\n" not in str(caught.value)


def test_without_network_the_message_says_what_to_do(monkeypatch, tmp_path):
    from urllib.error import URLError

    def offline(*arguments, **options):
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(FeatureError) as caught:
        _ = Backbone("alexnet-fc7").n_features
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "AlexNet_Weights.IMAGENET1K_V1",
        "name resolution",
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        "--weights FILE",
        "--list features",
    ):
        assert part in message


def test_cuda_that_is_not_there(monkeypatch, squeezenet_file):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(FeatureError, match="no CUDA device"):
        _ = Backbone("squeezenet1_0", weights=squeezenet_file, device="cuda").n_features


# Images


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_odd_files_do_not_stop_an_extraction(tmp_path):
    whole = encoded(photo(), "JPEG")
    files = {
        "grey.png": encoded(photo().convert("L"), "PNG"),
        "rgba.png": encoded(photo().convert("RGBA"), "PNG"),
        "cmyk.jpg": encoded(photo().convert("CMYK"), "JPEG"),
        "palette.gif": encoded(photo().convert("P"), "GIF"),
        "black-white.png": encoded(photo().convert("1"), "PNG"),
        "deep.png": encoded(Image.fromarray(np.full((9, 9), 40_000, np.uint16)), "PNG"),
        "pixel.png": encoded(photo(size=(1, 1)), "PNG"),
        "strip.png": encoded(photo(size=(1, 9000)), "PNG"),
        "truncated.jpg": whole[: len(whole) // 2],
        "zero.jpg": b"",
        "text.jpg": b"<html>not found</html>",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    images = FileImages(tmp_path, [*files, "missing.jpg"])
    found = cached_features(images, Gist(), tmp_path / "cache", "odd")
    bad = [images.name(i) for i in found.unreadable]
    assert bad == ["truncated.jpg", "zero.jpg", "text.jpg", "missing.jpg"]
    X = found.open()
    assert np.isfinite(X).all()
    assert (X[[0, 1, 2, 3, 4]] > 0).any(axis=1).all()
    assert (X[list(found.unreadable)] == 0).all()
    assert all(found.reasons)


def test_strip_is_cut_before_the_network_sees_it(squeezenet_file):
    extractor = Backbone("squeezenet1_0", weights=squeezenet_file)
    for size in ((1, 1), (1, 9000), (9000, 2)):
        assert extractor.prepare(photo(size=size)).shape == (3, 224, 224)
    assert middle(photo(size=(1, 9000))).size == (1, 8)
    assert middle(photo(size=(9000, 2))).size == (16, 2)
    same = photo(size=(80, 10))
    assert middle(same) is same


def test_transparent_parts_are_white():
    rgba = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    rgba.putpixel((1, 0), (0, 0, 0, 0))
    assert list(np.asarray(to_rgb(rgba))[0].tolist()) == [[200, 0, 0], [255, 255, 255]]


def test_deep_greys_are_scaled_and_not_clipped():
    deep = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    np.testing.assert_array_equal(
        np.asarray(to_rgb(Image.fromarray(deep)))[0, :, 0], [0, 1, 128, 255]
    )
    real = np.array([[-1.0, 0.0, 3.0, np.nan]], np.float32)
    np.testing.assert_array_equal(
        np.asarray(to_rgb(Image.fromarray(real)))[0, :, 1], [0, 64, 255, 0]
    )


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_exif_turns_the_image_and_damaged_exif_does_not_lose_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned.jpg").write_bytes(encoded(photo(), "JPEG", exif=exif))
    content = encoded(photo(), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff broken")
    (tmp_path / "broken.jpg").write_bytes(content)
    images = FileImages(tmp_path, ["turned.jpg", "broken.jpg"])
    assert images.load(0).size == (128, 192)
    assert images.load(1).size == (192, 128)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="no real weights: ../shared/data is absent")
def test_real_weights_tell_photos_of_one_category_from_others(tmp_path):
    import csv

    folder = SHARED / "corel5k"
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = sorted({row["labels"] for row in rows})[:3]
    chosen = [row for label in labels for row in [r for r in rows if r["labels"] == label][:12]]
    images = FileImages(folder, [row["image"] for row in chosen])
    extractor = Backbone("squeezenet1_0", weights=WEIGHTS)
    X = np.array(cached_features(images, extractor, tmp_path, "three categories").open())
    X -= X.mean(axis=0)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    same = np.repeat(np.arange(3), 12)[:, None] == np.repeat(np.arange(3), 12)
    similarity = X @ X.T
    off = ~np.eye(len(X), dtype=bool)
    assert similarity[same & off].mean() > similarity[~same].mean() + 0.15
