// SPDX-License-Identifier: MIT
/* What lies on disk for a lab: the upper layers of its nodes, configuration, keys, Docker's data. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define KEY_LEN	 32
#define KEY_TEXT 48 /* base64 of 32 bytes is 44, and a NUL */

struct keys {
	char private[KEY_TEXT], public[KEY_TEXT];
};

/* A WireGuard key pair is an X25519 key pair in base64 (wg(8)). */
static int make_keys(struct keys *k, struct err *err)
{
	unsigned char private[KEY_LEN], public[KEY_LEN];
	size_t private_len = KEY_LEN, public_len = KEY_LEN;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	bool ok = key && EVP_PKEY_get_raw_private_key(key, private, &private_len) == 1 &&
		  EVP_PKEY_get_raw_public_key(key, public, &public_len) == 1;

	EVP_PKEY_free(key);
	if (!ok)
		return err_set(err, EXIT_ENVIRONMENT, "libcrypto cannot make a WireGuard key");
	/* Clamped as `wg genkey` does (RFC 7748, section 5); the public key is the same. */
	private[0] &= 248;
	private[31] = (unsigned char)((private[31] & 127) | 64);
	(void)EVP_EncodeBlock((unsigned char *)k->private, private, KEY_LEN);
	(void)EVP_EncodeBlock((unsigned char *)k->public, public, KEY_LEN);
	return 0;
}

static int put(const char *dir, const char *name, const char *text, mode_t mode, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/%s", dir, name);

	return fs_write(path, text, strlen(text), mode, err);
}

static int write_keys(struct host *h, struct err *err)
{
	_cleanup_free_ char *etc = lab_path(h, "vpn/upper" LAB_ETC);
	_cleanup_free_ char *client_key = str_fmt("%s/vpn-client.key", h->state_dir);
	_cleanup_free_ char *server_conf = NULL, *client_text = NULL;
	struct keys server, client;

	if (make_keys(&server, err) < 0 || make_keys(&client, err) < 0)
		return -1;
	server_conf = str_fmt("[Interface]\nPrivateKey = %s\nListenPort = 51820\n\n"
			      "[Peer]\nPublicKey = %s\nAllowedIPs = 10.64.0.2/32\n",
			      server.private, client.public);
	client_text = str_fmt("%s\n", client.private);
	(void)json_object_set_new(h->state, "vpn_server_key", json_string(server.public));
	(void)json_object_set_new(h->state, "vpn_client_key_file", json_string(client_key));
	if (put(etc, "wg0.conf", server_conf, 0600, err) < 0)
		return -1;
	return fs_write(client_key, client_text, strlen(client_text), 0600, err);
}

/* stack/lab/NODE/NAME to the node's /etc/lab. */
static int copy_config(struct host *h, const char *home, const char *node, const char *name,
		       struct err *err)
{
	_cleanup_free_ char *source = str_fmt("%s/stack/lab/%s/%s", home, node, name);
	_cleanup_free_ char *etc = lab_path(h, "%s/upper" LAB_ETC, node);
	_cleanup_free_ char *text = fs_read(source, STATE_MAX, NULL, err);

	return text ? put(etc, name, text, 0644, err) : -1;
}

static int copy_configs(struct host *h, const char *home, struct err *err)
{
	static const char *const files[][2] = {
		{ "vpn", "vpn.nft" },	       { "vpn", "wg0.ip" },
		{ "internet", "dns.conf" },    { "internet", "http.conf" },
		{ "internet", "sink.nft" },    { "internet", "tracker.conf" },
		{ "internet", "seeder.conf" }, { "host", "stub.conf" },
		{ "host", "containerd.toml" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (copy_config(h, home, files[i][0], files[i][1], err) < 0)
			return -1;
	return 0;
}

static int make_node_dirs(struct host *h, const char *node, struct err *err)
{
	static const char *const dirs[] = { "upper/etc/lab", "work", "root" };
	_cleanup_free_ char *etc = lab_path(h, "%s/upper/etc", node);
	_cleanup_free_ char *hosts = str_fmt("127.0.0.1 localhost %s\n::1 localhost %s\n", node,
					     node);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		_cleanup_free_ char *dir = lab_path(h, "%s/%s", node, dirs[i]);

		if (fs_mkdir_p(dir, 0755, err) < 0)
			return -1;
	}
	return put(etc, "hosts", hosts, 0644, err);
}

/* The only resolver of the virtual host is the stub on loopback. */
static int write_resolv(struct host *h, struct err *err)
{
	_cleanup_free_ char *etc = lab_path(h, "host/upper/etc");
	static const char text[] = "nameserver 127.0.0.53\noptions edns0\n";

	return put(etc, "resolv.conf", text, 0644, err);
}

int lab_disk_prepare(struct host *h, const char *home, struct err *err)
{
	_cleanup_free_ char *docker = lab_path(h, "docker");
	_cleanup_free_ char *containerd = lab_path(h, "containerd");
	_cleanup_free_ char *log = lab_path(h, "log");
	_cleanup_free_ char *undo = str_fmt("%s/undo", h->state_dir);

	for (int i = 0; i < N_NODES; i++)
		if (make_node_dirs(h, lab_node_name((enum node_index)i), err) < 0)
			return -1;
	if (fs_mkdir_p(log, 0755, err) < 0 || fs_mkdir_p(containerd, 0711, err) < 0 ||
	    fs_mkdir_p(undo, 0700, err) < 0 || write_resolv(h, err) < 0 ||
	    copy_configs(h, home, err) < 0 || write_keys(h, err) < 0)
		return -1;
	if (*lab_str(h, "graph"))
		return lab_graph_install(lab_str(h, "graph"), docker, err);
	return fs_mkdir_p(docker, 0710, err);
}
