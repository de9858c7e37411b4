"""What a prompt asks for, against the boxes of a detector: the composition check is made of these.

``scene`` holds the records: what was detected in a picture, and what a prompt requires of it. ``rules`` (with the
likelihoods of ``calibrated``), ``geneval`` and ``t2i_compbench`` are three ways to score these requirements; each has a
function ``requirements``. ``geometry`` holds the formulas over boxes, ``colors`` names the color of a crop, and
``agreement`` asks a vision-language model, too.
"""
