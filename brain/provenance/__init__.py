"""What other tools wrote into and beside their pictures: prompts, seed, model, settings; and writing it.

``read.of_file`` takes the texts out of a file (``texts``, ``png``, ``exif``, ``xmp``, ``stealth``), gives them to the
readers, one file a format, and merges what those say (``records``). A reader states what its format states. What it
cannot know is unknown, with a reason: a prompt that a node made when it ran is not guessed from the nodes around it.
"""
