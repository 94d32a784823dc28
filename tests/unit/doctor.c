/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds `synpaws doctor` to what it must say of machines of each age, by trees of files as their
 * kernels show them: whether they refuse SYNs, what their counters mean, what to do next, and the
 * exit status. doctor_queue.c has the rules and queues.
 */
#include "doctor_tree.h"

#define EL6_NETSTAT(passive, drops)                                                       \
	"TcpExt: SyncookiesSent TW TWRecycled TWKilled PAWSPassive PAWSActive PAWSEstab " \
	"ListenOverflows ListenDrops\n"                                                   \
	"TcpExt: 0 100 0 40 " passive " 0 780 0 " drops "\n"

#define EL7_NETSTAT(passive, overflows, drops)                                            \
	"TcpExt: SyncookiesSent TW TWRecycled TWKilled PAWSPassive PAWSActive PAWSEstab " \
	"ListenOverflows ListenDrops TCPReqQFullDrop TCPACKSkippedTimeWait\n"             \
	"TcpExt: 5 100 3 40 " passive " 2 780 " overflows " " drops " 9 0\n"

#define NEW_NETSTAT(overflows, drops)                                                       \
	"TcpExt: TW TWRecycled TWKilled PAWSActive PAWSEstab PAWSTimewait ListenOverflows " \
	"ListenDrops TCPACKSkippedTimeWait\n"                                               \
	"TcpExt: 100 0 0 0 0 6 " overflows " " drops " 4\n"

/* A machine with this kernel; "" for a setting that is not there. */
static void machine(const char *release, const char *recycle, const char *netstat)
{
	void *none = NULL;

	remove_tree(&none);
	assert_int_equal(make_tree(&none), 0);
	put("proc/sys/kernel/osrelease", release);
	put("proc/sys/net/ipv4/tcp_timestamps", "1\n");
	put("proc/sys/net/ipv4/tcp_syncookies", "1\n");
	put("proc/sys/net/ipv4/tcp_fin_timeout", "60\n");
	put("proc/sys/net/ipv4/tcp_tw_reuse", "0\n");
	if (*recycle != '\0')
		put("proc/sys/net/ipv4/tcp_tw_recycle", recycle);
	if (netstat != NULL)
		put("proc/net/netstat", netstat);
	put_root();
}

static void test_el6_that_refused(void **state)
{
	(void)state;
	machine("2.6.32-754.35.1.el6.x86_64\n", "1\n", EL6_NETSTAT("8316", "0"));
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect("kernel", DOCTOR_INFO, "profile el6 (RHEL and CentOS 6)", "");
	expect("tcp_tw_recycle", DOCTOR_BAD, "is on", "sysctl -w net.ipv4.tcp_tw_recycle=0");
	expect("PAWSPassive", DOCTOR_BAD,
	       "8316 passive connections rejected because of time stamp since boot", "");
	expect("PAWSEstab", DOCTOR_INFO,
	       "780 packets rejects in established connections because of timestamp", "");
	expect("TWKilled", DOCTOR_INFO, "40 TCP sockets finished time wait in slow timer", "");
	expect("now", DOCTOR_OK, "in 1 s", "");
	expect_no("ListenDrops");
	expect_next("this kernel has refused 8316 connections since boot: sysctl -w "
		    "net.ipv4.tcp_tw_recycle=0");
	expect_next("synpaws watch --profile el6");
	assert_int_equal(told.waited, 1);
	assert_int_equal(told.now.value[COUNTER_PAWS_PASSIVE], 8316);
}

static void test_el7_that_refuses_now(void **state)
{
	(void)state;
	machine("3.10.0-1160.el7.x86_64\n", "1\n", EL7_NETSTAT("0", "0", "0"));
	assert_int_equal(look(EL7_NETSTAT("12", "0", "12")), DOCTOR_EXIT_REFUSING);
	expect("kernel", DOCTOR_INFO, "profile el7", "");
	expect("tcp_tw_recycle", DOCTOR_WARN, "is on", "sysctl -w");
	expect("PAWSPassive", DOCTOR_OK, "0 passive connections rejected", "");
	expect("now", DOCTOR_BAD, "PAWSPassive grew by 12 in 1 s: it happens now", "sysctl -w");
	expect_next("is refusing connections because of timestamps now: sysctl -w");
	assert_int_equal(told.since.value[COUNTER_PAWS_PASSIVE], 12);
	assert_int_equal(told.now.value[COUNTER_PAWS_PASSIVE], 12);
}

