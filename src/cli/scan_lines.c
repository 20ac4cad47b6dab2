/* scan_lines.c - see scan_lines.h. */
#include "cli/scan_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "doc/render.h"
#include "probe/past.h"

/* A line that was cut when its scan was killed says nothing: the next one must not be glued to it. */
static bool drop_cut_line(int fd)
{
    PS_AUTO(ps_freep) char *tail = ps_malloc(PAST_LINE_MAX);
    off_t end = lseek(fd, 0, SEEK_END);
    off_t from = end > PAST_LINE_MAX ? end - PAST_LINE_MAX : 0;
    ssize_t n = end > 0 ? pread(fd, tail, (size_t)(end - from), from) : 0;

    if (end <= 0 || n <= 0)
        return end == 0;
    const char *last = memrchr(tail, '\n', (size_t)n);
    off_t keep = last ? from + (last - tail) + 1 : from;
    return keep == end || ftruncate(fd, keep) == 0;
}

bool scan_lines_open(const char *path, int *fd, struct ps_err *err)
{
    struct stat st;

    *fd = strcmp(path, "-") == 0 ? STDOUT_FILENO
                                 : open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (*fd < 0)
        return ps_fail(err, PS_E_IO, _("could not open \"%s\": %m"), path);
    return *fd == STDOUT_FILENO || fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)
        || drop_cut_line(*fd) || ps_fail(err, PS_E_IO, _("could not read \"%s\": %m"), path);
}

bool scan_lines_put(int fd, const char *name, const struct seen *seen, const struct report *report,
                    struct ps_err *err)
{
    static const struct doc_style style = { .one_line = true };
    PS_AUTO(doc_freep) struct doc *doc = doc_new("scan_server", NULL);
    PS_AUTO(buf_free) struct buf line = BUF(BUF_TEXT_MAX);

    scan_describe(seen, report, doc_root(doc));
    doc_render(doc, DOC_JSON, &style, &line);
    for (size_t done = 0; done < line.len; ) {
        ssize_t n = write(fd, line.p + done, line.len - done);

        if (n < 0 && errno != EINTR)
            return ps_fail(err, PS_E_IO, _("could not write the line of a server to \"%s\": %m"), name);
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}
