/* test_gateway_rules.c - each row of the decision table, shown by the smallest example. */
#include "gateway_case.h"

/* Which rows of the decision table the examples below have reached. */
static bool case_seen[128];

/* The only row must have that verdict by that condition of the table. */
static void case_expect(struct gateway_case texts, enum gateway_verdict verdict,
                        const char *condition)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(texts, &report);

    assert_int_equal(report->row_count, 1);
    assert_string_equal(report->rows[0].rule->condition, condition);
    assert_int_equal(report->rows[0].verdict, verdict);
    assert_true(report->rows[0].sentence.len_bytes > 0);
    assert_true(report->rows[0].advice.len_bytes > 0);
    assert_null(strchr(report->rows[0].sentence.ptr, '{'));
    case_seen[report->rows[0].rule - gateway_rules] = true;
    gateway_free(gateway);
}

#define URI         "/a/?b=1"
#define IP          "192.0.2.7"
#define ACCESS_502  BACK("4", "502", URI, "0.120", IP)
#define ERROR_RESET FAULT("4", RESET, URI, IP, PHP_SOCKET)
#define IN_FLIGHT   EVENTS BEG("4", "000000", "41", URI, IP)
/* The stream goes on, so that whoever is silent is silent for a reason. */
#define LATER                                                                                      \
    BEG("9", "000000", "77", "/other", IP) RSP("9", "100000", "77", "200") REQ("9", "100200", "77")

static void expect_fault(const char *error, enum gateway_verdict verdict, const char *condition)
{
    case_expect((struct gateway_case){.access = ACCESS_502, .error = error}, verdict, condition);
}

static void test_refusals_are_named_by_nginx(void **state)
{
    (void) state;
    expect_fault(FAULT("4",
                       "upstream sent too big header while reading response header from upstream",
                       URI, IP, PHP_SOCKET),
                 VERDICT_header_too_big, "header_too_big_from_php");
    expect_fault(FAULT("4",
                       "connect() to unix:/run/php/fpm.sock failed (11: Resource temporarily "
                       "unavailable) while connecting to upstream",
                       URI, IP, PHP_SOCKET),
                 VERDICT_pool_exhausted, "backlog_was_full");
    expect_fault(
        FAULT("4", "upstream timed out (110: Connection timed out) while connecting to upstream",
              URI, IP, "fastcgi://10.0.0.2:9000"),
        VERDICT_pool_exhausted, "connect_timed_out");
    expect_fault(FAULT("4",
                       "connect() to unix:/run/php/fpm.sock failed (2: No such file or directory) "
                       "while connecting to upstream",
                       URI, IP, PHP_SOCKET),
                 VERDICT_fpm_down, "fpm_socket_is_gone");
    expect_fault(FAULT("4", REFUSED, URI, IP, "fastcgi://127.0.0.1:9000"), VERDICT_fpm_down,
                 "fpm_refuses");
    expect_fault(FAULT("4",
                       "connect() to unix:/run/php/fpm.sock failed (13: Permission denied) while "
                       "connecting to upstream",
                       URI, IP, PHP_SOCKET),
                 VERDICT_fpm_down, "nginx_may_not_connect");
    expect_fault(
        FAULT("4", "no live upstreams while connecting to upstream", URI, IP, "fastcgi://php"),
        VERDICT_fpm_down, "nginx_had_given_up_php");
    expect_fault(FAULT("4",
                       "connect() to 10.0.0.2:9000 failed (99: Cannot assign requested address) "
                       "while connecting to upstream",
                       URI, IP, "fastcgi://10.0.0.2:9000"),
                 VERDICT_fpm_down, "nginx_cannot_connect");
    expect_fault(
        FAULT("4",
              "upstream timed out (110: Connection timed out) while reading response header "
              "from upstream",
              URI, IP, "fastcgi://unix:/run/php/fpm.sock"),
        VERDICT_php_read_timeout, "nginx_gave_up_waiting");
}

