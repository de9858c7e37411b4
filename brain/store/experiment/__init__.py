"""What an experiment reads and keeps."""
