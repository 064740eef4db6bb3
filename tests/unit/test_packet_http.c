/* SPDX-License-Identifier: MIT */
/* HTTP heads at their limits, the bodies that are read (UPnP, trackers), and SSDP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet/frames.h"
#include "packet/internal.h"

static struct facts facts;

static enum head_state http(const char *text, bool last)
{
	size_t n = strlen(text);

	memset(&facts, 0, sizeof(facts));
	return decode_http(&facts, exact(text, n), n, last);
}

static void assert_addr(int i, enum addr_place place, const char *text, unsigned port)
{
	char buf[IPADDR_TEXT];

	assert_true(i < facts.n_addrs);
	assert_string_equal(ipaddr_format(&facts.addrs[i].addr, buf, sizeof(buf)), text);
	assert_int_equal(facts.addrs[i].place, place);
	assert_int_equal(facts.addrs[i].port, port);
}

/* ---- start lines ---- */

static void whole_request_lines(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} rows[] = {
		{ "PUT /x HTTP/1.1\r\n\r\n", true },
		{ "AB /x HTTP/1.1\r\n\r\n", false },
		{ "A-_Z /x HTTP/1.1\r\n\r\n", true },
		{ "A@B /x HTTP/1.1\r\n\r\n", false },
		{ "A[B /x HTTP/1.1\r\n\r\n", false },
		{ "ABCDEFGHIJKLMNOPQRST /x HTTP/1.1\r\n\r\n", true },
		{ "ABCDEFGHIJKLMNOPQRSTU /x HTTP/1.1\r\n\r\n", false },
		{ "GET\n\n", false },
		{ "GET \n\n", false },
		{ "GET /\n\n", true }, /* HTTP 0.9 */
		{ "GET /a b\n\n", false },
		{ "GET a\n\n", false },
		{ "PUT /a\n\n", false },
		{ "GET /a HTTP/\n\n", true },
		{ "GET /a HTTP\n\n", false },
		{ "GET /a HTTQ/1.1\n\n", false },
		{ "HTTP/1.1 200 OK\n\n", true },
		{ "HTTP/1.0 200 OK\n\n", true },
		{ "HTTP/2.0 200 OK\n\n", false },
		{ "\n\n\n\n", false },
		{ "\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int last = 0; last < 2; last++) {
			enum head_state want = rows[i].good ? HEAD_DONE : HEAD_NO;

			if (http(rows[i].line, last) != want)
				fail_msg("%s", rows[i].line);
			assert_int_equal(facts_has(&facts, PROTO_HTTP), rows[i].good);
		}
}

/* A line without its end: waited for while it may become one; at the last it is one if it has begun so. */
static void beginnings_of_request_lines(void **state)
{
	static const struct {
		const char *line;
		bool may;
	} rows[] = {
		{ "G", true },		 { "GE", true },	   { "GET", true },
		{ "GET ", true },	 { "GET /", true },	   { "GET *", true },
		{ "GET h", true },	 { "GET ht", true },	   { "GET http://x", true },
		{ "GET i", false },	 { "GET hx", false },	   { "GETX", false },
		{ "CONNECT a", true },	 { "CONNECT {", false },   { "CONNECT ", true },
		{ "SUBSCRIBE /", true }, { "PROPFIND /", true },   { "SUBSCRIBER", false },
		{ "XYZ /", false },	 { "HTTP/1.", true },	   { "HTTP/2.", false },
		{ "H", true },		 { "HTTP/1.1 200", true }, { "OPTIONS *", true },
		{ "NOTIFY *", true },	 { "M-POST /", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum head_state at_last = rows[i].may && strlen(rows[i].line) >= 4 ? HEAD_DONE
										   : HEAD_NO;

		if (http(rows[i].line, false) != (rows[i].may ? HEAD_MORE : HEAD_NO))
			fail_msg("%s", rows[i].line);
		assert_true(facts.protos == 0);
		if (http(rows[i].line, true) != at_last)
			fail_msg("%s", rows[i].line);
	}
	assert_int_equal(http("", false), HEAD_NO);
	assert_int_equal(http("", true), HEAD_NO);
}

static void numbers_of_replies(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
		bool whole;
	} rows[] = {
		{ "HTTP/1.1 200 OK\n\n", 200, true }, { "HTTP/1.1 100\n\n", 100, true },
		{ "HTTP/1.1 99 OK\n\n", 99, false },  { "HTTP/1.1 9999\n\n", 999, true },
		{ "HTTP/1.1 20x\n\n", 20, false },    { "HTTP/1.1\n\n", 0, false },
		{ "HTTP/1.1 \n\n", 0, false },	      { "HTTP/1.1 2", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http(rows[i].line, true), HEAD_DONE);
		assert_int_equal(facts.http.status, rows[i].status);
		assert_int_equal(facts.reason, rows[i].whole ? UND_NONE : UND_HTTP_HEAD);
		assert_false(facts.http.request);
	}
}

