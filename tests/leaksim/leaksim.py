#!/usr/bin/env python3
"""leaksim - traces of php-fpm pools with and without leaks, and the truth about them.

    leaksim.py OUT_DIR [--seed N] [--count N] [--kind NAME] [--like PROFILE]    writes OUT_DIR/{traces,truth}
    leaksim.py --clean N [--seed N]                            N requests without a leak, to stdout

The same trace and truth formats as tests/fixtures/leak-corpus, other code, other distributions and
other phenomena: the detector is tuned here and only checked there.  Each trace is a composition
drawn from its seed; --kind restricts the leaks (see LEAKS) or, with `none`, draws none.

Two profiles.  `noisy` is harder than any pool we have seen: half of the routes jitter, workers live
50 requests in one trace of ten, phenomena keep to routes of their own.  `calm` has the background of
the corpus, measured (3 % of settled hits grow and 3 % shrink, by buffers of up to 16 kB; a warm-up of
some 30 requests; lazy routes for 4 hits, or 7; 0.2 % errors), and draws each phenomenon's routes from all,
so that a route may leak and cache at once.
"""
import argparse
import gzip
import json
import os
import random
import sys

from phenomena import (ArenaLeak, Cache, CappedBuffer, DelayedFree, Fragmentation, HashLeak, Jitter,
                       LazyRoutes, Leak, MmapLeak, MmapNoise, OneOff, Peak, Periodic,
                       PersistentBuffers, ReallocLeak, WarmUp)
from pool import Trace, route_weights, simulate

MODULES = 'imagick gd soap tidy redis mongodb yaml zip grpc ldap xsl snmp vips curl otel pcre'.split()


class Scenario:
    """Hands out stacks and routes while a trace is being composed."""

    def __init__(self, rng, route_count, requests, life, workers, overlap=False):
        self.rng, self.requests, self.life, self.workers, self.overlap = rng, requests, life, workers, overlap
        self.routes = ['/r%d' % i for i in range(route_count)]
        self.free_routes = sorted(self.routes, key=lambda r: -rng.random() / (self.routes.index(r) + 3) ** .5)
        self.free_routes.reverse()      # popular routes tend to come first, so that there is evidence
        self.stacks, self.phenomena = {}, []

    def stack(self, module=None):
        n = len(self.stacks) + 1
        module = module or self.rng.choice(MODULES)
        self.stacks[n] = (module, ['%s_alloc_%d' % (module, n), '%s_call' % module])
        return [n]

    def route(self):
        """One that no phenomenon has yet; when all are taken, or may be shared, any."""
        if self.overlap:
            return self.rng.choice(self.routes)
        return self.free_routes.pop() if self.free_routes else self.rng.choice(self.routes)

    def some_routes(self, most):
        return [self.route() for _ in range(self.rng.randint(1, most))]

    def hits_per_life(self, routes):
        """How many requests of `routes` a worker can expect to serve."""
        weights = route_weights(len(self.routes))
        share = sum(weights[self.routes.index(r)] for r in set(routes)) / sum(weights)
        return share * min(self.life, self.requests / self.workers)

    def capacity(self, routes, low, high):
        """Of a cache of `routes`: small enough to be full for most of a worker's life."""
        return max(2, min(self.rng.randint(low, high), int(self.rng.uniform(.1, .3) * self.hits_per_life(routes))))

    def spread(self, sigmas):
        """Of a leak's sizes: in calm traces most leaks are the same to the byte."""
        return 0 if self.overlap and self.rng.random() < .6 else self.rng.choice(sigmas)

    def size(self, low, high):
        return int(low * (high / low) ** self.rng.random())


