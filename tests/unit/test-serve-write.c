// SPDX-License-Identifier: GPL-2.0-or-later
/* The files that serve writes: whole or not at all, whatever the file system says. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../src/serve-write.h"

static char folder[] = "/tmp/xensplit-XXXXXX";
static char path[60], new_path[70];

/* What the next calls do. */
static struct {
	int write_errno, write_at_most, write_interrupted;
	int close_errno, fcntl_errno;
} fault;

ssize_t __real_write(int fd, const void *text, size_t len);
ssize_t __wrap_write(int fd, const void *text, size_t len);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fcntl(int fd, int cmd, void *arg);
int __wrap_fcntl(int fd, int cmd, void *arg);

static int fails(int err)
{
	errno = err;
	return err;
}

ssize_t __wrap_write(int fd, const void *text, size_t len)
{
	if (fault.write_interrupted) {
		fault.write_interrupted--;
		fails(EINTR);
		return -1;
	}
	if (fault.write_at_most && len > (size_t)fault.write_at_most)
		return __real_write(fd, text, (size_t)fault.write_at_most);
	return fails(fault.write_errno) ? -1 : __real_write(fd, text, len);
}

/* Like that of NFS, which says so late that the disk is full. */
int __wrap_close(int fd)
{
	__real_close(fd);
	return fails(fault.close_errno) ? -1 : 0;
}

int __wrap_fcntl(int fd, int cmd, void *arg)
{
	return fails(fault.fcntl_errno) ? -1 : __real_fcntl(fd, cmd, arg);
}

static int start(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/state", folder);
	snprintf(new_path, sizeof(new_path), "%s.new", path);
	return 0;
}

static int stop(void **state)
{
	char *lock = lock_path(path);

	(void)state;
	unlink(path);
	unlink(lock);
	free(lock);
	return rmdir(folder);
}

static int reset(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	return write_whole(path, "old");
}

static void assert_content(const char *expected)
{
	char text[100] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
	assert_int_equal(access(new_path, F_OK), -1);
}

static void the_last_line_ends(void **state)
{
	(void)state;
	assert_int_equal(write_whole(path, "one\ntwo"), 0);
	assert_content("one\ntwo\n");
	assert_int_equal(write_whole(path, "one\n"), 0);
	assert_content("one\n");
	assert_int_equal(write_whole(path, ""), 0);
	assert_content("\n");
}

static void in_parts_and_interrupted(void **state)
{
	(void)state;
	fault.write_at_most = 3;
	fault.write_interrupted = 2;
	assert_int_equal(write_whole(path, "one two three"), 0);
	assert_content("one two three\n");
}

static void a_full_disk_leaves_the_old_lines(void **state)
{
	(void)state;
	fault.write_errno = ENOSPC;
	assert_int_equal(write_whole(path, "new"), -ENOSPC);
	assert_content("old\n");
	fault.write_at_most = 1; /* the first byte fits */
	assert_int_equal(write_whole(path, "ne"), -ENOSPC);
	assert_content("old\n");
}

static void so_does_one_that_says_so_late(void **state)
{
	(void)state;
	fault.close_errno = EDQUOT;
	assert_int_equal(write_whole(path, "new"), -EDQUOT);
	assert_content("old\n");
	fault.write_errno = ENOSPC; /* the first error counts */
	assert_int_equal(write_whole(path, "new"), -ENOSPC);
}

static void a_folder_is_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(write_whole(path, "new"), -EISDIR);
	assert_int_equal(access(new_path, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
}

static void without_its_folder(void **state)
{
	(void)state;
	assert_int_equal(write_whole("/tmp/xensplit-none/state", "new"), -ENOENT);
	assert_int_equal(lock_take("/tmp/xensplit-none/state"), -ENOENT);
	assert_int_equal(lock_is_taken("/tmp/xensplit-none/state"), 0);
}

static int next_descriptor(void)
{
	int fd = dup(STDIN_FILENO);

	__real_close(fd);
	return fd;
}

/* File systems differ in what they answer to a lock that another process has. */
static void a_lock_that_cannot_be_taken(void **state)
{
	int unused = next_descriptor() + 1;

	(void)state;
	fault.fcntl_errno = EAGAIN;
	assert_int_equal(lock_take(path), -EAGAIN);
	fault.fcntl_errno = EACCES;
	assert_int_equal(lock_take(path), -EAGAIN);
	fault.fcntl_errno = ENOLCK;
	assert_int_equal(lock_take(path), -ENOLCK);
	assert_int_equal(lock_is_taken(path), -ENOLCK);
	fault.fcntl_errno = 0;
	assert_int_equal(lock_is_taken(path), 0);
	assert_int_equal(lock_take(path), 0);
	assert_int_equal(lock_is_taken(path), 1);
	assert_int_equal(lock_take(path), -EAGAIN);
	assert_int_equal(next_descriptor(), unused); /* only the lock has one */
}

/* Whoever may write to the folder could make root write elsewhere. */
static void links_are_not_followed(void **state)
{
	char *lock = lock_path(path), other[80];

	(void)state;
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(symlink(other, new_path), 0);
	assert_int_equal(write_whole(path, "new"), -ELOOP);
	unlink(new_path);
	unlink(lock);
	assert_int_equal(symlink(other, lock), 0);
	assert_int_equal(lock_take(path), -ELOOP);
	assert_int_equal(access(other, F_OK), -1);
	unlink(lock);
	free(lock);
}

static void what_a_crash_has_left_is_replaced(void **state)
{
	(void)state;
	assert_int_equal(write_whole(new_path, "half of something long"), 0);
	assert_int_equal(write_whole(path, "new"), 0);
	assert_content("new\n");
}

/* Who can open the lock could keep serve from it. */
static void the_lock_is_for_root(void **state)
{
	char *lock = lock_path(path);
	mode_t mask = umask(0);
	struct stat st;

	(void)state;
	assert_int_equal(lock_take(path), 0);
	umask(mask);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(lock);
	free(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_line_ends, reset),
		cmocka_unit_test_setup(in_parts_and_interrupted, reset),
		cmocka_unit_test_setup(a_full_disk_leaves_the_old_lines, reset),
		cmocka_unit_test_setup(so_does_one_that_says_so_late, reset),
		cmocka_unit_test_setup(a_folder_is_in_the_way, reset),
		cmocka_unit_test_setup(without_its_folder, reset),
		cmocka_unit_test_setup(links_are_not_followed, reset),
		cmocka_unit_test_setup(what_a_crash_has_left_is_replaced, reset),
		cmocka_unit_test_setup(the_lock_is_for_root, reset),
		cmocka_unit_test_setup(a_lock_that_cannot_be_taken, reset),
	};

	return cmocka_run_group_tests_name("unit/serve-write", tests, start, stop);
}