static void targets_of_requests(void **state)
{
	static const struct {
		const char *line, *method, *target;
		bool whole;
	} rows[] = {
		{ "GET /a HTTP/1.1\r\n\r\n", "GET", "/a", true },
		{ "GET /a b HTTP/1.1\r\n\r\n", "GET", "/a b", true },
		{ "GET /a\n\n", "GET", "/a", false },
		{ "GET /a HTTP", "GET", "/a HTTP", false },
		{ "GET /a HTTP/", "GET", "/a", true },
		{ "POST", "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http(rows[i].line, true), HEAD_DONE);
		assert_string_equal(facts.http.method, rows[i].method);
		assert_string_equal(facts.http.target, rows[i].target);
		assert_int_equal(facts.reason, rows[i].whole ? UND_NONE : UND_HTTP_HEAD);
		assert_true(facts.http.request);
	}
}

/* ---- head lines ---- */

static void heads_end_with_a_blank_line(void **state)
{
	static const struct {
		const char *head;
		enum head_state early;
		bool complete;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_DONE, true },
		{ "GET / HTTP/1.1\nHost: a\n\n", HEAD_DONE, true },
		{ "GET / HTTP/1.1\r\nHost: a\r\n", HEAD_MORE, false },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r", HEAD_MORE, false },
		{ "GET / HTTP/1.1\r\nHost: a", HEAD_MORE, false },
		{ "GET / HTTP/1.1\r\n", HEAD_MORE, false },
		{ "GET / HTTP/1.1", HEAD_MORE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http(rows[i].head, false), rows[i].early);
		assert_int_equal(http(rows[i].head, true), HEAD_DONE);
		assert_int_equal(facts.http.head_complete, rows[i].complete);
		assert_string_equal(facts.http.host, i < 5 ? "a" : "");
	}
}