def calm_background(s):
    rng = s.rng
    stacks = s.stack('realpath') + s.stack('icu') + s.stack('mysqlnd')
    s.phenomena += [
        WarmUp(stacks, min(rng.randint(18, 30), s.life // 2), rng.randint(120000, 180000)),
        LazyRoutes(s.stack('app_cache'), rng.sample(s.routes, int(len(s.routes) * rng.uniform(.35, .8))), s.size(4000, 16000), rng.choice((4, 4, 4, 7))),
        PersistentBuffers(s.stack('mysqlnd'), .06, 16000),
        MmapNoise()]


def noisy_background(s):
    rng = s.rng
    stacks = s.stack('realpath') + s.stack('icu') + s.stack('mysqlnd')
    restart = rng.randint(s.requests // 3, s.requests) if rng.random() < .15 else None
    s.phenomena += [
        WarmUp(stacks, rng.randint(8, min(60, s.life // 3)), rng.randint(40000, 400000), restart),
        LazyRoutes(s.stack('app_cache'), rng.sample(s.routes, int(len(s.routes) * rng.uniform(.4, .9))), s.size(1000, 12000),
                   rng.randint(1, 7)),
        PersistentBuffers(s.stack('mysqlnd'), rng.uniform(.01, .12), s.size(2000, 40000)),
        MmapNoise()]
    if rng.random() < .5:
        s.phenomena.append(Jitter(s.stack('session'), rng.sample(s.routes, len(s.routes) // 2), s.size(32, 4000),
                                  rng.uniform(.1, 1)))


def cache(s, most_routes, low, high, keys, sigmas, asym=False):
    routes = s.some_routes(most_routes)
    return Cache(s.stack('cache'), routes, s.capacity(routes, low, high), s.size(300, 20000), s.rng.choice(keys),
                 sigma=s.rng.choice(sigmas), asym={routes[0]: s.rng.uniform(3, 20)} if asym else None)


def capped(s):
    route, step = s.route(), s.size(100, 3000)
    return CappedBuffer(s.stack('xmlwriter'), route, step, int(step * max(3, s.rng.uniform(.1, .3) * s.hits_per_life([route]))))


BENIGN = {
    'lru': lambda s: cache(s, 8, 8, 80, (200, 1000, 5000), (0, .3, .6)),
    'unique': lambda s: cache(s, 2, 5, 40, (0,), (0, .3)),
    'asym': lambda s: cache(s, 4, 15, 60, (2000,), (.3, .6), asym=True),
    'ttl': lambda s: Cache(s.stack('apcu'), s.some_routes(3), 10 ** 6, s.size(500, 20000), 0, ttl=s.rng.randint(10, max(12, min(s.life, 600) // 5))),
    'capped': capped,
    'delayed': lambda s: DelayedFree(s.stack('curl'), s.route(), s.size(200, 200000), s.rng.randint(1, 6), s.rng.random() < .4,
                                     s.rng.choice((0, .1, .5))),
    'periodic': lambda s: Periodic(s.stack('otel'), s.some_routes(3), s.size(200, 20000), s.rng.randint(20, max(25, min(s.life, 600) // 4))),
    'one_off': lambda s: OneOff(s.stack('gd'), s.route(), s.size(2000, 2000000), s.rng.randint(1, 2), s.rng.uniform(.02, .3)),
    'fragmentation': lambda s: Fragmentation(['*'], s.rng.uniform(.3, 3)),
    'peak': lambda s: Peak(s.route(), s.rng.uniform(.005, .05), s.rng.randint(10, 40)),
}

LEAKS = {
    'dense': lambda s: Leak(s.stack(), [s.route()], s.size(64, 1 << 20), sigma=s.spread((0, 0, .3))),
    'small': lambda s: Leak(s.stack(), [s.route()], s.size(48, 1024), sigma=s.spread((0, 0, .5))),
    'lognormal': lambda s: Leak(s.stack(), [s.route()], s.size(500, 50000), sigma=s.rng.uniform(.3, .9)),
    'sparse': lambda s: Leak(s.stack(), [s.route()], s.size(2000, 200000), fraction=s.rng.uniform(.05, .5), sigma=s.spread((0, .3))),
    'rare': lambda s: Leak(s.stack(), [s.route()], s.size(10000, 400000), fraction=s.rng.uniform(.01, .05)),
    'two': lambda s: Leak(s.stack(), [s.route(), s.route()], s.size(200, 20000)),
    'onset': lambda s: Leak(s.stack(), [s.route()], s.size(200, 50000), start=s.requests // 3),
    'realloc': lambda s: ReallocLeak(s.stack(), [s.route()], s.size(100, 5000), sigma=s.spread((0, .2))),
    'mmap': lambda s: MmapLeak([0], [s.route()], s.rng.choice((65536, 131072, 262144, 1 << 20, 2 << 20))),
    'arena': lambda s: ArenaLeak(s.stack(), [s.route()], s.size(300, 4000), [s.route() for _ in range(4)], s.rng.choice((16384, 32768, 65536))),
    'hash': lambda s: HashLeak(s.stack(), [s.route()], s.size(64, 2000)),
    'global': lambda s: Leak(s.stack('apm'), ['*'], s.size(100, 8000), sigma=s.spread((0, .2))),
    'errors': lambda s: Leak(s.stack(), [s.route()], s.size(2000, 50000), on_error=True),
}


# How often each kind of leak is drawn in a calm trace; about as often as the corpus has them.
CALM_LEAKS = (['dense'] * 4 + ['small'] * 4 + ['two'] * 2 + ['onset'] * 2 + ['lognormal'] * 2 + ['sparse'] * 2 +
              ['rare', 'realloc', 'mmap', 'arena', 'hash', 'global'])


def compose_calm(seed, kind=None):
    """The same as compose_noisy(), with the background and the pools of the corpus."""
    rng = random.Random(seed)
    life = rng.choice((50, 100, 200, 300, 500, 500, 500, 500, 500, 500, 1000, 1000, 0))
    workers = rng.choice((3, 4, 4, 6, 6, 6, 6, 6, 6, 16))
    s = Scenario(rng, rng.choice((20, 20, 20, 20, 20, 30, 60, 200)), rng.randint(7, 12) * 500, life or 10 ** 6, workers, overlap=True)
    calm_background(s)
    for name in rng.sample(sorted(BENIGN), rng.choice((0, 1, 1, 2, 2, 3))):
        s.phenomena.append(BENIGN[name](s))
    for _ in range(0 if kind == 'none' else 1 if kind else rng.choice((0, 0, 1, 1, 1, 1, 2, 3))):
        s.phenomena.append(LEAKS[kind or rng.choice(CALM_LEAKS)](s))
    errors = .3 if any(getattr(p, 'on_error', False) for p in s.phenomena) else .002
    pool = dict(workers=workers, max_requests=life, requests=s.requests, errors=errors)
    return s, pool, rng.choice((65536, 65536, 65536, 65536, 524288))


def compose_noisy(seed, kind=None):
    """A scenario with its pool's parameters, all drawn from `seed`."""
    rng = random.Random(seed)
    life = rng.choice((50, 100, 200, 300, 500, 500, 500, 1000, 1000, 0))
    workers = rng.choice((1, 3, 4, 4, 6, 6, 6, 6, 8, 16))
    s = Scenario(rng, rng.choice((20, 20, 20, 20, 30, 60, 120, 200)), rng.randint(3500, 7000), life or 10 ** 6, workers)
    noisy_background(s)
    for name in rng.sample(sorted(BENIGN), rng.choice((0, 1, 1, 2, 2, 3, 4))):
        s.phenomena.append(BENIGN[name](s))
    leaks = 0 if kind == 'none' else 1 if kind else rng.choice((0, 0, 0, 1, 1, 1, 1, 2, 3))
    for _ in range(leaks):
        s.phenomena.append(LEAKS[kind or rng.choice(sorted(LEAKS))](s))
    errors = .3 if any(getattr(p, 'on_error', False) for p in s.phenomena) else .02
    pool = dict(workers=workers, max_requests=life, requests=s.requests, errors=errors)
    return s, pool, rng.choice((65536, 65536, 65536, 131072, 8192, 524288))


PROFILES = {'noisy': compose_noisy, 'calm': compose_calm}


def leak_truth(leak, hits, requests):
    detectable = leak.hits >= 30 and leak.late_events >= 10 and leak.bytes >= 2048
    return dict(routes=leak.routes, stack=leak.stacks[0], size=leak.size, hit_fraction=leak.fraction, start=leak.start,
                end=min(leak.end, requests), type=leak.leak_type, victims=sorted(leak.victims), hits=leak.hits,
                leak_events=leak.events, leaked_bytes=leak.bytes, late_events=leak.late_events,
                bytes_per_request=leak.bytes / max(1, leak.hits), detectable=detectable)


def write_trace(out_dir, name, seed, kind, profile):
    s, pool, interval = PROFILES[profile](seed, kind)
    with gzip.open(os.path.join(out_dir, 'traces', name + '.jsonl.gz'), 'wt', compresslevel=3) as out:
        trace = Trace(out, name, interval, s.stacks)
        hits = simulate(trace, s.rng, s.routes, phenomena=s.phenomena, **pool)
    truth = dict(trace=name, requests=pool['requests'], interval=interval, workers=pool['workers'],
                 max_requests=pool['max_requests'], routes=len(s.routes), route_hits=hits,
                 leaks=[leak_truth(p, hits, pool['requests']) for p in s.phenomena if p.leak_type],
                 benign=[dict(kind=p.kind, routes=p.routes, stacks=p.stacks, ambiguous=p.ambiguous()) for p in s.phenomena if p.kind])
    with open(os.path.join(out_dir, 'truth', name + '.json'), 'w') as out:
        json.dump(truth, out, indent=1)


def write_clean(count, seed):
    """One long stream without a leak: several pools' worth of benign phenomena at once."""
    s = Scenario(random.Random(seed), 60, count, 500, 16)
    noisy_background(s)
    s.phenomena += [BENIGN[name](s) for name in ('lru', 'unique', 'ttl', 'delayed', 'periodic', 'peak')]
    simulate(Trace(sys.stdout, 'clean', 65536, s.stacks), s.rng, s.routes, 16, 500, count, s.phenomena)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', nargs='?')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--kind', choices=sorted(LEAKS) + ['none'])
    parser.add_argument('--like', choices=sorted(PROFILES), default='noisy')
    parser.add_argument('--clean', type=int)
    args = parser.parse_args()
    if args.clean:
        return write_clean(args.clean, args.seed)
    if not args.out:
        parser.error('OUT_DIR or --clean')
    for folder in ('traces', 'truth'):
        os.makedirs(os.path.join(args.out, folder), exist_ok=True)
    for seed in range(args.seed, args.seed + args.count):
        write_trace(args.out, 's%05d-%s' % (seed, args.kind or 'mix'), seed, args.kind, args.like)


if __name__ == '__main__':
    main()
