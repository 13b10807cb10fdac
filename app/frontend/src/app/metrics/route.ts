import { metrics } from '@/server/metrics';

export const dynamic = 'force-dynamic';

/** Everything that Prometheus reads, in its text format. */
export async function GET(): Promise<Response> {
  const { registry } = metrics();
  return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } });
}
