"""A network of its own: two network namespaces and a cable between them, in one the servers, each with an
address, in the other who looks at them.  Nothing of it is seen from outside, and it is gone at the end.

Needs root, and a machine that allows network namespaces.
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

import pg

CLONE_NEWNET = 0x40000000
_numbers = itertools.count(1)


def _ip(*args):
    return subprocess.run(["ip", *map(str, args)], capture_output=True, text=True)


def _must(*args):
    done = _ip(*args)
    assert done.returncode == 0, f"ip {' '.join(map(str, args))}: {done.stderr}"


def why_not():
    """Why there can be no namespaces here; None: there can."""
    if not pg.AS_ROOT:
        return "network namespaces need root"
    name = f"pgseal-try-{os.getpid()}"
    try:
        done = _ip("netns", "add", name)
    except OSError as error:
        return f"ip(8) is missing: {error}"
    if done.returncode != 0:
        return f"no network namespaces here: {done.stderr.strip()}"
    cable = _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    _ip("netns", "del", name)
    return f"no cable between network namespaces here: {cable.stderr.strip()}" if cable.returncode else None


class Net:
    """10.20.30.0/24 and fd00:20::/64; who looks has number 1."""

    def __init__(self):
        name = f"pgseal-{os.getpid()}-{next(_numbers)}"
        self.servers, self.looker = f"{name}-s", f"{name}-l"
        self.listeners, self.programs = [], []
        self.hosts = pathlib.Path(tempfile.mkstemp(prefix="pgseal-hosts-")[1])
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.hosts.chmod(0o644)
        try:
            self._build()
        except BaseException:
            self.remove()
            raise

    def _build(self):
        for name in (self.servers, self.looker):
            _must("netns", "add", name)
            _must("-n", name, "link", "set", "lo", "up")
        _must("-n", self.looker, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
              "netns", self.servers)
        for name, number in ((self.servers, 2), (self.looker, 1)):
            _must("-n", name, "address", "add", f"10.20.30.{number}/24", "dev", "eth0")
            _must("-n", name, "address", "add", f"fd00:20::{number}/64", "dev", "eth0", "nodad")
            _must("-n", name, "link", "set", "eth0", "up")

    def remove(self):
        for program in self.programs:
            program.terminate()
            program.wait(pg.PATIENCE)
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for name in (self.servers, self.looker):
            _ip("netns", "del", name)
        self.hosts.unlink(missing_ok=True)

    # -- addresses and names

    def address(self, number, *names):
        """10.20.30.NUMBER is in the namespace of the servers from now on."""
        _must("-n", self.servers, "address", "add", f"10.20.30.{number}/24", "dev", "eth0")
        return self.name(f"10.20.30.{number}", *names)

    def address6(self, number, *names):
        _must("-n", self.servers, "address", "add", f"fd00:20::{number}/64", "dev", "eth0", "nodad")
        return self.name(f"fd00:20::{number}", *names)

    def black_hole(self, number, *names):
        """What is sent there is dropped: the cable leads to nobody with that hardware address."""
        _must("-n", self.looker, "neigh", "add", f"10.20.30.{number}", "lladdr", "02:00:00:00:00:99",
              "dev", "eth0", "nud", "permanent")
        return self.name(f"10.20.30.{number}", *names)

    def name(self, address, *names):
        """Who looks finds that address by these names; a name may have several."""
        with self.hosts.open("a") as hosts:
            hosts.writelines(f"{address} {name}\n" for name in names)
        return address

    # -- who is there

    def inside(self, namespace):
        return ["nsenter", f"--net=/run/netns/{namespace}"]

    def looking(self, program):
        """What is to stand before the arguments of a program that looks from outside, with names of its own."""
        return [*self.inside(self.looker), "unshare", "--mount", "sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', str(self.hosts), str(program)]

    def place(self, cluster, address, port=5432):
        """A cluster that was not started yet lives there."""
        cluster.before = self.inside(self.servers)
        cluster.set(listen_addresses=address, port=port)
        cluster.port = port
        return cluster

    def program(self, *argv):
        """A program of the owner's in the namespace of the servers; stopped with the network."""
        who = ["setpriv", f"--reuid={pg.OWNER.pw_uid}", f"--regid={pg.OWNER.pw_gid}", "--clear-groups",
               "--pdeathsig", "TERM"]
        program = subprocess.Popen([*self.inside(self.servers), *who, *map(str, argv)], cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.programs.append(program)
        return program

    def listen(self, address, port=5432, talk=None, backlog=128):
        """A listener there.  `talk` gets each connection in a thread of its own; None: nobody accepts."""
        made = []

        def make():
            with open(f"/run/netns/{self.servers}", "rb") as namespace:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made.append(socket.create_server((address, port), family=family, backlog=backlog))

        thread = threading.Thread(target=make)      # setns() is for one thread, and this one ends
        thread.start()
        thread.join()
        self.listeners += made
        if talk:
            threading.Thread(target=_serve, args=(made[0], talk), daemon=True).start()
        return made[0]


def _serve(listener, talk):
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_talk, args=(link, talk), daemon=True).start()


def _talk(link, talk):
    with link, contextlib.suppress(OSError):
        talk(link)