static void test_php_errors_explain_a_500(void **state)
{
    const char *access = BACK("4", "500", URI, "0.120", IP);

    (void) state;
    case_expect((struct gateway_case){.access = access,
                                      .php = "[22-Nov-2026 05:38:24 UTC] PHP Fatal error:  Allowed "
                                             "memory size of 50331648 bytes exhausted (tried to "
                                             "allocate 2097152 bytes) in /a.php on line 15\n"},
                VERDICT_php_memory_limit, "memory_limit_was_reached");
    case_expect((struct gateway_case){.access = access,
                                      .error = FAULT("4",
                                                     "FastCGI sent in stderr: \"PHP message: PHP "
                                                     "Fatal error:  Uncaught Exception: no in "
                                                     "/a.php:21\" while reading response header "
                                                     "from upstream",
                                                     URI, IP, PHP_SOCKET)},
                VERDICT_php_fatal, "php_ended_in_fatal_error");
}

static void expect_death(const char *events, const char *fpm, const char *kernel,
                         enum gateway_verdict verdict, const char *condition)
{
    case_expect((struct gateway_case){.access = ACCESS_502,
                                      .error = ERROR_RESET,
                                      .events = events,
                                      .fpm = fpm,
                                      .kernel = kernel},
                verdict, condition);
}

#define SEGFAULT(library)                                                                          \
    "Nov 22 05:38:24 shop kernel: php-fpm8.2[41]: segfault at 0 ip 00007f3a0952cad8 sp "           \
    "00007ffcdcff5188 error 4 in " library "[167ad8,7f3a093eb000+156000]\n"

static void test_a_reset_is_named_by_the_death(void **state)
{
    (void) state;
    expect_death(IN_FLIGHT CRASH("4", "118000", "41", SEGV) EXIT("4", "120000", "41", "11"), NULL,
                 NULL, VERDICT_worker_crash, "crashed");
    expect_death(IN_FLIGHT CRASH("4", "118000", "41", SEGV), NULL,
                 SEGFAULT("ioncube_loader_lin_8.2.so"), VERDICT_worker_crash, "crashed_in_ioncube");
    expect_death(IN_FLIGHT CRASH("4", "118000", "41", SEGV), NULL, SEGFAULT("newrelic-20220829.so"),
                 VERDICT_worker_crash, "crashed_in_apm");
    expect_death(IN_FLIGHT CRASH("4", "118000", "41", SEGV), NULL, SEGFAULT("php-fpm8.2"),
                 VERDICT_worker_crash, "crashed_in_php");
    expect_death(IN_FLIGHT CRASH("4", "118000", "41",
                                 "\"sig\":11,\"code\":1,\"addr\":\"0x7ffc0fd8\",\"ip\":\"0x55\","
                                 "\"sp\":\"0x7ffc0fe0\",\"sent\":false"),
                 NULL, NULL, VERDICT_worker_crash, "stack_overflowed");
    expect_death(
        IN_FLIGHT CRASH("4", "118000", "41", "\"sig\":6,\"code\":-6,\"sender\":41,\"ip\":\"0x55\""),
        NULL, NULL, VERDICT_worker_crash, "heap_was_corrupt");
    expect_death(IN_FLIGHT CRASH("4", "118000", "41", "\"sig\":7,\"code\":2,\"ip\":\"0x55\""), NULL,
                 NULL, VERDICT_worker_crash, "mapped_file_was_cut");
    expect_death(IN_FLIGHT
                 "{\"e\":\"exit\"," TS("4", "119000") ",\"pid\":41,\"master\":900,\"code\":70}\n",
                 NULL, NULL, VERDICT_worker_crash, "ended_itself");
}

