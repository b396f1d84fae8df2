"""What goes between the laboratory and other systems: orders in, signed reports out, pictures from an archive."""
