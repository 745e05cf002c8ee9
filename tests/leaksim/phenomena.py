"""What can happen to the memory of a php-fpm worker, one class per phenomenon.

A phenomenon sees every request of every worker (`on_request`) and allocates and frees blocks of
that worker's heap.  Its own state lives in `worker.state[self]` and dies with the worker.  `kind` is
its name among the benign, `leak_type` among the leaks, in the words of the leak corpus.
"""
import math


def lognormal(rng, median, sigma):
    return max(16, int(median * math.exp(rng.gauss(0, sigma))))


class Phenomenon:
    kind = None          # None: background that needs no label
    leak_type = None

    def __init__(self, stacks=()):
        self.stacks = list(stacks)

    def ambiguous(self):
        """True when nobody could tell it from a leak: a cache that hardly ever filled."""
        return False

    def state(self, worker, default):
        if self not in worker.state:
            worker.state[self] = default() if callable(default) else default
        return worker.state[self]

    def on_request(self, worker, route, rng, now):
        raise NotImplementedError


# --- background ----------------------------------------------------------------------------

class WarmUp(Phenomenon):
    """The first requests of a worker fill caches that every route shares."""
    kind = 'warmup'
    routes = ['*']

    def __init__(self, stacks, length, first_bytes, restart_at=None):
        super().__init__(stacks)
        self.length, self.first_bytes, self.restart_at = length, first_bytes, restart_at

    def on_request(self, worker, route, rng, now):
        start = self.state(worker, lambda: [0])
        if self.restart_at and now >= self.restart_at and worker.born_at < self.restart_at and start[0] == 0:
            start[0] = worker.seq           # a deploy: opcache and application caches start again
        age = worker.seq - start[0]
        want = self.first_bytes * math.exp(-4.0 * age / self.length)
        while want > 400 and age <= 1.5 * self.length:
            size = min(int(want), rng.randint(1000, 24000))
            worker.alloc(size, rng.choice(self.stacks))
            want -= size


class LazyRoutes(Phenomenon):
    """A route's own templates and plans are built during its first few hits in a worker."""
    kind = 'warmup'

    def __init__(self, stacks, routes, median, hits):
        super().__init__(stacks)
        self.routes, self.median, self.hits = routes, median, hits

    def on_request(self, worker, route, rng, now):
        n = worker.hits[route]
        if route in self.routes and n <= self.hits and rng.random() < 1.0 / n ** .7:
            worker.alloc(lognormal(rng, self.median, .7), self.stacks[0])


