"""The pictures of a case, what the machine read in them, what people made of that, and what it says."""
