/* SPDX-License-Identifier: MIT */
/* pcap and pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng) from a stream of bytes. */
#include "packet/capfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "packet/decode.h"

#define MAGIC_MICRO	 0xa1b2c3d4U
#define MAGIC_NANO	 0xa1b23c4dU
#define MAGIC_MODIFIED	 0xa1b2cd34U /* Kuznetzov's: 8 more bytes in each record header */
#define BLOCK_SHB	 0x0a0d0d0aU
#define BLOCK_IDB	 1U
#define BLOCK_PB	 2U /* obsolete packet block */
#define BLOCK_SPB	 3U
#define BLOCK_ISB	 5U
#define BLOCK_EPB	 6U
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define OPT_END		 0
#define IF_NAME		 2
#define IF_TSRESOL	 9
#define IF_TSOFFSET	 14
#define EPB_FLAGS	 2
#define EPB_DROPCOUNT	 4
#define PB_DROPS_UNKNOWN 0xffff
#define ISB_IFRECV	 4
#define ISB_IFDROP	 5
#define ISB_OSDROP	 7
#define NS_PER_SECOND	 INT64_C(1000000000)

__extension__ typedef __int128 wide; /* seconds of 64 bits, in nanoseconds */

/* Which length stands first in a record. Captured before wire since version 2.3; files that call themselves 2.3
 * have both orders, so that the larger one must be the wire's. */
enum length_order { CAPTURED_FIRST, SMALLER_IS_CAPTURED, WIRE_FIRST };

/* Packets that an interface counted. What was lost since the capture began (statistics blocks, section 4.6 of the draft)
 * and what was lost before each packet (4.3) are the same losses. */
struct tally {
	uint64_t received, lost, lost_between;
};

struct interface {
	uint32_t linktype, snaplen;
	uint8_t tsresol;
	int64_t tsoffset; /* seconds */
	struct tally tally;
	char name[32];
};

struct capfile {
	capfile_read_fn read;
	void *arg;
	uint8_t *buf; /* bytes from `offset` of the file on */
	size_t size, from, to;
	uint64_t offset; /* in the file, of buf[from] */
	bool ended;
	bool pcapng, swapped, nano, modified;
	uint8_t length_order; /* classic: enum length_order */
	uint32_t linktype;    /* classic */
	uint64_t frames;
	int64_t last_time;
	struct capfile_counts counts;
	struct tally undescribed; /* statistics of interfaces that the section does not describe */
	uint32_t n_interfaces, room; /* of the section; places in the array */
	struct interface *interfaces;
};

static uint16_t get16(const struct capfile *c, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return c->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct capfile *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return c->swapped ? __builtin_bswap32(v) : v;
}

static int damaged(const struct capfile *c, struct err *err, const char *what)
{
	return err_set(err, EXIT_USAGE, "capture file: %s at byte %" PRIu64, what, c->offset);
}

static int refill(struct capfile *c, size_t n, const char *what, struct err *err)
{
	while (c->to - c->from < n) {
		ptrdiff_t got;

		if (c->ended) {
			if (c->to == c->from)
				return 0;
			return err_set(err, EXIT_USAGE,
				       "capture file: cut inside %s at byte %" PRIu64, what,
				       c->offset);
		}
		if (c->from) {
			memmove(c->buf, c->buf + c->from, c->to - c->from);
			c->to -= c->from;
			c->from = 0;
		}
		if (n > c->size) {
			uint8_t *more = realloc(c->buf, n);

			if (!more)
				return err_set(err, EXIT_ENVIRONMENT, "capture file: no memory");
			c->buf = more;
			c->size = n;
		}
		got = c->read(c->arg, c->buf + c->to, c->size - c->to, err);
		if (got < 0)
			return -1;
		c->ended = got == 0;
		c->to += (size_t)got;
	}
	return 1;
}

/* Make n bytes available at buf[from]: 1, 0 when the file ends right here (never when some are there already), -1 when it
 * ends inside or on a read error. n is at most CAPFILE_MAX_BLOCK. */
static inline int need(struct capfile *c, size_t n, const char *what, struct err *err)
{
	return c->to - c->from >= n ? 1 : refill(c, n, what, err);
}

static void advance(struct capfile *c, size_t n)
{
	c->from += n;
	c->offset += n;
}

/* ---- Classic ---- */

