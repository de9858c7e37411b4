"""What the vectors of the embedders know of meaning, and what they cost."""
