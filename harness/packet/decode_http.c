/* SPDX-License-Identifier: MIT */
/* HTTP/1 heads, and what travels in them: tracker announces, UPnP's SOAP, WebSocket upgrades, SSDP. */
#include "base/order.h"
#include "packet/internal.h"

#include <ctype.h>
#include <netinet/in.h>
#include <strings.h>

#define METHOD_MAX 20	 /* letters; the registry's longest has 17 */
#define BODY_SMALL 3072	 /* bytes: less is waited for, whatever it begins with */
#define BODY_PEERS 16384 /* and this of a list of peers, 6 or 18 bytes each (BEP 23, BEP 7) */

/* Does p begin as text does, as far as either goes? */
static bool begins(const uint8_t *p, size_t len, const char *text)
{
	size_t n = strlen(text);

	return memcmp(p, text, min_u64(len, n)) == 0;
}

/* A method of HTTP or of what is built upon it (WebDAV, UPnP), for lines whose end is not there to ask. */
static bool method_is_known(const uint8_t *p, size_t len)
{
	static const char *const methods[] = { "GET ",	    "POST ",	 "HEAD ",    "PUT ",
					       "DELETE ",   "CONNECT ",	 "OPTIONS ", "PATCH ",
					       "TRACE ",    "PRI ",	 "NOTIFY ",  "M-POST ",
					       "PROPFIND ", "SUBSCRIBE " };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (begins(p, len, methods[i]))
			return true;
	return false;
}

/* RFC 9110 5.6.2, of which methods use capitals and hyphens; the space behind it, or NULL. */
static const uint8_t *method_end(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && n < METHOD_MAX && is_method_letter(p[n]))
		n++;
	return n >= 3 && n < len && p[n] == ' ' ? p + n : NULL;
}

static const uint8_t *line_end(const uint8_t *p, const uint8_t *eol)
{
	return eol > p && eol[-1] == '\r' ? eol - 1 : eol;
}

/* Is the line that ends at eol "METHOD target HTTP/1.1", or "GET /target" of HTTP 0.9? Other protocols (RTSP, SIP, NATS)
 * have such words too, with another one at the end. */
static bool is_request_line(const uint8_t *p, const uint8_t *eol)
{
	const uint8_t *space = method_end(p, (size_t)(eol - p)), *stop;

	if (!space)
		return false;
	stop = memrchr(p, ' ', (size_t)(eol - p));
	if (bytes_are(stop + 1, (size_t)(eol - stop - 1), "HTTP/", 5))
		return true;
	return stop == space && bytes_are(p, (size_t)(eol - p), "GET /", 5);
}

/* The same of a line that has no end yet. */
static bool may_be_request_line(const uint8_t *p, size_t len)
{
	const uint8_t *space = memchr(p, ' ', len);

	if (!method_is_known(p, len))
		return false;
	if (!space || ++space == p + len)
		return true;
	len -= (size_t)(space - p);
	return *space == '/' || *space == '*' || begins(space, len, "http") ||
	       (*p == 'C' && *space != '{'); /* CONNECT host:port */
}

static const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

struct header {
	const uint8_t *name, *value;
	size_t n_name, n_value;
};

static bool header_is(const struct header *h, const char *name)
{
	return h->n_name == strlen(name) &&
	       strncasecmp((const char *)h->name, name, h->n_name) == 0;
}

/* Addresses in a list such as X-Forwarded-For's, or of `for=` and `by=` (RFC 7239). */
static void header_addresses(struct facts *f, const struct header *h)
{
	const uint8_t *p = h->value, *end = p + h->n_value;

	while (p < end) {
		const uint8_t *word = p;
		struct ipaddr a;
		uint16_t port;

		while (p < end && !strchr(",; =\"", *p))
			p++;
		if (p > word && text_addr((const char *)word, (size_t)(p - word), &a, &port))
			fact_addr(f, a, port, PLACE_HTTP_HEADER);
		p++;
	}
}

struct head {
	size_t content_length;
	bool soap, compressed;
};

static void head_field(struct facts *f, const struct header *h, struct head *head)
{
	struct http_facts *t = &f->http;

	if (header_is(h, "host")) {
		text_put(t->host, sizeof(t->host), h->value, h->n_value);
	} else if (header_is(h, "user-agent")) {
		text_put(t->user_agent, sizeof(t->user_agent), h->value, h->n_value);
	} else if (header_is(h, "upgrade")) {
		text_put(t->upgrade, sizeof(t->upgrade), h->value, h->n_value);
	} else if (header_is(h, "content-length")) {
		head->content_length = 0;
		for (size_t i = 0; i < h->n_value && i < 8; i++)
			if (h->value[i] >= '0' && h->value[i] <= '9')
				head->content_length = head->content_length * 10 +
						       (size_t)(h->value[i] - '0');
	} else if (header_is(h, "content-encoding")) {
		head->compressed = true;
	} else if (header_is(h, "soapaction")) {
		head->soap = true;
	} else if (header_is(h, "x-forwarded-for") || header_is(h, "x-real-ip") ||
		   header_is(h, "forwarded") || header_is(h, "client-ip") ||
		   header_is(h, "x-client-ip") || header_is(h, "cf-connecting-ip")) {
		header_addresses(f, h);
	}
}