class PersistentBuffers(Phenomenon):
    """A few long-lived buffers that are resized now and then, by whatever request comes along."""

    count = 4

    def __init__(self, stacks, rate, largest):
        super().__init__(stacks)
        self.rate, self.largest = rate, largest

    def on_request(self, worker, route, rng, now):
        buffers = self.state(worker, list)
        size = 16 * rng.randint(10, self.largest // 16)
        if len(buffers) < self.count and rng.random() < .3:
            buffers.append(worker.alloc(size, self.stacks[0]))
        elif buffers and rng.random() < self.rate:
            i = rng.randrange(len(buffers))
            buffers[i] = worker.realloc(buffers[i], size)


class Jitter(Phenomenon):
    """Small differences that cancel out: a session string replaced, a counter's text grows."""

    def __init__(self, stacks, routes, largest, probability):
        super().__init__(stacks)
        self.routes, self.largest, self.probability = set(routes), largest, probability

    def on_request(self, worker, route, rng, now):
        if route not in self.routes or rng.random() > self.probability:
            return
        slots = self.state(worker, dict)
        if route in slots:
            worker.free(slots[route])
        slots[route] = worker.alloc(16 * rng.randint(1, max(1, self.largest // 16)), self.stacks[0])


class MmapNoise(Phenomenon):
    """Zend keeps a cached 2 MiB chunk or gives it back."""

    def on_request(self, worker, route, rng, now):
        extra = self.state(worker, lambda: [0])
        if rng.random() < .06:
            step = rng.choice((-2048, 2048))
            if 0 <= extra[0] + step <= 8192:
                extra[0] += step
                worker.mmap_kib += step


# --- benign, each with a label -------------------------------------------------------------

class Cache(Phenomenon):
    """Bounded by entries (LRU), by bytes, or by age in requests (TTL); keys Zipf or all new."""
    kind = 'bounded_cache'

    def __init__(self, stacks, routes, capacity, median, keys, ttl=None, sigma=.3, asym=None):
        super().__init__(stacks)
        self.routes, self.capacity, self.median, self.keys = list(routes), capacity, median, keys
        self.ttl, self.sigma, self.asym = ttl, sigma, asym or {}
        self.insertions = self.evictions = 0

    def ambiguous(self):
        return not self.ttl and self.evictions < .6 * self.insertions

    def on_request(self, worker, route, rng, now):
        entries = self.state(worker, dict)      # key -> (block, seq); insertion order is age
        if self.ttl:
            for key in [k for k, (_, s) in entries.items() if worker.seq - s >= self.ttl]:
                worker.free(entries.pop(key)[0])
        if route not in self.routes:
            return
        key = worker.total_hits if not self.keys else int(self.keys ** rng.random())
        if key in entries:
            entries[key] = entries.pop(key)
            return
        self.insertions += 1
        if len(entries) >= self.capacity:
            self.evictions += 1
            worker.free(entries.pop(next(iter(entries)))[0])
        median = self.median * self.asym.get(route, 1)
        entries[key] = (worker.alloc(lognormal(rng, median, self.sigma), self.stacks[0]), worker.seq)


class CappedBuffer(Phenomenon):
    """One buffer that grows by realloc until its cap, then stays."""
    kind = 'bounded_cache'

    def __init__(self, stacks, route, step, cap):
        super().__init__(stacks)
        self.routes, self.step, self.cap = [route], step, cap
        self.growths = self.full_hits = 0

    def ambiguous(self):
        return self.full_hits < .6 * (self.full_hits + self.growths)

    def on_request(self, worker, route, rng, now):
        if route not in self.routes:
            return
        slot = self.state(worker, lambda: [None])
        size = slot[0].size if slot[0] else 0
        if size >= self.cap:
            self.full_hits += 1
            return
        self.growths += 1
        size = min(self.cap, size + int(self.step * rng.uniform(.7, 1.3)))
        slot[0] = worker.realloc(slot[0], size) if slot[0] else worker.alloc(size, self.stacks[0])


class DelayedFree(Phenomenon):
    """What a request leaves is freed by the next request of anybody, or of its own route."""
    kind = 'delayed_free'

    def __init__(self, stacks, route, median, lag, own, sigma=.4):
        super().__init__(stacks)
        self.routes, self.median, self.lag, self.own, self.sigma = [route], median, lag, own, sigma

    def on_request(self, worker, route, rng, now):
        held = self.state(worker, list)
        mine = route in self.routes
        if not self.own or mine:
            while held and (self.own or worker.seq - held[0][1] >= self.lag):
                worker.free(held.pop(0)[0])
                if self.own:
                    break
        if mine:
            held.append((worker.alloc(lognormal(rng, self.median, self.sigma), self.stacks[0]), worker.seq))


class Periodic(Phenomenon):
    """Collects for a while, then cleans up at every P-th request of the worker."""
    kind = 'periodic'

    def __init__(self, stacks, routes, median, period, sigma=.1):
        super().__init__(stacks)
        self.routes, self.median, self.period, self.sigma = list(routes), median, period, sigma

    def on_request(self, worker, route, rng, now):
        held = self.state(worker, list)
        if worker.seq % self.period == 0:
            while held:
                worker.free(held.pop())
        if route in self.routes:
            held.append(worker.alloc(lognormal(rng, self.median, self.sigma), self.stacks[0]))


class OneOff(Phenomenon):
    """Once (or `times`) per worker life, some time, a large block that stays."""
    kind = 'one_off'

    def __init__(self, stacks, route, size, times, probability):
        super().__init__(stacks)
        self.routes, self.size, self.times, self.probability = [route], size, times, probability

    def on_request(self, worker, route, rng, now):
        done = self.state(worker, lambda: [0])
        if route in self.routes and done[0] < self.times and rng.random() < self.probability:
            done[0] += 1
            worker.alloc(self.size, self.stacks[0])


class Fragmentation(Phenomenon):
    """RSS creeps up though live bytes do not."""
    kind = 'fragmentation'

    def __init__(self, routes, kib_per_request):
        super().__init__()
        self.routes, self.kib_per_request = list(routes), kib_per_request

    def on_request(self, worker, route, rng, now):
        if '*' in self.routes or route in self.routes:
            worker.rss_extra_kib += max(0.0, rng.gauss(self.kib_per_request, self.kib_per_request))


class Peak(Phenomenon):
    """Some requests of a route need many times its usual memory, and give it back."""
    kind = 'peak'

    def __init__(self, route, probability, factor):
        super().__init__()
        self.routes, self.probability, self.factor = [route], probability, factor

    def on_request(self, worker, route, rng, now):
        if route in self.routes and rng.random() < self.probability:
            worker.peak_factor = self.factor


# --- leaks ---------------------------------------------------------------------------------

class Leak(Phenomenon):
    """`size` bytes stay after a hit of its routes, with probability `fraction`, between two times."""
    leak_type = 'heap'

    def __init__(self, stacks, routes, size, fraction=1.0, start=0, end=10 ** 9, sigma=0.0, on_error=False):
        super().__init__(stacks)
        self.routes, self.size, self.fraction = list(routes), size, fraction
        self.start, self.end, self.sigma, self.on_error = start, end, sigma, on_error
        self.hits = self.events = self.late_events = self.bytes = 0
        self.victims = set()

    def draw(self, rng):
        return lognormal(rng, self.size, self.sigma) if self.sigma else self.size

    def on_request(self, worker, route, rng, now):
        if '*' not in self.routes and route not in self.routes or not self.start <= now < self.end:
            return
        self.hits += 1
        happens = worker.status >= 500 if self.on_error else rng.random() < self.fraction
        if happens:
            self.events += 1
            self.late_events += worker.hits[route] > 4 and worker.seq > 16
            size = self.draw(rng)
            self.bytes += size
            self.leak(worker, size)

    def leak(self, worker, size):
        worker.alloc(size, self.stacks[0])


class ReallocLeak(Leak):
    """One buffer per worker that only ever grows."""
    leak_type = 'realloc'

    def leak(self, worker, size):
        slot = self.state(worker, lambda: [None])
        slot[0] = worker.realloc(slot[0], slot[0].size + size) if slot[0] else worker.alloc(size, self.stacks[0])


class MmapLeak(Leak):
    leak_type = 'mmap'

    def leak(self, worker, size):
        worker.mmap_kib += max(4, size // 1024)


class ArenaLeak(Leak):
    """Leaked bytes come out of chunks; whoever finds the chunk full pays for the next one."""
    leak_type = 'arena'

    def __init__(self, stacks, routes, size, users, chunk=32768, **more):
        super().__init__(stacks, routes, size, **more)
        self.users, self.chunk = set(users), chunk

    def on_request(self, worker, route, rng, now):
        room = self.state(worker, lambda: [0])
        if route in self.users and room[0] < 300 and route not in self.routes:
            room[0] += self.chunk           # its own use is temporary, the chunk is not
            worker.alloc(self.chunk, self.stacks[0])
            self.victims.add(route)
        super().on_request(worker, route, rng, now)

    def leak(self, worker, size):
        room = self.state(worker, lambda: [0])
        while room[0] < size:
            room[0] += self.chunk
            worker.alloc(self.chunk, self.stacks[0])
        room[0] -= size


class HashLeak(Leak):
    """A table that never forgets: it doubles now and then, in a request of its users."""
    leak_type = 'hash'

    def leak(self, worker, size):
        table = self.state(worker, lambda: [0, 64, None])
        table[0] += 1
        worker.alloc(size, self.stacks[0])
        if table[0] > table[1]:
            table[1] *= 2
            bucket = 32 * table[1]
            table[2] = worker.realloc(table[2], bucket) if table[2] else worker.alloc(bucket, self.stacks[0])