static bool classic_magic(struct capfile *c, uint32_t magic)
{
	c->nano = magic == MAGIC_NANO;
	c->modified = magic == MAGIC_MODIFIED;
	return c->nano || c->modified || magic == MAGIC_MICRO;
}

/* libpcap's sf-pcap.c: before 2.3 the lengths stood the other way round, and so they do in the files of DG/UX,
 * which call themselves 543.0. */
static int classic_version(struct capfile *c, unsigned major, unsigned minor, struct err *err)
{
	if (major != 2 && !(major == 543 && minor == 0))
		return damaged(c, err, "a version other than 2");
	c->length_order = major == 543 || minor < 3 ? WIRE_FIRST
			  : minor == 3		    ? SMALLER_IS_CAPTURED
						    : CAPTURED_FIRST;
	return 0;
}

static int classic_open(struct capfile *c, struct err *err)
{
	const uint8_t *h;

	if (need(c, 24, "the file header", err) != 1)
		return -1;
	h = c->buf + c->from;
	if (classic_version(c, get16(c, h + 4), get16(c, h + 6), err))
		return -1;
	c->linktype = get32(c, h + 20) &
		      0x03ffffff; /* the upper bits tell of a frame check sequence */
	advance(c, 24);
	return 0;
}

struct record {
	uint32_t seconds, fraction, caplen, len;
};

static size_t record_header(const struct capfile *c)
{
	return c->modified ? 24 : 16;
}

/* The header of the record at buf[from]. */
static struct record record_read(const struct capfile *c)
{
	uint32_t h[4];

	memcpy(h, c->buf + c->from, sizeof(h));
	for (int i = 0; c->swapped && i < 4; i++)
		h[i] = __builtin_bswap32(h[i]);
	if (c->length_order == WIRE_FIRST ||
	    (c->length_order == SMALLER_IS_CAPTURED && h[2] > h[3]))
		return (struct record){ h[0], h[1], h[3], h[2] };
	return (struct record){ h[0], h[1], h[2], h[3] };
}

/* The record at buf[from], where all of it is there. */
static bool classic_buffered(struct capfile *c, struct capfile_frame *f)
{
	size_t header = record_header(c), have = c->to - c->from;
	struct record r;

	if (have < header)
		return false;
	r = record_read(c);
	if (r.caplen > have - header || r.caplen > CAPFILE_MAX_FRAME)
		return false;
	*f = (struct capfile_frame){
		.data = c->buf + c->from + header,
		.caplen = r.caplen,
		.len = r.len,
		.linktype = c->linktype,
		.time = (int64_t)r.seconds * NS_PER_SECOND +
			(int64_t)r.fraction * (c->nano ? 1 : 1000),
		.number = ++c->frames,
		.offset = c->offset,
	};
	advance(c, header + r.caplen);
	return true;
}

/* Have the next record in memory, whole: as need(). */
static int classic_fill(struct capfile *c, struct err *err)
{
	size_t header = record_header(c);
	int rc = need(c, header, "a record header", err);
	uint32_t caplen;

	if (rc != 1)
		return rc;
	caplen = record_read(c).caplen;
	if (caplen > CAPFILE_MAX_FRAME)
		return damaged(c, err, "a record longer than any frame");
	return need(c, header + caplen, "a record", err) == 1 ? 1 : -1;
}

static int classic_batch(struct capfile *c, struct capfile_frame *f, int max, struct err *err)
{
	int n = 0, rc = 1;

	while (rc == 1) {
		while (n < max && classic_buffered(c, &f[n]))
			n++;
		if (n)
			return n;
		rc = classic_fill(c, err);
	}
	return rc;
}

/* ---- pcapng ---- */

struct option {
	uint16_t code, len;
	const uint8_t *value;
};

/* The next option of a list; false at its end, or where the list is damaged (it then counts as ended). */
static bool next_option(const struct capfile *c, const uint8_t **p, size_t *left, struct option *o)
{
	size_t padded;

	if (*left < 4)
		return false;
	o->code = get16(c, *p);
	o->len = get16(c, *p + 2);
	o->value = *p + 4;
	padded = ((size_t)o->len + 3) & ~(size_t)3;
	if (o->code == OPT_END || padded > *left - 4)
		return false;
	*p += 4 + padded;
	*left -= 4 + padded;
	return true;
}