/* The next line of a head: false at its end. *complete is set by the blank line. */
static bool head_line(const uint8_t **p, const uint8_t *end, struct header *h, bool *complete)
{
	const uint8_t *line = *p, *feed = memchr(line, '\n', (size_t)(end - line)), *eol, *colon;

	*p = feed ? feed + 1 : end;
	eol = line_end(line, feed ? feed : end);
	if (eol == line) {
		*complete = feed != NULL;
		return false;
	}
	colon = memchr(line, ':', (size_t)(eol - line));
	h->name = line;
	h->n_name = (size_t)((colon ? colon : eol) - line);
	h->value = colon ? skip_blank(colon + 1, eol) : eol;
	h->n_value = (size_t)(eol - h->value);
	return true;
}

/* The text of an XML element whose name (without prefix) is given, "" when it is not there. */
static size_t soap_text(const uint8_t *p, size_t len, const char *name, const uint8_t **text)
{
	const uint8_t *at = memmem(p, len, name, strlen(name)), *end = p + len;
	size_t n = 0;

	while (at && at < end && *at != '>')
		at++;
	if (!at || at == end)
		return 0;
	*text = ++at;
	while (at + n < end && at[n] != '<')
		n++;
	return n;
}

static uint32_t soap_number(const uint8_t *p, size_t len, const char *name)
{
	const uint8_t *text;
	size_t n = soap_text(p, len, name, &text);
	uint32_t v = 0;

	for (size_t i = 0; i < n && i < 9; i++)
		if (text[i] >= '0' && text[i] <= '9')
			v = v * 10 + (uint32_t)(text[i] - '0');
	return v;
}

static void soap_address(struct facts *f, const uint8_t *p, size_t len, const char *name,
			 enum addr_place place)
{
	const uint8_t *text;
	size_t n = soap_text(p, len, name, &text);
	struct ipaddr a;
	uint16_t port;

	if (n == 0)
		return;
	if (text_addr((const char *)text, n, &a, &port))
		fact_addr(f, a, 0, place);
	else
		fact_reason(f, UND_UPNP_FIELD);
}

/* The port mapping actions of WANIPConnection (UPnP Forum), by the names of their arguments. */
static void decode_soap(struct facts *f, const uint8_t *p, size_t len)
{
	static const char *const actions[] = {
		"AddAnyPortMapping",	       "AddPortMapping",
		"DeletePortMapping",	       "GetExternalIPAddress",
		"GetSpecificPortMappingEntry", "GetGenericPortMappingEntry"
	};
	struct portmap_facts *m = &f->portmap;
	const uint8_t *text;
	size_t n;

	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]) && !m->action[0]; i++)
		if (memmem(p, len, actions[i], strlen(actions[i])))
			text_put(m->action, sizeof(m->action), (const uint8_t *)actions[i],
				 strlen(actions[i]));
	if (!m->action[0])
		return;
	fact_set(f, PROTO_UPNP);
	m->response = !f->http.request;
	m->internal_port = (uint16_t)soap_number(p, len, "NewInternalPort");
	m->external_port = (uint16_t)soap_number(p, len, "NewExternalPort");
	m->lifetime = soap_number(p, len, "NewLeaseDuration");
	n = soap_text(p, len, "NewProtocol", &text);
	if (n == 3)
		m->protocol = text[0] == 'T' ? IPPROTO_TCP : IPPROTO_UDP;
	soap_address(f, p, len, "NewInternalClient", PLACE_UPNP_CLIENT);
	soap_address(f, p, len, "NewExternalIPAddress", PLACE_UPNP_EXTERNAL);
}

