"""HL7 version 2.5.1: messages as text, orders, acknowledgements, results, and the line that they travel on (MLLP)."""
