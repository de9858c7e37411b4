"""The worker: takes this plugin's delegated operations and runs them here, on the GPU where there is one.

``fiftyone delegated launch`` takes operations of every plugin and fails those it cannot load. This worker takes only
Loupe's. It says every few seconds that it is alive, and puts back into the queue what a dead worker left behind. It
runs jobs in a process of their own: one that runs out of memory, breaks, or does not stop is ended, and the worker
goes on with the next job.

``supervise`` is the worker; ``child`` what runs jobs (``begin`` starts it), ``runner`` how the first one knows the
second; ``asked`` what a running job is asked, ``writes`` whether it is in the middle of writing; ``memory`` and ``log``
are what they say.
"""
