/* SPDX-License-Identifier: MIT */
/* Writes nanosecond pcap files and checks every write: a full disk is an error, at once. */
#include "capture/pcap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fs.h"

#define BUFFER	   ((size_t)256 << 10)
#define MAGIC_NSEC UINT32_C(0xa1b23c4d) /* pcap-savefile(5) */

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* linux/fs.h, since 6.14 */
#endif

struct pcap_file {
	int fd;
	char *path;
	uint8_t *buf;
	size_t used;
	uint64_t pending; /* packets in buf */
	uint64_t packets; /* packets on the file */
	off_t end;	  /* of the file */
	off_t good;	  /* end of the last whole record on the file */
	int flags;	  /* of pwritev2(2) for what fills its pages */
	int failed;	  /* errno of the write that failed */
};

struct record_head {
	uint32_t sec, nsec, caplen, len;
};

static int report(const struct pcap_file *f, struct err *err)
{
	errno = f->failed;
	return err_errno(err, "writing %s", f->path);
}

/* What fills its pages need not stay in memory: a soak would push everything else out, and at a gigabyte a second it is fresh
 * pages that the tap waits for. The page that the next bytes go to stays, else it would have to be read again. */
static ssize_t write_some(const struct pcap_file *f, const uint8_t *p, size_t n)
{
	size_t rest = (size_t)(f->end + (off_t)n) % (size_t)sysconf(_SC_PAGESIZE);
	struct iovec v = { (void *)(uintptr_t)p, n > rest ? n - rest : n };

	return pwritev2(f->fd, &v, 1, -1, n > rest ? f->flags : 0);
}

static int write_all(struct pcap_file *f, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write_some(f, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EOPNOTSUPP && f->flags) { /* an older kernel, or tmpfs */
			f->flags = 0;
			continue;
		}
		if (w <= 0) {
			f->failed = w < 0 ? errno : ENOSPC;
			return -1;
		}
		f->end += w;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int pcap_file_flush(struct pcap_file *f, struct err *err)
{
	if (f->failed)
		return report(f, err);
	if (f->used == 0)
		return 0;
	if (write_all(f, f->buf, f->used) < 0)
		return report(f, err);
	f->good += (off_t)f->used;
	f->packets += f->pending;
	f->used = 0;
	f->pending = 0;
	return 0;
}

struct pcap_file *pcap_file_create(const char *path, uint32_t linktype, uint32_t snaplen,
				   struct err *err)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, sigfigs, snaplen, linktype;
	} head = { MAGIC_NSEC, 2, 4, 0, 0, snaplen, linktype };
	struct pcap_file *f = calloc(1, sizeof(*f));

	if (!f || !(f->buf = malloc(BUFFER))) {
		free(f);
		(void)err_errno(err, "buffer for %s", path);
		return NULL;
	}
	f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	f->flags = RWF_DONTCACHE;
	f->path = str_fmt("%s", path);
	memcpy(f->buf, &head, sizeof(head));
	f->used = sizeof(head);
	if (f->fd < 0)
		(void)err_errno(err, "%s", path);
	if (f->fd < 0 || pcap_file_flush(f, err) < 0) {
		(void)pcap_file_close(f, NULL);
		return NULL;
	}
	return f;
}

int pcap_file_add(struct pcap_file *f, int64_t sec, uint32_t nsec, const uint8_t *data,
		  uint32_t caplen, uint32_t len, struct err *err)
{
	const struct record_head h = { (uint32_t)sec, nsec, caplen, len };
	size_t need = sizeof(h) + caplen;

	if (f->failed)
		return report(f, err);
	if (f->used + need > BUFFER && pcap_file_flush(f, err) < 0)
		return -1;
	if (need <= BUFFER) {
		memcpy(f->buf + f->used, &h, sizeof(h));
		memcpy(f->buf + f->used + sizeof(h), data, caplen);
		f->used += need;
		f->pending++;
		return 0;
	}
	if (write_all(f, (const uint8_t *)&h, sizeof(h)) < 0 || write_all(f, data, caplen) < 0)
		return report(f, err);
	f->good += (off_t)need;
	f->packets++;
	return 0;
}

uint64_t pcap_file_packets(const struct pcap_file *f)
{
	return f->packets;
}

int pcap_file_close(struct pcap_file *f, struct err *err)
{
	int rc = 0;

	if (!f)
		return 0;
	if (f->fd >= 0) {
		rc = pcap_file_flush(f, err);
		if (rc < 0 && ftruncate(f->fd, f->good) < 0)
			(void)err_wrap(err, "a broken last record stays");
		if (rc == 0 && fsync(f->fd) < 0)
			rc = err_errno(err, "syncing %s", f->path);
		if (close(f->fd) < 0 && rc == 0)
			rc = err_errno(err, "closing %s", f->path);
	}
	free(f->path);
	free(f->buf);
	free(f);
	return rc;
}
