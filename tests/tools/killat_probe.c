/*
 * killat_probe.c - the victim of killat's own test: a few calls of each kind in the folder given,
 * each reported on standard output with the error it ended with.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void said(const char *call, long result)
{
    printf("%s: %s\n", call, result < 0 ? strerror(errno) : "done");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;

    int fd = open("file", O_CREAT | O_WRONLY, 0600);
    said("open", fd);
    said("write", write(fd, "text", 4));
    said("fsync", fsync(fd));
    said("fchmod", fchmod(fd, 0640));
    said("rename", rename("file", "other"));
    said("mkdir", mkdir("folder", 0700));
    said("rmdir", rmdir("folder"));
    signal(SIGUSR1, SIG_IGN);
    said("kill", kill(getpid(), SIGUSR1));
    said("kill 0", kill(getpid(), 0));
    said("open to read", open("other", O_RDONLY));
    said("open elsewhere", open("/dev/null", O_WRONLY));
    said("unlink", unlink("other"));
    puts(getenv("LD_PRELOAD") ? "preloaded" : "not preloaded");
    return 0;
}
