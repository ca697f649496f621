"""What tables and figures need of each data set, and what of it they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmark.papers.choice import Choice, others_of_table
from benchmark.papers.entries import PaperFigure, Validation
from benchmark.papers.index import read_index
from benchmark.papers.published import PublishedTable, main_parts
from benchmark.registry import Variant, methods


@dataclass(frozen=True)
class Place:
    """A data set as it is opened.

    Attributes
    ----------
    source : str
        As ``--dataset`` takes it.
    features : str or None
        What the paper starts from; None for a data set that no paper uses, which has its own.
    validation : Validation or None
        Sizes of the split of its training items that replaces its own split, if one does.
    """

    source: str
    features: str | None
    validation: Validation | None = None


@dataclass(frozen=True)
class Wanted:
    """Cells of one data set.

    Attributes
    ----------
    place : Place
    protocol : str
    bits : tuple of int
    variants : tuple of str
        Methods as ``--methods`` takes them.
    codes : bool
        Whether codes and images are needed.
    """

    place: Place
    protocol: str
    bits: tuple[int, ...]
    variants: tuple[str, ...]
    codes: bool = False

    @property
    def key(self) -> tuple[Place, str, tuple[int, ...]]:
        """What cells have in common that are run together."""
        return self.place, self.protocol, self.bits


def wanted_of_part(part: PublishedTable, choice: Choice, others: Sequence[str] = ()) -> Wanted:
    """What a part of a table needs; `others` are methods that the table does not have."""
    place = Place(choice.source(part.source), _features(part.source, part.features, choice))
    return Wanted(place, part.protocol, part.bits, (*part.variants, *others))


def wanted_of_table(parts: Sequence[PublishedTable], choice: Choice) -> Iterator[Wanted]:
    """What each part of a table needs; methods of the user's own are run on the main parts."""
    others, main = others_of_table(parts[0].id, choice), main_parts(parts)
    for part in parts:
        yield wanted_of_part(part, choice, others if part is main[part.dataset] else ())


def wanted_of_figure(figure: PaperFigure, choice: Choice) -> dict[str, Wanted]:
    """What a figure needs, by the title that the paper gives to the data set."""
    return {
        title: Wanted(
            Place(
                choice.source(source),
                _features(source, figure.features, choice),
                figure.validation,
            ),
            figure.protocol,
            figure.bits,
            tuple(figure.rows.values()),
            codes=figure.needs_codes,
        )
        for title, source in figure.blocks.items()
    }


def _features(source: str, features: str, choice: Choice) -> str | None:
    return features if choice.source(source) in read_index().sources else None


def merged(all_wanted: Iterable[Wanted]) -> list[Wanted]:
    """One for all that share data, protocol and code lengths, with the methods of all of them."""
    found: dict[tuple, Wanted] = {}
    for wanted in all_wanted:
        known = found.get(wanted.key, replace(wanted, variants=()))
        found[wanted.key] = replace(
            known,
            variants=tuple(dict.fromkeys((*known.variants, *wanted.variants))),
            codes=known.codes or wanted.codes,
        )
    # A cell whose codes are needed later is stored with them at once.
    keep = {(wanted.place, wanted.protocol) for wanted in found.values() if wanted.codes}
    return [replace(w, codes=(w.place, w.protocol) in keep) for w in found.values()]


def known_variants(
    variants: Sequence[str], change: Callable[[Variant], Variant]
) -> tuple[dict[str, Variant], dict[str, str]]:
    """Variants that can be run, changed as ``--set`` says, and the reasons for the others.

    A method that this version does not have is a gap in the table, not an error.
    """
    known, missing = {}, {}
    for text in dict.fromkeys(variants):
        name = text.partition("[")[0]
        if name in methods.names():
            known[text] = change(methods.parse(text))
        else:
            missing[text] = f"there is no method {name} in this version"
    return known, missing
