// SPDX-License-Identifier: MIT
/* Captures of any origin: which file is of which tap, what their forms are worth, and when nothing can be concluded.
 * The files are written by capture_writer.h into a folder that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/analysis.h"
#include "golden/cases.h"
#include "packet/decode.h"
#include "unit/capture_writer.h"

/* A home server: one service behind NAT, a tap outside and one on its network. */
#define HOME_HEAD                                                                               \
	"real: [203.0.113.10]\n"                                                                \
	"tunnels: [{kind: wireguard, proto: udp, endpoint: 198.51.100.2, port: 51820}]\n"       \
	"networks: [{name: vpn, bridge: br-vpn0, prefix: 172.30.0.0/24}]\n"                     \
	"services: [{name: qbittorrent, role: protected, legs: [{addr: 172.30.0.130, network: " \
	"vpn}]}]\n"                                                                             \
	"allow:\n"                                                                              \
	"- {who: host, proto: udp, peer: any, port: 123, direction: both, shape: ntp, reason: " \
	"clock}\n"                                                                              \
	"- {who: host, proto: tcp, peer: any, port: 443, direction: out, shape: tls, reason: "  \
	"updates}\n"
#define HOME_TAPS                                                                            \
	"taps:\n"                                                                            \
	"- {name: uplink, role: uplink, interface: eth0, mac: 02:00:00:00:00:10, peer-mac: " \
	"02:00:00:00:00:01, file: up.pcap}\n"                                                \
	"- {name: br-vpn, role: bridge, interface: br-vpn0, file: br.pcap}\n"                \
	"- {name: exit, role: exit, interface: wg0, file: exit.pcap}\n"
#define HOME_POLICY HOME_HEAD HOME_TAPS

static char *dir;

static char *path_in(const char *name)
{
	return str_fmt("%s/%s", dir, name);
}

/* Store the first n bytes of a file and drop it. */
static void store_cut(struct cw *w, const char *name, size_t n)
{
	_cleanup_free_ char *path = path_in(name);

	(void)fclose(w->f);
	assert_int_equal(fs_write(path, w->buf->mem, n < w->buf->len ? n : w->buf->len, 0644, NULL),
			 0);
	cw_free(w);
}

static void store(struct cw *w, const char *name)
{
	store_cut(w, name, SIZE_MAX);
}

/* ---- frames ---- */

static struct bytes wireguard(void)
{
	return out(ip(REAL, VPN, P_UDP, udp(41000, 51820, wg_data(64, 5))));
}

static struct bytes ntp(void)
{
	return out(ip(REAL, "198.51.100.9", P_UDP,
		      udp(123, 123, cat(hex("23 00 06 20"), fill(0, 44)))));
}

/* The same packet on the bridge and, translated, on the uplink. */
static struct bytes tried(uint16_t id)
{
	return app(
		ip4o(QBT, SINK, P_UDP, (struct ip_fields){ .id = id }, udp(40001, 9, fill(3, 90))));
}

static struct bytes left(uint16_t id)
{
	return out(ip4o(REAL, SINK, P_UDP, (struct ip_fields){ .id = id, .ttl = 63 },
			udp(61001, 9, fill(3, 90))));
}

/* ---- judging ---- */

static struct policy *policy_of(const char *text)
{
	struct policy *p = NULL;
	struct err err = { 0 };
	struct diag d = { 0 };

