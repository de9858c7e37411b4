"""The panel "Review": the samples of a failure one by one, decided by keyboard."""
