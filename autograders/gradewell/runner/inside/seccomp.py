"""System calls that no notebook needs are taken away from its processes, by a filter that they cannot take off (Linux).

seccomp(2), bpf(4); struct seccomp_data: the call's number, the architecture, the address, six arguments of 64 bits.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

REFUSED = {
    # What keeps things in the kernel, where they outlive the notebook or are those of whoever grades.
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # What stops another process, or looks into it.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "userfaultfd": (323, 282), "fanotify_init": (300, 262),
    # What does its work, and has its memory, where nothing is counted.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "perf_event_open": (298, 241), "memfd_secret": (447, 447),
    # New namespaces, in which the notebook would be root, and file systems.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
}  # fmt: skip
"""System calls that are refused, with their numbers on x86_64 and on aarch64."""
_CLONE, _CLONE3, _FCNTL, _SETSID, _IOCTL, _MEMFD_CREATE = (
    (56, 220), (435, 435), (72, 25), (112, 157), (16, 29), (319, 279),
)  # fmt: skip
_NEW_NAMESPACES = 0x7E020080
_F_SETLEASE, _F_NOTIFY, _TIOCSCTTY = 1024, 1026, 0x540E
_NEWEST = 462
"""The newest call that was known when this was written; what is newer is refused as if this system did not have it."""


def program(memory_files: bool, sessions: bool) -> bytes:
    """The filter, as the bytes that the kernel and ``bwrap --seccomp`` take.

    Parameters
    ----------
    memory_files : bool
        Whether memory files (memfd_create) may be made: where a control group counts them.
    sessions : bool
        Whether new sessions may begin. Without control groups each has a share of the processor of its own; then setsid does nothing and
        says that it did, and so does giving the new session a terminal: programs begin in a terminal as before (IPython's ``!``).

    Raises
    ------
    OSError
        There is no filter for this processor.
    """
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(_ENOSYS, f"there is no filter of system calls for {machine}")
    which = list(_AUDIT).index(machine)
    lines = [
        (_LD, 0, 0, _ARCHITECTURE),
        (_JEQ, 1, 0, _AUDIT[machine]),
        (_RET, 0, 0, _ERRNO | _ENOSYS),  # another architecture's calls
        (_LD, 0, 0, _NUMBER),
        (_JGE, 0, 1, _NEWEST + 1),  # x32's have a high bit
        (_RET, 0, 0, _ERRNO | _ENOSYS),
    ]

    def refuse(numbers: tuple[int, int], error: int) -> None:
        lines.extend([(_JEQ, 0, 1, numbers[which]), (_RET, 0, 0, _ERRNO | error)])

    def refuse_with(
        numbers: tuple[int, int], argument: int, test: int, values: tuple[int, ...], error: int
    ) -> None:
        """Where the lower half of an argument is one of the values, or has one of the bits."""
        checks = []
        for value in values:
            checks += [(test, 0, 1, value), (_RET, 0, 0, _ERRNO | error)]
        lines.append((_JEQ, 0, len(checks) + 2, numbers[which]))
        lines.append((_LD, 0, 0, _ARGUMENTS + 8 * argument))  # both are little-endian
        lines.extend(checks)
        lines.append((_LD, 0, 0, _NUMBER))

    for numbers in REFUSED.values():
        refuse(numbers, _EPERM)
    refuse(_CLONE3, _ENOSYS)  # its flags are out of sight: the C library then takes clone
    refuse_with(_CLONE, 0, _JSET, (_NEW_NAMESPACES,), _EPERM)
    refuse_with(_FCNTL, 1, _JEQ, (_F_SETLEASE, _F_NOTIFY), _EPERM)
    if not memory_files:
        refuse(_MEMFD_CREATE, _ENOSYS)
    if not sessions:
        refuse(_SETSID, 0)
        refuse_with(_IOCTL, 1, _JEQ, (_TIOCSCTTY,), 0)
    lines.append((_RET, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def restrict(filtering: bytes) -> None:
    """Put the filter on this process and on all that it starts. It must have given up new privileges.

    Raises
    ------
    OSError
        The system has no such filters.
    """
    kept = ctypes.create_string_buffer(filtering, len(filtering))
    filled = struct.pack("@HP", len(filtering) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(filled), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def unavailable() -> str:
    """Why there are no filters here, as a sentence; empty when there are."""
    try:
        program(True, True)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0)  # EFAULT where it is known
        if ctypes.get_errno() != 14:
            return f"the kernel has none ({os.strerror(ctypes.get_errno())})"
    except (OSError, AttributeError) as error:
        return str(error)
    return ""
