"""MyoPINN's engine: quantitative myocardial perfusion MRI, from a DICOM study to MBF maps and a bull's-eye.

Begin with ``pipeline``. Nothing is imported here, so that ``import MyoPINNLib`` costs nothing.
"""

__version__ = "0.1.0"