static void test_el7_on_but_quiet(void **state)
{
	(void)state;
	machine("3.10.0-1160.el7.x86_64\n", "1\n", EL7_NETSTAT("0", "0", "0"));
	assert_int_equal(look(NULL), 0);
	expect_next("it has refused nobody yet");
}

static void test_el7_off(void **state)
{
	(void)state;
	machine("3.10.0-1160.el7.x86_64\n", "0\n", EL7_NETSTAT("7", "0", "7"));
	assert_int_equal(look(NULL), 0);
	expect("tcp_tw_recycle", DOCTOR_OK, "is off", "");
	expect("PAWSPassive", DOCTOR_INFO, "7 passive connections rejected", "");
	expect("PAWSPassive", DOCTOR_INFO, "while tcp_tw_recycle was on", "");
	expect("ListenDrops", DOCTOR_INFO, "7 SYNs to LISTEN sockets dropped", "");
	expect("ListenDrops", DOCTOR_INFO, "because of time stamp are among them", "");
	expect("SyncookiesSent", DOCTOR_INFO, "5 SYN cookies sent", "");
	expect("TCPReqQFullDrop", DOCTOR_INFO, "TCPReqQFullDrop: 9", "tcp_syncookies=1");
	expect("PAWSActive", DOCTOR_INFO, "2 active connections rejected because of time stamp",
	       "");
	expect("TWRecycled", DOCTOR_INFO, "3 time wait sockets recycled by time stamp", "");
	expect_next("Before you switch tcp_tw_recycle on");
	expect_next("synpaws watch --profile el7");
}

/* Full queues look alike from outside: the counters tell them apart. */
static void test_full_queue_is_another_problem(void **state)
{
	(void)state;
	machine("4.9.0-19-amd64\n", "0\n", EL7_NETSTAT("0", "40", "52"));
	assert_int_equal(look(EL7_NETSTAT("0", "41", "54")), 0);
	expect("kernel", DOCTOR_INFO, "profile 4.x", "");
	expect("ListenDrops", DOCTOR_INFO,
	       "52 SYNs to LISTEN sockets dropped, 40 times the listen queue of a socket "
	       "overflowed: a service did not accept",
	       "net.core.somaxconn");
	expect("now", DOCTOR_WARN, "ListenDrops grew by 2, ListenOverflows by 1, PAWSPassive not",
	       "");
}

static void test_both_at_once(void **state)
{
	(void)state;
	machine("4.9.0-19-amd64\n", "1\n", EL7_NETSTAT("10", "40", "52"));
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect("ListenDrops", DOCTOR_INFO, "but a full queue has its share", "backlog");
}

/* Before 3.10 such drops are not among ListenDrops. */
static void test_el6_counts_them_apart(void **state)
{
	(void)state;
	machine("2.6.32-754.el6.x86_64\n", "1\n", EL6_NETSTAT("8316", "5"));
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect("ListenDrops", DOCTOR_INFO, "not because of timestamps", "");
}

static void test_kernel_without_check(void **state)
{
	(void)state;
	machine("6.18.44\n", "", NEW_NETSTAT("0", "0"));
	assert_int_equal(look(NULL), 0);
	expect("kernel", DOCTOR_INFO, "has no per-peer timestamp check", "");
	expect("tcp_tw_recycle", DOCTOR_OK, "no net.ipv4.tcp_tw_recycle", "");
	expect("PAWSPassive", DOCTOR_OK, "does not count", "");
	expect("TIME_WAIT", DOCTOR_INFO, "PAWSTimewait: 6, TCPACKSkippedTimeWait: 4", "");
	expect_no("TWKilled");
	expect_next("nothing to switch");
	expect_next("synpaws watch --gateway");
}

