"""The encoder: features of pictures and cases of any modality. One that ships, and any other through one protocol."""
