// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/myecho0: what is written to an open file can be read from it, and not from
 * others. A file that is duplicated is the same file.
 *
 * Nothing here waits for a connection: what is written while there is none is sent
 * when there is one.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "front.h"

static int file_open(struct inode *inode, struct file *filep)
{
	/* misc_open() sets it, and holds off misc_deregister(). */
	struct front *front = container_of(filep->private_data, struct front, misc);
	struct front_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	kref_get(&front->kref);
	file->front = front;
	mutex_init(&file->reading);
	INIT_LIST_HEAD(&file->chunks);
	filep->private_data = file;
	return stream_open(inode, filep);
}

/* What is under way is left to the ring. */
static int file_release(struct inode *inode, struct file *filep)
{
	struct front_file *file = filep->private_data;
	struct front *front = file->front;
	struct chunk *chunk, *next;

	spin_lock_irq(&front->lock);
	list_for_each_entry_safe(chunk, next, &file->chunks, entry)
	{
		list_del_init(&chunk->entry);
		list_del_init(&chunk->waiting);
		chunk->file = NULL;
		if (chunk->state != CHUNK_SENT)
			chunk_free(chunk);
	}
	spin_unlock_irq(&front->lock);
	kfree(file);
	front_put(front);
	return 0;
}

/* ---- write */

/* Caller holds the lock. */
static int may_write(struct front_file *file)
{
	if (file->front->gone)
		return -ENODEV;
	if (file->front->broken)
		return -EIO;
	return file->count < FILE_CHUNKS ? 0 : -EAGAIN;
}

static bool write_would_not_wait(struct front_file *file)
{
	int err;

	spin_lock_irq(&file->front->lock);
	err = may_write(file);
	spin_unlock_irq(&file->front->lock);
	return err != -EAGAIN;
}

/* Takes a place in the file for one more chunk. */
static int reserve(struct front_file *file, bool nonblock)
{
	struct front *front = file->front;
	int err;

	for (;;) {
		spin_lock_irq(&front->lock);
		err = may_write(file);
		if (!err)
			file->count++;
		spin_unlock_irq(&front->lock);
		if (err != -EAGAIN || nonblock)
			return err;
		if (wait_event_interruptible(front->wait, write_would_not_wait(file)))
			return -ERESTARTSYS;
	}
}

static int write_one(struct front_file *file, const char __user *data, size_t length)
{
	struct front *front = file->front;
	struct chunk *chunk = chunk_new(file, data, length);

	spin_lock_irq(&front->lock);
	if (IS_ERR(chunk)) {
		file->count--;
	} else {
		list_add_tail(&chunk->entry, &file->chunks);
		list_add_tail(&chunk->waiting, &front->waiting);
		if (front->broken)
			chunk_done(chunk, -EIO);
		front_pump(front);
	}
	spin_unlock_irq(&front->lock);
	return PTR_ERR_OR_ZERO(chunk);
}

static ssize_t file_write(struct file *filep, const char __user *data, size_t length,
			  loff_t *pos)
{
	struct front_file *file = filep->private_data;
	size_t done = 0, size;
	int err = 0;

	while (done < length) {
		err = reserve(file, filep->f_flags & O_NONBLOCK);
		if (err)
			break;
		size = min_t(size_t, length - done, MYECHO_DATA_SIZE);
		err = write_one(file, data + done, size);
		if (err)
			break;
		done += size;
	}
	return done ? (ssize_t)done : err;
}

/* ---- read */

/*
 * The first chunk if it is done, else why there is none. Only a reader removes a
 * chunk from its file, so that it may use this one without the lock.
 */
static struct chunk *first_done(struct front_file *file)
{
	struct front *front = file->front;
	struct chunk *chunk;

	spin_lock_irq(&front->lock);
	chunk = list_first_entry_or_null(&file->chunks, struct chunk, entry);
	if (!chunk || chunk->state != CHUNK_DONE)
		chunk = ERR_PTR(front->gone ? -ENODEV : -EAGAIN);
	spin_unlock_irq(&front->lock);
	return chunk;
}

