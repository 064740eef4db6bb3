// SPDX-License-Identifier: MIT
/* The file that the lab's seeder offers: pseudo-random, the same on every machine, made once into the cache. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "host/host_internal.h"

#define SEED_NAME  "leakproof-lab.bin"
#define PIECE	   ((size_t)256 << 10)
#define PIECES	   ((size_t)800) /* 200 MiB */
#define ANNOUNCE   "http://198.51.100.132:6969/announce"
#define SHA1_LEN   20
#define SHA256_LEN 32

struct seed {
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *whole;
	FILE *file;
	unsigned char hashes[PIECES * SHA1_LEN];
	char sha256[2 * SHA256_LEN + 1], info_hash[2 * SHA1_LEN + 1];
};

static void put_hex(char *hex, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

/* AES-128 in counter mode over zeros under a fixed key: a fast generator whose output does not compress. */
static int make_piece(struct seed *s, size_t i, struct err *err)
{
	static unsigned char zero[PIECE], data[PIECE];
	unsigned char *hash = s->hashes + i * SHA1_LEN;
	int len = 0;

	if (EVP_EncryptUpdate(s->cipher, data, &len, zero, (int)PIECE) != 1 ||
	    EVP_DigestUpdate(s->whole, data, PIECE) != 1 ||
	    EVP_Digest(data, PIECE, hash, NULL, EVP_sha1(), NULL) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "libcrypto cannot make the seeder's file");
	if (fwrite(data, 1, PIECE, s->file) != PIECE)
		return err_errno(err, "the seeder's file");
	return 0;
}

static int make_file(struct seed *s, const char *path, struct err *err)
{
	static const unsigned char key[16] = "leakproof lab 01", iv[16];
	unsigned char digest[SHA256_LEN];

	s->file = fopen(path, "we");
	if (!s->file)
		return err_errno(err, "%s", path);
	if (EVP_EncryptInit_ex(s->cipher, EVP_aes_128_ctr(), NULL, key, iv) != 1 ||
	    EVP_DigestInit_ex(s->whole, EVP_sha256(), NULL) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "libcrypto cannot make the seeder's file");
	for (size_t i = 0; i < PIECES; i++)
		if (make_piece(s, i, err) < 0)
			return -1;
	if (fflush(s->file) != 0)
		return err_errno(err, "%s", path);
	if (EVP_DigestFinal_ex(s->whole, digest, NULL) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "libcrypto cannot make the seeder's file");
	put_hex(s->sha256, digest, SHA256_LEN);
	return 0;
}

/* The info dictionary, whose SHA-1 is the info hash. */
static int make_info(struct seed *s, char **info, size_t *len, struct err *err)
{
	unsigned char hash[SHA1_LEN];
	FILE *f = open_memstream(info, len);

	if (!f)
		return err_errno(err, "memory");
	(void)fprintf(f,
		      "d6:lengthi%zue4:name%zu:%s12:piece lengthi%zue6:pieces%zu:", PIECE * PIECES,
		      strlen(SEED_NAME), SEED_NAME, PIECE, sizeof(s->hashes));
	(void)fwrite(s->hashes, 1, sizeof(s->hashes), f);
	(void)fputc('e', f);
	if (fclose(f) != 0)
		return err_errno(err, "memory");
	if (EVP_Digest(*info, *len, hash, NULL, EVP_sha1(), NULL) != 1)
		return err_set(err, EXIT_ENVIRONMENT, "libcrypto has no SHA-1");
	put_hex(s->info_hash, hash, SHA1_LEN);
	return 0;
}

/* BEP 3: keys in order; no date in it, so that the info hash is the same everywhere. */
static int make_torrent(struct seed *s, const char *path, struct err *err)
{
	_cleanup_free_ char *info = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	size_t len = 0;

	if (make_info(s, &info, &len, err) < 0)
		return -1;
	f = fopen(path, "we");
	if (!f)
		return err_errno(err, "%s", path);
	(void)fprintf(f, "d8:announce%zu:%s4:info", strlen(ANNOUNCE), ANNOUNCE);
	(void)fwrite(info, 1, len, f);
	(void)fputc('e', f);
	return fflush(f) != 0 || ferror(f) ? err_errno(err, "%s", path) : 0;
}

/* Debian's opentracker serves only torrents of its list: one info hash a line. */
static int make_all(struct seed *s, const char *dir, struct err *err)
{
	_cleanup_free_ char *file = str_fmt("%s/" SEED_NAME, dir);
	_cleanup_free_ char *torrent = str_fmt("%s/lab.torrent", dir);
	_cleanup_free_ char *facts = str_fmt("%s/facts.json", dir);
	_cleanup_free_ char *list = str_fmt("%s/whitelist", dir);
	_cleanup_json_ json_t *j = NULL;
	_cleanup_free_ char *text = NULL, *line = NULL;

	if (fs_mkdir_p(dir, 0755, err) < 0 || make_file(s, file, err) < 0 ||
	    make_torrent(s, torrent, err) < 0)
		return -1;
	j = json_pack("{s:s,s:s,s:s,s:I}", "name", SEED_NAME, "sha256", s->sha256, "info_hash",
		      s->info_hash, "size", (json_int_t)(PIECE * PIECES));
	text = json_dumps(j, JSON_INDENT(2));
	line = str_fmt("%s\n", s->info_hash);
	if (!text)
		return err_set(err, EXIT_ENVIRONMENT, "%s: cannot be encoded", facts);
	if (fs_write(list, line, strlen(line), 0644, err) < 0)
		return -1;
	return fs_write(facts, text, strlen(text), 0644, err);
}

static int build(const char *dir, struct err *err)
{
	_cleanup_free_ char *tmp = str_fmt("%s.%d.building", dir, (int)getpid());
	struct seed *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_errno(err, "memory");
	s->cipher = EVP_CIPHER_CTX_new();
	s->whole = EVP_MD_CTX_new();
	rc = s->cipher && s->whole ? make_all(s, tmp, err)
				   : err_set(err, EXIT_ENVIRONMENT, "libcrypto: no memory");
	EVP_CIPHER_CTX_free(s->cipher);
	EVP_MD_CTX_free(s->whole);
	if (s->file)
		(void)fclose(s->file);
	free(s);
	/* Where another process was faster its directory is as good as ours. */
	if (rc == 0 && rename(tmp, dir) < 0 && !fs_exists(dir))
		rc = err_errno(err, "%s", dir);
	(void)fs_remove_tree(tmp, NULL);
	return rc;
}

int lab_seed_make(struct host *h, void (*progress)(void *, const char *), void *arg,
		  struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/seed-2", fs_cache_dir());
	_cleanup_free_ char *path = str_fmt("%s/facts.json", dir);
	_cleanup_free_ char *torrent = str_fmt("%s/lab.torrent", dir);
	_cleanup_json_ json_t *facts = NULL;
	json_error_t why;

	if (!fs_exists(dir)) {
		if (progress)
			progress(arg, "making the seeder's file");
		if (build(dir, err) < 0)
			return -1;
	}
	facts = json_load_file(path, 0, &why);
	if (!facts)
		return err_set(err, EXIT_ENVIRONMENT, "%s: %s", path, why.text);
	(void)json_object_set_new(facts, "file", json_string(torrent));
	(void)json_object_set_new(h->state, "seed_dir", json_string(dir));
	(void)json_object_set(h->state, "torrent", facts);
	return 0;
}
