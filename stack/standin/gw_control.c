// SPDX-License-Identifier: MIT
/* Control and health servers of the gateway stand-in: the routes by which others look at upstream or steer it. Those
 * that show or change all its settings are not here and answer 501. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define VERSION "leakproof stand-in"

static const char *state_name(void)
{
	static const char *const names[] = { "stopped", "starting", "running", "crashed" };

	return names[vpn_state()];
}

static void status_reply(int fd, const char *key, const char *prefix, const char *word)
{
	char body[96];

	(void)snprintf(body, sizeof(body), "{\"%s\":\"%s%s\"}\n", key, prefix, word);
	http_reply(fd, 200, "", body);
}

/* 'r' = running is wanted, 's' = stopped, 0 = neither; then it was refused. */
static char wanted(int fd, const char *request)
{
	const char *body = strstr(request, "\r\n\r\n");
	const char *at = body ? strstr(body, "\"status\"") : NULL;
	char word[32] = "";

	if (at)
		(void)sscanf(at, "\"status\" : \"%31[^\"]\"", word);
	if (at && strcmp(word, "running") == 0)
		return 'r';
	if (at && strcmp(word, "stopped") == 0)
		return 's';
	http_reply(fd, 400, "", "invalid status: possible values are: stopped, running");
	return 0;
}

static void vpn_put(int fd, const char *request)
{
	char want = wanted(fd, request);

	if (!want)
		return;
	if (want == 's' ? vpn_state() != VPN_RUNNING : vpn_state() != VPN_STOPPED) {
		status_reply(fd, "outcome", "already ", state_name());
		return;
	}
	if (want == 's')
		vpn_stop();
	else
		vpn_up();
	status_reply(fd, "outcome", "", state_name());
}

static void vpn_get(int fd, const char *request)
{
	(void)request;
	status_reply(fd, "status", "", state_name());
}

static const char *dns_name(void)
{
	return dns_running() ? "running" : "stopped";
}

static void dns_get(int fd, const char *request)
{
	(void)request;
	status_reply(fd, "status", "", dns_name());
}

static void dns_put(int fd, const char *request)
{
	char want = wanted(fd, request);

	if (!want)
		return;
	if ((want == 'r') == dns_running()) {
		status_reply(fd, "outcome", "already ", dns_name());
		return;
	}
	if (want == 'r')
		dns_start();
	else
		dns_stop();
	status_reply(fd, "outcome", "", dns_name());
}

/* There is no updater here, and no OpenVPN: both are in the state that they have in a WireGuard gateway. */
static void stopped_get(int fd, const char *request)
{
	(void)request;
	status_reply(fd, "status", "", "stopped");
}

/* As with PUBLICIP_ENABLED=off: the stand-in never asks anybody for its address. */
static void public_ip_get(int fd, const char *request)
{
	(void)request;
	http_reply(fd, 200, "", "{\"public_ip\":\"\"}\n");
}

static void port_get(int fd, const char *request)
{
	(void)request;
	http_reply(fd, 200, "", "{\"port\":0,\"ports\":[]}\n");
}

static void version_get(int fd, const char *request)
{
	(void)request;
	http_reply(fd, 200, "",
		   "{\"version\":\"" VERSION "\",\"commit\":\"unknown\",\"created\":\"an unknown "
		   "date\"}\n");
}

static void vpn_again(int fd, const char *request)
{
	(void)request;
	if (vpn_state() == VPN_RUNNING)
		vpn_stop();
	if (vpn_state() == VPN_STOPPED)
		vpn_up();
	http_reply(fd, 200, "",
		   "openvpn restarted, please consider using the /v1/ API in the future.");
}

static void dns_again(int fd, const char *request)
{
	(void)request;
	dns_stop();
	dns_start();
	http_reply(fd, 200, "", "dns restarted, please consider using the /v1/ API in the future.");
}

static const struct {
	const char *route;
	void (*answer)(int fd, const char *request);
} routes[] = {
	{ "GET /v1/vpn/status", vpn_get },
	{ "PUT /v1/vpn/status", vpn_put },
	{ "GET /v1/dns/status", dns_get },
	{ "PUT /v1/dns/status", dns_put },
	{ "GET /v1/updater/status", stopped_get },
	{ "GET /v1/openvpn/status", stopped_get },
	{ "GET /v1/publicip/ip", public_ip_get },
	{ "GET /v1/portforward", port_get },
	{ "GET /v1/version", version_get },
	{ "GET /openvpn/actions/restart", vpn_again },
	{ "GET /unbound/actions/restart", dns_again },
};

static void route_request(int fd, const char *method, const char *path, const char *request)
{
	char route[96];
	bool basic;
	int status = roles_refuse(method, path, request, &basic);

	if (status) {
		http_reply(fd, status,
			   basic ? "WWW-Authenticate: Basic realm=\"restricted\", "
				   "charset=\"UTF-8\"\r\n"
				 : "",
			   NULL);
		return;
	}
	(void)snprintf(route, sizeof(route), "%s %s", method, path);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].route, route) == 0) {
			routes[i].answer(fd, request);
			return;
		}
	http_reply(fd, 501, "", "this stand-in does not have it");
}

void control_serve(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[4096], method[8] = "", path[80] = "";

	if (fd < 0)
		return;
	http_receive(fd, request, sizeof(request));
	(void)sscanf(request, "%7s %79[^ ?]", method, path);
	route_request(fd, method, path, request);
	(void)close(fd);
}

void health_serve(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[1024];

	if (fd < 0)
		return;
	http_receive(fd, request, sizeof(request));
	if (strncmp(request, "GET ", 4) != 0)
		http_reply(fd, 400, "", "method not supported for healthcheck");
	else if (health_good())
		http_reply(fd, 200, "", "");
	else
		http_reply(fd, 500, "", "the tunnel is not known to work");
	(void)close(fd);
}
