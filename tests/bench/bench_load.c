/*
 * bench_load.c - a collector under the load of 200 simulated workers, over the real socket.
 *
 *   build/release/tests/bench/bench_load [SECONDS]       of each rate; default 5
 *
 * Each worker is a process that speaks the shim's protocol: connect by path, HELLO, then one packet
 * per request (REQUEST and two SAMPLEs), non-blocking, a full socket drops it.  The rate doubles
 * until packets are dropped.  The collector is $FPMSCOPE_BIN, or build/fpmscope.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fpmscope/wire_codec.h"
#include "bench/bench_request.h"

enum {
    WORKERS = 200,
    RATE_FIRST = 5000,
    RATE_MAX = 160000,
    SEND_BUFFER_BYTES = 256 * 1024,
    SETTLE_S = 300
};

struct tally {
    _Atomic uint64_t sent, dropped, late;
};

struct load {
    char directory[64], socket[96], data[96];
    pid_t collector;
    int64_t ended;       /* workers so far */
    struct tally *tally; /* shared with the workers */
};

struct usage {
    double cpu_s;
    long rss_kib;
};

static int64_t now_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t until_us)
{
    const struct timespec until = {.tv_sec = until_us / 1000000,
                                   .tv_nsec = until_us % 1000000 * 1000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* ---- a worker -------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int bytes = SEND_BUFFER_BYTES;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    for (int i = 0; connect(fd, (struct sockaddr *) &address, sizeof address) < 0; i++) {
        if (i == 500)
            _exit(1);
        usleep(10000);
    }
    return fd;
}

static size_t put(uint8_t *packet, size_t at, size_t index, const void *message)
{
    return at +
           wire_encode(&wire_messages[index], message, packet + at, WIRE_PACKET_MAX_BYTES - at);
}

static size_t request_packet(uint8_t *packet, uint64_t seq)
{
    const int64_t end_us = now_us(CLOCK_REALTIME);
    struct wire_request request = bench_request(seq);

    request.begin_us = end_us - 20000;
    request.response_us = end_us - 100;
    request.end_us = end_us;
    request.samples = 2;
    size_t length = put(packet, 0, WIRE_INDEX_REQUEST, &request);

    for (uint64_t i = 0; i < 2; i++) {
        const struct wire_sample sample = {
            .seq = seq, .id = seq * 2 + i, .size_bytes = 640, .interval_bytes = 65536, .stack = 1};

        length = put(packet, length, WIRE_INDEX_SAMPLE, &sample);
    }
    return length;
}

static uint64_t start_ticks(void)
{
    char line[1024] = "";
    unsigned long long ticks = 0;
    FILE *stat = fopen("/proc/self/stat", "re");

    if (stat && fgets(line, sizeof line, stat) && strrchr(line, ')'))
        sscanf(strrchr(line, ')') + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks);
    if (stat)
        fclose(stat);
    return ticks;
}

static void say_hello(int fd, uint8_t *packet)
{
    const struct wire_hello hello = {.version = WIRE_VERSION,
                                     .role = WIRE_ROLE_WORKER,
                                     .pid = (uint32_t) getpid(),
                                     .start_ticks = start_ticks(),
                                     .time_us = now_us(CLOCK_REALTIME)};
    const struct wire_stack stack = {.id = 1,
                                     .php = bench_text("save\tDOMDocument\t\nrun\tA\\B\t/a.php:7")};
    size_t length = put(packet, 0, WIRE_INDEX_HELLO, &hello);

    length = put(packet, length, WIRE_INDEX_STACK, &stack);
    if (send(fd, packet, length, MSG_NOSIGNAL) < 0)
        _exit(1);
}

/* `period_us` between requests, the first at `begin_us`, the last before `end_us`. */
static void work(const struct load *load, int64_t period_us, int64_t begin_us, int64_t end_us)
{
    static uint8_t packet[WIRE_PACKET_MAX_BYTES];
    const int fd = connect_to(load->socket);
    uint64_t seq = 0;

    say_hello(fd, packet);
    for (int64_t at_us = begin_us; at_us < end_us; at_us += period_us) {
        sleep_until(at_us);
        if (now_us(CLOCK_MONOTONIC) > end_us) {
            load->tally->late += (uint64_t) ((end_us - at_us) / period_us);
            break; /* this machine cannot make that many */
        }
        const size_t length = request_packet(packet, ++seq);
        if (send(fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t) length)
            load->tally->sent++;
        else
            load->tally->dropped++;
    }
    _exit(0);
}

/* ---- the collector --------------------------------------------------------------------------- */

static int start_collector(struct load *load)
{
    const char *program = getenv("FPMSCOPE_BIN");

    load->collector = fork();
    if (load->collector == 0) {
        execl(program ? program : "build/fpmscope", "fpmscope", "collect", "--no-find-logs",
              "--quiet", "--socket", load->socket, "--data", load->data, NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(load->socket, F_OK) < 0; i++)
        usleep(10000);
    return access(load->socket, F_OK);
}

static struct usage usage_of(pid_t pid)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, system = 0;
    long pages = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *stat = fopen(path, "re");
    if (stat && fgets(line, sizeof line, stat) && strrchr(line, ')'))
        sscanf(strrchr(line, ')') + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
               "%*u %ld",
               &user, &system, &pages);
    if (stat)
        fclose(stat);
    return (struct usage){.cpu_s = (double) (user + system) / (double) sysconf(_SC_CLK_TCK),
                          .rss_kib = pages * sysconf(_SC_PAGESIZE) / 1024};
}

static int64_t stored(const struct load *load, const char *count_rows)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *count = NULL;
    int64_t n = -1;

    snprintf(path, sizeof path, "%s/fpmscope.db", load->data);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, count_rows, -1, &count, NULL) == SQLITE_OK &&
        sqlite3_step(count) == SQLITE_ROW)
        n = sqlite3_column_int64(count, 0);
    sqlite3_finalize(count);
    sqlite3_close(db);
    return n;
}

