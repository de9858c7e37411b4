"""How well hands, faces, bodies and skin are judged: real ones, ones with a flaw put in, generated ones."""
