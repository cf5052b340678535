#!/usr/bin/env python3
"""Prints uids of things by chance, as bench/fill_mirror.sql makes them: KIND HOW_MANY_THERE_ARE HOW_MANY_TO_PRINT"""

import hashlib
import random
import sys
import uuid

kind, there, wanted = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for _ in range(wanted):
    print(uuid.UUID(hashlib.md5(f"{kind} {random.randrange(there)}".encode()).hexdigest()))
