"""DICOM: pictures from an archive, karyograms and a structured report to one."""