	if (policy_parse("t", text, strlen(text), &p, &d, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

/* Words are file names in the folder, "TAP=NAME" or "NAME"; NULL ends them. NULL result: *err. */
static struct result *try_analysis(const char *policy, const char *const *words, struct err *err)
{
	struct policy *p = policy_of(policy);
	struct captures *c = captures_new();
	char *files[8] = { NULL };
	struct analysis_opts o = { .files = (const char *const *)files, .policy = "t.yaml" };
	struct result *r = NULL;

	for (; words[o.n_files]; o.n_files++) {
		const char *word = words[o.n_files], *equals = strchr(word, '=');

		files[o.n_files] = equals ? str_fmt("%.*s=%s/%s", (int)(equals - word), word, dir,
						    equals + 1)
					  : path_in(word);
	}
	if (analysis_open(c, p, &o, err) == 0)
		r = analysis_judge(c, p, &o, err);
	for (size_t i = 0; i < o.n_files; i++)
		free(files[i]);
	captures_free(c);
	policy_free(p);
	return r;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct result *analyze(const char *policy, const char *const *words)
{
	struct err err = { 0 };
	struct result *r = try_analysis(policy, words, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static void check(struct result *r, enum verdict v, const char *says)
{
	if (r->verdict != v || !strstr(r->sentence, says))
		fail_msg("%s: %s (\"%s\" was wanted)", verdict_name(r->verdict), r->sentence, says);
	assert_true(result_is_analysis(r));
	assert_int_equal(r->n_scenarios, 1);
	assert_int_equal(r->scenarios[0].verdict, v);
}

static void expect(const char *policy, const char *const *words, enum verdict v, const char *says)
{
	struct result *r = analyze(policy, words);

	check(r, v, says);
	result_free(r);
}

static void refuse(const char *policy, const char *const *words, int status, const char *says)
{
	struct err err = { 0 };

	assert_null(try_analysis(policy, words, &err));
	if (err.status != status || !strstr(err.text, says))
		fail_msg("%d: %s", err.status, err.text);
}

static const struct result_tap *tap_of(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->scenarios[0].n_taps; i++)
		if (strcmp(r->scenarios[0].taps[i].name, name) == 0)
			return &r->scenarios[0].taps[i];
	fail_msg("no tap %s", name);
	return NULL;
}

static const char *told(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_environment; i++)
		if (strcmp(r->environment[i].name, name) == 0)
			return r->environment[i].value;
	return "";
}

/* up.pcap: a tunnel at work, and what else the arguments say; br.pcap: what the service tried. */
static void store_home(bool leak, bool ntp_too)
{
	struct cw up = cw_memory(), br = cw_memory();

	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_pcap(&br, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	if (ntp_too)
		cw_frame(&up, 5, ntp());
	cw_frame(&br, 100, tried(777));
	if (leak)
		cw_frame(&up, 145, left(777));
	cw_frame(&up, 2000, wireguard());
	store(&up, "up.pcap");
	store(&br, "br.pcap");
}

/* ---- what comes out ---- */

static void test_a_leak_is_told_whole(void **state)
{
	const struct result_finding *f;
	struct result *r;

	(void)state;
	store_home(true, true);
	r = analyze(HOME_POLICY, WORDS("up.pcap", "br.pcap"));
	check(r, VERDICT_LEAK, "1 of 5 packets left outside the tunnel");
	f = &r->scenarios[0].findings[0];
	assert_string_equal(f->rule, "cleartext-outside-tunnel");
	assert_string_equal(f->severity, "critical");
	assert_string_equal(f->tap, "uplink");
	assert_string_equal(f->service, "qbittorrent");
	assert_string_equal(f->attribution, "bridge-match");
	assert_true(f->confidence > 0.9);
	assert_true(f->time == CW_START + 145 * NS_PER_US);
	assert_int_equal(f->frame, 3);
	assert_non_null(strstr(f->packet, "203.0.113.10:61001 > 198.51.100.134:9 udp"));
	assert_true(*f->advice && *f->sentence);
	assert_int_equal(r->scenarios[0].rules[0].findings, 1);
	assert_int_equal(tap_of(r, "uplink")->packets, 4);
	assert_int_equal(tap_of(r, "uplink")->tunnel, 2);
	assert_int_equal(tap_of(r, "uplink")->leaked, 1);
	assert_int_equal(tap_of(r, "uplink")->allowed, 1);
	assert_int_equal(tap_of(r, "br-vpn")->attempts, 1);
	assert_true(r->begin == CW_START && r->end == CW_START + 2000 * NS_PER_US);
	assert_string_equal(told(r, "policy"), "t.yaml");
	assert_string_equal(told(r, "protected"), "qbittorrent");
	assert_non_null(strstr(told(r, "capture"), "up.pcap: pcap, 4 packets; it does not say"));
	result_free(r);
}

static void test_coverage_names_what_was_never_used(void **state)
{
	const struct result_scenario *s;
	struct result *r;

	(void)state;
	store_home(false, true);
	r = analyze(HOME_POLICY, WORDS("up.pcap", "br.pcap"));
	check(r, VERDICT_PASS, "No packet left outside the tunnel, of 4");
	s = &r->scenarios[0];
	assert_int_equal(s->n_allowances, 2);
	assert_string_equal(s->allowances[0].name, "clock");
	assert_string_equal(s->allowances[0].who, "host");
	assert_string_equal(s->allowances[0].what, "udp, port 123, any address, both ways, ntp");
	assert_int_equal(s->allowances[0].packets, 1);
	assert_int_equal(s->allowances[0].bytes, 90);
	assert_string_equal(s->allowances[1].name, "updates");
	assert_int_equal(s->allowances[1].packets, 0);
	assert_int_equal(s->blocked,
			 0); /* the tunnel was at work in the same moment: it may have taken it */
	result_free(r);
}

static void test_the_result_goes_through_its_json(void **state)
{
	_cleanup_json_ json_t *a = NULL;
	_cleanup_json_ json_t *b = NULL;
	struct result *r, *back;

	(void)state;
	store_home(true, false);
	r = analyze(HOME_POLICY, WORDS("up.pcap", "br.pcap"));
	a = result_to_json(r);
	back = result_from_json(a, NULL);
	assert_non_null(back);
	b = result_to_json(back);
	assert_true(json_equal(a, b));
	result_free(back);
	result_free(r);
}

/* A rule that speaks late must not drown in the packets of one that spoke early. */
static void test_every_rule_has_its_place_in_the_list(void **state)
{
	struct cw up = cw_memory();
	struct result *r;
	size_t dns = 0;

	(void)state;
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	for (int i = 0; i < 500; i++)
		cw_frame(&up, 10 + i, left((uint16_t)i));
	cw_frame(&up, 9000,
		 out(ip(REAL, SINK, P_UDP, udp(4000, 53, dns_query(1, "late.example")))));
	store(&up, "up.pcap");
	r = analyze("closed-world: true\n" HOME_POLICY, WORDS("up.pcap"));
	assert_int_equal(r->scenarios[0].findings_total, 502);
	assert_true(r->scenarios[0].n_findings <= RESULT_FINDINGS_MAX);
	for (size_t i = 0; i < r->scenarios[0].n_findings; i++)
		dns += strcmp(r->scenarios[0].findings[i].rule, "plaintext-dns") == 0;
	assert_int_equal(dns, 1);
	result_free(r);
}

/* ---- forms of files ---- */

static void test_every_form_gives_the_same_answer(void **state)
{
	static const struct {
		bool nano, big, ng, gzip;
	} forms[] = { { .nano = true },
		      { .nano = false },
		      { .nano = true, .big = true },
		      { .big = true },
		      { .ng = true },
		      { .ng = true, .big = true },
		      { .ng = true, .nano = true },
		      { .nano = true, .gzip = true },
		      { .ng = true, .gzip = true } };

	(void)state;
	store_home(true, false);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint8_t resolution = forms[i].nano ? 9 : 6;
		struct cw w = cw_memory();
		struct result *r;

		if (forms[i].ng) {
			cw_section(&w, forms[i].big);
			cw_interface(&w, LINK_ETHERNET, "eth0", resolution);
			cw_packet(&w, 0, resolution, 0, wireguard());
			cw_packet(&w, 0, resolution, 145, left(777));
		} else {
			cw_pcap(&w, forms[i].nano, forms[i].big, LINK_ETHERNET);
			cw_frame(&w, 0, wireguard());
			cw_frame(&w, 145, left(777));
		}
		if (forms[i].gzip) {
			_cleanup_free_ char *path = path_in("form");
			gzFile z = gzopen(path, "wb");

			(void)fclose(w.f);
			assert_int_equal(gzwrite(z, w.buf->mem, (unsigned)w.buf->len),
					 (int)w.buf->len);
			assert_int_equal(gzclose(z), Z_OK);
			cw_free(&w);
		} else {
			store(&w, "form");
		}
		r = analyze(HOME_POLICY, WORDS("uplink=form", "br.pcap"));
		check(r, VERDICT_LEAK, "1 of 3 packets");
		assert_true(r->scenarios[0].findings[0].time == CW_START + 145 * NS_PER_US);
		assert_int_equal(r->scenarios[0].findings[0].frame, 2);
		assert_non_null(strstr(told(r, "capture"), forms[i].ng ? "pcapng" : "pcap"));
		assert_int_equal(strstr(told(r, "capture"), "gzip") != NULL, forms[i].gzip);
		result_free(r);
	}
}

/* One file of several interfaces: Ethernet outside and inside, raw IP in the tunnel. */
static void store_many(const char *third)
{
	struct cw w = cw_memory();

	cw_section(&w, false);
	cw_interface(&w, LINK_ETHERNET, "eth0", 9);
	cw_interface(&w, LINK_ETHERNET, "br-vpn0", 6);
	cw_interface(&w, LINK_RAW, third, 9);
	cw_packet(&w, 0, 9, 0, wireguard());
	cw_packet(&w, 1, 6, 100, tried(777));
	cw_packet(&w, 0, 9, 145, left(777));
	cw_packet(&w, 2, 9, 300, ip(TUN, SINK, P_UDP, udp(40001, 9, text("ip=203.0.113.10&"))));
	store(&w, "many.pcapng");
}

static void test_interfaces_find_their_taps(void **state)
{
	struct result *r;

	(void)state;
	store_many("wg0");
	r = analyze(HOME_POLICY, WORDS("many.pcapng"));
	check(r, VERDICT_LEAK, "2 of 4 packets");
	assert_int_equal(tap_of(r, "uplink")->packets, 2);
	assert_int_equal(tap_of(r, "br-vpn")->packets, 1);
	assert_int_equal(tap_of(r, "exit")->packets, 1);
	assert_string_equal(r->scenarios[0].findings[0].attribution, "bridge-match");
	assert_int_equal(r->scenarios[0].findings[0].frame, 3);
	result_free(r);
}

static void test_a_strange_interface_is_left_out_and_said(void **state)
{
	struct result *r;

	(void)state;
	store_many("wlan0");
	r = analyze(HOME_POLICY, WORDS("many.pcapng"));
	check(r, VERDICT_LEAK, "1 of 3 packets");
	assert_non_null(strstr(told(r, "capture"), "3 packets, 1 of no tap"));
	result_free(r);
}

static void test_what_was_left_out_may_have_been_a_leak(void **state)
{
	struct cw w = cw_memory();

	(void)state;
	cw_section(&w, false);
	cw_interface(&w, LINK_ETHERNET, "eth0", 9);
	cw_interface(&w, LINK_ETHERNET, "br-vpn0", 9);
	cw_interface(&w, LINK_ETHERNET, "wlan0", 9);
	cw_packet(&w, 0, 9, 0, wireguard());
	cw_packet(&w, 1, 9, 100, tried(777));
	cw_packet(&w, 2, 9, 145, left(777));
	store(&w, "many.pcapng");
	expect(HOME_POLICY, WORDS("many.pcapng"), VERDICT_INCONCLUSIVE,
	       "1 packets of interface wlan0 in ");
}

static void test_one_tap_takes_a_file_of_another_name(void **state)
{
	struct cw w = cw_memory();
	struct result *r;

	(void)state;
	cw_section(&w, false);
	cw_interface(&w, LINK_ETHERNET, "enp3s0", 9);
	cw_packet(&w, 0, 9, 0, wireguard());
	store(&w, "one.pcapng");
	r = analyze(HOME_HEAD "taps: [{name: up, role: uplink, interface: eth0}]\n",
		    WORDS("one.pcapng"));
	check(r, VERDICT_PASS, "of 1 that were judged");
	result_free(r);
	/* several taps, none of its name: no guess */
	refuse(HOME_POLICY, WORDS("one.pcapng"), EXIT_USAGE, "of which tap is it? Say TAP=");
}

/* A resolution and a time that overflow 64 bits of nanoseconds. */
static void test_stamps_out_of_this_world(void **state)
{
	struct cw w = cw_memory();
	struct result *r;

	(void)state;
	cw_section(&w, false);
	cw_interface(&w, LINK_ETHERNET, "eth0", 0);
	cw_interface(&w, LINK_ETHERNET, "eth0", 9);
	cw_packet(&w, 0, 9, 0, left(1));
	cw_packet(&w, 1, 9, -CW_START / 1000, wireguard());
	cw_packet(&w, 1, 9, 0, left(2));
	store(&w, "odd.pcapng");
	r = analyze("closed-world: true\n" HOME_POLICY, WORDS("uplink=odd.pcapng"));
	check(r, VERDICT_LEAK, "2 of 3 packets");
	assert_true(r->begin >= 0 && r->end >= r->begin);
	result_free(r);
}

static void test_interfaces_in_one_tap_are_told(void **state)
{
	struct result *r;

	(void)state;
	store_many("wg0");
	r = analyze("real: [203.0.113.10]\n", WORDS("many.pcapng"));
	assert_non_null(strstr(tap_of(r, "capture")->note,
			       "interfaces eth0 and br-vpn0 are judged as one"));
	result_free(r);
}

static void test_a_second_file_of_a_tap_has_its_own_numbers(void **state)
{
	struct cw a = cw_memory(), b = cw_memory();
	struct result *r;

	(void)state;
	cw_pcap(&a, true, false, LINK_ETHERNET);
	cw_frame(&a, 0, wireguard());
	cw_frame(&a, 10, wireguard());
	store(&a, "one.pcap");
	cw_pcap(&b, true, false, LINK_ETHERNET);
	cw_frame(&b, 5000, left(1));
	store(&b, "two.pcap");
	r = analyze("closed-world: true\n" HOME_POLICY,
		    WORDS("uplink=one.pcap", "uplink=two.pcap"));
	check(r, VERDICT_LEAK, "1 of 3 packets");
	assert_string_equal(r->scenarios[0].findings[0].tap, "uplink-2");
	assert_int_equal(r->scenarios[0].findings[0].frame, 1);
	assert_non_null(strstr(tap_of(r, "uplink-2")->file, "two.pcap"));
	result_free(r);
}

static void test_words_of_a_command_line(void **state)
{
	struct result *r;

	(void)state;
	store_home(true, false);
	/* without taps, a role */
	r = analyze(HOME_HEAD, WORDS("uplink=up.pcap", "bridge=br.pcap"));
	check(r, VERDICT_LEAK, "1 of 4 packets");
	assert_string_equal(r->scenarios[0].findings[0].tap, "uplink");
	result_free(r);
	refuse(HOME_HEAD, WORDS("side=up.pcap"), EXIT_USAGE,
	       "`side=`: no role of a tap is called so, only uplink, isp");
	refuse(HOME_POLICY, WORDS("uplnik=up.pcap"), EXIT_USAGE,
	       "no tap of the policy is called so, only uplink, br-vpn, exit");
	refuse(HOME_POLICY, WORDS("none.pcap"), EXIT_USAGE, "No such file");
	refuse(HOME_POLICY, WORDS("uplink="), EXIT_USAGE, "a folder, no capture file");
}

/* ---- nothing can be concluded ---- */

/* Cut at every byte, a capture that passes whole is inconclusive, but where the cut falls between two records. */
static void test_no_cut_passes(void **state)
{
	static const bool forms[] = { false, true };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		size_t passed = 0, whole;

		for (size_t n = 0;; n++) {
			struct cw w = cw_memory();
			struct err err = { 0 };
			struct result *r;

			if (forms[k]) {
				cw_section(&w, false);
				cw_interface(&w, LINK_ETHERNET, "eth0", 9);
				cw_packet(&w, 0, 9, 0, wireguard());
				cw_packet(&w, 0, 9, 100, wireguard());
			} else {
				cw_pcap(&w, true, false, LINK_ETHERNET);
				cw_frame(&w, 0, wireguard());
				cw_frame(&w, 100, wireguard());
			}
			(void)fflush(w.f);
			whole = w.buf->len;
			store_cut(&w, "cut.pcap", n);
			r = try_analysis(HOME_POLICY, WORDS("uplink=cut.pcap"), &err);
			if (!r)
				assert_int_equal(err.status, EXIT_USAGE);
			else if (r->verdict == VERDICT_PASS)
				passed++;
			else
				assert_int_equal(r->verdict, VERDICT_INCONCLUSIVE);
			result_free(r);
			if (n == whole)
				break;
		}
		assert_int_equal(passed, 2);
	}
}

static void test_a_leak_before_the_cut_stays_one(void **state)
{
	struct cw w = cw_memory();
	struct result *r;

	(void)state;
	cw_pcap(&w, true, false, LINK_ETHERNET);
	cw_frame(&w, 0, left(1));
	cw_frame(&w, 10, wireguard());
	store_cut(&w, "cut.pcap", 24 + 16 + left(1).n + 30);
	r = analyze("closed-world: true\n" HOME_POLICY, WORDS("uplink=cut.pcap"));
	check(r, VERDICT_LEAK, "Besides, not everything could be judged: ");
	assert_non_null(strstr(r->sentence, "cut inside a record at byte 172"));
	assert_false(tap_of(r, "uplink")->reconciled);
	assert_non_null(strstr(tap_of(r, "uplink")->note, "cut inside a record"));
	result_free(r);
}

static void test_silence_is_no_pass(void **state)
{
	struct cw none = cw_memory(), other = cw_memory(), inbound = cw_memory();
	struct cw strange = cw_memory();

	(void)state;
	cw_pcap(&none, true, false, LINK_ETHERNET);
	store(&none, "none.pcap");
	expect(HOME_POLICY, WORDS("uplink=none.pcap"), VERDICT_INCONCLUSIVE, "no packet to judge");

	cw_pcap(&other, true, false, LINK_ETHERNET);
	cw_frame(&other, 0,
		 eth("020000000077", M_ROUTER, 0x0800,
		     ip("192.0.2.7", "192.0.2.8", P_UDP, udp(1, 2, fill(1, 9)))));
	store(&other, "other.pcap");
	expect(HOME_POLICY, WORDS("uplink=other.pcap"), VERDICT_INCONCLUSIVE,
	       "none of 1 packets has to do with the addresses of the policy");

	cw_pcap(&strange, true, false, 105); /* IEEE 802.11 */
	cw_frame(&strange, 0, wireguard());
	store(&strange, "strange.pcap");
	expect(HOME_POLICY, WORDS("uplink=strange.pcap"), VERDICT_INCONCLUSIVE,
	       "none of 1 packets has to do with the addresses of the policy (they cannot be read "
	       "at all)");

	cw_pcap(&inbound, true, false, LINK_ETHERNET);
	cw_frame(&inbound, 0, in(ip(SINK, REAL, P_TCP, tcp(9, 22, 1, F_SYN, fill(0, 0)))));
	store(&inbound, "in.pcap");
	expect(HOME_POLICY, WORDS("uplink=in.pcap"), VERDICT_INCONCLUSIVE,
	       "no packet of the tunnel and no attempt");
	store_home(false, false);
	expect(HOME_POLICY, WORDS("br.pcap"), VERDICT_INCONCLUSIVE,
	       "nothing was captured outside the host");
}

/* Behind NAT a packet on the uplink is anybody's unless the network of the service was captured. */
static void test_what_nothing_ties_is_no_pass(void **state)
{
	(void)state;
	store_home(true, false);
	expect(HOME_POLICY, WORDS("up.pcap"), VERDICT_INCONCLUSIVE,
	       "1 packets left the host beside the tunnel and could be of qbittorrent");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap"), VERDICT_LEAK, "1 of 4");
	/* the bridge was captured, and shows another packet: the host's own */
	store_home(false, false);
	{
		struct cw up = cw_memory();

		cw_pcap(&up, true, false, LINK_ETHERNET);
		cw_frame(&up, 0, wireguard());
		cw_frame(&up, 145, left(778));
		store(&up, "up.pcap");
	}
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap"), VERDICT_PASS, "of 3");
	/* a service that speaks with the real address itself needs no bridge */
	expect("real: [203.0.113.10]\n"
	       "tunnels: [{kind: wireguard, proto: udp, endpoint: 198.51.100.2, port: 51820}]\n"
	       "services: [{name: this machine, role: protected, legs: [{addr: 203.0.113.10}]}]\n",
	       WORDS("up.pcap"), VERDICT_LEAK, "1 of 2");
	/* and a policy that protects nothing passes nothing */
	expect("real: [203.0.113.10]\n"
	       "tunnels: [{kind: wireguard, proto: udp, endpoint: 198.51.100.2, port: 51820}]\n",
	       WORDS("up.pcap"), VERDICT_INCONCLUSIVE, "could be of any service");
}

/* The machine's own, by its Ethernet address, under one of IP that nobody listed. */
static void test_another_address_of_the_machine_is_no_pass(void **state)
{
	static const char machine[] =
		"real: [203.0.113.10]\n"
		"tunnels: [{kind: wireguard, proto: udp, endpoint: 198.51.100.2, port: 51820}]\n"
		"services: [{name: this machine, role: protected, legs: [{addr: 203.0.113.10}]}]\n";
	struct bytes other = ip(REAL6, SINK6, P_TCP, tcp(40001, 443, 1, F_SYN, fill(0, 0)));
	struct cw up = cw_memory();

	(void)state;
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	cw_frame(&up, 1, out(other));
	store(&up, "up.pcap");
	expect(machine, WORDS("uplink=up.pcap"), VERDICT_INCONCLUSIVE,
	       "1 packets on tap uplink left the machine itself, beside the tunnel, with an "
	       "address that is not listed (" REAL6 ")");
	up = cw_memory();
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	cw_frame(&up, 1, eth(M_STRANGER, M_ROUTER, 0x86dd, other));
	store(&up, "up.pcap");
	expect(machine, WORDS("uplink=up.pcap"), VERDICT_PASS, "of 2");
}

static void test_what_was_lost_or_cut_off_is_no_pass(void **state)
{
	struct cw lost = cw_memory(), snap = cw_memory(), part = cw_memory(), clock = cw_memory(),
		  peers = cw_memory();

	(void)state;
	cw_section(&lost, true);
	cw_interface(&lost, LINK_ETHERNET, "eth0", 6);
	cw_packet(&lost, 0, 6, 0, wireguard());
	cw_statistics(&lost, 0, 8, 7);
	store(&lost, "lost.pcapng");
	expect(HOME_POLICY, WORDS("lost.pcapng"), VERDICT_INCONCLUSIVE, "lost 7 packets");

	snap.snaplen = 42; /* Ethernet, IP and UDP headers alone */
	cw_pcap(&snap, true, false, LINK_ETHERNET);
	cw_frame(&snap, 0, wireguard());
	store(&snap, "snap.pcap");
	expect(HOME_POLICY, WORDS("uplink=snap.pcap"), VERDICT_INCONCLUSIVE,
	       "1 packets between the tunnel's ends on tap uplink do not show");

	clock.snaplen = 44;
	cw_pcap(&clock, true, false, LINK_ETHERNET);
	cw_frame(&clock, 0, ntp());
	store(&clock, "clock.pcap");
	expect(HOME_POLICY, WORDS("uplink=clock.pcap"), VERDICT_INCONCLUSIVE,
	       "1 packets on tap uplink were captured too short to see whether they are what the "
	       "policy allows");

	store_home(false, false);
	part.snaplen = 60;
	cw_pcap(&part, true, false, LINK_RAW);
	cw_frame(&part, 200, ip(TUN, SINK, P_UDP, udp(1, 2, fill(7, 300))));
	store(&part, "exit.pcap");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap", "exit.pcap"), VERDICT_INCONCLUSIVE,
	       "1 of 1 packets on tap exit were captured in part");

	cw_pcap(&peers, true, false, LINK_RAW);
	cw_frame(&peers, 200, ip(SINK, TUN, P_TCP, tcp(80, 1, 0, F_SYN, fill(0, 0))));
	for (uint32_t from = 0; from < 3 * 1400; from += 1400)
		cw_frame(&peers, 201 + from,
			 ip(SINK, TUN, P_TCP,
			    tcp(80, 1, 1 + from, F_ACK, peers_part(FACTS_ADDRS + 1, REAL, from))));
	store(&peers, "exit.pcap");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap", "exit.pcap"), VERDICT_INCONCLUSIVE,
	       "1 packets on tap exit hold more addresses than were looked at: the real one may "
	       "be");
}

static void test_what_nobody_watched_outside_is_no_pass(void **state)
{
	struct cw br = cw_memory();

	(void)state;
	store_home(false, false);
	cw_pcap(&br, true, false, LINK_ETHERNET);
	cw_frame(&br, 100, tried(1));
	cw_frame(&br, 29 * 1000000, tried(2));
	store(&br, "br.pcap");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap"), VERDICT_PASS, "of 4");
	br = cw_memory();
	cw_pcap(&br, true, false, LINK_ETHERNET);
	cw_frame(&br, 100, tried(1));
	cw_frame(&br, 40 * 1000000, tried(2));
	store(&br, "br.pcap");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap"), VERDICT_INCONCLUSIVE,
	       "show 39 s in which nothing was captured outside");
}

