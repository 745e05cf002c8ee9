#!/usr/bin/env python3
"""confusion.py FPMSCOPE DIR - score all verdicts of `fpmscope analyze` on DIR/{traces,truth}.

Prints precision and recall of `leak` per kind of leak, the confusion matrix of all verdicts, and how
often alarms of each confidence were right.  Routes that several phenomena share count for the first.
"""
import collections
import json
import os
import subprocess
import sys


def verdicts_of(tool, path):
    out = subprocess.run([tool, 'analyze', '--json', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return {r['uri']: r for r in json.loads(out)['routes']}


def expected_labels(truth):
    """Route -> (label, detectable); routes of no phenomenon are not in it."""
    labels = {}
    for leak in truth['leaks']:
        kind = 'leak ' + leak['type'] + (' sparse' if leak['leak_events'] < .6 * leak['hits'] else '')
        for uri in leak['routes']:
            hits = truth['requests'] if uri == '*' else truth['route_hits'].get(uri, 0)
            labels.setdefault(uri, (kind, leak['detectable'] and hits >= 30))
    for benign in truth['benign']:
        if benign['kind'] not in ('warmup', 'fragmentation'):
            for uri in benign['routes']:
                labels.setdefault(uri, (benign['kind'] + (' (ambiguous)' if benign.get('ambiguous') else ''), False))
    return labels


def main():
    tool, folder = sys.argv[1:]
    matrix = collections.defaultdict(collections.Counter)
    alarms, found, missed = collections.defaultdict(list), collections.Counter(), collections.Counter()
    for name in sorted(os.listdir(os.path.join(folder, 'truth'))):
        with open(os.path.join(folder, 'truth', name)) as file:
            truth = json.load(file)
        verdicts = verdicts_of(tool, os.path.join(folder, 'traces', name[:-5] + '.jsonl.gz'))
        labels = expected_labels(truth)
        leaks_everywhere = '*' in labels
        for uri, (label, detectable) in labels.items():
            verdict = verdicts[uri]['verdict'] if uri in verdicts else 'none'
            if not label.startswith('leak') or detectable:
                matrix[label][verdict] += 1
            if detectable:
                (found if verdict == 'leak' else missed)[label] += 1
        for uri, row in verdicts.items():
            label = labels.get(uri, ('nothing', False))[0]
            if uri not in labels and uri != '*' and not leaks_everywhere:
                matrix['nothing'][row['verdict']] += 1
            if row['verdict'] == 'leak' and 'ambiguous' not in label and (uri in labels or not leaks_everywhere):
                alarms[round(row['confidence'], 2)].append(label.startswith('leak'))
    right = sum(sum(a) for a in alarms.values())
    total = sum(len(a) for a in alarms.values())
    print('precision %.3f (%d of %d alarms), recall %.3f' %
          (right / max(1, total), right, total, sum(found.values()) / max(1, sum(found.values()) + sum(missed.values()))))
    for label in sorted(set(found) | set(missed)):
        print('  %-22s found %d of %d' % (label, found[label], found[label] + missed[label]))
    columns = sorted({verdict for row in matrix.values() for verdict in row})
    print('%-26s' % 'truth' + ''.join('%15s' % c for c in columns))
    for label in sorted(matrix):
        print('%-26s' % label + ''.join('%15s' % (matrix[label][c] or '.') for c in columns))
    for confidence, rights in sorted(alarms.items()):
        print('alarms of confidence %.2f: %d, right %.3f' % (confidence, len(rights), sum(rights) / len(rights)))


if __name__ == '__main__':
    main()
