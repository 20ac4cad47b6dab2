/* test_file.c - changes to files happen whole or not at all; locks, folders, names, users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/user.h"

static char *dir;       /* of one test */

static int make_dir(void **state)
{
    struct ps_err err;

    (void)state;
    return dir_temp(&dir, &err) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    dir_remove_all(dir);
    ps_freep(&dir);
    return 0;
}

static char *in_dir(const char *name)
{
    return path_join(dir, name);
}

static void put(const char *path, const char *text, mode_t mode)
{
    struct ps_err err;

    assert_true(file_write(path, text, strlen(text), mode, &err));
}

static void check(const char *path, const char *want)
{
    PS_AUTO(buf_free) struct buf text = { 0 };
    struct ps_err err;

    assert_true(file_read(path, 1000, &text, &err));
    assert_string_equal(buf_text(&text), want);
}

static size_t names_in_dir(void)
{
    DIR *open_dir = opendir(dir);
    size_t count = 0;

    assert_non_null(open_dir);
    while (readdir(open_dir))
        count++;
    closedir(open_dir);
    return count - 2;
}

/* ---- reading ---- */

static void reading_tells_missing_big_and_strange_files_apart(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    PS_AUTO(ps_freep) char *pipe = in_dir("pipe");
    PS_AUTO(buf_free) struct buf text = { 0 };
    struct ps_err err;

    (void)state;
    assert_false(file_read(path, 10, &text, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    put(path, "0123456789", 0600);
    assert_true(file_read(path, 10, &text, &err));
    assert_int_equal(text.len, 10);
    assert_false(file_read(path, 9, &text, &err));
    assert_int_equal(err.code, PS_E_TOO_BIG);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_false(file_read(pipe, 10, &text, &err));     /* and does not hang */
    assert_int_equal(err.code, PS_E_IO);
    assert_false(file_read(dir, 10, &text, &err));
    assert_int_equal(err.code, PS_E_IO);
}

/* ---- changing ---- */

static void an_edit_keeps_owner_and_mode(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    struct file_attr attr;
    struct ps_err err;
    uid_t owner = geteuid() == 0 ? 12345 : geteuid();

    (void)state;
    put(path, "old", 0640);
    if (geteuid() == 0)
        assert_int_equal(chown(path, owner, 23456), 0);
    put(path, "new", 0600);
    assert_true(file_attr_read(path, &attr, &err));
    assert_int_equal(attr.mode, 0640);
    assert_int_equal(attr.uid, owner);
    if (geteuid() == 0)
        assert_int_equal(attr.gid, 23456);
    check(path, "new");
    assert_int_equal(names_in_dir(), 1);
}

static void a_link_is_followed_and_stays(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    PS_AUTO(ps_freep) char *link = in_dir("link");
    PS_AUTO(ps_freep) char *dangling = in_dir("dangling");
    struct ps_err err;
    struct stat st;

    (void)state;
    put(path, "old", 0600);
    assert_int_equal(symlink("f", link), 0);
    put(link, "new", 0600);
    check(path, "new");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    assert_int_equal(symlink("nothing", dangling), 0);
    assert_false(file_write(dangling, "x", 1, 0600, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_int_equal(lstat(dangling, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(names_in_dir(), 3);
}

static void begin_and_put(const char *path, const char *text, struct file_edit **edit)
{
    struct ps_err err;

    assert_true(file_edit_begin(path, NULL, edit, &err));
    assert_true(file_edit_put(*edit, text, strlen(text), &err));
}

static void somebody_elses_change_is_not_overwritten(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    struct ps_err err;

    (void)state;
    put(path, "old", 0600);
    begin_and_put(path, "ours", &edit);
    put(path, "theirs", 0600);
    assert_false(file_edit_commit(&edit, &err));
    assert_int_equal(err.code, PS_E_BUSY);
    file_edit_freep(&edit);
    check(path, "theirs");
    assert_int_equal(names_in_dir(), 1);
}

static void without_commit_nothing_has_happened(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;

    (void)state;
    put(path, "old", 0600);
    begin_and_put(path, "new", &edit);
    assert_int_equal(names_in_dir(), 2);
    file_edit_freep(&edit);
    check(path, "old");
    assert_int_equal(names_in_dir(), 1);
}

static void a_crash_before_the_commit_leaves_the_old_file(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    int status = 0;

    (void)state;
    put(path, "old", 0600);
    pid_t pid = fork();
    if (pid == 0) {
        struct file_edit *edit = NULL;
        struct ps_err err;

        bool ready = file_edit_begin(path, NULL, &edit, &err) && file_edit_put(edit, "n", 1, &err);
        _exit(ready ? 9 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 9);
    check(path, "old");
    put(path, "later", 0600);       /* what is left beside is in nobody's way */
    check(path, "later");
}

static void an_edit_needs_a_regular_file(void **state)
{
    PS_AUTO(ps_freep) char *missing = in_dir("missing");
    PS_AUTO(ps_freep) char *pipe = in_dir("pipe");
    PS_AUTO(file_edit_freep) struct file_edit *edit = NULL;
    struct ps_err err;

    (void)state;
    assert_false(file_edit_begin(missing, NULL, &edit, &err));
    assert_int_equal(err.code, PS_E_NOT_FOUND);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_false(file_edit_begin(pipe, NULL, &edit, &err));
    assert_int_equal(err.code, PS_E_IO);
    assert_int_equal(names_in_dir(), 1);
}

static void removing_twice_is_fine(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("f");
    struct ps_err err;

    (void)state;
    put(path, "x", 0600);
    assert_true(file_remove(path, &err));
    assert_false(file_exists(path));
    assert_true(file_remove(path, &err));
}

/* ---- folders ---- */

static void a_folder_is_made_with_its_parents_and_mode(void **state)
{
    PS_AUTO(ps_freep) char *deep = in_dir("a/b/c");
    PS_AUTO(ps_freep) char *parent = in_dir("a");
    PS_AUTO(ps_freep) char *file = in_dir("f");
    struct file_attr attr;
    struct ps_err err;
    bool made = false;

    (void)state;
    assert_true(dir_ensure(deep, 0700, &made, &err));
    assert_true(made);
    assert_true(file_attr_read(deep, &attr, &err));
    assert_int_equal(attr.mode, 0700);
    assert_true(file_attr_read(parent, &attr, &err));
    assert_int_equal(attr.mode, 0755);
    assert_true(dir_ensure(deep, 0755, &made, &err));
    assert_false(made);
    assert_true(file_attr_read(deep, &attr, &err));
    assert_int_equal(attr.mode, 0700);
    put(file, "x", 0600);
    assert_false(dir_ensure(file, 0700, &made, &err));
}

static void removing_a_folder_does_not_follow_links(void **state)
{
    PS_AUTO(ps_freep) char *kept = in_dir("kept");
    PS_AUTO(ps_freep) char *sub = in_dir("sub");
    PS_AUTO(ps_freep) char *link = in_dir("sub/link");
    struct ps_err err;

    (void)state;
    assert_true(dir_ensure(sub, 0700, NULL, &err));
    put(kept, "x", 0600);
    assert_int_equal(symlink("../kept", link), 0);
    dir_remove_all(sub);
    assert_false(file_exists(sub));
    check(kept, "x");
}

/* ---- locks ---- */

static void a_second_process_is_told_who_holds_the_lock(void **state)
{
    PS_AUTO(ps_freep) char *path = in_dir("lock");
    PS_AUTO(lock_freep) struct file_lock *lock = NULL;
    PS_AUTO(ps_freep) char *holder = ps_asprintf("Process %ld ", (long)getpid());
    struct ps_err err;
    int status = 0;

    (void)state;
    assert_true(lock_take(path, &lock, &err));
    pid_t pid = fork();
    if (pid == 0) {
        struct file_lock *second = NULL;

        _exit(!lock_take(path, &second, &err) && err.code == PS_E_BUSY && strstr(err.detail, holder)
              ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    lock_free(PS_TAKE(lock));
    assert_true(lock_take(path, &lock, &err));
}

/* ---- names ---- */

static const struct {
    const char *path, *dir, *base;
} names[] = {
    { "/a/b", "/a", "b" }, { "/a", "/", "a" }, { "a", ".", "a" }, { "a/b", "a", "b" },
    { "/", "/", "" }, { "//a", "/", "a" }, { "/a//b", "/a", "b" }, { "", ".", "" },
};

static void paths_are_taken_apart_and_joined(void **state)
{
    (void)state;
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        PS_AUTO(ps_freep) char *folder = path_dir(names[i].path);

        assert_string_equal(folder, names[i].dir);
        assert_string_equal(path_base(names[i].path), names[i].base);
    }
    PS_AUTO(ps_freep) char *joined = path_join("/a/", "b");
    PS_AUTO(ps_freep) char *absolute = path_join("/a", "/b");
    assert_string_equal(joined, "/a/b");
    assert_string_equal(absolute, "/b");
}

static void a_path_becomes_absolute_also_when_nothing_is_there(void **state)
{
    PS_AUTO(ps_freep) char *there = NULL;
    PS_AUTO(ps_freep) char *nothing = NULL;
    struct ps_err err;

    (void)state;
    assert_true(path_absolute(".", &there, &err));
    assert_int_equal(there[0], '/');
    assert_true(path_absolute("no-such-thing", &nothing, &err));
    PS_AUTO(ps_freep) char *want = path_join(there, "no-such-thing");
    assert_string_equal(nothing, want);
}

/* ---- users ---- */

static void root_acts_as_somebody_else_and_returns(void **state)
{
    const struct user other = { .uid = 12345, .gid = 23456, .name = "#12345" };
    struct user_guard guard = { 0 };
    struct ps_err err;

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root can act as somebody else\n");
        skip();
    }
    assert_true(user_become(&other, &guard, &err));
    assert_int_equal(geteuid(), 12345);
    assert_int_equal(getegid(), 23456);
    user_return(&guard);
    assert_int_equal(geteuid(), 0);
    assert_int_equal(getegid(), 0);
}

static void we_are_ourselves_already(void **state)
{
    struct user_guard guard = { 0 };
    struct user me;
    struct ps_err err;

    (void)state;
    user_current(&me);
    assert_int_equal(me.uid, geteuid());
    assert_true(user_become(&me, &guard, &err));
    assert_false(guard.active);
    user_return(&guard);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(reading_tells_missing_big_and_strange_files_apart),
        IN_DIR(an_edit_keeps_owner_and_mode),
        IN_DIR(a_link_is_followed_and_stays),
        IN_DIR(somebody_elses_change_is_not_overwritten),
        IN_DIR(without_commit_nothing_has_happened),
        IN_DIR(a_crash_before_the_commit_leaves_the_old_file),
        IN_DIR(an_edit_needs_a_regular_file),
        IN_DIR(removing_twice_is_fine),
        IN_DIR(a_folder_is_made_with_its_parents_and_mode),
        IN_DIR(removing_a_folder_does_not_follow_links),
        IN_DIR(a_second_process_is_told_who_holds_the_lock),
        cmocka_unit_test(paths_are_taken_apart_and_joined),
        cmocka_unit_test(a_path_becomes_absolute_also_when_nothing_is_there),
        cmocka_unit_test(root_acts_as_somebody_else_and_returns),
        cmocka_unit_test(we_are_ourselves_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