static void test_a_kill_is_named_by_its_sender(void **state)
{
    (void) state;
    expect_death(IN_FLIGHT KILL("4", "118000", "41", "15") EXIT("4", "120000", "41", "15"), NULL,
                 NULL, VERDICT_request_timeout_killed, "request_ran_into_terminate_timeout");
    expect_death(IN_FLIGHT EXIT("4", "119000", "41", "15"), NULL, NULL, VERDICT_worker_killed,
                 "killed_from_outside");
    expect_death(IN_FLIGHT EXIT("4", "119000", "41", "9"), NULL, NULL, VERDICT_worker_killed,
                 "killed_or_oom");
    expect_death(
        IN_FLIGHT "{\"e\":\"kill\"," TS(
            "4",
            "118000") ",\"pid\":41,\"target\":41,\"sig\":9,\"master\":false}\n" EXIT("4", "119000",
                                                                                     "41", "9"),
        NULL, NULL, VERDICT_worker_killed, "killed_itself");
    expect_death(IN_FLIGHT LATER, NULL, NULL, VERDICT_worker_killed, "vanished");
}

#define OOM(invoker, tasks)                                                                        \
    "Nov 22 05:38:24 shop kernel: " invoker " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), "    \
    "order=0, oom_score_adj=0\n"                                                                   \
    "Nov 22 05:38:24 shop kernel: [  pid  ]   uid  tgid total_vm      rss pgtables_bytes "         \
    "swapents "                                                                                    \
    "oom_score_adj name\n" tasks                                                                   \
    "Nov 22 05:38:24 shop kernel: Out of memory: Killed process 41 (php-fpm8.2) "                  \
    "total-vm:763456kB, anon-rss:81920kB, file-rss:11328kB, shmem-rss:1608kB, UID:33 "             \
    "pgtables:1192kB oom_score_adj:0\n"
#define TASK(pid, pages, name)                                                                     \
    "Nov 22 05:38:24 shop kernel: [   " pid "]    33  " pid "   190864    " pages                  \
    "  1220608        0             0 " name "\n"

static void test_an_oom_kill_without_a_request_blames_no_request(void **state)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){.kernel = OOM("php-fpm8.2", TASK("41", "20480", "php-fpm8.2"))},
        &report);

    (void) state;
    assert_int_equal(report->row_count, 0);
    assert_int_equal(report->death_count, 1);
    assert_string_equal(report->deaths[0].rule->condition, "oom_killed_whoever_it_served");
    assert_true(slice_find(report->deaths[0].advice, SLICE("this request")) < 0);
    case_seen[report->deaths[0].rule - gateway_rules] = true;
    gateway_free(gateway);
}

static void test_the_oom_killer_may_take_a_bystander(void **state)
{
    (void) state;
    expect_death(
        IN_FLIGHT EXIT("4", "119000", "41", "9"), NULL,
        OOM("php-fpm8.2", TASK("41", "20480", "php-fpm8.2") TASK("42", "9000", "php-fpm8.2")),
        VERDICT_worker_oom_killed, "oom_killed");
    expect_death(IN_FLIGHT EXIT("4", "119000", "41", "9"), NULL,
                 OOM("mysqld", TASK("41", "20480", "php-fpm8.2") TASK("50", "900000", "mysqld")),
                 VERDICT_worker_oom_killed, "oom_killed_a_bystander");
}

static void expect_evidence(const char *events, const char *kernel, const char *text)
{
    const struct gateway_report *report;
    struct gateway *gateway = case_run(
        (struct gateway_case){
            .access = ACCESS_502, .error = ERROR_RESET, .kernel = kernel, .events = events},
        &report);
    bool found = false;

    assert_int_equal(report->row_count, 1);
    assert_int_equal(report->rows[0].verdict, VERDICT_worker_oom_killed);
    for (int i = 0; i < report->rows[0].evidence_count; i++)
        found |= slice_find(report->rows[0].evidence[i], slice_of(text)) >= 0;
    assert_true(found);
    gateway_free(gateway);
}

#define HELD(s, name, n, kib)                                                                      \
    "{\"e\":\"rss\"," TS(s, "000000") ",\"rss\":" kib ",\"n\":" n ",\"name\":\"" name "\"}\n"