static uint64_t get64(const struct capfile *c, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return c->swapped ? __builtin_bswap64(v) : v;
}

static int interface_room(struct capfile *c, struct err *err)
{
	uint32_t room = c->room ? 2 * c->room : 16;
	struct interface *more;

	if (c->n_interfaces < c->room)
		return 0;
	if (c->n_interfaces == CAPFILE_INTERFACES)
		return damaged(c, err, "too many interfaces");
	more = realloc(c->interfaces, room * sizeof(*more));
	if (!more)
		return err_set(err, EXIT_ENVIRONMENT, "capture file: no memory");
	c->interfaces = more;
	c->room = room;
	return 0;
}

static int interface_block(struct capfile *c, const uint8_t *p, size_t n, struct err *err)
{
	struct interface *i;
	struct option o;

	if (n < 8)
		return damaged(c, err, "an interface block too short");
	if (interface_room(c, err))
		return -1;
	i = &c->interfaces[c->n_interfaces++];
	*i = (struct interface){ .linktype = get16(c, p),
				 .snaplen = get32(c, p + 4),
				 .tsresol = 6 };
	p += 8;
	n -= 8;
	while (next_option(c, &p, &n, &o)) {
		if (o.code == IF_TSRESOL && o.len >= 1)
			i->tsresol = o.value[0];
		else if (o.code == IF_TSOFFSET && o.len >= 8)
			i->tsoffset = (int64_t)get64(c, o.value);
		else if (o.code == IF_NAME)
			memcpy(i->name, o.value,
			       o.len < sizeof(i->name) ? o.len : sizeof(i->name) - 1);
	}
	return 0;
}

/* Ticks of 10^-n, or 2^-n with the high bit set (section 4.2 of the draft), to nanoseconds; what 64 bits cannot
 * hold (beyond the years 1677 and 2262) becomes the end of their range. */
static int64_t ticks_ns(const struct interface *i, uint64_t ticks)
{
	unsigned n = i->tsresol & 0x7f;
	uint64_t unit = 1;
	wide ns;

	if (i->tsresol & 0x80) {
		ns = (wide)ticks * (uint64_t)NS_PER_SECOND;
		ns = n < 64 ? ns >> n : 0;
	} else if (n <= 9) {
		for (; n < 9; n++)
			unit *= 10;
		ns = (wide)ticks * unit;
	} else {
		for (; n > 9 && unit < UINT64_MAX / 10; n--)
			unit *= 10;
		ns = ticks / unit;
	}
	ns += (wide)i->tsoffset * NS_PER_SECOND;
	return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
	return a + min_u64(b, UINT64_MAX - a);
}

/* Let `t` become `now`, and the file's sums with it. No counter goes back. */
static void count(struct capfile *c, struct tally *t, struct tally now)
{
	uint64_t before = max_u64(t->lost, t->lost_between);

	now.received = max_u64(now.received, t->received);
	now.lost = max_u64(now.lost, t->lost);
	c->counts.received = add_up(c->counts.received, now.received - t->received);
	c->counts.dropped = add_up(c->counts.dropped, max_u64(now.lost, now.lost_between) - before);
	*t = now;
}

static void count_lost_before(struct capfile *c, struct tally *t, uint64_t n)
{
	struct tally now = *t;

	if (n == 0)
		return;
	c->counts.present = true;
	now.lost_between = add_up(now.lost_between, n);
	count(c, t, now);
}

/* Options of an enhanced packet block; those of the obsolete one have no count. */
static void packet_options(struct capfile *c, const uint8_t *p, size_t n, bool old,
			   struct capfile_frame *f)
{
	struct option o;

	while (next_option(c, &p, &n, &o))
		if (o.code == EPB_FLAGS && o.len == 4)
			f->direction = (int8_t)(get32(c, o.value) & 3);
		else if (o.code == EPB_DROPCOUNT && o.len == 8 && !old)
			count_lost_before(c, &c->interfaces[f->interface].tally, get64(c, o.value));
}

/* Enhanced packet block, or the obsolete one that has a 16-bit interface number and drop count. */
static int packet_block(struct capfile *c, const uint8_t *p, size_t n, bool old,
			struct capfile_frame *f, struct err *err)
{
	struct interface *i;
	size_t padded;