/* A bridge from the first second to the last, an uplink with a packet of nobody's at another one. */
static void check_unwatched(int first, int last, int at, enum verdict verdict, const char *words)
{
	struct cw up = cw_memory(), br = cw_memory();

	cw_pcap(&br, true, false, LINK_ETHERNET);
	cw_frame(&br, first * 1000000, tried(1));
	cw_frame(&br, last * 1000000, tried(2));
	store(&br, "br.pcap");
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	cw_frame(&up, at * 1000000, left(778));
	cw_frame(&up, 200 * 1000000, wireguard());
	store(&up, "up.pcap");
	expect(HOME_POLICY, WORDS("up.pcap", "br.pcap"), verdict, words);
}

static void test_what_nobody_watched_inside_is_no_pass(void **state)
{
	(void)state;
	check_unwatched(50, 60, 20, VERDICT_PASS, "of 5");
	check_unwatched(50, 60, 19, VERDICT_INCONCLUSIVE,
			"packets that could be of any service left the host up to 31 s before the "
			"captures of the inside begin");
	check_unwatched(50, 60, 90, VERDICT_PASS, "of 5");
	check_unwatched(50, 60, 91, VERDICT_INCONCLUSIVE,
			"left the host up to 31 s after the captures of the inside end");
	/* what is told apart anyhow may come at any time: here the tunnel's own packets do */
	check_unwatched(50, 60, 55, VERDICT_PASS, "of 5");
}