static void test_an_oom_row_says_who_held_the_memory(void **state)
{
    (void) state;
    expect_evidence(IN_FLIGHT EXIT("4", "119000", "41", "9"),
                    OOM("mysqld", TASK("41", "20480", "php-fpm8.2") TASK(
                                      "42", "20480", "php-fpm8.2") TASK("50", "524288", "mysqld")),
                    "tasks: mysqld 2.0 GiB, php-fpm8.2 x2 160 MiB");
    expect_evidence(EVENTS HELD("2", "redis", "1", "10240") HELD("3", "import", "1", "2097152")
                        HELD("3", "php-fpm: pool www", "3", "204800")
                            IN_FLIGHT EXIT("4", "119000", "41", "9"),
                    OOM("import", ""), "before: import 2.0 GiB, php-fpm: pool www x3 200 MiB");
}

#define RESTART_KILLS                                                                              \
    KILL("4", "118000", "41", "3") KILL("4", "118020", "41", "15") EXIT("4", "121000", "41", "15")

#define TIMED_OUT                                                                                  \
    "upstream timed out (110: Connection timed out) while reading response header from upstream"

static void expect_advice(struct gateway_case texts, const struct gateway_owner *owner,
                          const char *words)
{
    const struct gateway_report *report;
    struct gateway *gateway = gateway_new(NULL);

    gateway_pass(gateway, GATEWAY_SCAN);
    case_feed(gateway, &texts);
    gateway_pass(gateway, GATEWAY_GATHER);
    case_feed(gateway, &texts);
    if (owner)
        gateway_note_owner(gateway, owner);
    report = gateway_finish(gateway);
    assert_int_equal(report->row_count, 1);
    if (slice_find(report->rows[0].advice, slice_of(words)) < 0)
        fail_msg("not in: %s", report->rows[0].advice.ptr);
    gateway_free(gateway);
}

static void test_advice_has_numbers_and_names_where_the_evidence_has_them(void **state)
{
    const struct gateway_owner owner = {GATEWAY_OWNER_CRASH, 41, CASE_BASE_US + 4118000,
                                        SLICE("Acme_Erp"), SLICE("Acme\\Push::send (Push.php:41)")};
    const struct gateway_case crash = {.access = ACCESS_502,
                                       .error = ERROR_RESET,
                                       .events = IN_FLIGHT CRASH("4", "118000", "41", SEGV)
                                           EXIT("4", "120000", "41", "11")};
    const struct gateway_case full = {
        .access = ACCESS_502,
        .error = FAULT("4",
                       "connect() to unix:/run/php/fpm.sock failed (11: Resource temporarily "
                       "unavailable) while connecting to upstream",
                       URI, IP, PHP_SOCKET),
        .events = EVENTS HELD("3", "php-fpm: pool www", "10", "1023990")
            HELD("3", "(available)", "0", "1024000") BEG("5", "000000", "41", "/later", IP)};
    const struct gateway_case reload = {.access = ACCESS_502,
                                        .error = ERROR_RESET,
                                        .events =
                                            IN_FLIGHT RESTART_KILLS MASTER("4", "300000", "900")};

    (void) state;
    expect_advice(crash, &owner, "the module Acme_Erp, which called it in Acme\\Push::send");
    expect_advice(crash, NULL, "the module that owns it");
    expect_advice(full, NULL, "memory is there for 19 in all: 10 workers took 100 MiB each");
    expect_advice(full, NULL, "listen.backlog by 1 or more");
    expect_advice(reload, NULL, "process_control_timeout = 30s");
}

static void test_a_restart_makes_innocents(void **state)
{
    (void) state;
    expect_death(IN_FLIGHT RESTART_KILLS MASTER("4", "300000", "900"), NULL, NULL,
                 VERDICT_pool_restart, "pool_was_reloaded");
    expect_death(IN_FLIGHT RESTART_KILLS MASTER("5", "300000", "950"), NULL, NULL,
                 VERDICT_pool_restart, "pool_was_restarted");
    expect_death(IN_FLIGHT RESTART_KILLS,
                 FPM("3", "NOTICE: fpm is running, pid 900")
                     FPM("4", "WARNING: failed processes threshold (3 in 60 sec) is reached, "
                              "initiating reload") FPM("4", "NOTICE: Reloading in progress ..."),
                 NULL, VERDICT_pool_restart, "pool_was_restarted_after_crashes");
    expect_death(NULL,
                 FPM("3", "NOTICE: fpm is running, pid 900")
                     FPM("4", "NOTICE: Reloading in progress ..."),
                 NULL, VERDICT_pool_restart, "queued_when_pool_was_reloaded");
    expect_death(NULL,
                 FPM("3", "NOTICE: fpm is running, pid 900") FPM("4", "NOTICE: Terminating ..."),
                 NULL, VERDICT_pool_restart, "queued_when_pool_stopped");
}

