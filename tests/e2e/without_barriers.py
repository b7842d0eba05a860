# SPDX-License-Identifier: Apache-2.0
"""without_barriers.py PROGRAM ARGUMENTS...: runs a program as on a kernel that has neither Landlock nor namespaces.

A seccomp filter answers both system calls with ENOSYS, as old kernels and some containers do (seccomp(2), x86-64).
"""

import ctypes
import os
import struct
import sys

UNSHARE, LANDLOCK_CREATE_RULESET = 272, 444
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ENOSYS = 0x7FFF0000, 0x00050000 | 38


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def instruction(code, if_true, if_false, operand):
    return struct.pack("HBBI", code, if_true, if_false, operand)


def main():
    code = (instruction(LOAD_NUMBER, 0, 0, 0) + instruction(JUMP_IF_EQUAL, 2, 0, UNSHARE)
            + instruction(JUMP_IF_EQUAL, 1, 0, LANDLOCK_CREATE_RULESET) + instruction(RETURN, 0, 0, ALLOW)
            + instruction(RETURN, 0, 0, ENOSYS))
    held = ctypes.create_string_buffer(code)
    program = Program(len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[1], sys.argv[1:])


main()
