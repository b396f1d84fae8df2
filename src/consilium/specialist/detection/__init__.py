"""Boxes from a few hundred pictures with boxes: proposals, a second look at each, what they are worth."""
