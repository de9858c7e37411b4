"""The one room that knows FiftyOne's documents: views become rows, scores become fields, verbs leave runs."""
