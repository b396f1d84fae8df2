"""FHIR R4B: orders in a Bundle, the report as a Bundle of genomics resources."""
