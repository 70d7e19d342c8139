"""Takes from a process what parsing a file never needs: the network, other programs, writing, and others' files.

Linux only and without privileges: a seccomp filter and Landlock rules, for this process and for good. Where the kernel does
not offer one of them, the process goes on without it; the limits of `worker` and the parent's clock hold everywhere.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from pathlib import Path

__all__ = ["confine"]

_SET_DEATH_SIGNAL, _SET_SECCOMP, _NO_NEW_PRIVILEGES = 1, 22, 38  # prctl
_FILTER_MODE = 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions of the kernel's filter language
_ALLOW, _DENY, _ABSENT = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_NUMBER, _MACHINE = 0, 4  # where these stand in what the filter sees
_THREAD = 0x10000  # clone: a thread of this process
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CREATE_RULES, _ADD_RULE, _RESTRICT = 444, 445, 446  # Landlock's calls have the same numbers everywhere
_VERSION, _BENEATH = 1, 1
_READING = 0b1100  # files and folders
_ALL_OF_VERSION_1 = (1 << 13) - 1

# The kernel's numbers for calls: x86_64, aarch64 (None: it has no such call).
_REFUSED = {
    # the network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    # other programs and processes
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # changing files
    "creat": (85, None), "truncate": (76, 45), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "link": (86, None), "linkat": (265, 37),
    "unlink": (87, None), "unlinkat": (263, 35), "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    # the system
    "setrlimit": (160, 164), "chroot": (161, 51), "pivot_root": (155, 41), "mount": (165, 40), "umount2": (166, 39),
    "unshare": (272, 97), "setns": (308, 268), "reboot": (169, 142), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "perf_event_open": (298, 241), "open_by_handle_at": (304, 265), "bpf": (321, 280),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
}  # fmt: skip
_THREADS, _SIGNALS, _LIMITS, _OPENED, _OPENED_AT = (56, 220), (234, 131), (302, 261), (2, None), (257, 56)
_UNSEEN = (435, 437)  # clone3, openat2: what they are asked for cannot be seen from a filter, and callers know older ones
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Which of the two numbers is meant, and the kernel's name for the machine."""


def confine() -> tuple[str, ...]:
    """Confine this process until it ends; it is killed when the thread that started it ends.

    Returns what holds from now on: "calls" (no network, no other process, nothing written), "files" (no file is read but
    those of the program and of the system). Never raises for what a kernel does not offer.
    """
    if sys.platform != "linux" or sys.byteorder != "little":
        return ()
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return ()
    files = _only_read_the_program(kernel)
    calls = _filter_calls(kernel)
    return (*(("calls",) if calls else ()), *(("files",) if files else ()))


def _filter_calls(kernel: ctypes.CDLL) -> bool:
    if platform.machine() not in _MACHINES:
        return False
    program = _program(*_MACHINES[platform.machine()], os.getpid())
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    filled = Program(len(program) // 8, ctypes.addressof(code))
    return bool(kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(filled), 0, 0) == 0)


def _program(column: int, machine: int, own: int) -> bytes:
    """The filter for a machine and a process, 8 bytes a step: operation, steps to jump if so, if not, and a value."""
    yes, no, absent = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ABSENT)
    steps = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), no, (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AT_LEAST, 0, 1, 0x40000000), no]  # a second set of numbers that x86 has

    def judge(number: int | None, *verdict: tuple[int, int, int, int]) -> None:
        if number is not None:
            steps.extend([(_EQUAL, 0, len(verdict), number), *verdict])

    for numbers in _REFUSED.values():
        judge(numbers[column], no)
    for number in _UNSEEN:
        judge(number, absent)
    judge(_THREADS[column], (_LOAD, 0, 0, _argument(0)), (_ANY_BIT, 0, 1, _THREAD), yes, no)
    judge(_SIGNALS[column], (_LOAD, 0, 0, _argument(0)), (_EQUAL, 0, 1, own), yes, no)  # abort() is a signal to oneself
    low, high = _argument(2), _argument(2) + 4  # limits may be asked for, and not set
    judge(_LIMITS[column], (_LOAD, 0, 0, low), (_EQUAL, 0, 3, 0), (_LOAD, 0, 0, high), (_EQUAL, 0, 1, 0), yes, no)
    for numbers, flags in ((_OPENED, 1), (_OPENED_AT, 2)):
        judge(numbers[column], (_LOAD, 0, 0, _argument(flags)), (_ANY_BIT, 0, 1, _WRITING), no, yes)
    return b"".join(struct.pack("<HBBI", *step) for step in (*steps, yes))


def _argument(number: int) -> int:
    return 16 + 8 * number


def _only_read_the_program(kernel: ctypes.CDLL) -> bool:
    if kernel.syscall(_CREATE_RULES, None, ctypes.c_size_t(0), _VERSION) < 1:
        return False
    handled = ctypes.c_uint64(_ALL_OF_VERSION_1)
    rules = kernel.syscall(_CREATE_RULES, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        for path in _readable():
            _allow_reading(kernel, rules, path)
        return bool(kernel.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _readable() -> set[str]:
    """Where Python, its packages, this program, the system's libraries and its fonts lie."""
    here = Path(__file__).resolve().parent.parent
    found = {
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        str(here),
        "/usr",
        "/lib",
        "/lib64",
        "/etc/fonts",
        "/etc/ld.so.cache",
    }
    # The folder that holds the checkout may hold the clinic's corpus too.
    return found | {path for path in sys.path if path and Path(path).resolve() != here.parent} | {"/dev/null", "/dev/urandom"}


def _allow_reading(kernel: ctypes.CDLL, rules: int, path: str) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        access = _READING if Path(path).is_dir() else 0b100
        rule = struct.pack("<Qi", access, place)
        kernel.syscall(_ADD_RULE, rules, _BENEATH, rule, 0)
    finally:
        os.close(place)