/* Start line: "METHOD target HTTP/1.x" or "HTTP/1.x NNN". False when something of it is missing. */
static bool start_line(struct facts *f, const uint8_t *p, const uint8_t *eol)
{
	struct http_facts *t = &f->http;
	const uint8_t *space = memchr(p, ' ', (size_t)(eol - p)), *target, *stop;
	bool whole;

	memset(t, 0, sizeof(*t));
	if (begins(p, (size_t)(eol - p), "HTTP/1.")) {
		for (int i = 1; space && i <= 3 && space + i < eol && isdigit(space[i]); i++)
			t->status = (uint16_t)(t->status * 10 + (space[i] - '0'));
		return t->status >= 100;
	}
	t->request = true;
	if (!space)
		return false;
	target = space + 1;
	stop = memrchr(target, ' ', (size_t)(eol - target));
	whole = stop && bytes_are(stop + 1, (size_t)(eol - stop - 1), "HTTP/", 5);
	if (!whole)
		stop = eol;
	text_put(t->method, sizeof(t->method), p, (size_t)(space - p));
	text_put(t->target, sizeof(t->target), target, (size_t)(stop - target));
	decode_bt_announce_target(f, target, (size_t)(stop - target));
	return whole;
}

static void decode_body(struct facts *f, const struct head *head, const uint8_t *p, size_t len)
{
	if (len == 0 || head->compressed)
		return;
	if (head->soap || memmem(p, len, "schemas-upnp-org", 16))
		decode_soap(f, p, len);
	else if (!f->http.request)
		decode_bt_tracker_body(f, p, len);
}

/* A body worth waiting for: the SOAP request's, a small reply's that may be a tracker's, or a longer one's that begins as a
 * tracker's does. */
static bool is_awaited(const struct facts *f, const struct head *head, const uint8_t *body,
		       size_t len)
{
	size_t stated = head->content_length;
	bool dictionary = !f->http.request && (len == 0 || body[0] == 'd');

	if (stated <= len || (f->http.request && !head->soap))
		return false;
	return stated < BODY_SMALL || (dictionary && stated < BODY_PEERS);
}

enum head_state decode_http(struct facts *f, const uint8_t *p, size_t len, bool last)
{
	const uint8_t *end = p + len, *eol, *at;
	struct head head = { 0 };
	struct header h;
	bool complete = false;
	uint16_t kept = f->n_addrs;

	if (len == 0 || (len < 4 && last))
		return HEAD_NO;
	eol = memchr(p, '\n', len);
	if (!begins(p, len, "HTTP/1.") &&
	    !(eol ? is_request_line(p, line_end(p, eol)) : may_be_request_line(p, len)))
		return HEAD_NO;
	if (!last && (!eol || (!memmem(p, len, "\r\n\r\n", 4) && !memmem(p, len, "\n\n", 2))))
		return HEAD_MORE;
	at = eol ? eol + 1 : end;
	eol = line_end(p, eol ? eol : end);
	fact_set(f, PROTO_HTTP);
	if (!start_line(f, p, eol))
		fact_reason(f, UND_HTTP_HEAD);
	while (head_line(&at, end, &h, &complete))
		head_field(f, &h, &head);
	f->http.head_complete = complete;
	if (!last && complete && is_awaited(f, &head, at, (size_t)(end - at))) {
		f->protos &= ~(PROTO_BIT(PROTO_HTTP) | PROTO_BT_ALL);
		f->n_addrs = kept;
		return HEAD_MORE;
	}
	decode_body(f, &head, at, (size_t)(end - at));
	return HEAD_DONE;
}

/* ---- SSDP (UPnP Device Architecture 1.1, section 1) ---- */

/* "http://203.0.113.1:5000/x": the address in the URL. */
static void ssdp_location(struct facts *f, const struct header *h)
{
	const uint8_t *host = memmem(h->value, h->n_value, "//", 2), *end = h->value + h->n_value;
	struct ipaddr a;
	uint16_t port;
	size_t n = 0;

	if (!host)
		return;
	for (host += 2; host + n < end && host[n] != '/'; n++)
		;
	if (text_addr((const char *)host, n, &a, &port))
		fact_addr(f, a, port, PLACE_SSDP_LOCATION);
}

bool decode_ssdp(struct facts *f, const uint8_t *p, size_t len)
{
	static const char *const starts[] = { "M-SEARCH * HTTP/1.", "NOTIFY * HTTP/1.",
					      "HTTP/1.1 200 OK" };
	const uint8_t *end = p + len, *at;
	bool complete = false;
	struct header h;

	memset(&f->ssdp, 0, sizeof(f->ssdp));
	for (uint8_t i = 0; i < 3 && !f->ssdp.kind; i++)
		if (bytes_are(p, len, starts[i], strlen(starts[i])))
			f->ssdp.kind = (uint8_t)(i + 1);
	if (!f->ssdp.kind)
		return false;
	fact_set(f, PROTO_SSDP);
	at = memchr(p, '\n', len);
	at = at ? at + 1 : end;
	while (head_line(&at, end, &h, &complete)) {
		if (header_is(&h, "st") || header_is(&h, "nt"))
			text_put(f->ssdp.target, sizeof(f->ssdp.target), h.value, h.n_value);
		else if (header_is(&h, "location"))
			ssdp_location(f, &h);
	}
	return true;
}
