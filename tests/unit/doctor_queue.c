/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds `synpaws doctor` to what it says of rules, queues and what the daemon needs, over a tree
 * with programs and tables of its own: who loses packets, who might, and what only root can see.
 */
#include "doctor_tree.h"

#include <sys/socket.h>
#include <sys/un.h>

#define NETLINK                                                                                      \
	"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n" \
	"0000000000000000 0   3271       00000000 0        0        0     2        0        11\n"    \
	"0000000000000000 12  3271       00000000 0        0        0     2        0        4242\n"

#define WITH_BYPASS    "-A SYNPAWS -j NFQUEUE --queue-num 0 --queue-bypass"
#define WITHOUT_BYPASS "-A INPUT -j NFQUEUE --queue-balance 0:1"

/* A machine with nothing loaded. */
static void machine(void)
{
	void *none = NULL;

	remove_tree(&none);
	assert_int_equal(make_tree(&none), 0);
	put("proc/sys/kernel/osrelease", "3.10.0-1160.el7.x86_64\n");
	put("proc/sys/net/ipv4/tcp_tw_recycle", "0\n");
	put("proc/net/netstat", "TcpExt: PAWSPassive\nTcpExt: 0\n");
	put_root();
}

/* Process 812 has the queue's socket, not 3271, whose number the port id is. */
static void put_listener(const char *name, const char *queues)
{
	char path[256], comm[64];

	put("proc/net/netfilter/nfnetlink_queue", queues);
	put("proc/net/netlink", NETLINK);
	put("proc/3271/comm", "innocent\n");
	snprintf(comm, sizeof(comm), "%s\n", name);
	put("proc/812/comm", comm);
	put("proc/812/fd/0", "");
	snprintf(path, sizeof(path), "%s/proc/812/fd/5", tree);
	assert_true(symlink("socket:[4242]", path) == 0 || errno == EEXIST);
}

static void test_no_programs(void **state)
{
	(void)state;
	machine();
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_WARN, "neither iptables-save nor nft", "install");
	expect("queue", DOCTOR_INFO, "nobody listens on any queue", "");
}

static void test_no_rules(void **state)
{
	(void)state;
	machine();
	put_program("sbin/iptables-save", "*mangle\n:INPUT ACCEPT [0:0]\nCOMMIT");
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_INFO, "no rule hands packets", "synpaws-rules load");
}

static void test_rule_and_daemon(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", WITH_BYPASS);
	put_program("usr/sbin/ip6tables-save", WITH_BYPASS);
	put_program("usr/sbin/nft", "table ip mangle {\n\t\tx queue num 0 bypass\n}");
	put_listener("synpaws", "    0   3271    12 2   160     0     0     5019  1\n");
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_OK, "2 rule(s) feed queue 0, IPv4 and IPv6, with bypass", "");
	expect("queue", DOCTOR_OK, "queue 0: synpaws (process 812) listens, 12 packets wait", "");
}

static void test_rule_and_nobody(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", WITH_BYPASS);
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_WARN, "IPv4 only, with bypass, but nobody listens on queue 0",
	       "synpaws watch --profile el7 --queue 0");
}

static void test_packets_are_lost(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/ip6tables-legacy-save", WITHOUT_BYPASS);
	put_listener("synpaws", "    0   3271    0 2   160     0     0     5019  1\n");
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect("rules", DOCTOR_BAD,
	       "queues 0 to 1, IPv6 only, without bypass, and nobody "
	       "listens on queue 1: those packets are dropped",
	       "--queue 0:1");
	put_listener("synpaws", "    1   9    0 2   160     0     0     5019  1\n"
				"    0   3271    0 2   160     0     0     5019  1\n");
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_WARN, "without bypass: should its listener end", "--queue-bypass");
	expect("queue", DOCTOR_OK, "queue 1: a process not to be seen from here (port id 9)", "");
}

/* As after another program has loaded its own rules. */
static void test_daemon_without_rule(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/nft", "table inet filter {\n\t\taccept\n}");
	put_listener("synpaws", "    0   3271    0 2   160     0     0     5019  1\n");
	assert_int_equal(look(NULL), 0);
	expect("queue", DOCTOR_WARN, "synpaws (process 812) listens, but no rule feeds it",
	       "synpaws-rules load");
}