/* Linux 4.9 in a container: its counter is there, its setting is not. */
static void test_container_that_hides_it(void **state)
{
	(void)state;
	machine("4.9.0-19-amd64\n", "", EL7_NETSTAT("0", "0", "0"));
	assert_int_equal(look(NULL), 0);
	expect("tcp_tw_recycle", DOCTOR_WARN, "does not show it here", "on the machine itself");
	expect_next("look on the machine itself");
	assert_int_equal(look(EL7_NETSTAT("1", "0", "1")), DOCTOR_EXIT_REFUSING);
	expect_next("is refusing connections");
	assert_int_equal(look(NULL), DOCTOR_EXIT_BAD);
	expect_next("has refused 1 connections since boot");
}

/* The counters know better than the version. */
static void test_patched_kernel(void **state)
{
	(void)state;
	machine("4.4.0\n", "", NEW_NETSTAT("0", "0"));
	assert_int_equal(look(NULL), 0);
	expect("tcp_tw_recycle", DOCTOR_OK, "no net.ipv4.tcp_tw_recycle", "");
}

static void test_no_counters(void **state)
{
	(void)state;
	machine("4.9.0\n", "", NULL);
	assert_int_equal(look(NULL), 0);
	expect("counters", DOCTOR_WARN, "cannot be read", "/proc");
	expect("tcp_tw_recycle", DOCTOR_WARN, "does not show it", "");
	expect_no("now");
	machine("5.10.0\n", "", "garbage\n");
	assert_int_equal(look(NULL), 0);
	expect("tcp_tw_recycle", DOCTOR_OK, "no net.ipv4.tcp_tw_recycle", "");
}

static void test_other_settings(void **state)
{
	(void)state;
	machine("4.9.0\n", "1\n", EL7_NETSTAT("0", "0", "0"));
	put("proc/sys/net/ipv4/tcp_timestamps", "0\n");
	put("proc/sys/net/ipv4/tcp_syncookies", "2\n");
	put("proc/sys/net/ipv4/tcp_fin_timeout", "120\n");
	look(NULL);
	expect("tcp_timestamps", DOCTOR_INFO, "soon has nothing to check", "");
	expect("tcp_syncookies", DOCTOR_INFO, "none is checked", "");
	expect("tcp_fin_timeout", DOCTOR_INFO, "when the peer closes too", "");
	expect("tcp_tw_reuse", DOCTOR_INFO, "refuses none that come in", "");
	machine("3.10.0\n", "1\n", EL7_NETSTAT("0", "0", "0"));
	put("proc/sys/net/ipv4/tcp_syncookies", "2\n");
	look(NULL); /* there 2 is like 1 */
	expect("tcp_syncookies", DOCTOR_INFO, "net.ipv4.tcp_syncookies=2", "");
	assert_null(strstr(told.text[3], "none is checked"));
}

static void test_nothing_at_all(void **state)
{
	void *none = NULL;

	(void)state;
	remove_tree(&none);
	assert_int_equal(make_tree(&none), 0);
	assert_int_equal(look(NULL), 0);
	expect("kernel", DOCTOR_INFO, "Linux ?", "");
	expect("privileges", DOCTOR_INFO, "without CAP_NET_ADMIN", "root");
	expect_next("not root");
}

int main(void)
{
	const struct CMUnitTest doctor[] = {
		cmocka_unit_test(test_el6_that_refused),
		cmocka_unit_test(test_el7_that_refuses_now),
		cmocka_unit_test(test_el7_on_but_quiet),
		cmocka_unit_test(test_el7_off),
		cmocka_unit_test(test_full_queue_is_another_problem),
		cmocka_unit_test(test_both_at_once),
		cmocka_unit_test(test_el6_counts_them_apart),
		cmocka_unit_test(test_kernel_without_check),
		cmocka_unit_test(test_container_that_hides_it),
		cmocka_unit_test(test_patched_kernel),
		cmocka_unit_test(test_no_counters),
		cmocka_unit_test(test_other_settings),
		cmocka_unit_test(test_nothing_at_all),
	};

	return cmocka_run_group_tests(doctor, make_tree, remove_tree);
}