static void test_a_frame_that_cannot_be_read_is_no_pass(void **state)
{
	struct cw up = cw_memory();
	struct result *r;

	(void)state;
	store_home(false, false);
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	cw_frame(&up, 50, out(hex("00 00 00")));
	cw_frame(&up, 60, eth(M_HOST, M_ROUTER, 0x88b5, fill(1, 60)));
	store(&up, "up.pcap");
	r = analyze(HOME_POLICY, WORDS("up.pcap", "br.pcap"));
	check(r, VERDICT_INCONCLUSIVE, "");
	assert_true(r->scenarios[0].findings_total > 0);
	result_free(r);
}

#define CONTROLS                                    \
	"nonce: 6c70000102030405060708090a0b0c0d\n" \
	"controls:\n"                               \
	"- {id: 2147483649, rule: cleartext-outside-tunnel, tap: uplink}\n"

static void test_controls_of_the_policy_must_be_there(void **state)
{
	struct cw up = cw_memory();
	struct result *r;

	(void)state;
	store_home(false, false);
	expect(HOME_POLICY CONTROLS, WORDS("up.pcap", "br.pcap"), VERDICT_INCONCLUSIVE,
	       "the control of cleartext-outside-tunnel on tap uplink was missed");
	cw_pcap(&up, true, false, LINK_ETHERNET);
	cw_frame(&up, 0, wireguard());
	cw_frame(&up, 9,
		 out(ip(REAL, SINK, P_UDP, udp(40001, 9, cat(hex(MARKER), be(0x80000001, 4))))));
	store(&up, "up.pcap");
	r = analyze(HOME_POLICY CONTROLS, WORDS("up.pcap", "br.pcap"));
	check(r, VERDICT_PASS, "of 3");
	assert_int_equal(r->scenarios[0].n_controls, 1);
	assert_true(r->scenarios[0].controls[0].caught);
	result_free(r);
	/* of a tap that nobody captured, nothing is asked */
	r = analyze(HOME_POLICY "nonce: 6c70000102030405060708090a0b0c0d\n"
				"controls:\n"
				"- {id: 2147483649, rule: real-address-in-payload, tap: exit}\n",
		    WORDS("up.pcap", "br.pcap"));
	assert_int_equal(r->scenarios[0].n_controls, 0);
	result_free(r);
}

