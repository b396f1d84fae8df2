"""Nobody's name leaves: the confidentiality profile of DICOM PS3.15, keyed pseudonyms, a search after writing."""
