"""Tags of the demo data set, drawn the way users tag their photos."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

#: Chances that a concept in the picture is tagged, that a second word for it is added, and that a
#: related word is added.
TAGGED, SECOND, RELATED = 0.65, 0.5, 0.25

#: The k-th word of a list has the weight k^-ZIPF: words for a concept, and other words.
ZIPF, ZIPF_OTHERS = 1.4, 1.0

#: Mean number of irrelevant words per item, and the share of items without any tag.
IRRELEVANT, UNTAGGED = 1.8, 0.03

#: Chance that a tag names something that is not in the picture.
WRONG = 0.04

#: Chances that a word is written in the plural, or misspelt.
PLURAL, MISSPELT = 0.08, 0.03

#: Words for each concept, most common first; after the bar, related words.
WORDS: dict[str, str] = {
    "animal": "animal dog horse cow wildlife pet sheep deer | cute farm fur wild puppy zoo",
    "beach": "beach sand shore coast seaside | holiday vacation summer swimming surf tan",
    "bird": "bird gull seagull crow heron pigeon | wings flight feathers flying birding",
    "boat": "boat sailboat ship yacht sailing vessel | harbour regatta sail marina cruise",
    "bridge": "bridge viaduct span footbridge crossing | river arch steel engineering",
    "buildings": "buildings house architecture building home facade | windows brick roof wall",
    "car": "car auto automobile vehicle sedan | driving wheels traffic parking engine",
    "city": "city urban downtown skyline cityscape town | skyscraper tower metropolis street",
    "clouds": "clouds cloud cloudy cumulus overcast | sky weather storm rain wind",
    "flower": "flower blossom bloom floral rose daisy tulip | garden petals spring macro pink",
    "forest": "forest woods woodland wood jungle | trail hiking wilderness shade moss",
    "grass": "grass field meadow lawn pasture prairie | green countryside rural farmland",
    "moon": "moon moonlight crescent lunar fullmoon | astronomy space stars eclipse",
    "mountain": "mountain mountains peak hill alps summit | climbing hiking valley view rocks",
    "night": "night dark nighttime evening midnight | lights longexposure neon stars late",
    "person": "person people man woman portrait girl boy | face friends smile family standing",
    "road": "road street highway lane asphalt path | trip drive travel journey route",
    "sea": "sea ocean waves surf atlantic pacific | horizon salt tide swell coast",
    "snow": "snow winter snowy ice frost | cold white skiing january freezing",
    "sunset": "sunset dusk sundown twilight sunrise | orange golden sun glow silhouette",
    "tree": "tree trees oak pine branches birch | leaves nature bark wood autumn",
    "water": "water lake river pond waterfront | reflection blue ripples wet stream",
}


def _words(text: str) -> list[str]:
    return text.split()


#: Words that say nothing of the picture, most common first.
HABITS = _words("""
    photo explore canon nikon 2008 2009 color travel usa art 2010 interesting blue digital
    2007 beautiful europe photography bw england july red london california france camera
    italy june favorites hdr august 2006 film light spain may germany 35mm topf25 newyork
    weekend sony october dslr abigfave japan paris scotland birthday september canada fun 50mm
    november april china wow olympus australia party contrast me retro march december february
    old slr macro texas love geotagged lens kodak iphone anawesomeshot flash band vintage
    ireland india pentax panasonic monday zoom holga lomo polaroid walk square project365
    friday mexico soe
""")

_PLACE_STARTS = _words("""
    ash black brad brook burn cold clay deer east elm fair fox glen green ham harts hazel
    heath hol king lang lin long mar mill nor oak pem red rock sand shel south stan stone swin
    thorn wal wes whit win wood
""")
_PLACE_ENDS = _words("""
    field ford ham bury ton wick worth ley bourne port dale mouth stead combe bridge gate well
    borough minster shire
""")
_MAKES = _words("""
    canon nikon olympus pentax sony kodak fuji leica
