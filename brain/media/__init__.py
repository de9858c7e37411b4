"""Pictures that lie elsewhere: fetched when they are read, and kept in a folder of the user's."""
