/* SPDX-License-Identifier: MIT */
/* Stand-in for the Gluetun gateway: the same settings, firewall commands in the same order, restarts, DNS, health and
 * control servers, with the same weak spots. It follows the program as it was in May 2026 (189 commits after its
 * release 3.41.1), and the release where that is worse. One process and its children; no threads. */
#ifndef STANDIN_GATEWAY_H
#define STANDIN_GATEWAY_H

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TEXT_MAX 65536

/* ---- gw_settings.c: secret file, then file, then environment, as upstream ---- */

/* The value, or fallback where it is empty or not set. Lives until the program ends. */
const char *setting(const char *key, const char *fallback);
bool setting_on(const char *key, bool fallback);
/* Ends the program where it is not set. */
const char *required(const char *key);
/* Seconds of "25s", "1m30s", "0". */
unsigned setting_seconds(const char *key);
/* The n-th of a comma-separated list, round and round; false where the list is empty. */
bool list_pick(const char *list, unsigned n, char *out, size_t size);
unsigned list_count(const char *list); /* 0 for "" */
/* A whole file without its trailing white space, at most TEXT_MAX; NULL = cannot be read. Caller frees. */
char *read_file(const char *path);

/* ---- gw_run.c: time, log, child processes ---- */

int64_t now_ms(void); /* monotonic */
void sleep_ms(int64_t ms);
void say(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Says so and ends the program with status 1. */
void die(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Start a child with in and out as its standard input and output (-1 = ours); its pid. */
pid_t spawn(char *const argv[], int in, int out, bool quiet);
/* Fork a child that has no signal blocked; 0 in the child. */
pid_t fork_plain(void);
/* One command, words separated by blanks; its exit status. quiet: its output goes nowhere. */
int run_line(const char *line, bool quiet);
int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int run_quiet(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Standard output of a command; NULL when it fails. Caller frees. */
char *capture(const char *line);
/* Run argv with text on its standard input. The text must fit a pipe (64 KiB, pipe(7)). */
int feed(char *const argv[], const char *text);
/* SIGTERM, after 1.5 s SIGKILL, reap; *pid becomes 0. */
void end_child(pid_t *pid);

/* ---- gw_net.c: networks and routing ---- */

#define NETS_MAX 8

struct local_net {
	char dev[IF_NAMESIZE];
	char address[INET_ADDRSTRLEN]; /* the device's first */
	char prefix[INET_ADDRSTRLEN + 3];
};

struct default_route {
	char dev[IF_NAMESIZE];
	char address[INET_ADDRSTRLEN];
	char router[INET_ADDRSTRLEN];
};

extern struct local_net local_nets[NETS_MAX];
extern size_t n_local_nets;
extern struct default_route default_routes[NETS_MAX];
extern size_t n_default_routes;

void net_find(void); /* ends the program where there is no default route */
void net_set_up(void);
void net_tear_down(void);

/* ---- gw_firewall.c ---- */

extern bool firewall_on;

void firewall_find(void);
void firewall_enable(void);   /* ends the program on a failure */
void firewall_version(void);  /* upstream asks for it when the firewall is up */
void firewall_outbound(void); /* FIREWALL_OUTBOUND_SUBNETS */
void firewall_input(void);    /* FIREWALL_INPUT_PORTS */
void firewall_allow_vpn(const char *address, const char *port, const char *tun);
/* FIREWALL_VPN_INPUT_PORTS, at each tunnel-up and tunnel-down. */
void firewall_vpn_ports(const char *tun, bool remove);

/* ---- gw_dns.c ---- */

void dns_find_local(void); /* before the first dns_start() */
void dns_start(void);	   /* nothing where it runs, is switched off, or a retry is due */
void dns_stop(void);
bool dns_running(void);
bool dns_ended(pid_t pid, int status); /* of waitpid(); true: it was one of the server's */
void dns_tick(void);		       /* starts it again when that is due */

/* ---- gw_health.c ---- */

/* `gluetun-entrypoint healthcheck`, as Docker's health check runs it: exit status. */
int healthcheck(void);
bool health_good(void);
void health_start(void); /* a child that checks; at each tunnel-up */
void health_stop(void);	 /* the last word stays, as upstream */
int health_fd(void);	 /* readable when the child has something to say; -1 = none runs */
/* Take its word: NULL, or why the VPN must be restarted. */
const char *health_read(void);

/* ---- gw_vpn.c ---- */

enum vpn_state { VPN_STOPPED, VPN_STARTING, VPN_RUNNING, VPN_CRASHED };

void vpn_check_settings(void); /* ends the program where they are not valid */
const char *vpn_tun(void);
enum vpn_state vpn_state(void);
void vpn_up(void);
void vpn_stop(void);
void vpn_restart(const char *why);
void vpn_checked(void);	   /* a check has had its word: lookups may begin */
bool vpn_ended(pid_t pid); /* true: it was the tunnel's */
void vpn_tick(void);	   /* tries again after a crash when it is time */

/* ---- gw_http.c: as much HTTP as two small servers need ---- */

/* Listen on "[host]:port" of a setting; ends the program where that is not possible. */
int http_listen(const char *address);
void http_reply(int fd, int status, const char *headers, const char *body);
/* Head and, where one is announced, body of a small request; at most half a second. */
void http_receive(int fd, char *buf, size_t size);
/* Value of a header in a request; false where it has none. */
bool http_header(const char *request, const char *name, char *out, size_t size);

/* ---- gw_roles.c: who may use which route of the control server ---- */

void roles_read(void); /* ends the program where the file is not valid, as upstream */
/* 0 = allowed, else the HTTP status to refuse with; *basic: a password would have been accepted. */
int roles_refuse(const char *method, const char *path, const char *request, bool *basic);

/* ---- gw_control.c ---- */

void control_serve(int listener);
void health_serve(int listener);

#endif
