"""Runs a program under what the kernel can be asked for of a systemd unit: its system call filter, its
address families, no memory that is both writable and executable, no privileges to gain, no capabilities.

unit_sandbox.py UNIT PROGRAM ARGUMENT ...
"""
import ctypes
import errno
import os
import platform
import resource
import socket
import subprocess
import sys

ALLOW = 0x7fff0000
DENY = 0x00050000 | errno.EPERM
NOT_EQUAL, MASKED_EQUAL = 1, 7
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24


class Compare(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def settings(unit, key):
    with open(unit) as lines:
        return [line.strip().partition("=")[2] for line in lines if line.startswith(key + "=")]


def calls_of(word):
    """The system calls of a group, groups within it included."""
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True,
                            check=True).stdout.splitlines()[1:]
    words = {line.strip() for line in listed if line.strip() and not line.strip().startswith("#")}
    return set().union(*(calls_of(each) for each in words))


def filtered(unit):
    allowed = calls_of("@default")
    for value in settings(unit, "SystemCallFilter"):
        named = set().union(*(calls_of(word) for word in value.lstrip("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


class Filter:
    def __init__(self):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(DENY)))

    def number(self, name):
        return self.library.seccomp_syscall_resolve_name(name.encode())

    def allow(self, name, *compares):
        number = self.number(name)
        if number < 0:  # of another architecture, or newer than the library
            return
        array = (Compare * max(1, len(compares)))(*compares)
        result = self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(ALLOW), number,
                                                     len(compares), array)
        if result != 0 and result != -errno.EDOM:
            raise OSError(-result, f"{name}: {os.strerror(-result)}")

    def load(self):
        result = self.library.seccomp_load(self.context)
        if result != 0:
            raise OSError(-result, os.strerror(-result))


def main(unit, *argv):
    allowed = filtered(unit)
    rules = Filter()
    if settings(unit, "MemoryDenyWriteExecute") == ["yes"]:
        allowed -= {"mmap", "mmap2", "mprotect", "pkey_mprotect", "shmat"}
        both = PROT_WRITE | PROT_EXEC
        for bits in (0, PROT_WRITE, PROT_EXEC):
            rules.allow("mmap", Compare(2, MASKED_EQUAL, both, bits))
        rules.allow("mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, 0))
        rules.allow("pkey_mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, 0))
        rules.allow("shmat", Compare(2, MASKED_EQUAL, SHM_EXEC, 0))
    allowed.discard("socket")
    for name in settings(unit, "RestrictAddressFamilies")[0].split():
        rules.allow("socket", Compare(0, 4, getattr(socket, name), 0))
    for name in sorted(allowed):
        rules.allow(name)
    library = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        for capability in range(64):
            library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    assert platform.machine() in ("x86_64", "aarch64")
    rules.load()
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main(*sys.argv[1:])
