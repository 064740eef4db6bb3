/* SPDX-License-Identifier: MIT */
/* What happens to one interface, by rtnetlink: libpcap reports neither down nor up nor gone. */
#include "capture/linkwatch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct linkwatch {
	struct mnl_socket *nl;
	char ifname[IFNAMSIZ];
	struct linkwatch_state state;
};

static int attr_name(const struct nlattr *attr, void *data)
{
	const char **name = data;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME && mnl_attr_validate(attr, MNL_TYPE_STRING) >= 0)
		*name = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* Bridge ports are announced a second time with family AF_BRIDGE; their RTM_DELLINK means only that the
 * port left the bridge. */
static int on_link(const struct nlmsghdr *h, void *data)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct linkwatch *w = data;
	const char *name = NULL;
	bool was_running = w->state.running && w->state.up;
	unsigned downs = w->state.downs;

	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    m->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	(void)mnl_attr_parse(h, sizeof(*m), attr_name, &name);
	if (!name || (strcmp(name, w->ifname) != 0 && m->ifi_index != w->state.ifindex))
		return MNL_CB_OK;
	/* A message about another life of that name must not hide the present one. */
	if (h->nlmsg_type == RTM_DELLINK && w->state.exists && m->ifi_index != w->state.ifindex)
		return MNL_CB_OK;
	w->state = (struct linkwatch_state){ 0 };
	if (h->nlmsg_type == RTM_NEWLINK && strcmp(name, w->ifname) == 0) {
		w->state.exists = true;
		w->state.up = m->ifi_flags & IFF_UP;
		w->state.running = m->ifi_flags & IFF_LOWER_UP;
		w->state.ifindex = m->ifi_index;
	}
	w->state.downs = downs + (was_running && !(w->state.up && w->state.running));
	return MNL_CB_OK;
}

/* Ask for the interface by name; the answer comes with the events. */
static int ask(struct linkwatch *w, struct err *err)
{
	char buf[256] = "";
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *m;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = 1;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(h, IFLA_IFNAME, w->ifname);
	w->state = (struct linkwatch_state){ .downs = w->state.downs };
	if (mnl_socket_sendto(w->nl, h, h->nlmsg_len) < 0)
		return err_errno(err, "asking for interface %s", w->ifname);
	return 0;
}

struct linkwatch *linkwatch_open(const char *ifname, struct err *err)
{
	struct linkwatch *w = calloc(1, sizeof(*w));
	int big = 1 << 20;

	if (!w) {
		(void)err_errno(err, "link watch");
		return NULL;
	}
	(void)snprintf(w->ifname, sizeof(w->ifname), "%s", ifname);
	w->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!w->nl || mnl_socket_bind(w->nl, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) {
		(void)err_errno(err, "link watch on %s", ifname);
		linkwatch_close(w);
		return NULL;
	}
	(void)setsockopt(mnl_socket_get_fd(w->nl), SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (ask(w, err) < 0) {
		linkwatch_close(w);
		return NULL;
	}
	return w;
}

void linkwatch_close(struct linkwatch *w)
{
	if (w && w->nl)
		(void)mnl_socket_close(w->nl);
	free(w);
}

int linkwatch_fd(const struct linkwatch *w)
{
	return mnl_socket_get_fd(w->nl);
}

int linkwatch_read(struct linkwatch *w, struct linkwatch_state *s, struct err *err)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	int rc = 0;

	/* Bounded, so that a storm of messages cannot keep the tap from its ring. */
	for (int i = 0; i < 1000; i++) {
		ssize_t n = mnl_socket_recvfrom(w->nl, buf, sizeof(buf));

		if (n > 0) {
			(void)mnl_cb_run(buf, (size_t)n, 0, 0, on_link, w);
			continue;
		}
		if (n < 0 && errno == ENOBUFS) {
			rc = err_set(err, EXIT_ENVIRONMENT,
				     "link watch on %s: the kernel had no room for messages",
				     w->ifname);
			if (ask(w, NULL) == 0)
				continue;
		}
		break;
	}
	*s = w->state;
	return rc;
}
