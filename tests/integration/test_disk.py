"""A disk that is really full: a small file system with the data directory, and the way back, on it."""
import os
import subprocess

import pytest

import pg
from test_crash import Bench

FREE_KIB = range(0, 208, 8)


@pytest.fixture
def small(make, folder, pgseal):
    """A Bench whose server lives on a file system of 64 MiB."""
    server = make.plain(start=False)
    disk = server.dir / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk],
                      capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small file system")
    try:
        disk.chmod(0o755)
        pg.give(disk)
        pg.copy_tree(server.data, disk / "data")
        server.data = server.conf_dir = disk / "data"
        yield Bench(server.start(), folder, 0)
    finally:
        server.stop()
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk, leave_kib):
    """Take everything but so many KiB."""
    stat = os.statvfs(disk)
    with open(disk / "filler", "wb") as filler:
        filler.write(bytes(max(0, stat.f_bavail * stat.f_frsize - leave_kib * 1024)))


def test_a_full_disk_leaves_the_bytes_from_before(small, pgseal, record_property):
    """Whatever is left, secure is done, refused (3) or taken back (5), with the disk still full."""
    disk = small.server.data.parent
    seen, wrong = {}, []
    pgseal(*small.secure, ok=True)
    pgseal(*small.rollback, ok=True)
    for free in FREE_KIB:
        small.reset()
        fill(disk, free)
        done = pgseal(*small.secure)
        seen[done.status] = seen.get(done.status, 0) + 1
        if done.status != 0:
            wrong += [f"{free} KiB free: {what}" for what in small.not_as_before()]
        if done.status not in (0, 3, 5):
            wrong.append(f"{free} KiB free: {done}")
        (disk / "filler").unlink()
        back = pgseal(*small.rollback)
        wrong += [f"{free} KiB free, rollback {back.status}: {what}"
                  for what in small.not_as_before()]
    record_property("says", f"secure with {min(FREE_KIB)} to {max(FREE_KIB)} KiB free; "
                    f"exit statuses {seen}")
    assert not wrong, "\n".join(wrong)
    assert seen.get(3) and seen.get(5) and seen.get(0)