	if (n < 20)
		return damaged(c, err, "a packet block too short");
	f->interface = old ? get16(c, p) : get32(c, p);
	if (f->interface >= c->n_interfaces)
		return damaged(c, err, "a packet of an interface that was not described");
	i = &c->interfaces[f->interface];
	f->linktype = i->linktype;
	f->time = ticks_ns(i, (uint64_t)get32(c, p + 4) << 32 | get32(c, p + 8));
	f->caplen = get32(c, p + 12);
	f->len = get32(c, p + 16);
	f->data = p + 20;
	if (f->caplen > n - 20)
		return damaged(c, err, "a packet longer than its block");
	if (f->caplen > CAPFILE_MAX_FRAME)
		return damaged(c, err, "a record longer than any frame");
	padded = ((size_t)f->caplen + 3) & ~(size_t)3;
	packet_options(c, p + 20 + padded, n - 20 - padded, old, f); /* n is of whole words too */
	if (old && get16(c, p + 2) != PB_DROPS_UNKNOWN)
		count_lost_before(c, &i->tally, get16(c, p + 2));
	c->last_time = f->time;
	return 1;
}

static int simple_block(struct capfile *c, const uint8_t *p, size_t n, struct capfile_frame *f,
			struct err *err)
{
	uint32_t snaplen;

	if (n < 4)
		return damaged(c, err, "a packet block too short");
	if (c->n_interfaces == 0)
		return damaged(c, err, "a packet of an interface that was not described");
	snaplen = c->interfaces[0].snaplen;
	f->linktype = c->interfaces[0].linktype;
	f->interface = 0;
	f->time = c->last_time;
	f->len = get32(c, p);
	f->caplen = snaplen ? (uint32_t)min_u64(snaplen, f->len) : f->len;
	if (f->caplen > n - 4)
		return damaged(c, err, "a packet longer than its block");
	f->data = p + 4;
	f->direction = 0;
	return 1;
}

/* Several of one interface tell how its counters grew. */
static void statistics_block(struct capfile *c, const uint8_t *p, size_t n)
{
	struct tally *t = &c->undescribed, now;
	struct option o;

	if (n < 12)
		return;
	if (get32(c, p) < c->n_interfaces)
		t = &c->interfaces[get32(c, p)].tally;
	now = (struct tally){ .lost_between = t->lost_between };
	p += 12;
	n -= 12;
	while (next_option(c, &p, &n, &o)) {
		if (o.len != 8 ||
		    (o.code != ISB_IFRECV && o.code != ISB_IFDROP && o.code != ISB_OSDROP))
			continue;
		c->counts.present = true;
		if (o.code == ISB_IFRECV)
			now.received = get64(c, o.value);
		else
			now.lost = add_up(now.lost, get64(c, o.value));
	}
	count(c, t, now);
}

/* A section begins: it has a byte order and interfaces of its own. */
static int section_begin(struct capfile *c, struct err *err)
{
	const uint8_t *h;
	uint32_t magic;
	unsigned minor;

	if (need(c, 16, "a section header", err) != 1)
		return -1;
	h = c->buf + c->from;
	memcpy(&magic, h + 8, 4);
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return damaged(c, err, "a section header without its byte-order magic");
	c->swapped = magic != BYTE_ORDER_MAGIC;
	minor = get16(c, h + 14);
	if (get16(c, h + 12) != 1 || (minor != 0 && minor != 2)) /* 1.2 is read as 1.0 (4.1) */
		return damaged(c, err, "a section of another version than 1.0");
	c->n_interfaces = 0;
	c->undescribed = (struct tally){ 0 };
	return 0;
}

/* Have the whole block at buf[from]: its length, 0 at the end of the file, -1 on damage. */
static int64_t block_whole(struct capfile *c, struct err *err)
{
	uint32_t type, total;
	int r = need(c, 12, "a block", err);

	if (r != 1)
		return r;
	memcpy(&type, c->buf + c->from, 4);
	if (type == BLOCK_SHB && section_begin(c, err))
		return -1;
	total = get32(c, c->buf + c->from + 4);
	if (total < 12 || total % 4 || total > CAPFILE_MAX_BLOCK)
		return damaged(c, err, "a block with a wrong length");
	if (need(c, total, "a block", err) != 1)
		return -1;
	if (get32(c, c->buf + c->from + total - 4) != total)
		return damaged(c, err, "a block whose two lengths differ");
	return total;
}