static void test_drops_at_the_queue(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", WITH_BYPASS);
	put_listener("suricata", "    0  -4096    3 2   160     4     5     5019  1\n");
	put("proc/net/netlink", "x\n"
				"0000000000000000 12  -4096      00000000 0 0 0 2 0 4242\n");
	assert_int_equal(look(NULL), 0);
	expect("queue", DOCTOR_WARN,
	       "suricata (process 812) listens, 3 packets wait; the kernel has dropped 4 at the "
	       "full queue and 5 at the full socket",
	       "--queue 0:3");
}

/* Old kernels do not name the socket: then the port id is taken for the process. */
static void test_old_netlink_table(void **state)
{
	(void)state;
	machine();
	put_listener("synpaws", "    0   3271    0 2   160     0     0     5019  1\n");
	put("proc/net/netlink", "x\n0000000000000000 12  3271   00000000 0 0 0 2\n");
	assert_int_equal(look(NULL), 0);
	expect("queue", DOCTOR_OK, "innocent (process 3271)", "");
}

static void test_hostile_tables(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", WITH_BYPASS);
	put_listener("synpaws", "\nqueue\n70000 1 2 3 4 5 6\n0 1 2 3 4 5\n-1 -1 -1\n");
	put("proc/net/netlink", "12\n12 12 12\n");
	assert_int_equal(look(NULL), 0);
	expect("queue", DOCTOR_INFO, "nobody listens on any queue", "");
}

static void test_without_root(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", WITHOUT_BYPASS);
	put_nobody();
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_INFO, "not root", "sudo");
	expect("privileges", DOCTOR_INFO, "user 1000 without CAP_NET_ADMIN", "");
	expect_next("the check is off");
	expect_next("not root");
}

/* Old ones do where no rule was ever loaded. */
static void test_program_that_fails(void **state)
{
	(void)state;
	machine();
	put_program("usr/sbin/iptables-save", "*mangle\nEND\nexit 1\ncat <<END");
	put_listener("synpaws", "    0   3271    0 2   160     0     0     5019  1\n");
	assert_int_equal(look(NULL), 0);
	expect("rules", DOCTOR_INFO, "there is no rule, or they cannot see it", "");
	expect("queue", DOCTOR_OK, "synpaws (process 812) listens", "");
}

static void test_tracking(void **state)
{
	(void)state;
	machine();
	assert_int_equal(look(NULL), 0);
	expect("conntrack", DOCTOR_INFO, "not tracked here", "");
	put("proc/sys/net/netfilter/nf_conntrack_max", "1000\n");
	put("proc/sys/net/netfilter/nf_conntrack_count", "899\n");
	assert_int_equal(look(NULL), 0);
	expect("conntrack", DOCTOR_OK, "899 of 1000", "");
	put("proc/sys/net/netfilter/nf_conntrack_count", "900\n");
	put_program("usr/sbin/iptables-save",
		    "-A SYNPAWS -m connmark --mark 1/1 -j NFQUEUE --queue-num 0 --queue-bypass");
	assert_int_equal(look(NULL), 0);
	expect("conntrack", DOCTOR_WARN, "900 of 1000", "--evidence syn");
	put("proc/sys/net/netfilter/nf_conntrack_count", "1000\n");
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect("conntrack", DOCTOR_BAD, "new ones are dropped", "nf_conntrack_max");
}

static void test_syslog(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	machine();
	look(NULL);
	expect("syslog", DOCTOR_WARN, "nobody listens on /dev/log", "--log stdout");
	put("dev/null", "");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dev/log", tree);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	look(NULL);
	expect("syslog", DOCTOR_OK, "somebody listens", "");
	close(fd);
	look(NULL);
	expect("syslog", DOCTOR_WARN, "nobody listens on /dev/log", "");
}

int main(void)
{
	const struct CMUnitTest queue[] = {
		cmocka_unit_test(test_no_programs),
		cmocka_unit_test(test_no_rules),
		cmocka_unit_test(test_rule_and_daemon),
		cmocka_unit_test(test_rule_and_nobody),
		cmocka_unit_test(test_packets_are_lost),
		cmocka_unit_test(test_daemon_without_rule),
		cmocka_unit_test(test_drops_at_the_queue),
		cmocka_unit_test(test_old_netlink_table),
		cmocka_unit_test(test_hostile_tables),
		cmocka_unit_test(test_without_root),
		cmocka_unit_test(test_program_that_fails),
		cmocka_unit_test(test_tracking),
		cmocka_unit_test(test_syslog),
	};

	return cmocka_run_group_tests(queue, make_tree, remove_tree);
}
