import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../../package.json';
import { perProcess } from './per-process';

/** How a call to the backend can end. */
export const UPSTREAM_OUTCOMES = ['ok', 'client_error', 'server_error', 'unreachable', 'timeout'] as const;
export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const buildInfo = new Gauge({
    name: 'todo_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers,
  });
  buildInfo.set({ version: packageJson.version }, 1);
  const upstreamRequests = new Counter<'outcome'>({
    name: 'todo_upstream_requests_total',
    help: 'Calls to the backend, by how they ended.',
    labelNames: ['outcome'],
    registers,
  });
  // `rate()` cannot see a failure that is a series' first sample.
  for (const outcome of UPSTREAM_OUTCOMES) upstreamRequests.inc({ outcome }, 0);
  return {
    registry,
    requests: new Counter({
      name: 'http_requests_total',
      help: 'Requests answered, by method, route template and class of status.',
      labelNames: ['method', 'handler', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['method', 'handler'],
      buckets: SECONDS,
      registers,
    }),
    inFlight: new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests being answered now.',
      registers,
    }),
    ready: new Gauge({ name: 'todo_ready', help: '1 while /ready answers ok.', registers }),
    upstreamRequests,
    upstreamSeconds: new Histogram({
      name: 'todo_upstream_duration_seconds',
      help: "Time from a call to the backend to its answer's headers.",
      buckets: SECONDS,
      registers,
    }),
  };
}

/** The metrics of this process, all in one registry. */
export function metrics(): ReturnType<typeof createMetrics> {
  return perProcess('metrics', createMetrics);
}