static void expect_varnish(const char *access, const char *error, const char *varnishlog,
                           const char *varnishd, enum gateway_verdict verdict,
                           const char *condition)
{
    case_expect(
        (struct gateway_case){
            .access = access, .error = error, .varnishlog = varnishlog, .varnishd = varnishd},
        verdict, condition);
}

#define BEREQ(error)                                                                               \
    "**  << BeReq    >> 4\n--  Begin          bereq 3 pass\n"                                      \
    "--  Timestamp      Start: 1795325904.000000 0.000000 0.000000\n"                              \
    "--  BereqMethod    GET\n--  BereqURL       " URI "\n"                                         \
    "--  BereqHeader    Host: shop.example\n--  FetchError     " error "\n"                        \
    "--  Timestamp      Error: 1795325904.118000 0.118000 0.000000\n"                              \
    "--  BerespStatus   503\n--  End\n\n"
#define CHILD_DIED                                                                                 \
    "Debug: Child (9902) Started\nInfo: Child (9902) said Child starts\n"                          \
    "Error: Child (9902) died signal=6\n"                                                          \
    "Error: Child (9902) Panic at: Sun, 22 Nov 2026 05:38:24 GMT\n"

static void test_varnish_is_told_apart_from_php(void **state)
{
    const char *front_502 = FRONT("4", "502", URI, "0.120", IP);
    const char *front_503 = FRONT("4", "503", URI, "0.120", IP);
    const char *reset = FAULT("4", RESET, URI, IP, VARNISH);

    (void) state;
    expect_varnish(front_502, FAULT("4", REFUSED, URI, IP, VARNISH), NULL, NULL,
                   VERDICT_varnish_down, "nginx_cannot_reach_varnish");
    expect_varnish(front_502,
                   FAULT("4", RESET, URI, IP, VARNISH) FAULT("5", REFUSED, "/x", IP, VARNISH), NULL,
                   NULL, VERDICT_varnish_down, "varnish_stopped_under_it");
    expect_varnish(front_502, reset, NULL, CHILD_DIED, VERDICT_varnish_child_died,
                   "varnish_child_died_then");
    expect_varnish(front_502, reset, NULL, NULL, VERDICT_upstream_keepalive_reset,
                   "varnish_closed_idle_connection");
    expect_varnish(front_502,
                   FAULT("4",
                         "upstream sent too big header while reading response header from upstream",
                         URI, IP, VARNISH),
                   NULL, NULL, VERDICT_header_too_big, "header_too_big_from_proxy");
    expect_varnish(front_503, NULL, BEREQ("backend default: fail errno 111 (Connection refused)"),
                   NULL, VERDICT_varnish_backend_unreachable, "varnish_cannot_connect");
    expect_varnish(BACK("4", "499", URI, "0.119", IP) FRONT("4", "503", URI, "0.120", IP), NULL,
                   BEREQ("first byte timeout (reused connection)"), NULL,
                   VERDICT_varnish_first_byte_timeout, "varnish_gave_up_waiting");
    expect_varnish(BACK("4", "200", URI, "0.119", IP) FRONT("4", "503", URI, "0.120", IP), NULL,
                   BEREQ("overflow"), NULL, VERDICT_varnish_fetch_error,
                   "varnish_could_not_use_answer");
}

static void expect_by_record(const char *access, const char *events, enum gateway_verdict verdict,
                             const char *condition)
{
    case_expect((struct gateway_case){.access = access, .events = events}, verdict, condition);
}

