"""Boxes from a few hundred pictures with boxes: proposals on the pyramid, a second look at each, what they are worth."""
