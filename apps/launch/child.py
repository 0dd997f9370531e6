"""Becomes another program that cannot outlive its parent: `child.py PARENT SIGNAL USER DIRECTORY PROGRAM ARGUMENTS…`

A small program of its own and not a `preexec_fn`, because the parent may have threads: code run between fork and exec
of a threaded process can wait for ever on a lock that nobody holds. Only the standard library, run as `python -I -S`.

PARENT is the starter's pid; SIGNAL is sent by the kernel when the starter's main thread ends (Linux only; elsewhere
the guardian does it); USER is `-` to stay as we are, the `uid:gid` to become, which only root can ask for, or `nameless` to stay as we are
and be known as `nobody` to what is run.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
NO_SETUID_FIXUP, KEEP_CAPS = 1 << 2, 1 << 4
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CLONE_NEWUSER, NOBODY = 0x10000000, 65534
CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    parent, signal_number, user, directory, *command = sys.argv[1:]
    if user == "nameless":
        be_known_as_nobody()
    elif user != "-":
        become(*(int(number) for number in user.split(":")))
    if sys.platform == "linux":
        die_with(int(parent), int(signal_number))  # after the change of user, which clears it
    os.chdir(directory)
    os.execvp(command[0], command)  # noqa: S606 - the program is the starter's own choice


def die_with(parent: int, signal_number: int) -> None:
    prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it died before the request above
        sys.exit(1)


def be_known_as_nobody() -> None:
    """For an account that has a number and no name, as containers give: initdb asks for a name and uses none. In a user
    namespace of its own the number is nobody's, and what is written is still ours. Raises OSError where that is
    not allowed."""
    uid, gid = os.getuid(), os.getgid()
    if libc().unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare refused")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")


def become(uid: int, gid: int) -> None:
    """PostgreSQL refuses to run as root, yet the files may lie under a directory that only root can enter.

    So one capability is kept: to read and enter directories. NO_SETUID_FIXUP matters because PostgreSQL checks its
    own binary with access(2), which would otherwise look without the capability.
    """
    os.setgroups([])
    if sys.platform != "linux":
        os.setgid(gid)
        os.setuid(uid)
        return
    capability = kept_capability()
    if capability:
        prctl(PR_SET_SECUREBITS, NO_SETUID_FIXUP | KEEP_CAPS)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability:
        keep_only(capability)


def kept_capability() -> int:
    """CAP_DAC_READ_SEARCH, or CAP_DAC_OVERRIDE in containers that lack it, or 0 when neither is ours."""
    status = Path("/proc/self/status").read_text()
    permitted = int(next(line for line in status.splitlines() if line.startswith("CapPrm")).split()[1], 16)
    return next((cap for cap in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> cap & 1), 0)


def keep_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; low word, then high
    if libc().capset(ctypes.byref(header), ctypes.byref(data)):
        raise OSError(ctypes.get_errno(), "capset refused")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if libc().prctl(option, *values):
        raise OSError(ctypes.get_errno(), f"prctl {option} refused")


def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