static int64_t stored_requests(const struct load *load)
{
    return stored(load, "SELECT count(*) FROM event_req");
}

static int print_count(void *ctx, int columns, char **values, char **names)
{
    (void) ctx;
    (void) names;
    printf("coverage: %s %s\n", columns > 1 ? values[0] : "", columns > 1 ? values[1] : "");
    return 0;
}

/* What the collector says it lost. */
static void print_coverage(const struct load *load)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/fpmscope.db", load->data);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        sqlite3_exec(db, "SELECT name, sum(n) FROM coverage GROUP BY name", print_count, NULL,
                     NULL);
    sqlite3_close(db);
}

/* ---- a rate ---------------------------------------------------------------------------------- */

static void run_workers(struct load *load, int rate, int seconds)
{
    const int64_t period_us = (int64_t) WORKERS * 1000000 / rate;
    const int64_t begin_us = now_us(CLOCK_MONOTONIC) + 1500000; /* all connected by then */

    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0)
            work(load, period_us, begin_us + period_us * i / WORKERS,
                 begin_us + (int64_t) seconds * 1000000);
    for (int i = 0; i < WORKERS; i++)
        wait(NULL);
}

/* A worker's end is stored behind all that it left in its socket.  Not "until nothing more comes":
 * a collector that gets no CPU needs seconds for one commit. */
static bool wait_for_ends(struct load *load)
{
    load->ended += WORKERS;
    for (int i = 0; i < SETTLE_S * 4; i++) {
        if (stored(load, "SELECT count(*) FROM event_end") >= load->ended)
            return true;
        usleep(250000);
    }
    return false;
}

/* False when packets were dropped, or this machine could not make so many. */
static int measure(struct load *load, int rate, int seconds)
{
    const struct usage before = usage_of(load->collector);
    const int64_t before_requests = stored_requests(load);

    *load->tally = (struct tally){0};
    run_workers(load, rate, seconds);
    if (!wait_for_ends(load))
        puts("the collector is not done: what follows is short of what waits");
    const int64_t more = stored_requests(load) - before_requests;
    const struct usage after = usage_of(load->collector);
    const uint64_t sent = load->tally->sent, dropped = load->tally->dropped;
    printf("%8d %10.0f %9llu %9lld %9llu %9.0f %% %9.1f us %8.1f MiB\n", rate,
           (double) sent / seconds, (unsigned long long) dropped,
           (long long) (more - (int64_t) sent), (unsigned long long) load->tally->late,
           100 * (after.cpu_s - before.cpu_s) / seconds,
           sent ? 1e6 * (after.cpu_s - before.cpu_s) / (double) sent : 0,
           (double) after.rss_kib / 1024);
    fflush(stdout);
    return dropped == 0 && load->tally->late * 100 < sent;
}

int main(int argc, char **argv)
{
    const int seconds = argc > 1 ? atoi(argv[1]) : 5;
    struct load load = {.directory = "/tmp/fpmscope-load.XXXXXX"};
    char command[128];

    if (seconds < 1 || !mkdtemp(load.directory))
        return 1;
    snprintf(load.socket, sizeof load.socket, "%s/c.sock", load.directory);
    snprintf(load.data, sizeof load.data, "%s/data", load.directory);
    load.tally =
        mmap(NULL, sizeof *load.tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (load.tally == MAP_FAILED || start_collector(&load) < 0)
        return 1;
    printf("%d workers, %d s each; collector's CPU of one core\n", WORKERS, seconds);
    puts("  wanted     sent/s   dropped    stored-sent  not made       CPU   each          RSS");
    for (int rate = RATE_FIRST; rate <= RATE_MAX && measure(&load, rate, seconds); rate *= 2)
        ;
    print_coverage(&load);
    kill(load.collector, SIGTERM);
    waitpid(load.collector, NULL, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", load.directory);
    return system(command) == 0 ? 0 : 1;
}
