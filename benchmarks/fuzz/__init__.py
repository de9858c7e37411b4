"""What strangers may send: files, metadata, prompts, tables, names and answers, changed by chance and on purpose."""
