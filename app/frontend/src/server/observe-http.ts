import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { log } from './log';
import { metrics } from './metrics';

const PROBES = new Set(['/health', '/ready', '/metrics']);

/** The backend's routes, as it names them in its own metrics. */
const API_ROUTES = [
  '/api/chat',
  '/api/conversations',
  '/api/conversations/{conversation_id}',
  '/api/conversations/{conversation_id}/messages',
  '/api/info',
  '/api/parse',
  '/api/todos',
  '/api/todos/{todo_id}',
  '/api/todos/{todo_id}/complete',
  '/api/todos/{todo_id}/restore',
  '/api/undo/{change_id}',
].map((template) => ({ template, pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`) }));

/** The route's template, so that no label holds an id or what a person typed; null for probes, which are not counted. */
export function handlerOf(url: string): string | null {
  const path = url.split('?', 1)[0] ?? '';
  if (PROBES.has(path)) return null;
  if (path === '/') return '/';
  if (path.startsWith('/api/')) {
    return API_ROUTES.find(({ pattern }) => pattern.test(path))?.template ?? '/api/{path}';
  }
  if (path.startsWith('/_next/static/')) return '/_next/static/{path}';
  return 'other';
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']);

interface Observer {
  /** A request has arrived at this server, and this will be its answer. */
  began(server: Server, response: ServerResponse): void;
  /** The answer has ended, or its connection broke. */
  ended(response: ServerResponse): void;
}

/** Tell the observer of every request; count, time and log all but the probes, through Node's own diagnostics channel. */
export function observeHttp(observer: Observer): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response, server } = message as {
      request: IncomingMessage;
      response: ServerResponse;
      server: Server;
    };
    observer.began(server, response);
    response.once('close', () => observer.ended(response));
    const handler = handlerOf(request.url ?? '');
    if (handler === null) return;
    const method = METHODS.has(request.method ?? '') ? (request.method as string) : 'other';
    const started = performance.now();
    metrics().inFlight.inc();
    response.once('close', () => {
      const seconds = (performance.now() - started) / 1000;
      metrics().inFlight.dec();
      metrics().requests.inc({ method, handler, status: `${Math.floor(response.statusCode / 100)}xx` });
      metrics().requestSeconds.observe({ method, handler }, seconds);
      log(handler.startsWith('/_next/') ? 'debug' : 'info', 'request', {
        method,
        handler,
        status: response.statusCode,
        duration_ms: Math.round(seconds * 1000),
        request_id: response.getHeader('x-request-id'),
      });
    });
  });
}