static int pcapng_next(struct capfile *c, struct capfile_frame *f, struct err *err)
{
	for (;;) {
		int64_t total = block_whole(c, err);
		const uint8_t *p = c->buf + c->from + 8;
		struct capfile_frame got = { .number = c->frames + 1, .offset = c->offset };
		size_t n;
		int r = 0;

		if (total <= 0)
			return (int)total;
		n = (size_t)total - 12;
		switch (get32(c, p - 8)) {
		case BLOCK_IDB:
			r = interface_block(c, p, n, err);
			break;
		case BLOCK_PB:
			r = packet_block(c, p, n, true, &got, err);
			break;
		case BLOCK_EPB:
			r = packet_block(c, p, n, false, &got, err);
			break;
		case BLOCK_SPB:
			r = simple_block(c, p, n, &got, err);
			break;
		case BLOCK_ISB:
			statistics_block(c, p, n);
			break;
		default: /* names, decryption secrets, custom blocks, and what will be invented */
			break;
		}
		if (r < 0)
			return -1;
		advance(c, (size_t)total);
		if (r == 1) {
			c->frames++;
			*f = got;
			return 1;
		}
	}
}

/* ---- Both ---- */

/* What people have instead of a capture, by its first four bytes. */
static const char *other_format(uint32_t begins)
{
	switch (begins) {
	case 0x28b52ffd:
		return "; it is compressed: unpack it with zstd -d";
	case 0xfd377a58:
		return "; it is compressed: unpack it with xz -d";
	case 0x04224d18:
		return "; it is compressed: unpack it with lz4 -d";
	case 0x504b0304:
		return "; it is a zip archive: unpack it";
	case 0x736e6f6f: /* RFC 1761 */
		return "; it is a snoop file: editcap -F pcap converts it";
	default:
		return begins >> 8 == 0x425a68 ? "; it is compressed: unpack it with bzip2 -d" : "";
	}
}

static int file_header(struct capfile *c, struct err *err)
{
	uint32_t magic;
	int r = need(c, 4, "the file header", err);

	if (r != 1)
		return r < 0 ? -1 : err_set(err, EXIT_USAGE, "capture file: empty");
	memcpy(&magic, c->buf + c->from, 4);
	if (magic == BLOCK_SHB) {
		c->pcapng = true;
		return section_begin(c, err);
	}
	if (!classic_magic(c, magic)) {
		c->swapped = true;
		if (!classic_magic(c, __builtin_bswap32(magic)))
			return err_set(err, EXIT_USAGE,
				       "capture file: neither pcap nor pcapng (begins with %08x)%s",
				       __builtin_bswap32(magic),
				       other_format(__builtin_bswap32(magic)));
	}
	return classic_open(c, err);
}

struct capfile *capfile_open(capfile_read_fn read, void *arg, struct err *err)
{
	struct capfile *c = calloc(1, sizeof(*c));

	if (!c || !(c->buf = malloc(CAPFILE_BUFFER))) {
		free(c);
		err_set(err, EXIT_ENVIRONMENT, "capture file: no memory");
		return NULL;
	}
	c->size = CAPFILE_BUFFER;
	c->read = read;
	c->arg = arg;
	if (file_header(c, err)) {
		capfile_close(c);
		return NULL;
	}
	return c;
}

void capfile_close(struct capfile *c)
{
	if (!c)
		return;
	free(c->buf);
	free(c->interfaces);
	free(c);
}

int capfile_batch(struct capfile *c, struct capfile_frame *f, int max, struct err *err)
{
	return c->pcapng ? pcapng_next(c, f, err) : classic_batch(c, f, max, err);
}

int capfile_next(struct capfile *c, struct capfile_frame *f, struct err *err)
{
	return capfile_batch(c, f, 1, err);
}

const struct capfile_counts *capfile_counts(const struct capfile *c)
{
	return &c->counts;
}

bool capfile_is_pcapng(const struct capfile *c)
{
	return c->pcapng;
}

int capfile_interface(const struct capfile *c, uint32_t n, uint32_t *linktype, const char **name)
{
	if (!c->pcapng) {
		if (n)
			return -1;
		*linktype = c->linktype;
		*name = "";
		return 0;
	}
	if (n >= c->n_interfaces)
		return -1;
	*linktype = c->interfaces[n].linktype;
	*name = c->interfaces[n].name;
	return 0;
}
