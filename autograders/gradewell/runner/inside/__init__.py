"""What runs inside the sandbox: the fork server, a warden for each notebook, and the kernel that runs its cells.

Standard library and ipykernel only: it also runs in the Python of a kernel that has nothing else of ours.
"""
