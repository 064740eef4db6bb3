// SPDX-License-Identifier: MIT
/* The limit of the benchmark: read a file in pieces of 256 KiB and search each for the forms of the addresses, with no
 * thought of packets; `-r` only reads.
 * usage: floor [-r] FILE ADDRESS... */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "packet/capfile.h"
#include "packet/identity.h"

#define HITS (1 << 20)

static uint8_t buffer[CAPFILE_BUFFER];
static struct identity_hit hits[HITS];

int main(int argc, char **argv)
{
	bool only_read = argc > 1 && strcmp(argv[1], "-r") == 0;
	int first = only_read ? 2 : 1;
	struct ipaddr addrs[IDENTITY_ADDRESSES];
	size_t n = 0, found = 0;
	struct identity *s;
	ssize_t got;
	int fd;

	if (argc < first + 1)
		return 2;
	for (int i = first + 1; i < argc && n < IDENTITY_ADDRESSES; i++)
		if (!ipaddr_parse(argv[i], &addrs[n++]))
			return 2;
	s = n ? identity_new(addrs, n) : NULL;
	fd = open(argv[first], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (!only_read && !s)) {
		perror(argv[first]);
		return 3;
	}
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		if (!only_read)
			found += identity_search(s, buffer, (size_t)got, hits, HITS);
	printf("%zu\n", found);
	identity_free(s);
	return got < 0 ? 3 : 0;
}
