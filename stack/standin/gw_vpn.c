// SPDX-License-Identifier: MIT
/* The tunnel of the gateway stand-in: custom WireGuard, by the kernel or by wireguard-go. Upstream has userspace
 * WireGuard inside its own process; here it is a child, whose end is the end of the device, as there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway.h"

#define FWMARK	   "51820" /* upstream's WireGuard mark and routing table */
#define BACKOFF_MS 15000   /* its first back-off, doubled until a success */
#define SETTLE_MS  100	   /* it waits this long for an error before it calls the VPN running */
#define DEVICE_MS  3000

static struct {
	enum vpn_state state;
	pid_t wireguard; /* 0 = the kernel's, or none */
	int64_t retry_at, backoff;
	bool dns_due;
} vpn = { .backoff = BACKOFF_MS };

/* Read in the order in which upstream finds fault with them. */
void vpn_check_settings(void)
{
	if (strcmp(setting("VPN_TYPE", "openvpn"), "wireguard") != 0 ||
	    strcmp(setting("VPN_SERVICE_PROVIDER", "private internet access"), "custom") != 0)
		die("settings", "this stand-in knows VPN_SERVICE_PROVIDER=custom with "
				"VPN_TYPE=wireguard only");
	(void)required("WIREGUARD_ENDPOINT_IP");
	(void)required("WIREGUARD_ENDPOINT_PORT");
	(void)required("WIREGUARD_PUBLIC_KEY");
	(void)required("WIREGUARD_PRIVATE_KEY");
	(void)required("WIREGUARD_ADDRESSES");
	if (setting_on("DNS_SERVER", true)) {
		if (strcmp(setting("DNS_UPSTREAM_RESOLVER_TYPE", "dot"), "plain") != 0)
			die("settings",
			    "this stand-in knows DNS_UPSTREAM_RESOLVER_TYPE=plain only");
		(void)required("DNS_UPSTREAM_PLAIN_ADDRESSES");
	}
}

const char *vpn_tun(void)
{
	return setting("VPN_INTERFACE", "wg0");
}

enum vpn_state vpn_state(void)
{
	return vpn.state;
}

static bool interface_exists(void)
{
	return if_nametoindex(vpn_tun()) != 0;
}

/* wg(8) removes the socket of a program that does not take its connection, so there must be more than the file. */
static bool takes_connections(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	yes = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return yes;
}

static int make_in_userspace(void)
{
	char program[] = "wireguard-go", option[] = "-f", name[IF_NAMESIZE], path[64];
	char *argv[] = { program, option, name, NULL };
	int64_t until = now_ms() + DEVICE_MS;

	(void)mkdir("/var/run/wireguard", 0755);
	(void)snprintf(name, sizeof(name), "%s", vpn_tun());
	(void)snprintf(path, sizeof(path), "/var/run/wireguard/%s.sock", name);
	(void)unlink(path);
	vpn.wireguard = spawn(argv, -1, -1, true);
	while (!interface_exists() || !takes_connections(path)) {
		if (now_ms() > until)
			return -1;
		sleep_ms(5);
	}
	return 0;
}

static int make_interface(void)
{
	const char *how = setting("WIREGUARD_IMPLEMENTATION", "auto");

	if (strcmp(how, "userspace") != 0 &&
	    run_quiet("ip link add %s type wireguard", vpn_tun()) == 0)
		return 0;
	return strcmp(how, "kernelspace") == 0 ? -1 : make_in_userspace();
}

