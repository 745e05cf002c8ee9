"""A simulated php-fpm pool: workers with heaps, sampled blocks, recycling, and the trace they write."""
import bisect
import collections
import itertools
import json
import math


class Block:
    __slots__ = ('size', 'stack', 'sample_id')

    def __init__(self, size, stack):
        self.size, self.stack, self.sample_id = size, stack, None


class Worker:
    def __init__(self, trace, pid, rng, now):
        self.trace, self.pid, self.rng, self.born_at = trace, pid, rng, now
        self.seq = self.total_hits = 0
        self.hits = collections.Counter()
        self.state = {}
        self.live = rng.randint(1_600_000, 1_800_000)
        self.mmap_kib = 6144
        self.rss_extra_kib, self.rss_kib = 0.0, 15700 + rng.randint(0, 60)
        self.status, self.peak_factor = 200, 1
        self.born, self.died = [], []           # sampled blocks of this request

    def alloc(self, size, stack):
        block = Block(size, stack)
        self.live += size
        if self.rng.random() < 1 - math.exp(-size / self.trace.interval):
            self.born.append(block)
            block.sample_id = -1                # gets its id when the request ends with it alive
        return block

    def free(self, block, by_realloc=0):
        self.live -= block.size
        if block.sample_id == -1:
            self.born.remove(block)
        elif block.sample_id:
            self.died.append((block.sample_id, by_realloc))
        block.sample_id = None

    def realloc(self, block, size):
        self.free(block, 1)
        return self.alloc(size, block.stack)


class Trace:
    """Writes lines in the corpus format, stacks before their first use."""

    def __init__(self, out, name, interval, stacks):
        self.out, self.name, self.interval = out, name, interval
        self.stacks, self.known, self.ids = stacks, set(), itertools.count(1)

    def line(self, **event):
        self.out.write(json.dumps(event, separators=(',', ':')) + '\n')

    def request(self, worker, route, before, request):
        live0, mmap0, rss0 = before
        worker.rss_kib = 14000 + (worker.live - 1_700_000) / 1024 + worker.mmap_kib * .3 + worker.rss_extra_kib + \
            worker.rng.uniform(-130, 130)
        for block in worker.born:
            if block.stack not in self.known:
                self.known.add(block.stack)
                module, native = self.stacks[block.stack]
                self.line(e='stk', id=block.stack, mod=module, nat=native, php=[])
        self.line(e='req', ts=request['ts'], pid=worker.pid, seq=worker.seq, uri=route, dur=request['dur'],
                  st=worker.status, l0=live0, l1=worker.live, rss0=int(rss0), rss1=int(worker.rss_kib),
                  zp=int(request['zp'] * worker.peak_factor), mm0=mmap0, mm1=worker.mmap_kib,
                  ab=int(request['ab'] * worker.peak_factor), ns=len(worker.born) + request['ab'] * 1024 // self.interval)
        for block in worker.born:
            block.sample_id = next(self.ids)
            self.line(e='smp', pid=worker.pid, seq=worker.seq, id=block.sample_id, sz=block.size, stk=block.stack)
        for sample_id, by_realloc in worker.died:
            self.line(e='fre', pid=worker.pid, seq=worker.seq, id=sample_id, re=by_realloc)


def weighted(rng, items, weights):
    total = list(itertools.accumulate(weights))
    return lambda: items[bisect.bisect(total, rng.random() * total[-1])]


def route_weights(count):
    """Popularity, most popular first."""
    return [1.0 / (i + 1) ** 1.1 + .04 for i in range(count)]


def simulate(trace, rng, routes, workers, max_requests, requests, phenomena, errors=.02):
    """Run `requests` requests; returns the hits of each route."""
    trace.line(e='hdr', v=1, trace=trace.name, interval=trace.interval, workers=workers,
               max_requests=max_requests, routes=len(routes))
    pids, now_us = itertools.count(1000 + rng.randrange(5000)), 0
    pool = [Worker(trace, next(pids), rng, 0) for _ in range(workers)]
    pick_worker = weighted(rng, range(workers), [rng.uniform(.3, 1) ** 2 for _ in range(workers)])
    pick_route = weighted(rng, routes, route_weights(len(routes)))
    usual = {r: dict(dur=rng.randint(4000, 90000), zp=rng.randint(2, 40) * 1024, ab=rng.randint(8, 90) * 64) for r in routes}
    route_hits = collections.Counter()
    for now in range(requests):
        i = pick_worker()
        worker, route = pool[i], pick_route()
        worker.seq += 1
        worker.total_hits += 1
        worker.hits[route] += 1
        route_hits[route] += 1
        worker.status = 500 if rng.random() < errors else 200
        worker.peak_factor, worker.born, worker.died = 1, [], []
        before = worker.live, worker.mmap_kib, worker.rss_kib
        for phenomenon in phenomena:
            phenomenon.on_request(worker, route, rng, now)
        now_us += rng.randint(500, 12000)
        request = {k: int(v * rng.uniform(.6, 1.4)) for k, v in usual[route].items()}
        trace.request(worker, route, before, dict(request, ts=now_us))
        if max_requests and worker.seq >= max_requests:
            trace.line(e='end', pid=worker.pid)
            pool[i] = Worker(trace, next(pids), rng, now)
    return route_hits