/* Long after the tunnel fell silent. */
static void test_blocked_attempts_are_counted(void **state)
{
	struct cw br = cw_memory();
	struct result *r;

	(void)state;
	store_home(false, false);
	cw_pcap(&br, true, false, LINK_ETHERNET);
	for (uint16_t i = 0; i < 5; i++)
		cw_frame(&br, 5000000 + i * 1000, tried(i));
	store(&br, "br.pcap");
	r = analyze(HOME_POLICY, WORDS("up.pcap", "br.pcap"));
	check(r, VERDICT_PASS, "of 7");
	assert_int_equal(r->scenarios[0].blocked, 5);
	assert_int_equal(tap_of(r, "br-vpn")->attempts, 5);
	result_free(r);
}

/* Where the policy says that a network is watched, an allowance of its service needs a packet there. */
static void test_a_tap_without_a_capture(void **state)
{
	struct result *r;

	(void)state;
	store_home(false, true);
	r = analyze("closed-world: true\n" HOME_POLICY, WORDS("up.pcap"));
	check(r, VERDICT_PASS, "of 3");
	assert_non_null(strstr(told(r, "not captured"), "br-vpn (bridge)"));
	assert_int_equal(r->scenarios[0].n_taps, 1);
	for (size_t i = 0; i < r->scenarios[0].n_series; i++)
		assert_string_not_equal(r->scenarios[0].series[i].name, "blocked");
	result_free(r);
}

