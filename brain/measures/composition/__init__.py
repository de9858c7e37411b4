"""What a prompt asks for, against the boxes that a detector found: the composition check is made of these.

``geometry`` holds the formulas over boxes; ``geneval``, ``t2i_compbench`` and ``calibrated`` are three ways to judge by
them; ``vocabulary`` brings the prompt's nouns and the detector's labels together; ``colors`` names the colour of a
crop; ``yolox`` and ``open_vocabulary`` are detectors.
"""