""")
_MODELS = _words("""
    d40 d80 d300 e510 k10 a100 350 400 5d 70 g9 s5 m8 f100 1v xt
""")

#: Names of places and cameras: the long tail.
RARE = [
    *(a + b for b, a in product(_PLACE_ENDS, _PLACE_STARTS)),
    *(make + model for model, make in product(_MODELS, _MAKES)),
]


def draw_tags(
    labels: np.ndarray, names: Sequence[str], rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Tags for items with known concepts.

    Most concepts of an item are tagged with one or two words each, drawn by Zipf's law.  Related,
    irrelevant and wrong words are added, some words are in the plural or misspelt, and some items
    have no tag.

    Parameters
    ----------
    labels : (n, c) array of bool
        The concepts of each item.
    names : sequence of str
        The c concepts, all in :data:`WORDS`.
    rng : np.random.Generator

    Returns
    -------
    list of n tuples of str
        Without repeats inside a tuple, in random order.
    """
    n = len(labels)
    right, near = zip(*(map(str.split, WORDS[name].split("|")) for name in names), strict=True)
    items, concepts = np.nonzero(labels)
    tagged = rng.random(len(items)) < TAGGED
    second = tagged & (rng.random(len(items)) < SECOND)
    related = rng.random(len(items)) < RELATED
    wrong_items = np.flatnonzero(rng.random(n) < WRONG)
    wrong = rng.integers(len(names), size=len(wrong_items))
    noisy = np.repeat(np.arange(n), rng.poisson(IRRELEVANT, n))
    pairs = [
        _pick_words(items[tagged], concepts[tagged], right, ZIPF, rng),
        _pick_words(items[second], concepts[second], right, ZIPF, rng),
        _pick_words(items[related], concepts[related], near, ZIPF_OTHERS, rng),
        _pick_words(wrong_items, wrong, right, ZIPF, rng),
        _pick_words(noisy, np.zeros(len(noisy), dtype=int), [[*HABITS, *RARE]], ZIPF_OTHERS, rng),
    ]
    owners = np.concatenate([owner for owner, _ in pairs])
    words = [word for _, chosen in pairs for word in chosen]
    words = _as_written(words, rng)
    tags: list[list[str]] = [[] for _ in range(n)]
    for position in rng.permutation(len(words)).tolist():
        tags[owners[position]].append(words[position])
    for item in np.flatnonzero(rng.random(n) < UNTAGGED).tolist():
        tags[item] = []
    return [tuple(dict.fromkeys(given)) for given in tags]


def _pick_words(
    items: np.ndarray,
    groups: np.ndarray,
    words: Sequence[Sequence[str]],
    zipf: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[str]]:
    """One word of its group for each (item, group); the k-th word has the weight k^-zipf."""
    draws = rng.random(len(items))
    ranks = np.empty(len(items), dtype=int)
    for group, choices in enumerate(words):
        weights = np.arange(1, len(choices) + 1) ** -zipf
        steps = np.cumsum(weights)[:-1] / weights.sum()
        chosen = groups == group
        ranks[chosen] = np.searchsorted(steps, draws[chosen], side="right")
    pairs = zip(groups.tolist(), ranks.tolist(), strict=True)
    return items, [words[group][rank] for group, rank in pairs]


def _as_written(words: list[str], rng: np.random.Generator) -> list[str]:
    """The words, some in the plural and some misspelt: two letters swapped, or one left out."""
    words = list(words)
    draws = rng.random(len(words))
    for position in np.flatnonzero(draws < PLURAL + MISSPELT).tolist():
        word = words[position]
        if not word.isalpha():
            continue
        if draws[position] < PLURAL:
            words[position] = word if word.endswith("s") else word + "s"
        elif len(word) > 4:
            k = int(rng.integers(1, len(word) - 2))
            swapped = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
            words[position] = swapped if rng.random() < 0.5 else word[:k] + word[k + 1 :]
    return words
