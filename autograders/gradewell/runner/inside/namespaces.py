"""A child's own namespaces, mounts and limits, by the system calls themselves (Linux).

Man pages: unshare(2), mount(2), user_namespaces(7), pid_namespaces(7), capabilities(7), prctl(2), setrlimit(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import socket
import struct
from pathlib import Path

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 0x20
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 4, 24, 38

_NONE = {
    "user/max_user_namespaces": "0", "kernel/shmmni": "0", "kernel/msgmni": "0", "kernel/sem": "0 0 0 0",
}  # fmt: skip
"""Of a namespace's settings, those through which memory could be had uncounted."""

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> None:
    """Leave the fork server's namespaces. The process itself stays in its process namespace; its children do not.

    Raises
    ------
    OSError
        The system does not allow namespaces.
    """
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEWUSER | _NEWNS | _NEWPID | _NEWIPC | _NEWNET)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _connect_to_oneself()


def _connect_to_oneself() -> None:
    """Bring up the new network's only device, through which its processes reach each other and nobody else (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def furnish(writable: list[str], kept: list[str], size: int, inodes: int, whole_proc: str) -> None:
    """Give the first process of a namespace its own empty ``writable`` folders, terminals, and ``/proc``.

    Parameters
    ----------
    writable : list of str
        Folders that exist. Each becomes empty, writable, and invisible from elsewhere.
    kept : list of str
        What stays visible below those: a Python that is installed below ``/tmp``.
    size, inodes : int
        Bytes, and files and folders, that each may hold.
    whole_proc : str
        Where the fork server's sandbox keeps the whole ``/proc``, without which a new one may not be mounted.
    """
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    for folder in writable:
        below = [path for path in sorted(kept) if path.startswith(folder.rstrip("/") + "/")]
        opened = [os.open(path, os.O_PATH) for path in below]
        _mount(
            "tmpfs", folder, "tmpfs", _NOSUID | _NODEV, f"size={size},nr_inodes={inodes},mode=755"
        )
        for path, number in zip(below, opened, strict=True):
            _show_again(path, number)
            os.close(number)
    with contextlib.suppress(PermissionError):  # then the sandbox's stays: others are listed there
        _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    _mount("devpts", "/dev/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    for setting, value in _NONE.items():
        with contextlib.suppress(OSError):
            Path("/proc/sys", setting).write_text(value)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        path = f"/proc/{name}"
        if os.path.exists(path):  # root may write there, even without privileges
            _mount(path, path, "", _BIND)
            _mount("none", path, "", _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    _mount("tmpfs", whole_proc, "tmpfs", _NOSUID | _NODEV, "size=4k")


def _show_again(path: str, number: int) -> None:
    """Mount what an open descriptor stands for in its old place."""
    if os.path.lexists(path):  # with a folder that holds it
        return
    source = f"/proc/self/fd/{number}"
    if os.path.isdir(source):
        os.makedirs(path)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "x").close()
    _mount(source, path, "", _BIND | _RECURSIVE)


def hide() -> None:
    """Nobody without privileges may trace this process, or read its memory."""
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def leave_keyring() -> None:
    """Get an empty session keyring of one's own instead of that of whoever grades (keyctl(2)), where the kernel has keyrings."""
    number = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
    if number is not None:
        _libc.syscall(number, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING, a new one without a name


def renounce() -> None:
    """Give up every privilege, for good: capabilities, and set-user-id programs."""
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    capability = 0
    while _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def limit(memory: int, seconds: int, files: int, processes: int, file_size: int) -> None:
    """Set what this process and its children may use (setrlimit).

    Parameters
    ----------
    memory : int
        Bytes of address space beyond what the process has now.
    seconds : int
        Processor time, of each process.
    files, processes : int
        Open files; processes of the user.
    file_size : int
        Bytes of each file.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + memory
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_NOFILE: files,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_AS: space,
        resource.RLIMIT_NPROC: processes,
    }
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
