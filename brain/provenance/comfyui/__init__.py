"""ComfyUI's graphs, also with nodes that nobody knows: read by the names of the nodes' inputs, from the picture back.

``graph``: the nodes that ran. ``workflow``: the same out of what the editor saves, where nothing else is there.
``passes``: from the node that saves the picture back to the samplers. ``texts``: from a sampler to its texts.
``models``: to its model and LoRAs. ``facts``: all of it together.
"""
