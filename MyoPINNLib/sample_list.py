"""The sample studies by name, as Slicer's Sample Data module offers them. It costs Slicer's start nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

CATEGORY = "MyoPINN"


class Sample(Enum):
    """The sample studies: the phantoms (``simulate.recipes.Preset``) that each is made of."""

    STRESS = ("stress",)
    STRESS_AND_REST = ("stress", "rest")

    @property
    def title(self) -> str:
        """As the Sample Data module shows it."""
        return "MyoPINN stress + rest (synthetic)" if len(self.value) > 1 else "MyoPINN stress (synthetic)"

    @property
    def thumbnail(self) -> str:
        """Its picture among the module's icons."""
        return "SampleStressRest.png" if len(self.value) > 1 else "SampleStress.png"


def register_samples(logic, icons: Path, load: Callable[[Sample], object]) -> None:
    """Offer the samples in Slicer's Sample Data module: ``logic`` is SampleData.SampleDataLogic, ``icons`` the folder of the
    thumbnails, ``load`` what a click does.
    """
    for sample in Sample:
        logic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=sample.title,
            # 5.10 to main lack a description here, and read the length of these lists, though nothing is downloaded
            uris="",
            fileNames="",
            nodeNames=sample.title,
            thumbnailFileName=str(Path(icons) / sample.thumbnail),
            customDownloader=_Click(sample, load),
        )


@dataclass(frozen=True)
class _Click:
    """What a sample's button does. Two of the same are equal, so that Slicer sees what is registered already."""

    sample: Sample
    load: Callable[[Sample], object]

    def __call__(self, source: object) -> object:
        return self.load(self.sample)
