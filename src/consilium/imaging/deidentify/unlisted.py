"""Attributes that the standard's table does not name: kept only where their kind of value can hold nobody's name.

The table is a list of what is to be removed, so that an attribute nobody thought of would stay. Here it is the other
way
round: numbers stay, codes of the form that the standard asks for stay, text stays where the attribute is technical and
named below or is made of words of imaging, and bytes stay where they are pixels or tables of colours.
"""

from __future__ import annotations

import re

NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"})
NUMBER_STRINGS = frozenset({"IS", "DS"})
TEXTS = frozenset({"LO", "SH", "UC", "ST", "LT", "UT", "UR", "AE"})
BYTES = frozenset({"OB", "OW", "OF", "OD", "OL", "OV"})
TIMES = frozenset({"DA", "TM", "DT"})

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CODE = re.compile(r"[A-Za-z0-9 _./+-]{0,16}")
_SMALL_NUMBER = re.compile(r"\d{1,4}")

TECHNICAL = frozenset(
    {
        "AcquisitionDeviceProcessingCode",
        "AnodeTargetMaterial",
        "AlgorithmName",
        "AlgorithmVersion",
        "CodeMeaning",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "ColorSpace",
        "ConvolutionKernel",
        "DataPathID",
        "FilterType",
        "ImagedNucleus",
        "IlluminationTypeCode",
        "LossyImageCompressionMethod",
        "Manufacturer",
        "ManufacturerModelName",
        "PlateType",
        "PhosphorType",
        "PositionReferenceIndicator",
        "ProcessingFunction",
        "PulseSequenceName",
        "Radiopharmaceutical",
        "ReceiveCoilName",
        "ReconstructionMethod",
        "RescaleType",
        "SequenceName",
        "SoftwareVersions",
        "TransducerData",
        "TransmitCoilName",
        "UniversalEntityIDType",
    }
)
"""Text that a machine writes of itself and of how the picture was made."""

NEEDED = frozenset(
    {
        "AlgorithmName",
        "AlgorithmVersion",
        "CodeMeaning",
        "DimensionDescriptionLabel",
        "FrameOfReferenceToDisplayedCoordinateSystemLabel",
        "OpticalPathIdentifier",
        "SegmentAlgorithmName",
        "SegmentLabel",
        "StackID",
        "TrackingID",
    }
)
"""Text that an object needs to be valid: what is not kept of it gets a pseudonym, so that what was alike stays
alike."""

PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})

PLAIN_BYTES = frozenset(
    {
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
        "AlphaPaletteColorLookupTableData",
        "SegmentedRedPaletteColorLookupTableData",
        "SegmentedGreenPaletteColorLookupTableData",
        "SegmentedBluePaletteColorLookupTableData",
        "SegmentedAlphaPaletteColorLookupTableData",
        "LUTData",
        "ICCProfile",
        "PointCoordinatesData",
        "DoublePointCoordinatesData",
        "LongPrimitivePointIndexList",
        "FloatingPointValues",
        "VectorGridData",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "SurfacePointsData",
        "PointIndexList",
    }
)

PUBLIC_SCHEMES = frozenset(
    {
        "DCM", "SCT", "SRT", "SNM3", "SNOMED-RT", "99SDM", "LN", "UCUM", "RADLEX", "FMA", "UMLS", "NCIT", "MDC",
        "ISO639_1", "ISO639_2", "RFC3066", "RFC5646", "ISO3166_1", "CTV3", "I10", "I9C", "ICD10", "ICDO", "ICDO3",
        "C4", "CD4", "ACR", "BI", "NYUMCCG", "NEU", "UNS", "MSH", "PUBCHEM_CID", "RXNORM", "HPC", "ITIS_TSN",
        "UBERON", "IBSI",
    }
)  # fmt: skip
"""Designators of coding schemes that are published (PS3.16, chapter 8); another scheme's words may be a hospital's."""


def plain_number(text: str) -> bool:
    """Whether a text is a number (PS3.5, VR DS and IS)."""
    return len(text) <= 24 and _NUMBER.fullmatch(text.strip(" \0")) is not None


def plain_code(text: str) -> bool:
    """Whether a text has the form of VR CS; small letters, which files often have, are let through."""
    return _CODE.fullmatch(text.strip("\0")) is not None


def small_number(text: str) -> bool:
    """Whether a text is a number of at most four digits."""
    return _SMALL_NUMBER.fullmatch(text.strip()) is not None
