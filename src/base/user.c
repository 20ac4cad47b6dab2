/* user.c - see user.h. */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/mem.h"

void user_by_uid(uid_t uid, gid_t gid_if_unknown, struct user *out)
{
    char text[4096];
    struct passwd entry, *found = NULL;

    *out = (struct user){ .uid = uid, .gid = gid_if_unknown };
    if (getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found) {
        out->gid = found->pw_gid;
        snprintf(out->name, sizeof(out->name), "%s", found->pw_name);
        snprintf(out->home, sizeof(out->home), "%s", found->pw_dir);
    } else {
        snprintf(out->name, sizeof(out->name), "#%lu", (unsigned long)uid);
    }
}

static void set_home(const char *home)
{
    if (*home)
        setenv("HOME", home, 1);
    else
        unsetenv("HOME");
}

/* Going on as the wrong user could harm: there is no way to report but to stop. */
static _Noreturn void stop_as_wrong_user(void)
{
    fputs("pgseal: could not return to our own user\n", stderr);
    _exit(PS_EXIT_BUG);
}

void user_current(struct user *out)
{
    user_by_uid(geteuid(), getegid(), out);
}

bool user_become(const struct user *user, struct user_guard *guard, struct ps_err *err)
{
    *guard = (struct user_guard){ .uid = geteuid(), .gid = getegid() };
    if (guard->uid == user->uid)
        return true;
    if (guard->uid != 0) {
        ps_fail(err, PS_E_UNSUPPORTED, _("cannot act as user \"%s\""), user->name);
        return ps_hint(err, _("Run pgseal as root or as \"%s\"."), user->name);
    }

    guard->groups_len = getgroups((int)PS_COUNT(guard->groups), guard->groups);
    if (guard->groups_len < 0)
        return ps_fail(err, PS_E_IO, _("could not read our groups: %m"));

    guard->active = true;
    guard->home = getenv("HOME") ? ps_strdup(getenv("HOME")) : NULL;
    set_home(user->home);
    bool named = user->name[0] != '#';
    if ((named ? initgroups(user->name, user->gid) : setgroups(1, &user->gid)) != 0
        || setegid(user->gid) != 0 || seteuid(user->uid) != 0) {
        ps_fail(err, PS_E_IO, _("could not act as user \"%s\": %m"), user->name);
        user_return(guard);
        return false;
    }
    return true;
}

bool user_give(int fd, uid_t uid, gid_t gid)
{
    uid_t acting = geteuid();

    if (fchown(fd, uid, gid) == 0)
        return true;
    if (errno != EPERM || acting == 0 || getuid() != 0 || seteuid(0) != 0)
        return false;
    bool given = fchown(fd, uid, gid) == 0;
    int why = errno;
    if (seteuid(acting) != 0)
        stop_as_wrong_user();
    errno = why;
    return given;
}

void user_return(struct user_guard *guard)
{
    if (!guard->active)
        return;
    guard->active = false;
    set_home(guard->home ? guard->home : "");
    ps_freep(&guard->home);
    if (seteuid(guard->uid) != 0 || setegid(guard->gid) != 0
        || setgroups((size_t)guard->groups_len, guard->groups) != 0) {
        stop_as_wrong_user();
    }
}