static void test_the_workers_record_replaces_a_missing_error_log(void **state)
{
    const char *at_once = BACK("4", "502", URI, "0.000", IP);

    (void) state;
    expect_by_record(at_once,
                     EVENTS BEG("3", "000000", "41", "/slow", IP) RSP("6", "000000", "41", "200")
                         REQ("6", "000100", "41"),
                     VERDICT_pool_exhausted, "all_workers_were_busy");
    expect_by_record(BACK("4", "504", URI, "1.000", IP),
                     EVENTS BEG("3", "000000", "41", "/slow", IP) RSP("6", "000000", "41", "200")
                         REQ("6", "000100", "41"),
                     VERDICT_pool_exhausted, "workers_stayed_busy");
    expect_by_record(at_once,
                     EVENTS BEG("3", "000000", "41", "/x", IP) RSP("3", "100000", "41", "200")
                         REQ("3", "100100", "41") "{\"e\":\"exit\"," TS(
                             "3", "200000") ",\"pid\":41,\"master\":900,\"code\":0}\n" LATER,
                     VERDICT_fpm_down, "no_worker_existed");
    expect_by_record(
        ACCESS_502,
        IN_FLIGHT "{\"e\":\"werr\"," TS("4", "117000") ",\"pid\":41,\"seq\":1,\"errno\":32}\n" RSP(
            "4", "118000", "41", "200") REQ("4", "118100", "41"),
        VERDICT_header_too_big, "nginx_hung_up_on_header");
}

static void expect_timeout_advice(const char *access, const char *words)
{
    const struct gateway_report *report;
    struct gateway *gateway =
        case_run((struct gateway_case){.access = access,
                                       .error = FAULT("4", TIMED_OUT, URI, IP, PHP_SOCKET)},
                 &report);

    assert_int_equal(report->row_count, 1);
    assert_true(slice_find(report->rows[0].advice, slice_of(words)) >= 0);
    gateway_free(gateway);
}

static void test_a_time_that_the_log_does_not_have_is_not_advised(void **state)
{
    (void) state;
    expect_timeout_advice(BACK("4", "504", URI, "3.001", IP), "request_terminate_timeout = 3s ");
    expect_timeout_advice(COMBINED("4", "504", URI, IP),
                          "request_terminate_timeout = fastcgi_read_timeout's value ");
}

static void test_what_is_not_decided_says_so(void **state)
{
    (void) state;
    case_expect((struct gateway_case){.access = ACCESS_502}, VERDICT_unknown, "nothing_decides");
    case_expect((struct gateway_case){.access = BACK("4", "499", URI, "0.120", IP)},
                VERDICT_unknown, "client_left");
    expect_by_record(BACK("4", "503", URI, "0.120", IP),
                     IN_FLIGHT RSP("4", "118000", "41", "503") REQ("4", "118100", "41"),
                     VERDICT_unknown, "application_answered");
}

static void test_every_row_of_the_table_is_reached_by_one_of_these_examples(void **state)
{
    (void) state;
    for (size_t i = 0; gateway_rules[i].condition; i++)
        if (!case_seen[i])
            fail_msg("no example reaches '%s'", gateway_rules[i].condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_are_named_by_nginx),
        cmocka_unit_test(test_php_errors_explain_a_500),
        cmocka_unit_test(test_a_reset_is_named_by_the_death),
        cmocka_unit_test(test_a_kill_is_named_by_its_sender),
        cmocka_unit_test(test_an_oom_kill_without_a_request_blames_no_request),
        cmocka_unit_test(test_the_oom_killer_may_take_a_bystander),
        cmocka_unit_test(test_an_oom_row_says_who_held_the_memory),
        cmocka_unit_test(test_advice_has_numbers_and_names_where_the_evidence_has_them),
        cmocka_unit_test(test_a_restart_makes_innocents),
        cmocka_unit_test(test_varnish_is_told_apart_from_php),
        cmocka_unit_test(test_the_workers_record_replaces_a_missing_error_log),
        cmocka_unit_test(test_a_time_that_the_log_does_not_have_is_not_advised),
        cmocka_unit_test(test_what_is_not_decided_says_so),
        cmocka_unit_test(test_every_row_of_the_table_is_reached_by_one_of_these_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