static void fields_by_name(void **state)
{
	static const struct {
		const char *line, *host, *agent, *upgrade;
	} rows[] = {
		{ "Host: a.test", "a.test", "", "" },
		{ "hOST:a.test", "a.test", "", "" },
		{ "Host: \t a.test", "a.test", "", "" },
		{ "Host:", "", "", "" },
		{ "Host", "", "", "" },
		{ "Hosts: a.test", "", "", "" },
		{ "Hos: a.test", "", "", "" },
		{ "User-Agent: x y", "", "x y", "" },
		{ "Upgrade: websocket", "", "", "websocket" },
		{ "X: y\r\nHost: a.test", "a.test", "", "" },
		{ "no colon\r\nHost: a.test", "a.test", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char head[256];

		(void)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n%s\r\n\r\n", rows[i].line);
		assert_int_equal(http(head, false), HEAD_DONE);
		assert_string_equal(facts.http.host, rows[i].host);
		assert_string_equal(facts.http.user_agent, rows[i].agent);
		assert_string_equal(facts.http.upgrade, rows[i].upgrade);
		assert_int_equal(facts.n_addrs, 0);
	}
}

static void addresses_in_fields(void **state)
{
	static const struct {
		const char *line;
		int n;
	} rows[] = {
		{ "X-Forwarded-For: 203.0.113.10", 1 },
		{ "X-Forwarded-For: 203.0.113.10, 203.0.113.11,203.0.113.12", 3 },
		{ "X-Real-IP: 203.0.113.10", 1 },
		{ "Forwarded: for=203.0.113.10;by=203.0.113.11", 2 },
		{ "Forwarded: for=\"203.0.113.10\"", 1 },
		{ "Client-IP: 203.0.113.10", 1 },
		{ "X-Client-IP: 203.0.113.10", 1 },
		{ "CF-Connecting-IP: 203.0.113.10", 1 },
		{ "X-Forwarded-By: 203.0.113.10", 0 },
		{ "X-Forwarded-For: unknown", 0 },
		{ "X-Forwarded-For:", 0 },
		{ "X-Forwarded-For: ,;", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char head[256];

		(void)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n%s\r\n\r\n", rows[i].line);
		assert_int_equal(http(head, false), HEAD_DONE);
		assert_int_equal(facts.n_addrs, rows[i].n);
		if (rows[i].n)
			assert_addr(0, PLACE_HTTP_HEADER, "203.0.113.10", 0);
	}
}

/* ---- bodies ---- */

#define SOAP_HEAD "POST /c HTTP/1.1\r\nSOAPAction: x\r\nContent-Length: "

/* Bodies worth waiting for: a SOAP request's, a small reply's, a longer one's that may be a list of peers. */
static void bodies_are_waited_for(void **state)
{
	static const struct {
		const char *text;
		enum head_state early;
	} rows[] = {
		{ SOAP_HEAD "4\r\n\r\nabcd", HEAD_DONE },
		{ SOAP_HEAD "5\r\n\r\nabcd", HEAD_MORE },
		{ SOAP_HEAD "3071\r\n\r\nabcd", HEAD_MORE },
		{ SOAP_HEAD "3072\r\n\r\nabcd", HEAD_DONE },
		{ SOAP_HEAD "/5:\r\n\r\nabcd", HEAD_MORE },
		{ SOAP_HEAD "000000005\r\n\r\nabcd", HEAD_DONE }, /* eight digits count */
		{ SOAP_HEAD "00000005\r\n\r\nabcd", HEAD_MORE },
		{ SOAP_HEAD "9\r\nContent-Length: 4\r\n\r\nabcd", HEAD_DONE },
		{ "POST /c HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcd", HEAD_DONE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", HEAD_DONE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\n\r\nabcd", HEAD_DONE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3071\r\n\r\nabcd", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3072\r\n\r\nabcd", HEAD_DONE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3072\r\n\r\nd8:", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3072\r\n\r\n", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 16383\r\n\r\nd8:", HEAD_MORE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\nd8:", HEAD_DONE },
		{ SOAP_HEAD "3072\r\n\r\nd8:", HEAD_DONE },
		{ SOAP_HEAD "3072\r\n\r\n", HEAD_DONE },
		{ "POST /c HTTP/1.1\r\nContent-Length: 9\r\n\r\nd8:", HEAD_DONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (http(rows[i].text, false) != rows[i].early)
			fail_msg("%s", rows[i].text);
		assert_int_equal(facts_has(&facts, PROTO_HTTP), rows[i].early == HEAD_DONE);
		assert_int_equal(http(rows[i].text, true), HEAD_DONE);
	}
	/* what waits has said nothing yet */
	assert_int_equal(
		http("HTTP/1.1 200 OK\r\nX-Real-IP: 203.0.113.10\r\nContent-Length: 5\r\n\r\nabcd",
		     false),
		HEAD_MORE);
	assert_int_equal(facts.n_addrs, 0);
}

static void which_bodies_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t protos;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\n\r\nd8:intervali1800ee", P(BT_TRACKER) },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nd8:intervali1800ee", 0 },
		{ "POST / HTTP/1.1\r\n\r\nd8:intervali1800ee", 0 },
		{ "POST / HTTP/1.1\r\nSOAPAction: x\r\n\r\nGetExternalIPAddress", P(UPNP) },
		{ "POST / HTTP/1.1\r\n\r\nGetExternalIPAddress", 0 },
		{ "POST / HTTP/1.1\r\n\r\nschemas-upnp-org GetExternalIPAddress", P(UPNP) },
		{ "HTTP/1.1 200 OK\r\n\r\nschemas-upnp-org GetExternalIPAddressResponse", P(UPNP) },
		{ "POST / HTTP/1.1\r\nSOAPAction: x\r\n\r\nGetInternalIPAddress", 0 },
		{ "POST / HTTP/1.1\r\nSOAPAction: x\r\n\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http(rows[i].text, true), HEAD_DONE);
		if (facts.protos != (rows[i].protos | P(HTTP)))
			fail_msg("%s", rows[i].text);
	}
}

static void soap(const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nSOAPAction: x\r\n\r\n%s", body);
	assert_int_equal(http(text, true), HEAD_DONE);
	assert_true(facts.protos == (P(HTTP) | P(UPNP)));
}

static void port_mapping_actions(void **state)
{
	static const char *const actions[] = {
		"AddAnyPortMapping",	       "AddPortMapping",
		"DeletePortMapping",	       "GetExternalIPAddress",
		"GetSpecificPortMappingEntry", "GetGenericPortMappingEntry"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		soap(actions[i]);
		assert_string_equal(facts.portmap.action, actions[i]);
		assert_false(facts.portmap.response);
	}
	assert_int_equal(
		http("HTTP/1.1 200 OK\r\n\r\nschemas-upnp-org AddPortMappingResponse", true),
		HEAD_DONE);
	assert_true(facts.portmap.response);
}

static void port_mapping_arguments(void **state)
{
	static const struct {
		const char *body;
		unsigned internal, external, lifetime, protocol;
	} rows[] = {
		{ "AddPortMapping<NewInternalPort>6881</NewInternalPort>", 6881, 0, 0, 0 },
		{ "AddPortMapping<NewInternalPort x=\"y\">6881<", 6881, 0, 0, 0 },
		{ "AddPortMapping<NewExternalPort>6882</", 0, 6882, 0, 0 },
		{ "AddPortMapping<NewExternalPort>6882", 0, 6882, 0, 0 },
		{ "AddPortMapping<NewExternalPort", 0, 0, 0, 0 },
		{ "AddPortMapping<NewExternalPort>", 0, 0, 0, 0 },
		{ "AddPortMapping<NewLeaseDuration>3600<", 0, 0, 3600, 0 },
		{ "AddPortMapping<NewLeaseDuration>123456789<", 0, 0, 123456789, 0 },
		{ "AddPortMapping<NewLeaseDuration>1234567891<", 0, 0, 123456789, 0 },
		{ "AddPortMapping<NewLeaseDuration>/9:0<", 0, 0, 90, 0 },
		{ "AddPortMapping<NewProtocol>TCP<", 0, 0, 0, 6 },
		{ "AddPortMapping<NewProtocol>UDP<", 0, 0, 0, 17 },
		{ "AddPortMapping<NewProtocol>TCPX<", 0, 0, 0, 0 },
		{ "AddPortMapping<NewProtocol>TC<", 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		soap(rows[i].body);
		assert_int_equal(facts.portmap.internal_port, rows[i].internal);
		assert_int_equal(facts.portmap.external_port, rows[i].external);
		assert_int_equal(facts.portmap.lifetime, rows[i].lifetime);
		assert_int_equal(facts.portmap.protocol, rows[i].protocol);
		assert_int_equal(facts.reason, UND_NONE);
	}
	soap("AddPortMapping<NewInternalClient>10.77.0.3</NewInternalClient>");
	assert_int_equal(facts.n_addrs, 1);
	assert_addr(0, PLACE_UPNP_CLIENT, "10.77.0.3", 0);
	soap("GetExternalIPAddress<NewExternalIPAddress>203.0.113.10<");
	assert_int_equal(facts.n_addrs, 1);
	assert_addr(0, PLACE_UPNP_EXTERNAL, "203.0.113.10", 0);
	soap("GetExternalIPAddress<NewExternalIPAddress>here<");
	assert_int_equal(facts.n_addrs, 0);
	assert_int_equal(facts.reason, UND_UPNP_FIELD);
}

/* ---- SSDP ---- */

static bool ssdp(const char *text)
{
	memset(&facts, 0, sizeof(facts));
	return decode_ssdp(&facts, (const uint8_t *)text, strlen(text));
}

static void messages_of_ssdp(void **state)
{
	static const struct {
		const char *text, *target;
		unsigned kind;
		int addrs;
	} rows[] = {
		{ "M-SEARCH * HTTP/1.1\r\nST: a\r\n\r\n", "a", 1, 0 },
		{ "M-SEARCH * HTTP/1.1\r\nNT: a\r\n\r\n", "a", 1, 0 },
		{ "M-SEARCH * HTTP/1.1\r\nUT: a\r\n\r\n", "", 1, 0 },
		{ "M-SEARCH * HTTP/1.", "", 1, 0 },
		{ "M-SEARCH * HTTP/1", "", 0, 0 },
		{ "NOTIFY * HTTP/1.1\r\nNT: b\r\n\r\n", "b", 2, 0 },
		{ "HTTP/1.1 200 OK\r\nST: c\r\n\r\n", "c", 3, 0 },
		{ "HTTP/1.1 404 OK\r\nST: c\r\n\r\n", "", 0, 0 },
		{ "NOTIFY * HTTP/1.1\r\nLocation: http://203.0.113.10:5000/x\r\n\r\n", "", 2, 1 },
		{ "NOTIFY * HTTP/1.1\r\nLocation: http://203.0.113.10:5000", "", 2, 1 },
		{ "NOTIFY * HTTP/1.1\r\nLocation: 203.0.113.10:5000", "", 2, 0 },
		{ "NOTIFY * HTTP/1.1\r\nLocation: http://box.test:5000/\r\n\r\n", "", 2, 0 },
		{ "NOTIFY * HTTP/1.1\r\nLocatiom: http://203.0.113.10:5000/x\r\n\r\n", "", 2, 0 },
		{ "NOTIFY * HTTP/1.1\r\nLocation: //\r\n\r\n", "", 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ssdp(rows[i].text), rows[i].kind != 0);
		assert_int_equal(facts_has(&facts, PROTO_SSDP), rows[i].kind != 0);
		assert_int_equal(facts.ssdp.kind, rows[i].kind);
		assert_string_equal(facts.ssdp.target, rows[i].target);
		assert_int_equal(facts.n_addrs, rows[i].addrs);
		if (rows[i].addrs)
			assert_addr(0, PLACE_SSDP_LOCATION, "203.0.113.10", 5000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_request_lines),
		cmocka_unit_test(beginnings_of_request_lines),
		cmocka_unit_test(numbers_of_replies),
		cmocka_unit_test(targets_of_requests),
		cmocka_unit_test(heads_end_with_a_blank_line),
		cmocka_unit_test(fields_by_name),
		cmocka_unit_test(addresses_in_fields),
		cmocka_unit_test(bodies_are_waited_for),
		cmocka_unit_test(which_bodies_are_read),
		cmocka_unit_test(port_mapping_actions),
		cmocka_unit_test(port_mapping_arguments),
		cmocka_unit_test(messages_of_ssdp),
	};

	return cmocka_run_group_tests_name("packet_http", tests, NULL, NULL);
}