/* The peer may send from anywhere; WIREGUARD_ALLOWED_IPS are routes only, as upstream. */
static int configure_peer(void)
{
	char conf[2048], wg[] = "wg", verb[] = "setconf", name[IF_NAMESIZE], in[] = "/dev/stdin";
	char *argv[] = { wg, verb, name, in, NULL };
	const char *psk = setting("WIREGUARD_PRESHARED_KEY", "");

	(void)snprintf(name, sizeof(name), "%s", vpn_tun());
	(void)snprintf(conf, sizeof(conf),
		       "[Interface]\nPrivateKey = %s\nFwMark = " FWMARK
		       "\n[Peer]\nPublicKey = %s\n%s%s%sEndpoint = %s:%s\n"
		       "AllowedIPs = 0.0.0.0/0,::/0\nPersistentKeepalive = %u\n",
		       required("WIREGUARD_PRIVATE_KEY"), required("WIREGUARD_PUBLIC_KEY"),
		       *psk ? "PresharedKey = " : "", psk, *psk ? "\n" : "",
		       required("WIREGUARD_ENDPOINT_IP"), required("WIREGUARD_ENDPOINT_PORT"),
		       setting_seconds("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL"));
	return feed(argv, conf);
}

static int add_addresses(void)
{
	const char *list = required("WIREGUARD_ADDRESSES");
	char one[64];

	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, one, sizeof(one)); i++)
		if (run("ip address add %s dev %s", one, vpn_tun()))
			return -1;
	return 0;
}

static int add_routes(void)
{
	const char *list = setting("WIREGUARD_ALLOWED_IPS", "0.0.0.0/0");
	char one[64];

	for (unsigned i = 0; i < list_count(list) && list_pick(list, i, one, sizeof(one)); i++)
		if (!strchr(one, ':') &&
		    run("ip route replace %s dev %s table " FWMARK, one, vpn_tun()))
			return -1;
	return run("ip rule add not fwmark " FWMARK " table " FWMARK " priority 101");
}

static int configure_interface(void)
{
	say("wireguard", "Connecting to %s:%s", required("WIREGUARD_ENDPOINT_IP"),
	    required("WIREGUARD_ENDPOINT_PORT"));
	return add_addresses() || configure_peer() ||
	       run("ip link set %s mtu %s up", vpn_tun(), setting("WIREGUARD_MTU", "1320")) ||
	       add_routes();
}

/* The tunnel goes; the firewall, the DNS server and the last word of the health checks stay. */
static void vpn_down(void)
{
	health_stop();
	firewall_vpn_ports(vpn_tun(), true);
	(void)run_quiet("ip rule del priority 101");
	end_child(&vpn.wireguard);
	if (interface_exists())
		(void)run_quiet("ip link del %s", vpn_tun());
}

static void crashed(const char *why)
{
	vpn_down();
	vpn.state = VPN_CRASHED;
	say("vpn", "ERROR %s", why);
	say("vpn", "retrying in %ds", (int)(vpn.backoff / 1000));
	vpn.retry_at = now_ms() + vpn.backoff;
	vpn.backoff *= 2;
}

void vpn_up(void)
{
	firewall_allow_vpn(required("WIREGUARD_ENDPOINT_IP"), required("WIREGUARD_ENDPOINT_PORT"),
			   vpn_tun());
	if (make_interface() < 0 || configure_interface() != 0) {
		crashed("the tunnel could not be made");
		return;
	}
	sleep_ms(SETTLE_MS);
	vpn.state = VPN_RUNNING;
	vpn.backoff = BACKOFF_MS;
	say("vpn", "wireguard setup is complete");
	firewall_vpn_ports(vpn_tun(), false);
	vpn.dns_due = true;
	health_start();
}

/* Release 3.41 starts its DNS server when the first check of a tunnel has passed, so some time after its container is
 * called healthy. */
void vpn_checked(void)
{
	if (vpn.dns_due)
		dns_start();
	vpn.dns_due = false;
}

void vpn_stop(void)
{
	vpn_down();
	vpn.state = VPN_STOPPED;
	say("vpn", "stopped");
}

void vpn_restart(const char *why)
{
	say("vpn", "WARN restarting VPN because it failed to pass the healthcheck: %s", why);
	vpn_down();
	vpn.state = VPN_STARTING;
	vpn_up();
}

bool vpn_ended(pid_t pid)
{
	if (pid != vpn.wireguard)
		return false;
	vpn.wireguard = 0;
	crashed("the tunnel's device has ended");
	return true;
}

void vpn_tick(void)
{
	if (vpn.state == VPN_CRASHED && now_ms() >= vpn.retry_at)
		vpn_up();
}
