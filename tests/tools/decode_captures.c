/* SPDX-License-Identifier: MIT */
/* Prints what the decoder says about capture files: one line a frame, a summary a file (-s), or the table of
 * agreement with the labels of a folder (-a DIR; docs/decoder-agreement.md is its output, tests/cli/agreement.sh checks). */
#include <stdio.h>
#include <string.h>

#include "packet/agreement.h"
#include "packet/capfile.h"
#include "packet/decode.h"

struct totals {
	uint64_t frames, undecodable;
	uint64_t protos[64], weak[64], reasons[64];
};

static ptrdiff_t read_file(void *arg, uint8_t *buf, size_t size, struct err *err)
{
	size_t n = fread(buf, 1, size, arg);

	if (n == 0 && ferror(arg))
		return err_errno(err, "reading");
	return (ptrdiff_t)n;
}

static void count(struct totals *t, const struct facts *f)
{
	t->frames++;
	t->undecodable += f->undecodable;
	for (int i = 0; i < 64; i++) {
		t->protos[i] += f->protos >> i & 1;
		t->weak[i] += f->weak >> i & 1;
		t->reasons[i] += f->reasons >> i & 1;
	}
}

static void summary(const char *name, const struct totals *t)
{
	printf("%s\t%llu\t%llu\t", name, (unsigned long long)t->frames,
	       (unsigned long long)t->undecodable);
	for (int i = 0; i < PROTO_COUNT; i++)
		if (t->protos[i])
			printf("%s:%llu%s ", proto_name((enum proto)i),
			       (unsigned long long)t->protos[i],
			       t->weak[i] == t->protos[i] ? "?" : "");
	printf("\t");
	for (int i = 1; i < UND_COUNT; i++)
		if (t->reasons[i])
			printf("%s:%llu ", undecodable_name((enum undecodable)i),
			       (unsigned long long)t->reasons[i]);
	printf("\n");
}

/* Decode a whole file into *t; with `lines` print every frame. */
static int run(const char *path, bool lines, struct totals *t)
{
	FILE *file = fopen(path, "rb");
	struct decoder *d = decoder_new();
	struct capfile_frame fr;
	static struct facts f;
	char line[FACTS_LINE];
	struct err err = { 0 };
	struct capfile *c = file ? capfile_open(read_file, file, &err) : NULL;
	int r = -1;

	while (c && d && (r = capfile_next(c, &fr, &err)) == 1) {
		decode_frame(d, fr.linktype, fr.data, fr.caplen, fr.len, fr.time, &f);
		count(t, &f);
		if (lines)
			printf("%llu %s\n", (unsigned long long)fr.number,
			       facts_describe(&f, line, sizeof(line)));
	}
	if (r < 0)
		(void)fprintf(stderr, "%s: %s\n", path, err.text);
	capfile_close(c);
	decoder_free(d);
	if (file)
		(void)fclose(file);
	return r < 0;
}

/* "name 3, other 1" of the counts that are not zero. */
static void print_counts(const uint64_t n[64], int from, int to, uint64_t without,
			 const char *(*name)(int))
{
	const char *sep = "";

	for (int i = from; i < to; i++) {
		if (n[i] == 0 || without >> i & 1)
			continue;
		printf("%s%s %llu", sep, name(i), (unsigned long long)n[i]);
		sep = ", ";
	}
}

static const char *name_of_proto(int i)
{
	return proto_name((enum proto)i);
}

static const char *name_of_reason(int i)
{
	return undecodable_name((enum undecodable)i);
}

/* Was the note of row `at` printed for an earlier row of the same file? */
static bool is_repeated(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(agreements[i].file, agreements[at].file) == 0 &&
		    strcmp(agreements[i].note, agreements[at].note) == 0)
			return true;
	return false;
}

static void agreement_row(const char *file, const char *label, const struct totals *t)
{
	const char *sep = "";

	printf("| %s | %s | %llu | ", file, label, (unsigned long long)t->frames);
	print_counts(t->protos, 0, PROTO_COUNT, PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
		     name_of_proto);
	printf(" | ");
	print_counts(t->reasons, UND_NONE + 1, UND_COUNT, 0, name_of_reason);
	printf(" | ");
	for (size_t i = 0; i < N_AGREEMENTS; i++)
		if (strcmp(agreements[i].file, file) == 0 && agreements[i].note[0] &&
		    !is_repeated(i)) {
			printf("%s%s", sep, agreements[i].note);
			sep = "; ";
		}
	printf(" |\n");
}

static void agreement_intro(void)
{
	puts("# What the decoder says about captures of others\n\n"
	     "45 capture files of the public test data of nDPI, with the label that nDPI gave them "
	     "(packets `p`, flows `f`), beside what our decoder recognises. This file is what "
	     "`tests/tools/decode_captures.c -a DIR` prints; `tests/unit/test_packet_captures.c` "
	     "holds the "
	     "decoder to these numbers (`LEAKPROOF_CAPTURES=DIR`), and reads every frame cut at "
	     "every "
	     "length besides.\n\n"
	     "A label counts the packets of a flow once it knows what the flow is; we count the "
	     "frames "
	     "whose own bytes (with what was kept of earlier ones) say it. No frame of these files "
	     "is "
	     "undecodable at the link, IP or transport layer; the reasons below are notes and "
	     "damaged "
	     "application messages.\n");
}

static int agreement(const char *dir)
{
	char path[1024], line[1024];
	FILE *labels;
	uint64_t unread = 0;
	int bad = 0;

	(void)snprintf(path, sizeof(path), "%s/LABELS.tsv", dir);
	labels = fopen(path, "r");
	if (!labels) {
		perror(path);
		return 1;
	}
	agreement_intro();
	printf("| file | label | frames | recognised (frames) | reasons | why the two differ |\n"
	       "|---|---|---|---|---|---|\n");
	while (fgets(line, sizeof(line), labels)) {
		char *name = strtok(line, "\t"), *size = strtok(NULL, "\t");
		char *label = strtok(NULL, "\n");
		struct totals t = { 0 };

		if (!size || !label || !strstr(name, ".pcap"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
		bad |= run(path, false, &t);
		unread += t.undecodable;
		agreement_row(name, label, &t);
	}
	(void)fclose(labels);
	if (unread)
		(void)fprintf(stderr,
			      "%llu frames are undecodable: the text above the table is wrong\n",
			      (unsigned long long)unread);
	return bad || unread;
}

int main(int argc, char **argv)
{
	bool lines = argc < 2 || strcmp(argv[1], "-s") != 0;
	int bad = 0;

	if (argc == 3 && strcmp(argv[1], "-a") == 0)
		return agreement(argv[2]);
	for (int i = lines ? 1 : 2; i < argc; i++) {
		const char *base = strrchr(argv[i], '/');
		struct totals t = { 0 };

		bad |= run(argv[i], lines, &t);
		if (!lines)
			summary(base ? base + 1 : argv[i], &t);
	}
	return bad;
}
