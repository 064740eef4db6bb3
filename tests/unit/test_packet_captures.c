/* SPDX-License-Identifier: MIT */
/* Captures of others, in the folder that LEAKPROOF_CAPTURES names: no crash, no frame without a named reason,
 * and the protocols that rules need. Skipped where there is no such folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/cleanup.h"
#include "packet/agreement.h"
#include "packet/capfile.h"
#include "packet/frames.h"
#include "packet/with_decoder.h"

static struct facts facts;

static ptrdiff_t read_file(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	size_t n = fread(buf, 1, size, arg);

	if (n == 0 && ferror(arg))
		return err_errno(err, "reading");
	return (ptrdiff_t)n;
}

static const char *folder(void)
{
	return getenv("LEAKPROOF_CAPTURES");
}

/* Call `each` for all frames of one file. */
static void for_frames(const char *dir, const char *name, void *arg,
		       void (*each)(void *arg, const struct capfile_frame *fr))
{
	char path[1024];
	struct capfile_frame fr;
	_cleanup_fclose_ FILE *f = NULL;
	struct err err = { 0 };
	struct capfile *c;
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be opened", path);
	c = capfile_open(read_file, f, &err);
	if (!c)
		fail_msg("%s: %s", name, err.text);
	while ((r = capfile_next(c, &fr, &err)) == 1)
		each(arg, &fr);
	if (r < 0)
		fail_msg("%s: %s", name, err.text);
	capfile_close(c);
}

struct counting {
	struct decoder *d;
	enum proto proto;
	unsigned frames;
};

static void count_frame(void *arg, const struct capfile_frame *fr)
{
	struct counting *c = arg;

	decode_frame(c->d, fr->linktype, fr->data, fr->caplen, fr->len, fr->time, &facts);
	c->frames += facts_has(&facts, c->proto);
}

static void labels_are_recognised(void **state)
{
	const char *dir = folder();

	for (size_t i = 0; i < N_AGREEMENTS; i++) {
		const struct agreement *a = &agreements[i];
		struct counting c = { .d = *state, .proto = a->proto };

		decoder_reset(c.d);
		for_frames(dir, a->file, &c, count_frame);
		if (c.frames != a->frames)
			fail_msg("%s: %u frames of %s, not %u", a->file, c.frames,
				 proto_name(a->proto), a->frames);
	}
}

static void cut_frame(void *arg, const struct capfile_frame *fr)
{
	uint64_t no_ip = PROTO_BIT(PROTO_ARP) | PROTO_BIT(PROTO_LINK_CONTROL);
	uint32_t step = fr->caplen > 400 ? 7 : 1;

	for (uint32_t n = 0; n <= fr->caplen; n += step) {
		decode_frame(arg, fr->linktype, exact(fr->data, n), n, n & 1 ? n : fr->len,
			     fr->time, &facts);
		if (facts.n_layers == 0 && facts.reason == UND_NONE && !(facts.protos & no_ip))
			fail_msg("a frame without layers and without a reason");
	}
}

static int is_capture(const struct dirent *e)
{
	return strstr(e->d_name, ".pcap") != NULL;
}

static void every_frame_is_safe_at_every_length(void **state)
{
	const char *dir = folder();
	struct dirent **list;
	int n = scandir(dir, &list, is_capture, alphasort);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		decoder_reset(*state);
		for_frames(dir, list[i]->d_name, *state, cut_frame);
		for_frames(dir, list[i]->d_name, NULL, cut_frame);
		free(list[i]);
	}
	free(list);
}

struct sni_wanted {
	struct decoder *d;
	const char *name;
	bool found;
};

static void look_for_sni(void *arg, const struct capfile_frame *fr)
{
	struct sni_wanted *s = arg;

	decode_frame(s->d, fr->linktype, fr->data, fr->caplen, fr->len, fr->time, &facts);
	s->found |= facts_has(&facts, PROTO_TLS_HELLO) && facts.tls.has_sni &&
		    strcmp(facts.tls.sni, s->name) == 0;
}

static void names_in_quic_hellos_are_found(void **state)
{
	static const char *const rows[][2] = {
		{ "quic-23.pcap", "quic.aiortc.org" },
		{ "quic-29.pcap", "localhost" },
	};
	const char *dir = folder();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sni_wanted s = { *state, rows[i][1], false };

		decoder_reset(s.d);
		for_frames(dir, rows[i][0], &s, look_for_sni);
		assert_true(s.found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_recognised),
		cmocka_unit_test(every_frame_is_safe_at_every_length),
		cmocka_unit_test(names_in_quic_hellos_are_found),
	};

	if (!folder()) {
		puts("LEAKPROOF_CAPTURES names no folder of captures");
		return 77;
	}
	return cmocka_run_group_tests_name("packet_captures", tests, decoder_setup,
					   decoder_teardown);
}
