"""Where the figures come from: ``python -m benchmarks.<family> <command>``, and ``--help`` for a family's commands."""
