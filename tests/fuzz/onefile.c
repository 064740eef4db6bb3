/* SPDX-License-Identifier: MIT */
/* Turns a fuzz target into an ordinary program: every file given is run once, so that corpora are regression
 * tests with any compiler. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long n;

	if (!f) {
		perror(path);
		return 1;
	}
	if (fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
		perror(path);
		(void)fclose(f);
		return 1;
	}
	data = malloc(n ? (size_t)n : 1); /* exact, for the sanitizer */
	if (!data || fread(data, 1, (size_t)n, f) != (size_t)n) {
		perror(path);
		(void)fclose(f);
		return 1;
	}
	(void)fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++)
		bad |= run(argv[i]);
	printf("%d inputs\n", argc - 1);
	return bad;
}
