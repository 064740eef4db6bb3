/* SPDX-License-Identifier: MIT */
/* What a tap writes is what a reader finds: records of every size, on file systems that keep pages and that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "base/cleanup.h"
#include "capture/pcap_file.h"
#include "unit/scratch.h"

#define ROUNDS 700
#define LONG   262144 /* with its head longer than the buffer of the writer */
#define EPOCH  1767225600

/* Around a page and the buffer, and what flushes leave in the middle of a page. */
static uint32_t size_of(int i)
{
	return i % 100 == 99 ? LONG : i % 50 == 49 ? 4080 : (uint32_t)(i * 37 % 1500);
}

static const uint8_t *bytes_of(int i)
{
	static uint8_t b[LONG];

	for (size_t k = 0; k < LONG; k++)
		b[k] = (uint8_t)(k * 7 + (unsigned)i);
	return b;
}

static void write_records(const char *path)
{
	struct err err = { 0 };
	struct pcap_file *f = pcap_file_create(path, DLT_EN10MB, LONG, &err);

	assert_non_null(f);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t n = size_of(i);

		assert_int_equal(
			pcap_file_add(f, EPOCH + i, (uint32_t)i, bytes_of(i), n, n + 1, &err), 0);
		if (i % 7 == 0)
			assert_int_equal(pcap_file_flush(f, &err), 0);
	}
	assert_int_equal(pcap_file_flush(f, &err), 0);
	assert_int_equal(pcap_file_packets(f), ROUNDS);
	assert_int_equal(pcap_file_close(f, &err), 0);
}

static void read_records(const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_pkthdr *h;
	const u_char *data;

	assert_non_null(p);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(pcap_next_ex(p, &h, &data), 1);
		assert_int_equal(h->ts.tv_sec, EPOCH + i);
		assert_int_equal(h->ts.tv_usec, i);
		assert_int_equal(h->len, size_of(i) + 1);
		assert_int_equal(h->caplen, size_of(i));
		assert_memory_equal(data, bytes_of(i), h->caplen);
	}
	assert_int_equal(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(p);
}

static void test_on_a_disk(void **state)
{
	_cleanup_free_ char *path = str_fmt("%s/a.pcap", dir);

	(void)state;
	write_records(path);
	read_records(path);
}

/* Memory is no disk: it refuses what a file system may be asked. */
static void test_in_memory(void **state)
{
	int fd = memfd_create("pcap", MFD_CLOEXEC);
	_cleanup_free_ char *path = str_fmt("/proc/self/fd/%d", fd);

	(void)state;
	assert_true(fd >= 0);
	write_records(path);
	read_records(path);
	(void)close(fd);
}

static void test_a_disk_that_takes_nothing(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(pcap_file_create("/dev/full", DLT_EN10MB, LONG, &err));
	assert_non_null(strstr(err.text, "/dev/full: No space left on device"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_a_disk),
		cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_a_disk_that_takes_nothing),
	};

	return cmocka_run_group_tests_name("capture_pcap_file", tests, make_dir, drop_dir);
}