static void remove_first(struct front_file *file, struct chunk *chunk)
{
	struct front *front = file->front;

	spin_lock_irq(&front->lock);
	list_del_init(&chunk->entry);
	file->count--;
	spin_unlock_irq(&front->lock);
	chunk_free(chunk);
	wake_up_interruptible_all(&front->wait);
}

/* Returns how much, or the error that came in place of the data. */
static ssize_t read_one(struct front_file *file, struct chunk *chunk, char __user *data,
			size_t length)
{
	ssize_t size = chunk->err;

	if (!size) {
		size = min_t(size_t, length, chunk->length - chunk->pos);
		if (copy_to_user(data, page_address(chunk->in) + chunk->pos, size))
			return -EFAULT;
		chunk->pos += size;
		if (chunk->pos < chunk->length)
			return size;
	}
	remove_first(file, chunk);
	return size;
}

/* As much as there is; waits only if there is nothing. */
static ssize_t read_some(struct front_file *file, char __user *data, size_t length,
			 bool nonblock)
{
	struct chunk *chunk;
	size_t done = 0;
	ssize_t size;

	while (done < length) {
		chunk = first_done(file);
		if (IS_ERR(chunk)) {
			if (done)
				break;
			if (PTR_ERR(chunk) != -EAGAIN || nonblock)
				return PTR_ERR(chunk);
			if (wait_event_interruptible(file->front->wait,
						     first_done(file) !=
							     ERR_PTR(-EAGAIN)))
				return -ERESTARTSYS;
			continue;
		}
		/* An error is for a read of its own. */
		if (chunk->err && done)
			break;
		size = read_one(file, chunk, data + done, length - done);
		if (size < 0)
			return done ? (ssize_t)done : size;
		done += size;
	}
	return done;
}

static ssize_t file_read(struct file *filep, char __user *data, size_t length,
			 loff_t *pos)
{
	struct front_file *file = filep->private_data;
	bool nonblock = filep->f_flags & O_NONBLOCK;
	ssize_t ret;

	if (nonblock && !mutex_trylock(&file->reading))
		return -EAGAIN;
	if (!nonblock && mutex_lock_interruptible(&file->reading))
		return -ERESTARTSYS;
	ret = read_some(file, data, length, nonblock);
	mutex_unlock(&file->reading);
	return ret;
}

/* ---- the rest */

static __poll_t file_poll(struct file *filep, poll_table *wait)
{
	struct front_file *file = filep->private_data;
	struct front *front = file->front;
	struct chunk *chunk;
	__poll_t events = 0;

	poll_wait(filep, &front->wait, wait);
	spin_lock_irq(&front->lock);
	chunk = list_first_entry_or_null(&file->chunks, struct chunk, entry);
	if (chunk && chunk->state == CHUNK_DONE)
		events |= EPOLLIN | EPOLLRDNORM;
	if (may_write(file) == 0)
		events |= EPOLLOUT | EPOLLWRNORM;
	if (front->broken)
		events |= EPOLLERR;
	if (front->gone)
		events |= EPOLLHUP;
	spin_unlock_irq(&front->lock);
	return events;
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.poll = file_poll,
};

/* Once: the device file stays while the backend is away. */
int front_register(struct front *front)
{
	int err;

	if (front->registered)
		return 0;
	front->misc.minor = MISC_DYNAMIC_MINOR;
	front->misc.fops = &file_ops;
	front->misc.parent = &front->dev->dev;
	err = misc_register(&front->misc);
	front->registered = !err;
	return err;
}

/* Open files remain, and get ENODEV. */
void front_unregister(struct front *front)
{
	if (front->registered)
		misc_deregister(&front->misc);
	spin_lock_irq(&front->lock);
	front->gone = true;
	spin_unlock_irq(&front->lock);
	wake_up_interruptible_all(&front->wait);
}
