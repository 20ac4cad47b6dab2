"""What the tests of crashes share: where their files lie, and every point of a run, several at a time."""
import concurrent.futures
import contextlib
import os
import tempfile


def folder():
    """In memory, where there is a gigabyte of it: no test cuts the power, and what kill -9 undoes is the same there;
    a disk that takes long to sync makes each of thousands of runs wait."""
    memory = "/dev/shm"
    with contextlib.suppress(OSError):
        at = os.statvfs(memory)
        if os.path.ismount(memory) and at.f_bavail * at.f_frsize >= 1 << 30:
            return tempfile.TemporaryDirectory(dir=memory)
    return tempfile.TemporaryDirectory()


def each(run, points):
    """What run(point) gives for each; every point has files of its own, and what takes time is other processes."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(run, points))
