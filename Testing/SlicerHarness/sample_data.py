"""The module SampleData as far as other modules use it: what they register, and what a press of its buttons does.

As in Slicer 5.10 to main: ``customDownloader(source)`` is called by the module's button alone; downloadSample() of
such a sample would go to its URI instead, which here is an error. ``uris`` and the names must be given all the same.
"""

from __future__ import annotations

import sys
from types import ModuleType

import slicer

ARGUMENTS = {"sampleName", "uris", "fileNames", "nodeNames", "checksums", "customDownloader", "thumbnailFileName"}
ARGUMENTS |= {"loadFileTypes", "loadFileType", "loadFiles", "loadFileProperties"}


class SampleDataSource:
    """One sample; Slicer needs a URI, a file name and a node name each, or lists of the same length."""

    def __init__(self, **given) -> None:
        many = not isinstance(given["uris"], str)
        for name in ("uris", "fileNames", "nodeNames"):
            given[name] = given[name] if many else [given[name]]
        if len({len(given[name]) for name in ("uris", "fileNames", "nodeNames")}) != 1:
            raise ValueError("All fields of sample data source must have the same length")
        self.__dict__.update(given, sampleDescription=given["sampleName"])

    def __eq__(self, other) -> bool:
        return vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    """Slicer's names and their meaning; ``press`` is the harness's own."""

    @staticmethod
    def registerCustomSampleDataSource(category="Custom", **given) -> None:
        odd = set(given) - ARGUMENTS
        if odd:
            raise TypeError(f"registerCustomSampleDataSource() got an unexpected keyword argument {odd.pop()!r}")
        samples = SampleDataLogic.sampleDataSourcesByCategory().setdefault(category, [])
        source = SampleDataSource(**given)
        if source not in samples:
            samples.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        every = slicer.modules.sampleDataSources
        return every if category is None else every.get(category, [])

    def sourceForSampleName(self, sampleName):
        every = [source for samples in self.sampleDataSourcesByCategory().values() for source in samples]
        return next((source for source in every if source.sampleName == sampleName), None)

    def downloadSample(self, sampleName):
        raise RuntimeError(f"no network in the harness for {self.sourceForSampleName(sampleName).uris}; press(name)")

    def press(self, sampleName):
        """What the sample's button in the module does."""
        source = self.sourceForSampleName(sampleName)
        return source.customDownloader(source)


def publish() -> None:
    """Make ``import SampleData`` find this."""
    module = sys.modules.setdefault("SampleData", ModuleType("SampleData"))
    module.SampleDataLogic, module.SampleDataSource = SampleDataLogic, SampleDataSource