static int make_dir(void **state)
{
	(void)state;
	dir = str_fmt("/tmp/leakproof-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	int rc = fs_remove_tree(dir, NULL);

	(void)state;
	free(dir);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_leak_is_told_whole),
		cmocka_unit_test(test_coverage_names_what_was_never_used),
		cmocka_unit_test(test_the_result_goes_through_its_json),
		cmocka_unit_test(test_every_rule_has_its_place_in_the_list),
		cmocka_unit_test(test_every_form_gives_the_same_answer),
		cmocka_unit_test(test_interfaces_find_their_taps),
		cmocka_unit_test(test_a_strange_interface_is_left_out_and_said),
		cmocka_unit_test(test_what_was_left_out_may_have_been_a_leak),
		cmocka_unit_test(test_one_tap_takes_a_file_of_another_name),
		cmocka_unit_test(test_stamps_out_of_this_world),
		cmocka_unit_test(test_interfaces_in_one_tap_are_told),
		cmocka_unit_test(test_a_second_file_of_a_tap_has_its_own_numbers),
		cmocka_unit_test(test_words_of_a_command_line),
		cmocka_unit_test(test_no_cut_passes),
		cmocka_unit_test(test_a_leak_before_the_cut_stays_one),
		cmocka_unit_test(test_silence_is_no_pass),
		cmocka_unit_test(test_what_nothing_ties_is_no_pass),
		cmocka_unit_test(test_another_address_of_the_machine_is_no_pass),
		cmocka_unit_test(test_what_was_lost_or_cut_off_is_no_pass),
		cmocka_unit_test(test_what_nobody_watched_outside_is_no_pass),
		cmocka_unit_test(test_what_nobody_watched_inside_is_no_pass),
		cmocka_unit_test(test_a_frame_that_cannot_be_read_is_no_pass),
		cmocka_unit_test(test_controls_of_the_policy_must_be_there),
		cmocka_unit_test(test_blocked_attempts_are_counted),
		cmocka_unit_test(test_a_tap_without_a_capture),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
