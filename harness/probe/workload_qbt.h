/* SPDX-License-Identifier: MIT */
/* The qBittorrent download, driven through its Web API v2 from inside the container's namespace. */
#ifndef PROBE_WORKLOAD_QBT_H
#define PROBE_WORKLOAD_QBT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct qbt_access {
	int netns_fd;		     /* of the container; -1 = the caller's */
	const char *url;	     /* NULL = "http://127.0.0.1:8080" */
	const char *user, *password; /* NULL = not asked for on 127.0.0.1 */
};

struct qbt_status {
	bool found;    /* the torrent is known to qBittorrent */
	char hash[65]; /* info hash, hexadecimal */
	char name[256];
	char state[32];	 /* qBittorrent's word: "downloading", "stalledDL", "uploading", ... */
	double progress; /* 0..1 */
	int64_t size, completed;  /* bytes */
	int64_t dlspeed, upspeed; /* bytes a second, as qBittorrent says */
	int seeds, leeches;	  /* connected */
	bool complete;		  /* every piece is there and none is being checked */
};

/* Version text such as "v4.5.2"; also the check that the API answers. Caller frees. */
char *workload_qbt_version(const struct qbt_access *a, struct err *err);

/* Add a .torrent file (path on this machine). save_path is a path of the container, NULL = default. */
int workload_qbt_add(const struct qbt_access *a, const char *torrent_path, const char *save_path,
		     struct err *err);

/* State of the torrent of that name or hash; NULL = the only or first one. No torrent is no error. */
int workload_qbt_status(const struct qbt_access *a, const char *which, struct qbt_status *out,
			struct err *err);

/* Have every piece hashed again; returns when the check has begun (at most 2 s). Then poll
 * workload_qbt_status() until .state no longer begins with "checking", and look at .complete. */
int workload_qbt_recheck(const struct qbt_access *a, const char *hash, struct err *err);

/* Remove a torrent, with its files when asked. */
int workload_qbt_delete(const struct qbt_access *a, const char *hash, bool files, struct err *err);

#endif
